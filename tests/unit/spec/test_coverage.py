"""Requirements as data: each has cases or a reason; the table in the documentation is the one of the data."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.cli.pages import coverage_text
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.core.versions import Minor
from dmconform.matrix.assemble import requirement_entries
from dmconform.report.coverage import collapsed, coverage, coverage_page
from dmconform.sdks.catalogue import load_sdks
from dmconform.spec.cases import Level, load_requirements
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.documents import load_documents

from tests.recorded import assert_page
from tests.unit.report_samples import broken, cell, known, report, unreachable

CATALOGUE = load_catalogue()
SHOWN = {one for case in CATALOGUE.cases for one in case.declaration.requirements}


@pytest.mark.parametrize("name", CATALOGUE.requirements)
def test_a_requirement_has_either_cases_or_a_reason_why_none(name: str) -> None:
    one = CATALOGUE.requirements[name]
    if name in SHOWN:
        assert one.uncovered is None, f"{name} has cases: remove its uncovered"
    elif one.level is not Level.NOTE:
        assert one.uncovered, f"{name} has no case: write one, or say in uncovered why there is none"


def test_every_case_names_a_requirement() -> None:
    """Reading the cases would fail otherwise; here for the day that changes."""
    assert all(case.shows for case in CATALOGUE.cases)


def test_what_contradicts_one_another_never_holds_for_the_same_host() -> None:
    pairs = [(one, CATALOGUE.requirements[one.contradicts]) for one in CATALOGUE.requirements.values() if one.contradicts]
    assert pairs
    for one, other in pairs:
        for host in CATALOGUE.hosts:
            both = one.holds_on(host.version.minor) and other.holds_on(host.version.minor)
            assert not both, f"{one.id} and {other.id} both hold on {host.release}"


def test_the_page_is_the_one_of_the_data() -> None:
    assert_page("docs/coverage.md", coverage_text(CATALOGUE), "dmconform coverage --write")


def test_cases_of_one_function_at_several_extension_points_are_one_name() -> None:
    ids = ["a/one@lb", "a/two", "a/one@tracer", "b/three@lb", "b/one@lb"]
    assert collapsed(ids) == (("a/one@*", 2), ("a/two", 1), ("b/three@lb", 1), ("b/one@lb", 1))


def test_the_page_counts_the_cases_of_each_requirement_at_each_extension_point() -> None:
    entries = requirement_entries(CATALOGUE)
    cases = [f"points/{name}@{point}" for name in ("works", "refused") for point in ("lb", "tracer")]
    changed = [msgspec.structs.replace(entries[0], cases=tuple(cases)), msgspec.structs.replace(entries[1], cases=("a/b",))]
    lines = coverage_page(changed, load_documents(paths.DOCUMENTS_FILE).values()).splitlines()
    assert f"| extension point | `{changed[0].id}` |" in lines
    counts = {one.value: 2 if one.value in ("lb", "tracer") else "-" for one in ExtensionPoint}
    assert [f"| `{point}` | {count} |" for point, count in counts.items()] == lines[-len(counts) :]
    assert any("`points/works@*` (2), `points/refused@*` (2)" in line for line in lines)
    assert "## Extension points" not in coverage_page(changed[1:], ())


def test_every_requirement_is_in_the_page_and_the_report() -> None:
    entries = requirement_entries(CATALOGUE)
    assert [one.id for one in entries] == list(CATALOGUE.requirements)
    page = coverage_text(CATALOGUE)
    assert all(f"| `{one.id}` | {one.level.value} |" in page for one in entries)


GOOD = 'id = "a"\nstatement = "s"\ndocument = "overview"\nsection = "x"\n'


@pytest.mark.parametrize(
    ("text", "inconsistency"),
    [
        (f"[[requirement]]\n{GOOD}[[requirement]]\n{GOOD}", "duplicate id"),
        (f'[[requirement]]\n{GOOD}since = "1.38.3"\n', "not a minor version"),
        (f'[[requirement]]\n{GOOD}since = "1.39"\nuntil = "1.38"\n', "after 1.38"),
        (f'[[requirement]]\n{GOOD}level = "may"\n', "may"),
        (f'[[requirement]]\n{GOOD}uncovered = ""\n', "uncovered is empty"),
        (f'[[requirement]]\n{GOOD}contradicts = "b"\n', "which is not an id"),
    ],
)
def test_a_bad_requirement_is_refused(tmp_path: Path, text: str, inconsistency: str) -> None:
    path = tmp_path / "requirements.toml"
    path.write_text(text)
    with pytest.raises(DataFileError, match=inconsistency):
        load_requirements(path)


def test_before_its_release_a_case_is_not_promised(tmp_path: Path) -> None:
    path = tmp_path / "requirements.toml"
    path.write_text(f'[[requirement]]\n{GOOD}since = "1.39"\n')
    case = CATALOGUE.case("window/loads")
    from_1_39 = type(case)(case.id, case.title, case.declaration, case.line, tuple(load_requirements(path).values()))
    (sdk,) = (sdk for sdk in load_sdks(paths.SDKS) if str(sdk.id) == "rust@1.38:reference")
    assert from_1_39.relation(sdk, Minor(1, 38)).relation is Relation.UNSUPPORTED
    assert "from 1.39 on" in from_1_39.relation(sdk, Minor(1, 38)).reason
    assert from_1_39.relation(sdk, Minor(1, 39)).relation is Relation.SUPPORTED


def test_counts_are_those_of_the_cells() -> None:
    cells = [
        cell("a/one"),
        cell("a/one", host="1.40.0"),
        broken("a/two"),
        known("a/three"),
        cell("a/four", judgement=Judgement.INFORMATIONAL, relation=Relation.UNSUPPORTED, outcome=Outcome.FAIL),
        unreachable("a/five"),
    ]
    found = {it.entry.cases[0]: it for it in coverage(report(cells))}
    assert [(name, it.held, it.broken, it.known, it.not_run, it.facts, it.status) for name, it in found.items()] == [
        ("a/one", 2, 0, 0, 0, 0, "pass"),
        ("a/two", 0, 1, 0, 0, 0, "FAIL"),
        ("a/three", 0, 0, 1, 0, 0, "xfail"),
        ("a/four", 0, 0, 0, 0, 1, "informational"),
        ("a/five", 0, 0, 0, 1, 0, "not run"),
    ]


def test_cells_that_the_documents_do_not_promise_count_as_nothing_but_facts() -> None:
    """A cell outside of the promise that could not run, or was skipped, leaves no promised one without a run."""
    beyond = Relation.UNSUPPORTED
    cells = [
        cell("a/one"),
        unreachable("a/one", relation=beyond),
        cell("a/one", outcome=Outcome.ERROR, judgement=Judgement.ERROR, relation=Relation.LEGACY, host="1.37.0"),
        cell("a/one", outcome=Outcome.NOT_APPLICABLE, judgement=Judgement.SKIP, relation=beyond),
        cell("a/one", outcome=Outcome.CRASH, judgement=Judgement.INFORMATIONAL, relation=beyond),
        unreachable("a/two", relation=beyond),
    ]
    one, two = coverage(report(cells))
    assert (one.held, one.not_run, one.facts, one.status) == (1, 0, 1, "pass")
    assert (two.held, two.not_run, two.facts, two.status) == (0, 0, 0, "not run")


def test_only_hosts_that_a_requirement_is_about_count() -> None:
    whole = report([cell("a/one", host="1.38.3"), cell("a/one", host="1.39.0"), cell("a/one", host="1.41.0-dev~0011aabb")])
    (entry,) = whole.requirements

    def held(**bounds: str) -> int:
        (found,) = coverage(msgspec.structs.replace(whole, requirements=(msgspec.structs.replace(entry, **bounds),)))
        return found.held

    assert (held(), held(since="1.39"), held(until="1.38"), held(since="1.39", until="1.40")) == (3, 2, 1, 1)

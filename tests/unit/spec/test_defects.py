"""The page of defects is the one of the data, and the data make sense."""

from __future__ import annotations

import functools
import shlex
from pathlib import Path

import pytest
from dmconform.abi.loading import load_every_abi
from dmconform.cli.main import parse
from dmconform.cli.pages import defects_text
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.values import Outcome
from dmconform.core.versions import Release
from dmconform.measure.differential.request import RULES
from dmconform.measure.differential.rules import load_rules
from dmconform.measure.pairs.plan import PairPlan, plan_pairs
from dmconform.measure.pairs.request import PAIR_RULES, PairRequest, select_pairs
from dmconform.measure.pairs.rules import load_pair_rules
from dmconform.sdks.catalogue import reproducers_of
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.defects import (
    REPRODUCER_LINES,
    Defect,
    DefectKind,
    Referable,
    cell_of,
    check_length,
    check_references,
    command_of,
    load_answers,
    load_defects,
)
from dmconform.spec.facts import chance_of, load_facts
from dmconform.spec.findings import Fault

from tests.checkout import ROOT
from tests.recorded import assert_page

CATALOGUE = load_catalogue()
DEFECTS = load_defects(paths.DEFECTS)
REPRODUCERS = reproducers_of(paths.SDKS / "cpp")
NO_REPRODUCERS = {"callbacks_connections", "callbacks_http"}
"""Modules in C that are there to call each callback of their kind, and show no one thing."""
BY_CHANCE = {"mistakes/kept_handle": "what memory holds that was given back decides, and nothing of that is on record"}
GOOD = """
[[defect]]
id = "one"
title = "It ends."
kind = "pairs"
severity = "ends Envoy"
points = ["http_filter"]
releases = ["1.39.3"]
clean = ["1.40.0"]
right = "It goes on."
seen = "SIGSEGV."
fault = "host"
found_by = "some/case"
reproducer = "some_module"
report = "not reported"
listed = false
"""
KNOWN = Referable(
    ("1.39.3", "1.40.0"),
    ("some/case",),
    ("some_module",),
    ("some/case/cpp@1.39:reference/1.39.3", "some/case/go@1.39:official/1.39.3", "some/case/go@1.39:official/1.40.0"),
    ("sdks/go/probe/filters/one.go",),
)


def loaded(folder: Path, text: str, name: str = "some") -> tuple[Defect, ...]:
    """Loads a file of a folder, with what it refers to."""
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    defects = load_defects(folder)
    check_references(folder, defects, KNOWN)
    return defects


def test_the_page_is_the_one_of_the_data() -> None:
    assert_page("docs/defects.md", defects_text(CATALOGUE), "dmconform findings --defects --write")


def test_every_defect_that_is_shown_has_its_section_and_anchor() -> None:
    page = defects_text(CATALOGUE)
    for one in DEFECTS:
        assert page.count(f'<a id="{one.id}"></a>') == bool(one.found_by), one.id


def test_answers_are_where_they_are_said_to_be() -> None:
    for one in load_answers(paths.DEFECTS):
        page, _, heading = one.answer.partition("#")
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        anchors = {line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")}
        assert not heading or heading in anchors, one


def test_a_good_entry_is_taken(tmp_path: Path) -> None:
    (one,) = loaded(tmp_path, GOOD)
    assert (one.method, one.releases) == ("some", ("1.39.3",))
    assert loaded(tmp_path, GOOD.replace('"some/case"', '"some first THEN second"'))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"pairs"', '"trouble"', "kind"),
        ('"ends Envoy"', '"bad"', "severity"),
        ('["http_filter"]', '["filter"]', "points"),
        ('"host"', '"nobody"', "fault"),
        ('["1.39.3"]', '["1.39.9"]', "1.39.9 is no known release"),
        ('["1.40.0"]', '["1.39.3"]', "1.39.3 is in releases and in clean"),
        ('["1.39.3"]', "[]", "expected releases on which some/case shows it, found none"),
        ('"It goes on."', '""', "right is empty"),
        ('"some/case"', '"other/case"', "found_by 'other/case' is neither a case nor 'some' and its input"),
        ('"some/case"', '""', "expected either found_by or why"),
        ("listed = false", 'listed = false\nwhy = "so"', "expected either found_by or why"),
        ("listed = false", 'listed = false\nmethod = "so"', "expected no method"),
        ('"some_module"', '"other_module"', "there is no reproducer 'other_module'"),
        ('"not reported"', '"somewhere"', "expected report ="),
        ("listed = false", 'listed = false\nnews = "x"', "news"),
        (
            "listed = false",
            'listed = false\ncell = "go@1.38:official/1.39.3"',
            'expected cell = "SDK/HOST" where some/case shows it',
        ),
        (
            "listed = false",
            'listed = false\ncell = "go@1.39:official/1.40.0"',
            "its cell is on none of the releases that have it",
        ),
        ("listed = false", 'listed = false\nexample = "sdks/go/probe/two.go"', "there is no file 'sdks/go/probe/two.go'"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(DataFileError, match=message.replace("(", r"\(")):
        loaded(tmp_path, GOOD.replace(old, new))


def test_an_id_is_in_one_file_only(tmp_path: Path) -> None:
    (tmp_path / "first.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(DataFileError, match=r"duplicate id 'one'; first.toml has it too"):
        loaded(tmp_path, GOOD, "second")


@pytest.mark.parametrize(
    "one", [one for one in DEFECTS if one.found_by in {case.id for case in CATALOGUE.cases}], ids=lambda one: one.id
)
def test_a_case_ends_on_the_releases_of_a_defect_as_the_facts_say(one: Defect) -> None:
    """A defect shows in a cell that does not pass, or in what a cell records: one of an SDK in the cells of that SDK alone."""
    recorded = load_facts().of_case(one.found_by)
    if one.found_by in BY_CHANCE:
        pytest.skip(f"{one.found_by}: {BY_CHANCE[one.found_by]}")
    if not recorded:
        pytest.skip(f"no facts of {one.found_by} are on record")
    ran = {key: fact.behaviour for key, fact in recorded.items() if fact.behaviour.outcome.is_verdict}
    failing = {release for (_, release), seen in ran.items() if seen.outcome is not Outcome.PASS}
    telling = {release for (_, release), seen in ran.items() if seen.facts}
    unseen = {release for _, release in ran} & set(one.releases) - failing - telling
    assert not unseen, f"expected a cell of {one.found_by} not to pass, or to record something, on {sorted(unseen)}"
    others = {release for other in DEFECTS if other.found_by == one.found_by for release in other.releases}
    assert not set(one.clean) & failing - others, (
        f"expected {one.found_by} to pass on {sorted(set(one.clean) & failing - others)}"
    )
    clean = [seen.facts for (_, release), seen in ran.items() if release in one.clean]
    same = [release for (_, release), seen in ran.items() if release in {*one.releases} - failing and seen.facts in clean]
    assert not same, f"expected {one.found_by} to record something else on {sorted(same)} than on {', '.join(one.clean)}"


def test_the_cell_that_shows_a_defect_is_the_newest_or_the_one_that_is_named(tmp_path: Path) -> None:
    (one,) = loaded(tmp_path, GOOD)
    assert command_of(one) == "dmconform reproduce some/case/cpp@1.39:reference/1.39.3"
    named = GOOD + 'cell = "go@1.39:official/1.39.3"\nexample = "sdks/go/probe/filters/one.go"\n'
    (one,) = loaded(tmp_path, named)
    assert command_of(one) == "dmconform reproduce some/case/go@1.39:official/1.39.3"


SHOWN = [one for one in DEFECTS if one.found_by]


@functools.cache
def page() -> str:
    """The page as it has to be."""
    return defects_text(CATALOGUE)


@functools.cache
def plan_of(minor: str) -> PairPlan:
    """All pairs of a minor."""
    abis = load_every_abi()
    return plan_pairs(abis[minor], load_rules(RULES, abis.values()), load_pair_rules(PAIR_RULES, abis.values()))


@pytest.mark.parametrize("one", SHOWN, ids=lambda one: one.id)
def test_each_defect_says_how_to_see_it(one: Defect) -> None:
    """With a command that can be parsed, and a module, a probe's filter or a configuration where the command makes none."""
    name, *words = shlex.split(command_of(one))
    assert name == "dmconform"
    parsed = parse(words)
    assert f"`{command_of(one)}`" in page()
    if words[0] == "pairs":
        release = parsed.host[0]
        plan = plan_of(str(Release.parse(release).minor))
        request = PairRequest((release,), (), tuple(parsed.first), tuple(parsed.then), tuple(parsed.hook))
        assert select_pairs(plan, request), "expected the command to select a pair"
    if one.kind in (DefectKind.LANGUAGES, DefectKind.CONFIGURATION) or one.fault is Fault.SDK:
        named = one.reproducer or one.example or any(one.found_by == other.found_by and other.reproducer for other in DEFECTS)
        assert named or one.found_by.startswith("validate/"), "expected a module, a probe's filter, or a configuration"


@pytest.mark.parametrize("one", [one for one in SHOWN if one.cell or one.found_by.count("/") == 1], ids=lambda one: one.id)
def test_the_cell_of_a_defect_does_not_pass_or_records_what_clean_ones_do_not(one: Defect) -> None:
    cell = cell_of(one)
    case, sdk, release = cell.rsplit("/", 2)
    fact = load_facts().of(case, sdk, release)
    if fact is None or case in BY_CHANCE:
        assert case in BY_CHANCE or chance_of(cell) or sdk.endswith(":official"), "expected a fact on record"
        return
    assert fact.behaviour.outcome is not Outcome.PASS or fact.behaviour.facts, f"{cell} shows nothing"


@pytest.mark.parametrize("name", sorted(REPRODUCERS.keys() - NO_REPRODUCERS))
def test_a_reproducer_is_short_and_used(name: str) -> None:
    check_length(REPRODUCERS[name])
    folders = (paths.CASES, ROOT / "tests" / "hosts" / "wrong", ROOT / "harness" / "dmconform" / "casekit")
    texts = "".join(file.read_text(encoding="utf-8") for folder in folders for file in sorted(folder.glob("*.py")))
    uses = f'"{name}"' in texts or any(one.reproducer == name for one in DEFECTS)
    assert uses, f"expected a case, one of its mutations, or a defect to use the module {name}"


def test_what_pairs_found_has_a_module_in_c() -> None:
    assert {one.id for one in DEFECTS if one.method == "pairs" and one.reproducer is None} == set()


def test_what_is_no_reproducer_shows_no_defect() -> None:
    assert not NO_REPRODUCERS & {one.reproducer for one in DEFECTS}


def test_a_reproducer_that_is_too_long_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "long.c"
    file.write_text("// line\n" * (REPRODUCER_LINES + 1), encoding="utf-8")
    with pytest.raises(DataFileError, match="expected at most 60 lines, found 61"):
        check_length(file)

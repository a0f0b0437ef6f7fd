"""What a modified build of Envoy does unlike the clean one of its minor."""

from __future__ import annotations

import msgspec
import pytest
from dmconform.core.values import AbiVerdict, Host, Outcome
from dmconform.report.markdown import render_markdown
from dmconform.report.modified_builds import compare_builds, host_labels, modified_build_sentences
from dmconform.report.schema import CellEntry, Report

from tests.unit.report.test_console import printed as answered
from tests.unit.report.test_details import printed
from tests.unit.report_samples import cell, host, report

CASES = ("window/loads", "rtld/local_by_default", "panics/caught")


def modified(release: str) -> Host:
    one = host(release)
    return msgspec.structs.replace(one, build=one.build.replace("/Clean/", "/Modified/"))


def run(*cells: CellEntry, hosts: tuple[Host, ...] = (host("1.38.2"), modified("1.38.3"))) -> Report:
    return msgspec.structs.replace(report(cells), hosts=hosts)


def both(**of_modified: object) -> tuple[CellEntry, ...]:
    """Each case on both hosts; the last one ends differently on the modified build."""
    cells = [cell(case, host=name) for case in CASES for name in ("1.38.2", "1.38.3")]
    return (*cells[:-1], msgspec.structs.replace(cells[-1], **of_modified))


def test_cells_that_end_alike_are_counted() -> None:
    (found,) = compare_builds(run(*both()))
    assert (found.modified.id, found.clean.id, found.cells, found.differences) == ("1.38.3", "1.38.2", 3, ())
    assert found.sentence == "Envoy 1.38.3 (modified build) and 1.38.2 (clean build): 3 cells ran on both and ended alike"


@pytest.mark.parametrize(
    "ending",
    [
        {"outcome": Outcome.FAIL},
        {"detail": "expected 200, observed a crash"},
        {"abi_verdict": AbiVerdict.DEPRECATED},
        {"known_failure": "a-record"},
    ],
    ids=lambda ending: next(iter(ending)),
)
def test_a_cell_that_ends_in_another_way_is_named(ending: dict[str, object]) -> None:
    (found,) = compare_builds(run(*both(**ending)))
    assert [(one.case, one.modified.host, one.clean.host) for one in found.differences] == [(CASES[-1], "1.38.3", "1.38.2")]
    assert found.sentence.endswith(": 1 of 3 cells that ran on both ended differently: panics/caught (1)")


def test_the_name_of_the_host_and_numbers_are_no_difference() -> None:
    cells = both(outcome=Outcome.FAIL, detail="expected 1.38.3/any to be loaded after 17 ms")
    other = msgspec.structs.replace(cells[-2], outcome=Outcome.FAIL, detail="expected 1.38.2/any to be loaded after 4 ms")
    (found,) = compare_builds(run(*cells[:-2], other, cells[-1]))
    assert found.differences == ()


def test_what_did_not_run_on_both_is_not_compared() -> None:
    (found,) = compare_builds(run(*both(outcome=Outcome.NOT_TESTED)))
    assert (found.cells, found.differences) == (2, ())
    (none,) = compare_builds(run(cell(host="1.38.2")))
    assert none.sentence.endswith("no cell ran on both, so nothing shows what the modification changes")


def test_the_newest_clean_host_of_the_same_minor_is_compared_with() -> None:
    hosts = (host("1.38.1"), host("1.38.2"), modified("1.38.3"), host("1.39.3"))
    (found,) = compare_builds(run(*both(), hosts=hosts))
    assert found.clean.id == "1.38.2"


def test_a_modified_build_alone_is_named_as_such() -> None:
    alone = run(cell(host="1.38.3"), hosts=(modified("1.38.3"), host("1.39.3")))
    assert compare_builds(alone) == ()
    (sentence,) = modified_build_sentences(alone)
    assert "what is shown of 1.38 rests on a modified build alone" in sentence
    assert modified_build_sentences(run(cell(host="1.39.3"), hosts=(host("1.39.3"),))) == ()


def test_a_host_that_could_not_be_had_is_no_clean_one() -> None:
    absent = msgspec.structs.replace(host("1.38.2"), build="")
    assert compare_builds(run(*both(), hosts=(absent, modified("1.38.3")))) == ()


def test_console_and_markdown_mark_the_host_and_have_the_sentence() -> None:
    whole = run(*both(outcome=Outcome.FAIL))
    assert host_labels(whole) == {"1.38.2": "1.38.2", "1.38.3": "1.38.3 (modified build)"}
    answer = answered(whole)
    assert "1.38.3*" in answer.splitlines()[0]
    assert "Envoy 1.38.3* beside 1.38.2: 1 of 3 cells that ran on both differ\n" in answer
    text = " ".join(printed(whole).split())
    assert "1.38.3 (modified build)" in text
    assert "of 3 cells that ran on both ended differently: panics/caught (1)" in text
    page = render_markdown(whole)
    assert "Envoy 1.38.3 (modified build) |" in page and "Envoy 1.38.2 |" in page
    assert "ended differently: panics/caught (1)" in page

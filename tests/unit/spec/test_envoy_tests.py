"""What Envoy's own tests check, as data: each behaviour is shown by something that is there, or has a reason."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.abi.fault_reactions import Counted, Faults, PointFaults, load_faults
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.matrix.assemble import envoy_test_entries
from dmconform.report.coverage import coverage_page, coverage_sentence, envoy_test_counts, envoy_tests_sentence, whole_sentence
from dmconform.report.markdown import render_markdown
from dmconform.report.schema import EnvoyTestEntry
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.envoy_tests import SECTIONS, EnvoyTest, load_envoy_tests, unknown_names

from tests.unit.report_samples import cell, report

TESTS = load_envoy_tests(paths.ENVOY_TESTS_FILE)
GOOD = 'id = "http/A"\nwhere = "w"\nasserts = "a"\n'


def test_every_case_and_measurement_that_is_named_is_there() -> None:
    cases = {one.id for one in load_catalogue().cases}
    faults = load_faults()
    unknown = {one.id: names for one in TESTS if (names := unknown_names(one, cases, faults))}
    assert not unknown


def test_every_section_has_behaviours_in_the_order_of_the_titles() -> None:
    assert list(dict.fromkeys(one.section for one in TESTS)) == list(SECTIONS)


@pytest.mark.parametrize(
    ("measured", "unknown"),
    [
        ("matcher lacks matcher_match", False),
        ("matcher lacks *", False),
        ("matcher lacks matcher_new", True),
        ("matcher null matcher_match", True),
        ("tracer lacks *", True),
        ("nowhere lacks *", True),
        ("matcher dances *", True),
        ("matcher lacks", True),
    ],
)
def test_measurements_that_are_not_there_are_found(measured: str, unknown: bool) -> None:
    faults = Faults((PointFaults(ExtensionPoint.MATCHER, ("1.40.0",), {"matcher_match": Counted()}),))
    one = EnvoyTest("http/A", "w", "a", ("area/there",), (measured,))
    assert unknown_names(one, {"area/there"}, faults) == ([measured] if unknown else [])
    assert unknown_names(one, set(), faults)[0] == "area/there"


@pytest.mark.parametrize(
    ("text", "inconsistency"),
    [
        (f'[[test]]\n{GOOD}reason = "r"\n[[test]]\n{GOOD}reason = "r"\n', "duplicate id"),
        (f"[[test]]\n{GOOD}", "expected either a reason, or cases or measured"),
        (f'[[test]]\n{GOOD}cases = ["a/b"]\nreason = "r"\n', "expected either a reason, or cases or measured"),
        (f'[[test]]\n{GOOD}reason = ""\n', "reason is empty"),
        (f'[[test]]\n{GOOD.replace("http/", "tls/")}reason = "r"\n', "expected a section"),
        (f'[[test]]\n{GOOD}seen = "r"\n', "seen"),
    ],
)
def test_a_bad_entry_is_refused(tmp_path: Path, text: str, inconsistency: str) -> None:
    path = tmp_path / "envoy_tests.toml"
    path.write_text(text)
    with pytest.raises(DataFileError, match=inconsistency):
        load_envoy_tests(path)


ENTRIES = (
    EnvoyTestEntry("http/A", "HTTP", "says | a", cases=("area/one",), measured=("matcher lacks *",)),
    EnvoyTestEntry("http/B", "HTTP", "b", measured=("matcher lacks *",)),
    EnvoyTestEntry("http/C", "HTTP", "c", reason="none of ours"),
    EnvoyTestEntry("rtld/D", "RTLD", "d", cases=("area/two",)),
)


def test_each_behaviour_is_counted_once() -> None:
    assert envoy_test_counts(ENTRIES) == (("HTTP", 3, 1, 1, 1), ("RTLD", 1, 1, 0, 0))
    assert envoy_tests_sentence(ENTRIES) == (
        "4 behaviours that Envoy's own tests check; cases show 2 of them, measured tables 1 more, "
        "and 1 have a reason why nothing does"
    )
    for _, behaviours, *shown in envoy_test_counts(envoy_test_entries()):
        assert behaviours == sum(shown)


def test_each_is_in_the_page_with_what_shows_it() -> None:
    page = coverage_page((), (), ENTRIES)
    assert "| `http/A` | says \\| a | `area/one`, [matcher lacks *](faults.md) |" in page
    assert "| `http/C` | c | *nothing: none of ours* |" in page
    assert all(f"| `{one.id}` |" in coverage_page((), (), envoy_test_entries()) for one in TESTS)


def test_the_report_has_them_and_shows_the_counts() -> None:
    whole = msgspec.structs.replace(report([cell("a/one")]), envoy_tests=ENTRIES)
    text = render_markdown(whole)
    assert envoy_tests_sentence(ENTRIES) in text
    assert "| HTTP | 3 | 1 | 1 | 1 |" in text
    assert whole_sentence(whole) == f"{coverage_sentence(whole.requirements)}. {envoy_tests_sentence(ENTRIES)}"
    without = msgspec.structs.replace(whole, envoy_tests=())
    assert "own tests" not in render_markdown(without)
    assert whole_sentence(without) == coverage_sentence(whole.requirements)

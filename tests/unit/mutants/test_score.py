"""The score of mutants, what counts, and how a sample is chosen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.mutants.catalogue import Mutant
from tests.mutants.main import main, sample
from tests.mutants.score import Fate, Tried, scores, table, untried
from tests.mutants.trial import Seen

SEEN = Seen("pass", "", "matched", "loaded", {"a": "1"}, is_reached=True, is_verdict=True, is_expected=True)


def mutant(name: str, area: str = "flags", equivalent: str | None = None) -> Mutant:
    noticed = () if equivalent else ("rtld/do_not_close",)
    return Mutant(name, "It breaks something.", "a measured fact", "flags", noticed, area=area, equivalent=equivalent)


def test_one_that_is_noticed_on_each_host_counts() -> None:
    mutants = [mutant("both"), mutant("one"), mutant("none"), mutant("same", equivalent="It is the same.")]
    fates = {"both": (Fate.NOTICED, Fate.NOTICED), "one": (Fate.NOTICED, Fate.SURVIVED), "none": (Fate.UNTRIED, Fate.UNTRIED)}
    tried = [
        Tried(one, host, fate) for one in mutants[:3] for host, fate in zip(("1.40.0", "1.38.2"), fates[one.id], strict=True)
    ]
    (found,) = scores(mutants, tried)
    assert (found.noticed, found.total, found.equivalent) == (1, 3, 1)
    assert [one.id for one in untried(tried)] == ["none"]
    assert list(table([found]))[-1].split() == ["all", "1", "3", "1"]


def test_one_that_is_noticed_where_it_can_be_tried_counts() -> None:
    tried = [Tried(mutant("one"), "1.40.0", Fate.NOTICED), Tried(mutant("one"), "1.38.2", Fate.UNTRIED)]
    (found,) = scores([mutant("one")], tried)
    assert (found.noticed, found.total, untried(tried)) == (1, 1, [])


def test_a_sample_has_of_each_area_and_is_the_same_again() -> None:
    mutants = [mutant(f"{area}-{number}", area) for area in ("closing", "flags", "search") for number in range(9)]
    mutants.append(mutant("same", "flags", equivalent="It is the same."))
    first = sample(mutants, 7, seed=1)
    assert first == sample(mutants, 7, seed=1) != sample(mutants, 7, seed=2)
    assert sorted(Counter(one.area for one in first).values()) == [2, 2, 3]
    assert len(sample(mutants, 100, seed=1)) == 27


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"outcome": "fail", "detail": "it is not"}, "outcome fail instead of pass: it is not"),
        ({"verdict": "silent"}, "ABI verdict silent instead of matched"),
        ({"load": "not seen"}, "probe not seen instead of loaded"),
        ({"facts": {"a": "2"}}, "fact 'a' '2' instead of '1'"),
        ({"facts": {}}, "fact 'a' 'none' instead of '1'"),
        ({"facts": {"a": "1", "b": "2"}}, "fact 'b' '2' instead of 'none'"),
        ({"is_reached": False}, None),
    ],
)
def test_what_differs_from_the_control(change: dict[str, object], expected: str | None) -> None:
    assert replace(SEEN, **change).differs_from(SEEN) == expected  # type: ignore[arg-type]


def test_a_fact_that_varies_says_nothing() -> None:
    control = SEEN.or_again(replace(SEEN, facts={"a": "another"}))
    assert SEEN.differs_from(control) is None
    assert replace(SEEN, facts={"a": "a third one"}).differs_from(control) is None
    assert control.is_expected


def test_a_control_that_ends_otherwise_the_second_time_is_not_as_expected() -> None:
    assert not SEEN.or_again(replace(SEEN, outcome="fail")).is_expected


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--area", "none"], 2, "--area none: expected one of "),
        (["--sample", "0"], 2, "--sample 0: expected at least 1"),
        (["--mutant", "no-such"], 3, "the selection has no mutant"),
        (["--mutant", "global-added", "--host", "0.1"], 2, "--host 0.1: expected a known release"),
        (["--mutant", "static-lost", "--host", "1.37.0"], 3, "none of these mutants concerns 1.37.0"),
    ],
)
def test_a_selection_that_makes_no_sense(words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == code
    assert said in capsys.readouterr().err


def test_the_list_has_what_each_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--mutant", "global-*"]) == 0
    printed = capsys.readouterr().out
    assert "flags/global-added: Every module is opened with RTLD_GLOBAL." in printed

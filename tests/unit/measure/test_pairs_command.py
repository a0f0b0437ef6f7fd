"""`dmconform pairs`: what it prints and writes, and its exit codes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from dmconform.abi.loading import load_every_abi
from dmconform.cli.main import main
from dmconform.core.errors import ExitCode
from dmconform.measure.differential.request import RULES
from dmconform.measure.differential.rules import load_rules
from dmconform.measure.pairs.plan import Pair, plan_pairs
from dmconform.measure.pairs.record import changes, not_run, record_of
from dmconform.measure.pairs.request import PAIR_RULES, ComparedPairs, PairRequest, write_records
from dmconform.measure.pairs.result import HostPairs, PairEnd, PairResult
from dmconform.measure.pairs.rules import load_pair_rules

PAIR = Pair("http_filter_new", "", "http_filter_continue_encoding")


OTHER = Pair("http_filter_config_new", "", "log")
HOOK = "http_filter_config_new"


def _compared(recorded: bool, *more: tuple[Pair, PairResult]) -> ComparedPairs:
    abis = load_every_abi()
    plan = plan_pairs(abis["1.39"], load_rules(RULES, abis.values()), load_pair_rules(PAIR_RULES, abis.values()))
    found = HostPairs({PAIR: PairResult(PairEnd.ENDS, "SIGSEGV in http_filter_continue_encoding")}, envoys=2)
    record = record_of("1.39.3", plan, found)
    found.results |= dict(more)
    now = record_of("1.39.3", plan, found)
    before = record if recorded else None
    wanted = tuple(found.results)
    return ComparedPairs(
        "1.39.3",
        plan,
        len(wanted),
        len(wanted),
        found,
        now,
        changes(before, now, found, True),
        not_run(before, found, wanted),
        ("dns_resolver: 97 pairs: no library",),
        1.5,
    )


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmconform.measure.pairs.request.run_pairs", lambda *_: (_compared(True),))


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmconform.measure.pairs.request.run_pairs", lambda *_: (_compared(False),))


@pytest.mark.usefixtures("unknown")
def test_a_new_end_fails_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pairs"]) == ExitCode.FAIL
    out = capsys.readouterr().out
    assert "new: ends Envoy: - http_filter_continue_encoding http_filter_new" in out and "✗ 1 new and 0 no longer seen" in out


@pytest.mark.usefixtures("known")
def test_what_is_on_record_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pairs"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "✓ All pairs end as it is on record" in out
    assert "No configuration reaches it: 1.39.3: dns_resolver: 97 pairs: no library" in out


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (PairResult(PairEnd.BLOCKED, "no memory"), f"{OTHER}: no memory"),
        (PairResult(PairEnd.NOT_REACHED), "http_filter_config_new: its hook was not reached: 1 pairs"),
        (PairResult(PairEnd.WITHOUT, "log: a handle"), f"{OTHER}: log: a handle"),
    ],
)
def test_what_could_not_be_run_is_named_and_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], result: PairResult, line: str
) -> None:
    monkeypatch.setattr("dmconform.measure.pairs.request.run_pairs", lambda *_: (_compared(True, (OTHER, result)),))
    assert main(["pairs"]) == ExitCode.ERROR
    out = capsys.readouterr().out
    assert f"could not be run: {line}" in out and "✗ 1 part could not be run" in out
    assert main(["pairs", "--json", "-"]) == ExitCode.ERROR
    shown = json.loads(capsys.readouterr().out)
    assert not shown["complete"] and shown["as_recorded"] and shown["hosts"][0]["not_run"] == [line]


@pytest.mark.usefixtures("unknown")
def test_what_could_not_be_run_does_not_hide_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = (OTHER, PairResult(PairEnd.BLOCKED))
    monkeypatch.setattr("dmconform.measure.pairs.request.run_pairs", lambda *_: (_compared(False, blocked),))
    assert main(["pairs"]) == ExitCode.FAIL


@pytest.mark.usefixtures("unknown")
def test_json_alone_is_on_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pairs", "--json", "-"]) == ExitCode.FAIL
    result = json.loads(capsys.readouterr().out)
    assert not result["as_recorded"] and result["hosts"][0]["changes"][0]["is_new"]
    assert main(["pairs", "--json", str(tmp_path / "p.json")]) == ExitCode.FAIL
    assert json.loads((tmp_path / "p.json").read_text()) == result


@pytest.mark.usefixtures("unknown")
def test_what_was_seen_is_written_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmconform.measure.pairs.request.write_records", lambda compared: write_records(compared, tmp_path))
    assert main(["pairs", "--write"]) == ExitCode.OK
    assert json.loads((tmp_path / "1.39.3.json").read_text())["noted"][0]["then"] == ["http_filter_continue_encoding"]


def test_a_host_of_which_something_could_not_be_run_keeps_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = _compared(False, (OTHER, PairResult(PairEnd.BLOCKED)))
    monkeypatch.setattr("dmconform.measure.pairs.request.run_pairs", lambda *_: (blocked,))
    monkeypatch.setattr("dmconform.measure.pairs.request.write_records", lambda compared: write_records(compared, tmp_path))
    assert main(["pairs", "--write"]) == ExitCode.ERROR
    assert not list(tmp_path.iterdir())


def test_what_is_put_on_record_is_run_without_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a mistake in it would stay there: what is on record is run less often."""
    asked: list[PairRequest] = []

    def note(request: PairRequest, _: Path) -> tuple[()]:
        asked.append(request)
        return ()

    monkeypatch.setattr("dmconform.measure.pairs.request.run_pairs", note)
    main(["pairs", "--write"])
    main(["pairs"])
    assert [one.afresh for one in asked] == [True, False]


def test_a_part_of_the_pairs_is_not_put_on_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pairs", "--write", "--sample", "3"]) == ExitCode.USAGE
    assert "--write together with a selection" in capsys.readouterr().err
    assert main(["pairs", "--write", "--hook", HOOK, "--first", "-"]) == ExitCode.USAGE
    assert main(["pairs", "--sample", "0"]) == ExitCode.USAGE


def test_all_pairs_of_some_hooks_are_put_on_record_beside_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run has seen one hook, and the second another."""
    monkeypatch.setattr("dmconform.measure.pairs.request.write_records", lambda compared: write_records(compared, tmp_path))
    seen = [_compared(False), _compared(False, (OTHER, PairResult(PairEnd.ENDS, "SIGSEGV in log")))]
    del seen[1].found.results[PAIR]
    seen[1] = dataclasses.replace(seen[1], wanted=1, due=1, record=record_of("1.39.3", seen[1].plan, seen[1].found))
    for one in seen:
        monkeypatch.setattr("dmconform.measure.pairs.request.run_pairs", lambda *_, one=one: (one,))
        assert main(["pairs", "--write", "--hook", HOOK]) == ExitCode.OK
    noted = json.loads((tmp_path / "1.39.3.json").read_text())["noted"]
    assert [(one["hook"], one["then"]) for one in noted] == [(OTHER.hook, [OTHER.then]), (PAIR.hook, [PAIR.then])]

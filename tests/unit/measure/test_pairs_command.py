"""`dmconform pairs`: what it prints and writes, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dmconform.abi.loading import load_every_abi
from dmconform.cli.main import main
from dmconform.core.errors import ExitCode
from dmconform.measure.differential.request import RULES
from dmconform.measure.differential.rules import load_rules
from dmconform.measure.pairs.plan import Pair, plan_pairs
from dmconform.measure.pairs.record import changes, record_of
from dmconform.measure.pairs.request import PAIR_RULES, ComparedPairs, write_records
from dmconform.measure.pairs.rules import load_pair_rules
from dmconform.measure.pairs.run import HostPairs, PairEnd, PairResult

PAIR = Pair("http_filter_new", "", "http_filter_continue_encoding")


def _compared(recorded: bool) -> ComparedPairs:
    abis = load_every_abi()
    plan = plan_pairs(abis["1.39"], load_rules(RULES, abis.values()), load_pair_rules(PAIR_RULES, abis.values()))
    found = HostPairs({PAIR: PairResult(PairEnd.ENDS, "SIGSEGV in http_filter_continue_encoding")}, envoys=2)
    record = record_of("1.39.3", plan, found)
    return ComparedPairs("1.39.3", plan, 1, found, record, changes(record if recorded else None, record, found, True), 1.5)


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
    assert "✓ All pairs end as it is on record" in capsys.readouterr().out


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


def test_a_part_of_the_pairs_is_not_put_on_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pairs", "--write", "--sample", "3"]) == ExitCode.USAGE
    assert "--write together with a selection" in capsys.readouterr().err
    assert main(["pairs", "--sample", "0"]) == ExitCode.USAGE

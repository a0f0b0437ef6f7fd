"""`dmconform facts`: from a report to the record."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.cli.main import main
from dmconform.core import paths
from dmconform.core.values import AbiVerdict, Host, Outcome, Relation
from dmconform.hosts.catalogue import load_hosts
from dmconform.report.schema import CellEntry, Report, RerunEntry, write_report
from dmconform.spec import facts as spec_facts
from dmconform.spec.facts import load_facts

from tests.unit.by_chance import REASON, end_by_chance
from tests.unit.report_samples import cell, report

KNOWN = next(one for one in load_hosts(paths.HOSTS_FILE) if one.release == "1.39.3")
HOST = Host("1.39.3", "1.39.3", "envoy", KNOWN.binary_sha256, KNOWN.build, "PyPI")
LOADS, SERVES = "window/loads", "window/proxied_traffic"
KEY = ("rust@1.39:reference", "1.39.3")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty record in the place of the repository's."""
    place = tmp_path / "facts"
    place.mkdir()
    monkeypatch.setattr(spec_facts, "FOLDER", place)
    monkeypatch.setattr(load_facts, "__defaults__", (place,))
    spec_facts.known_facts.cache_clear()
    return place


def file_of(path: Path, *cells: CellEntry, host: Host = HOST, **more: object) -> str:
    """The file of a report of a known release."""
    made: Report = msgspec.structs.replace(report(cells), hosts=(host,), **more)
    write_report(made, path)
    return str(path)


def test_what_has_no_fact_gets_one_and_others_stay(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = file_of(tmp_path / "first.json", cell(LOADS), cell(SERVES, relation=Relation.UNSUPPORTED))
    assert main(["facts", first]) == 0
    assert "added: 2 facts" in capsys.readouterr().out
    assert not list(folder.iterdir()), "without --write nothing is written"
    assert main(["facts", first, "--write"]) == 0
    before = load_facts(folder).of(LOADS, *KEY)
    assert before is not None
    assert before.behaviour.abi is AbiVerdict.MATCHED
    capsys.readouterr()
    other = file_of(tmp_path / "other.json", cell(LOADS, abi_verdict=AbiVerdict.DEPRECATED), cell("window/direct_traffic"))
    assert main(["facts", other, "--write"]) == 0
    printed = capsys.readouterr().out
    assert "differs, and was left: 1 fact\n  window/loads/rust@1.39:reference/1.39.3" in printed
    facts = load_facts(folder)
    assert facts.of(LOADS, *KEY) == before
    assert facts.of("window/direct_traffic", *KEY) is not None


def test_what_is_named_is_corrected(tmp_path: Path, folder: Path) -> None:
    main(["facts", file_of(tmp_path / "first.json", cell(LOADS), cell(SERVES)), "--write"])
    warned = [cell(one, abi_verdict=AbiVerdict.DEPRECATED) for one in (LOADS, SERVES)]
    other = file_of(tmp_path / "other.json", *warned)
    assert main(["facts", other, "--write", "--correct", f"{LOADS}/*"]) == 0
    facts = load_facts(folder)
    verdicts = [fact.behaviour.abi for case in (LOADS, SERVES) if (fact := facts.of(case, *KEY)) is not None]
    assert verdicts == [AbiVerdict.DEPRECATED, AbiVerdict.MATCHED]
    assert main(["facts", other, "--correct", "nothing/*"]) == 2


def test_what_is_no_fact_is_left_out(tmp_path: Path, folder: Path) -> None:
    failed = cell("window/body", outcome=Outcome.FAIL)
    passed = RerunEntry(Outcome.PASS, failed.judgement, "")
    cells = (
        cell(LOADS, outcome=Outcome.ERROR),
        cell(SERVES, outcome=Outcome.NOT_TESTED),
        msgspec.structs.replace(
            failed, case="window/direct_traffic", id=f"window/direct_traffic/{'/'.join(KEY)}", reruns=(passed,)
        ),
    )
    assert main(["facts", file_of(tmp_path / "report.json", *cells), "--write"]) == 0
    assert load_facts(folder).cases == ()


UNFIT = [
    ({"complete": False}, "its run did not end"),
    ({"host": msgspec.structs.replace(HOST, sha256="0" * 64)}, "has no known release"),
]


@pytest.mark.parametrize(("change", "message"), UNFIT, ids=[message for _, message in UNFIT])
def test_an_unfit_report_is_refused(
    tmp_path: Path, folder: Path, change: dict[str, object], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["facts", file_of(tmp_path / "report.json", cell(LOADS), **change), "--write"]) == 2  # type: ignore[arg-type]
    assert message in capsys.readouterr().err
    assert not list(folder.iterdir())


def test_a_changed_suite_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = msgspec.structs.replace(report([cell()]).environment, suite_commit="0123+changes")
    assert main(["facts", file_of(tmp_path / "report.json", cell(LOADS), environment=environment), "--write"]) == 2
    assert "changes that no commit has" in capsys.readouterr().err


def test_what_has_no_fact_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    end_by_chance("window/loads/cpp@1.37:reference/1.37.0", tmp_path, monkeypatch)
    assert main(["facts"]) == 1
    printed = capsys.readouterr().out
    assert "window/loads: " in printed
    assert "then dmconform facts DIR --write" in printed
    assert f"\nNot compared: 1 cell, such as window/loads/cpp@1.37:reference/1.37.0: {REASON}\n" in printed


def test_write_needs_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "--write"]) == 2
    assert "--write and --correct need a REPORT" in capsys.readouterr().err

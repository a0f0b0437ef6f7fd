"""Every command that takes a report takes a compressed one as well, by its folder or its file, and does the same with it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from dmconform.cli.main import main
from dmconform.core.compressed import compress
from dmconform.core.values import Relation
from dmconform.matrix.split import hash_of
from dmconform.release.nightly.nights import newest_report
from dmconform.report.schema import Shard, write_report

from tests.unit.report_samples import broken, cell, report

COMMANDS = {
    "diff": ["diff", "OLD", "NEW", "--format", "markdown"],
    "gate": ["gate", "NEW", "--policy", "sdk-release", "--sdk", "rust@1.39:reference", "--format", "markdown"],
    "page": ["page", "NEW", "--out", "page.html"],
    "page of two": ["page", "NEW", "--previous", "OLD", "--out", "page.html"],
    "nightly": ["nightly", "--report", "NEW FOLDER", "--previous", "OLD"],
    "plan": ["plan", "--measure", "NEW"],
    "merge": ["merge", "SHARD", "--out", "whole"],
}
REPORTS = {
    "old": report([cell()]),
    "new": report([broken(), cell(host="1.40.0")]),
    "shard": msgspec.structs.replace(
        report([cell()]), shard=Shard(1, 1, hash_of([(cell().id, Relation.SUPPORTED)]), planned_cells=1)
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["", "report.json.xz"], ids=["folder", "file"])
def test_a_compressed_report_is_as_good_as_a_plain_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    """The same exit code, the same output, the same files, byte for byte."""
    results: list[tuple[int, str, str, dict[str, bytes]]] = []
    for form in ("plain", "small"):  # of the same length, so that lines break alike
        place = tmp_path / form
        for folder, whole in REPORTS.items():
            (place / folder).mkdir(parents=True)
            write_report(whole, place / folder / "report.json")
            if form == "small":
                file = place / folder / "report.json"
                file.with_name("report.json.xz").write_bytes(compress(file.read_bytes()))
                file.unlink()
        monkeypatch.chdir(place)
        monkeypatch.setattr("dmconform.matrix.costs.FILE", place / "costs.json")
        monkeypatch.setattr("dmconform.matrix.costs.write_costs.__defaults__", (place / "costs.json",))
        words = {"NEW FOLDER": "new"}
        for folder in REPORTS:
            words[folder.upper()] = f"{folder}/{name}" if form == "small" else folder
        code = main([words.get(word, word) for word in COMMANDS[command]])
        printed = capsys.readouterr()
        made = {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
        given = {str(path) for folder in REPORTS for path in (Path(folder, "report.json"), Path(folder, "report.json.xz"))}
        files = {path: data for path, data in made.items() if path not in given}
        out, err = (re.sub(r"/report\.json(\.xz)?", "", text.replace(str(place), "")) for text in printed)
        results.append((code, out, err, files))
    assert results[0] == results[1]
    assert ("costs.json" in results[0][-1]) == (command == "plan")
    assert results[0][0] != 2, "the command has worked"


def test_a_plain_report_comes_before_a_compressed_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_report(report([cell()]), tmp_path / "report.json")
    (tmp_path / "report.json.xz").write_bytes(b"damaged")
    assert main(["page", str(tmp_path), "--out", str(tmp_path / "page.html")]) == 0
    (tmp_path / "report.json").unlink()
    assert main(["page", str(tmp_path), "--out", str(tmp_path / "page.html")]) == 2
    assert f"{tmp_path / 'report.json.xz'}: " in capsys.readouterr().err


def test_a_night_that_is_kept_may_be_compressed(tmp_path: Path) -> None:
    night = tmp_path / "20261101T021700.000000Z"
    night.mkdir()
    write_report(report([cell()]), night / "report.json")
    (night / "report.json.xz").write_bytes(compress((night / "report.json").read_bytes()))
    (night / "report.json").unlink()
    assert newest_report(tmp_path) == report([cell()])

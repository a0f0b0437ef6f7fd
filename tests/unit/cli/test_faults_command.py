"""`dmconform abi faults`: which hosts are measured, and where the result goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dmconform.abi import fault_reactions as data
from dmconform.abi.fault_reactions import Counted, PointFaults, faults_json, load_faults, merged
from dmconform.cli import abi_faults as command
from dmconform.cli.main import parse
from dmconform.core.extension_point import ExtensionPoint
from dmconform.measure.faults import run

OLD = PointFaults(ExtensionPoint.MATCHER, ("1.38.3", "1.39.3"), {"a": Counted()})
NEW = PointFaults(ExtensionPoint.MATCHER, ("1.39.3",), {"b": Counted()})
Dmconform = Callable[..., int]


@pytest.fixture
def asked() -> list[tuple[str, ...]]:
    """What was measured."""
    return []


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The repository's file."""
    file = tmp_path / "module_faults.json"
    file.write_text(faults_json(merged([OLD])))
    return file


@pytest.fixture
def faults_command(monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, ...]], repository: Path) -> Dmconform:
    """Runs the command with words; the measurement says `NEW`."""

    def measured(specs: tuple[str, ...], workers: int | None) -> tuple[PointFaults, ...]:
        asked.append(specs)
        return (NEW,)

    monkeypatch.setattr(run, "measure_faults_of", measured)
    monkeypatch.setattr(data, "FILE", repository)
    monkeypatch.setattr(command, "page_file", lambda: repository.with_suffix(".md"))

    def dmconform(*words: str) -> int:
        arguments = parse(["abi", "faults", *words])
        code: int = arguments.run(arguments)
        return code

    return dmconform


def hooks_of(file: Path) -> dict[str, list[str]]:
    """Releases by hook."""
    return {hook: list(one.releases) for one in load_faults(file).points for hook in one.lacks}


def test_without_hosts_all_are_measured_and_nothing_old_is_kept(
    faults_command: Dmconform, asked: list[tuple[str, ...]], repository: Path
) -> None:
    assert faults_command() == 0
    assert asked == [("all",)]
    assert hooks_of(repository) == {"b": ["1.39.3"]}
    assert "`b`" in repository.with_suffix(".md").read_text()


def test_named_hosts_are_renewed_and_others_kept(
    faults_command: Dmconform, asked: list[tuple[str, ...]], repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert faults_command("--host", "1.39", "--host", "1.38") == 0
    assert asked == [("1.39", "1.38")]
    assert hooks_of(repository) == {"a": ["1.38.3"], "b": ["1.39.3"]}
    assert capsys.readouterr().out == f"{repository}\n{repository.with_suffix('.md')}\n"


def test_another_file_holds_only_what_was_measured(faults_command: Dmconform, repository: Path, tmp_path: Path) -> None:
    before = repository.read_text()
    other = tmp_path / "other.json"
    assert faults_command("--host", "1.39", "-o", str(other)) == 0
    assert hooks_of(other) == {"b": ["1.39.3"]}
    assert repository.read_text() == before
    assert not repository.with_suffix(".md").exists()


def test_the_page_alone_measures_nothing(faults_command: Dmconform, asked: list[tuple[str, ...]], repository: Path) -> None:
    before = repository.read_text()
    assert faults_command("--page") == 0
    assert not asked
    assert repository.read_text() == before
    assert "1.39.3 | none | `a`" in repository.with_suffix(".md").read_text()

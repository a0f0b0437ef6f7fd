"""`dmconform abi hooks`: which hosts are measured, and where the result goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dmconform.abi import required_hooks as data
from dmconform.abi.loading import load_abi
from dmconform.abi.required_hooks import HookFact, PointFacts, RequiredHooks, Without, hooks_json, load_required_hooks
from dmconform.cli.main import parse
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint
from dmconform.measure.hooks import measure, run

OLD = PointFacts(ExtensionPoint.MATCHER, ("1.38.3", "1.39.3"), {"a": HookFact(Without.REFUSED)})
NEW = PointFacts(ExtensionPoint.MATCHER, ("1.39.3",), {"a": HookFact(Without.WORKS)})
Dmconform = Callable[..., int]


@pytest.fixture
def asked() -> list[tuple[str, ...]]:
    """What was measured."""
    return []


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The repository's file."""
    file = tmp_path / "required_hooks.json"
    file.write_text(hooks_json(RequiredHooks((OLD,))))
    return file


@pytest.fixture
def hooks_command(monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, ...]], repository: Path) -> Dmconform:
    """Runs the command with words; the measurement says `NEW`."""

    def measured(specs: tuple[str, ...], workers: int | None) -> tuple[PointFacts, ...]:
        asked.append(specs)
        return (NEW,)

    monkeypatch.setattr(run, "measure_hosts", measured)
    monkeypatch.setattr(data, "FILE", repository)

    def dmconform(*words: str) -> int:
        arguments = parse(["abi", "hooks", *words])
        code: int = arguments.run(arguments)
        return code

    return dmconform


def test_without_hosts_all_are_measured_and_nothing_old_is_kept(
    hooks_command: Dmconform, asked: list[tuple[str, ...]], repository: Path
) -> None:
    assert hooks_command() == 0
    assert asked == [("all",)]
    assert load_required_hooks(repository).points == (NEW,)


def test_named_hosts_are_renewed_and_others_kept(
    hooks_command: Dmconform, asked: list[tuple[str, ...]], repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hooks_command("--host", "1.39", "--host", "1.38") == 0
    assert asked == [("1.39", "1.38")]
    points = load_required_hooks(repository).points
    assert [(one.releases, one.hooks["a"].without) for one in points] == [
        (("1.38.3",), Without.REFUSED),
        (("1.39.3",), Without.WORKS),
    ]
    assert capsys.readouterr().out == f"{repository}\n"


def test_another_file_holds_only_what_was_measured(hooks_command: Dmconform, repository: Path, tmp_path: Path) -> None:
    before = repository.read_text()
    other = tmp_path / "other.json"
    assert hooks_command("--host", "1.39", "-o", str(other)) == 0
    assert load_required_hooks(other).points == (NEW,)
    assert repository.read_text() == before


def test_a_hook_belongs_to_its_point_and_program_init_to_all() -> None:
    hooks = measure.hooks_at(load_abi(paths.ABI, "1.38"), ExtensionPoint.MATCHER)
    ends = ["matcher_config_destroy", "matcher_config_new", "matcher_match", "program_init"]
    assert hooks == tuple(f"envoy_dynamic_module_on_{end}" for end in ends)


def test_messages_are_the_same_in_every_run() -> None:
    message = "Failed to load /tmp/x/matcher/modules/libstub.so at 0x7f00beef\n"
    assert measure.normalised(message, Path("/tmp/x/matcher")) == "Failed to load …/modules/libstub.so at 0x…"

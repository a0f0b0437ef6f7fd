"""What a control group is told to bound, in folders that look like one; `test_process.py` has real ones."""

from __future__ import annotations

from pathlib import Path

from dmconform.envoy.cgroups import ControlGroup
from dmconform.envoy.usage import Bounds

BOUNDS = Bounds(memory_bytes=1 << 20, tasks=7)


def contents(folder: Path) -> dict[str, str]:
    """The files of a folder with their texts."""
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_kernel_bounds_what_its_controllers_can(tmp_path: Path) -> None:
    for name in ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max"):
        (tmp_path / name).touch()
    ControlGroup(tmp_path).bound(BOUNDS)
    assert contents(tmp_path) == {"memory.max": "1048576", "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "7"}


def test_a_group_without_controllers_bounds_nothing(tmp_path: Path) -> None:
    ControlGroup(tmp_path).bound(BOUNDS)
    assert contents(tmp_path) == {}


def test_what_the_kernel_ended_for_its_memory_is_known(tmp_path: Path) -> None:
    group = ControlGroup(tmp_path)
    assert group.exceeded() is None
    (tmp_path / "memory.events").write_text("low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\noom_group_kill 0\n")
    assert group.exceeded() is None
    (tmp_path / "memory.events").write_text("low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 1\n")
    assert group.exceeded() == "memory"

"""Control groups (version 2): one for each Envoy and all that it starts, where this process may make them.

It travels in archives of cells: it imports nothing that does not.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.envoy.usage import Bounds

_PREFIX: Final = "dmconform-"
_EMPTY_S: Final = 5.0  # until what was killed is gone
_LOOK_S: Final = 0.001


@dataclass(frozen=True)
class ControlGroup:
    """A control group of processes."""

    folder: Path

    def enter(self) -> None:
        """Moves this process into it."""
        (self.folder / "cgroup.procs").write_text("0", encoding="ascii")

    def bound(self, bounds: Bounds) -> None:
        """Has the kernel bound it, as far as the group above lets its controllers through."""
        for name, value in (
            ("memory.max", bounds.memory_bytes),
            ("memory.swap.max", 0),
            ("memory.oom.group", 1),
            ("pids.max", bounds.tasks),
        ):
            with contextlib.suppress(OSError):
                if (self.folder / name).exists():
                    (self.folder / name).write_text(str(value), encoding="ascii")

    def exceeded(self) -> str | None:
        """Returns what the kernel has ended it for; None if it has not."""
        with contextlib.suppress(OSError):
            events = (self.folder / "memory.events").read_text(encoding="ascii").split()
            if any(name == "oom_kill" and int(count) for name, count in zip(events[::2], events[1::2], strict=False)):
                return "memory"
        return None

    def end(self) -> None:
        """Kills all processes in it, and removes it."""
        until = time.monotonic() + _EMPTY_S
        while True:
            with contextlib.suppress(OSError):
                (self.folder / "cgroup.kill").write_text("1", encoding="ascii")
            try:
                self._remove()
            except FileNotFoundError:
                return
            except OSError:  # not empty yet
                if time.monotonic() > until:
                    return
                time.sleep(_LOOK_S)
            else:
                return

    def _remove(self) -> None:
        for place, _, _ in os.walk(self.folder, topdown=False):  # it may have made others below
            Path(place).rmdir()


@dataclass(frozen=True)
class ControlGroups:
    """The place where this process makes control groups."""

    folder: Path

    @classmethod
    def here(cls) -> ControlGroups | None:
        """Returns the place, if a process can be put into a group there, and ended by it; None if not."""
        folder = _own()
        if folder is None:
            return None
        found = cls(folder)
        try:
            group = found.make("trial")
        except OSError:
            return None
        try:
            if (group.folder / "cgroup.kill").exists() and _can_enter(group):
                found.remove_leftovers()
                return found
        finally:
            group.end()
        return None

    def make(self, name: str) -> ControlGroup:
        """Makes a group for what this process starts.

        Raises:
            OSError: it cannot be made.
        """
        folder = self.folder / f"{_PREFIX}{os.getpid()}-{name}"
        folder.mkdir()
        return ControlGroup(folder)

    def remove_leftovers(self) -> None:
        """Ends the groups of processes that were killed before they could."""
        for folder in self.folder.glob(f"{_PREFIX}*-*"):
            pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
            if pid.isdecimal() and not Path("/proc", pid).exists():
                ControlGroup(folder).end()


def end_groups_of(pid: int) -> None:
    """Ends the groups that a process has made, which is in the same group as this one."""
    folder = _own()
    for group in folder.glob(f"{_PREFIX}{pid}-*") if folder is not None else ():
        ControlGroup(group).end()


def _own() -> Path | None:
    """Returns the folder of this process's own control group."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        path = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), None)
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
            before, _, after = line.partition(" - ")
            if path is not None and after.startswith("cgroup2 "):
                root, mounted = before.split()[3:5]
                if Path(path).is_relative_to(root):
                    return Path(mounted) / Path(path).relative_to(root)
    return None


def _can_enter(group: ControlGroup) -> bool:
    child = os.fork()
    if child == 0:
        try:
            group.enter()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0

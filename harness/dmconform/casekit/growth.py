"""How much more a process comes to hold while something happens again and again, and how much more it may."""

from __future__ import annotations

from dataclasses import dataclass

from dmconform.casekit.identity import Held


@dataclass(frozen=True)
class GrowthLimit:
    """How much more a process may hold at the end; None: that is not limited."""

    own_kib: int  # of memory that no file backs
    all_kib: int | None = None  # of all resident memory
    mappings: int | None = None
    files: int | None = None  # descriptors

    def assert_kept(self, before: Held, after: Held, during: str) -> None:
        """Asserts that a process came to hold at most so much more.

        Args:
            before: what it held at first.
            after: what it holds now.
            during: what has happened in between, such as `40 rounds`.
        """
        excess = self.excess(before, after, during)
        assert not excess, excess

    def excess(self, before: Held, after: Held, during: str) -> str:
        """Returns in words what a process holds more than it may, given as in `assert_kept`; empty where all is kept."""
        own, resident = _grown_kib(before, after)
        if self.mappings is not None and after.mappings - before.mappings > self.mappings:
            return (
                f"expected at most {self.mappings} mappings more after {during}, "
                f"there are {after.mappings} instead of {before.mappings}"
            )
        if self.files is not None and after.files - before.files > self.files:
            return (
                f"expected at most {self.files} open files more after {during}, "
                f"there are {after.files} instead of {before.files}"
            )
        if own > self.own_kib:
            return f"expected its own memory to grow by at most {self.own_kib} KiB in {during}, it grew by {own} KiB"
        if self.all_kib is not None and resident > self.all_kib:
            return f"expected all its memory to grow by at most {self.all_kib} KiB in {during}, it grew by {resident} KiB"
        return ""


def growth(before: Held, after: Held) -> str:
    """Returns in words how much more a process holds than before."""
    own, resident = _grown_kib(before, after)
    mapped, files = after.mappings - before.mappings, after.files - before.files
    return f"{mapped} mappings, {own} KiB of its own, {resident} KiB in all, {files} files"


def _grown_kib(before: Held, after: Held) -> tuple[int, int]:
    """Returns by how much memory has grown that no file backs, and by how much all."""
    own, resident = ((now - then) // 1024 for now, then in zip(after.memory, before.memory, strict=True))
    return own, resident

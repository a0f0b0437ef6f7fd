"""Whether a process has a file mapped."""

from __future__ import annotations

from pathlib import Path


def has_mapped(pid: int, path: Path) -> bool:
    """Returns whether it has a file mapped, named by the path that the process knows it by.

    Raises:
        FileNotFoundError, ProcessLookupError: there is no such process any more.
    """
    process = Path(f"/proc/{pid}")
    mapped = (process / "maps").read_text(errors="replace", encoding="utf-8").splitlines()
    # Where the harness is below a changed root and the process in a separate mount namespace, the kernel gives both paths
    # from the real root on.
    reported = (process / "root").readlink() / path.relative_to("/")
    return any(line.removesuffix(" (deleted)").endswith(f" {reported}") for line in mapped)

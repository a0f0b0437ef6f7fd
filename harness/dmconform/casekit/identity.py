"""The answers of the probe's filter `identity` about the library it runs in, and the kernel's about the process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dmconform.envoy.client import Answer
from dmconform.envoy.envoy import Envoy

INITIALISED = "dmconform: initialised"
"""What every probe prints when it is initialised."""


def identity_of(answer: Answer, what: str) -> str:
    """Returns what a probe's `identity` filter answers: `module`, `count` or `global`.

    Raises:
        AssertionError: the answer does not have it.
    """
    header = f"x-dmconform-{what}"
    assert header in answer.headers, f"expected the header {header}, saw {answer}"
    return answer.headers[header]


def mappings(envoy: Envoy) -> list[str]:
    """Returns the lines of the process's table of mappings.

    Raises:
        HostCrashed: the Envoy has ended.
    """
    try:
        return Path(f"/proc/{envoy.take_pid()}/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        envoy.check_alive("while its mappings were read")
        raise


def has_inode_mapped(envoy: Envoy, inode: int) -> bool:
    """Returns whether the process has mapped the file with this inode, which may have lost its name since."""
    return any(fields[4:5] == [str(inode)] for fields in map(str.split, mappings(envoy)))


@dataclass(frozen=True)
class Held:
    """The resources of the machine that a process holds."""

    mappings: int
    files: int  # descriptors
    memory: tuple[int, int]  # resident bytes: those that no file backs, and all


def held(envoy: Envoy) -> Held:
    """Returns what the process of an Envoy holds now.

    Raises:
        HostCrashed: the Envoy has ended.
    """
    mapped = len(mappings(envoy))
    process = Path(f"/proc/{envoy.take_pid()}")
    try:
        status = dict(line.split(":", 1) for line in (process / "status").read_text(encoding="utf-8").splitlines())
        files = len(list((process / "fd").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        envoy.check_alive("while it was asked what it holds")
        raise
    own, resident = (int(status[name].split()[0]) * 1024 for name in ("RssAnon", "VmRSS"))
    return Held(mapped, files, (own, resident))

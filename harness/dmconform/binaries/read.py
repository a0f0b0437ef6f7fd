"""Reads binaries in a separate process, so that no bytes of theirs can crash, hang or fill this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from dmconform.binaries.facts import HostFacts, ModuleFacts, ReachFacts
from dmconform.binaries.kinds import ProblemKind
from dmconform.binaries.messages import ReadAnswer, ReadAs, ReadJob
from dmconform.core.errors import UsageError
from dmconform.core.extension_point import ExtensionPoint, point_of
from dmconform.core.paths import HOSTS_FILE, IMPORT_ROOT
from dmconform.core.timeouts import BINARY_READ_S
from dmconform.hosts.catalogue import load_hosts

# Isolated: neither the user's environment nor the current folder decide what is imported.
_CHILD = (
    sys.executable,
    "-I",
    "-c",
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import dmconform.binaries.child as c; c.main()",
)


def read_module(path: Path) -> ModuleFacts:
    """Reads what a module's file contains. Never raises for what is at `path`: see `ModuleFacts.problem`."""
    return read_modules([path])[0]


def read_modules(paths: Sequence[Path]) -> tuple[ModuleFacts, ...]:
    """Reads what several modules' files contain, in order, with one process."""
    return tuple(
        found.module or ModuleFacts("", 0, found.problem, problem_kind=ProblemKind.UNREADABLE)
        for found in _ask(ReadJob(ReadAs.MODULE, _known_abi_strings()), paths)
    )


def read_host(path: Path, release: str | None = None) -> HostFacts:
    """Reads what an Envoy binary offers to modules; the binary is not run.

    `release` is its release where that is known; else the one in the binary is taken.

    Raises:
        UsageError: it is not an executable for x86-64.
    """
    (found,) = _ask(ReadJob(ReadAs.HOST, _known_abi_strings(), release), [path])
    if found.host is None:
        raise UsageError(f"{path}: not an Envoy executable: {found.problem}")
    return found.host


def exports_of(path: Path) -> frozenset[str]:
    """Reads the symbols that a library defines for others, such as one that is preloaded into the host.

    Raises:
        UsageError: it is not a shared library for x86-64.
    """
    (found,) = _ask(ReadJob(ReadAs.EXPORTS), [path])
    if found.exports is None:
        raise UsageError(f"{path}: not a shared library: {found.problem}")
    return found.exports


def versions_of(libraries: Sequence[Path]) -> tuple[frozenset[str] | None, ...]:
    """Reads the versions that libraries define, in order; None for what is no library, empty for one without versions."""
    return tuple(found.versions for found in _ask(ReadJob(ReadAs.VERSIONS), libraries))


def read_reach(path: Path, module: ModuleFacts, points: Collection[ExtensionPoint] | None) -> ReachFacts:
    """Reads which undefined symbols of a module can be reached where it is used; see `dmconform.binaries.reach`.

    Never raises for what is at `path`: see `ReachFacts.problem`.

    Args:
        path: the module.
        module: what was read of it.
        points: the extension points in use, whose hooks the host calls, besides those that all points share; None: all points.
    """
    hooks = tuple(hook for hook in module.hooks if points is None or point_of(hook) is None or point_of(hook) in points)
    (found,) = _ask(ReadJob(ReadAs.REACH, hooks=hooks, language=module.language), [path])
    return found.reach or ReachFacts(problem=found.problem)


def _known_abi_strings() -> tuple[str, ...]:
    return tuple(sorted({one.abi_version for one in load_hosts(HOSTS_FILE)}))


def _ask(job: ReadJob, paths: Sequence[Path]) -> list[ReadAnswer]:
    """Returns one answer for each path. Where the process does not come back, each path gets a process for itself."""
    answers = _run(job, paths) if paths else []
    if isinstance(answers, str):
        return [ReadAnswer(problem=answers)] if len(paths) == 1 else [one for path in paths for one in _ask(job, [path])]
    return answers


def _run(job: ReadJob, paths: Sequence[Path]) -> list[ReadAnswer] | str:
    """Returns what the process answers, or why it does not."""
    # A file in memory, not a pipe: what is written stays bounded by the child's own bounds, and need not be read along.
    with os.fdopen(os.memfd_create("facts"), "rb") as output, os.fdopen(os.memfd_create("errors"), "rb") as errors:
        try:
            done = subprocess.run(
                [*_CHILD, str(IMPORT_ROOT), msgspec.json.encode(job).decode(), *(os.fspath(path) for path in paths)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                timeout=BINARY_READ_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"expected to be read within {BINARY_READ_S:g} s, it takes longer"
        except (OSError, ValueError) as error:
            return f"expected a file that can be read: {error}"
        if done.returncode < 0:
            killer = signal.Signals(-done.returncode).name
            return f"expected to be read within bounds of time and memory, it ended the reader ({killer})"
        output.seek(0)
        errors.seek(0)
        if done.returncode > 0:
            printed = errors.read(1 << 16).decode(errors="replace").strip()
            return f"the reader could not be run: {printed.splitlines()[-1] if printed else f'exit code {done.returncode}'}"
        return msgspec.json.decode(output.read(), type=list[ReadAnswer])

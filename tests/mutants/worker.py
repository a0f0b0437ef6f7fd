"""What a process of the campaign's pool does: it runs cells, one after the other, for as long as there are any."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.casekit import unloading
from dmconform.core import paths
from dmconform.core.removal import remove_tree
from dmconform.core.timeouts import LOG_LINE_S, UNLOAD_S, WaitFor
from dmconform.envoy import envoy as envoy_module
from dmconform.envoy.upstream import upstream_server
from dmconform.matrix.plan import read_plan
from dmconform.spec.cases import CaseFunction, function_of, load_cases, load_requirements
from dmconform.spec.expectations import load_known_failures

from tests.mutants.trial import Bench, Seen

_CONTROLS: Final = 2  # runs of the control: what differs between them says nothing
_TRIES: Final = 2  # of a cell that could not be run
# Waits that a mutant lets end in vain; what they wait for takes some milliseconds, and the control waits no longer.
_IMPATIENT: Final = (
    (unloading, "UNLOAD_S", WaitFor(3.0, UNLOAD_S.what)),
    (envoy_module, "LOG_LINE_S", WaitFor(2.0, LOG_LINE_S.what)),
)

_ended: Final = contextlib.ExitStack()  # at the end of the process


@dataclass(frozen=True)
class Task:
    """A cell to run: with a mutant, or without one as the control."""

    case: str
    sdk: str
    host: str
    mutant: str | None  # what the interposer is given
    folder: Path | None  # where its evidence stays; None: nowhere


class _Ready:
    bench: Bench


def begin(plan_file: Path, library: Path) -> None:
    """Makes the process ready.

    Args:
        plan_file: the plan, with all SDKs and hosts.
        library: the interposer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the campaign ends the pool
    for module, name, wait in _IMPATIENT:
        setattr(module, name, wait)
    load_cases(paths.CASES, load_requirements(paths.SPEC_FILE))
    port = _ended.enter_context(upstream_server())
    _Ready.bench = Bench(read_plan(plan_file), port, library, load_known_failures(paths.KNOWN_FAILURES_FILE))


def run(task: Task) -> Seen:
    """Runs a cell; the control more than once, so that facts that vary are known."""
    seen = _run_once(task)
    for _ in range(1, _TRIES):
        if seen.is_verdict or seen.is_expected:
            break
        seen = _run_once(task)
    if task.mutant is None:
        for _ in range(1, _CONTROLS):
            other = _run_once(task)
            seen = (seen if seen.is_expected else other).or_again(seen if not seen.is_expected else other)
    return seen


def _run_once(task: Task) -> Seen:
    file, name = function_of(task.case)
    function: CaseFunction = getattr(sys.modules[f"dmconform_cases.{file}"], name)
    if task.folder is not None:
        remove_tree(task.folder)
        task.folder.mkdir(parents=True)
        return _Ready.bench.run(task.case, function, task.sdk, task.host, mutant=task.mutant, folder=task.folder)
    with tempfile.TemporaryDirectory(prefix="dmconform-mutant-") as folder:
        return _Ready.bench.run(task.case, function, task.sdk, task.host, mutant=task.mutant, folder=Path(folder))

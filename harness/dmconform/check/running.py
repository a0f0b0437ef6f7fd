"""Runs a module in all hosts that were asked for, at the extension points of a plan."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dmconform.binaries.facts import ModuleFacts
from dmconform.check.hosts import Candidate
from dmconform.check.judge import WHILE_CONFIGURED
from dmconform.check.observation import Installed, InstalledUse, install, run_uses
from dmconform.check.result import PointRun, RunKind
from dmconform.check.session import Session
from dmconform.check.settings import WantedUse
from dmconform.check.uses import UsePlan
from dmconform.core.errors import UsageError
from dmconform.core.progress import say
from dmconform.core.removal import remove_tree
from dmconform.core.versions import Release

MODULE_LIMIT_BYTES = 1 << 30
COPIES = "modules"
"""The folder with the copies of modules."""
_SCOUT = "tried"  # the folder of runs that show which extension point it takes
_TAKEN = (RunKind.WORKS, RunKind.WORKS_WITH_ERRORS)
_SAYS_NOTHING = (RunKind.REFUSED, RunKind.NO_SUCH_POINT, RunKind.NO_VERDICT)  # of what the module is for


@dataclass(frozen=True)
class CheckJob:
    """A module, how it is to be used in every host, and a folder for its runs."""

    module: Path
    facts: ModuleFacts
    plan: UsePlan
    environment: Mapping[str, str]
    folder: Path

    @property
    def uses(self) -> tuple[WantedUse, ...]:
        """All uses that may be tried."""
        return (*self.plan.uses, *self.plan.next)


@dataclass(frozen=True)
class Ran:
    """A host, and the result of each use there; of none where it is not available."""

    host: Candidate
    runs: tuple[PointRun, ...]


@dataclass(frozen=True)
class RunOutcome:
    """The results of all hosts. `refused` are the extension points that it refused, if others were tried."""

    ran: tuple[Ran, ...]
    uses: tuple[WantedUse, ...]
    refused: tuple[WantedUse, ...] = ()


@dataclass(frozen=True)
class _Place:
    """Where a module is run."""

    session: Session
    job: CheckJob
    folder: Path

    def on_all(self, uses: tuple[WantedUse, ...]) -> tuple[Ran, ...]:
        """Runs some uses on every host."""
        return tuple(
            self.session.pool.all(lambda host: Ran(host, tuple(self._on(host, uses, self.folder))), self.session.hosts)
        )

    def on(self, host: Candidate, use: WantedUse) -> PointRun | None:
        """Runs one use on one host, to see whether the module takes it."""
        (found,) = self.session.pool.all(lambda one: list(self._on(host, (one,), self.folder / _SCOUT)), [use])
        return found[0] if found else None

    def _on(self, host: Candidate, uses: tuple[WantedUse, ...], above: Path) -> Iterator[PointRun]:
        if host.binary is None:
            return
        for wanted in uses:
            if self.session.pool.given_up.is_set():
                return
            folder = above / host.id / wanted.point.value
            environment, port = self.job.environment, self.session.upstream_port
            logs_abi = host.facts.refuses_other_abi is False
            with copied([self.job], host, self.job.folder / COPIES, self.session) as (installed,):
                use = InstalledUse(installed, wanted)
                run = run_uses(host.binary, [use], folder, environment=environment, upstream_port=port, logs_abi=logs_abi)
            yield msgspec.structs.replace(run, evidence=str(folder)) if self.session.kept else run


@contextlib.contextmanager
def copied(jobs: Sequence[CheckJob], host: Candidate, folder: Path, session: Session) -> Iterator[list[Installed]]:
    """Yields copies of modules for one Envoy: what a module does to its copy concerns no other. They go, or stay as evidence.

    Args:
        jobs: the modules.
        host: whose Envoy it is.
        folder: for the copies on all hosts.
        session: the place.

    Raises:
        HarnessError: there is no room for a copy.
    """
    place = folder / host.id
    names = set(session.static_modules)
    installed: list[Installed] = []
    try:
        for job in jobs:
            installed.append(install(job.module, job.facts, place, names))
            names.add(installed[-1].name)
        yield installed
    finally:
        if not session.kept:
            remove_tree(place)


def run_everywhere(job: CheckJob, session: Session) -> RunOutcome:
    """Runs a module on the hosts of a session.

    Where it refuses the only extension point of the plan on every host, the others are tried on one of them, and the first that
    it takes there is tried on all.

    Args:
        job: the module, what its file says, and the uses to run.
        session: the hosts, and the place.

    Returns:
        What was observed on each host, in their order, and at which extension points.

    Raises:
        UsageError: the module is too large.
        HarnessError: there is no room for a copy of the module.
    """
    size = job.module.stat().st_size
    if size > MODULE_LIMIT_BYTES:
        raise UsageError(
            f"{job.module}: {size} bytes; expected at most {MODULE_LIMIT_BYTES} to run it (--no-run only reads it)"
        )
    place = _Place(session, job, job.folder)
    ran = place.on_all(job.plan.uses)
    scout = _that_refuses(ran) if job.plan.next else None
    if scout is None:
        return RunOutcome(ran, job.plan.uses)
    say(f"the module refuses {job.plan.uses[0].point.value}: trying {len(job.plan.next)} other extension points")
    for number, use in enumerate(job.plan.next):
        run = place.on(scout, use)
        if run is not None and run.kind in _TAKEN:
            return RunOutcome(place.on_all((use,)), (use,), (*job.plan.uses, *job.plan.next[:number]))
    return RunOutcome(ran, job.plan.uses, (*job.plan.uses, *job.plan.next))


def _that_refuses(ran: Sequence[Ran]) -> Candidate | None:
    """Returns the newest host, if the module refuses its only use on every host that came so far."""
    runs = [(one.host, run) for one in ran for run in one.runs if run.kind not in _SAYS_NOTHING]
    refused = [host for host, run in runs if run.kind in WHILE_CONFIGURED]
    return max(refused, key=lambda host: Release.parse(host.release)) if refused and len(refused) == len(runs) else None

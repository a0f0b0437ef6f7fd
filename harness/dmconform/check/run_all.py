"""All that a check runs: each of its modules on each of its hosts, and all of them together. Here, or in a sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dmconform.check.hosts import Candidate
from dmconform.check.result import PointRun
from dmconform.check.running import CheckJob, RunOutcome, run_everywhere
from dmconform.check.session import session
from dmconform.check.together import run_together
from dmconform.core.progress import say

WITH_YOUR_RIGHTS = "on this machine, with your rights"


@dataclass(frozen=True)
class RunOrder:
    """What is to be run.

    Args:
        jobs: one for each module; None for one that is not run.
        hosts: those that were obtained.
        folder: for copies, configurations and logs.
        kept: whether the folder stays.
        together: whether all modules are loaded into one Envoy as well.
    """

    jobs: tuple[CheckJob | None, ...]
    hosts: tuple[Candidate, ...]
    folder: Path
    kept: bool
    together: bool

    @property
    def to_run(self) -> tuple[CheckJob, ...]:
        """The modules that are run."""
        return tuple(job for job in self.jobs if job is not None)

    @property
    def binaries(self) -> tuple[Path, ...]:
        """The Envoys that are on this machine."""
        return tuple(host.binary for host in self.hosts if host.binary is not None)

    @property
    def attempts(self) -> int:
        """How many Envoys are started at most."""
        hosts = len(self.binaries)
        alone = sum(hosts * len(job.plan.uses) + (len(job.plan.next) + hosts if job.plan.next else 0) for job in self.to_run)
        return alone + (hosts if self.together else 0)

    def announce(self, isolation: object | None) -> None:
        """Says whose code is run, and how: in a sandbox, or with the rights of whoever called."""
        how = WITH_YOUR_RIGHTS if isolation is None else f"isolated by {isolation}"
        for job in self.to_run:
            envoys = len(self.binaries) * len(job.plan.uses)
            say(f"running the code of {job.module.name} {how}: {envoys} Envoys (--no-run does not)")


@dataclass(frozen=True)
class AllRan:
    """What was observed: of each module, and of all in one Envoy, for each host; nothing where that was not done."""

    outcomes: tuple[RunOutcome | None, ...]
    together: tuple[PointRun | None, ...] = ()


def run_all(order: RunOrder) -> AllRan:
    """Runs modules in Envoys, in this process's surroundings.

    Raises:
        UsageError: a module is too large.
        HarnessError: there is no room for a copy of a module.
    """
    with session(order.hosts, order.folder, kept=order.kept) as place:
        outcomes = [None if job is None else run_everywhere(job, place) for job in order.jobs]
        ran = [one for one in outcomes if one is not None]
        return AllRan(tuple(outcomes), run_together(order.to_run, ran, place) if order.together else ())

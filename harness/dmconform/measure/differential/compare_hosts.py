"""A whole differential test: modules of several minors on several hosts, compared, with records applied."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dmconform.abi.types import Abi
from dmconform.core.values import Relation
from dmconform.core.versions import Minor
from dmconform.measure.differential.calls import (
    CLIENT,
    MODULE,
    Caller,
    EnvoyJob,
    Gathered,
    Side,
    Target,
    in_parallel,
    jobs_of,
)
from dmconform.measure.differential.coverage import Coverage, coverage
from dmconform.measure.differential.differences import (
    CallbackDifference,
    RepeatedRuns,
    compare,
    is_unstable,
    jobs_that_differ,
    merged,
)
from dmconform.measure.differential.generate import CallPlan, module_source, plan_calls
from dmconform.measure.differential.known import KnownDifference, record_for, stale
from dmconform.measure.differential.rules import Rules
from dmconform.measure.differential.upstream import observing_server
from dmconform.spec.promise import pair_relation

COMPILER_FLAGS: Final = ("-O0", "-D_GNU_SOURCE")
OWN_RUNS: Final = 2  # on the own minor, so that values that change from run to run are known
_LOOKS: Final = 3  # further looks at what differs, on both hosts

Compile = Callable[[Mapping[str, bytes]], Path]
"""Makes one library of C sources and gives its path."""


@dataclass(frozen=True)
class WantedRuns:
    """The runs to compare: the modules of a minor on its own host and on others."""

    abi: Abi
    own: Target
    others: tuple[Target, ...] = ()


@dataclass(frozen=True)
class Judged:
    """A difference and the id of its record."""

    difference: CallbackDifference
    record: str | None


@dataclass(frozen=True)
class ComparedHosts:
    """The module of a minor on a host, compared with what it does on its own minor; or, with `sides`, with that host itself.

    Then it is on the upstream side what is compared with the downstream side.
    """

    abi: str
    host: str
    relation: Relation
    callbacks: int  # that were called there
    calls: int  # results that were compared
    unstable: int  # values of which only the presence was compared
    differences: tuple[Judged, ...]
    stale: tuple[str, ...] = ()  # records that do not apply
    problems: tuple[str, ...] = ()
    is_own: bool = False  # the host that the others are compared with
    sides: bool = False

    @property
    def unrecorded(self) -> tuple[CallbackDifference, ...]:
        """The differences without a record."""
        return tuple(one.difference for one in self.differences if one.record is None)


@dataclass(frozen=True)
class DifferentialTest:
    """The result of a differential test."""

    pairs: tuple[ComparedHosts, ...]
    coverages: tuple[Coverage, ...]
    duration_s: float

    @property
    def broken(self) -> bool:
        """Whether a supported host differs without a record, or a record no longer applies."""
        return any(pair.stale or (pair.unrecorded and pair.relation is Relation.SUPPORTED) for pair in self.pairs)

    @property
    def incomplete(self) -> bool:
        """Whether something could not be judged."""
        return any(pair.problems for pair in self.pairs)


Runs = dict[str, dict[EnvoyJob, list[Gathered]]]
"""By host and job, what each run gave."""


def compare_hosts(
    wanted: Sequence[WantedRuns],
    rules: Rules,
    known: Sequence[KnownDifference],
    probes: Mapping[str, Collection[str]],
    build: Compile,
    folder: Path,
    say: Callable[[str], None],
) -> DifferentialTest:
    """Runs the module of a minor on its own host and on others, and compares the results.

    Args:
        wanted: for each minor its ABI, its own host and the other hosts.
        rules: which callbacks are called, where, and with which arguments.
        known: the records of known differences.
        probes: by minor, the short names of the callbacks that built probes use.
        build: makes a shared library of C source.
        folder: where each Envoy's files go.
        say: takes a line about the progress now and then.

    Raises:
        HarnessError: a module cannot be compiled.
    """
    started = time.monotonic()
    with observing_server() as port:
        compared = [_Minor(one, rules, known, build, folder, port) for one in wanted]
        first = [work for minor in compared for work in minor.first_runs()]
        say(f"starting {len(first)} Envoys")
        in_parallel(first)
        for _ in range(_LOOKS):
            again = [work for minor in compared for work in minor.further_runs()]
            if again:
                say(f"another look at what differs: {len(again)} Envoys")
            in_parallel(again)
    return DifferentialTest(
        tuple(pair for minor in compared for pair in minor.pairs()),
        tuple(minor.coverage(probes.get(minor.minor, ())) for minor in compared),
        time.monotonic() - started,
    )


class _Minor:
    """The differential test of one minor's module."""

    def __init__(
        self, wanted: WantedRuns, rules: Rules, known: Sequence[KnownDifference], build: Compile, folder: Path, port: int
    ) -> None:
        self.minor = wanted.abi.envoy
        self._wanted = wanted
        self._known = known
        self._varying = rules.varying
        self._plan: CallPlan = plan_calls(wanted.abi, rules)
        self._jobs = jobs_of(self._plan, wanted.own.minor)
        self._runs: Runs = {target.host: {job: [] for job in self._jobs} for target in (wanted.own, *wanted.others)}
        if self._jobs:
            library = build({f"{MODULE}.c": module_source(self._plan, rules).encode()})
            self._sweeper = Caller(self._plan, library, folder / self.minor, port)

    def first_runs(self) -> list[Callable[[], None]]:
        """Runs the jobs for the first time: on the own host several times, on others mostly once."""
        targets = (self._wanted.own, *self._wanted.others)
        return [self._run(target, job) for target in targets for job in self._jobs for _ in range(self._times(target, job))]

    def _times(self, target: Target, job: EnvoyJob) -> int:
        """Returns how often a job is run first: on each host whose sides are compared as often as on the own host."""
        if target is self._wanted.own or (job.side and target in self._of_own_minor):
            return OWN_RUNS
        return 0 if job.side is Side.DOWNSTREAM else 1

    def further_runs(self) -> list[Callable[[], None]]:
        """Runs again, on both hosts, the jobs that gave something else."""
        again: dict[tuple[str, EnvoyJob], Target] = {}
        own = self._seen(self._wanted.own)
        for other in self._wanted.others:
            for job in jobs_that_differ(own, self._seen(other), self._varying):
                again[self._wanted.own.host, job] = self._wanted.own
                again[other.host, job] = other
        return [self._run(target, job) for (_, job), target in again.items()]

    def _run(self, target: Target, job: EnvoyJob) -> Callable[[], None]:
        def work() -> None:
            self._runs[target.host][job].append(self._sweeper.run(target, job))

        return work

    def _seen(self, target: Target) -> dict[EnvoyJob, RepeatedRuns]:
        return {job: RepeatedRuns.of(runs) for job, runs in self._runs[target.host].items() if runs}

    def pairs(self) -> list[ComparedHosts]:
        """Returns the own host, then the others; then the two sides of each host of the own minor."""
        own = self._seen(self._wanted.own)
        hosts = [self._pair(target, own) for target in (self._wanted.own, *self._wanted.others)]
        return [*hosts, *(self._pair_of_sides(target) for target in self._of_own_minor if self._sides)]

    @property
    def _of_own_minor(self) -> tuple[Target, ...]:
        """The hosts of the module's own minor."""
        own = self._wanted.own
        return (own, *(target for target in self._wanted.others if target.minor == own.minor))

    @property
    def _sides(self) -> tuple[tuple[EnvoyJob, EnvoyJob], ...]:
        """The jobs on the upstream side, each with the same on the downstream side."""
        return tuple((job, replace(job, side=Side.DOWNSTREAM)) for job in self._jobs if job.side is Side.UPSTREAM)

    def _pair(self, target: Target, own: Mapping[EnvoyJob, RepeatedRuns]) -> ComparedHosts:
        seen = {job: runs for job, runs in self._seen(target).items() if job.side is not Side.DOWNSTREAM}
        is_own = target is self._wanted.own
        found = () if is_own else merged(one for job in seen for one in compare(job, own[job], seen[job], self._varying))
        return replace(self._compared(target, seen, found, sides=False), problems=self._problems(target), is_own=is_own)

    def _pair_of_sides(self, target: Target) -> ComparedHosts:
        every = self._seen(target)
        seen = {job: every[job] for job, _ in self._sides}
        found = merged(one for job, down in self._sides for one in compare(job, every[down], every[job], self._varying))
        return self._compared(target, seen, found, sides=True)

    def _compared(
        self, target: Target, seen: Mapping[EnvoyJob, RepeatedRuns], found: Sequence[CallbackDifference], *, sides: bool
    ) -> ComparedHosts:
        """Returns what was compared on a host, with the records of what was found."""
        known = [record for record in self._known if record.sides is sides]
        records = [record_for(known, self.minor, target.host, one) for one in found]
        is_compared = sides or target is not self._wanted.own
        return ComparedHosts(
            self.minor,
            target.host,
            pair_relation(Minor.parse(self.minor), target.minor),
            len({key.callback for one in seen.values() for key in one.values if key.callback != CLIENT}),
            sum(len(one.values) for one in seen.values()),
            sum(is_unstable(values) for one in seen.values() for words in one.values.values() for values in words.values()),
            tuple(Judged(one, record.id if record else None) for one, record in zip(found, records, strict=True)),
            stale(known, self.minor, target.host, found) if is_compared else (),
            sides=sides,
        )

    def _problems(self, target: Target) -> tuple[str, ...]:
        """Returns jobs without a result each time; on other hosts, a refusal is a difference and not a problem."""
        found = []
        for job, runs in self._runs[target.host].items():
            if runs and all(run.problem for run in runs) and not (runs[-1].refused and target is not self._wanted.own):
                what = f"{job.point.value}, {job.alone.callback}" if job.alone else job.point.value
                side = f", {job.side.value}" if job.side else ""
                found.append(f"{what}{side}: {runs[-1].problem}")
        return tuple(found)

    def coverage(self, probes: Collection[str]) -> Coverage:
        """Returns the coverage by what was run on the own host."""
        return coverage(self._plan, {job: runs[0] for job, runs in self._runs[self._wanted.own.host].items() if runs}, probes)

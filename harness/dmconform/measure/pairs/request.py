"""From the command line to pairs: which pairs on which hosts, compared with what is on record."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.abi.loading import load_every_abi
from dmconform.core import paths
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.nearest import unknown
from dmconform.core.progress import say
from dmconform.core.versions import Minor
from dmconform.hosts.selection import select_hosts
from dmconform.matrix.prepare import fetch_hosts, lazy_engine
from dmconform.measure.differential.calls import Target
from dmconform.measure.differential.compare_hosts import COMPILER_FLAGS
from dmconform.measure.differential.request import RULES
from dmconform.measure.differential.rules import fits, load_rules
from dmconform.measure.differential.upstream import observing_server
from dmconform.measure.pairs.generate import pairs_source
from dmconform.measure.pairs.plan import Pair, PairPlan, plan_pairs, why_not
from dmconform.measure.pairs.record import (
    PairChange,
    PairRecord,
    as_json,
    changes,
    expected_of,
    kept,
    load_record,
    not_run,
    record_of,
    with_hooks,
)
from dmconform.measure.pairs.result import NOTHING_EXPECTED, HostPairs, PairEnd
from dmconform.measure.pairs.rules import load_pair_rules
from dmconform.measure.pairs.run import PairRunner, Work, at_once
from dmconform.measure.pairs.scenes import MODULE
from dmconform.measure.pairs.threads import UpdateRun, load_threads, update_runs
from dmconform.sdks.builder import Toolchain
from dmconform.sdks.generated import compile_c
from dmconform.spec.catalogue import load_catalogue

PAIRS: Final = paths.CONFORMANCE / "pairs"
PAIR_RULES: Final = PAIRS / "rules.toml"
THREADS_FILE: Final = PAIRS / "threads.toml"
UPDATES_EACH: Final = 3  # which thread lets go of a configuration last may be a race
_SEED: Final = 7


@dataclass(frozen=True)
class PairRequest:
    """The request of a command line; globs are over short names. Without hosts, the default ones whose ABI has signatures."""

    hosts: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    sample: int | None = None
    afresh: bool = False  # nothing on record saves an Envoy

    @property
    def whole(self) -> bool:
        """Whether all pairs are wanted."""
        return not (self.points or self.hooks) and self.whole_hooks

    @property
    def whole_hooks(self) -> bool:
        """Whether all pairs of each hook are wanted that has any."""
        return not (self.first or self.then or self.sample is not None)


@dataclass(frozen=True)
class ComparedPairs:
    """The pairs of a host, compared with what is on record."""

    host: str
    plan: PairPlan
    wanted: int  # pairs
    due: int  # those of them whose extension point a configuration reaches
    found: HostPairs
    record: PairRecord
    changes: tuple[PairChange, ...]
    not_run: tuple[str, ...]  # what could not be run, a line for each
    out_of_reach: tuple[str, ...]  # extension points that no configuration reaches, with the reason
    duration_s: float

    @property
    def blocked(self) -> bool:
        """Whether something could not be run that must not be put on record as if nothing were there to see."""
        ends = (result.end for result in self.found.results.values())
        return bool(self.found.problems) or PairEnd.BLOCKED in ends or len(self.found.results) < self.due


def run_pairs(request: PairRequest, folder: Path, records: Path = PAIRS) -> tuple[ComparedPairs, ...]:
    """Runs the requested pairs; `folder` is for the Envoys' files, `records` has what is on record.

    Raises:
        UsageError: a host is not known, or nothing is selected.
        DataFileError: a data file has a mistake.
        HarnessError: a host, or the compiler, is not available.
    """
    abis = load_every_abi()
    arguments = load_rules(RULES, abis.values())
    rules = load_pair_rules(PAIR_RULES, abis.values())
    catalogue = load_catalogue()
    cache = paths.cache_folder()
    usual = [
        host.release
        for host in catalogue.hosts
        if host.default and (abi := abis.get(str(host.version.minor))) and any(each.has_signature for each in abi.functions)
    ]
    made: list[ComparedPairs] = []
    with lazy_engine(cache) as engine, observing_server() as port:
        selected = select_hosts(request.hosts or tuple(usual), catalogue.hosts)
        plans: dict[str, tuple[PairPlan, Path]] = {}
        for one in fetch_hosts(selected, catalogue.hosts, engine, cache):
            if one.problem:
                raise HarnessError(one.problem)
            minor = str(one.host.release.minor)
            if minor not in abis:
                raise UsageError(unknown("minor", minor, abis, more="there is no ABI data of it"))
            if minor not in plans:
                plan = plan_pairs(abis[minor], arguments, rules)
                toolchain: Callable[[], Toolchain] = engine.toolchain
                source = {f"{MODULE}.c": pairs_source(plan, arguments).encode()}
                plans[minor] = plan, compile_c(MODULE, source, cache, toolchain, COMPILER_FLAGS)
            plan, library = plans[minor]
            target = Target(one.host.id, Minor.parse(minor), Path(one.host.binary))
            made.append(_on_host(request, plan, library, target, folder, port, records))
    return tuple(made)


def _on_host(
    request: PairRequest, plan: PairPlan, library: Path, target: Target, folder: Path, port: int, records: Path
) -> ComparedPairs:
    started = time.monotonic()
    wanted = select_pairs(plan, request)
    record = load_record(records / f"{target.host}.json")
    expected = NOTHING_EXPECTED if request.afresh else expected_of(record)
    runner = PairRunner(plan, library, target, folder, port, expected=expected)
    work = runner.runs(wanted)
    if request.whole:
        again = [update_runs(plan, library, target, folder / f"updates-{one}", port) for one in range(UPDATES_EACH)]
        work += [_update(run, runner.found) for runs in again for run in runs]
    say(f"{target.host}: {len(wanted)} pairs")
    at_once(work, lambda text: say(f"{target.host}: {text}"))
    table = load_threads(THREADS_FILE, [plan.abi, *load_every_abi().values()])
    found = runner.found
    now = record_of(target.host, plan, found, found.threads.wrong(table))
    out_of_reach = _out_of_reach(plan, wanted, target.minor)
    due = [pair for pair in wanted if plan.point(pair.hook) not in out_of_reach]
    lines = tuple(f"{point.value}: {text}" for point, text in out_of_reach.items())
    return ComparedPairs(
        target.host,
        plan,
        len(wanted),
        len(due),
        found,
        now,
        changes(record, now, found, request.whole),
        (*not_run(record, found, due), *(() if due else lines)),
        lines,
        time.monotonic() - started,
    )


def _out_of_reach(plan: PairPlan, wanted: Iterable[Pair], minor: Minor) -> dict[ExtensionPoint, str]:
    """Returns how many pairs are of extension points that no configuration reaches, and why, by extension point."""
    counts = Counter(point for pair in wanted if (point := plan.point(pair.hook)) is not None)
    reasons = {point: why_not(point, minor) for point in counts}
    return {point: f"{counts[point]} pairs: {reason}" for point, reason in reasons.items() if reason is not None}


def _update(run: Callable[[], UpdateRun], found: HostPairs) -> Work:
    def work() -> tuple[()]:
        done = run()
        found.envoys += 1
        if done.problem:
            found.problems.append(f"{done.point.value}, {done.replaced.value}: {done.problem}")
        found.threads.note(done.seen.threads, done.replaced.value)
        return ()

    return work


def select_pairs(plan: PairPlan, request: PairRequest) -> tuple[Pair, ...]:
    """Returns the pairs of a plan that are wanted.

    Raises:
        UsageError: none is.
    """

    def is_wanted(pair: Pair) -> bool:
        point = plan.point(pair.hook)
        return (
            (not request.points or (point is not None and point.value in request.points))
            and (not request.first or fits(pair.first or "-", *request.first))
            and (not request.then or fits(pair.then, *request.then))
            and (not request.hooks or fits(pair.hook, *request.hooks))
        )

    wanted = [pair for pair in plan.pairs if is_wanted(pair)]
    if not wanted:
        raise UsageError(f"the selection has no pair of {plan.abi.envoy}; dmconform pairs --help has examples")
    if request.sample is not None and request.sample < len(wanted):
        wanted = sorted(random.Random(_SEED).sample(wanted, request.sample))  # the same ones each time
    return tuple(wanted)


def write_records(compared: Sequence[ComparedPairs], records: Path = PAIRS) -> None:
    """Writes what was seen as what is on record; of some hooks in the place of theirs, where all are on record.

    A host of which something could not be run keeps what it has.
    """
    for one in compared:
        file = records / f"{one.host}.json"
        before = load_record(file)
        if one.blocked:
            continue
        if one.wanted == len(one.plan.pairs) or before is None:
            now = kept(before, one.record)
        else:
            minor = Minor.parse(one.plan.abi.envoy)
            due = [each for each in one.plan.pairs if (at := one.plan.point(each.hook)) and why_not(at, minor) is None]
            now = with_hooks(before, one.record, one.found, one.plan, due)
        file.write_text(as_json(now), encoding="utf-8")

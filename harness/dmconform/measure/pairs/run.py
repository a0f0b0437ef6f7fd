"""Runs pairs in Envoys: those that end or redirect anything in an Envoy each, of the others one for each request.

What does not plainly return in company is run again alone, and what ends or hangs an Envoy is run once more.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.threads import thread_pool
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.shapes import SHAPES, available, why_unreachable
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, ModuleUse
from dmconform.measure.differential.calls import Target
from dmconform.measure.pairs.drive import drive_pairs
from dmconform.measure.pairs.generate import SCRIPT_VARIABLE
from dmconform.measure.pairs.lines import Nested, Seen, read_pairs
from dmconform.measure.pairs.plan import VIEWS, Pair, PairPlan
from dmconform.measure.pairs.rules import ClusterBehind, Scene

MODULE: Final = "dmconform_pairs"
IN_COMPANY: Final = 60  # pairs that one Envoy is asked for, one after another
PATIENCE_S: Final = 0.6
LONGER_PATIENCE_S: Final = 3.0
THREADS: Final = 6  # Envoys at once: most of their time they wait


def _empty(draft: Draft) -> None:
    if "load_assignment" in draft.upstream:
        draft.upstream["load_assignment"]["endpoints"] = []


def _refuses(draft: Draft) -> None:
    if "load_assignment" in draft.upstream:
        endpoint = draft.upstream["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"]["socket_address"]["port_value"] = _CLOSED_PORT


_CLOSED_PORT: Final = 1  # below what is given out, and no service that is in use
_ALTERED: Final[Mapping[ClusterBehind, Callable[[Draft], None]]] = {
    ClusterBehind.EMPTY: _empty,
    ClusterBehind.REFUSES: _refuses,
}


class PairEnd(enum.Enum):
    """How a pair ended."""

    RETURNED = "returned"
    ENDS = "ends Envoy"
    SOMETIMES = "ends Envoy sometimes"
    HANGS = "hangs Envoy"
    REFUSED = "the host refuses the module"
    NOT_REACHED = "its hook was not reached"
    WITHOUT = "nothing gave a handle that it needs"
    MISSING = "the host does not export it"
    BLOCKED = "could not run"


@dataclass(frozen=True)
class PairResult:
    """The result of a pair: how it ended, with details; what the client saw; what the host said."""

    end: PairEnd
    detail: str = ""
    client: str = ""
    alarms: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()  # hooks that got a destroyed object, because of this pair
    values: tuple[str, ...] = ()  # what the last call gave
    changed: tuple[str, ...] = ()  # getters whose views the pair has changed


@dataclass
class HostPairs:
    """All that was seen on a host."""

    results: dict[Pair, PairResult] = field(default_factory=dict)
    nested: set[Nested] = field(default_factory=set)
    threads: dict[str, set[str]] = field(default_factory=dict)
    wrong: dict[str, set[str]] = field(default_factory=dict)
    """Hooks on another thread than they must be, with that thread and what was replaced at the time, if anything was."""
    problems: list[str] = field(default_factory=list)
    """Updates that came to nothing."""
    envoys: int = 0

    def add(self, seen: Seen) -> None:
        """Takes what does not belong to one pair."""
        self.envoys += 1
        self.nested |= seen.nested
        for hook, names in seen.threads.items():
            self.threads.setdefault(hook, set()).update(names)


@dataclass(frozen=True)
class _Job:
    point: ExtensionPoint
    scene: Scene
    pairs: tuple[Pair, ...]


class PairRunner:
    """A runner of the pairs of one plan on one host."""

    def __init__(
        self,
        plan: PairPlan,
        library: Path,
        target: Target,
        folder: Path,
        upstream_port: int,
        extra: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Prepares the runs.

        Args:
            plan: the pairs.
            library: the compiled module of the plan.
            target: the host.
            folder: for the Envoys' files.
            upstream_port: a loopback port with an upstream that answers.
            extra: variables of every Envoy.
        """
        self._extra = extra
        self._plan = plan
        self._library = library
        self._target = target
        self._folder = folder
        self._port = upstream_port
        self._count = 0
        self._lock = threading.Lock()
        self.found = HostPairs()

    def runs(self, wanted: Iterable[Pair]) -> list[Callable[[], None]]:
        """Returns the work for these pairs, in pieces that may be done at the same time."""
        groups: dict[tuple[ExtensionPoint, str, str], list[Pair]] = {}
        alone: list[_Job] = []
        for pair in wanted:
            point = self._plan.point(pair.hook)
            if point is None or why_unreachable(point) is not None or not available(point, self._target.minor):
                continue
            scene = self._plan.rules.scene_named(pair.scene, pair.hook)
            if self._plan.ends(pair) or pair.iterator is not None:
                alone.append(_Job(point, scene, (pair,)))
            else:
                groups.setdefault((point, pair.hook, f"{pair.scene}/{pair.first == VIEWS}"), []).append(pair)
        jobs = [
            _Job(point, self._plan.rules.scene_named(pairs[0].scene, hook), tuple(pairs))
            for (point, hook, _), pairs in groups.items()
        ]
        return [self._work(job) for job in (*jobs, *alone)]

    def _work(self, job: _Job) -> Callable[[], None]:
        return lambda: self._alone(job) if len(job.pairs) == 1 else self._together(job)

    def _keep(self, pair: Pair, result: PairResult) -> None:
        with self._lock:
            self.found.results[pair] = result

    def _together(self, job: _Job) -> None:
        """Runs pairs one after another; what does not plainly return runs alone."""
        left = list(job.pairs)
        size = IN_COMPANY
        while left:
            some = tuple(left[:size])
            tried, seen, saw = self._attempt(job, some, PATIENCE_S)
            if tried.ended is AttemptEnd.REFUSED:
                for pair in left:
                    self._keep(pair, PairResult(PairEnd.REFUSED, tried.message))
                return
            fine = tried.ended is AttemptEnd.WORKED
            begun = [number for number in seen.begun if number < len(some)]
            suspects = set() if fine else {some[begun[-1]]} if begun else {some[0]}
            if fine and seen.gone:
                suspects = {some[number] for number in begun}
            if not begun and (fine or tried.ended is AttemptEnd.HUNG):
                for pair in left:
                    self._keep(pair, PairResult(PairEnd.NOT_REACHED))
                return
            for number in begun:
                pair = some[number]
                if pair not in suspects:
                    self._keep(pair, self._result(pair, seen, saw[number] if number < len(saw) else ""))
            for pair in suspects:
                self._alone(_Job(job.point, job.scene, (pair,)))
            finished = {some[number] for number in begun} | suspects
            left = [pair for pair in left if pair not in finished]
            size = max(1, len(finished)) if fine else size

    def _alone(self, job: _Job) -> None:
        """Runs a pair in a separate Envoy, and once more if it did not plainly return."""
        pair = job.pairs[0]
        first = self._once(job, PATIENCE_S)
        if first.end in (PairEnd.ENDS, PairEnd.HANGS, PairEnd.BLOCKED, PairEnd.NOT_REACHED):
            again = self._once(job, LONGER_PATIENCE_S)
            self._keep(pair, _both(first, again))
        else:
            self._keep(pair, first)

    def _once(self, job: _Job, patience_s: float) -> PairResult:
        pair = job.pairs[0]
        tried, seen, saw = self._attempt(job, job.pairs, patience_s)
        client = saw[0] if saw else ""
        match tried.ended:
            case AttemptEnd.CRASHED:
                return PairResult(PairEnd.ENDS, _how(tried, seen), client, gone=_gone(seen), alarms=_alarms(seen))
            case AttemptEnd.HUNG if not seen.begun and not pair.hook.startswith("cluster_"):
                return PairResult(PairEnd.NOT_REACHED)  # what was to lead there holds all requests
            case AttemptEnd.HUNG:
                return PairResult(PairEnd.HANGS, tried.message, client, gone=_gone(seen), alarms=_alarms(seen))
            case AttemptEnd.REFUSED:
                return PairResult(PairEnd.REFUSED, tried.message)
            case AttemptEnd.BLOCKED | AttemptEnd.NO_WAY:
                return PairResult(PairEnd.BLOCKED, tried.message)
            case _:
                return self._result(pair, seen, client) if seen.begun else PairResult(PairEnd.NOT_REACHED)

    def _result(self, pair: Pair, seen: Seen, client: str) -> PairResult:
        for call in pair.calls:
            if call in seen.calls.missing:
                return PairResult(PairEnd.MISSING, call)
            if (pair.hook, call) in seen.calls.without and not any(
                (key.hook, key.callback) == (pair.hook, call) for key in seen.calls.results
            ):
                return PairResult(PairEnd.WITHOUT, f"{call}: {seen.calls.without[pair.hook, call]}")
        values = next(
            (words for key, words in seen.calls.results.items() if (key.hook, key.callback) == (pair.hook, pair.then)), ()
        )
        alarms = _alarms(seen)
        if len(seen.begun) > 1:  # in company, only those that came with its own call
            alarms = tuple(one for one in alarms if f" {pair.then} in {pair.hook}: " in one)
        changed = tuple(
            sorted(
                getter
                for hook, callback, getter in seen.changed
                if (hook, callback) == (pair.hook, pair.then) and not self._plan.rules.may_change(callback, getter)
            )
            if pair.first == VIEWS
            else ()
        )
        return PairResult(PairEnd.RETURNED, "", client, alarms, _gone(seen), values[:3], changed)

    def _attempt(self, job: _Job, pairs: tuple[Pair, ...], patience_s: float) -> tuple[Attempt, Seen, list[str]]:
        with self._lock:
            self._count += 1
            folder = self._folder / f"{self._target.host}-{self._count:05}"
        saw: list[str] = []
        serves = job.scene.cluster is ClusterBehind.SERVES
        accepted = [False]

        def look(envoy: Envoy) -> None:
            if envoy.first_update.accepted:
                accepted[0] = True
                saw.extend(drive_pairs(envoy, SHAPES[job.point].drive, job.scene.drive, len(pairs), patience_s, serves))

        per_route = "route" if job.point is ExtensionPoint.HTTP_FILTER else None
        tried = attempt(
            self._target.binary,
            ModuleUse(job.point, ModuleRef(MODULE), "pairs", per_route=per_route),
            folder,
            search_path=self._library.parent,
            environment={**self._extra, SCRIPT_VARIABLE: self._plan.script(job.scene, pairs)},
            upstream_port=self._port,
            drive=False,
            alter=_ALTERED.get(job.scene.cluster),
            look=look,
        )
        seen = read_pairs(tried.log)
        with self._lock:
            self.found.add(seen)
        if tried.ended is AttemptEnd.NOT_DRIVEN:
            tried = Attempt(AttemptEnd.WORKED, tried.phase, "", tried.log, (), tried.exit_code)
        elif tried.ended is AttemptEnd.REFUSED and accepted[0]:
            tried = Attempt(AttemptEnd.REFUSED, tried.phase, tried.message, tried.log, (), tried.exit_code)
        return tried, seen, saw


def _alarms(seen: Seen) -> tuple[str, ...]:
    return tuple(f"{where}: {what}" for where, what in seen.alarms)


def _gone(seen: Seen) -> tuple[str, ...]:
    return tuple(sorted(hook if call == "-" else f"{hook} in {call}" for hook, call in seen.gone))


def _how(tried: Attempt, seen: Seen) -> str:
    """Returns how an Envoy ended: by which signal, and in which call or after which."""
    signal = tried.message.removeprefix("Envoy was killed by ").split(" ")[0] if "killed by" in tried.message else tried.message
    unfinished = seen.calls.unfinished
    if unfinished is not None:
        return f"{signal} in {unfinished.callback}"
    return f"{signal} in {seen.open_hook}" if seen.open_hook else f"{signal} later"


_WORSE: Final = (PairEnd.ENDS, PairEnd.HANGS)


def _both(first: PairResult, again: PairResult) -> PairResult:
    """Returns one result of two."""
    if first.end is again.end:
        return again
    worse = next((one for one in (first, again) if one.end in _WORSE), None)
    if worse is None:
        return again
    if worse.end is PairEnd.ENDS:
        return PairResult(PairEnd.SOMETIMES, worse.detail, worse.client, worse.alarms, worse.gone)
    return again  # a hang that does not come again is a busy machine's


def at_once(work: Sequence[Callable[[], None]], say: Callable[[str], None]) -> None:
    """Does all of it, several at once, and reports progress."""
    with thread_pool(THREADS, "pairs") as pool:
        for number, done in enumerate([pool.submit(one) for one in work], 1):
            done.result()
            if number % 500 == 0:
                say(f"{number} of {len(work)}")

"""Runs pairs in Envoys: those that end or redirect anything in an Envoy each, the others in company.

What does not plainly return in company is run again alone, and so is what is on record as such. What ends or hangs an Envoy
alone is run once more, unless that is on record. Where a hook is not reached, that holds for all pairs that would come there in
the same way: what leads there does not depend on them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from types import MappingProxyType
from typing import Final, Protocol

from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.removal import remove_tree
from dmconform.core.threads import thread_pool
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.shapes import SHAPES
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, ModuleUse
from dmconform.measure.differential.calls import Target
from dmconform.measure.pairs.drive import Driven, drive_pairs
from dmconform.measure.pairs.generate import SCRIPT_VARIABLE
from dmconform.measure.pairs.lines import Seen, read_pairs
from dmconform.measure.pairs.packs import packed
from dmconform.measure.pairs.plan import VIEWS, Pair, PairPlan, why_not
from dmconform.measure.pairs.result import NOTHING_EXPECTED, Expected, HostPairs, PairEnd, PairResult, PairWay
from dmconform.measure.pairs.rules import ClusterBehind, Scene
from dmconform.measure.pairs.scenes import MODULE, others_of, set_scene, variables_of

PATIENCE_S: Final = 0.6
LONGER_PATIENCE_S: Final = 3.0
THREADS: Final = 12  # Envoys at once: most of their time they wait


@dataclass
class _Group:
    """The pairs of one hook that is reached in one way."""

    way: PairWay
    point: ExtensionPoint
    scene: Scene
    company: list[Pair] = field(default_factory=list)
    views: list[Pair] = field(default_factory=list)
    alone: list[Pair] = field(default_factory=list)


class Work(Protocol):
    """A piece of work; returns what is to be done once it is done."""

    def __call__(self) -> Sequence[Work]:
        """Does it."""


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
        expected: Expected = NOTHING_EXPECTED,
    ) -> None:
        """Prepares the runs.

        Args:
            plan: the pairs.
            library: the compiled module of the plan.
            target: the host.
            folder: for the Envoys' files.
            upstream_port: a loopback port with an upstream that answers.
            extra: variables of every Envoy.
            expected: what is on record.
        """
        self._extra = extra
        self._plan = plan
        self._library = library
        self._target = target
        self._folder = folder
        self._port = upstream_port
        self._expected = expected
        self._count = 0
        self._lock = threading.Lock()
        self.found = HostPairs()

    def runs(self, wanted: Iterable[Pair]) -> list[Work]:
        """Returns the work for these pairs, in pieces that may be done at the same time."""
        groups: dict[PairWay, _Group] = {}
        for pair in wanted:
            point = self._plan.point(pair.hook)
            if point is None or why_not(point, self._target.minor) is not None:
                continue
            way = PairWay.of(pair)
            if way not in groups:
                groups[way] = _Group(way, point, self._plan.rules.scene_named(pair.scene, pair.hook))
            if self._plan.ends(pair) or pair.iterator is not None or pair in self._expected.alone:
                groups[way].alone.append(pair)
                continue
            if (pair.hook, pair.then) in self._expected.nests:
                groups[way].alone.append(pair)  # as well: which hooks run inside a call may depend on what came before
            if pair.first == VIEWS:
                groups[way].views.append(pair)
            else:
                groups[way].company.append(pair)
        longest = sorted(groups.values(), key=lambda group: -len(group.company) - len(group.views))
        return [partial(self._reach, group) for group in longest]

    def _reach(self, group: _Group) -> Sequence[Work]:
        """Runs some pairs of a group; returns the work for the others, unless its hook is not reached whatever they are."""
        if group.company or group.views:
            pairs = group.company or group.views
            reached = self._together(group, pairs)
            alone, views = group.alone, group.views if pairs is group.company else []
        else:
            first, *alone = group.alone
            self._alone(group, first)
            reached = self.found.results[first].end is not PairEnd.NOT_REACHED
            views = []
        if not reached:
            for pair in (*views, *alone):
                self._keep(pair, PairResult(PairEnd.NOT_REACHED))
            return ()
        work: list[Work] = [partial(self._alone, group, pair) for pair in alone]
        return [*([partial(self._views, group)] if views else []), *work]

    def _views(self, group: _Group) -> Sequence[Work]:
        self._together(group, group.views)
        return ()

    def _keep(self, pair: Pair, result: PairResult) -> None:
        with self._lock:
            self.found.results[pair] = result

    def _together(self, group: _Group, pairs: Sequence[Pair]) -> bool:
        """Runs pairs in company; what does not plainly return runs alone. Returns whether their hook is reached."""
        left = list(pairs)
        runs: int | None = None  # of the hook in one Envoy
        patience_s = PATIENCE_S
        while left:
            known = group.way in self._expected.unreached
            packs = [left[:1]] if known and runs is None else packed(left, runs, self._plan.reads)
            some = [pair for pack in packs for pair in pack]
            tried, seen, saw = self._attempt(group, packs, patience_s)
            if tried.ended is AttemptEnd.REFUSED:
                for pair in left:
                    self._keep(pair, PairResult(PairEnd.REFUSED, tried.message))
                return True
            fine = tried.ended is AttemptEnd.WORKED
            begun = [number for number in seen.begun if number < len(some)]
            if not begun and (fine or tried.ended is AttemptEnd.HUNG):
                if fine and not known and patience_s == PATIENCE_S:
                    patience_s = LONGER_PATIENCE_S  # once more
                    continue
                for pair in left:
                    self._keep(pair, PairResult(PairEnd.NOT_REACHED))
                return not (fine or known)  # what holds all requests may depend on the pair
            answers = [number for number, pack in enumerate(packs) for _ in pack]
            for number in begun:
                client = saw[answers[number]] if answers[number] < len(saw) else ""
                self._keep(some[number], self._result(some[number], seen, client))
            ran = {some[number] for number in begun} or {some[0]}
            again = {pair for pair in ran if len(some) > 1 and (_nests(seen, pair) or self.found.results[pair].alarms)}
            if not fine:
                last = some[begun[-1]] if begun else some[0]
                self._alone(group, last)
                if self.found.results[last].end not in _NOT_LIVED:
                    again |= ran  # it was none of its own doing
                again -= {last}
            for pair in ran if seen.gone else again:
                self._alone(group, pair)
            left = [pair for pair in left if pair not in ran]
            runs = max(1, len({answers[number] for number in begun})) if fine else runs
        return True

    def _alone(self, group: _Group, pair: Pair) -> Sequence[Work]:
        """Runs a pair in a separate Envoy, and once more if it does not plainly return, nor end as it is on record."""
        first = self._once(group, pair, PATIENCE_S)
        if self._is_end_new(pair, first) or self._is_alarm_new(pair, first):
            self._keep(pair, _both(first, self._once(group, pair, LONGER_PATIENCE_S)))
        else:
            self._keep(pair, first)
        return ()

    def _is_end_new(self, pair: Pair, result: PairResult) -> bool:
        """Returns whether a pair ended in a way that is not on record, or not in one that comes each time."""
        known = self._expected.ends.get(pair)
        return result.end is not known and (result.end in _TWICE or known in _WORSE)

    def _is_alarm_new(self, pair: Pair, result: PairResult) -> bool:
        """Returns whether a pair raised an alarm that is not on record, or did not raise one that comes each time."""
        known = self._expected.alarmed.get(pair)
        return bool(result.alarms) if known is None else known and not result.alarms

    def _once(self, group: _Group, pair: Pair, patience_s: float) -> PairResult:
        tried, seen, saw = self._attempt(group, [[pair]], patience_s)
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

    def _attempt(self, group: _Group, packs: Sequence[Sequence[Pair]], patience_s: float) -> tuple[Attempt, Seen, list[str]]:
        with self._lock:
            self._count += 1
            folder = self._folder / f"{self._target.host}-{self._count:05}"
        saw: list[str] = []
        serves = group.scene.cluster in (ClusterBehind.SERVES, ClusterBehind.TRAILERS)
        accepted = [False]
        drafts: list[Draft] = []

        def alter(draft: Draft) -> None:
            set_scene(group.scene, draft)
            drafts.append(draft)

        def look(envoy: Envoy) -> None:
            if envoy.first_update.accepted:
                accepted[0] = True
                driven = Driven(envoy, drafts[0], group.scene.drive, patience_s, serves)
                saw.extend(drive_pairs(driven, SHAPES[group.point].drive, len(packs)))

        per_route = "route" if group.point is ExtensionPoint.HTTP_FILTER else None
        tried = attempt(
            self._target.binary,
            ModuleUse(group.point, ModuleRef(MODULE), "pairs", per_route=per_route),
            folder,
            others=others_of(group.scene),
            search_path=self._library.parent,
            environment={
                **self._extra,
                **variables_of(group.scene, folder),
                SCRIPT_VARIABLE: self._plan.script(group.scene, packs),
            },
            upstream_port=self._port,
            drive=False,
            alter=alter,
            look=look,
        )
        remove_tree(folder)  # before it is on the disk
        seen = read_pairs(tried.log)
        with self._lock:
            self.found.add(seen)
        if tried.ended is AttemptEnd.NOT_DRIVEN:
            tried = Attempt(AttemptEnd.WORKED, tried.phase, "", tried.log, (), tried.exit_code)
        elif tried.ended is AttemptEnd.REFUSED and accepted[0]:
            tried = Attempt(AttemptEnd.REFUSED, tried.phase, tried.message, tried.log, (), tried.exit_code)
        return tried, seen, saw


def _nests(seen: Seen, pair: Pair) -> bool:
    """Returns whether a hook ran inside the last call of a pair."""
    return any((one.hook, one.callback) == (pair.hook, pair.then) for one in seen.nested)


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
_NOT_LIVED: Final = (*_WORSE, PairEnd.SOMETIMES)
_TWICE: Final = (*_WORSE, PairEnd.BLOCKED, PairEnd.NOT_REACHED)


def _both(first: PairResult, again: PairResult) -> PairResult:
    """Returns one result of two."""
    always = tuple(one for one in again.alarms if one in first.alarms)
    sometimes = tuple(one for one in dict.fromkeys((*first.alarms, *again.alarms)) if one not in always)
    return replace(_one_end(first, again), alarms=always, alarms_sometimes=sometimes)


def _one_end(first: PairResult, again: PairResult) -> PairResult:
    if first.end is again.end:
        return again
    worse = next((one for one in (first, again) if one.end in _WORSE), None)
    if worse is not None and worse.end is PairEnd.ENDS:
        return replace(worse, end=PairEnd.SOMETIMES)
    return again  # a hang that does not come again is a busy machine's


def at_once(work: Iterable[Work], say: Callable[[str], None]) -> None:
    """Does all of it and what it brings, several at once, and reports progress."""
    ready: SimpleQueue[Future[Sequence[Work]]] = SimpleQueue()
    with thread_pool(THREADS, "pairs") as pool:

        def begin(some: Iterable[Work]) -> int:
            begun = [pool.submit(one) for one in some]
            for one in begun:
                one.add_done_callback(ready.put)
            return len(begun)

        done, known = 0, begin(work)
        while done < known:
            known += begin(ready.get().result())
            done += 1
            if done % 1000 == 0:
                say(f"{done} of {known} pieces of work")

"""What is on record of the pairs of a host, `conformance/pairs/RELEASE.json`, and how a run compares with it.

The record holds what did not plainly return, with all its pairs, and of the rest how many there are.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from dmconform.core.datafile import load_json
from dmconform.core.extension_point import ExtensionPoint
from dmconform.measure.pairs.lines import Nested
from dmconform.measure.pairs.plan import Pair, PairPlan
from dmconform.measure.pairs.result import NOTHING_EXPECTED, Expected, HostPairs, PairEnd, PairResult, PairWay
from dmconform.measure.pairs.threads import WrongThread

SCHEMA_VERSION: Final = 2
NOTED: Final = (PairEnd.ENDS, PairEnd.SOMETIMES, PairEnd.HANGS, PairEnd.REFUSED, PairEnd.MISSING, PairEnd.WITHOUT)
"""The ends that are kept with all their pairs. What could not run is never on record."""
Nestings = dict[str, dict[str, tuple[str, ...]]]
_NUMBERS: Final = re.compile(r"\d+")


class Noted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Pairs of one hook and one first call that ended alike; `detail` has the signal and the call, or the host's own words."""

    end: str
    hook: str
    then: tuple[str, ...]
    first: str = ""
    detail: str = ""
    scene: str = ""

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs, one by one."""
        return tuple(Pair(self.hook, self.first, then, self.scene) for then in self.then)


class PointCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many pairs an extension point has, by how they ended."""

    pairs: int
    ends: dict[str, int]


class PairRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The record of a host.

    `nested` has by hook and by callback called there the hooks that ran inside that call, each time or, for some, in some runs:
    what is in the pools of connections may matter. `gone` and `alarms` are like `noted`: hooks that got a destroyed object, and
    lines of the host's own alarm.
    """

    schema_version: int
    host: str
    abi: str
    points: dict[str, PointCount]
    noted: tuple[Noted, ...]
    alarms: tuple[Noted, ...]
    gone: tuple[Noted, ...]
    views: tuple[Noted, ...]  # by the getter whose view was changed
    nested: Nestings
    nested_sometimes: Nestings
    not_reached: tuple[str, ...]  # hooks, and `HOOK (SCENE)` where a further way does not lead there
    clients: dict[str, dict[str, dict[str, int]]]  # by hook and first call, what clients saw and how often
    threads: dict[str, tuple[str, ...]]
    wrong_threads: tuple[WrongThread, ...]

    @property
    def nestings(self) -> frozenset[Nested]:
        """The same as `nested`, one by one."""
        return _one_by_one(self.nested)

    @property
    def nestings_sometimes(self) -> frozenset[Nested]:
        """The same as `nested_sometimes`, one by one."""
        return _one_by_one(self.nested_sometimes)


def _one_by_one(nested: Nestings) -> frozenset[Nested]:
    found = ((hook, call, inner) for hook, calls in nested.items() for call, hooks in calls.items() for inner in hooks)
    return frozenset(Nested(*one) for one in found)


def by_hook(nestings: Iterable[Nested]) -> Nestings:
    """Returns nestings as a record has them."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in sorted(nestings):
        found[one.hook][one.callback].append(one.inner)
    return {hook: {call: tuple(inner) for call, inner in calls.items()} for hook, calls in found.items()}


def load_record(path: Path) -> PairRecord | None:
    """Returns a record; None where there is none.

    Raises:
        DataFileError: it is not of its format.
    """
    return load_json(path, PairRecord) if path.exists() else None


def expected_of(record: PairRecord | None) -> Expected:
    """Returns what a run takes from a record."""
    if record is None:
        return NOTHING_EXPECTED
    ends = {pair: PairEnd(note.end) for note in record.noted for pair in note.pairs if note.end in _ENDS_OF_ENVOYS}
    alarmed = {pair: note.end == ALARM for note in record.alarms for pair in note.pairs}
    gone = (pair for note in record.gone for pair in note.pairs)
    nests = frozenset((one.hook, one.callback) for one in record.nestings | record.nestings_sometimes)
    ways = (one.partition(" (") for one in record.not_reached)
    unreached = frozenset(PairWay(hook, rest.removesuffix(")")) for hook, _, rest in ways)
    return Expected(ends, frozenset((*ends, *alarmed, *gone)), alarmed, nests, unreached)


_ENDS_OF_ENVOYS: Final = frozenset(end.value for end in (PairEnd.ENDS, PairEnd.SOMETIMES, PairEnd.HANGS))


def record_of(host: str, plan: PairPlan, found: HostPairs, wrong: tuple[WrongThread, ...] = ()) -> PairRecord:
    """Returns what is kept of a run over all pairs.

    Args:
        host: which one.
        plan: the pairs.
        found: the run.
        wrong: the hooks that were on another thread than they must be.
    """
    ends: dict[str, Counter[str]] = defaultdict(Counter)
    clients: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for pair, result in found.results.items():
        point = plan.point(pair.hook)
        ends[point.value if isinstance(point, ExtensionPoint) else ""][result.end.value] += 1
        if pair.first and result.client:
            clients[pair.hook][pair.first][result.client] += 1
    return PairRecord(
        SCHEMA_VERSION,
        host,
        plan.abi.envoy,
        {point: PointCount(sum(counts.values()), dict(sorted(counts.items()))) for point, counts in sorted(ends.items())},
        _grouped(found.results, lambda result: [(result.end.value, result.detail)] if result.end in NOTED else []),
        _grouped(found.results, _alarms_of),
        _grouped(found.results, lambda result: [("gone", one) for one in result.gone]),
        _grouped(found.results, lambda result: [("changed", one) for one in result.changed]),
        by_hook(found.nested),
        {},
        tuple(map(str, sorted(_unreached(found)))),
        {
            hook: {first: dict(sorted(saw.items())) for first, saw in sorted(all_.items())}
            for hook, all_ in sorted(clients.items())
        },
        found.threads.kinds(),
        wrong,
    )


def _unreached(found: HostPairs) -> set[PairWay]:
    reached = {PairWay.of(pair) for pair, result in found.results.items() if result.end is not PairEnd.NOT_REACHED}
    return {PairWay.of(pair) for pair in found.results} - reached


def not_run(record: PairRecord | None, found: HostPairs, wanted: Collection[Pair]) -> tuple[str, ...]:
    """Returns what could not be run, and runs as it is on record; a line for each.

    Args:
        record: what is on record; None where nothing is: then each hook is expected to be reached.
        found: the run.
        wanted: the pairs that were to be run.
    """
    known = expected_of(record).unreached
    without = {pair for note in (record.noted if record else ()) if note.end == PairEnd.WITHOUT.value for pair in note.pairs}
    lines = []
    missed: Counter[PairWay] = Counter()
    for pair, result in sorted(found.results.items()):
        if result.end is PairEnd.BLOCKED or (result.end is PairEnd.WITHOUT and pair not in without):
            lines.append(f"{pair}: {result.detail}")
        elif result.end is PairEnd.NOT_REACHED and PairWay.of(pair) not in known:
            missed[PairWay.of(pair)] += 1
    lines += [f"{way}: {PairEnd.NOT_REACHED.value}: {count} pairs" for way, count in sorted(missed.items())]
    left = Counter(pair.hook for pair in wanted if pair not in found.results)
    lines += [f"{hook}: {count} pairs have no result" for hook, count in sorted(left.items())]
    return (*lines, *found.problems)


ALARM: Final = "alarm"
ALARM_SOMETIMES: Final = "alarm sometimes"


def _alarms_of(result: PairResult) -> list[tuple[str, str]]:
    always = dict.fromkeys((ALARM, _plain(one)) for one in result.alarms)
    return [
        *always,
        *((ALARM_SOMETIMES, what) for one in result.alarms_sometimes if (ALARM, what := _plain(one)) not in always),
    ]


def _plain(alarm: str) -> str:
    """Returns an alarm without what varies: where it came is known by the pair."""
    return _NUMBERS.sub("N", alarm.partition(": ")[2])


def _grouped(results: Mapping[Pair, PairResult], of: Callable[[PairResult], Iterable[tuple[str, str]]]) -> tuple[Noted, ...]:
    groups: dict[tuple[str, str, str, str, str], set[str]] = defaultdict(set)
    for pair, result in results.items():
        for end, detail in of(result):
            groups[end, pair.hook, pair.first, detail, pair.scene].add(pair.then)
    return tuple(
        Noted(end, hook, tuple(sorted(then)), first, detail, scene)
        for (end, hook, first, detail, scene), then in sorted(groups.items())
    )


class PairChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is not as it is on record: `is_new`, or no longer seen."""

    what: str  # as in `Noted.end`, or `nested`
    pair: str  # `FIRST THEN HOOK`; for `nested`: `HOOK CALLBACK INNER`
    detail: str
    is_new: bool


_ALIKE: Final = {PairEnd.SOMETIMES.value: PairEnd.ENDS.value, ALARM_SOMETIMES: ALARM}


def changes(record: PairRecord | None, now: PairRecord, found: HostPairs, whole: bool) -> tuple[PairChange, ...]:
    """Returns what is new and what is gone, of the pairs that were run.

    Args:
        record: what is on record; None where nothing is: then all is new.
        now: what was seen, in the same form.
        found: the run.
        whole: whether all pairs were run: only then a nesting that was not seen is gone.
    """
    run = {str(pair) for pair in found.results}
    before = _flat((*record.noted, *record.alarms, *record.gone, *record.views) if record else ())
    after = _flat((*now.noted, *now.alarms, *now.gone, *now.views))
    sometimes = {
        (_ALIKE[note.end], str(pair))
        for note in ((*record.noted, *record.alarms) if record else ())
        if note.end in _ALIKE
        for pair in note.pairs
    }
    made = [PairChange(what, pair, detail, True) for (what, pair), detail in after.items() if (what, pair) not in before]
    made += [
        PairChange(what, pair, detail, False)
        for (what, pair), detail in before.items()
        if pair in run and (what, pair) not in after and (what, pair) not in sometimes
    ]
    made += _threads(record, now, found)
    known = record.nestings if record else frozenset[Nested]()
    loose = record.nestings_sometimes if record else frozenset[Nested]()
    made += [_nesting(one, True) for one in sorted(now.nestings - known - loose)]
    if whole:
        made += [_nesting(one, False) for one in sorted(known - now.nestings)]
    return tuple(made)


def _threads(record: PairRecord | None, now: PairRecord, found: HostPairs) -> list[PairChange]:
    """Returns what is new, and what was so each time and is gone.

    Which thread lets go of a configuration last may be a race: then it is on record without `each_time`, and may not be seen.
    """
    before = {(one.hook, str(one)): one for one in (record.wrong_threads if record else ())}
    after = {(one.hook, str(one)) for one in now.wrong_threads}
    new = [PairChange("thread", hook, how, True) for hook, how in sorted(after - before.keys())]
    ran = found.threads.ran
    gone = [key for key, one in sorted(before.items()) if one.each_time and key not in after and ran[one.hook, one.replaced]]
    return [*new, *(PairChange("thread", hook, how, False) for hook, how in gone)]


def kept(before: PairRecord | None, now: PairRecord) -> PairRecord:
    """Returns what is put on record after a run: what was seen, and of threads and nestings also what is seen in some runs."""
    known = {(one.hook, str(one)): one for one in (before.wrong_threads if before else ())}
    seen = {(one.hook, str(one)): one for one in now.wrong_threads}
    threads = [
        msgspec.structs.replace(one, each_time=one.each_time and (key not in known or known[key].each_time))
        for key, one in seen.items()
    ]
    threads += [one for key, one in known.items() if key not in seen and not one.each_time]
    loose = before.nestings_sometimes if before else frozenset[Nested]()
    return msgspec.structs.replace(
        now,
        wrong_threads=tuple(sorted(threads)),
        nested=by_hook(now.nestings - loose),
        nested_sometimes=by_hook(loose),
    )


def with_hooks(before: PairRecord, now: PairRecord, found: HostPairs, plan: PairPlan, due: Collection[Pair]) -> PairRecord:
    """Returns what is on record of a host, with what a run over all pairs of some hooks has seen in the place of theirs.

    Args:
        before: what is on record.
        now: what was seen, in the same form.
        found: the run.
        plan: all pairs.
        due: those of them whose extension point a configuration reaches.
    """
    hooks = {pair.hook for pair in found.results}

    def noted(old: tuple[Noted, ...], new: tuple[Noted, ...]) -> tuple[Noted, ...]:
        return tuple(sorted((*(one for one in old if one.hook not in hooks), *new), key=_order))

    ways = expected_of(before).unreached
    unreached = {way for way in ways if way.hook not in hooks} | expected_of(now).unreached
    clients = {hook: saw for hook, saw in before.clients.items() if hook not in hooks}
    wrong = {(one.hook, str(one)): one for one in (*now.wrong_threads, *before.wrong_threads)}
    threads: dict[str, set[str]] = defaultdict(set)
    for hook, kinds in (*before.threads.items(), *now.threads.items()):
        threads[hook].update(kinds)
    made = msgspec.structs.replace(
        before,
        noted=noted(before.noted, now.noted),
        alarms=noted(before.alarms, now.alarms),
        gone=noted(before.gone, now.gone),
        views=noted(before.views, now.views),
        nested=by_hook((before.nestings | now.nestings) - before.nestings_sometimes),
        not_reached=tuple(map(str, sorted(unreached))),
        clients=dict(sorted({**clients, **now.clients}.items())),
        threads={hook: tuple(sorted(kinds)) for hook, kinds in sorted(threads.items())},
        wrong_threads=tuple(sorted(wrong.values())),
    )
    return msgspec.structs.replace(made, points={**before.points, **_counted(made, plan, due, now.points)})


def _counted(record: PairRecord, plan: PairPlan, due: Collection[Pair], points: Collection[str]) -> dict[str, PointCount]:
    """Returns how many pairs some extension points have, by how they ended: what is not noted and was reached has returned."""
    ends = {pair: note.end for note in record.noted for pair in note.pairs}
    unreached = expected_of(record).unreached
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for pair in due:
        point = plan.point(pair.hook)
        if point is not None and point.value in points:
            lost = PairEnd.NOT_REACHED if PairWay.of(pair) in unreached else PairEnd.RETURNED
            counts[point.value][ends.get(pair, lost.value)] += 1
    return {point: PointCount(sum(one.values()), dict(sorted(one.items()))) for point, one in counts.items()}


def _order(note: Noted) -> tuple[str, str, str, str, str]:
    return note.end, note.hook, note.first, note.detail, note.scene


def _nesting(one: Nested, is_new: bool) -> PairChange:
    return PairChange("nested", f"{one.hook} {one.callback} {one.inner}", "", is_new)


def _flat(notes: Iterable[Noted]) -> dict[tuple[str, str], str]:
    return {
        (_ALIKE.get(note.end, note.end), str(pair)): note.detail
        for note in notes
        if note.end != PairEnd.WITHOUT.value  # whether another pair gives the handle first is chance; see `not_run`
        for pair in note.pairs
    }


def as_json(record: PairRecord) -> str:
    """Returns the text of the file: one line for each entry."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1).decode() + "\n"

"""What is on record of the pairs of a host, `conformance/pairs/RELEASE.json`, and how a run compares with it.

The record holds what did not plainly return, with all its pairs, and of the rest how many there are.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from dmconform.core.datafile import load_json
from dmconform.core.extension_point import ExtensionPoint
from dmconform.measure.pairs.lines import Nested
from dmconform.measure.pairs.plan import Pair, PairPlan
from dmconform.measure.pairs.run import HostPairs, PairEnd, PairResult
from dmconform.measure.pairs.threads import thread_kind

SCHEMA_VERSION: Final = 1
NOTED: Final = (PairEnd.ENDS, PairEnd.SOMETIMES, PairEnd.HANGS, PairEnd.REFUSED, PairEnd.MISSING, PairEnd.BLOCKED)
"""The ends that are kept with all their pairs."""
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

    `nested` has by hook and by callback called there the hooks that ran inside that call. `gone` and `alarms` are like
    `noted`: hooks that got a destroyed object, and lines of the host's own alarm.
    """

    schema_version: int
    host: str
    abi: str
    points: dict[str, PointCount]
    noted: tuple[Noted, ...]
    alarms: tuple[Noted, ...]
    gone: tuple[Noted, ...]
    views: tuple[Noted, ...]  # by the getter whose view was changed
    nested: dict[str, dict[str, tuple[str, ...]]]
    not_reached: tuple[str, ...]  # hooks
    clients: dict[str, dict[str, dict[str, int]]]  # by hook and first call, what clients saw and how often
    threads: dict[str, tuple[str, ...]]
    wrong_threads: dict[str, tuple[str, ...]]  # by hook, and what was replaced at the time, if anything was

    @property
    def nestings(self) -> frozenset[Nested]:
        """The same as `nested`, one by one."""
        return frozenset(
            Nested(hook, call, inner) for hook, calls in self.nested.items() for call, hooks in calls.items() for inner in hooks
        )


def load_record(path: Path) -> PairRecord | None:
    """Returns a record; None where there is none.

    Raises:
        DataFileError: it is not of its format.
    """
    return load_json(path, PairRecord) if path.exists() else None


def record_of(host: str, plan: PairPlan, found: HostPairs) -> PairRecord:
    """Returns what is kept of a run over all pairs."""
    ends: dict[str, Counter[str]] = defaultdict(Counter)
    clients: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for pair, result in found.results.items():
        point = plan.point(pair.hook)
        ends[point.value if isinstance(point, ExtensionPoint) else ""][result.end.value] += 1
        if pair.first and result.client:
            clients[pair.hook][pair.first][result.client] += 1
    nested: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in sorted(found.nested):
        nested[one.hook][one.callback].append(one.inner)
    reached = {pair.hook for pair, result in found.results.items() if result.end is not PairEnd.NOT_REACHED}
    return PairRecord(
        SCHEMA_VERSION,
        host,
        plan.abi.envoy,
        {point: PointCount(sum(counts.values()), dict(sorted(counts.items()))) for point, counts in sorted(ends.items())},
        _grouped(found.results, lambda result: [(result.end.value, result.detail)] if result.end in NOTED else []),
        _grouped(found.results, lambda result: [("alarm", _plain(one)) for one in result.alarms]),
        _grouped(found.results, lambda result: [("gone", one) for one in result.gone]),
        _grouped(found.results, lambda result: [("changed", one) for one in result.changed]),
        {hook: {call: tuple(inner) for call, inner in calls.items()} for hook, calls in nested.items()},
        tuple(sorted({pair.hook for pair in found.results} - reached)),
        {
            hook: {first: dict(sorted(saw.items())) for first, saw in sorted(all_.items())}
            for hook, all_ in sorted(clients.items())
        },
        {hook: tuple(sorted(set(map(thread_kind, names)))) for hook, names in sorted(found.threads.items())},
        {hook: tuple(sorted(how)) for hook, how in sorted(found.wrong.items())},
    )


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


_ALIKE: Final = {PairEnd.SOMETIMES.value: PairEnd.ENDS.value}


def changes(record: PairRecord | None, now: PairRecord, found: HostPairs, whole: bool) -> tuple[PairChange, ...]:
    """Returns what is new and what is gone, of the pairs that were run.

    Args:
        record: what is on record; None where nothing is: then all is new.
        now: what was seen, in the same form.
        found: the run.
        whole: whether all pairs were run: only then a nesting that was not seen is gone.
    """
    run = {str(pair) for pair in found.results}
    before = _flat(record.noted + record.alarms + record.gone + record.views if record else ())
    after = _flat(now.noted + now.alarms + now.gone + now.views)
    sometimes = {key for key, (end, _) in _raw(record.noted if record else ()).items() if end == PairEnd.SOMETIMES.value}
    made = [PairChange(what, pair, after[what, pair], True) for what, pair in after if (what, pair) not in before]
    made += [
        PairChange(what, pair, detail, False)
        for (what, pair), detail in before.items()
        if pair in run and (what, pair) not in after and pair not in sometimes
    ]
    made += _threads(record, now)
    known = record.nestings if record else frozenset[Nested]()
    made += [_nesting(one, True) for one in sorted(now.nestings - known)]
    if whole:
        made += [_nesting(one, False) for one in sorted(known - now.nestings)]
    return tuple(made)


def _threads(record: PairRecord | None, now: PairRecord) -> list[PairChange]:
    """Returns what is new alone: which thread lets go of a configuration last is a race, so that one may not be seen."""
    before = {(hook, how) for hook, all_ in (record.wrong_threads if record else {}).items() for how in all_}
    after = {(hook, how) for hook, all_ in now.wrong_threads.items() for how in all_}
    return [PairChange("thread", hook, how, True) for hook, how in sorted(after - before)]


def _nesting(one: Nested, is_new: bool) -> PairChange:
    return PairChange("nested", f"{one.hook} {one.callback} {one.inner}", "", is_new)


def _raw(notes: Iterable[Noted]) -> dict[str, tuple[str, str]]:
    return {str(pair): (note.end, note.detail) for note in notes for pair in note.pairs}


def _flat(notes: Iterable[Noted]) -> dict[tuple[str, str], str]:
    return {(_ALIKE.get(note.end, note.end), str(pair)): note.detail for note in notes for pair in note.pairs}


def as_json(record: PairRecord) -> str:
    """Returns the text of the file: one line for each entry."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1).decode() + "\n"

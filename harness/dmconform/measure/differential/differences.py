"""Compares what the calls of a differential test gave on two hosts: what differs every time, by callback."""

from __future__ import annotations

import enum
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dmconform.measure.differential.calls import EnvoyJob, Gathered
from dmconform.measure.differential.lines import Key
from dmconform.measure.differential.rules import fits

_EMPTY: Final = frozenset(("null", "0", "false", "0:", "0/0", "none"))
_NUMBERS: Final = re.compile(r"[0-9a-f]{4,}|[0-9]+")


class DifferenceKind(enum.Enum):
    """The way in which a callback differs from the minor that the module was built for."""

    CHANGED = "gives something else"
    ENDS = "ends the host"
    REFUSED = "cannot be called: the host refuses the module"
    LIVES = "no longer ends the host"
    MISSING = "is missing"
    NOT_CALLED = "is not called: its hook or handle is not there"
    NEW_CALL = "is called where it was not"


@dataclass(frozen=True)
class CallbackDifference:
    """One callback (short name) that differs on a host, with all the ways in which it does.

    Where the host refuses the module at an extension point, `callback` is that point in parentheses.
    """

    callback: str
    kind: DifferenceKind
    hooks: tuple[str, ...]
    changes: tuple[str, ...]


Words = Mapping[str, frozenset[str]]
"""By the name of a return value or out-parameter, the values that it had in several runs."""


@dataclass(frozen=True)
class RepeatedRuns:
    """The results of several runs of the same job on the same host.

    `values` has the calls that every run made; `sometimes` those that only some made.
    """

    values: Mapping[Key, Words]
    sometimes: frozenset[Key]
    ends: Mapping[tuple[str, str], str]  # (hook, callback)
    missing: frozenset[str]
    refused: str = ""  # the host's message, if it takes no module at this extension point

    @classmethod
    def of(cls, runs: Sequence[Gathered]) -> RepeatedRuns:
        """Puts runs together."""
        each = [run.reported.results for run in runs]
        always = set(each[0]).intersection(*each[1:])
        values = {key: _union(results[key] for results in each) for key in each[0] if key in always}
        ends: dict[tuple[str, str], str] = {}
        for run in runs:
            ends |= run.ends
        missing = frozenset[str]().union(*(run.reported.missing for run in runs))
        refused = runs[-1].problem if all(run.refused for run in runs) else ""
        return cls(values, frozenset(set[Key]().union(*each) - always), ends, missing, refused)


def _union(results: Iterable[tuple[str, ...]]) -> Words:
    values: dict[str, set[str]] = defaultdict(set)
    for words in results:
        for word in words:
            name, _, value = word.partition("=")
            values[name].add(value)
    return {name: frozenset(found) for name, found in values.items()}


def is_unstable(values: frozenset[str]) -> bool:
    """Returns whether a value changes from run to run on one host: then only its shape is compared, or whether there is one."""
    return len(values) > 1


def _differ(own: frozenset[str], other: frozenset[str], varies: bool) -> bool:
    if not varies and not is_unstable(own) and not is_unstable(other):
        return own != other
    shapes = [frozenset(map(_shape, values)) for values in (own, other)]
    if not varies and not any(map(is_unstable, shapes)):
        return shapes[0] != shapes[1]
    return _presence(own).isdisjoint(_presence(other))


def _shape(value: str) -> str:
    """Returns a value without its numbers and ids: an address with a port looks like another one, and unlike one without."""
    return value if value in _EMPTY else _NUMBERS.sub("#", value)


def _presence(values: frozenset[str]) -> frozenset[bool]:
    return frozenset(value not in _EMPTY for value in values)


def compare(
    job: EnvoyJob, own: RepeatedRuns, other: RepeatedRuns, varying: Sequence[str] = ()
) -> tuple[CallbackDifference, ...]:
    """Returns what differs between a job on the minor of its module and on another host, by callback and kind.

    Of callbacks that fit a glob of `varying`, only whether they return anything is compared.

    Args:
        job: the extension point, and what the module calls there.
        own: what was observed on a host of the module's own minor, in several runs.
        other: what was observed on the other host.
        varying: globs of callbacks whose results vary by nature: of these, only whether they return anything is compared.

    Returns:
        A difference for each callback and kind, with the hooks and changes in words.
    """
    if other.refused and not own.refused:
        return (CallbackDifference(f"({job.point.value})", DifferenceKind.REFUSED, (), (other.refused,)),)
    found: dict[tuple[str, DifferenceKind], list[tuple[str, str]]] = defaultdict(list)  # (hook, change)
    for callback in sorted(other.missing - own.missing):
        found[callback, DifferenceKind.MISSING].append(("", "the host does not export it"))
    for (hook, callback), how in sorted(other.ends.items()):
        if (hook, callback) not in own.ends:
            found[callback, DifferenceKind.ENDS].append((hook, how))
    for hook, callback in sorted(own.ends):
        if (hook, callback) not in other.ends and callback not in other.missing:
            found[callback, DifferenceKind.LIVES].append((hook, own.ends[hook, callback]))
    accounted = {callback for callback, _ in found}
    for key, words in own.values.items():
        if key.callback in accounted or key in other.sometimes:
            continue
        if key not in other.values:
            found[key.callback, DifferenceKind.NOT_CALLED].append((key.hook, _place(key)))
        else:
            changes = _changes(key, words, other.values[key], fits(key.callback, *varying))
            found[key.callback, DifferenceKind.CHANGED] += [(key.hook, change) for change in changes]
    for key in other.values:
        if key.callback not in accounted and key not in own.values and key not in own.sometimes:
            found[key.callback, DifferenceKind.NEW_CALL].append((key.hook, _place(key)))
    return tuple(
        CallbackDifference(
            callback,
            kind,
            tuple(sorted({hook for hook, _ in places if hook})),
            tuple(dict.fromkeys(change for _, change in places)),
        )
        for (callback, kind), places in sorted(found.items(), key=lambda one: (one[0][0], one[0][1].value))
        if places
    )


def _place(key: Key) -> str:
    arguments = f"({key.arguments})" if key.arguments else ""
    return f"{key.hook}#{key.time + 1}{arguments}"


def _changes(key: Key, own: Words, other: Words, varies: bool) -> list[str]:
    nothing = frozenset(("nothing",))
    return [
        f"{_place(key)}: {name} {_shown(own.get(name, nothing))} -> {_shown(other.get(name, nothing))}"
        for name in {**own, **other}
        if (name == "return" or not varies) and _differ(own.get(name, nothing), other.get(name, nothing), varies)
    ]


def _shown(values: frozenset[str]) -> str:
    return "|".join(sorted(values))


def jobs_that_differ(
    own: Mapping[EnvoyJob, RepeatedRuns], other: Mapping[EnvoyJob, RepeatedRuns], varying: Sequence[str] = ()
) -> tuple[EnvoyJob, ...]:
    """Returns the jobs that gave something else: they run again, since values may change by chance."""
    return tuple(job for job in other if job in own and compare(job, own[job], other[job], varying))


def merged(differences: Iterable[CallbackDifference]) -> tuple[CallbackDifference, ...]:
    """Returns the differences of several jobs, with one for each callback and kind."""
    found: dict[tuple[str, DifferenceKind], list[CallbackDifference]] = defaultdict(list)
    for difference in differences:
        found[difference.callback, difference.kind].append(difference)
    return tuple(
        CallbackDifference(
            callback,
            kind,
            tuple(sorted({hook for one in same for hook in one.hooks})),
            tuple(dict.fromkeys(change for one in same for change in one.changes)),
        )
        for (callback, kind), same in sorted(found.items(), key=lambda one: (one[0][0], one[0][1].value))
    )

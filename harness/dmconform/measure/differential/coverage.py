"""Which callbacks of a minor the differential test calls, which only the probes use, and why the others are left."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from dmconform.abi.types import FunctionKind
from dmconform.core.versions import Minor
from dmconform.envoy.extension_points.shapes import available, why_unreachable
from dmconform.measure.differential.calls import EnvoyJob, Gathered, Side, point_of_hook
from dmconform.measure.differential.generate import CallPlan, NotCalled
from dmconform.measure.differential.rules import short

NO_WAY = "no configuration reaches its extension point"
NOT_YET = "the hosts of this minor have its extension point only in part"
NOT_GIVEN = "the handle it needs was not given in the runs"
NOT_REACHED = "its hook was not reached in the runs"


class Cover(enum.Enum):
    """The user of a callback."""

    CALLED = "differential"
    PROBES = "probes"  # and not the differential test
    NOTHING = "nothing"


@dataclass(frozen=True)
class CallbackCoverage:
    """One callback (short name); `category` and `reason` are why the differential test has not called it."""

    callback: str
    by: Cover
    also_probes: bool = False  # the differential test calls it and probes use it
    upstream: bool = False  # the differential test calls it on the upstream side, too
    category: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Coverage:
    """All callbacks of a minor: the counts add up to the total."""

    minor: str
    callbacks: tuple[CallbackCoverage, ...]

    def count(self, by: Cover) -> int:
        """Returns how many are covered so."""
        return sum(one.by is by for one in self.callbacks)

    @property
    def upstream(self) -> int:
        """How many are called on the upstream side, too."""
        return sum(one.upstream for one in self.callbacks)

    def reasons(self, by: Cover = Cover.NOTHING) -> Mapping[str, int]:
        """Returns why the differential test has not called those that are covered so: how many by category, most first."""
        return dict(Counter(one.category for one in self.callbacks if one.by is by).most_common())


def coverage(plan: CallPlan, own: Mapping[EnvoyJob, Gathered], probes: Collection[str]) -> Coverage:
    """Returns the coverage of a plan by what was run on a host of the same minor.

    Args:
        plan: the calls, and the callbacks that are in none.
        own: what the jobs gave; empty where none was run.
        probes: the short names of the callbacks that the built probes of this minor leave undefined.
    """
    called = _called(own.values())
    upstream = _called(gathered for job, gathered in own.items() if job.side is Side.UPSTREAM)
    found: list[CallbackCoverage] = []
    for function in plan.abi.functions:
        if function.kind is not FunctionKind.CALLBACK:
            continue
        name = short(function.name)
        if name in called:
            found.append(CallbackCoverage(name, Cover.CALLED, name in probes, name in upstream))
            continue
        why = plan.not_called.get(name) or _why_not(plan, own, name)
        by = Cover.PROBES if name in probes else Cover.NOTHING
        found.append(CallbackCoverage(name, by, category=why.category, reason=why.reason))
    return Coverage(plan.abi.envoy, tuple(found))


def _called(runs: Iterable[Gathered]) -> set[str]:
    """Returns the callbacks that were called in runs, those included that end the host."""
    each = tuple(runs)
    returned = {key.callback for gathered in each for key in gathered.reported.results}
    return returned | {callback for gathered in each for _, callback in gathered.ends}


def _why_not(plan: CallPlan, own: Mapping[EnvoyJob, Gathered], name: str) -> NotCalled:
    """Returns why a callback that the module would call was not called."""
    hooks = [call.hook for call in plan.calls if call.callback == name]
    for hook in hooks:
        point = point_of_hook(hook)
        unreachable = why_unreachable(point) if point is not None else "it belongs to no extension point"
        if unreachable is not None:
            return NotCalled(NO_WAY, unreachable)
        if point is not None and not available(point, Minor.parse(plan.abi.envoy)):
            return NotCalled(NOT_YET, f"hosts of {plan.abi.envoy} take no configuration for {point.value}")
    for hook in hooks:
        for gathered in own.values():
            handle = gathered.reported.without.get((hook, name))
            if handle is not None:
                return NotCalled(NOT_GIVEN, f"nothing gave a {handle} in {hook}")
    return NotCalled(NOT_REACHED, f"no run came to {', '.join(hooks)}")

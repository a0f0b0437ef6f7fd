"""Runs the module of a differential test in an Envoy, one extension point after the other, and gathers what its calls gave."""

from __future__ import annotations

import enum
import functools
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dmconform.abi.types import Abi, Enum
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint, point_of
from dmconform.core.threads import thread_pool
from dmconform.core.versions import Minor
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.shapes import Drive, available, why_unreachable
from dmconform.envoy.extension_points.upstreams import route_to_own_cluster
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, ModuleUse
from dmconform.measure.differential.generate import ONLY_VARIABLE, RETURN_VARIABLE, SKIP_VARIABLE, Call, CallPlan
from dmconform.measure.differential.lines import Key, ModuleOutput, read_log
from dmconform.measure.differential.rules import TYPE_PREFIX

MODULE: Final = "dmconform_differential"
MOST_RESTARTS: Final = 8  # of one job: so many calls may end the host before the job is given up
_HALVINGS: Final = 24
CLIENT: Final = "(client)"
"""Takes the place of the callback where a key is about what the client of an extension point saw."""


class Side(enum.Enum):
    """On which side of Envoy's router the module's HTTP filter is. Either way the requests are those that reach both."""

    UPSTREAM = "upstream side"
    DOWNSTREAM = "downstream side"


@dataclass(frozen=True)
class EnvoyJob:
    """One Envoy of a differential test: an extension point with all its calls, or with one call and what it needs.

    `side` is that of an HTTP filter where the two sides are compared.
    """

    point: ExtensionPoint
    alone: Call | None = None
    side: Side | None = None

    @property
    def name(self) -> str:
        """A name that is good for a folder."""
        name = f"{self.point.value}-{self.alone.number}" if self.alone else self.point.value
        return f"{name}-{self.side.name.lower()}" if self.side else name


@dataclass(frozen=True)
class Gathered:
    """The results of one job.

    `ends` are the calls that end the host, with how; `problem` is why there is no result, or only a part of one; else empty.
    """

    reported: ModuleOutput
    ends: dict[tuple[str, str], str] = field(default_factory=dict)  # (hook, callback)
    problem: str = ""
    refused: bool = False  # the host takes no module at this extension point


@dataclass(frozen=True)
class Target:
    """An Envoy that is compared."""

    host: str  # its id, such as 1.39.3
    minor: Minor
    binary: Path


def jobs_of(plan: CallPlan, host: Minor) -> tuple[EnvoyJob, ...]:
    """Returns the jobs of a plan on hosts of a minor."""
    regular: dict[ExtensionPoint, None] = {}
    alone: dict[tuple[int, ...], EnvoyJob] = {}  # calls that are made together need one run
    for call in plan.calls:
        point = point_of_hook(call.hook)
        if point is None or why_unreachable(point) is not None or not available(point, host):
            continue
        if call.alone is None:
            regular[point] = None
        else:
            alone.setdefault(plan.made_with(call), EnvoyJob(point, call))
    usual = (*(EnvoyJob(point) for point in regular), *alone.values())
    on_sides = (replace(job, side=side) for job in usual if job.point is ExtensionPoint.HTTP_FILTER for side in Side)
    return (*usual, *on_sides)


def point_of_hook(hook: str) -> ExtensionPoint | None:
    """Returns the extension point of a hook given by its short name."""
    return point_of(f"{HOOK_PREFIX}{hook}")


class Caller:
    """A runner of the jobs of one plan, each Envoy in a separate folder below `folder`."""

    def __init__(
        self, plan: CallPlan, library: Path, folder: Path, upstream_port: int, extra: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Prepares the calls.

        Args:
            plan: which callbacks the module calls in which hooks.
            library: the compiled module of the plan.
            folder: for the Envoys' files.
            upstream_port: a loopback port with an upstream that answers.
            extra: variables of every Envoy.
        """
        self._plan = plan
        self._library = library
        self._folder = folder
        self._upstream_port = upstream_port
        self._extra = extra
        self._count = 0
        self._lock = threading.Lock()

    def run(self, target: Target, job: EnvoyJob) -> Gathered:
        """Runs a job; a call that ends the host is left out and the rest runs again."""
        ends: dict[tuple[str, str], str] = {}
        skipped: set[int] = set()
        if job.alone is None:
            skipped = {call.number for call in self._plan.calls if call.alone is not None}
        for _ in range(MOST_RESTARTS):
            tried, reported = self._attempt(target, job, skipped)
            if tried.ended is AttemptEnd.HUNG and job.alone is not None:  # what hangs twice is not the machine's doing
                tried, reported = self._attempt(target, job, skipped)
            if tried.ended not in (AttemptEnd.CRASHED, AttemptEnd.HUNG):
                problem = "" if tried.ended is AttemptEnd.WORKED else f"{tried.ended.value}: {tried.message}"
                return Gathered(_with_client(reported, job, tried), ends, problem, tried.ended is AttemptEnd.REFUSED)
            culprit = self._culprit(target, job, skipped, tried, reported)
            if culprit is None or job.alone is not None:
                if job.alone is not None:
                    ends[job.alone.hook, job.alone.callback] = tried.message
                    return Gathered(_with_client(reported, job, tried), ends)
                return Gathered(_with_client(reported, job, tried), ends, f"{tried.ended.value}: {tried.message}")
            ends[culprit.hook, culprit.callback] = tried.message
            skipped.add(culprit.number)
        return Gathered(_with_client(reported, job, tried), ends, f"gave up after {MOST_RESTARTS} calls that end the host")

    def _culprit(self, target: Target, job: EnvoyJob, skipped: set[int], tried: Attempt, reported: ModuleOutput) -> Call | None:
        """Returns the call that ended the host: the one that never came back, or the one without which it does not end."""
        if reported.unfinished is not None:
            return self._plan.call(reported.unfinished.callback, reported.unfinished.hook)
        if tried.ended is AttemptEnd.HUNG or job.alone is not None:
            return None
        made = [
            call
            for call in self._plan.calls
            if call.alone is None and not call.always and call.number not in skipped and point_of_hook(call.hook) is job.point
        ]
        for _ in range(_HALVINGS):
            if len(made) == 1:
                return made[0]
            half = made[: len(made) // 2]
            kept_out = skipped | {call.number for call in half}
            made = half if self._attempt(target, job, kept_out)[0].ended is not AttemptEnd.CRASHED else made[len(half) :]
        return None

    def _attempt(self, target: Target, job: EnvoyJob, skipped: Iterable[int]) -> tuple[Attempt, ModuleOutput]:
        environment = {**self._extra, SKIP_VARIABLE: ",".join(map(str, sorted(skipped)))}
        if job.alone is not None:
            environment[ONLY_VARIABLE] = ",".join(map(str, self._plan.made_with(job.alone)))
            environment |= _return_rule(self._plan.abi, job.alone)
        with self._lock:
            self._count += 1
            folder = self._folder / f"{self._count:04}-{target.host}-{job.name}"
        use = ModuleUse(job.point, ModuleRef(MODULE), "differential")
        tried = attempt(
            target.binary,
            use,
            folder,
            search_path=self._library.parent,
            environment=environment,
            upstream_port=self._upstream_port,
            driven_by=Drive.PROXIED if job.side else None,
            alter=functools.partial(route_to_own_cluster, upstream=job.side is Side.UPSTREAM) if job.side else None,
        )
        return tried, read_log(tried.log)


def _return_rule(abi: Abi, call: Call) -> dict[str, str]:
    """Returns the variable that makes the module return another value from the hook whose enum has it."""
    assert call.alone is not None
    if call.alone.returns is None:
        return {}
    wanted = f"{TYPE_PREFIX}{call.alone.returns}"
    for type_ in abi.types:
        for value in type_.values if isinstance(type_, Enum) else ():
            if value.name == wanted:
                hook = next(each for each in abi.functions if each.returns == type_.name)
                return {RETURN_VARIABLE: f"{hook.name.removeprefix(HOOK_PREFIX)}={value.value}"}
    return {}


def _with_client(reported: ModuleOutput, job: EnvoyJob, tried: Attempt) -> ModuleOutput:
    """Adds what the client saw: for a job about one call, the effect of the call."""
    saw = tuple(f"{exchange.request.replace(' ', '_')}={exchange.answer.status or 'none'}" for exchange in tried.answers) or (
        "nothing=none",
    )
    callback = job.alone.callback if job.alone else CLIENT
    key = Key(job.alone.hook if job.alone else job.point.value, callback, CLIENT, 0)
    return ModuleOutput({**reported.results, key: saw}, reported.missing, reported.without, reported.hooks, reported.unfinished)


def in_parallel(work: Sequence[Callable[[], None]]) -> None:
    """Does all of it, as many at once as there are processors."""
    with thread_pool(os.cpu_count() or 1, "differential") as pool:
        for done in [pool.submit(one) for one in work]:
            done.result()

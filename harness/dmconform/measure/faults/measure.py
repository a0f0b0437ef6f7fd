"""Measures what hosts make of modules with one fault, with the modules and the drive of `measure.hooks.measure`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dmconform.abi.bindings.stub_module import NULL_VARIABLE, PROGRAM_INIT, instance_hooks, stub_module
from dmconform.abi.fault_reactions import Counted, Fate, NullFact, PointFaults
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint
from dmconform.core.progress import counting
from dmconform.core.threads import thread_pool
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.shapes import points_of
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, Phase
from dmconform.measure.faults.alter import DETAILS, ask_for_details, by_discovery, heed_health, passed_on, serve_udp
from dmconform.measure.hooks.measure import (
    MODULE,
    WHEN,
    Bench,
    Compile,
    MeasuredHost,
    Way,
    hooks_at,
    how_it_ended,
    is_per_route,
    ways_of,
)

_COUNTERS = "dynamic_modules."
_CHOOSE_HOST = f"{HOOK_PREFIX}lb_choose_host"
_IN_CLUSTERS = frozenset(
    (
        ExtensionPoint.CLUSTER,
        ExtensionPoint.HEALTH_CHECKER,
        ExtensionPoint.LOAD_BALANCER,
        ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE,
    )
)
_MESSAGE = re.compile(r"\]\[(?:warning|error|critical)\]\[\w+\] \[(?P<file>[^\]]*)\] (?P<message>.*)")


@dataclass
class _Seen:
    """The observations of an Envoy before it was stopped."""

    counters: dict[str, int] | None = None  # None: it was not there any more
    more: list[str] = field(default_factory=list)


def measure_faults(
    hosts: tuple[MeasuredHost, ...],
    folder: Path,
    compile_module: Compile,
    upstream_port: int,
    *,
    workers: int,
    progress: Callable[[str], None],
    only: frozenset[ExtensionPoint] | None = None,
) -> tuple[PointFaults, ...]:
    """Measures hosts at each extension point they have, or at some.

    Args:
        hosts: releases with their binaries and ABI data.
        folder: for the Envoys' files; each release gets a folder in it.
        compile_module: makes a shared library of C source.
        upstream_port: a loopback port with an upstream that answers.
        workers: how many Envoys run at once.
        progress: takes a line about the progress now and then.
        only: the extension points to measure; None for all.

    Raises:
        HarnessError: a module cannot be compiled, or an Envoy cannot run on this machine.
    """
    results: list[PointFaults] = []
    with thread_pool(workers, "faults") as pool:
        for host in hosts:
            library = compile_module(MODULE, {"stub.c": nullable_source(host).encode()}).read_bytes()
            bench = _Faulty(host, Bench(host, library, folder / host.release, upstream_port))
            points = [point for point in points_of(host.minor) if only is None or point in only]
            ways = ways_of(points)
            right = dict(zip(ways, pool.map(bench.right, ways), strict=True))
            work = [
                (right[way], hook)
                for way in ways
                if right[way].attempt.ended is AttemptEnd.WORKED
                for hook in hooks_at(host.abi, way.point)
                if way.per_route == is_per_route(hook)
            ]
            returning = instance_hooks(host.abi, host.relatives)
            lacking = pool.map(lambda one: bench.lacks(*one), work)  # noqa: B023 - used up in this round
            lacks = list(counting(lacking, len(work), f"Envoy {host.release}: what is counted of a missing hook", progress))
            nulls = [one for one in work if one[1] in returning]
            returned = pool.map(lambda one: bench.null(*one), nulls)  # noqa: B023
            null = list(counting(returned, len(nulls), f"Envoy {host.release}: hooks that return null", progress))
            for point in points:
                its_lacks = {_short(hook): it for (one, hook), it in zip(work, lacks, strict=True) if one.way.point is point}
                refused = {hook: it for hook, it in its_lacks.items() if it is not None}
                its_null = {_short(hook): it for (one, hook), it in zip(nulls, null, strict=True) if one.way.point is point}
                problem = "" if its_lacks else bench.why_not(right[Way(point)])
                results.append(PointFaults(point, (host.release,), refused, its_null, problem))
            progress(f"Envoy {host.release}: {len(points)} extension points, {len(work) + len(nulls)} modules with a fault")
    return tuple(results)


def nullable_source(host: MeasuredHost) -> str:
    """Returns the C source of a complete module in which a variable makes any hook return null."""
    bodies = {PROGRAM_INIT: f'return "{host.abi_version}";'} if host.abi_version is not None else {}
    choose = next((one for one in host.abi.functions if one.name == _CHOOSE_HOST), None)
    if choose is not None and choose.params:  # so that requests reach the upstream server, unless there is no load balancer
        priority, index = (param.name for param in choose.params[-2:])
        bodies[_CHOOSE_HOST] = f"*{priority} = 0;\n*{index} = 0;\nreturn true;"
    return stub_module(host.abi, bodies, relatives=host.relatives, nullable=True)


def _short(hook: str) -> str:
    return hook.removeprefix(HOOK_PREFIX)


@dataclass(frozen=True)
class _Right:
    """The results of the module without a fault."""

    way: Way
    attempt: Attempt
    seen: tuple[str, ...]
    logged: frozenset[str]


class _Faulty:
    """One host, and a module that is given faults."""

    def __init__(self, host: MeasuredHost, bench: Bench) -> None:
        self._host = host
        self._bench = bench

    def right(self, way: Way) -> _Right:
        """Attempts the module without a fault."""
        attempt, looked = self._attempt(way, None)
        return _Right(way, attempt, _exchanges(attempt, looked), frozenset(_message_of(attempt.log)))

    def why_not(self, right: _Right) -> str:
        """Returns why a point could not be measured."""
        return self._bench.why_not(right.way.point, right.attempt)

    def lacks(self, right: _Right, hook: str) -> Counted | None:
        """Returns the counters that a module without a hook moves; None where the host does not refuse it."""
        attempt, looked = self._attempt(right.way, None, (hook,))
        return self._counted(right.way, looked, None, (hook,)) if attempt.ended is AttemptEnd.REFUSED else None

    def null(self, right: _Right, hook: str) -> NullFact:
        """Observes a hook that returns null."""
        attempt, looked = self._attempt(right.way, hook)
        counted = self._counted(right.way, looked, hook, ())
        seen = _exchanges(attempt, looked)
        logged = tuple(sorted(set(_message_of(attempt.log)) - right.logged - {attempt.message}))
        match attempt.ended:
            case AttemptEnd.REFUSED:
                late = attempt.phase is not Phase.LOADING
                return NullFact(Fate.REFUSED, late, counted, seen if late else (), (), attempt.message)
            case AttemptEnd.CRASHED:
                message = f"Envoy ends {how_it_ended(attempt)} {WHEN[attempt.phase]}"
                return NullFact(Fate.CRASHES, counted=counted, seen=seen, logged=logged, message=message)
            case AttemptEnd.HUNG:
                return NullFact(Fate.HANGS, counted=counted, logged=logged, message=f"Envoy hangs {WHEN[attempt.phase]}")
            case _ if seen != right.seen:
                return NullFact(Fate.DIFFERS, counted=counted, seen=seen, logged=logged)
            case _:
                return NullFact(Fate.SAME, counted=counted, seen=seen, logged=logged)

    def _counted(self, way: Way, looked: _Seen, null: str | None, taken: tuple[str, ...]) -> Counted:
        """Returns the counters; from a second Envoy, which has its clusters by discovery, where they ended the first one."""
        if looked.counters is None and way.point in _IN_CLUSTERS:
            _, looked = self._attempt(way, null, taken, by_discovery)
        return Counted(unseen=True) if looked.counters is None else Counted(looked.counters)

    def _attempt(
        self, way: Way, null: str | None, taken: tuple[str, ...] = (), change: Callable[[Draft], None] | None = None
    ) -> tuple[Attempt, _Seen]:
        looked = _Seen()

        def alter(draft: Draft) -> None:
            ask_for_details(draft)
            heed_health(draft)
            serve_udp(draft)
            if change is not None:
                change(draft)

        def look(envoy: Envoy) -> None:
            counted = envoy.counters(_COUNTERS)
            looked.counters = {name.removeprefix(_COUNTERS): value for name, value in counted.items() if value}
            if way.point is ExtensionPoint.UDP_LISTENER_FILTER:
                looked.more.append(f"the datagram: {'passes on' if passed_on(envoy) else 'goes no further'}")

        environment = {NULL_VARIABLE: null} if null is not None else {}
        attempt = self._bench.attempt(way, taken, environment=environment, alter=alter, look=look)
        return attempt, looked


def _message_of(log: str) -> list[str]:
    """Returns warnings and errors about dynamic modules."""
    found = (_MESSAGE.search(line) for line in log.splitlines())
    return [one["message"] for one in found if one and "dynamic_module" in one["file"]]


def _exchanges(attempt: Attempt, looked: _Seen) -> tuple[str, ...]:
    """Returns what clients saw, with Envoy's details where each answer has some."""
    answers = [
        f"{one.request}: {one.answer.status or one.finding or 'connection cut'}"
        for one in attempt.answers
        if one.request != "a datagram"
    ]
    details = DETAILS.findall(attempt.log)
    if len(details) == len(answers):
        answers = [f"{answer}, {detail}" if detail != "-" else answer for answer, detail in zip(answers, details, strict=True)]
    return (*answers, *looked.more)

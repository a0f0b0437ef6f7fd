"""On which threads hooks run: the table of what must be, and what updates show."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from dmconform.abi.types import Abi, FunctionKind
from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.shapes import available
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.measure.differential.calls import Target
from dmconform.measure.differential.rules import fits, short
from dmconform.measure.pairs.generate import SCRIPT_VARIABLE
from dmconform.measure.pairs.lines import Seen, read_pairs
from dmconform.measure.pairs.plan import PairPlan
from dmconform.measure.pairs.rules import PLAIN
from dmconform.measure.pairs.update import BEFORE, HeldUpdate, Replaced

_MAIN, _WORKER = "main", "worker"


class HookThread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The threads that hooks may be on: `main`, `worker`, or both; `by` is where that is from."""

    hooks: tuple[str, ...]
    on: tuple[str, ...]
    by: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hook: tuple[HookThread, ...]


def load_threads(path: Path, abis: Iterable[Abi]) -> tuple[HookThread, ...]:
    """Loads the table, and checks it against the hooks of all minors.

    Raises:
        DataFileError: it is not of its format, a rule fits no hook, or a hook has no rule.
    """
    table = load_toml(path, _File).hook
    hooks = {short(name) for abi in abis for name in abi.names(FunctionKind.HOOK)}
    for rule in table:
        if not set(rule.on) <= {_MAIN, _WORKER} or not rule.on:
            raise DataFileError(path, f"{list(rule.hooks)}: on: expected main, worker or both")
        for glob in rule.hooks:
            if not any(fits(hook, glob) for hook in hooks):
                raise DataFileError(path, f"{glob!r} fits no hook of any minor")
    for hook in sorted(hooks):
        if rule_for(table, hook) is None:
            raise DataFileError(path, f"{hook} has no rule")
    return table


def rule_for(table: Iterable[HookThread], hook: str) -> HookThread | None:
    """Returns the rule for a hook (short name)."""
    return next((rule for rule in table if fits(hook, *rule.hooks)), None)


def thread_kind(name: str) -> str:
    """Returns `main` or `worker` for the name that a thread gave: one that has no name yet has that of the program."""
    return _MAIN if name == _MAIN else _WORKER


class WrongThread(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, order=True):
    """A hook on another thread than it must be: in each Envoy where it ran (`each_time`), or in some.

    `replaced` is what an update replaced at the time, if anything. Which thread then lets go of a configuration last is a race.
    """

    hook: str
    on: str
    replaced: str = ""
    each_time: bool = False

    def __str__(self) -> str:
        return f"{self.on} ({self.replaced})" if self.replaced else self.on


@dataclasses.dataclass
class ThreadCounts:
    """The number of Envoys in which a hook ran, and of those in which it ran on `main` or on a `worker`.

    They are counted apart for each kind of update; without one, `replaced` is empty.
    """

    ran: Counter[tuple[str, str]] = dataclasses.field(default_factory=Counter)  # by (hook, replaced)
    on: Counter[tuple[str, str, str]] = dataclasses.field(default_factory=Counter)  # by (hook, thread, replaced)

    def note(self, threads: Mapping[str, Iterable[str]], replaced: str = "") -> None:
        """Takes what one Envoy showed: the names of the threads by hook."""
        for hook, names in threads.items():
            self.ran[hook, replaced] += 1
            self.on.update((hook, kind, replaced) for kind in set(map(thread_kind, names)))

    def kinds(self) -> dict[str, tuple[str, ...]]:
        """Returns by hook the threads that it was on, without those of updates."""
        found: dict[str, list[str]] = {}
        for hook, kind, replaced in sorted(self.on):
            if not replaced:
                found.setdefault(hook, []).append(kind)
        return {hook: tuple(kinds) for hook, kinds in found.items()}

    def wrong(self, table: Iterable[HookThread]) -> tuple[WrongThread, ...]:
        """Returns the hooks that were on another thread than they must be."""
        rules = tuple(table)
        found = []
        for (hook, kind, replaced), times in sorted(self.on.items()):
            rule = rule_for(rules, hook)
            if kind not in (rule.on if rule else ()):
                is_race = bool(replaced) and hook.endswith("_destroy")
                found.append(WrongThread(hook, kind, replaced, not is_race and times == self.ran[hook, replaced]))
        return tuple(found)


_IN_ROUTES: Final = (Replaced.LISTENER, Replaced.ROUTES)
UPDATES: Final[Mapping[ExtensionPoint, tuple[Replaced, ...]]] = {
    ExtensionPoint.HTTP_FILTER: (*_IN_ROUTES, Replaced.EXTENSION),
    ExtensionPoint.ACCESS_LOGGER: (Replaced.LISTENER,),
    ExtensionPoint.LISTENER_FILTER: (Replaced.LISTENER,),
    ExtensionPoint.NETWORK_FILTER: (Replaced.LISTENER,),
    ExtensionPoint.UDP_LISTENER_FILTER: (Replaced.LISTENER,),
    ExtensionPoint.CLUSTER: (Replaced.CLUSTER,),
    ExtensionPoint.LOAD_BALANCER: (Replaced.CLUSTER,),
    ExtensionPoint.MATCHER: _IN_ROUTES,
    ExtensionPoint.TRACER: (Replaced.LISTENER,),
    ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE: (Replaced.CLUSTER,),
    ExtensionPoint.FORMATTER: (Replaced.LISTENER,),
    ExtensionPoint.HEALTH_CHECKER: (Replaced.CLUSTER,),
    ExtensionPoint.TRANSPORT_SOCKET: (Replaced.LISTENER,),
    ExtensionPoint.CLUSTER_SPECIFIER: _IN_ROUTES,
    ExtensionPoint.EARLY_HEADER_MUTATION: (Replaced.LISTENER,),
    ExtensionPoint.HEADER_FORMATTER: (Replaced.LISTENER,),
    ExtensionPoint.MATCHER_DATA_INPUT: _IN_ROUTES,
    ExtensionPoint.ROUTE_SPECIFIER: _IN_ROUTES,
}
"""What an update can replace of a module at an extension point. What the process starts with cannot be; TLS is left out."""


@dataclasses.dataclass(frozen=True)
class UpdateRun:
    """What one update showed; `problem` is why there is nothing to see, else empty."""

    point: ExtensionPoint
    replaced: Replaced
    seen: Seen
    problem: str = ""


def update_runs(
    plan: PairPlan, library: Path, target: Target, folder: Path, upstream_port: int
) -> Iterator[Callable[[], UpdateRun]]:
    """Yields the work of the updates: each extension point that each kind of update can replace.

    Args:
        plan: of the module.
        library: the compiled module.
        target: the host.
        folder: for the Envoys' files.
        upstream_port: a loopback port with an upstream that answers.
    """
    for point, kinds in UPDATES.items():
        if available(point, target.minor):
            for replaced in kinds:
                yield _Updated(plan, library, target, folder, upstream_port, point, replaced).run


@dataclasses.dataclass
class _Updated:
    plan: PairPlan
    library: Path
    target: Target
    folder: Path
    upstream_port: int
    point: ExtensionPoint
    replaced: Replaced

    def run(self) -> UpdateRun:
        """Starts an Envoy, holds a request, updates, lets the request go on."""
        folder = self.folder / f"{self.target.host}-{self.point.value}-{self.replaced.name.lower()}"
        per_route = BEFORE if self.point is ExtensionPoint.HTTP_FILTER else None
        update = HeldUpdate(self.replaced, _MADE, _DESTROYED)
        tried = attempt(
            self.target.binary,
            ModuleUse(self.point, ModuleRef("dmconform_pairs"), "pairs", config=BEFORE, per_route=per_route),
            folder,
            search_path=self.library.parent,
            environment={SCRIPT_VARIABLE: self.plan.script(PLAIN, ())},
            upstream_port=self.upstream_port,
            drive=False,
            alter=update.alter,
            look=update.look,
        )
        return UpdateRun(self.point, self.replaced, read_pairs(tried.log), tried.message or update.problem)


_MADE: Final = re.compile("config_new ")
_DESTROYED: Final = re.compile(" leave .*config_destroy")

"""Measures what a host does with modules that lack one hook each.

The complete module, a generated one whose hooks do no harm, must work first. Then each hook of the point is taken away in turn.
Where the host takes the module all the same, it is driven, to see what it does when it would call the hook.
"""

from __future__ import annotations

import dataclasses
import re
import signal
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from dmconform.abi.bindings.stub_module import PROGRAM_INIT, called_in, stub_module
from dmconform.abi.required_hooks import HookFact, PointFacts, Without
from dmconform.abi.types import Abi, FunctionKind
from dmconform.binaries.hide import without_symbols
from dmconform.core.errors import HarnessError
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint, point_of
from dmconform.core.progress import counting
from dmconform.core.removal import remove_tree
from dmconform.core.threads import thread_pool
from dmconform.core.versions import Minor
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.shapes import points_of
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, ModuleUse, Phase
from dmconform.measure.hooks.ask import asking

MODULE = "stub"
Compile = Callable[[str, Mapping[str, bytes]], Path]
"""Compiles C sources to a module of the given name; see `dmconform.sdks.generated.compile_c`."""
_HOOKS = re.compile(rf"{HOOK_PREFIX}\w+")
_PER_ROUTE = "_per_route_"
_ADDRESSES = re.compile(r"0x[0-9a-f]+")


@dataclass(frozen=True)
class MeasuredHost:
    """A host, and the ABI by which its modules are made."""

    release: str
    minor: Minor
    binary: Path
    abi_version: str | None  # None: what the ABI data say
    abi: Abi
    relatives: tuple[Abi, ...] = ()


def complete_source(host: MeasuredHost) -> str:
    """Returns the C source of the complete module."""
    bodies = asking(host.abi)
    if host.abi_version is not None:
        bodies[PROGRAM_INIT] = f'return "{host.abi_version}";'
    return stub_module(host.abi, bodies, relatives=host.relatives, traced=True)


def hooks_at(abi: Abi, point: ExtensionPoint) -> tuple[str, ...]:
    """Returns the hooks that a module may lack at a point, in full: those of the point, and `program_init`."""
    hooks = (function.name for function in abi.functions if function.kind is FunctionKind.HOOK)
    return tuple(sorted(name for name in hooks if name == PROGRAM_INIT or point_of(name) is point))


def measure(
    hosts: tuple[MeasuredHost, ...],
    folder: Path,
    compile_module: Compile,
    upstream_port: int,
    *,
    workers: int,
    progress: Callable[[str], None],
    only: frozenset[ExtensionPoint] | None = None,
) -> tuple[PointFacts, ...]:
    """Measures hosts at each extension point they have, or at some.

    Args:
        hosts: releases with their binaries and ABI data.
        folder: what Envoys leave while they run; each attempt's part is removed.
        compile_module: makes a shared library of C source.
        upstream_port: a server that answers HTTP.
        workers: Envoys at once.
        progress: takes a line about the progress now and then.
        only: the points that are wanted.

    Raises:
        HarnessError: the machine does not let Envoys run, or a module cannot be compiled.
    """
    results: list[PointFacts] = []
    with thread_pool(workers, "hooks") as pool:
        for host in hosts:
            library = compile_module(MODULE, {"stub.c": complete_source(host).encode()}).read_bytes()
            bench = Bench(host, library, folder / host.release, upstream_port)
            points = [point for point in points_of(host.minor) if only is None or point in only]
            ways = ways_of(points)
            complete = dict(zip(ways, pool.map(bench.complete, ways), strict=True))
            work = [
                (way, complete[way], hook)
                for way in ways
                if complete[way].ended is AttemptEnd.WORKED
                for hook in hooks_at(host.abi, way.point)
                if way.per_route == is_per_route(hook)
            ]
            done = pool.map(lambda one: bench.lacking(*one), work)  # noqa: B023 - used up in this round
            facts = list(counting(done, len(work), f"Envoy {host.release}: modules that lack a hook", progress))
            for point in points:
                hooks = {hook: fact for (way, _, hook), fact in zip(work, facts, strict=True) if way.point is point}
                short = {hook.removeprefix(HOOK_PREFIX): fact for hook, fact in hooks.items()}
                problem = "" if hooks else bench.why_not(point, complete[Way(point)])
                results.append(PointFacts(point, (host.release,), short, problem))
            progress(f"Envoy {host.release}: {len(points)} extension points, {len(work)} modules that lack a hook")
    return tuple(results)


def is_per_route(hook: str) -> bool:
    """Returns whether a hook is about per-route configurations."""
    return _PER_ROUTE in hook


def ways_of(points: Iterable[ExtensionPoint]) -> tuple[Way, ...]:
    """Returns how modules are used at these points."""
    return tuple(way for way in (Way(point, per_route) for per_route in (False, True) for point in points) if way.makes_sense)


@dataclass(frozen=True)
class Way:
    """An extension point, with a per-route configuration or without one: hooks for those do not matter otherwise."""

    point: ExtensionPoint
    per_route: bool = False

    @property
    def makes_sense(self) -> bool:
        """Whether the point has such a configuration."""
        return not self.per_route or self.point is ExtensionPoint.HTTP_FILTER

    @property
    def use(self) -> ModuleUse:
        """The use of the module there."""
        return ModuleUse(self.point, ModuleRef(MODULE), "name", "text", "text" if self.per_route else None)


class Bench:
    """One host, and a module from which hooks are taken."""

    def __init__(self, host: MeasuredHost, library: bytes, folder: Path, upstream_port: int) -> None:
        """Prepares the bench of one host.

        Args:
            host: the release with its binary and ABI data.
            library: the bytes of the compiled module that lacks nothing.
            folder: for the Envoys' files.
            upstream_port: a loopback port with an upstream that answers.
        """
        self._host = host
        self._library = library
        self._folder = folder
        self._upstream_port = upstream_port

    def complete(self, way: Way) -> Attempt:
        """Attempts the complete module."""
        return self.attempt(way)

    def why_not(self, point: ExtensionPoint, complete: Attempt) -> str:
        """Returns why a point could not be measured."""
        if complete.ended is AttemptEnd.NO_WAY:
            return complete.message
        return f"the complete module does not work there ({complete.ended.value}): {complete.message}"

    def lacking(self, way: Way, complete: Attempt, hook: str) -> HookFact:
        """Attempts the module without a hook."""
        seen = self.attempt(way, (hook,))
        called = hook in called_in(complete.log)
        match seen.ended:
            case AttemptEnd.REFUSED:
                late = seen.phase is not Phase.LOADING
                unless = self._not_refused_without(way, hook, seen.message)
                return HookFact(Without.REFUSED, called, late, way.per_route, unless, seen.message)
            case AttemptEnd.CRASHED:
                return HookFact(Without.CRASHES, called, message=f"Envoy ends {how_it_ended(seen)} {WHEN[seen.phase]}")
            case AttemptEnd.HUNG:
                return HookFact(Without.HANGS, called, message=f"Envoy hangs {WHEN[seen.phase]}")
            case _ if gist(seen) != gist(complete):
                return HookFact(Without.DIFFERS, called, message=_difference(seen, complete))
            case _:
                return HookFact(Without.WORKS, called)

    def _not_refused_without(self, way: Way, hook: str, message: str) -> tuple[str, ...]:
        """Returns other hooks that a refusal names, if the host does not refuse a module that lacks those as well."""
        others = tuple(sorted(set(_HOOKS.findall(message)) & set(hooks_at(self._host.abi, way.point)) - {hook}))
        if not others or self.attempt(way, (hook, *others)).ended is AttemptEnd.REFUSED:
            return ()
        return tuple(name.removeprefix(HOOK_PREFIX) for name in others)

    def attempt(
        self,
        way: Way,
        taken: tuple[str, ...] = (),
        *,
        environment: Mapping[str, str] = MappingProxyType({}),
        alter: Callable[[Draft], None] | None = None,
        look: Callable[[Envoy], None] | None = None,
    ) -> Attempt:
        """Attempts the module without some of its hooks; the rest as for `envoy.extension_points.attempt.attempt`.

        Args:
            way: the extension point, and how the module is used there.
            taken: full names of the hooks that the module lacks.
            environment: variables of the Envoy.
            alter: changes the configuration before the Envoy starts.
            look: called with the running Envoy.

        Raises:
            HarnessError: the machine does not let the Envoy run.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{way.point.value}-", dir=self._folder))
        modules = folder / "modules"
        modules.mkdir()
        (modules / f"lib{MODULE}.so").write_bytes(without_symbols(self._library, taken))
        try:
            seen = attempt(
                self._host.binary,
                way.use,
                folder,
                search_path=modules,
                environment=environment,
                upstream_port=self._upstream_port,
                alter=alter,
                look=look,
            )
        finally:
            remove_tree(folder)
        if seen.ended is AttemptEnd.BLOCKED:
            raise HarnessError(f"Envoy {self._host.release} at {way.point.value}: {seen.message}")
        return dataclasses.replace(seen, message=normalised(seen.message, folder))


# When an attempt ended, in words.
WHEN = {
    Phase.LOADING: "when it takes the configuration",
    Phase.DRIVING: "when it is used",
    Phase.STOPPING: "when it stops",
}


def normalised(message: str, folder: Path) -> str:
    """Returns a message without what differs from run to run: the attempt's folder, and addresses."""
    return _ADDRESSES.sub("0x…", message.replace(str(folder), "…")).strip()


def how_it_ended(seen: Attempt) -> str:
    """Returns the signal or exit code of an Envoy that ended by itself."""
    code = seen.exit_code
    return f"by {signal.Signals(-code).name}" if code is not None and code < 0 else f"with exit code {code}"


def gist(seen: Attempt) -> tuple[tuple[str, int | None, str], ...]:
    """Returns what clients saw, without what may differ from run to run."""
    return tuple((one.request, one.answer.status, one.finding) for one in seen.answers)


def _difference(seen: Attempt, complete: Attempt) -> str:
    for (request, status, body), (_, expected, expected_body) in zip(gist(seen), gist(complete), strict=False):
        if (status, body) != (expected, expected_body):
            return f"{request}: {status or body or 'no answer'} instead of {expected or expected_body or 'no answer'}"
    return "not everything was answered"

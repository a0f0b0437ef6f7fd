"""Goes from host specifications to a measurement: gets the hosts, compiles generated modules, and puts a server behind them."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from dmconform.abi.loading import load_every_abi
from dmconform.abi.required_hooks import PointFacts
from dmconform.abi.types import Abi
from dmconform.core import paths
from dmconform.core.errors import HarnessError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.progress import say
from dmconform.core.versions import Minor
from dmconform.envoy.temporary import temporary_folder
from dmconform.envoy.upstream import upstream_server
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.selection import select_hosts
from dmconform.matrix.plan import PlannedHost
from dmconform.matrix.prepare import fetch_hosts, lazy_engine
from dmconform.measure.hooks.measure import Compile, MeasuredHost, measure
from dmconform.sdks.generated import compile_c

NO_MORE: Mapping[Minor, Abi] = MappingProxyType({})


def measure_hosts(
    specs: tuple[str, ...], workers: int | None = None, only: frozenset[ExtensionPoint] | None = None
) -> tuple[PointFacts, ...]:
    """Measures the hosts that specifications such as `1.39` or `all` name; see `dmconform.measure.hooks.measure`.

    Raises:
        HarnessError: one of them is not available, a module cannot be compiled, or the machine does not let Envoys run.
    """
    with (
        hosts_and_compiler(specs) as (hosts, compiler),
        upstream_server() as port,
        temporary_folder("hooks") as folder,
    ):
        return measure(hosts, folder, compiler, port, workers=workers or os.cpu_count() or 1, progress=say, only=only)


@contextlib.contextmanager
def hosts_and_compiler(specs: tuple[str, ...]) -> Iterator[tuple[tuple[MeasuredHost, ...], Compile]]:
    """Yields the hosts that specifications name, and a function that compiles generated modules for the time of the block.

    Raises:
        HarnessError: a host is not available.
    """
    cache = paths.cache_folder()
    with lazy_engine(cache) as engine:
        known = load_hosts(paths.HOSTS_FILE)
        planned = fetch_hosts(select_hosts(specs, known), known, engine, cache)
        problems = [host.problem for host in planned if host.problem]
        if problems:
            raise HarnessError("\n".join(problems))
        yield measured_hosts(planned), lambda name, sources: compile_c(name, sources, cache, engine.toolchain)


@contextlib.contextmanager
def compiler() -> Iterator[Compile]:
    """Yields a function that compiles generated modules for the time of the block."""
    cache = paths.cache_folder()
    with lazy_engine(cache) as engine:
        yield lambda name, sources: compile_c(name, sources, cache, engine.toolchain)


def measured_hosts(planned: tuple[PlannedHost, ...], more: Mapping[Minor, Abi] = NO_MORE) -> tuple[MeasuredHost, ...]:
    """Returns hosts with the ABI of their minor, or of the newest known one where theirs is not known.

    `more` is ABI data of minors that has no file yet. Data without signatures, as a binary alone gives it, takes those of the
    minor before.
    """
    abis = {Minor.parse(minor): abi for minor, abi in load_every_abi().items()} | dict(more)
    minors = sorted(abis)
    for before, minor in itertools.pairwise(minors):
        if not abis[minor].types:
            abis[minor] = _with_signatures(abis[minor], abis[before])
    hosts = []
    for one in planned:
        minor = one.host.release.minor
        own = max((known for known in minors if known <= minor), default=minors[0])
        newer = tuple(abis[known] for known in minors if known > own)
        older = tuple(abis[known] for known in reversed(minors) if known < own)
        hosts.append(MeasuredHost(one.host.id, minor, Path(one.host.binary), one.abi_version, abis[own], newer + older))
    return tuple(hosts)


def _with_signatures(names: Abi, before: Abi) -> Abi:
    known = {function.name: function for function in before.functions}
    functions = tuple(known.get(function.name, function) for function in names.functions)
    return msgspec.structs.replace(names, sources=before.sources, types=before.types, functions=functions)

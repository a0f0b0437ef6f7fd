"""Generated modules on real Envoys, for tests of extension points and of required hooks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dmconform.abi.bindings.stub_module import PROGRAM_INIT, stub_module
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.use import Attempt, ModuleUse
from dmconform.measure.hooks.measure import MODULE, Compile, MeasuredHost
from dmconform.measure.hooks.run import hosts_and_compiler


@dataclass(frozen=True)
class Stubs:
    """Hosts by release, what compiles modules, and a server behind the Envoys."""

    hosts: Mapping[str, MeasuredHost]
    compiler: Compile
    upstream_port: int

    def build(self, release: str, bodies: Mapping[str, str] | None = None, *, without: tuple[str, ...] = ()) -> Path:
        """A module with every hook of a host's minor; hooks are named without their common beginning."""
        host = self.hosts[release]
        own = {PROGRAM_INIT: f'return "{host.abi_version}";', **{f"{HOOK_PREFIX}{k}": v for k, v in (bodies or {}).items()}}
        lacking = [f"{HOOK_PREFIX}{name}" for name in without]
        given = {name: body for name, body in own.items() if name not in lacking}
        source = stub_module(host.abi, given, relatives=host.relatives, traced=True, without=lacking)
        return self.compiler(MODULE, {"stub.c": source.encode()})

    def attempt(
        self,
        release: str,
        point: ExtensionPoint,
        folder: Path,
        library: Path,
        *,
        drive: bool = True,
        per_route: str | None = None,
    ) -> Attempt:
        """What comes of a module at an extension point of a host."""
        use = ModuleUse(point, ModuleRef(MODULE), "name", "text", per_route)
        port = self.upstream_port
        return attempt(self.hosts[release].binary, use, folder, search_path=library.parent, upstream_port=port, drive=drive)


@contextlib.contextmanager
def stubs(specs: tuple[str, ...], upstream_port: int) -> Iterator[Stubs]:
    """Stubs for the hosts that specifications such as `1.39` name."""
    with hosts_and_compiler(specs) as (hosts, compiler):
        yield Stubs({host.release: host for host in hosts}, compiler, upstream_port)

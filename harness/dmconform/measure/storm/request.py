"""From the command line to storms: which hosts, with the module compiled for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dmconform.core.progress import say
from dmconform.envoy.upstream import upstream_server
from dmconform.measure.hooks.run import hosts_and_compiler
from dmconform.measure.storm.result import HostStorm, StormEnd, Storms
from dmconform.measure.storm.run import Strength, storm_host


@dataclass(frozen=True)
class StormRequest:
    """The request of a command line. Without hosts all default ones whose ABI is known with its signatures."""

    seed: int
    seconds: float
    hosts: tuple[str, ...] = ()
    strength: Strength = field(default_factory=Strength)


def run_request(request: StormRequest, folder: Path) -> Storms:
    """Lets storms go over the requested hosts, one after the other; `folder` is for the Envoys' files.

    Raises:
        UsageError: a host is not known.
        HarnessError: a host is not available.
    """
    found: list[HostStorm] = []
    with hosts_and_compiler(request.hosts) as (hosts, compiler), upstream_server() as port:
        for host in hosts:
            if not request.hosts and not host.abi.types:
                continue
            one = storm_host(
                host, compiler, folder, port, seed=request.seed, seconds=request.seconds, strength=request.strength
            )
            say(f"{one.host}: {one.ended.value}{f' after {one.seconds:.1f} s' if one.ended is not StormEnd.NOT_TRIED else ''}")
            found.append(one)
    return Storms(request.seed, request.seconds, tuple(found))

"""Lets storms go over one host: Envoys one after the other, each with clients, threads that commit events, and updates."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.abi.bindings.c_header import c_header
from dmconform.abi.bindings.stub_module import stub_module
from dmconform.abi.types import Abi
from dmconform.core.errors import HarnessError
from dmconform.envoy.config import DIRECT_PATH, HttpFilter, Listener, ModuleRef
from dmconform.envoy.envoy import Envoy, accepted
from dmconform.envoy.extension_points.draft import WrittenListener, message_of
from dmconform.envoy.extension_points.tls import write_certificates
from dmconform.envoy.launch import SEARCH_PATH, Launch
from dmconform.envoy.outcomes import Blocked, HostCrashed, HostHung, ModuleRejected
from dmconform.measure.hooks.measure import Compile, MeasuredHost
from dmconform.measure.storm.clients import PLAIN, TLS, storming
from dmconform.measure.storm.result import Events, HostStorm, StormEnd, critical_lines

MODULE: Final = "dmconform_storm"
COPIES: Final = ("storm_a", "storm_b")
"""Two modules that updates swap."""
MOST_SECONDS: Final = 8.0
"""The length of a round: an Envoy may use a minute of processor time, and another one begins with other memory."""
_LOOK_EVERY_S: Final = 0.05
SOURCE: Final = Path(__file__).with_name("storm.c")


@dataclass(frozen=True)
class Strength:
    """How hard it blows."""

    clients: int = 12
    threads: int = 4  # of each module
    workers: int = 2  # of Envoy
    update_every_s: float = 0.2  # 0: no updates


def storm_module(abi: Abi, compiler: Compile) -> Path:
    """Returns the library for hosts of a minor, compiled or taken from the cache.

    Raises:
        HarnessError: it does not compile, the compiler is not available, or the signatures of the minor are not known.
    """
    if not abi.types:
        raise HarnessError(f"the signatures of the ABI of Envoy {abi.envoy} are not known")
    sources = {"storm.c": SOURCE.read_text(encoding="utf-8"), "abi.h": c_header(abi), "stubs.c": stub_module(abi, weak=True)}
    return compiler(MODULE, {name: text.encode() for name, text in sources.items()})


def storm_host(
    host: MeasuredHost,
    compiler: Compile,
    folder: Path,
    upstream_port: int,
    *,
    seed: int,
    seconds: float,
    strength: Strength,
) -> HostStorm:
    """Lets storms go over a host until it ends or hangs, or the time is over.

    Args:
        host: the Envoy and its ABI.
        compiler: makes the module.
        folder: for the files of its Envoys.
        upstream_port: of a server on loopback that answers HTTP.
        seed: of the plan; each round has one that follows from it.
        seconds: how long, start and end of each Envoy not counted.
        strength: how hard.
    """
    found = HostStorm(host.release, StormEnd.LIVES)
    try:
        library = storm_module(host.abi, compiler)
        while found.ended is StormEnd.LIVES and found.seconds < seconds:
            length = min(MOST_SECONDS, seconds - found.seconds)
            one = _Round(
                host, folder / f"{host.release}-{found.rounds + 1}", upstream_port, seed * 1000 + found.rounds, strength
            )
            found = _sum(found, one.run(library, length))
    except (Blocked, HarnessError, ModuleRejected) as problem:
        return HostStorm(host.release, StormEnd.NOT_TRIED, message=str(problem))
    return found


def _sum(before: HostStorm, last: HostStorm) -> HostStorm:
    """Returns the rounds so far together with one more."""
    return HostStorm(
        last.host,
        last.ended,
        before.seconds + last.seconds,
        before.rounds + last.rounds,
        last.message,
        last.backtrace,
        before.requests + last.requests,
        before.answered + last.answered,
        before.resets + last.resets,
        before.refused + last.refused,
        before.updates + last.updates,
        before.events + last.events,
    )


class _Round:
    """One Envoy in a storm."""

    def __init__(self, host: MeasuredHost, folder: Path, upstream_port: int, seed: int, strength: Strength) -> None:
        self._host = host
        self._folder = folder
        self._upstream_port = upstream_port
        self._seed = seed
        self._strength = strength
        self._updates = 0

    def run(self, library: Path, seconds: float) -> HostStorm:
        """Lets it go over an Envoy for so many seconds; see `storm_host`."""
        modules = self._folder / "modules"
        modules.mkdir(parents=True)
        for name in COPIES:
            shutil.copyfile(library, modules / f"lib{name}.so")
        files = write_certificates(self._folder)
        self._pair = {"certificate_chain": {"filename": str(files.chain)}, "private_key": {"filename": str(files.key)}}
        launch = Launch(self._host.binary, {SEARCH_PATH: str(modules)}, concurrency=self._strength.workers)
        envoy = Envoy(self._folder, launch, self._upstream_port, self._listeners(COPIES[0]))
        ended, message, counts, took = StormEnd.LIVES, "", None, 0.0
        try:
            with envoy:
                accepted(envoy)
                ports = {name: envoy.port(name) for name in (PLAIN, TLS)}
                started = time.monotonic()
                try:
                    with storming(self._seed, self._strength.clients, ports) as clients:
                        self._blow(envoy, started + seconds)
                finally:
                    counts, took = clients.counts, time.monotonic() - started
                envoy.provoke("after a storm")
                envoy.check_survived("after a storm")
                self._assert_serves(envoy)
        except HostCrashed as problem:
            ended, message = StormEnd.SIGNAL, str(problem)
        except HostHung as problem:
            ended, message = StormEnd.HANGS, str(problem)
        finally:
            envoy.reap()
        log = envoy.printed()
        return HostStorm(
            self._host.release,
            ended,
            took,
            1,
            message,
            critical_lines(log) if ended is not StormEnd.LIVES else (),
            counts.requests if counts else 0,
            counts.answered if counts else 0,
            counts.resets if counts else 0,
            counts.refused if counts else 0,
            self._updates,
            Events.of_log(log),
        )

    def _blow(self, envoy: Envoy, end: float) -> None:
        """Swaps the modules by updates until the end.

        Raises:
            HostCrashed: the Envoy ends before.
            HostHung: it takes an update no more.
        """
        never = threading.Event()
        every = self._strength.update_every_s
        next_update = time.monotonic() + every
        envoy.provoke("in a storm")
        while (now := time.monotonic()) < end:
            envoy.check_alive()
            if every and now >= next_update:
                self._updates += 1
                update = envoy.update(*self._listeners(COPIES[self._updates % len(COPIES)]))
                if not update.accepted:
                    raise ModuleRejected(update.message)
                next_update = time.monotonic() + every
            never.wait(min(_LOOK_EVERY_S, max(0.0, end - now)))

    def _assert_serves(self, envoy: Envoy) -> None:
        """Asks it once more, without modules. The listeners of the storm stay: that they go is an update like any other.

        Raises:
            HostCrashed, HostHung: it does not answer.
        """
        update = envoy.update(*self._listeners(COPIES[self._updates % len(COPIES)]), Listener("after"))
        answer = envoy.request(DIRECT_PATH, listener="after") if update.accepted else None
        if answer is None or answer.status != 200:
            raise HostHung(f"expected it to serve after the storm, saw {answer.summary if answer else update.message}")

    def _listeners(self, module: str) -> tuple[Listener, ...]:
        """Returns the listeners of the storm, with one of the modules."""
        config = f"{self._strength.threads}:{self._seed}:{module}"
        plain, tls = (Listener(name, (HttpFilter(ModuleRef(module), "storm", config),)) for name in (PLAIN, TLS))
        message = tls.to_json()
        context = message_of(
            "transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context={"tls_certificates": [self._pair]}
        )
        message["filter_chains"][0]["transport_socket"] = {"name": "tls", "typed_config": context}
        return plain, WrittenListener(TLS, tls.filters, message=message)

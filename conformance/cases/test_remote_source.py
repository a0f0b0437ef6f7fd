"""Modules that a host fetches over HTTP. The documents name the statistics of it only; the rest is reported as facts.

Who built the module does not matter, so one language is enough.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from dmconform.casekit import (
    LOG_LINE_S,
    MODULE_SOURCE,
    PROBE,
    REQUEST_S,
    SHORT_FETCH_S,
    Cell,
    Envoy,
    HttpFilter,
    Language,
    Listener,
    Manner,
    Minor,
    ModuleRef,
    PerRoute,
    RemoteSource,
    Reply,
    SourceServer,
    accepted,
    case,
    identity_of,
    poll,
    refusing_port,
)

ONE = (Language.CPP,)
NO_LANGUAGE: tuple[Language, ...] = ()
SINCE = Minor.parse("1.38")
PATH = "/module.so"
LIMIT_BYTES = 32 << 20
"""What hosts take of an answer to one of their own requests, unless their runtime has `http.async_response_buffer_limit`."""

PIECE_BYTES = 1 << 16
"""A module of that size is not held in memory as a whole: cells run side by side."""


def probe_bytes(cell: Cell) -> bytes:
    """Returns the module as it is offered."""
    cell.needs(cell.host_minor >= SINCE, "hosts fetch modules from 1.38 on")
    cell.needs(cell.sdk_minor == cell.host_minor, "fetched is a module of the host's own minor: who built it does not matter")
    return Path(cell.sdk.modules[PROBE].path).read_bytes()


def digest(data: bytes) -> str:
    """Its SHA-256."""
    return hashlib.sha256(data).hexdigest()


def remote(name: str, source: RemoteSource, status: int = 418) -> Listener:
    """Returns a listener whose filter answers with this status, if it is installed."""
    return Listener(name, (HttpFilter(ModuleRef(name, remote=source), "local_reply", str(status)),))


def cached(cell: Cell, wanted: str) -> Path:
    """Returns where hosts keep a module of a digest that they fetched."""
    return cell.folder / f"envoy_dynamic_module_{wanted}.so"


def kept_is(cell: Cell, wanted: str) -> None:
    """Asserts that what is kept is the module of a digest that was fetched."""
    with cached(cell, wanted).open("rb") as kept:
        seen = hashlib.file_digest(kept, "sha256").hexdigest()
    assert seen == wanted, f"expected the fetched module to be kept and in use, another file is: {seen}"


@contextlib.contextmanager
def started(cell: Cell, port: int, *listeners: Listener) -> Iterator[Envoy]:
    """Yields an Envoy that accepted these listeners, has its modules from this port and keeps them in the cell's folder."""
    kept = {"TMPDIR": str(cell.folder)}
    with cell.start_anyhow(*listeners, environment=kept, clusters={MODULE_SOURCE: port}) as envoy:
        yield accepted(envoy)


def answers(envoy: Envoy, expected: int, listener: str = "main") -> None:
    """Asserts that a listener answers with this status."""
    status = envoy.request("/", listener=listener).status
    what = "the module to answer 418" if expected == 418 else f"the listener to answer {expected}"
    assert status == expected, f"expected {what}, saw {status}"


def fetched(source: SourceServer, times: int) -> None:
    """Asserts that the module was asked for so often."""
    seen = source.count_fetches(PATH)
    assert seen == times, f"expected {times} fetch(es) of the module, saw {seen}"


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_right_digest(cell: Cell) -> None:
    """A module with the SHA-256 that the configuration says is fetched once, and serves."""
    data = probe_bytes(cell)
    with cell.source_server() as source:
        source.offer(PATH, Reply(data))
        with started(cell, source.port, remote("main", RemoteSource(PATH, digest(data)))) as envoy:
            answers(envoy, 418)
            cell.facts["lines on a kept module"] = str(sum("SHA256" in line for line in envoy.read_log().splitlines()))
        fetched(source, 1)


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_fetched_while_warming(cell: Cell) -> None:
    """While the module is being fetched for an update, the listener before serves on; the new one replaces it afterwards."""
    data = probe_bytes(cell)
    with cell.source_server() as source:
        source.offer(PATH, Reply(data, manner=Manner.HELD))
        with started(cell, source.port, Listener("main")) as envoy:
            update = envoy.update(remote("main", RemoteSource(PATH, digest(data), timeout_s=LOG_LINE_S)))
            assert update.accepted, f"expected the update to be accepted, it was rejected: {update.message}"
            assert poll(lambda: source.count_fetches(PATH) > 0, LOG_LINE_S), (
                "expected the module to be fetched, no request for it came"
            )
            answers(envoy, 200)
            source.let_go()
            done = poll(lambda: envoy.request("/").status == 418, LOG_LINE_S)
            assert done, "expected the module to answer once it was fetched, it does not"


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_cached(cell: Cell) -> None:
    """A module that was fetched is kept: neither a further listener nor another Envoy fetches it again."""
    data = probe_bytes(cell)
    with cell.source_server() as source:
        source.offer(PATH, Reply(data))
        main, further = (remote(name, RemoteSource(PATH, digest(data))) for name in ("main", "further"))
        with started(cell, source.port, main) as envoy:
            update = envoy.update(main, further)
            assert update.accepted, f"expected a further listener to be accepted, it was rejected: {update.message}"
            answers(envoy, 418, "further")
        with started(cell, source.port, main) as envoy:
            answers(envoy, 418)
        fetched(source, 1)


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_cache_tampered(cell: Cell) -> None:
    """A kept module that is no longer what was fetched is not used, but fetched again."""
    data = probe_bytes(cell)
    with cell.source_server() as source:
        source.offer(PATH, Reply(data))
        cached(cell, digest(data)).write_bytes(b"no library")
        kept = {"TMPDIR": str(cell.folder)}
        main = remote("main", RemoteSource(PATH, digest(data)))
        with cell.start_anyhow(main, environment=kept, clusters={MODULE_SOURCE: source.port}) as envoy:
            seen = envoy.first_update
            assert seen.accepted, f"expected the kept file not to be used, the configuration was rejected: {seen.message}"
            answers(envoy, 418)
            kept_is(cell, digest(data))
        fetched(source, 1)


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_cache_replaced(cell: Cell) -> None:
    """Another module in the place of a kept one is not loaded."""
    data = probe_bytes(cell)
    with cell.source_server() as source:
        source.offer(PATH, Reply(data))
        other = data + b"another one, which can be loaded all the same"
        for times in (1, 2):  # there before it was ever fetched, and in the place of what was fetched
            cached(cell, digest(data)).write_bytes(other)
            with started(cell, source.port, remote("main", RemoteSource(PATH, digest(data)))) as envoy:
                answers(envoy, 418)
                kept_is(cell, digest(data))
            fetched(source, times)


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_two_at_once(cell: Cell) -> None:
    """Two listeners that want the same module at the same time both get it."""
    data = probe_bytes(cell)
    with cell.source_server() as source:
        source.offer(PATH, Reply(data))
        listeners = [remote(name, RemoteSource(PATH, digest(data))) for name in ("first", "second")]
        with started(cell, source.port, *listeners) as envoy:
            answers(envoy, 418, "first")
            answers(envoy, 418, "second")
        cell.facts["fetches"] = str(source.count_fetches(PATH))


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_retry(cell: Cell) -> None:
    """A fetch that fails is tried again as the configuration says, and the module serves then."""
    data = probe_bytes(cell)
    with cell.source_server() as source:
        source.offer(PATH, Reply(status=503), Reply(data, manner=Manner.CUT), Reply(data))
        with started(cell, source.port, remote("main", RemoteSource(PATH, digest(data), retries=2))) as envoy:
            answers(envoy, 418)
        fetched(source, 3)


def padded(data: bytes, size: int) -> tuple[Reply, str]:
    """Returns an answer with a module of so many bytes, and its digest: a loader does not look at what follows a library."""
    padding = size - len(data)
    found = hashlib.sha256(data)
    for left in range(padding, 0, -PIECE_BYTES):
        found.update(bytes(min(left, PIECE_BYTES)))
    return Reply(data, padding=padding), found.hexdigest()


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_large(cell: Cell) -> None:
    """A module of 32 MiB, which is as large as an answer may be that a host asks for itself, is fetched and serves."""
    reply, wanted = padded(probe_bytes(cell), LIMIT_BYTES)
    with cell.source_server() as source:
        source.offer(PATH, reply)
        with started(cell, source.port, remote("main", RemoteSource(PATH, wanted, timeout_s=REQUEST_S))) as envoy:
            answers(envoy, 418)
            kept_is(cell, wanted)
        fetched(source, 1)


def fails_open(cell: Cell, reply: Reply, expected_digest: str, timeout_s: float = 2.0) -> None:
    """Asserts that a listener serves without its module where that cannot be fetched and loaded."""
    with cell.source_server() as source:
        source.offer(PATH, reply)
        with started(cell, source.port, remote("main", RemoteSource(PATH, expected_digest, timeout_s))) as envoy:
            answers(envoy, 200)
        fetched(source, 1)


@case("remote.fail_open", languages=ONE, supported_for=NO_LANGUAGE)
def test_wrong_digest(cell: Cell) -> None:
    """A module with another SHA-256 is not loaded, and requests pass without it."""
    data = probe_bytes(cell)
    fails_open(cell, Reply(data), digest(data + b"another one"))


@case("remote.fail_open", languages=ONE, supported_for=NO_LANGUAGE)
def test_not_found(cell: Cell) -> None:
    """Where the server answers 404, requests pass without the module, whatever the body."""
    data = probe_bytes(cell)
    fails_open(cell, Reply(data, 404), digest(data))


@case("remote.fail_open", languages=ONE, supported_for=NO_LANGUAGE)
def test_server_error(cell: Cell) -> None:
    """Where the server answers 500, requests pass without the module, whatever the body."""
    data = probe_bytes(cell)
    fails_open(cell, Reply(data, 500), digest(data))


@case("remote.fail_open", languages=ONE, supported_for=NO_LANGUAGE)
def test_cut_off(cell: Cell) -> None:
    """Where the connection ends amid the module, requests pass without it."""
    data = probe_bytes(cell)
    fails_open(cell, Reply(data, manner=Manner.CUT), digest(data))


@case("remote.fail_open", languages=ONE, supported_for=NO_LANGUAGE)
def test_too_large(cell: Cell) -> None:
    """Where the module is one byte larger than that limit, requests pass without it, and the log says why."""
    reply, wanted = padded(probe_bytes(cell), LIMIT_BYTES + 1)
    fails_open(cell, reply, wanted, REQUEST_S)
    logged = "buffer size limit for async client response body has been exceeded"
    assert logged in cell.read_logs(), f"expected the log to say {logged!r}, it does not"


@case("remote.fail_open", languages=ONE, supported_for=NO_LANGUAGE)
def test_too_slow(cell: Cell) -> None:
    """Where the server does not answer in time, requests pass without the module."""
    data = probe_bytes(cell)
    fails_open(cell, Reply(data, manner=Manner.HELD), digest(data), SHORT_FETCH_S)


@case("remote.fail_open", languages=ONE, supported_for=NO_LANGUAGE)
def test_no_library(cell: Cell) -> None:
    """What has the right SHA-256 but is no library is not loaded, and requests pass without it."""
    probe_bytes(cell)
    text = b"no library"
    fails_open(cell, Reply(text), digest(text))


@case("remote.fail_open", languages=ONE, supported_for=NO_LANGUAGE)
def test_refused(cell: Cell) -> None:
    """Where no server listens, requests pass without the module."""
    data = probe_bytes(cell)
    with refusing_port() as port, started(cell, port, remote("main", RemoteSource(PATH, digest(data)))) as envoy:
        answers(envoy, 200)


def misses(envoy: Envoy, wanted: Listener) -> None:
    """Asserts that the Envoy rejects a listener because its module is not there yet, and the one before serves on."""
    update = envoy.update(wanted)
    assert not update.accepted, "expected the update to be rejected until the module is there, it was accepted"
    assert "not cached" in update.message, f"expected the rejection to say that it is not cached, it says: {update.message}"
    answers(envoy, 200)


@case("remote.nack", languages=ONE, supported_for=NO_LANGUAGE)
def test_nack_on_cache_miss(cell: Cell) -> None:
    """With nack_on_cache_miss the first push is rejected, the module is fetched, and the next push is accepted."""
    data = probe_bytes(cell)
    with cell.source_server() as source:
        source.offer(PATH, Reply(data))
        wanted = remote("main", RemoteSource(PATH, digest(data), nack_on_cache_miss=True))
        with started(cell, source.port, Listener("main")) as envoy:
            misses(envoy, wanted)
            assert poll(cached(cell, digest(data)).exists, LOG_LINE_S), (
                "expected the module to be fetched after the rejection, it is not"
            )
            update = envoy.update(wanted)
            assert update.accepted, f"expected the next push to be accepted, it was rejected: {update.message}"
            answers(envoy, 418)
        fetched(source, 1)


@case("remote.nack", languages=ONE, supported_for=NO_LANGUAGE)
def test_nack_one_fetch_at_a_time(cell: Cell) -> None:
    """With nack_on_cache_miss a push during the fetch is rejected too, and starts no second one."""
    data = probe_bytes(cell)
    with cell.source_server() as source:
        source.offer(PATH, Reply(data, manner=Manner.HELD))
        wanted = remote("main", RemoteSource(PATH, digest(data), timeout_s=LOG_LINE_S, nack_on_cache_miss=True))
        with started(cell, source.port, Listener("main")) as envoy:
            for _ in range(2):
                misses(envoy, wanted)
            source.let_go()
            assert poll(cached(cell, digest(data)).exists, LOG_LINE_S), "expected the module to be fetched in the end"
        fetched(source, 1)


@case("remote.nack", languages=ONE, supported_for=NO_LANGUAGE)
def test_nack_retry(cell: Cell) -> None:
    """With nack_on_cache_miss a fetch that failed is tried again at the next push, and the one after is accepted."""
    data = probe_bytes(cell)
    with cell.source_server() as source:
        source.offer(PATH, Reply(status=503), Reply(data))
        wanted = remote("main", RemoteSource(PATH, digest(data), nack_on_cache_miss=True))
        with started(cell, source.port, Listener("main")) as envoy:
            misses(envoy, wanted)
            failed = poll(lambda: bool(envoy.counters("cluster.module_source.upstream_rq_503")), LOG_LINE_S)
            assert failed, "expected the module to be fetched after the rejection, it is not"
            misses(envoy, wanted)
            assert poll(cached(cell, digest(data)).exists, LOG_LINE_S), "expected the module to be fetched again, it is not"
            update = envoy.update(wanted)
            assert update.accepted, f"expected the push after that to be accepted, it was rejected: {update.message}"
            answers(envoy, 418)
        fetched(source, 2)


@case("remote.fetched", "rtld.load_globally", languages=ONE, supported_for=NO_LANGUAGE)
def test_loaded_globally(cell: Cell) -> None:
    """A remote module is loaded globally where the configuration says so, both as it comes and once it is kept."""
    data = probe_bytes(cell)
    with cell.source_server() as source:
        source.offer(PATH, Reply(data))
        module = ModuleRef("main", load_globally=True, remote=RemoteSource(PATH, digest(data)))
        for when in ("as it comes", "once it is kept"):
            with started(cell, source.port, Listener("main", (HttpFilter(module, "identity"),))) as envoy:
                seen, expected = identity_of(envoy.request("/"), "global"), cached(cell, digest(data)).name
                assert seen == expected, f"expected the symbols of {expected} to be visible globally {when}, found {seen}"
        fetched(source, 1)


def asked(source: SourceServer, times: int) -> bool:
    """Returns whether the module was asked for so often, or more."""
    return source.count_fetches(PATH) >= times


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_not_for_routes(cell: Cell) -> None:
    """A per-route configuration takes no module from a remote source, kept or not: it is rejected, and nothing is fetched."""
    data = probe_bytes(cell)
    cell.install()
    filter_ = HttpFilter(ModuleRef(PROBE), "per_route", "T")
    with cell.source_server() as source:
        source.offer(PATH, Reply(data))
        wanted = RemoteSource(PATH, digest(data))
        of_route = PerRoute(filter_.entry, ModuleRef("remote", remote=wanted), "per_route", "R")
        with cell.start_anyhow(
            Listener("main"),
            search_path=cell.modules_folder,
            environment={"TMPDIR": str(cell.folder)},
            clusters={MODULE_SOURCE: source.port},
        ) as envoy:
            steps: tuple[tuple[str, tuple[Listener, ...], int], ...] = (
                ("before it is fetched", (), 0),
                ("once it is kept", (remote("first", wanted),), 1),
            )
            for when, first, times in steps:
                assert envoy.update(Listener("main"), *first).accepted, "expected a module for a filter to be accepted"
                assert poll(partial(asked, source, times), LOG_LINE_S), (
                    "expected the module to be fetched, no request for it came"
                )
                update = envoy.update(Listener("main", (filter_,), (of_route,)), *first)
                assert not update.accepted, f"expected the per-route configuration to be rejected {when}, it was accepted"
                answers(envoy, 200)
        fetched(source, 1)

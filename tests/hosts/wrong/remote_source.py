"""Ways to make the cases of `remote_source` wrong."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from dmconform.core.values import Outcome
from dmconform.envoy.config import Listener, RemoteSource
from dmconform.envoy.source_server import Reply, SourceServer, source_server
from dmconform.matrix.cell import Cell

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong

Replies = tuple[Reply, ...]


def source(change: Callable[[RemoteSource], RemoteSource]) -> Sabotage:
    """Remote modules are named to Envoy in another way than the case says."""
    return sabotage.modules(lambda module: replace(module, remote=change(module.remote) if module.remote else None))


def offered(change: Callable[[Replies], Replies]) -> Sabotage:
    """The server does not answer as the case says."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        offer = SourceServer.offer
        patch.setattr(SourceServer, "offer", lambda server, path, *replies: offer(server, path, *change(replies)))
        return bench

    return apply


def impatient(then: Sabotage) -> Sabotage:
    """Waits that must end in vain are short."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(case, "LOG_LINE_S", 0.5)
        return then(bench, case, patch)

    return apply


def comes_right(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The server offers the right module, and the configuration has its SHA-256."""
    data = Path(bench.plan.sdk("cpp@1.39:reference").modules["probe"].path).read_bytes()
    right = hashlib.sha256(data).hexdigest()
    bench = source(lambda one: replace(one, sha256=right, timeout_s=2.0))(bench, case, patch)
    return offered(lambda _: (Reply(data),))(bench, case, patch)


def somebody_listens(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The port that should refuse connections has a server with the module."""
    data = Path(bench.plan.sdk("cpp@1.39:reference").modules["probe"].path).read_bytes()

    @contextlib.contextmanager
    def listening() -> Iterator[int]:
        with source_server() as server:
            server.offer("/module.so", Reply(data))
            yield server.port

    patch.setattr(case, "refusing_port", listening)
    return bench


def without_filter(name: str) -> Sabotage:
    """A listener has no filters."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        to_json = Listener.to_json
        patch.setattr(Listener, "to_json", lambda one: to_json(replace(one, filters=()) if one.name == name else one))
        return bench

    return apply


def _kept_elsewhere(cell: Cell, options: dict[str, Any]) -> None:
    folder = cell.folder / f"kept-{len(list(cell.folder.glob('kept-*')))}"
    folder.mkdir()
    options["environment"] = {"TMPDIR": str(folder)}


kept_elsewhere = sabotage.start_with(_kept_elsewhere)
"""Each Envoy keeps modules in a folder of its own."""
other_digest = source(lambda one: replace(one, sha256="0" * 64))
missing = offered(lambda _: (Reply(status=404),))
nack = source(lambda one: replace(one, nack_on_cache_miss=True))
no_nack = source(lambda one: replace(one, nack_on_cache_miss=False))
NOT_SERVED = "expected the module to answer 418, saw 200"
SERVED = "expected the listener to answer 200, saw 418"

FAIL_OPEN = ("wrong_digest", "not_found", "server_error", "cut_off", "too_slow", "too_large", "no_library")

TABLE = (
    Wrong("remote_source/right_digest", "another digest", other_digest, NOT_SERVED),
    Wrong("remote_source/right_digest", "not there", missing, NOT_SERVED),
    Wrong(
        "remote_source/right_digest",
        "fetched again",
        offered(lambda replies: (Reply(status=503), *replies)),
        NOT_SERVED,
    ),
    Wrong("remote_source/large", "another digest", other_digest, NOT_SERVED),
    Wrong(
        "remote_source/large",
        "a byte more",
        offered(lambda replies: tuple(replace(one, body=one.body + b"\0") for one in replies)),
        NOT_SERVED,
    ),
    Wrong(
        "remote_source/too_large", "no line in the log", sabotage.log_without("buffer size limit"), "expected the log to say"
    ),
    Wrong("remote_source/fetched_while_warming", "rejected", nack, "expected the update to be accepted"),
    Wrong(
        "remote_source/fetched_while_warming",
        "another digest",
        impatient(other_digest),
        "expected the module to answer once it was fetched",
    ),
    Wrong(
        "remote_source/fetched_while_warming",
        "not remote",
        impatient(without_filter("main")),
        "expected the module to be fetched, no request for it",
    ),
    Wrong("remote_source/cached", "kept elsewhere", kept_elsewhere, r"expected 1 fetch\(es\) of the module, saw 2"),
    Wrong("remote_source/cached", "another digest", other_digest, NOT_SERVED),
    Wrong("remote_source/cache_tampered", "kept elsewhere", kept_elsewhere, "expected the fetched module to be kept"),
    Wrong("remote_source/cache_tampered", "not there", missing, NOT_SERVED),
    Wrong("remote_source/cache_replaced", "kept elsewhere", kept_elsewhere, "expected the fetched module to be kept"),
    Wrong("remote_source/cache_replaced", "not there", missing, NOT_SERVED),
    Wrong("remote_source/two_at_once", "the second without", without_filter("second"), NOT_SERVED),
    Wrong("remote_source/two_at_once", "another digest", other_digest, NOT_SERVED),
    Wrong("remote_source/retry", "no retry", source(lambda one: replace(one, retries=0)), NOT_SERVED),
    Wrong("remote_source/retry", "never there", offered(lambda replies: replies[:2]), NOT_SERVED),
    Wrong("remote_source/retry", "there at once", offered(lambda replies: replies[2:]), r"expected 3 fetch\(es\)"),
    *(Wrong(f"remote_source/{name}", "comes right", comes_right, SERVED) for name in FAIL_OPEN),
    *(
        Wrong(
            f"remote_source/{name}", "never asked for", without_filter("main"), r"expected 1 fetch\(es\) of the module, saw 0"
        )
        for name in FAIL_OPEN
    ),
    Wrong("remote_source/refused", "somebody listens", somebody_listens, SERVED),
    Wrong("remote_source/refused", "rejected", nack, "not cached", Outcome.REJECTED),
    Wrong(
        "remote_source/loaded_globally",
        "loaded locally",
        sabotage.modules(lambda module: replace(module, load_globally=False)),
        "to be visible globally as it comes, found none",
    ),
    Wrong("remote_source/loaded_globally", "not there", missing, "expected the header x-dmconform-global"),
    Wrong("remote_source/loaded_globally", "kept elsewhere", kept_elsewhere, r"expected 1 fetch\(es\) of the module, saw 2"),
    Wrong(
        "remote_source/not_for_routes",
        "not of a route",
        sabotage.no_per_route,
        "expected the per-route configuration to be rejected before it is fetched, it was accepted",
    ),
    Wrong(
        "remote_source/not_for_routes",
        "not fetched for a filter",
        impatient(without_filter("first")),
        "expected the module to be fetched",
    ),
    Wrong("remote_source/nack_on_cache_miss", "flag not set", no_nack, "expected the update to be rejected until"),
    Wrong(
        "remote_source/nack_on_cache_miss",
        "not there",
        impatient(missing),
        "expected the module to be fetched after the rejection",
    ),
    Wrong("remote_source/nack_one_fetch_at_a_time", "flag not set", no_nack, "expected the update to be rejected until"),
    Wrong(
        "remote_source/nack_one_fetch_at_a_time",
        "not there",
        impatient(missing),
        "expected the module to be fetched in the end",
    ),
    Wrong("remote_source/nack_retry", "flag not set", no_nack, "expected the update to be rejected until"),
    Wrong(
        "remote_source/nack_retry",
        "never there",
        impatient(offered(lambda replies: replies[:1])),
        "expected the module to be fetched again",
    ),
    Wrong(
        "remote_source/nack_retry",
        "there at once",
        impatient(offered(lambda replies: replies[1:])),
        "expected the module to be fetched after the rejection",
    ),
)

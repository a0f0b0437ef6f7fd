"""Configuration updates while clients are served: none of them may notice a bad one, nor a good one but by what it changes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from dmconform.casekit import (
    CONFIG_UPDATE_S,
    PROBE,
    REQUEST_S,
    Cell,
    Envoy,
    HttpFilter,
    Language,
    Listener,
    LoadClient,
    ModuleRef,
    ModuleRejected,
    PerRoute,
    Protocol,
    Request,
    Routes,
    accepted,
    assert_unloaded,
    case,
    listener,
    load,
    poll,
)

ONE = (Language.CPP,)
OLD, NEW = 418, 422
UPDATES = 100
DRAIN_S = 24 * 3600
"""Much longer than a cell: connections of what is replaced may go on. Near the end, more and more of them are closed."""
ROUTE = "x-dmconform-route"
REJECTED_ROUTES = "http.main.rds.main.update_rejected"


@contextlib.contextmanager
def serving(cell: Cell, *listeners: Listener) -> Iterator[Envoy]:
    """Yields an Envoy with these listeners, and the probe on its search path."""
    cell.install()
    with cell.start_anyhow(*listeners, search_path=cell.modules_folder, drain_s=DRAIN_S) as envoy:
        accepted(envoy)
        cell.loaded = True
        yield envoy


def assert_unbroken(seen: LoadClient, *answers: int | str) -> None:
    """Asserts that every request was answered, in one of these ways."""
    wrong = {what: times for what, times in seen.answers.items() if what not in answers}
    ways = " or ".join(map(str, answers)) if len(answers) < 3 else f"{answers[0]} to {answers[-1]}"
    assert not wrong, f"expected every request to be answered {ways}, saw {wrong} of {seen.total}"


def assert_more_answered(seen: LoadClient, envoy: Envoy) -> None:
    """Waits until a few more requests were answered."""
    before = seen.total
    assert poll(lambda: seen.total >= before + 5, REQUEST_S), f"expected requests to go on, none ends in {REQUEST_S:g} s"
    envoy.check_alive("under load")


def of_route(filter_: HttpFilter, config: str, module: str = PROBE) -> PerRoute:
    """Returns what a filter gets on its route, by the configuration `per_route` of a module."""
    return PerRoute(filter_.entry, ModuleRef(module), "per_route", config)


def update_routes(routes: Routes, envoy: Envoy, *per_route: PerRoute) -> None:
    """Replaces routes by others that must be accepted.

    Raises:
        ModuleRejected: they are not.
    """
    update = routes.update(envoy, *per_route)
    if not update.accepted:
        raise ModuleRejected(update.message)


@case("loading.failure_rejects")
def test_bad_update(cell: Cell) -> None:
    """Bad updates are rejected and counted, and the listener before serves on without a lost request."""
    cell.install("null_program_init")
    (cell.modules_folder / "libtext.so").write_text("no library", encoding="utf-8")
    bad = (
        listener("local_reply", str(NEW), module="absent"),
        listener("local_reply", str(NEW), module="text"),
        listener("local_reply", str(NEW), module="null_program_init"),
        listener("refuse"),
    )
    with serving(cell, listener("local_reply", str(OLD))) as envoy, load(envoy.take_port("main")) as seen:
        assert_more_answered(seen, envoy)
        for number, one in enumerate(bad, 1):
            assert not envoy.update(one).accepted, f"expected bad update {number} to be rejected, it was accepted"
            counted = envoy.counters("listener_manager.lds.update_rejected").get("listener_manager.lds.update_rejected")
            assert counted == number, f"expected {number} rejected update(s) to be counted, saw {counted}"
            assert_more_answered(seen, envoy)
        seen.stop()
        assert_unbroken(seen, OLD)


@case("window.forward", "policy.result")
def test_good_update_under_load(cell: Cell) -> None:
    """An update swaps one module for another under load: each request is answered by one of them, and later by the new one."""
    cell.install(name="other")
    with serving(cell, listener("local_reply", str(OLD))) as envoy, load(envoy.take_port("main")) as seen:
        assert_more_answered(seen, envoy)
        cell.reconfigure(envoy, listener("local_reply", str(NEW), module="other"))
        assert poll(lambda: seen.latest == NEW, CONFIG_UPDATE_S), "expected the new module to answer, it does not"
        assert_more_answered(seen, envoy)
        seen.stop()
        assert_unbroken(seen, OLD, NEW)
        assert seen.turns == [OLD, NEW], f"expected one turn from {OLD} to {NEW}, saw {seen.turns}"


@case("window.forward", "policy.result", languages=ONE)
def test_many_updates(cell: Cell) -> None:
    """A hundred updates in a row, each to the other of two modules, lose no request; the last one holds."""
    cell.install(name="other")
    modules = (PROBE, "other")
    with serving(cell, listener("local_reply", str(OLD))) as envoy, load(envoy.take_port("main")) as seen:
        for number in range(1, UPDATES + 1):
            cell.reconfigure(envoy, listener("local_reply", str(500 + number % 50), module=modules[number % 2]))
        last = 500 + UPDATES % 50
        assert poll(lambda: seen.latest == last, CONFIG_UPDATE_S), (
            f"expected the last update to answer {last}, saw {seen.latest}"
        )
        seen.stop()
        assert_unbroken(seen, OLD, *range(500, 550))


@case("window.forward", "policy.result")
def test_good_update_under_http2(cell: Cell) -> None:
    """So it is with HTTP/2, where requests share connections; one from before the update is served on by the old module."""
    cell.install(name="other")
    with (
        serving(cell, listener("local_reply", str(OLD))) as envoy,
        envoy.connect(Protocol.HTTP2) as connection,
        load(envoy.take_port("main"), protocol=Protocol.HTTP2) as seen,
    ):
        assert_more_answered(seen, envoy)
        status = connection.request(Request()).status
        assert status == OLD, f"expected the old module to answer {OLD}, saw {status}"
        cell.reconfigure(envoy, listener("local_reply", str(NEW), module="other"))
        assert poll(lambda: NEW in seen.answers, CONFIG_UPDATE_S), "expected the new module to answer, it does not"
        status = connection.request(Request()).status
        assert status == OLD, f"expected a connection from before the update to be served on with {OLD}, saw {status}"
        assert_more_answered(seen, envoy)
        seen.stop()
        assert_unbroken(seen, OLD, NEW)
        assert seen.turns == [OLD, NEW], f"expected one turn from {OLD} to {NEW}, saw {seen.turns}"


@case("loading.failure_rejects")
def test_bad_routes(cell: Cell) -> None:
    """Bad per-route configurations that come by discovery are rejected and counted, and the routes before serve on."""
    filter_ = HttpFilter(ModuleRef(PROBE), "per_route")
    routes = Routes(cell.folder, Listener("main", (filter_,), (of_route(filter_, "good"),)))
    bad = (of_route(filter_, "good", "absent"), of_route(filter_, "refuse"), replace(of_route(filter_, "good"), name="unknown"))
    with serving(cell, routes.listener) as envoy, load(envoy.take_port("main"), shows=ROUTE) as seen:
        assert_more_answered(seen, envoy)
        for number, one in enumerate(bad, 1):
            assert not routes.update(envoy, one).accepted, f"expected bad routes {number} to be rejected, they were accepted"
            counted = envoy.counters(REJECTED_ROUTES).get(REJECTED_ROUTES)
            assert counted == number, f"expected {number} rejected update(s) of routes to be counted, saw {counted}"
            assert_more_answered(seen, envoy)
        seen.stop()
        assert_unbroken(seen, "good")


@case("window.forward", "policy.result")
def test_good_routes_under_load(cell: Cell) -> None:
    """An update of routes alone changes what the filter gets from its route, on open connections too, and loses no request."""
    filter_ = HttpFilter(ModuleRef(PROBE), "per_route")
    routes = Routes(cell.folder, Listener("main", (filter_,), (of_route(filter_, "old"),)))
    with (
        serving(cell, routes.listener) as envoy,
        envoy.connect(Protocol.HTTP2) as connection,
        load(envoy.take_port("main"), shows=ROUTE) as seen,
    ):
        assert_more_answered(seen, envoy)
        reported = connection.request(Request()).headers.get(ROUTE)
        assert reported == "old", f"expected the filter to be told 'old', it was told {reported!r}"
        update_routes(routes, envoy, of_route(filter_, "new"))
        assert poll(lambda: seen.latest == "new", CONFIG_UPDATE_S), f"expected the filter to be told 'new', saw {seen.latest!r}"
        reported = connection.request(Request()).headers.get(ROUTE)
        assert reported == "new", (
            f"expected the filter to be told 'new' on a connection from before the update, it was told {reported!r}"
        )
        assert_more_answered(seen, envoy)
        seen.stop()
        assert_unbroken(seen, "old", "new")
        assert seen.turns == ["old", "new"], f"expected one turn from 'old' to 'new', saw {seen.turns}"


@case("window.forward", "policy.result", languages=ONE)
def test_many_routes(cell: Cell) -> None:
    """A hundred updates of routes in a row, each to the other of two modules, lose no request; the last one holds."""
    files = [cell.install(name=name) for name in ("even", "odd")]
    filter_ = HttpFilter(ModuleRef(PROBE), "per_route")
    watched = HttpFilter(ModuleRef(PROBE), "identity")  # its route configures it by a separate module, which it ignores
    routes = Routes(cell.folder, Listener("main", (filter_, watched), (of_route(filter_, "0"),)))
    with serving(cell, routes.listener) as envoy, load(envoy.take_port("main"), shows=ROUTE) as seen:
        assert_more_answered(seen, envoy)
        for number in range(1, UPDATES + 1):
            module = ("even", "odd")[number % 2]
            update_routes(routes, envoy, of_route(filter_, str(number)), of_route(watched, "unheard", module))
        assert poll(lambda: seen.latest == str(UPDATES), CONFIG_UPDATE_S), (
            f"expected the filter to be told {UPDATES} in the end, saw {seen.latest}"
        )
        seen.stop()
        assert_unbroken(seen, *map(str, range(UPDATES + 1)))
        assert_unloaded(envoy, files[1], "with the last route that names it")
        assert envoy.has_mapped(files[0]), "expected libeven.so to stay loaded while a route names it, it is gone"

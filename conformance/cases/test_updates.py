"""Configuration updates while clients are served: none of them may notice a bad one, nor a good one but by what it changes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from harness.model import Language, Relation
from harness.plan.cases import case
from harness.run import config
from harness.run.cell import PROBE, Cell, listener
from harness.run.config import HttpFilter, Listener, ModuleRef, PerRoute
from harness.run.envoy import Envoy, accepted
from harness.run.load import Load, load
from harness.run.waiting import poll
from harness.timeouts import CONFIG_UPDATE_S, REQUEST_S

ONE = (Language.CPP,)
OLD, NEW = 418, 422
UPDATES = 100
DRAIN_S = 60
"""Longer than a cell: connections of what is replaced may go on. Were they cut, requests in flight on them would be lost."""


@contextlib.contextmanager
def serving(cell: Cell, *listeners: Listener) -> Iterator[Envoy]:
    """An Envoy with these listeners, and the probe on its search path."""
    cell.install()
    with cell.start_anyhow(*listeners, search_path=cell.modules_folder, drain_s=DRAIN_S) as envoy:
        accepted(envoy)
        cell.loaded = True
        yield envoy


def unbroken(seen: Load, *statuses: int) -> None:
    """Every request was answered, by one of these statuses."""
    wrong = {what: times for what, times in seen.answers.items() if what not in statuses}
    assert not wrong, f"expected every request to be answered {' or '.join(map(str, statuses))}, saw {wrong} of {seen.total}"


def more(seen: Load, envoy: Envoy) -> None:
    """Waits until a few more requests were answered."""
    before = seen.total
    assert poll(lambda: seen.total >= before + 5, REQUEST_S), f"expected requests to go on, none ends in {REQUEST_S:g} s"
    envoy.check_alive("under load")


@case("loading.failure_rejects")
def test_bad_update(cell: Cell) -> None:
    """Bad updates are rejected and counted, and the listener before serves on without a lost request."""
    cell.install("null_program_init")
    (cell.modules_folder / "libtext.so").write_text("no library")
    bad = (
        listener("local_reply", str(NEW), module="absent"),
        listener("local_reply", str(NEW), module="text"),
        listener("local_reply", str(NEW), module="null_program_init"),
        listener("refuse"),
    )
    with serving(cell, listener("local_reply", str(OLD))) as envoy, load(envoy.port("main")) as seen:
        more(seen, envoy)
        for number, one in enumerate(bad, 1):
            assert not envoy.update(one).accepted, f"expected bad update {number} to be rejected, it was accepted"
            counted = envoy.counters("listener_manager.lds.update_rejected").get("listener_manager.lds.update_rejected")
            assert counted == number, f"expected {number} rejected update(s) to be counted, saw {counted}"
            more(seen, envoy)
        seen.stop()
        unbroken(seen, OLD)


@case("window.forward")
def test_good_update_under_load(cell: Cell) -> None:
    """An update swaps one module for another under load: each request is answered by one of them, and later by the new one."""
    cell.install(name="other")
    with serving(cell, listener("local_reply", str(OLD))) as envoy, load(envoy.port("main")) as seen:
        more(seen, envoy)
        cell.reconfigure(envoy, listener("local_reply", str(NEW), module="other"))
        assert poll(lambda: seen.latest == NEW, CONFIG_UPDATE_S), "expected the new module to answer, it does not"
        more(seen, envoy)
        seen.stop()
        unbroken(seen, OLD, NEW)
        assert seen.turns == [OLD, NEW], f"expected one turn from {OLD} to {NEW}, saw {seen.turns}"


@case("window.forward", languages=ONE)
def test_many_updates(cell: Cell) -> None:
    """A hundred updates in a row, each to the other of two modules, lose no request; the last one holds."""
    cell.needs(cell.relation is not Relation.BEYOND, "takes long, and is tried inside the window only")
    cell.install(name="other")
    modules = (PROBE, "other")
    with serving(cell, listener("local_reply", str(OLD))) as envoy, load(envoy.port("main")) as seen:
        for number in range(1, UPDATES + 1):
            cell.reconfigure(envoy, listener("local_reply", str(500 + number % 50), module=modules[number % 2]))
        last = 500 + UPDATES % 50
        assert poll(lambda: seen.latest == last, CONFIG_UPDATE_S), (
            f"expected the last update to answer {last}, saw {seen.latest}"
        )
        seen.stop()
        unbroken(seen, OLD, *range(500, 550))


@case("loading.failure_rejects", languages=ONE)
def test_bad_routes(cell: Cell) -> None:
    """A bad per-route configuration that comes by discovery is rejected and counted, and the routes before serve on."""
    filter_ = HttpFilter(ModuleRef(PROBE), "identity")
    routes_file = cell.folder / "routes.json"
    plain = Listener("main", (filter_,), routes_file=routes_file)
    routes_file.write_text(config.route_discovery(1, plain))
    bad = Listener("main", (filter_,), (PerRoute(filter_.entry, ModuleRef("absent"), "identity"),), routes_file)
    statistic = "http.main.rds.main.update_rejected"
    with serving(cell, plain) as envoy, load(envoy.port("main")) as seen:
        more(seen, envoy)
        part = routes_file.with_suffix(".part")
        part.write_text(config.route_discovery(2, bad))
        part.replace(routes_file)
        counted = poll(lambda: envoy.counters(statistic).get(statistic) or None, CONFIG_UPDATE_S)
        assert counted == 1, f"expected 1 rejected update of routes to be counted, saw {counted}"
        more(seen, envoy)
        seen.stop()
        unbroken(seen, 200)

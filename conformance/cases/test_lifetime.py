"""From load to unload: constructors and destructors, thread-local variables, and who keeps a module loaded besides filters.

How a library is linked does not depend on its language: the modules for that are of the C++ build.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from dmconform.casekit import (
    LOG_LINE_S,
    PROBE,
    REQUEST_S,
    Cell,
    Envoy,
    HttpFilter,
    Language,
    Listener,
    ModuleRef,
    ModuleRejected,
    PerRoute,
    Protocol,
    Request,
    Routes,
    accepted,
    assert_drained,
    assert_unloaded,
    case,
    identity_of,
    listener,
    poll,
)

ONE = (Language.CPP,)
WORKERS = 2
REQUESTS = 40
"""So many that each worker gets some: that one gets none has a chance of 1 in 2^39."""


def lived(envoy: Envoy, *expected: str) -> None:
    """Asserts that the library's constructor and destructor have run as expected; an ended Envoy's have printed all."""

    def seen() -> list[str]:
        lines = (line.partition("dmconform: ")[2] for line in envoy.read_log().splitlines())
        return [line for line in lines if line in ("constructed", "destructed")]

    poll(lambda: len(seen()) >= len(expected), LOG_LINE_S)
    assert seen() == list(expected), f"expected the library to have been {', '.join(expected)}; it was {', '.join(seen())}"


@case("rtld.closed_at_last_reference", "identity.reuse", languages=ONE)
def test_constructors_and_destructors(cell: Cell) -> None:
    """A library's constructor runs once for each load, however many use it; its destructor once, at the unload."""
    module = cell.install("lifetime")
    first, second = (listener("identity", name=name, module="lifetime") for name in "ab")
    with cell.start(first, second, module="lifetime") as envoy:
        cell.reconfigure(envoy, second)
        assert_drained(envoy)
        identity_of(envoy.request("/", listener="b"), "count")
        lived(envoy, "constructed")
        cell.reconfigure(envoy)
        assert_unloaded(envoy, module)
        lived(envoy, "constructed", "destructed")
        cell.reconfigure(envoy, first)
    lived(envoy, "constructed", "destructed", "constructed", "destructed")


@case("rtld.do_not_close", languages=ONE)
def test_kept_is_not_destructed(cell: Cell) -> None:
    """With do_not_close the destructor does not run while the process lives, nor the constructor a second time."""
    user = listener("identity", module=ModuleRef("lifetime", do_not_close=True))
    stays(cell, "lifetime", user)


@case("rtld.closed_at_last_reference", languages=ONE, supported_for=())
def test_marked_nodelete(cell: Cell) -> None:
    """A module that is marked NODELETE stays as if do_not_close were set: it is not destructed, and keeps its state."""
    stays(cell, "nodelete", listener("identity", module="nodelete"))


def stays(cell: Cell, name: str, user: Listener) -> None:
    """Asserts that a module whose only user goes and comes again is constructed once, and not destructed before the end."""
    module = cell.install(name)
    with cell.start(user, module=name) as envoy:
        count = identity_of(envoy.request("/"), "count")
        assert count == "1", f"expected a fresh module to count 1, it counts {count}"
        cell.reconfigure(envoy)
        assert_drained(envoy)
        assert envoy.has_mapped(module), f"expected {module.name} to stay loaded, it is gone"
        cell.reconfigure(envoy, user)
        count = identity_of(envoy.request("/"), "count")
        assert count == "2", f"expected the module to have kept its state and count 2, it counts {count}"
        lived(envoy, "constructed")
    log = envoy.read_log()
    cell.facts["destructed as the process ends"] = "yes" if "dmconform: destructed" in log else "no"


@case("rtld.closed_at_last_reference", "identity.reuse", languages=ONE, supported_for=())
def test_thread_local(cell: Cell) -> None:
    """A thread-local variable is each worker's own, outlives an update, does not keep the module loaded, and starts afresh."""
    module = cell.install("thread_local")
    first, second = (listener("thread_local", name=name, module="thread_local") for name in "ab")
    with cell.start(first, second, module="thread_local", concurrency=WORKERS) as envoy:
        numbers = counted(envoy, "a")
        each_worker_counts(numbers)
        cell.reconfigure(envoy, second)
        assert_drained(envoy)
        each_worker_counts(numbers + counted(envoy, "b"))
        cell.reconfigure(envoy)
        assert_unloaded(envoy, module)
        cell.reconfigure(envoy, first)
        each_worker_counts(counted(envoy, "a"))


def counted(envoy: Envoy, name: str) -> list[int]:
    """Returns what the workers count that answer `REQUESTS` requests."""
    return [int(identity_of(envoy.request("/", listener=name), "thread-local")) for _ in range(REQUESTS)]


def each_worker_counts(numbers: list[int]) -> None:
    """Asserts that the numbers are those of two workers that have both counted from 1 on, each for itself."""
    most = max(numbers)
    rest = len(numbers) - most
    expected = Counter(range(1, most + 1)) + Counter(range(1, rest + 1))
    right = rest > 0 and Counter(numbers) == expected
    assert right, f"expected {WORKERS} workers to have counted from 1 on, each for itself; they have counted {sorted(numbers)}"


WITNESS = "witness"
NAME, TEXT = "any name", "a text: ünïcode, \0, and a space "
"""A text that shows whether each byte comes to the module."""


def witnessed(envoy: Envoy) -> list[str]:
    """Returns what the module `witness` wrote of itself."""
    return re.findall(r"^dmconform: witness (.*)$", envoy.read_log(), re.MULTILINE)


@case("rtld.closed_at_last_reference", "identity.reuse", languages=ONE, supported_for=(), own_minor=True)
def test_each_step_once(cell: Cell) -> None:
    """A module is opened, initialised, configured with each byte, and closed, each once, all on the main thread."""
    module = cell.install(WITNESS)
    users, configured = [], []
    for name, text in (("a", TEXT), ("b", "another text")):
        filter_ = HttpFilter(ModuleRef(WITNESS), NAME, text)
        users.append(Listener(name, (filter_,), (PerRoute(filter_.entry, filter_.module, NAME, text),)))
        given = f"on the main thread with {NAME.encode().hex()} {text.encode().hex()}"
        configured += [f"configured {given}", f"configured for a route {given}", "destroyed a configuration on the main thread"]
    with cell.start(*users, module=WITNESS) as envoy:
        cell.reconfigure(envoy)
        assert_unloaded(envoy, module)
    begins = [
        "opened on the main thread",
        f"initialised on the main thread, is {module}, and finds its marker in {module}",
    ]
    expected = [*begins, *configured, "closed on the main thread"]
    seen = witnessed(envoy)
    assert sorted(seen) == sorted(expected), f"expected the module to see {expected}, it saw {seen}"
    assert (seen[:2], seen[-1]) == (begins, expected[-1]), (
        f"expected it to be opened and initialised first and closed last, saw {seen}"
    )


@case("discovery.search_path", "identity.path_and_inode", languages=ONE, supported_for=(), own_minor=True)
def test_path_as_it_is_named(cell: Cell) -> None:
    """A module sees itself under the path that the variable and its name make, with symbolic links as they are."""
    cell.install(WITNESS, folder="real")
    folder, file = cell.folder / "link", cell.folder / "real" / "liblinked.so"
    folder.symlink_to("real")
    file.symlink_to(f"lib{WITNESS}.so")
    for name in ("linked", WITNESS):
        with cell.start_anyhow(listener(NAME, module=name), search_path=folder) as envoy:
            accepted(envoy)
        expected = f"is {folder / f'lib{name}.so'},"
        seen = witnessed(envoy)
        assert any(expected in line for line in seen), f"expected the module to say that it {expected} it said {seen}"


def of_route(filter_: HttpFilter, module: str, config: str = "R") -> PerRoute:
    """Returns what a filter gets on its route, by the configuration `per_route` of a module."""
    return PerRoute(filter_.entry, ModuleRef(module), "per_route", config)


def update_routes(routes: Routes, envoy: Envoy, *per_route: PerRoute) -> None:
    """Replaces routes by others that must be accepted."""
    update = routes.update(envoy, *per_route)
    if not update.accepted:
        raise ModuleRejected(update.message)


@case("rtld.closed_at_last_reference")
def test_filter_listener_routes_go(cell: Cell) -> None:
    """A filter, a listener, a route by discovery, a listener with a route: the module is unloaded with the last, not before."""
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    module = cell.install(name="wanted")
    # Each step takes a canary away too, which shows that a module that nothing uses is unloaded by then.
    canaries = [cell.install(name=f"canary{number}") for number in (1, 2, 3)]
    plain = HttpFilter(ModuleRef(PROBE), "identity")
    second = HttpFilter(ModuleRef(PROBE), "transform", "T")

    def chain(name: str, *modules: str) -> Listener:
        return Listener(name, (plain, *(HttpFilter(ModuleRef(one), "identity") for one in modules)))

    by_discovery = Listener("c", (plain, second), (of_route(plain, "wanted"), of_route(second, "canary3")))
    routes = Routes(cell.folder, by_discovery)
    a, b, d = (
        chain("a", "wanted", "canary1"),
        chain("b", "wanted", "canary2"),
        Listener("d", (plain,), (of_route(plain, "wanted"),)),
    )
    steps: tuple[Callable[[Envoy], object], ...] = (
        lambda envoy: cell.reconfigure(envoy, chain("a"), b, routes.listener, d),
        lambda envoy: cell.reconfigure(envoy, chain("a"), routes.listener, d),
        lambda envoy: update_routes(routes, envoy),
    )
    with cell.start(a, b, routes.listener, d) as envoy:
        for canary, step in zip(canaries, steps, strict=True):
            step(envoy)
            assert_drained(envoy, canary)
            assert envoy.has_mapped(module), f"expected the module to stay loaded after {canary.name}, it is gone"
            identity_of(envoy.request("/", listener="d"), "count")
        cell.reconfigure(envoy, chain("a"))
        assert_unloaded(envoy, module)
        identity_of(envoy.request("/", listener="a"), "count")


@case("rtld.closed_at_last_reference")
def test_request_keeps_its_route(cell: Cell) -> None:
    """A request that is under way when the routes change keeps what its route gave the filter, and the module of that."""
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    module, canary = (cell.install(name=name) for name in ("wanted", "canary"))
    filter_ = HttpFilter(ModuleRef(PROBE), "per_route")
    plain = HttpFilter(ModuleRef(PROBE), "identity")
    per_route = of_route(filter_, PROBE, "old")
    routes = Routes(cell.folder, Listener("main", (filter_, plain), (per_route, of_route(plain, "wanted"))))
    other = Routes(cell.folder, Listener("other", (plain,), (of_route(plain, "canary"),)))
    with (
        cell.upstream() as server,
        cell.start(routes.listener, other.listener, clusters={"upstream": server.port}) as envoy,
        envoy.connect(Protocol.HTTP2) as connection,
    ):
        held = connection.begin(Request("/held", "POST", body="held"))
        begun = poll(lambda: server.count_begun("/held") == 1, REQUEST_S)
        assert begun, f"expected a request to come to the upstream server, none does in {REQUEST_S:g} s"
        update_routes(routes, envoy)
        update_routes(other, envoy)
        # The canary's route went last: when it is gone, the module would be if it were closed too early.
        assert_unloaded(envoy, canary)
        assert envoy.has_mapped(module), "expected the module to stay loaded while a request keeps its route, it is gone"
        route = identity_of(held.finish(), "route")
        assert route == "old", f"expected the request that is under way to keep its route's 'old', saw {route!r}"
        route = identity_of(connection.request(Request()), "route")
        assert route == "none", f"expected the next request to have no configuration of its route, saw {route!r}"
        assert_unloaded(envoy, module)

"""What a host calls a module with: each hook, its arguments, its thread, its order, and what becomes of what it returns.

No document promises these in detail: what each release does is kept as facts, one for each scenario. The module `recorder`
prints them, and does what its configuration says. Two of its filters, `a` and `b`, are in each chain: what one does shows at
the other.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from dmconform.casekit import (
    DIRECT_PATH,
    LOG_LINE_S,
    PANICKED_S,
    PLAIN_PATH,
    RECORDER,
    REQUEST_S,
    TRAILER,
    Cell,
    DatagramFilter,
    DatagramListener,
    Envoy,
    ExtensionPoint,
    HttpFilter,
    Language,
    Listener,
    ListenerFilter,
    Minor,
    ModuleRef,
    NetworkFilter,
    PerRoute,
    Protocol,
    Request,
    Routes,
    Upstream,
    calls_of,
    case,
    poll,
    reachable_points,
    use_at,
    wrong_in,
)

CPP = (Language.CPP,)
"""The build that leaves modules in C; they use no SDK."""
HTTP = "http_filter_"
CONFIG_ASKS_SINCE = Minor.parse("1.38")
"""Since when a configuration can send requests of its own."""
_READ_BYTES = 1 << 16
PLAIN = "plain"
"""A listener without a module."""
WHOLE_ANSWER = f"{TRAILER}: yes\r\n\r\n".encode()
"""What an answer of the upstream server that has trailers ends with."""

Rules = Mapping[str, tuple[str, ...]]
"""By scenario, which is a listener of its name: what the filters of its chain are configured with."""


def stops(hook: str, *statuses: str) -> Rules:
    """Returns scenarios in which the first filter stops at a hook of HTTP, and goes on a little later."""
    return {f"{hook}-{status}": (f"{HTTP}{hook}={status} {HTTP}{hook}:resume", "") for status in statuses} | {
        f"{hook}-b-{status}": ("", f"{HTTP}{hook}={status} {HTTP}{hook}:resume") for status in statuses if "response" in hook
    }


HEADERS = ("StopIteration", "StopAllIterationAndBuffer", "StopAllIterationAndWatermark")
BODY = ("StopIterationAndBuffer", "StopIterationAndWatermark", "StopIterationNoBuffer")
STATUSES: Rules = MappingProxyType(
    {
        **stops("request_headers", *HEADERS),
        **stops("request_body", *BODY),
        **stops("request_trailers", "StopIteration"),
        **stops("response_headers", *HEADERS),
        **stops("response_body", *BODY),
        **stops("response_trailers", "StopIteration"),
    }
)

CONFIGURED_AS: Mapping[ExtensionPoint, str] = MappingProxyType({ExtensionPoint.TRANSPORT_SOCKET: "transport_socket_factory"})
"""How the hook for a configuration begins, where it does not as others of its extension point."""
OTHER_CASES = (
    ExtensionPoint.HTTP_FILTER,
    ExtensionPoint.LISTENER_FILTER,
    ExtensionPoint.NETWORK_FILTER,
    ExtensionPoint.UDP_LISTENER_FILTER,
)
"""Extension points that have cases of their own, which send what is read in one piece."""


def chain(name: str, *rules: str, per_route: str | None = None) -> Listener:
    """Returns a listener whose HTTP filters, `a`, `b`, …, have these rules."""
    module = ModuleRef(RECORDER)
    filters = tuple(HttpFilter(module, f"{name}/{letter}", text) for letter, text in zip("abc", rules, strict=False))
    route = () if per_route is None else (PerRoute(filters[0].entry, module, f"{name}/route", per_route),)
    return Listener(name, filters, route)


def ask(
    envoy: Envoy,
    listener: str,
    path: str = "/whole?trailers",
    *,
    whole: bool = True,
    keeps: bool = False,
    may_be_silent: bool = False,
) -> str:
    """Sends a request in one piece, so that it is read as one, and returns the answer in words.

    Args:
        envoy: whom to ask.
        listener: which of its listeners.
        path: what for.
        whole: whether it has a body and trailers.
        keeps: whether the connection is left open by the others, so that this client is the first to close it.
        may_be_silent: whether some releases never answer; it has a listener `PLAIN` then.
    """
    head = f"{'POST' if whole else 'GET'} {path} HTTP/1.1\r\nhost: recorder\r\n"
    closing = "" if keeps else "connection: close\r\n"
    rest = "transfer-encoding: chunked\r\n\r\n6\r\na body\r\n0\r\nx-trailer: yes\r\n\r\n" if whole else "\r\n"
    answer = b""
    with socket.create_connection(("127.0.0.1", envoy.take_port(listener)), timeout=REQUEST_S) as client:
        client.sendall(f"{head}{closing}{rest}".encode())
        try:
            if may_be_silent and stays_silent(envoy, client):
                raise TimeoutError
            while not (keeps and answer.endswith(WHOLE_ANSWER)) and (piece := client.recv(_READ_BYTES)):
                answer += piece
        except ConnectionError:  # a reset, or an end that comes sooner than it does at other times
            pass
        except TimeoutError:
            answer += b" no end"
    envoy.check_alive(f"after a request to {listener}")
    status, _, rest = answer.decode(errors="replace").partition("\r\n")
    parts = ["a body" if r"a body" in rest else "", "its trailers" if "x-trailer" in rest else ""]
    came = " and ".join(filter(None, parts)) or "nothing"
    late = ", no end" if answer.endswith(b" no end") else ""
    return f"{status or 'closed'}; upstream saw {came}{late}"


def stays_silent(envoy: Envoy, client: socket.socket) -> bool:
    """Returns whether nothing comes, also once the only worker has served others since."""
    if select.select([client], [], [], PANICKED_S)[0]:
        return False
    for _ in range(2):
        envoy.request("/", listener=PLAIN)
    return not select.select([client], [], [], 0)[0]


def keep(cell: Cell, clients: Mapping[str, str], prefix: str = HTTP, *, anywhere: Collection[str] = ()) -> None:
    """Keeps what a host did in each scenario as a fact, and what the client saw; asserts that it called no hook wrongly.

    Hooks that are called `anywhere` may be on either thread: which one is a matter of time.
    """
    log = cell.read_logs()
    calls = {scenario: calls_of(log, scenario, prefix, anywhere=anywhere) for scenario in clients}
    cell.facts.update({scenario: f"client: {client} | {calls[scenario]}" for scenario, client in clients.items()})
    expected = {"main", "worker", *(["any"] if anywhere else [])}
    for scenario, text in calls.items():
        assert text, f"expected the module to be called in {scenario}, it was not"
        threads = {one.partition(":")[0]: one for one in text.split(" | ")}
        assert threads.keys() <= expected, f"expected calls on the main thread and on workers, saw {text}"
        assert ".new(" not in threads.get("main", ""), f"expected filters to be made on workers, saw {threads['main']}"
        odd = threads.get("worker", "")
        assert "config_" not in odd, f"expected configurations on the main thread, saw {odd}"
    assert_sound(log)


def assert_sound(log: str) -> None:
    """Asserts that hooks were called with the module's own living objects, and that each object was destroyed."""
    wrong = wrong_in(log)
    assert not wrong, f"expected hooks to be called with living objects, each destroyed in the end, saw {'; '.join(wrong[:5])}"


def run(cell: Cell, rules: Rules) -> None:
    """Sends a whole request through each chain, and keeps what the host calls as facts."""
    cell.install(RECORDER)
    seen = {}
    with cell.start(*(chain(name, *texts) for name, texts in rules.items())) as envoy:
        for name in rules:
            seen[name] = ask(envoy, name)
    keep(cell, seen)


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_http_statuses(cell: Cell) -> None:
    """A filter that stops at a hook, in each way, and goes on a little later: what is called until then, and what comes."""
    run(cell, STATUSES)


CALLS: Rules = MappingProxyType(
    {
        "get": ("", ""),
        "direct": ("", ""),
        "whole": ("", ""),
        "two": ("", ""),
        "http2": ("", ""),
        "pieces": ("", ""),
        "cut": ("", ""),
        "gone": ("", ""),
        "reply-request_headers": (f"{HTTP}request_headers:reply {HTTP}request_headers=StopIteration", ""),
        "reply-request_body": (f"{HTTP}request_body:reply {HTTP}request_body=StopIterationNoBuffer", ""),
        "reply-request_trailers": (f"{HTTP}request_trailers:reply {HTTP}request_trailers=StopIteration", ""),
        "reply-response_headers": ("", f"{HTTP}response_headers:reply {HTTP}response_headers=StopIteration"),
        "reply-reset": (
            f"{HTTP}request_headers:reply {HTTP}request_headers=StopIteration {HTTP}local_reply=ContinueAndResetStream",
            "",
        ),
        "held": ("", ""),
    }
)


def await_calls(cell: Cell, scenario: str, hook: str, times: int = 1, prefix: str = HTTP) -> None:
    """Waits until a hook was called so often in a scenario."""

    def called() -> bool:
        return calls_of(cell.read_logs(), scenario, prefix).count(f"{'' if '.' in hook else '.'}{hook}(") >= times

    assert poll(called, LOG_LINE_S), f"expected {times} calls of {hook} in {scenario} within {LOG_LINE_S:g} s, saw fewer"


def in_pieces(cell: Cell, envoy: Envoy) -> str:
    """Sends a body in two pieces, each once the one before has passed the filters."""
    with envoy.connect(Protocol.HTTP1, listener="pieces") as client:
        sending = client.begin(Request("/pieces", "POST", trailers={"x-trailer": "yes"}))
        await_calls(cell, "pieces", "request_headers", 2)
        for number, piece in enumerate(("one", "two"), 1):
            sending.send_body(piece)
            await_calls(cell, "pieces", "request_body", 2 * number)
        return sending.finish().summary


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_http_calls(cell: Cell) -> None:
    """What is called for each kind of request: plain, whole, in pieces, answered by Envoy or by a filter, cut, given up."""
    cell.install(RECORDER)
    seen: dict[str, str] = {}
    with (
        cell.upstream() as server,
        cell.start(*(chain(name, *texts) for name, texts in CALLS.items()), clusters={"upstream": server.port}) as envoy,
    ):
        for name in CALLS:
            match name:
                case "get" | "direct":
                    seen[name] = ask(envoy, name, "/get" if name == "get" else DIRECT_PATH, whole=False)
                case "two":
                    with envoy.connect(Protocol.HTTP1, listener=name) as client:
                        seen[name] = ", ".join(client.request(Request(f"/{number}")).summary for number in ("first", "second"))
                case "http2":
                    with envoy.connect(Protocol.HTTP2, listener=name) as client:
                        sent = Request("/http2?trailers", "POST", body="a body", trailers={"x-trailer": "yes"})
                        seen[name] = client.request(sent).summary
                case "pieces":
                    seen[name] = in_pieces(cell, envoy)
                case "cut":
                    seen[name] = ask(envoy, name, "/cut?cut")
                case "gone" | "held":
                    seen[name] = given_up(cell, envoy, server, name)
                case _:
                    seen[name] = ask(envoy, name)
    keep(cell, seen)


def given_up(cell: Cell, envoy: Envoy, server: Upstream, name: str) -> str:
    """Sends a request whose answer the upstream server holds; then the client goes, or an update takes the listener away."""
    path = f"/{name}"
    with envoy.connect(Protocol.HTTP2, listener=name) as client:
        sent = client.send(Request(f"{path}?hold"))
        assert poll(lambda: server.count_begun(path) == 1, REQUEST_S), (
            f"expected a request at the upstream server in {REQUEST_S:g} s"
        )
        if name == "gone":
            sent.cancel()
            await_calls(cell, name, "destroy", 2)
            return "gone"
        cell.reconfigure(envoy, chain(name, f"{HTTP}request_headers=Continue", ""))
        await_calls(cell, name, "destroy", 2)
        return sent.answer().summary


EVENTS: Rules = MappingProxyType(
    {
        "scheduled": (f"{HTTP}request_headers:event", ""),
        "scheduled-stopped": (f"{HTTP}request_headers:event {HTTP}request_headers=StopIteration {HTTP}scheduled:reply", ""),
        "callout": (f"{HTTP}request_headers:callout {HTTP}request_headers=StopIteration {HTTP}http_callout_done:resume", ""),
        "stream": (f"{HTTP}request_headers:stream {HTTP}request_headers=StopIteration {HTTP}http_stream_complete:resume", ""),
        "config-scheduled": (f"{HTTP}config_new:event", ""),
        "config-callout": (f"{HTTP}config_new:event {HTTP}config_scheduled:callout", ""),
        "config-stream": (f"{HTTP}config_new:event {HTTP}config_scheduled:stream", ""),
    }
)
LAST_OF_CONFIG: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "config-scheduled": (f"{HTTP}config_scheduler_commit", "config_scheduled"),
        "config-callout": (f"{HTTP}config_http_callout", "config_http_callout_done"),
        "config-stream": (f"{HTTP}config_start_http_stream", "config_http_stream_complete"),
    }
)
"""What the host calls last of what a configuration asked for by itself, and the callback by which it asks."""


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_http_events(cell: Cell) -> None:
    """What is called when a filter, or its configuration, has scheduled an event or sent a request."""
    cell.install(RECORDER)
    seen = {}
    with cell.start(*(chain(name, *texts) for name, texts in EVENTS.items())) as envoy:
        for name in EVENTS:
            if name in LAST_OF_CONFIG and (name == "config-scheduled" or cell.host_minor >= CONFIG_ASKS_SINCE):
                await_calls(cell, name, LAST_OF_CONFIG[name][1])
            seen[name] = ask(envoy, name, whole=False)
    keep(cell, seen)


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_http_routes(cell: Cell) -> None:
    """What is called for the configuration of a route: when it comes, when routes change, and when they are gone."""
    cell.install(RECORDER)
    routes = Routes(cell.folder, chain("route", "", "", per_route="first"))
    of_route = routes.listener.per_route[0]
    with cell.start(routes.listener) as envoy:
        client = [ask(envoy, "route", path) for path in ("/route", PLAIN_PATH)]
        for config in ("second", f"{HTTP}per_route_config_new=null"):
            update = routes.update(envoy, replace(of_route, config=config))
            client.append(f"{'accepted' if update.accepted else update.message}, {ask(envoy, 'route')}")
    # The thread that lets go of it last destroys it: the main thread, or, on hosts before 1.40, sometimes the worker.
    keep(cell, {"route": ", ".join(client)}, anywhere=(f"{HTTP}per_route_config_destroy",))


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_http_refusals(cell: Cell) -> None:
    """What becomes of a filter that gives null for its configuration, and of a request for which it gives no filter."""
    cell.install(RECORDER)
    rules = {
        "no-config": (f"{HTTP}config_new=null",),
        "no-filter": (f"{HTTP}new=null", ""),
        "no-second": ("", f"{HTTP}new=null"),
    }
    with cell.start(chain("good", "")) as envoy:
        update = envoy.update(chain("no-config", *rules["no-config"]), chain("good", ""))
        seen = {"no-config": update.message}
        cell.reconfigure(envoy, *(chain(name, *rules[name]) for name in ("no-filter", "no-second")))
        for name in ("no-filter", "no-second"):
            seen[name] = ask(envoy, name)
    keep(cell, seen)


NETWORK = "network_filter_"
LISTENER = "listener_filter_"
UDP = "udp_listener_filter_"
PORT_OF_UDP = "udp"

TCP: Rules = MappingProxyType(
    {
        "pass": ("", ""),
        "new_connection-stops": (f"{NETWORK}new_connection=StopIteration {NETWORK}new_connection:resume", ""),
        "read-stops": (f"{NETWORK}read=StopIteration {NETWORK}read:resume", ""),
        "write-stops": (f"{NETWORK}write=StopIteration {NETWORK}write:event {NETWORK}scheduled:close", ""),
        "write-b-stops": ("", f"{NETWORK}write=StopIteration {NETWORK}write:event {NETWORK}scheduled:close"),
        "closes": (f"{NETWORK}read:close {NETWORK}read=StopIteration", ""),
        "scheduled": (f"{NETWORK}read:event", ""),
        "callout": (
            f"{NETWORK}new_connection:callout {NETWORK}new_connection=StopIteration {NETWORK}http_callout_done:resume",
            "",
        ),
        "config-scheduled": (f"{NETWORK}config_new:event", ""),
        "no-filter": (f"{NETWORK}new=null", ""),
    }
)


def tcp(name: str, *rules: str) -> Listener:
    """Returns a listener of bytes with network filters that have these rules."""
    module = ModuleRef(RECORDER)
    filters = tuple(NetworkFilter(module, f"{name}/{letter}", text) for letter, text in zip("abc", rules, strict=False))
    return Listener(name, network=filters, tcp=True)


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_network(cell: Cell) -> None:
    """What is called for a connection, and what becomes of each status that a network filter returns."""
    cell.install(RECORDER)
    seen = {}
    with cell.start(*(tcp(name, *texts) for name, texts in TCP.items())) as envoy:
        for name in TCP:
            seen[name] = ask(envoy, name, keeps=True)
            # The next update would end what is left of the connection.
            await_calls(cell, name, "destroy", 1 if name == "no-filter" else 2, NETWORK)
        seen["no-config"] = envoy.update(tcp("no-config", f"{NETWORK}config_new=null")).message
    keep(cell, seen, NETWORK)


ACCEPTING: Rules = MappingProxyType(
    {
        "pass": ("", ""),
        "accept-stops": (f"{LISTENER}on_accept=StopIteration {LISTENER}on_accept:resume", ""),
        "reads": (f"{LISTENER}get_max_read_bytes=8* {LISTENER}on_accept=StopIteration", ""),
        "data-stops": (
            f"{LISTENER}get_max_read_bytes=8* {LISTENER}on_accept=StopIteration "
            f"{LISTENER}on_data=StopIteration {LISTENER}on_data:resume",
            "",
        ),
        "scheduled": (f"{LISTENER}on_accept:event {LISTENER}on_accept=StopIteration {LISTENER}scheduled:resume", ""),
        "config-scheduled": (f"{LISTENER}config_new:event", ""),
        "no-filter": (f"{LISTENER}new=null", ""),
    }
)


def accepting(name: str, *rules: str) -> Listener:
    """Returns a listener whose listener filters have these rules."""
    module = ModuleRef(RECORDER)
    filters = tuple(ListenerFilter(module, f"{name}/{letter}", text) for letter, text in zip("abc", rules, strict=False))
    return Listener(name, listening=filters)


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_listener(cell: Cell) -> None:
    """What is called for a socket, and what becomes of each status that a listener filter returns."""
    cell.install(RECORDER)
    seen = {}
    with cell.start(*(accepting(name, *texts) for name, texts in ACCEPTING.items()), Listener(PLAIN)) as envoy:
        for name in ACCEPTING:
            seen[name] = ask(envoy, name, may_be_silent=True)
        seen["no-config"] = envoy.update(accepting("no-config", f"{LISTENER}config_new=null")).message
    keep(cell, seen, LISTENER)


def datagrams(name: str, *rules: str) -> Listener:
    """Returns a listener for datagrams whose filters have these rules."""
    module = ModuleRef(RECORDER)
    filters = tuple(DatagramFilter(module, f"{name}/{letter}", text) for letter, text in zip("abc", rules, strict=False))
    return DatagramListener(name, listening=filters)


DATAGRAMS: Rules = MappingProxyType(
    {"pass": ("", ""), "stops": (f"{UDP}on_data=StopIteration", ""), "b-stops": ("", f"{UDP}on_data=StopIteration")}
)


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_udp_listener(cell: Cell) -> None:
    """What is called for two datagrams, and what becomes of each status that a filter of them returns."""
    cell.install(RECORDER)
    with (
        cell.start(*(datagrams(name, *texts) for name, texts in DATAGRAMS.items())) as envoy,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        for name in DATAGRAMS:
            for number, text in enumerate((b"first", b"the second"), 1):
                sender.sendto(text, ("127.0.0.1", envoy.take_port(name)))
                await_calls(cell, name, "a.on_data", number, UDP)
            await_calls(cell, name, "b.on_data", 1, UDP)
        refused = envoy.update(datagrams("no-config", f"{UDP}config_new=null")).message
    keep(cell, {**dict.fromkeys(DATAGRAMS, "nothing"), "no-config": refused}, UDP)


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_points(cell: Cell) -> None:
    """What is called at each extension point while a module that does nothing is loaded, driven and taken away."""
    at_points(cell, [point for point in reachable_points(cell) if point not in OTHER_CASES])


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_points_null(cell: Cell) -> None:
    """What becomes of a module that gives null for its configuration, at each extension point."""
    at_points(cell, reachable_points(cell), "{point}_config_new=null")


def at_points(cell: Cell, points: Sequence[ExtensionPoint], rule: str = "") -> None:
    """Uses the module at each extension point, and keeps what the host says and calls as facts."""
    cell.install(RECORDER)
    logs = {}
    for point in points:
        name = point.value
        tried = use_at(cell, point, RECORDER, name, rule.format(point=CONFIGURED_AS.get(point, name)))
        logs[name] = tried.log
        calls = calls_of(tried.log, name, f"{name}_", apart=True)
        answers = ", ".join(each.answer.summary for each in tried.answers)
        cell.facts[name] = " | ".join(filter(None, (f"{tried.ended.value} {tried.message}".strip(), answers, calls)))
        assert calls, f"expected the module to be called at extension point {name}, it was not"
    for log in logs.values():
        assert_sound(log)

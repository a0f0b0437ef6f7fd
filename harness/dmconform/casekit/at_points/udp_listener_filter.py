"""Filters of datagrams: what `datagrams` answers, passes on changed or unchanged to a server behind it, and drops."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Callable, Iterator

from dmconform.casekit.at_points.model import Asked, ProbedPoint, When
from dmconform.casekit.points import working_at_point
from dmconform.core.timeouts import LOG_LINE_S, REQUEST_S
from dmconform.core.versions import Minor
from dmconform.core.waiting import poll
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.connections import UDP
from dmconform.envoy.extension_points.draft import Draft, message_of
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.matrix.cell import PROBE, Cell

_NAME = "datagrams"
_LOOPBACK = "127.0.0.1"
_WORKER_SINCE = Minor(1, 38)
_SIZES = (5, 1000)
_LEVEL = 7  # what the gauge is set to, in three steps
_SIZES_SEEN = f"dynamicmodulescustom.{_NAME}.dmconform_size"
_PANIC = b"dmconform panic"
_ROOM_BYTES = 4096
_BEHIND = "datagrams"
_DROPPED = b"drop this"
_SENT = (b"pass this", _DROPPED, b"change this")


@contextlib.contextmanager
def _bound() -> Iterator[socket.socket]:
    """A socket for datagrams on loopback, whose waits are bounded, until the end of the block."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((_LOOPBACK, 0))
        one.settimeout(REQUEST_S)
        yield one


@contextlib.contextmanager
def _client(envoy: Envoy) -> Iterator[socket.socket]:
    """The same, connected to the Envoy's listener for datagrams."""
    port = envoy.take_port(UDP)
    with _bound() as one:
        one.connect((_LOOPBACK, port))
        yield one


def _received(one: socket.socket, envoy: Envoy, what: str) -> bytes:
    """Returns the next datagram that comes to a connected socket.

    Raises:
        AssertionError: none comes in time.
    """

    def has_come() -> bool:
        envoy.check_alive(f"before {what}")
        return bool(select.select([one], [], [], 0)[0])

    assert poll(has_come, REQUEST_S), f"expected {what} within {REQUEST_S:g} s, saw none"
    try:
        return one.recv(_ROOM_BYTES)
    except OSError as error:  # its port is closed
        envoy.check_alive(f"before {what}")
        raise AssertionError(f"expected {what}, saw {error}") from None


def _assert_answered(cell: Cell, envoy: Envoy, text: str) -> int:
    """Asserts that datagrams of several sizes are answered, but not one that is to be dropped; returns how many there were."""
    with _client(envoy) as client:
        own, local = (":".join(map(str, name)) for name in (client.getsockname(), client.getpeername()))
        worker = 0 if cell.sdk_minor >= _WORKER_SINCE else "-"
        client.send(_DROPPED)
        for size in _SIZES:
            data = "d" * size
            client.send(data.encode())
            answer = _received(client, envoy, f"an answer to a datagram of {size} bytes").decode()
            wanted = f"{cell.language} bytes={size} peer={own} local={local} worker={worker} text={text} data={data}"
            assert answer == wanted, f"expected a datagram to be answered with {wanted!r}, saw {answer!r}"
    return len(_SIZES) + 1


def _assert_counted(envoy: Envoy, number: int) -> None:
    """Asserts that the metrics of the module are those of this many datagrams."""
    wanted = {"dmconform_datagrams": number, "dmconform_level": _LEVEL}

    def seen() -> dict[str, int]:
        found = {name.rpartition(".")[2]: value for name, value in envoy.counters("dynamic").items()}
        return {name: value for name, value in found.items() if name in wanted}

    poll(lambda: seen() == wanted, LOG_LINE_S)
    assert seen() == wanted, f"expected the filter to count {wanted}, saw {seen()}"
    recorded = sum(envoy.read_histogram(_SIZES_SEEN, number).values())
    assert recorded == number, f"expected the filter to record {number} sizes, saw {recorded}"


def _lead_to(port: int) -> Callable[[Draft], None]:
    """Returns what puts a proxy for datagrams behind the module, which leads to this port."""

    def alter(draft: Draft) -> None:
        address = {"socket_address": {"protocol": "UDP", "address": _LOOPBACK, "port_value": port}}
        draft.bootstrap["static_resources"]["clusters"].append(
            {
                "name": _BEHIND,
                "load_assignment": {
                    "cluster_name": _BEHIND,
                    "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
                },
            }
        )
        route = message_of("filters.udp.udp_proxy.v3.Route", cluster=_BEHIND)
        matcher = {"on_no_match": {"action": {"name": "route", "typed_config": route}}}
        proxy = message_of("filters.udp.udp_proxy.v3.UdpProxyConfig", stat_prefix=UDP, matcher=matcher)
        listener = next(one for one in draft.listeners if one["name"] == UDP)
        listener["listener_filters"].append({"name": "udp_proxy", "typed_config": proxy})

    return alter


def _assert_passed_on(cell: Cell, text: str) -> None:
    """Asserts what a server behind the filter is sent, and that its answers come back, in another Envoy that leads to it."""
    use = ModuleUse(cell.point, ModuleRef(PROBE), _NAME, text)
    with (
        _bound() as server,
        working_at_point(cell, use, alter=_lead_to(server.getsockname()[1])) as envoy,
        _client(envoy) as client,
    ):
        for sent in _SENT:
            client.send(sent)
        for wanted in ("pass this", f"{cell.language} [{text}] changed change this"):
            try:
                passed, sender = server.recvfrom(_ROOM_BYTES)
            except OSError as error:
                envoy.check_alive("before it passed a datagram on")
                raise AssertionError(f"expected {wanted!r} to be passed on, saw nothing: {error}") from None
            assert passed.decode() == wanted, f"expected {wanted!r} to be passed on, saw {passed.decode()!r}"
            server.sendto(passed, sender)
            back = _received(client, envoy, "an answer of the server").decode()
            assert back == wanted, f"expected the answer {wanted!r} of the server to come back, saw {back!r}"


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Sends datagrams, and asserts which are answered, counted, dropped, and passed on to a server behind, and as what."""
    _assert_counted(envoy, _assert_answered(cell, envoy, text))
    _assert_passed_on(cell, text)


def _ask(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    with _client(envoy) as client:
        client.send(_PANIC if panic else b"asked")
        if panic:
            return Asked(True, "a datagram was sent, and no answer is waited for")
        answer = _received(client, envoy, "an answer to a datagram")
        return Asked(answer.endswith(b"data=asked"), f"the answer {answer.decode(errors='backslashreplace')}")


POINT = ProbedPoint(
    name=_NAME,
    hooks={"creation": When.CREATION, "data": When.TRAFFIC, "destroy": When.END},
    assert_works=assert_works,
    ask=_ask,
)

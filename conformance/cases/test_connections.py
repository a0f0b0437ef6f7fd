"""Network and listener filters of modules: bytes pass, flags hold, what is wrong is rejected."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dmconform.casekit import (
    DIRECT_PATH,
    HOOK_PREFIX,
    MODULE_SOURCE,
    PROBE,
    REQUEST_S,
    Cell,
    Envoy,
    ExtensionPoint,
    Language,
    Listener,
    ListenerFilter,
    Minor,
    ModuleRef,
    NetworkFilter,
    Received,
    RemoteSource,
    Reply,
    Update,
    assert_drained,
    case,
    identity_of,
    listener,
    poll,
    raw_client,
    upstream_socket,
    without_symbols,
)

ONE = (Language.CPP,)
PLAIN = Listener("plain")
LARGE = 100_000
SINCE = Minor.parse("1.37")
SOCKETS_SINCE = Minor.parse("1.39")
TEXT = "text of its own"
REMOTE_SINCE = Minor.parse("1.38")
_READ_BYTES = 1 << 16


def needs_filters(cell: Cell, point: ExtensionPoint) -> None:
    """Ends the case as not applicable where the SDK or the host lacks such filters."""
    cell.needs_point(point)
    cell.needs(cell.host_minor >= SINCE, "hosts have network and listener filters of modules from 1.37 on")


def network(module: ModuleRef | str = PROBE, filter_name: str = "panic", config: str = "none") -> Listener:
    """Bytes through a network filter to the upstream server."""
    reference = ModuleRef(module) if isinstance(module, str) else module
    return Listener("main", network=(NetworkFilter(reference, filter_name, config),), tcp=True)


def accepting(module: ModuleRef | str = PROBE, filter_name: str = "panic", config: str = "none") -> Listener:
    """Bytes through a listener filter to the upstream server."""
    reference = ModuleRef(module) if isinstance(module, str) else module
    return Listener("main", listening=(ListenerFilter(reference, filter_name, config),), tcp=True)


def assert_passes(envoy: Envoy) -> None:
    """Asserts that a request goes through, as bytes, and comes to the upstream server as it was sent."""
    answer = envoy.request("/through", method="POST", body="a body")
    assert answer.status == 200, f"expected the upstream server to answer, saw {answer.summary}"
    received = Received.from_json(answer.body)
    assert received.body == "a body", f"expected 'a body' at the upstream server, it received {received.body!r}"
    at_end = "x-request-id" not in received.headers
    assert at_end, "expected the bytes to pass without a connection manager, which would add headers"


@case("window.forward", "policy.result")
def test_network_passes(cell: Cell) -> None:
    """A network filter that does nothing passes the bytes of a connection."""
    needs_filters(cell, ExtensionPoint.NETWORK_FILTER)
    with cell.start(network()) as envoy:
        assert_passes(envoy)


@case("window.forward", "policy.result")
def test_network_large_data(cell: Cell) -> None:
    """It passes 100 kB in each direction, unchanged."""
    needs_filters(cell, ExtensionPoint.NETWORK_FILTER)
    body = "".join(chr(ord("a") + number % 26) for number in range(LARGE))
    with cell.start(network()) as envoy:
        up = envoy.request("/up", method="POST", body=body)
        assert up.status == 200, f"expected an answer to {LARGE} bytes, saw {up.summary}"
        received = Received.from_json(up.body)
        same = received.body == body
        assert same, f"expected {LARGE} bytes as they were sent, the upstream server saw {len(received.body)}, not all the same"
        answer = envoy.request(f"/down?size={LARGE}")
        assert answer.body == "x" * LARGE, f"expected {LARGE} bytes from the upstream server, saw {len(answer.body)}"


@case("window.forward", "policy.result")
def test_network_half_close(cell: Cell) -> None:
    """A client that has stopped sending is still answered, and then the connection is closed."""
    needs_filters(cell, ExtensionPoint.NETWORK_FILTER)
    with (
        cell.start(network()) as envoy,
        socket.create_connection(("127.0.0.1", envoy.take_port("main")), timeout=REQUEST_S) as client,
    ):
        seen = b""
        # Bytes on a socket, as no HTTP client stops sending and goes on reading.
        with contextlib.suppress(OSError):  # a connection that was cut, at whichever step, shows in what was seen
            client.sendall(b"GET /half HTTP/1.1\r\nhost: dmconform\r\nconnection: close\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            while piece := client.recv(_READ_BYTES):
                seen += piece
        envoy.check_alive("after a client stopped sending")
        assert b"/half" in seen, f"expected the answer of the upstream server, saw {seen!r}"


@case("window.forward", "policy.result")
def test_listener_passes(cell: Cell) -> None:
    """A listener filter that does nothing passes connections."""
    needs_filters(cell, ExtensionPoint.LISTENER_FILTER)
    with cell.start(accepting()) as envoy:
        assert_passes(envoy)


@case("window.forward", "policy.result", languages=(Language.RUST,))
def test_upstream_socket(cell: Cell) -> None:
    """A transport socket to an upstream server changes the bytes that go there, and changes back those that come from there."""
    cell.needs_point(ExtensionPoint.TRANSPORT_SOCKET)
    cell.needs(cell.host_minor >= SOCKETS_SINCE, "hosts have transport sockets of modules from 1.39 on")
    mask, sent = sum(TEXT.encode()) % 255 + 1, b"bytes of a client " * 1000
    masked = bytes(byte ^ mask for byte in sent)
    with (
        cell.echo_server() as echo,
        cell.start(
            Listener("main", tcp=True), clusters={"upstream": echo.port}, alter=upstream_socket("masked", TEXT)
        ) as envoy,
    ):
        with raw_client(envoy.take_port("main")) as client:
            client.send(sent)
            client.end_sending()
            back = client.read_to_end()
        received = poll(echo.read_received, REQUEST_S)
        assert received == [bytes([mask]) + masked], "expected the server to receive the mask, and then the bytes with it"
        assert back == b"\0" + sent, "expected the client to get back what it sent, after the mask with the mask"
        line = envoy.wait_for_log("dmconform socket ")
    read = len(sent) + 1
    wanted = f"[{TEXT}] upstream=true read={read} written={len(sent)} remote=127.0.0.1|{echo.port} "
    assert line is not None and wanted in line, f"expected the socket to have seen {wanted!r}, it wrote {line}"


@dataclass(frozen=True)
class Last(NetworkFilter):
    """A network filter that says whether it is the last of its chain."""

    terminal: bool = True

    def to_json(self) -> dict[str, Any]:
        """Returns the message with the field that says whether it is terminal."""
        message = super().to_json()
        message["typed_config"]["terminal_filter"] = self.terminal
        return message


class Alone(Listener):
    """A listener with nothing behind its network filters."""

    def to_json(self) -> dict[str, Any]:
        """Returns the message without the proxy."""
        message = super().to_json()
        del message["filter_chains"][0]["filters"][-1]
        return message


@case("loading.failure_rejects", languages=ONE, supported_for=())
def test_network_terminal(cell: Cell) -> None:
    """A network filter may be the last in a chain if its configuration says that it is terminal, and only then."""
    needs_filters(cell, ExtensionPoint.NETWORK_FILTER)
    alone = Alone("main", network=(Last(ModuleRef(PROBE), "panic", "none"),), tcp=True)
    not_last = replace(alone, network=(Last(ModuleRef(PROBE), "panic", "none", terminal=False),))
    with cell.start(alone) as envoy:
        update = envoy.update(not_last)
        assert not update.accepted, "expected a chain without a terminal filter to be rejected, it was accepted"
        assert "terminal" in update.message, f"expected the rejection to say why, it says: {update.message}"


def assert_rejected(envoy: Envoy, wrong: Listener, why: str) -> None:
    """Asserts that an Envoy rejects a listener with words that name what is wrong, and the plain one serves on."""
    update: Update = envoy.update(PLAIN, wrong)
    assert not update.accepted, f"expected a filter {why} to be rejected, it was accepted"
    status = envoy.request(DIRECT_PATH, listener="plain").status
    assert status == 200, f"expected the plain listener to go on serving, it answers {status}"


def assert_each_rejected(cell: Cell, absent: Listener, refused: Listener) -> None:
    """Asserts that a filter of a missing module is rejected with its name, and so is one that the module refuses."""
    cell.install()
    with cell.start_anyhow(PLAIN, search_path=cell.modules_folder) as envoy:
        assert_rejected(envoy, absent, "of a missing module")
        assert "libabsent.so" in envoy.read_log(), "expected the rejection to name libabsent.so, it does not"
        before = envoy.read_log().count("Failed to create filter config")
        assert_rejected(envoy, refused, "that the module refuses")
        logged = envoy.read_log().count("Failed to create filter config") - before
        assert logged, "expected the rejection to say that the filter's configuration failed, it does not"


@case("loading.failure_rejects")
def test_network_rejected(cell: Cell) -> None:
    """A network filter of a missing module is rejected, and so is one whose configuration the module refuses."""
    needs_filters(cell, ExtensionPoint.NETWORK_FILTER)
    assert_each_rejected(cell, network("absent"), network(PROBE, "refuse"))


@case("loading.failure_rejects")
def test_listener_rejected(cell: Cell) -> None:
    """A listener filter of a missing module is rejected, and so is one whose configuration the module refuses."""
    needs_filters(cell, ExtensionPoint.LISTENER_FILTER)
    assert_each_rejected(cell, accepting("absent"), accepting(PROBE, "refuse"))


def without(cell: Cell, kind: str) -> str:
    """Makes a module that has no hooks for filters of a kind, and returns its name."""
    probe = Path(cell.sdk.modules[PROBE].path).read_bytes()
    hooks = {name for name in (f"{HOOK_PREFIX}{kind}_filter_{end}" for end in ("config_new", "new")) if name.encode() in probe}
    cell.modules_folder.mkdir(exist_ok=True)
    (cell.modules_folder / "libhttp_only.so").write_bytes(without_symbols(probe, hooks))
    return "http_only"


def assert_rejected_without_hooks(cell: Cell, wrong: Listener, kind: str) -> None:
    """Asserts that the module is rejected with the name of a hook."""
    cell.needs(cell.host_minor >= SINCE, "hosts have network and listener filters of modules from 1.37 on")
    with cell.start_anyhow(PLAIN, search_path=cell.modules_folder) as envoy:
        assert_rejected(envoy, wrong, "without its hooks")
        named = f"{HOOK_PREFIX}{kind}_filter_" in envoy.read_log()
        assert named, f"expected the rejection to name a hook of {kind} filters, it does not"


@case("module.required_functions", "loading.failure_rejects", languages=ONE)
def test_network_without_hooks(cell: Cell) -> None:
    """A module without hooks for network filters is rejected as one, with the name of a hook."""
    assert_rejected_without_hooks(cell, network(without(cell, "network")), "network")


@case("module.required_functions", "loading.failure_rejects", languages=ONE)
def test_listener_without_hooks(cell: Cell) -> None:
    """A module without hooks for listener filters is rejected as one, with the name of a hook."""
    assert_rejected_without_hooks(cell, accepting(without(cell, "listener")), "listener")


def assert_flags_kept(cell: Cell, user: Listener) -> None:
    """Asserts that a module with both flags is visible to another one, and stays without a user."""
    cell.needs(cell.sdk.unloads, f"nothing to tell apart: {cell.sdk.unloads_reason}")
    witness = listener("identity", name="witness", module="witness")
    flagged, canary = cell.install(name="flagged"), cell.install(name="canary")
    cell.install(name="witness")
    passing = listener("identity", name="canary", module="canary")
    with cell.start(witness, passing, user) as envoy:
        assert_passes(envoy)
        seen = identity_of(envoy.request("/", listener="witness"), "global")
        assert seen == "libflagged.so", f"expected the symbols of libflagged.so to be visible globally, found {seen}"
        cell.reconfigure(envoy, witness)
        assert_drained(envoy, canary)
        assert envoy.has_mapped(flagged), "expected the module with do_not_close to stay loaded, it is gone"


FLAGGED = ModuleRef("flagged", do_not_close=True, load_globally=True)


@case("rtld.do_not_close", "rtld.load_globally", languages=(Language.CPP, Language.RUST))
def test_network_flags(cell: Cell) -> None:
    """do_not_close and load_globally hold for a network filter as for an HTTP filter."""
    needs_filters(cell, ExtensionPoint.NETWORK_FILTER)
    assert_flags_kept(cell, network(FLAGGED))


@case("rtld.do_not_close", "rtld.load_globally", languages=(Language.CPP, Language.RUST))
def test_listener_flags(cell: Cell) -> None:
    """do_not_close and load_globally hold for a listener filter as for an HTTP filter."""
    needs_filters(cell, ExtensionPoint.LISTENER_FILTER)
    assert_flags_kept(cell, accepting(FLAGGED))


@case("statistics.remote_is_for_http", languages=ONE)
def test_no_remote_source(cell: Cell) -> None:
    """Neither network nor listener filters take a module from a remote source: they are rejected, and nothing is fetched."""
    cell.needs(cell.host_minor >= REMOTE_SINCE, "hosts fetch modules from 1.38 on")
    module = ModuleRef(PROBE, remote=RemoteSource("/module.so", "0" * 64))
    with cell.source_server() as source:
        source.offer("/module.so", Reply(b"no library"))
        folder = {"TMPDIR": str(cell.folder)}
        with cell.start_anyhow(PLAIN, environment=folder, clusters={MODULE_SOURCE: source.port}) as envoy:
            assert_rejected(envoy, network(module), "of a remote module")
            assert_rejected(envoy, accepting(module), "of a remote module")
        assert source.count_fetches("/module.so") == 0, "expected nothing to be fetched, the module was asked for"

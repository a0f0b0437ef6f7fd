"""Sends what makes an Envoy enter its module's hooks, as often as pairs are left, and notes what clients saw."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.core.regular import replace_regular
from dmconform.core.timeouts import REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.config import Listener
from dmconform.envoy.connection import Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.connections import UDP
from dmconform.envoy.extension_points.draft import MAIN, Draft, Message, WrittenListener
from dmconform.envoy.extension_points.drive import run_drive
from dmconform.envoy.extension_points.shapes import Drive
from dmconform.envoy.http1 import exchange
from dmconform.envoy.outcomes import HostHung
from dmconform.measure.differential.upstream import LARGE_BYTES, LARGE_PATH, TRAILERS_PATH
from dmconform.measure.pairs.rules import PairDrive

NO_ANSWER: Final = "no answer"
_BODY: Final = "a body"
_ENTERED: Final = "dmconform-pairs enter "
_SEEN: Final = re.compile(rf"{_ENTERED}(http_filter_request_|cluster_lb_choose_host)")
_HELD: Final = ("above_write_buffer_high_watermark", "transport_socket_can_flush_close")
_FIRED: Final = re.compile(rf"{_ENTERED}\w+_timer_fired ")
_SMALL_BUFFER: Final = 8192
_SEEN_S: Final = 0.3  # a request that is refused is not seen
_ADMIN_PATH: Final = "/dmconform"


@dataclass(frozen=True)
class Driven:
    """An Envoy that is driven.

    Args:
        envoy: it has accepted its configuration.
        draft: that configuration.
        drive: what the scene needs.
        patience_s: how long each answer may take: a module that ends or holds a request may leave it unanswered.
        serves: whether there is a server behind it.
    """

    envoy: Envoy
    draft: Draft
    drive: PairDrive
    patience_s: float
    serves: bool = True


def drive_pairs(driven: Driven, shape: Drive, times: int) -> list[str]:
    """Drives an Envoy, and returns what clients saw, in a word for each of `times` requests; then it must still serve.

    Args:
        driven: the Envoy.
        shape: what its extension point needs.
        times: requests; each enters most hooks once.

    Raises:
        HostCrashed: the Envoy ended.
        HostHung: it does not serve any more.
    """
    envoy, patience_s = driven.envoy, driven.patience_s
    if shape is Drive.TLS:
        run_drive(shape, envoy, lambda _: None)
        return []
    if shape in (Drive.DISCOVERY, Drive.STATS):
        with contextlib.suppress(HostHung):
            run_drive(shape, envoy, lambda _: None)
    saw = []
    for time in range(times):
        if shape is Drive.UDP:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(_BODY.encode(), ("127.0.0.1", envoy.port(UDP)))
        saw.append(_driven_once(driven, time))
        envoy.check_alive("after a request")
    if NO_ANSWER in saw[-1:]:  # whether anybody is served is another question
        _asked(envoy, Request("/", "GET"), patience_s)
    for _ in range(2):  # the first may meet a connection to the upstream server that is being closed
        if _asked(envoy, Request("/direct", "GET"), REQUEST_S) != NO_ANSWER:
            break
    else:
        raise HostHung("requests after the pair are not answered")
    envoy.check_survived("after it was driven")
    return saw


def _driven_once(driven: Driven, time: int) -> str:
    """Does for the `time`th time, from 0 on, what a scene needs; returns what a client saw."""
    envoy = driven.envoy
    match driven.drive:
        case PairDrive.ADMIN:
            return _word(envoy.admin(_ADMIN_PATH))
        case PairDrive.GONE:
            return _gone(envoy)
        case PairDrive.SLOW:
            return _slow(envoy, driven.patience_s)
        case PairDrive.CLOSED:
            return _closed(envoy)
        case PairDrive.FILE:
            with _awaited(envoy, "bootstrap_extension_file_changed"):
                replace_regular(watched_file(envoy.folder), f"{time}".encode())
        case PairDrive.DRAIN if time == 0:
            with _awaited(envoy, ""):
                envoy.admin("/drain_listeners?graceful&skip_exit", "POST")
        case PairDrive.UPDATE:
            _update(driven, time)
        case PairDrive.TIMER:
            saw = _asked(envoy, _request(driven.drive), driven.patience_s)
            poll(lambda: len(_FIRED.findall(envoy.printed())) > time, _SEEN_S)
            return saw
        case _:
            pass
    request = _request(driven.drive) if driven.serves else Request("/direct", "POST", {}, _BODY)
    return _asked(envoy, request, driven.patience_s)


def watched_file(folder: Path) -> Path:
    """Returns the file that the module of an Envoy watches."""
    return folder / "watched"


def clusters_file(folder: Path) -> Path:
    """Returns the file that an Envoy finds clusters in."""
    return folder / "found-clusters.json"


def write_clusters(folder: Path, version: int, *clusters: Message) -> None:
    """Writes the clusters that an Envoy finds."""
    found = [{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", **cluster} for cluster in clusters]
    replace_regular(clusters_file(folder), json.dumps({"version_info": str(version), "resources": found}).encode())


def _update(driven: Driven, time: int) -> None:
    """Adds a cluster and a listener, and takes them away again; waits until the module knows of each, or a moment."""
    envoy, draft = driven.envoy, driven.draft
    added = WrittenListener("added", message=json.loads(json.dumps(Listener("added").to_json())))
    with _awaited(envoy, "bootstrap_extension_cluster_add_or_update"):
        write_clusters(draft.folder, 2 * time + 1, {**draft.upstream, "name": "added"})
    with _awaited(envoy, "bootstrap_extension_cluster_removal"):
        write_clusters(draft.folder, 2 * time + 2)
    envoy.update(*draft.written(), added)
    with _awaited(envoy, "bootstrap_extension_listener_removal"):
        envoy.update(*draft.written())


@contextlib.contextmanager
def _awaited(envoy: Envoy, hook: str) -> Iterator[None]:
    """Waits, after what is done inside, until a hook whose name begins so is entered, or a moment."""
    sign = f"{_ENTERED}{hook}"
    before = envoy.printed().count(sign)
    yield
    poll(lambda: envoy.printed().count(sign) > before, _SEEN_S)


def _slow(envoy: Envoy, patience_s: float) -> str:
    """Asks for a large answer, and begins to read when a hook shows that it is held, or a moment later."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        client.settimeout(patience_s)
        got = 0
        try:
            client.connect(("127.0.0.1", envoy.port(MAIN)))
            before = _held(envoy)
            client.sendall(f"GET {LARGE_PATH} HTTP/1.1\r\nhost: dmconform\r\nconnection: close\r\n\r\n".encode())
            poll(lambda: _held(envoy) > before, _SEEN_S)
            while piece := client.recv(1 << 16):
                got += len(piece)
        except OSError:
            pass
    envoy.check_alive("before it answered")
    return "200" if got > LARGE_BYTES else "cut" if got else NO_ANSWER


def _held(envoy: Envoy) -> int:
    """Returns how often hooks showed that what clients do not read is held."""
    printed = envoy.printed()
    return sum(printed.count(sign) for sign in _HELD)


def _closed(envoy: Envoy) -> str:
    """Connects and closes, once the module has seen the connection or a moment later."""
    with _awaited(envoy, "listener_filter_on_close"):
        with _awaited(envoy, "listener_filter_on_accept"):
            client = socket.create_connection(("127.0.0.1", envoy.port(MAIN)), REQUEST_S)
        client.close()
    return "closed"


def _gone(envoy: Envoy) -> str:
    """Begins a request and goes away, once the module has seen of it or a moment later."""
    with socket.create_connection(("127.0.0.1", envoy.port(MAIN)), REQUEST_S) as client:
        before = len(_SEEN.findall(envoy.printed()))
        client.sendall(b"POST / HTTP/1.1\r\nhost: dmconform\r\ncontent-length: 100\r\n\r\na part")
        poll(lambda: len(_SEEN.findall(envoy.printed())) > before, _SEEN_S)
    return "gone"


def _request(drive: PairDrive) -> Request:
    if drive is PairDrive.TRAILERS:
        return Request(TRAILERS_PATH, "POST", {}, _BODY, {"x-end": "1"})
    return Request("/", "POST", {}, _BODY)


def _asked(envoy: Envoy, request: Request, patience_s: float) -> str:
    port = envoy.ports().get(MAIN)
    if port is None:
        envoy.check_survived("before its listener was asked")
        return "no listener"
    try:
        return _word(exchange(port, request, patience_s))
    except NoAnswer:
        envoy.check_alive("before it answered")
        return NO_ANSWER


def _word(answer: Answer) -> str:
    if answer.status is not None:
        return str(answer.status)
    return "cut" if answer.status_so_far is None else f"cut after {answer.status_so_far}"

"""Sends what makes an Envoy enter its module's hooks, as often as pairs are left, and notes what clients saw."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from dmconform.core.timeouts import REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.connection import Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.connections import UDP
from dmconform.envoy.extension_points.draft import MAIN
from dmconform.envoy.extension_points.drive import run_drive
from dmconform.envoy.extension_points.shapes import Drive
from dmconform.envoy.http1 import exchange
from dmconform.envoy.outcomes import HostHung
from dmconform.measure.differential.upstream import TRAILERS_PATH
from dmconform.measure.pairs.rules import PairDrive

NO_ANSWER: Final = "no answer"
_BODY: Final = "a body"
_SEEN: Final = "dmconform-pairs enter http_filter_request_"
_SEEN_S: Final = 0.3  # a request that is refused is not seen
_ADMIN_PATH: Final = "/dmconform"


def drive_pairs(envoy: Envoy, shape: Drive, drive: PairDrive, times: int, patience_s: float, serves: bool = True) -> list[str]:
    """Drives an Envoy, and returns what clients saw, in a word for each of `times` requests; then it must still serve.

    Args:
        envoy: it has accepted its configuration.
        shape: what its extension point needs.
        drive: what the scene needs.
        times: requests; each enters most hooks once.
        patience_s: how long each answer may take: a module that ends or holds a request may leave it unanswered.
        serves: whether there is a server behind it.

    Raises:
        HostCrashed: the Envoy ended.
        HostHung: it does not serve any more.
    """
    if shape is Drive.TLS:
        run_drive(shape, envoy, lambda _: None)
        return []
    if shape in (Drive.DISCOVERY, Drive.STATS):
        with contextlib.suppress(HostHung):
            run_drive(shape, envoy, lambda _: None)
    saw = []
    for _ in range(times):
        if shape is Drive.UDP:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(_BODY.encode(), ("127.0.0.1", envoy.port(UDP)))
        if drive is PairDrive.ADMIN:
            saw.append(_word(envoy.admin(_ADMIN_PATH)))
        elif drive is PairDrive.GONE:
            saw.append(_gone(envoy))
        else:
            saw.append(_asked(envoy, _request(drive) if serves else Request("/direct", "POST", {}, _BODY), patience_s))
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


def _gone(envoy: Envoy) -> str:
    """Begins a request and goes away, once the module has seen its headers or a moment later."""
    with socket.create_connection(("127.0.0.1", envoy.port(MAIN)), REQUEST_S) as client:
        client.sendall(b"POST / HTTP/1.1\r\nhost: dmconform\r\ncontent-length: 100\r\n\r\na part")
        before = envoy.printed().count(_SEEN)
        poll(lambda: envoy.printed().count(_SEEN) > before, _SEEN_S)
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

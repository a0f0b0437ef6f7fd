"""Sends something through an Envoy, so that it uses what it has accepted."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence

from dmconform.core.timeouts import CONFIG_UPDATE_S, REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.config import DIRECT_PATH
from dmconform.envoy.connection import Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.connections import UDP
from dmconform.envoy.extension_points.draft import MAIN
from dmconform.envoy.extension_points.shapes import Drive
from dmconform.envoy.extension_points.tls import SERVER_NAME, certificates_in
from dmconform.envoy.extension_points.use import SentExchange
from dmconform.envoy.http1 import exchange
from dmconform.envoy.outcomes import HostHung

_BODY = "a body"
_PROXIED = (("GET", "/", None), ("POST", "/", _BODY))
_REQUESTS = (("GET", DIRECT_PATH, None), *_PROXIED)


def run_drive(drive: Drive, envoy: Envoy, note: Callable[[SentExchange], None]) -> None:
    """Drives an Envoy; `note` gets each exchange when it is done.

    Raises:
        HostCrashed: the Envoy ended.
        HostHung: it did not answer in time.
    """
    match drive:
        case Drive.TLS:
            _over_tls(envoy, note)
        case Drive.UDP:
            _datagram(envoy, note)
            _over_http(envoy, note)
        case Drive.STATS:
            _over_http(envoy, note)
            note(SentExchange("GET /stats of the admin interface", envoy.admin("/stats")))
        case Drive.DISCOVERY:
            note(_discovery(envoy))
            _over_http(envoy, note)
        case Drive.HTTP:
            _over_http(envoy, note)
        case Drive.PROXIED:
            _over_http(envoy, note, _PROXIED)
    envoy.check_survived("after it was driven")


def _over_http(
    envoy: Envoy, note: Callable[[SentExchange], None], requests: Sequence[tuple[str, str, str | None]] = _REQUESTS
) -> None:
    for method, path, body in requests:
        note(SentExchange(f"{method} {path}", envoy.request(path, method=method, body=body)))


def _discovery(envoy: Envoy) -> SentExchange:
    """Waits until Envoy has accepted or rejected the clusters that it found by discovery."""
    prefix = "cluster_manager.cds.update_"

    def judged() -> str | None:
        seen = envoy.counters(prefix)
        return next((word for word in ("success", "rejected") if seen.get(f"{prefix}{word}")), None)

    found = poll(judged, CONFIG_UPDATE_S)
    if found is None:
        raise HostHung(f"Envoy has not judged what it found by discovery within {CONFIG_UPDATE_S:g} s")
    return SentExchange("discovery of clusters", Answer(None, body=found))


def _datagram(envoy: Envoy, note: Callable[[SentExchange], None]) -> None:
    """Sends a datagram. What comes later over TCP is served after it: there is one worker."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(_BODY.encode(), ("127.0.0.1", envoy.port(UDP)))
    note(SentExchange("a datagram", Answer(None, problem="none is waited for")))


def _over_tls(envoy: Envoy, note: Callable[[SentExchange], None]) -> None:
    files = certificates_in(envoy.folder)
    context = ssl.create_default_context(cafile=str(files.authority))
    context.check_hostname = False  # the client connects to an address
    context.load_cert_chain(files.chain, files.key)
    port = envoy.port(MAIN)
    for method, path, body in _REQUESTS:
        what = f"{method} {path} over TLS"
        try:
            answer = exchange(port, Request(path, method, {"host": SERVER_NAME}, body), REQUEST_S, context)
        except NoAnswer as error:
            envoy.check_alive(f"before it answered {what}")
            raise HostHung(f"{what}: {error}") from None
        if answer.was_cut:
            envoy.check_survived(f"while it answered {what}")
        note(SentExchange(what, answer))

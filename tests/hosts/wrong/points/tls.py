"""Ways to make the cases of what stands between a client's bytes and Envoy wrong: certificate validators, transport sockets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType

import pytest
from dmconform.casekit.at_points import cert_validator, tls_handshaker
from dmconform.casekit.at_points.tls_client import TlsAnswer, certificate_of
from dmconform.casekit.at_points.transport_socket import MaskedClient
from dmconform.casekit.raw_client import RawClient
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Outcome
from dmconform.envoy.envoy import Envoy

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.points import LACKS, logged_twice, soon, used, wrong_at

at_validator = partial(wrong_at, ExtensionPoint.CERT_VALIDATOR)
at_socket = partial(wrong_at, ExtensionPoint.TRANSPORT_SOCKET)
at_handshaker = partial(wrong_at, ExtensionPoint.TLS_HANDSHAKER, host="1.40.0")


def replaced(owner: object, name: str, value: object) -> Sabotage:
    """Something of the driver is replaced."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(owner, name, value)
        return bench

    return soon(apply)


def shows(name_for: Callable[[str], str]) -> Sabotage:
    """Clients show the certificate of another name."""
    return replaced(cert_validator, "certificate_of", lambda name: certificate_of(name_for(name)))


def counts_no_failures(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """What listeners count stays as it is."""
    patch.setattr(Envoy, "counters", lambda *_: {})
    return bench


def answered(change: Callable[[bytes], bytes]) -> Sabotage:
    """Bodies of answers come otherwise."""
    answer = MaskedClient.answer

    def changed(client: MaskedClient) -> tuple[int, bytes] | None:
        seen = answer(client)
        return None if seen is None else (seen[0], change(seen[1]))

    return replaced(MaskedClient, "answer", changed)


REQUEST = MaskedClient.request
PANIC_LOGGED = "expected the log to hold 'dmconform panic in {}'"
TABLE: tuple[Wrong, ...] = (
    at_validator("works", "it has another text", used(config="another"), "expected the validator to be shown .* once, saw 0"),
    at_validator("works", "it is not asked", used(name="panic", config="none"), "expected the validator .* once, saw 0 lines"),
    at_validator("works", "it is asked twice", logged_twice, "expected the validator to be shown .* once, saw 2 lines"),
    at_validator(
        "works",
        "nobody is turned down",
        shows(lambda name: name.replace("text", "test")),
        "expected the alert CERTIFICATE_REVOKED for 'text of its own TLSv1_2', saw status 200",
    ),
    at_validator(
        "works",
        "all are turned down",
        shows(lambda _: "text of its own"),
        "expected the client 'anyone TLSv1_2' to be served, saw SSLV3_ALERT_CERTIFICATE_REVOKED",
    ),
    at_validator("works", "another chain", sabotage.log_says("sizes=", "sizes=1"), "expected the validator to see .'sizes'"),
    at_validator("works", "another name", sabotage.log_says("host=asked", "host=other"), "expected .* 'host': 'asked.test'"),
    at_validator("works", "no state", sabotage.log_says("state=text", "state=test"), "expected .* 'state': 'text"),
    at_validator(
        "works", "a state too early", sabotage.log_says("before=false", "before=true"), "expected .* 'before': 'false'"
    ),
    at_validator("works", "not counted", counts_no_failures, "expected the host to count 2 failures of validation, saw 0"),
    at_validator("works", "the SDK has none", LACKS, "has certificate validators", Outcome.NOT_APPLICABLE),
    at_validator("panic_in_traffic", "nobody asks for it", shows(lambda _: "anyone"), PANIC_LOGGED.format("verify")),
    at_socket("works", "it has another text", used(config="another"), "expected the mask 164 to come first, saw"),
    at_socket(
        "works",
        "bytes are not changed",
        sabotage.both(
            replaced(sys.modules[RawClient.__module__], "REQUEST_S", 0.3),
            replaced(MaskedClient, "_masked", lambda _, data: data),
        ),
        "no answer to masked bytes",
        Outcome.HANG,
    ),
    at_socket(
        "works",
        "bytes are lost",
        answered(lambda body: body[:-1]),
        "expected the answer to /direct/first to be 200 with 15 bytes, saw 200 with 14 bytes that are others",
    ),
    at_socket("works", "it has read less", sabotage.log_says(" read=", " read=-"), "expected the socket to have seen .*'read'"),
    at_socket("works", "it has written less", sabotage.log_says(" written=", " written=-"), "expected the socket .*'written'"),
    at_socket("works", "another peer", sabotage.log_says("remote=127", "remote=128"), "expected the socket .*'remote': '127"),
    at_socket("works", "no peer closes", sabotage.log_says("=RemoteClose", "=LocalClose"), "expected .*'event': 'RemoteClose'"),
    at_socket("works", "it is not closed", soon(sabotage.log_without("dmconform socket")), "expected one socket .* saw 0"),
    at_socket("works", "it is closed twice", logged_twice, "expected one socket with .* to be closed, saw 2"),
    at_socket(
        "works",
        "more comes at the end",
        replaced(RawClient, "read_to_end", lambda _: b"more"),
        "expected the connection to end after the last answer, saw 4 bytes more",
    ),
    at_socket("works", "the SDK has none", LACKS, "has transport sockets", Outcome.NOT_APPLICABLE),
    at_socket(
        "panic_in_traffic",
        "no bytes ask for it",
        replaced(MaskedClient, "request", lambda client, path, body=b"", headers=b"": REQUEST(client, path, body)),
        PANIC_LOGGED.format("read"),
    ),
    at_handshaker("works", "it has another text", used(config="x"), "expected one of 5 connections to be refused, of 15"),
    at_handshaker("works", "it refuses nobody", used(name="panic", config="none"), "expected one of 5 .* these were: ..$"),
    at_handshaker(
        "works",
        "nobody is served",
        replaced(tls_handshaker, "visit", lambda *_: TlsAnswer(None, "refused")),
        "expected one of 5 connections to be refused, of 15 these were: .0, 1, 2,",
    ),
    at_handshaker(
        "works",
        "no context is shown",
        soon(sabotage.log_without("dmconform context")),
        "expected the handshaker to be shown a context, saw ..$",
    ),
    at_handshaker(
        "works", "it is shown no context", sabotage.log_says("given=true", "given=false"), "shown a context, saw .'false'."
    ),
    at_handshaker("works", "the SDK has none", LACKS, "has TLS handshakers", Outcome.NOT_APPLICABLE),
)

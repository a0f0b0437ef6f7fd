"""Clients that speak TLS and show certificates, which are of no value to anyone else."""

from __future__ import annotations

import contextlib
import functools
import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dmconform.core.timeouts import REQUEST_S
from dmconform.core.waiting import waiting
from dmconform.envoy.config import DIRECT_PATH
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.outcomes import HostHung

if TYPE_CHECKING:
    from trustme import CA, LeafCert

SERVER_NAME = "asked.test"
"""The name that clients ask for."""


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate and its key."""

    pair: LeafCert

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates that a peer is shown, in DER: the client's own, and the one of who signed it."""
        return tuple(ssl.PEM_cert_to_DER_cert(one.bytes().decode()) for one in self.pair.cert_chain_pems)


@functools.cache
def certificate_of(name: str) -> ClientCertificate:
    """Returns a certificate with this common name; each process has one for each name."""
    import trustme  # slow to import; few points need it

    return ClientCertificate(_authority().issue_cert(common_name=name, key_type=trustme.KeyType.ECDSA))


@functools.cache
def _authority() -> CA:
    import trustme  # as above

    return trustme.CA(key_type=trustme.KeyType.ECDSA).create_child_ca(key_type=trustme.KeyType.ECDSA)


@dataclass(frozen=True)
class TlsAnswer:
    """What a client saw: the status of a response, or what ended its connection before."""

    status: int | None
    problem: str = ""

    @property
    def summary(self) -> str:
        """It in a few words."""
        return f"status {self.status}" if self.status is not None else self.problem


def visit(envoy: Envoy, listener: str, shown: ClientCertificate | None, version: ssl.TLSVersion) -> TlsAnswer:
    """Connects, shows a certificate if one is given, and sends a request. Who the server is does not matter.

    Args:
        envoy: whom.
        listener: which of its listeners; it is to answer by itself.
        shown: the client's certificate.
        version: of TLS.

    Raises:
        HostCrashed: the Envoy ended.
        HostHung: it did not answer in time.
    """
    port = envoy.take_port(listener)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if shown is not None:
        shown.pair.configure_cert(context)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=REQUEST_S) as plain, waiting(REQUEST_S):
            return _over_tls(context.wrap_socket(plain, server_hostname=SERVER_NAME))
    except TimeoutError:
        envoy.check_alive("before it answered over TLS")
        raise HostHung(f"no answer over TLS within {REQUEST_S:g} s") from None
    except ssl.SSLError as error:
        problem = error.reason or type(error).__name__
    except (ConnectionError, http.client.HTTPException) as error:
        problem = type(error).__name__
    envoy.check_survived("while it answered over TLS")
    return TlsAnswer(None, problem)


def _over_tls(client: ssl.SSLSocket) -> TlsAnswer:
    with client:
        with contextlib.suppress(OSError):  # of a server that has ended the connection there is an alert to be read
            client.sendall(f"GET {DIRECT_PATH} HTTP/1.1\r\nhost: dmconform\r\n\r\n".encode())
        response = http.client.HTTPResponse(client)
        response.begin()
        response.read()
        return TlsAnswer(response.status)

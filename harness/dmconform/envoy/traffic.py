"""What a case sends to the listeners of one Envoy, and how requests and answers are kept as evidence."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from dmconform.core.timeouts import REQUEST_S
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.connected import Client, Watch
from dmconform.envoy.connection import Act, Protocol, Request
from dmconform.envoy.headers import pairs_of
from dmconform.envoy.http1 import exchange
from dmconform.envoy.outcomes import HostHung
from dmconform.envoy.transcript import OWN_CONNECTION, RequestId, Transcript

if TYPE_CHECKING:
    from dmconform.envoy.envoy import Envoy

EXCHANGES_FILE: Final = "exchanges.jsonl"


class Traffic:
    """The requests to one Envoy. Cases use `Envoy.request` and `Envoy.connect`."""

    def __init__(self, envoy: Envoy, transcript: Transcript) -> None:
        self._envoy = envoy
        self._transcript = transcript
        self._exchanges = envoy.folder / EXCHANGES_FILE
        self._connections = 0

    def request(self, listener: str, request: Request) -> Answer:
        """Sends a request on a separate connection, and returns its answer.

        Raises:
            HostCrashed: the Envoy ended.
            HostHung: it did not answer in time.
        """
        envoy, what = self._envoy, f"{request.method} {request.path}"
        port = envoy.port(listener)
        envoy.pause(f"{what} is sent to listener {listener}")
        record = {key: value for key, value in _record(request).items() if key != "trailers"}
        try:
            answer = exchange(port, request, REQUEST_S)
        except NoAnswer as error:
            self._keep(listener, record, str(error), Protocol.HTTP1, OWN_CONNECTION, REQUEST_S)
            envoy.check_alive(f"before it answered {what}")
            raise HostHung(f"{what}: {error}") from None
        self._keep(listener, record, answer, Protocol.HTTP1, OWN_CONNECTION, REQUEST_S)
        if answer.was_cut:
            # A crash shows as a cut connection first, and writing its backtrace takes a moment: a living one answers.
            envoy.check_survived(f"while it answered {what}")
        return answer

    @contextlib.contextmanager
    def connect(self, protocol: Protocol, listener: str, patience_s: float | None) -> Iterator[Client]:
        """Opens a connection: see `Envoy.connect`."""
        self._connections += 1
        watch = self._watch(listener, protocol, self._connections, REQUEST_S if patience_s is None else patience_s)
        if patience_s is not None:
            watch = replace(watch, overdue=lambda _, problem: NoAnswer(problem), look_after=lambda _: None)
        with Client(protocol, self._envoy.port(listener), watch, patience_s) as one:
            yield one

    def _watch(self, listener: str, protocol: Protocol, connection: int, timeout_s: float) -> Watch:
        """Returns what a client of a listener does with what it sees."""

        def act(number: int, what: Act, request: Request, text: str) -> None:
            if what in (Act.BEGIN, Act.SEND):
                self._envoy.pause(f"{request.method} {request.path} is sent to listener {listener}")
            self._transcript.acts(RequestId(connection, number), listener, protocol.value, what, _record(request), text)

        def note(number: int, request: Request, seen: Answer | str) -> None:
            self._keep(listener, _record(request), seen, protocol, RequestId(connection, number), timeout_s)

        def overdue(request: Request, problem: str) -> HostHung:
            self._envoy.check_alive(f"before it answered {request.method} {request.path}")
            return HostHung(f"{request.method} {request.path}: {problem}")

        def look_after(request: Request) -> None:
            self._envoy.check_survived(f"while it answered {request.method} {request.path}")

        return Watch(act, note, overdue, look_after, lambda: self._transcript.closes(connection))

    def _keep(
        self,
        listener: str,
        request: Mapping[str, Any],
        answer: Answer | str,
        protocol: Protocol,
        number: RequestId,
        timeout_s: float,
    ) -> None:
        """Keeps an exchange as evidence; a text is why no answer came."""
        seen = answer if isinstance(answer, str) else answer.record()
        with self._exchanges.open("a", encoding="utf-8") as sink:
            sink.write(json.dumps({"listener": listener, "request": dict(request), "answer": seen}) + "\n")
        self._transcript.exchanged(protocol.value, number, timeout_s)


def _record(request: Request) -> dict[str, Any]:
    """Returns a request as it is kept: headers and trailers are lists of pairs."""
    return {**vars(request), "headers": pairs_of(request.headers), "trailers": pairs_of(request.trailers)}

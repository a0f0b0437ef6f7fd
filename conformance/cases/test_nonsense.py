"""What a host does when a module's callback returns a status that is none. No document says; what is seen is kept as facts."""

from __future__ import annotations

from dmconform.casekit import PANICKED_S, Cell, Envoy, HostCrashed, Language, NoAnswer, Protocol, Request, case, listener

CALLBACKS = (
    "request_headers",
    "request_body",
    "request_trailers",
    "response_headers",
    "response_body",
    "response_trailers",
)
NONSENSE = {"x-dmconform-nonsense": "now"}
ASKING = Request("/nonsense?trailers", "POST", NONSENSE, "body", {"x-trailer": "yes"})
"""Makes every callback be called: it has a body and trailers, and so has its answer."""


def answered(envoy: Envoy, callback: str) -> str:
    """Returns what a client sees of a request for which the callback returns nonsense, in words.

    Raises:
        HostCrashed: the Envoy ended.
    """
    with envoy.connect(Protocol.HTTP2, listener=callback, patience_s=PANICKED_S) as connection:
        asking = connection.send(ASKING)
        # The thread that was given nonsense serves another request then: what it does about the first one, it has done.
        other = envoy.request("/other", listener=callback, method="POST", body="body")
        assert other.status == 200, f"expected another request to be served, it saw {other.summary}"
        try:
            return asking.answer().summary
        except NoAnswer:
            return "no end"
        finally:
            envoy.check_survived(f"after nonsense from {callback}")


@case("safety.no_boundary", languages=(Language.CPP, Language.GO), supported_for=())
def test_statuses(cell: Cell) -> None:
    """Callbacks that return 77 in the place of a status: other requests are served, and the process lives."""
    left = list(CALLBACKS)
    crashes: list[HostCrashed] = []
    while left:  # another Envoy for what is left after one has ended
        try:
            with cell.start(*(listener("nonsense", callback, name=callback) for callback in CALLBACKS)) as envoy:
                while left:
                    callback = left.pop(0)
                    cell.facts[callback] = "the host ends"
                    cell.facts[callback] = answered(envoy, callback)
        except HostCrashed as crash:
            crashes.append(crash)
    if crashes:
        raise crashes[0]

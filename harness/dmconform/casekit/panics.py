"""What cases about panics have in common: the payload in the log, what a client saw, and that nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dmconform.casekit.unloading import assert_unloaded
from dmconform.core.timeouts import GAUGE_S, LOG_LINE_S, REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer, End, NoAnswer
from dmconform.envoy.config import Listener
from dmconform.envoy.connected import Pending
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell


def payload(callback: str) -> str:
    """Returns what a probe panics with in a callback."""
    return f"dmconform panic in {callback}"


def panic_lines(envoy: Envoy, callback: str, mark: str = "") -> list[str]:
    """Returns the lines of the log so far that hold the payload, and a further text."""
    return [line for line in envoy.read_log().splitlines() if payload(callback) in line and mark in line]


def provoke_panic(envoy: Envoy, callback: str) -> None:
    """Marks a block that makes a filter panic in a callback: if the process ends, that is why."""
    envoy.provoke(f"after a panic in {callback}")


def assert_panic_logged(envoy: Envoy, callback: str, before: int = 0) -> None:
    """Asserts that the log holds the payload of a panic in more lines than `before`, and that the process lives.

    Raises:
        HostCrashed: it does not.
    """

    def is_there() -> bool:
        envoy.check_alive()
        return len(panic_lines(envoy, callback)) > before

    found = poll(is_there, LOG_LINE_S)
    envoy.check_survived(f"after a panic in {callback}")
    assert found, f"expected the log to hold {payload(callback)!r}, it does not"


def assert_panic_in_logs(cell: Cell, callback: str) -> None:
    """Asserts that the log of one of a cell's Envoys, which may have ended, holds the payload of a panic."""
    found = poll(lambda: payload(callback) in cell.read_logs(), LOG_LINE_S)
    assert found, f"expected the log to hold {payload(callback)!r}, it does not"


def assert_each_panic_logged_once(envoy: Envoy, callback: str, times: int) -> None:
    """Asserts that the host's log has one error with the payload for each of so many panics.

    So no other filter was called after one.
    """
    errors = panic_lines(envoy, callback, "[error]")
    assert len(errors) == times, (
        f"expected {times} errors in the log with the payload, as no other filter is called after a panic, "
        f"saw {errors or 'none'}"
    )


def in_words(answer: Answer | None) -> str:
    """Returns what a client saw in words; None is nothing."""
    return "neither an answer nor an end" if answer is None else answer.summary


def answer_soon(envoy: Envoy, request: Pending) -> Answer | None:
    """Returns the answer of a request, or None if none comes within the time-out of its connection.

    Raises:
        HostCrashed: it ended with the process.
    """
    try:
        answer = request.finish()
    except NoAnswer:
        return None
    if answer.end is not End.COMPLETE:
        envoy.check_survived("while it answered a request after a panic")
    return answer


def assert_served(envoy: Envoy, request: Pending, what: str) -> None:
    """Asserts that a request is answered with status 200, however short the time-out of its connection is."""
    seen = poll(lambda: answer_soon(envoy, request), REQUEST_S)
    assert seen is not None and seen.status == 200, f"expected {what} to be served with status 200, it saw {in_words(seen)}"


def assert_nothing_left(cell: Cell, envoy: Envoy, gauges: Callable[[], Mapping[str, int | None]]) -> None:
    """Asserts that an Envoy without clients has gauges of 0 and, with all of its listeners replaced, has unloaded the probe."""
    back = poll(lambda: not any(gauges().values()), GAUGE_S)
    assert back, f"expected nothing to be under way any more, Envoy says {dict(gauges())}"
    if cell.sdk.unloads:
        module = cell.modules_folder / "libprobe.so"
        cell.reconfigure(envoy, Listener("plain"))
        assert_unloaded(envoy, module, "with its listeners")

"""What of a host's log a report tells."""

from __future__ import annotations

from pathlib import Path

from dmconform.report.host_log import LONGEST_LINE, MOST_LINES, log_lines

START = "[2026-11-21 09:28:12.941][12087]"
CALM = "There is no configured limit to the number of allowed active downstream connections. Configure one"
LOG = f"""\
{START}[info][main] [source/server/server.cc:1] starting
{START}[warning][main] [source/server/server.cc:2] {CALM}
{START}[info][dynamic_modules] [source/extensions/x.cc:3] Dynamic module ABI version v0.2.0 matched.
panic: the payload
stack backtrace:
   0:     0x55cb21e7efa6 - <unknown>
             at ./nptl/pthread_create.c:442:8
\t/src/filter.go:12 +0x1d
{START}[critical][backtrace] [./source/server/backtrace.h:113] Caught Aborted, suspect faulting address 0x1
{START}[critical][backtrace] [./source/server/backtrace.h:98] #0: [0x7f]
active_request_:
    ':path', '/panics'
{START}[error][config] [source/x.cc:64] rejected: Failed to load

second line of it
"""


def test_complaints_and_panics_are_told_and_the_rest_is_not(tmp_path: Path) -> None:
    log = tmp_path / "envoy.log"
    log.write_text(LOG)
    assert log_lines(log) == (
        "[info][dynamic_modules] Dynamic module ABI version v0.2.0 matched.",
        "panic: the payload",
        "stack backtrace:",
        "[error][config] rejected: Failed to load",
        "second line of it",
    )


def test_a_log_that_is_huge_or_no_text_stays_small(tmp_path: Path) -> None:
    log = tmp_path / "envoy.log"
    log.write_bytes(b"\xff\x00" * 3_000_000 + b"\n" + b"".join(b"line %d\n" % number for number in range(100)))
    assert log_lines(log) == tuple(f"line {number}" for number in range(100 - MOST_LINES, 100))
    log.write_bytes(b"x" * 5_000_000)
    (line,) = log_lines(log)
    assert len(line) == LONGEST_LINE + 1


def test_without_a_log_there_is_nothing(tmp_path: Path) -> None:
    assert log_lines(tmp_path / "envoy.log") == ()
    assert log_lines(tmp_path) == ()

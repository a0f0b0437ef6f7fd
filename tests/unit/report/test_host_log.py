"""What of a host's log a report tells."""

from __future__ import annotations

from pathlib import Path

from dmconform.report.host_log import (
    LINES_BEFORE_CRASH,
    LINES_SHOWN,
    LONGEST_LINE,
    MOST_FRAMES,
    MOST_LINES,
    log_lines,
    shown_lines,
)

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
{START}[critical][backtrace] [./source/server/backtrace.h:113] Caught Segmentation fault, suspect faulting address 0x0
{START}[critical][backtrace] [./source/server/backtrace.h:98] #0: [0x7f]
{START}[critical][backtrace] [./source/server/backtrace.h:96] #1: Envoy::Server::run() [0x7f5c9f9b0050]
active_request_:
    ':path', '/panics'
{START}[error][config] [source/x.cc:64] rejected: Failed to load

second line of it
"""


def test_complaints_and_panics_are_reported_and_the_rest_is_not(tmp_path: Path) -> None:
    log = tmp_path / "envoy.log"
    log.write_text(LOG)
    assert log_lines(log) == (
        "[info][dynamic_modules] Dynamic module ABI version v0.2.0 matched.",
        "panic: the payload",
        "stack backtrace:",
        "[critical][backtrace] Caught Segmentation fault, suspect faulting address 0x0",
        "[critical][backtrace] #1: Envoy::Server::run()",
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


def test_of_a_crash_what_differs_each_time_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "envoy.log"
    caught = f"{START}[critical][backtrace] [a.h:1] Caught Aborted, suspect faulting address 0x63f2\n"
    frames = "".join(f"{START}[critical][backtrace] [a.h:2] #{n}: f{n}() [0x7f{n:04x}]\n" for n in range(20))
    log.write_text(caught + frames)
    first, *others = log_lines(log)
    assert first == "[critical][backtrace] Caught Aborted, suspect faulting address 0x…"
    assert others == [f"[critical][backtrace] #{number}: f{number}()" for number in range(MOST_FRAMES)]


def test_a_crash_is_shown_from_its_beginning_on(tmp_path: Path) -> None:
    log = tmp_path / "envoy.log"
    before = [f"line {number}" for number in range(40)]
    caught = f"{START}[critical][backtrace] [a.h:1] Caught Aborted, suspect faulting address 0x1"
    dump = [f"  dump {number}" for number in range(100)]
    log.write_text("\n".join([*before, "panic", "   0:     0x55cb21e7efa6 - <unknown>", caught, *dump]) + "\n")
    shown = shown_lines(log)
    assert shown[: LINES_BEFORE_CRASH + 1] == (*before[-(LINES_BEFORE_CRASH - 1) :], "panic", caught)
    assert shown[LINES_BEFORE_CRASH + 1 :] == tuple(dump[: LINES_SHOWN - 1])


def test_without_a_crash_the_end_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "envoy.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert shown_lines(log) == tuple(f"line {number}" for number in range(100 - LINES_SHOWN, 100))
    assert shown_lines(tmp_path / "none.log") == ()

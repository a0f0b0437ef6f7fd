"""The log of a host as far as it is about a module: its own lines, the top of a crash's stack, the ABI string."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from dmconform.envoy.log_lines import CAUGHT, LOUD, MODULES, RUNTIME_FRAME, STACK_FRAME, LogLine, host_lines, parse_line

MOST_LINES: Final = 4
LINES_BEFORE: Final = 40
LONGEST_LINE: Final = 400
_RUNTIME_STACK: Final = re.compile(rf"{RUNTIME_FRAME}|goroutine \d+|note: run with `RUST_BACKTRACE")
_ABI_STRING: Final = re.compile(
    r"ABI version mismatch: got (\S+?), but expected|Dynamic module ABI version (\S+) is deprecated|ABI version (\S+) matched"
)
# What the failure's own message has already.
_OF_THE_HOST: Final = re.compile(rf"{_ABI_STRING.pattern}|^Unable to load dynamic module ")
_OF_THE_LINKER: Final = re.compile(rf"^(?:{_RUNTIME_STACK.pattern})|: symbol lookup error: ")
_THREAD: Final = re.compile(r"(thread '[^']*') \(\d+\)")  # Rust names the thread with a number that differs each time
_CAUGHT_PANIC: Final = re.compile(r"caught panic\b", re.IGNORECASE)  # what the guard of the official Rust SDK logs
# Functions that every abort or signal passes through.
_ON_THE_WAY: Final = re.compile(
    r"(?:__GI_|__|_)?(?:raise|abort|gsignal|pthread_kill\w*|restore_rt|assert_fail\w*|libc_message\w*)\b|Envoy::SignalAction|"
    r"std::(?:__1::)?terminate|__cxxabiv1|__cxa_|_Unwind_|rust_panic|std::panicking|core::panicking|std::process::abort|"
    r"runtime\.(?:raise|dieFromSignal|sigfwd|sighandler|fatalpanic|gopanic|crash)"
)
_LOADING: Final = re.compile(r"envoy_dynamic_module_on_program_init|\bcall_init\b|\b_dl_(?:init|open|catch)|\bdlopen")


def module_lines(log: str, failure: str) -> tuple[str, ...]:
    """Returns the last lines before a failure that the module, its language's runtime or the linker wrote.

    Args:
        log: the whole output of the host.
        failure: the host's message of the failure, which the log has too; for a crash it is not needed.
    """
    lines = log.splitlines()
    end = _failure_at(lines, failure)
    kept: dict[str, None] = {}
    for line in map(_parsed, lines[max(0, end - LINES_BEFORE) : end]):
        own = line.logger == MODULES and line.level in LOUD and not _OF_THE_HOST.search(line.text)
        foreign = not line.logger and line.text.strip() and not _OF_THE_LINKER.search(line.text)
        if own or foreign:
            text = _THREAD.sub(r"\1", line.text.strip())
            kept[text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"] = None
    return tuple(list(kept)[-MOST_LINES:])


def crash_frame(log: str) -> str:
    """Returns the first named function on the stack of a crash, without those that every abort passes through."""
    return next((name for name in _frames(log) if not _ON_THE_WAY.match(name)), "")


def crashed_while_loading(log: str) -> bool:
    """Returns whether the stack of a crash shows the loading of the module: its constructors or its first hook."""
    return any(_LOADING.search(name) for name in _frames(log))


def reported_abi_string(log: str) -> str | None:
    """Returns the ABI string that the module returned, as the host reports it; None where it does not."""
    found = next(filter(None, map(_ABI_STRING.search, host_lines(log))), None)
    return found and next(group for group in found.groups() if group)


def error_lines(log: str) -> list[str]:
    """Returns what the module logged as an error."""
    return [line.text for line in map(_parsed, log.splitlines()) if (line.level, line.logger) == ("error", MODULES)]


def caught_panic(log: str) -> str | None:
    """Returns the first line in which the module's SDK reports that it caught a panic."""
    return next((line.text for line in map(_parsed, log.splitlines()) if _CAUGHT_PANIC.search(line.text)), None)


def _failure_at(lines: Sequence[str], failure: str) -> int:
    """Returns the number of the line of the failure: a crash, or the first one with the host's message."""
    crash = next((number for number, line in enumerate(lines) if CAUGHT in line), None)
    if crash is not None:
        return crash
    first = failure.splitlines()[0].strip() if failure.strip() else ""
    return next((number for number, line in enumerate(lines) if first and first in line), len(lines))


def _parsed(line: str) -> LogLine:
    """Returns a line; of what others than Envoy's logger write, the text is all there is."""
    return parse_line(line) or LogLine("", "", "", line)


def _frames(log: str) -> Iterator[str]:
    _, caught, after = log.partition(CAUGHT)
    if caught:
        for line in after.splitlines()[1:]:
            frame = STACK_FRAME.fullmatch(_parsed(line).text)
            if frame:
                yield frame["function"]

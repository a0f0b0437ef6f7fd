"""What of a host's log is about a module."""

from __future__ import annotations

import pytest
from dmconform.check.log import MOST_LINES, crash_frame, module_lines, reported_abi_string

HEAD = "[2026-01-01 00:00:00.000][1]"


def line(level: str, text: str, logger: str = "dynamic_modules", source: str = "source/x.cc:60") -> str:
    return f"{HEAD}[{level}][{logger}] [{source}] {text}"


def stack(*frames: str) -> str:
    lines = ["Caught Aborted, suspect faulting address 0x1", *(f"#{number}: {frame}" for number, frame in enumerate(frames))]
    return "\n".join(f"{HEAD}[critical][backtrace] [x.h:9] {one}" for one in lines)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            "thread '<unnamed>' (4711) panicked at src/lib.rs:1:2:\nno such app\nnote: run with `RUST_BACKTRACE=1` …",
            ("thread '<unnamed>' panicked at src/lib.rs:1:2:", "no such app"),
        ),
        ("panic: index out of range [1]\n\ngoroutine 1 [running]:\n\t/src/x.go:12", ("panic: index out of range [1]",)),
        (line("error", "config is empty"), ("config is empty",)),
        (line("warning", "Failed to load configuration"), ("Failed to load configuration",)),  # as the Go SDK reports it
        (line("error", "again") + "\n" + line("error", "again"), ("again",)),
        (line("error", "Unable to load dynamic module x.so: x.so: undefined symbol: y"), ()),  # the refusal has it
        ("/cache/envoy: symbol lookup error: x.so: undefined symbol: y", ()),
        (line("info", "hello") + "\n" + line("warning", "of the host's own", "config"), ()),
        (line("warning", "Dynamic module ABI version v1 is deprecated. Please recompile"), ()),
        ("envoy: x.cc:27: f(): Assertion `false' failed.", ("envoy: x.cc:27: f(): Assertion `false' failed.",)),
    ],
)
def test_lines_of_the_module_before_a_failure(log: str, expected: tuple[str, ...]) -> None:
    assert module_lines(log, "no such message") == expected


def test_only_lines_next_to_the_failure_count() -> None:
    early = line("error", "long ago")
    noise = "\n".join(line("info", str(number)) for number in range(60))
    log = "\n".join((early, noise, line("error", "the reason"), line("critical", "Failed: x", "main"), "{", '  "a": 1', "}"))
    assert module_lines(log, "Failed: x\n{") == ("the reason",)
    many = "\n".join(line("error", str(number)) for number in range(9))
    assert module_lines(many, "") == tuple(map(str, range(9 - MOST_LINES, 9)))
    crash = "\n".join((line("error", "before"), stack("f [0x1]"), line("error", "after")))
    assert module_lines(crash, "ended") == ("before",)


@pytest.mark.parametrize(
    ("frames", "frame"),
    [
        (("__restore_rt [0x7f]", "[0x12]", "my_filter::on_request [0x1]", "other [0x2]"), "my_filter::on_request"),
        (
            ("__pthread_kill_implementation", "gsignal", "abort [0x1]", "envoy_dynamic_module_on_x [0x3]"),
            "envoy_dynamic_module_on_x",
        ),
        (("std::panicking::begin_panic [0x1]", "core::panicking::panic_fmt [0x1]", "f"), "f"),
        (("[0x12]",), ""),
        ((), ""),
    ],
)
def test_the_first_named_frame(frames: tuple[str, ...], frame: str) -> None:
    assert crash_frame(stack(*frames)) == frame
    assert crash_frame("no crash") == ""


@pytest.mark.parametrize(
    ("text", "string"),
    [
        ("ABI version mismatch: got invalid-version-hash, but expected 7ee5", "invalid-version-hash"),
        ("Dynamic module ABI version v0.1.0 is deprecated. Please recompile", "v0.1.0"),
        ("Dynamic module ABI version v0.2.0 matched.", "v0.2.0"),
        ("nothing of the kind", None),
    ],
)
def test_the_abi_string_that_a_host_reports(text: str, string: str | None) -> None:
    own = "source/extensions/dynamic_modules/dynamic_modules.cc:89"
    assert reported_abi_string(line("info", text, source=own)) == string
    assert reported_abi_string(line("info", text)) is None, "it is the module's own line"

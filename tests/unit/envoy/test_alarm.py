"""What is an alarm of the host itself, and what only reads like one."""

from __future__ import annotations

import pytest
from dmconform.envoy.alarm import alarm

TIME = "[2026-11-30 15:25:17.372][13450]"
BUG = "envoy bug failure: !read_filters_.empty(). Details: no filter"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"{TIME}[error][envoy_bug] [source/common/network/filter_manager_impl.cc:77] {BUG}", BUG),
        (f"{TIME}[critical][assert] [a.cc:1] assert failure: x == y.", "assert failure: x == y."),
        (f"{TIME}[critical][dynamic_modules] [source/extensions/dynamic_modules/dynamic_modules.cc:9] {BUG}", BUG),
        ("==4711==ERROR: AddressSanitizer: heap-use-after-free on address 0x1", "AddressSanitizer: heap-use-after-free"),
        (
            "========\n==7==ERROR: LeakSanitizer: detected memory leaks",
            "Leak",
        ),
        ("WARNING: ThreadSanitizer: data race (pid=1)", "data race"),
        ("==7==WARNING: MemorySanitizer: use-of-uninitialized-value", "MemorySanitizer"),
        ("source/common/http/a.cc:12:7: runtime error: signed integer overflow: 1 + 2", "signed integer overflow"),
    ],
)
def test_an_alarm(line: str, found: str) -> None:
    seen = alarm(f"{TIME}[info][main] [a.cc:1] starting\n{line}\nnext line\n")
    assert seen is not None
    assert found in seen


@pytest.mark.parametrize(
    "line",
    [
        f"{TIME}[error][dynamic_modules] [source/extensions/dynamic_modules/abi_impl.cc:9] {BUG}",  # a module has logged it
        f"{TIME}[error][dynamic_modules] {BUG}",
        BUG,
        f"my module: {BUG}",
        "panic: runtime error: invalid memory address or nil pointer dereference",  # of Go
        "expected no ERROR: AddressSanitizer: here",
        "my module says WARNING: ThreadSanitizer: x",
        f"{TIME}[info][main] [a.cc:1] no bug",
    ],
)
def test_no_alarm(line: str) -> None:
    assert alarm(f"{line}\n") is None

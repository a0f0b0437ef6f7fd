"""What ends a command ends it in one way, and not in the middle of a report."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from dmconform.core.interrupts import deferred_interrupts, ended_like_interrupted

LIKE_CTRL_C = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """A test that fails must not leave the process without its handlers; under nohup, SIGHUP is ignored before it."""
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, *LIKE_CTRL_C)}
    for one in LIKE_CTRL_C:
        signal.signal(one, signal.SIG_DFL)
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize("number", LIKE_CTRL_C)
def test_a_command_ends_as_by_an_interrupt(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), ended_like_interrupted():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_impatience_does_not_interrupt_the_cleaning(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned = []
    with pytest.raises(KeyboardInterrupt), ended_like_interrupted():
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            os.kill(os.getpid(), number)
            cleaned.append("all")
    assert cleaned == ["all"]
    monkeypatch.setattr("dmconform.core.interrupts.GRACE_S", 0.0)
    with pytest.raises(KeyboardInterrupt), ended_like_interrupted():
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            os.kill(os.getpid(), number)
            cleaned.append("more")
    assert cleaned == ["all"], "later on, it is interrupted again: the cleaning itself may hang"


def test_a_second_quit_ends_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), ended_like_interrupted():
        try:
            os.kill(os.getpid(), signal.SIGQUIT)
        finally:
            assert signal.getsignal(signal.SIGQUIT) is signal.SIG_DFL


@pytest.mark.parametrize("number", LIKE_CTRL_C)
def test_what_is_ignored_stays_so(number: signal.Signals) -> None:
    """As `nohup` has SIGHUP."""
    signal.signal(number, signal.SIG_IGN)
    with ended_like_interrupted():
        os.kill(os.getpid(), number)
        with deferred_interrupts():
            os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, *LIKE_CTRL_C])
def test_an_interrupt_waits_for_the_end_of_the_block(number: signal.Signals) -> None:
    done = []
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt), deferred_interrupts():
        os.kill(os.getpid(), number)
        done.append("the report")
    assert done == ["the report"]

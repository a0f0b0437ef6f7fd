"""Trouble of the machine is said with what to do, and writing that fails is a mistake of usage only where a name is."""

from __future__ import annotations

import errno
import os
import resource
import signal
import time
from pathlib import Path

import msgspec
import pytest
from dmconform.core import kept
from dmconform.core.clock import CommandStart
from dmconform.core.datafile import read_bounded
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.interrupts import deferred_interrupts
from dmconform.core.trouble import has_no_room, is_full, machine_trouble, not_written, scarcity_in, scarcity_of


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_is_known_as_such(number: int) -> None:
    assert is_full(OSError(number, ""))
    assert machine_trouble(OSError(number, "", "x")) == f"x: {os.strerror(number)}; free room there"


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "", "x"), ValueError("x"), RuntimeError("another")])
def test_what_is_no_trouble_of_the_machine_is_none(error: Exception) -> None:
    assert not is_full(error)
    assert machine_trouble(error) is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, UsageError),
        (errno.ENOTDIR, UsageError),
        (errno.EISDIR, UsageError),
        (errno.ENOSPC, HarnessError),
        (errno.EIO, HarnessError),
        (errno.EROFS, HarnessError),
    ],
)
def test_a_full_disk_is_no_mistake_of_usage(number: int, kind: type[HarnessError]) -> None:
    error = not_written("--out x", OSError(number, os.strerror(number)))
    assert type(error) is kind
    assert str(error).startswith(f"--out x: cannot be written: {os.strerror(number)}")


def test_a_folder_with_room_has_room_and_stays_empty(tmp_path: Path) -> None:
    assert not has_no_room(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_room_is_known(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        assert has_no_room(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_another_matter(tmp_path: Path) -> None:
    assert not has_no_room(tmp_path / "gone")


def test_a_file_that_cannot_be_opened_for_want_of_something_is_no_bad_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(HarnessError, match=r"cannot be read: Too many open files; raise the limit") as caught:
        read_bounded(tmp_path / "x")
    assert not isinstance(caught.value, UsageError)


class _Kept(msgspec.Struct, frozen=True):
    value: int


def test_a_cache_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept.keep(tmp_path / "file" / "x.json", _Kept(1))
    kept.keep(tmp_path / "folder" / "x.json", _Kept(1))
    assert kept.find(tmp_path / "file" / "x.json", _Kept) is None
    assert kept.find(tmp_path / "folder" / "x.json", _Kept) == _Kept(1)


def test_a_duration_is_that_of_the_monotonic_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    started = CommandStart.now()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "monotonic", lambda: started.monotonic_s + 2.5)
    assert started.elapsed_s == 2.5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_for_the_end_of_the_block(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    done = False
    with pytest.raises(KeyboardInterrupt), deferred_interrupts():
        os.kill(os.getpid(), number)
        done = True
    assert done
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EAGAIN, errno.ENOMEM, errno.ENFILE])
def test_scarcity_is_found_behind_an_error(number: int) -> None:
    def end() -> None:
        try:
            raise OSError(number, os.strerror(number))
        except OSError as error:
            raise AssertionError("expected an answer, saw none") from error

    with pytest.raises(AssertionError) as caught:
        end()
    assert (scarcity_of(caught.value) or "").startswith(os.strerror(number))


def test_threads_and_memory_can_be_scarce() -> None:
    assert "threads" in (scarcity_of(RuntimeError("can't start new thread")) or "")
    assert "memory" in (scarcity_of(MemoryError()) or "")


@pytest.mark.parametrize(
    "error", [AssertionError("x"), ConnectionResetError(errno.ECONNRESET, "x"), PermissionError(errno.EPERM, "")]
)
def test_other_errors_are_no_scarcity(error: Exception) -> None:
    assert scarcity_of(error) is None


def test_errors_that_name_one_another_are_no_endless_search() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert scarcity_of(first) is None


@pytest.mark.parametrize(
    "line",
    [
        "accept failed: Too many open files",
        "runtime: failed to create new OS thread (have 5 already; errno=11)",
        'thread panicked: failed to spawn thread: Os { code: 11, message: "Resource temporarily unavailable" }',
        "mmap: Cannot allocate memory",
        "RuntimeError: can't start new thread",
    ],
)
def test_scarcity_is_found_in_what_a_host_prints(line: str) -> None:
    assert scarcity_in(f"all is well\n{line}\nthe end\n") == line
    assert scarcity_in("all is well\n") is None

"""What a process can do once it has only its open files: nothing outside of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from dmconform.core.paths import IMPORT_ROOT

CONFINED = f"""
import sys; sys.path.insert(0, {str(IMPORT_ROOT)!r})
import ctypes, os, signal, socket, threading, _posixsubprocess
from dmconform.core.seccomp import keep_only_open_files
file = open(sys.argv[1], "r+b")
parent = os.getppid()
assert keep_only_open_files()
"""


def confined(code: str, file: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-I", "-c", CONFINED + code, str(file)]
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "open"
    path.write_text("text")
    return path


@pytest.mark.parametrize(
    "code",
    [
        "open(sys.argv[1])",
        "open(sys.argv[1] + '.new', 'w')",
        "os.open('.', os.O_RDONLY)",
        "os.stat(sys.argv[1])",
        "os.readlink('/proc/self/exe')",
        "os.listdir('/')",
        "os.unlink(sys.argv[1])",
        "os.mkdir(sys.argv[1] + '.folder')",
        "os.chmod(sys.argv[1], 0)",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "threading.Thread(target=print).start()",
        "socket.socket()",
        "os.memfd_create('more')",
        "os.kill(parent, 0)",
        "os.pidfd_open(parent)",
        "signal.pthread_kill(threading.main_thread().ident, 0); os.kill(os.getpid(), 0)",
        "assert ctypes.CDLL(None).syscall(234, parent, parent, 0) == 0",
        "assert ctypes.CDLL(None).syscall(101, 16, parent, 0, 0) == 0",
    ],
)
def test_nothing_outside_of_the_process_is_reached(code: str, file: Path) -> None:
    found = confined(f"print('before', flush=True)\n{code}\nprint('after')", file)
    assert found.stdout == "before\n"
    assert found.returncode == 1
    assert any(error in found.stderr for error in ("No such file", "can't start new thread", "AssertionError")), found.stderr
    assert file.read_text() == "text"


def test_memory_open_files_and_an_end_remain(file: Path) -> None:
    found = confined("held = bytearray(50 << 20); file.seek(2); file.write(b'in'); file.flush(); print(file.tell())", file)
    assert (found.stdout, found.stderr, found.returncode) == ("4\n", "", 0)
    assert file.read_text() == "tein"


def test_it_can_end_itself_by_a_signal(file: Path) -> None:
    assert confined("os.abort()", file).returncode == -6


def test_the_other_calling_convention_ends_it(file: Path) -> None:
    found = confined("ctypes.CDLL(None).syscall(0x40000000 + 2, b'/etc/passwd', 0)", file)
    assert found.returncode == -31

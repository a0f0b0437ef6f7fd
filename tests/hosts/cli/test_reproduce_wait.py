"""`dmconform reproduce --wait`: a real Envoy waits, the printed commands work on it, and it is gone afterwards."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dmconform.core.errors import ExitCode

from tests.checkout import ROOT
from tests.hosts.processes import eventually, naming
from tests.hosts.project import RUN_S, Project, ended

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("everything")]
SDK_AND_HOST = "cpp@1.39:reference/1.39.3"
END_OF_TEXT = "Enter or Ctrl-C ends it.\n"
COMMAND_S = 60.0


class Waiting:
    """A `reproduce --wait` that has come to where it waits."""

    def __init__(self, cell: str, options: tuple[str, ...], out: Path) -> None:
        self.out = out
        self.process = Project(ROOT).start("reproduce", cell, "--wait", *options, "--out", out, stdin=subprocess.PIPE)
        assert self.process.stdout is not None
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line == END_OF_TEXT:
                return
        raise AssertionError(f"expected it to wait: {self.lines} {self.process.stderr and self.process.stderr.read()}")

    def value(self, name: str) -> str:
        """What is printed after a name."""
        return next(line.partition(":")[2].strip() for line in self.lines if line.startswith(f"{name}:"))

    @property
    def curls(self) -> list[str]:
        """The requests."""
        return [line.strip() for line in self.lines if line.startswith("  curl ")]


@pytest.fixture
def wait(tmp_path: Path) -> Iterator[Callable[..., Waiting]]:
    """Starts one; it is ended in any case."""
    started: list[Waiting] = []

    def start(cell: str, *options: str) -> Waiting:
        started.append(Waiting(f"{cell}/{SDK_AND_HOST}", options, tmp_path / "out"))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.communicate()


def sh(line: str) -> str:
    """What a command of the text prints."""
    done = subprocess.run(
        ["sh", "-c", line], check=False, capture_output=True, text=True, timeout=COMMAND_S, stdin=subprocess.DEVNULL
    )
    return done.stdout + done.stderr


def test_the_printed_commands_work_and_nothing_is_left(wait: Callable[..., Waiting]) -> None:
    one = wait("window/local_reply")
    assert one.value("outcome").startswith("pass")
    assert one.value("waiting") == "where GET /anything is sent to listener main"
    (curl,) = one.curls
    assert "418" in sh(curl).splitlines()[0]
    assert "LIVE" in sh(f"curl -s {one.value('admin')}/server_info")
    assert one.process.poll() is None
    assert one.process.stdin is not None
    one.process.stdin.write("\n")
    one.process.stdin.flush()
    done = ended(one.process)
    assert done.exit_code == ExitCode.OK, done
    assert eventually(lambda: not naming(one.out))
    assert not list(one.out.glob("waiting-*"))
    assert (one.out / "evidence/window/local_reply/cpp@1.39+reference/1.39.3/run-again.sh").exists()


@pytest.mark.skipif(shutil.which("gdb") is None, reason="there is no gdb on this machine")
def test_gdb_attaches_and_starts_it_anew(wait: Callable[..., Waiting]) -> None:
    one = wait("window/local_reply", "--debug")
    attach = shlex.split(one.value("attach"))
    orders = ["-batch", "-ex", "break local_reply.cc:1", "-ex", "list local_reply.cc:1,3"]
    attached = sh(shlex.join([attach[0], *attach[1:], *orders]))
    assert re.search(r"Breakpoint 1 at 0x\w+: file \S*local_reply\.cc, line \d+", attached), attached
    assert f"1\t{(ROOT / 'sdks/cpp/probe/local_reply.cc').read_text().splitlines()[0]}" in attached, attached
    anew = shlex.split(one.value("start anew"))
    hook = "envoy_dynamic_module_on_program_init"
    orders = ["-batch", "-ex", "set breakpoint pending on", "-ex", f"break {hook}", "-ex", "run", "-ex", "bt 1", "-ex", "kill"]
    at = anew.index("--args")
    started = sh(shlex.join([*anew[:at], *orders, *anew[at:]]))
    assert re.search(rf"#0  .*{hook}.*\.cc:\d+", started, re.DOTALL), started
    one.process.send_signal(signal.SIGINT)
    done = ended(one.process)
    assert done.exit_code == ExitCode.OK, done
    assert eventually(lambda: not naming(one.out))


def test_an_envoy_that_crashes_meanwhile_is_reported_with_its_log(wait: Callable[..., Waiting]) -> None:
    one = wait("window/local_reply")
    os.kill(int(one.value("process")), signal.SIGSEGV)
    assert one.process.stdout is not None
    reported = []
    for line in one.process.stdout:
        reported.append(line)
        if "Caught Segmentation fault" in line:
            break
    assert reported[0] == "process:     ended by SIGSEGV\n", reported
    one.process.send_signal(signal.SIGTERM)
    assert ended(one.process).exit_code == ExitCode.OK
    assert eventually(lambda: not naming(one.out))


def test_a_case_without_requests_waits_before_its_envoy_is_stopped(wait: Callable[..., Waiting]) -> None:
    one = wait("window/loads")
    assert one.value("waiting") == "where it is stopped, and the case has sent no request before"
    assert one.curls == []
    assert one.process.stdin is not None
    one.process.stdin.close()
    one.process.wait(RUN_S)
    assert eventually(lambda: not naming(one.out))

"""A disturbed command runs to its end, is stopped now and then, and leaves nothing."""

from __future__ import annotations

import re
import sys

from dmconform.core.process import Finished, run_program

from tests.checkout import ROOT
from tests.hosts.processes import eventually, naming

# Two processes that compute for a second, of which the first says how it ended.
BUSY = "import subprocess, sys, time; one = {one!r}; exec(one); subprocess.run([sys.executable, '-c', one]); sys.exit({code})"
ONE = "import time; end = time.monotonic() + 0.5\nwhile time.monotonic() < end: pass"


def disturbed(*words: str) -> Finished:
    return run_program([sys.executable, "-m", "tests.disturbed", *words], timeout_s=60.0, cwd=ROOT)


def test_a_command_is_stopped_now_and_then_and_its_exit_code_is_passed_on() -> None:
    done = disturbed("--seed", "7", sys.executable, "-c", BUSY.format(one=ONE, code=7))
    assert done.exit_code == 7, done.output
    reported = re.search(r"disturbed: (\d+) stops, (\d+) priorities, seed 7; exit code 7", done.output)
    assert reported, done.output
    assert int(reported[1]) > 0
    assert int(reported[2]) > 0
    assert eventually(lambda: not naming("os.getppid() == int(sys.argv[1])")), "expected nothing to compute any more"


def test_a_command_is_needed() -> None:
    done = disturbed("--seed", "7")
    assert done.exit_code == 2
    assert "expected a command to run" in done.output

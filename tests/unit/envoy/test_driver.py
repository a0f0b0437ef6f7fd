"""The driver of one process says what it sees, whatever the process is: here shells in the place of Envoys."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer
from dmconform.envoy.driver import Driver, Settled
from dmconform.envoy.launch import ADDRESS_SPACE_BYTES, ADMIN_FILE, FILE_BYTES, LISTENERS_FILE, LOG_FILE, bounds

PATIENCE_S = 10.0
SOON_S = 0.2

Start = Callable[[str], Driver]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a shell with a script, bounded as an Envoy is."""
    started: list[Driver] = []

    def starting(script: str) -> Driver:
        driver = Driver(tmp_path, lambda _: Answer(None))
        driver.start([*bounds(), "/bin/sh", "-c", script], {"PATH": "/usr/bin:/bin"}, tmp_path)
        started.append(driver)
        return driver

    yield starting
    for one in started:
        one.end(PATIENCE_S)


def test_a_process_that_ends_is_waited_for_no_longer(start: Start) -> None:
    driver = start("echo said; exit 3")
    before = time.monotonic()
    assert not driver.await_admin(PATIENCE_S)
    assert time.monotonic() - before < PATIENCE_S, "expected nobody to wait for the admin interface of what has ended"
    assert (driver.lives, driver.exit_code, driver.has_started) == (False, 3, False)
    driver.end(PATIENCE_S)
    assert driver.printed() == "said\n"
    assert (driver.folder / LOG_FILE).read_text() == "said\n"


def test_an_admin_interface_without_an_answer_is_not_ready(start: Start) -> None:
    driver = start(f"printf 127.0.0.1:4000 > {ADMIN_FILE}; sleep 600")
    assert driver.await_admin(PATIENCE_S)
    assert driver.has_started
    assert not driver.await_ready(SOON_S)


def test_what_does_not_end_when_asked_is_killed_with_all_that_it_has_started(start: Start) -> None:
    driver = start("trap '' TERM; sleep 600 & echo $!; wait; wait; sleep 600")
    assert poll(lambda: driver.printed().endswith("\n"), PATIENCE_S)
    child = Path(f"/proc/{driver.printed().strip()}")
    assert driver.stop(SOON_S) is None and driver.lives and child.exists()
    driver.end(PATIENCE_S)
    assert driver.exit_code == -9
    # What is nobody's child any more may be left as a zombie for a moment.
    assert poll(lambda: not child.exists() or ") Z " in (child / "stat").read_text(), PATIENCE_S)


def test_a_configuration_has_settled_once_the_counters_say_so(tmp_path: Path) -> None:
    counters = {"success": 0, "rejected": 0, "failure": 0}
    asked: list[str] = []

    def ask(path: str) -> Answer:
        asked.append(path)
        return Answer(200, body="".join(f"listener_manager.lds.update_{name}: {n}\n" for name, n in counters.items()))

    driver = Driver(tmp_path, ask)
    driver.write_listeners("1")
    assert driver.settled() is None
    counters["success"] = 1
    assert driver.settled() == Settled(True, 0)
    driver.write_listeners("2")
    assert driver.settled() is None
    counters["failure"] = 1
    assert driver.settled() == Settled(False, 1)
    driver.write_listeners("3")
    counters["success"] = 2
    assert driver.settled() == Settled(True, 1)
    assert set(asked) == {"/stats?filter=^listener_manager.lds.update_"}
    assert [path.name for path in tmp_path.iterdir()] == [LISTENERS_FILE], "expected to be written beside, and moved"
    assert (driver.version, (tmp_path / LISTENERS_FILE).read_text()) == (3, "3")


def test_a_process_is_bounded(start: Start) -> None:
    driver = start("ulimit -v; ulimit -c; kill -9 $$")
    assert poll(lambda: driver.exit_code, PATIENCE_S) == -9
    driver.end(PATIENCE_S)
    assert driver.printed().split() == [str(ADDRESS_SPACE_BYTES // 1024), "0"]


def test_a_bound_that_is_lower_already_stays() -> None:
    script = "from dmconform.envoy.launch import bounds; print(*bounds())"
    command = ["prlimit", "--fsize=4096", sys.executable, "-B", "-c", script]
    words = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout.split()
    assert "--fsize=4096" in words and f"--as={ADDRESS_SPACE_BYTES}" in words
    assert f"--fsize={FILE_BYTES}" in bounds()

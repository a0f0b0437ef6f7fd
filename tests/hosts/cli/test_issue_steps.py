"""The steps that `dmconform findings --issue` prints show what they say, with nothing but a real Envoy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.process import find_program, run_program
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.selection import select_hosts
from dmconform.matrix.prepare import fetch_hosts, lazy_engine
from dmconform.spec.steps import Steps, load_steps

pytestmark = pytest.mark.host

STEPS = load_steps(paths.STEPS_FILE)
STEPS_S = 60.0
BUILD_S = 600.0
"""For steps that build the official Rust SDK, which takes a minute of a quiet machine."""
OTHER_CRATE = "SDK"
"""The variable by which the steps for the Rust SDK take another crate than that of the Envoy repository."""


@pytest.fixture(scope="module")
def envoys() -> dict[str, Path]:
    """The Envoys that the steps were run on, by release."""
    cache, known = paths.cache_folder(), load_hosts(paths.HOSTS_FILE)
    releases = tuple(sorted({one.host for one in STEPS.values()}))
    with lazy_engine(cache) as engine:
        hosts = fetch_hosts(select_hosts(releases, known), known, engine, cache)
    assert not [host.problem for host in hosts if host.problem]
    return {host.host.id: Path(host.host.binary) for host in hosts}


def printed(steps: Steps, envoy: Path, folder: Path) -> str:
    """What a person sees who copies the steps into a file and runs it."""
    script, temporary = folder / "steps.sh", folder / "t"
    script.write_text(steps.script)
    temporary.mkdir()
    timeout_s = BUILD_S if "cargo" in steps.needs else STEPS_S
    done = run_program(["sh", script, envoy], timeout_s=timeout_s, env={"TMPDIR": str(temporary)}, cwd=folder)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("record", STEPS)
def test_the_steps_show_it(record: str, envoys: dict[str, Path], tmp_path: Path) -> None:
    steps = STEPS[record]
    if "cargo" in steps.needs and not os.environ.get(OTHER_CRATE):
        pytest.skip(f"builds the official SDK, which cargo takes from its repository; {OTHER_CRATE} can name another place")
    absent = [name for name in steps.needs if " " not in name and find_program(name) is None]
    if absent == ["go"]:
        pytest.skip("builds a module with the Go SDK, and this machine has no Go outside of its containers")
    assert absent == []
    output = printed(steps, envoys[steps.host], tmp_path)
    assert steps.missing_from(output) is None, output


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ("udp-configuration-refused-ends-host", "listener_manager.lds.update_rejected: 1"),
        ("module-field-ignored-on-routes-of-1.38", "named/on the route.so"),
        ("opens-now-from-1.40-on", "listener_manager.lds.update_success: 1"),
    ],
)
def test_where_it_is_right_the_steps_show_that(record: str, line: str, envoys: dict[str, Path], tmp_path: Path) -> None:
    """The same steps tell a host that does it right from one that does not."""
    steps = STEPS[record]
    right = {"1.39.3": "1.40.0", "1.38.2": "1.39.3", "1.40.0": "1.39.3"}[steps.host]
    output = printed(steps, envoys[right], tmp_path)
    assert line in output.splitlines()
    assert record == "module-field-ignored-on-routes-of-1.38" or steps.missing_from(output) is not None

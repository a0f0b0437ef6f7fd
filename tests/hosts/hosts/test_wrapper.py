"""A script that starts a release is judged as that release, and ends as it does."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from dmconform.binaries.known import known_host_facts
from dmconform.core import paths
from dmconform.core.values import Outcome
from dmconform.hosts.catalogue import KnownHost, Opens, load_hosts
from dmconform.hosts.obtain import from_file, from_release
from dmconform.hosts.program import program_behind
from dmconform.matrix.cell import Cell, listener
from dmconform.matrix.host_record import offer_of, planned_host
from dmconform.matrix.plan import PlannedHost

from tests.hosts.bench import Bench

pytestmark = pytest.mark.host
KNOWN = load_hosts(paths.HOSTS_FILE)
RELEASE = next(one for one in KNOWN if one.release == "1.40.0")


def script(file: Path, *lines: str) -> Path:
    """A script that can be run."""
    file.write_text("\n".join(("#!/bin/sh", *lines, "")), encoding="utf-8")
    file.chmod(0o755)
    return file


def binary_of(known: KnownHost) -> Path:
    """The Envoy of a release."""
    return Path(from_release(known, paths.cache_folder(), lambda _: None).binary)


def wrapped(folder: Path, *before: str) -> PlannedHost:
    """A script as host that starts 1.40.0."""
    file = script(folder / "envoy.sh", f'exec {shlex.join(before)} {binary_of(RELEASE)} "$@"')
    return planned_host(from_file(file, KNOWN, "file envoy.sh"), None, KNOWN, paths.cache_folder())


def test_the_program_behind_a_script_is_found(tmp_path: Path) -> None:
    binary = binary_of(RELEASE)
    assert program_behind(binary) == binary
    assert program_behind(script(tmp_path / "one", f'exec {binary} "$@"')) == binary
    assert program_behind(script(tmp_path / "two", f'exec env A=b {tmp_path / "one"} "$@"')) == binary
    assert program_behind(script(tmp_path / "three", f'{binary} "$@"')) == binary
    imposter = script(tmp_path / "four", "echo hello")
    assert program_behind(imposter) == imposter
    assert program_behind(tmp_path / "absent") == tmp_path / "absent"


def test_a_script_is_known_as_what_it_starts(tmp_path: Path) -> None:
    planned = wrapped(tmp_path, "env", "A=b")
    assert planned.host.id.startswith("1.40.0~")
    assert planned.program == str(binary_of(RELEASE))
    assert (planned.known_as, planned.opens) == ("1.40.0", Opens.NOW)
    assert (planned.abi_version, planned.abi_check) == (RELEASE.abi_version, RELEASE.abi_check)
    assert planned.static_modules == RELEASE.static_modules
    assert offer_of(planned, paths.cache_folder()) == known_host_facts("1.40.0"), "what its file shows is what is on record"


def test_the_end_of_a_wrapped_host_is_seen_as_that_of_its_release(bench: Bench, tmp_path: Path) -> None:
    older = next(one for one in KNOWN if one.release == bench.host)
    assert older.opens is Opens.LAZY, "a module whose call ends the host must be loaded first"
    file = script(tmp_path / "envoy.sh", f'exec {binary_of(older)} "$@"')
    host = planned_host(from_file(file, KNOWN, "file envoy.sh"), None, KNOWN, paths.cache_folder())

    def calls(cell: Cell) -> None:
        with cell.start(listener("absent_callback", "call", module="absent_lazy"), module="absent_lazy") as envoy:
            envoy.request("/")

    plain = bench.run(calls, name="self/plain")
    again = Bench(bench.with_plan(hosts=(host,)).plan, bench.upstream_port, host.host.id).run(calls, name="self/wrapped")
    assert plain.outcome is again.outcome is Outcome.CRASH
    assert "undefined symbol" in plain.detail
    assert again.detail.replace("self/wrapped", "self/plain").replace(host.host.id, older.release) == plain.detail

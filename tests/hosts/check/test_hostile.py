"""Modules that try to outlive their host, to hang the tool or to mislead it: what they do stays without effect."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from dmconform.check.result import Check, HostVerdict, RunKind
from dmconform.core.values import AbiVerdict
from dmconform.core.waiting import poll
from dmconform.envoy.descendants import MARK

from tests.check_cli import checked
from tests.corpus.making import Module, Workplace

pytestmark = pytest.mark.host
HOSTS = ("--host", "1.39", "--host", "1.40")
GIVEN = ("--extension-point", "http_filter", "--filter-name", "n", "--filter-config", "")
GONE_S = 5.0
MOST_KIB = 1 << 20
Run = Callable[[str], Check]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Checks a module that is made of a source of the corpus."""

    def one(source: str) -> Check:
        target = tmp_path / f"lib{source}.so"
        Module(source=f"hostile/{source}.c").make(Workplace(tmp_path, dict), target)
        return checked(target, *HOSTS, *GIVEN)

    return one


def marked() -> list[str]:
    """What is left of Envoys: the processes that have their mark, whose environment can be read."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and MARK.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def test_what_a_module_starts_ends_with_its_host(run: Run) -> None:
    found = run("leaves_processes")
    assert {host.verdict for host in found.hosts} == {HostVerdict.WORKS}
    assert poll(lambda: not marked(), GONE_S), f"expected nothing to outlive its host, there is {marked()}"


def test_files_that_a_module_replaces_hang_nothing_and_fill_no_memory(run: Run) -> None:
    """It puts links to /dev/zero and named pipes in the place of its host's log, address and configuration."""
    found = run("replaces_files")
    assert len(found.hosts) == 2, "the other host's result is there"
    assert {run.kind for host in found.hosts for run in host.runs} <= {RunKind.WORKS, RunKind.NO_VERDICT, RunKind.HUNG}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MOST_KIB


def test_what_a_module_prints_is_not_taken_for_the_hosts_words(run: Run) -> None:
    found = run("imitates_the_host")
    assert [run.abi_verdict for host in found.hosts for run in host.runs] == [AbiVerdict.MATCHED, AbiVerdict.DEPRECATED]
    assert (found.module.abi_version, {host.verdict for host in found.hosts}) == ("v0.1.0", {HostVerdict.WORKS})

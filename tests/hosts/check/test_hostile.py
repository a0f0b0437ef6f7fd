"""Modules that try to outlive their host, to hang the tool or to mislead it: what they do stays without effect.

A few of those of `./toxw -e attack`, at fixed moments.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.check.result import Check, HostVerdict
from dmconform.core.values import AbiVerdict

from tests.attack.modules import HOSTS, Effect, Hostile, Moment, attack_by, kind_named, kinds

pytestmark = pytest.mark.host
CHOSEN = [
    ("forks_many", Moment.LOAD),
    ("leaves_another_program", Moment.CONFIGURATION),
    ("leaves_disguised_process", Moment.REQUEST),
    ("runs_away", Moment.INIT),
    ("kills_parent", Moment.LOAD),
    ("puts_links_to_zeros", Moment.LOAD),
    ("puts_pipes", Moment.CONFIGURATION),
    ("puts_link_for_its_folder", Moment.REQUEST),
    ("deep_folders", Moment.REQUEST),
    ("floods_output", Moment.REQUEST),
    ("endless_body", Moment.REQUEST),
    ("answers_for_the_host", Moment.LOAD),
    ("spins", Moment.LOAD),
    ("aborts", Moment.LOAD),
    ("exhausts_its_stack", Moment.CONFIGURATION),
]


def of_result(folder: Path) -> Check:
    """The result of a check."""
    return msgspec.json.decode((folder / "check.json").read_bytes(), type=Check)


def test_there_are_kinds_enough() -> None:
    names = [kind.name for kind in kinds()]
    assert len(names) == len(set(names)) >= 40
    assert {kind.effect for kind in kinds()} == set(Effect)


@pytest.mark.parametrize(("name", "moment"), CHOSEN, ids=[f"{name}-{moment.value.lower()}" for name, moment in CHOSEN])
def test_a_hostile_module_has_no_effect_but_on_its_host(name: str, moment: Moment, tmp_path: Path) -> None:
    done = attack_by(Hostile(kind_named(name), moment, attacked="1.40"), tmp_path)
    assert done.failure is None, done.failure


@pytest.mark.parametrize("attacked", HOSTS)
def test_what_a_module_prints_is_not_taken_for_the_hosts_words(attacked: str, tmp_path: Path) -> None:
    done = attack_by(Hostile(kind_named("imitates_the_host"), Moment.LOAD, attacked), tmp_path)
    assert done.failure is None, done.failure
    found = of_result(tmp_path)
    assert [run.abi_verdict for host in found.hosts for run in host.runs] == [AbiVerdict.MATCHED, AbiVerdict.DEPRECATED]
    assert (found.module.abi_version, {host.verdict for host in found.hosts}) == ("v0.1.0", {HostVerdict.WORKS})

"""How hosts load modules: the record in `conformance/hosts.toml` against what they do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.errors import HarnessError
from dmconform.hosts.catalogue import AbiCheck, KnownHost, Opens, load_hosts
from dmconform.measure.loading import Loading

from tests.hosts.stubs import Stubs, stubs
from tests.recorded import assert_recorded

pytestmark = pytest.mark.host
HOSTS = load_hosts(paths.HOSTS_FILE)
DEFAULT = tuple(host for host in HOSTS if host.default)


@pytest.fixture(scope="module")
def hosts(upstream_port: int) -> Iterator[Stubs]:
    """The default releases, and a compiler."""
    with stubs(tuple(host.release for host in DEFAULT), upstream_port) as them:
        yield them


@pytest.mark.parametrize("host", DEFAULT, ids=lambda host: host.release)
def test_the_record_says_how_a_host_opens_modules_and_what_it_does_with_abi_strings(
    hosts: Stubs, tmp_path: Path, host: KnownHost
) -> None:
    loading = Loading(hosts.hosts[host.release], hosts.compiler, tmp_path, hosts.upstream_port)
    handling = loading.abi_handling(())

    recorded = {"opens": host.opens, "abi_version": host.abi_version, "abi_check": host.abi_check}
    measured = {"opens": loading.opens(), "abi_version": handling.own, "abi_check": handling.check}
    assert_recorded(paths.HOSTS_FILE, host.release, recorded, measured, f"dmconform hosts add {host.release} --quick --write")


def test_the_measurement_distinguishes_hosts() -> None:
    """The record has each kind, so that the test above has seen each."""
    assert {host.opens for host in DEFAULT} == set(Opens)
    assert {host.abi_check for host in DEFAULT} == set(AbiCheck)


@pytest.mark.parametrize("release", ["1.36.4", "1.37.0"])
def test_a_string_that_the_binary_does_not_say_is_found_by_trying(hosts: Stubs, tmp_path: Path, release: str) -> None:
    """One names its string when it refuses another; the other takes one of those that other hosts have, and says nothing."""
    unknown = dataclasses.replace(hosts.hosts[release], abi_version=None)
    known = [host.abi_version for host in HOSTS]
    handling = Loading(unknown, hosts.compiler, tmp_path, hosts.upstream_port).abi_handling(known)

    own = next(host.abi_version for host in DEFAULT if host.release == release)
    assert (handling.own, handling.check) == (own, AbiCheck.EXACT)


@pytest.mark.parametrize(
    ("release", "string", "message"),
    [
        (
            "1.36.4",
            "not its own",
            "to be not its own; it takes none of these, and says .*but expected 7ee559f1",
        ),
        ("1.40.0", None, "to be in its binary; .*--abi-string"),
    ],
)
def test_a_string_that_cannot_be_known_is_asked_for(
    hosts: Stubs, tmp_path: Path, release: str, string: str | None, message: str
) -> None:
    wrong = dataclasses.replace(hosts.hosts[release], abi_version=string)
    with pytest.raises(HarnessError, match=message):
        Loading(wrong, hosts.compiler, tmp_path, hosts.upstream_port).abi_handling([host.abi_version for host in HOSTS])

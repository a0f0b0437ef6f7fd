"""What hosts make of modules with one fault: a part of it measured anew, and compared with what the repository says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dmconform.abi.fault_reactions import FILE, Counted, Fate, Faults, NullFact, PointFaults, load_faults, merged
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.versions import Release
from dmconform.hosts.catalogue import load_hosts
from dmconform.measure.faults.measure import measure_faults
from dmconform.measure.new_host import reaction_differences

from tests.hosts.stubs import Stubs, stubs
from tests.recorded import assert_no_differences

pytestmark = pytest.mark.host

COUNTER = "module_load_error.config_name.name"
RELEASES = tuple(host.release for host in load_hosts(paths.HOSTS_FILE) if host.default)
PART = {
    "1.36": tuple(ExtensionPoint),
    "1.37": (ExtensionPoint.HTTP_FILTER, ExtensionPoint.UDP_LISTENER_FILTER),
    "1.38": (ExtensionPoint.LISTENER_FILTER, ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE),
    "1.39": (ExtensionPoint.HTTP_FILTER, ExtensionPoint.NETWORK_FILTER, ExtensionPoint.FORMATTER, ExtensionPoint.CLUSTER),
    "1.40": (
        ExtensionPoint.HTTP_FILTER,
        ExtensionPoint.UDP_LISTENER_FILTER,
        ExtensionPoint.MATCHER,
        ExtensionPoint.STAT_SINK,
        ExtensionPoint.TLS_HANDSHAKER,
        ExtensionPoint.HEALTH_CHECKER,
    ),
}
"""By minor, one of each kind: counted as this, as that, not at all, late, not to be seen; and all that end Envoy."""


@pytest.fixture(scope="module")
def hosts(upstream_port: int) -> Iterator[Stubs]:
    """The default hosts."""
    with stubs((), upstream_port) as them:
        yield them


def measured(hosts: Stubs, release: str, folder: Path, *only: ExtensionPoint) -> tuple[PointFaults, ...]:
    """A fresh measurement."""
    one = (hosts.hosts[release],)
    return measure_faults(one, folder, hosts.compiler, hosts.upstream_port, workers=2, progress=print, only=frozenset(only))


def mismatches(data: Faults, release: str, fresh: tuple[PointFaults, ...]) -> list[str]:
    """The keys in which the data say something else than a measurement."""
    return reaction_differences(lambda point: data.of(release, point), fresh)


@pytest.mark.parametrize("release", RELEASES)
def test_the_data_are_what_the_host_does(hosts: Stubs, tmp_path: Path, release: str) -> None:
    part = PART.get(str(Release.parse(release).minor), tuple(ExtensionPoint))
    found = mismatches(load_faults(), release, measured(hosts, release, tmp_path, *part))
    assert_no_differences(FILE, release, found, f"dmconform abi faults --host {release}")


def test_data_that_are_wrong_are_found(hosts: Stubs, tmp_path: Path) -> None:
    fresh = measured(hosts, "1.40.0", tmp_path, ExtensionPoint.MATCHER)
    facts = fresh[0]
    assert facts.lacks["matcher_match"] == Counted({COUNTER: 1})
    lacks, other = "matcher.lacks.matcher_match", Counted({"config_init_error.config_name.name": 1})
    wrong: list[tuple[str, dict[str, Any]]] = [
        (f"{lacks}.counters.{COUNTER}: recorded nothing, measured 1", {"lacks": {**facts.lacks, "matcher_match": Counted()}}),
        (f"{lacks}.counters.config_init_error", {"lacks": {**facts.lacks, "matcher_match": other}}),
        (f"{lacks}: recorded nothing", {"lacks": {name: one for name, one in facts.lacks.items() if name != "matcher_match"}}),
        (
            "matcher.null.matcher_config_new.fate: recorded 'crashes', measured 'refused'",
            {"null": {**facts.null, "matcher_config_new": NullFact(Fate.CRASHES)}},
        ),
        ("matcher.problem: recorded 'why', measured ''", {"null": {}, "problem": "why"}),
    ]
    assert not mismatches(merged(fresh), "1.40.0", fresh)
    for line, change in wrong:
        found = mismatches(merged([msgspec.structs.replace(facts, **change)]), "1.40.0", fresh)
        assert any(one.startswith(line) for one in found), found

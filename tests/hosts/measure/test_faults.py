"""What hosts make of modules with one fault: a part of it measured anew, and compared with what the repository says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dmconform.abi.fault_reactions import Counted, Fate, Faults, NullFact, PointFaults, load_faults, merged
from dmconform.core.extension_point import ExtensionPoint
from dmconform.measure.faults.measure import measure_faults

from tests.hosts.stubs import Stubs, stubs

pytestmark = pytest.mark.host

PART = {
    "1.36.4": tuple(ExtensionPoint),
    "1.37.0": (ExtensionPoint.HTTP_FILTER, ExtensionPoint.UDP_LISTENER_FILTER),
    "1.38.3": (ExtensionPoint.LISTENER_FILTER, ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE),
    "1.39.3": (ExtensionPoint.HTTP_FILTER, ExtensionPoint.NETWORK_FILTER, ExtensionPoint.FORMATTER, ExtensionPoint.CLUSTER),
    "1.40.0": (
        ExtensionPoint.HTTP_FILTER,
        ExtensionPoint.UDP_LISTENER_FILTER,
        ExtensionPoint.MATCHER,
        ExtensionPoint.STAT_SINK,
        ExtensionPoint.TLS_HANDSHAKER,
        ExtensionPoint.HEALTH_CHECKER,
    ),
}
"""One of each kind: counted as this, as that, not at all, late, not to be seen; and all that end Envoy."""


@pytest.fixture(scope="module")
def hosts(upstream_port: int) -> Iterator[Stubs]:
    """The default hosts."""
    with stubs((), upstream_port) as them:
        yield them


def measured(hosts: Stubs, release: str, folder: Path, *only: ExtensionPoint) -> tuple[PointFaults, ...]:
    """A fresh measurement."""
    one = (hosts.hosts[release],)
    return measure_faults(one, folder, hosts.compiler, hosts.upstream_port, workers=2, progress=print, only=frozenset(only))


def mismatches(data: Faults, fresh: tuple[PointFaults, ...]) -> list[str]:
    """Where the data say something else than a measurement, in words."""
    lines = []
    for facts in fresh:
        (release,) = facts.releases
        known = data.of(release, facts.point) or PointFaults(facts.point, (release,), problem="the data say nothing")
        if known.problem != facts.problem:
            lines.append(f"{release}, {facts.point.value}: {facts.problem!r}; the data: {known.problem!r}")
        for what, seen, said in (("without", facts.lacks, known.lacks), ("null from", facts.null, known.null)):
            for hook in sorted(seen.keys() | said.keys()):
                if seen.get(hook) != said.get(hook):
                    lines.append(f"{release}, {what} {hook}: {seen.get(hook)}; the data: {said.get(hook)}")
    return lines


@pytest.mark.parametrize("release", PART)
def test_the_data_are_what_the_host_does(hosts: Stubs, tmp_path: Path, release: str) -> None:
    found = mismatches(load_faults(), measured(hosts, release, tmp_path, *PART[release]))
    assert not found, "renew the data with: dmconform abi faults --host " + release + "\n" + "\n".join(found)


def test_data_that_are_wrong_are_found(hosts: Stubs, tmp_path: Path) -> None:
    fresh = measured(hosts, "1.40.0", tmp_path, ExtensionPoint.MATCHER)
    facts = fresh[0]
    assert facts.lacks["matcher_match"] == Counted({"module_load_error.config_name.name": 1})
    wrong: list[dict[str, Any]] = [
        {"lacks": {**facts.lacks, "matcher_match": Counted()}},
        {"lacks": {**facts.lacks, "matcher_match": Counted({"config_init_error.config_name.name": 1})}},
        {"lacks": {name: one for name, one in facts.lacks.items() if name != "matcher_match"}},
        {"null": {**facts.null, "matcher_config_new": NullFact(Fate.CRASHES)}},
        {"null": {}, "problem": "why"},
    ]
    assert not mismatches(merged(fresh), fresh)
    for change in wrong:
        assert mismatches(merged([msgspec.structs.replace(facts, **change)]), fresh)

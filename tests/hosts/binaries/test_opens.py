"""How hosts open modules, lazily or not: the record in `conformance/hosts.toml` against what they do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint
from dmconform.envoy.extension_points.use import AttemptEnd
from dmconform.hosts.catalogue import KnownHost, Opens, load_hosts

from tests.hosts.stubs import Stubs, stubs

pytestmark = pytest.mark.host
DEFAULT = tuple(host for host in load_hosts(paths.HOSTS_FILE) if host.default)
ABSENT = "envoy_dynamic_module_callback_of_nobody"
# Leaves a function undefined that no host has, and never calls it.
LACKING = {
    "http_filter_request_headers": f"extern void {ABSENT}(void);\nstatic volatile int never;\nif (never) {ABSENT}();\nreturn 0;"
}


@pytest.fixture(scope="module")
def hosts(upstream_port: int) -> Iterator[Stubs]:
    """The default releases, and a compiler."""
    with stubs(tuple(host.release for host in DEFAULT), upstream_port) as them:
        yield them


@pytest.mark.parametrize("host", DEFAULT, ids=lambda host: host.release)
def test_a_lazy_module_that_lacks_a_function_loads_where_the_record_says_so(
    hosts: Stubs, tmp_path: Path, host: KnownHost
) -> None:
    seen = hosts.attempt(host.release, ExtensionPoint.HTTP_FILTER, tmp_path, hosts.build(host.release, LACKING))

    expected = AttemptEnd.WORKED if host.opens is Opens.LAZY else AttemptEnd.REFUSED
    said = seen.message or "it loads"
    assert seen.ended is expected, f"expected what opens = {host.opens.value!r} means on {host.release}: {said}"
    if expected is AttemptEnd.REFUSED:
        assert f"undefined symbol: {ABSENT}" in seen.message

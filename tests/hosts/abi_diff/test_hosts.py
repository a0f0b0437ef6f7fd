"""A finding of the comparison, on real Envoys: modules that use a callback which the next minor took away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dmconform.abi_diff.changes import AbiChangeKind, How
from dmconform.core.extension_point import ExtensionPoint
from dmconform.envoy.extension_points.use import AttemptEnd, Phase
from dmconform.spec.abi_breaks import promise_findings

from tests.hosts.stubs import Stubs, stubs

pytestmark = pytest.mark.host

OLD, NEW = "1.38.3", "1.39.3"
GONE = "envoy_dynamic_module_callback_transport_socket_get_io_handle"
# An HTTP filter for 1.38 that uses it. Calling it binds it then; its address in a variable is needed at load, as with BIND_NOW.
CALLS = {"http_filter_request_headers": f"(void){GONE}(0);\nreturn 0;"}
NEEDS_AT_LOAD = {"http_filter_request_headers": f"static void* (*volatile gone)(void*) = {GONE};\nreturn gone == 0;"}


@pytest.fixture(scope="module")
def hosts(upstream_port: int) -> Iterator[Stubs]:
    """The two releases, and a compiler."""
    with stubs((OLD, NEW), upstream_port) as them:
        yield them


def test_the_comparison_says_that_it_is_gone() -> None:
    found = {one.host_minor: one for one in promise_findings() if one.subject == GONE and one.sdk_minor == "1.38"}

    assert {(one.kind, one.how) for one in found.values()} == {(AbiChangeKind.CALLBACK_REMOVED, How.MISSING)}
    assert found.keys() >= {"1.39", "1.40"}
    assert NEW in found["1.39"].host_releases


@pytest.mark.parametrize("bodies", [CALLS, NEEDS_AT_LOAD], ids=["lazy", "at load"])
def test_a_module_that_uses_it_works_on_its_own_minor(hosts: Stubs, tmp_path: Path, bodies: dict[str, str]) -> None:
    seen = hosts.attempt(OLD, ExtensionPoint.HTTP_FILTER, tmp_path, hosts.build(OLD, bodies))

    assert seen.ended is AttemptEnd.WORKED, seen.message


def test_the_next_minor_refuses_a_module_that_needs_it_at_load(hosts: Stubs, tmp_path: Path) -> None:
    seen = hosts.attempt(NEW, ExtensionPoint.HTTP_FILTER, tmp_path, hosts.build(OLD, NEEDS_AT_LOAD))

    assert seen.ended is AttemptEnd.REFUSED, seen.message
    assert f"undefined symbol: {GONE}" in seen.message


def test_on_the_next_minor_a_symbol_is_unresolved(hosts: Stubs, tmp_path: Path) -> None:
    seen = hosts.attempt(NEW, ExtensionPoint.HTTP_FILTER, tmp_path, hosts.build(OLD, CALLS))

    assert (seen.ended, seen.phase) == (AttemptEnd.CRASHED, Phase.DRIVING), seen.message
    assert f"undefined symbol: {GONE}" in seen.log

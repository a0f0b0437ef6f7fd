"""A module at every extension point of real Envoys. What is refused, crashes or hangs is told as what it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from dmconform.abi.bindings.stub_module import called_in
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint
from dmconform.envoy import traffic
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.extension_points import drive
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.shapes import SHAPES, available, points_of, why_unreachable
from dmconform.envoy.extension_points.use import AttemptEnd, ModuleUse, Phase

from tests.hosts.processes import naming
from tests.hosts.stubs import Stubs, stubs

pytestmark = pytest.mark.host

RELEASES = ("1.36.4", "1.37.0", "1.38.2", "1.38.3", "1.39.3", "1.40.0")
NEWEST = RELEASES[-1]
# A hook for each point that is called only when the host really uses the module there.
USED: dict[ExtensionPoint, str] = {
    ExtensionPoint.ACCESS_LOGGER: "access_logger_log",
    ExtensionPoint.BOOTSTRAP_EXTENSION: "bootstrap_extension_server_initialized",
    ExtensionPoint.CERT_VALIDATOR: "cert_validator_do_verify_cert_chain",
    ExtensionPoint.CLUSTER: "cluster_lb_choose_host",
    ExtensionPoint.CLUSTER_SPECIFIER: "cluster_specifier_select",
    ExtensionPoint.CONFIG_VALIDATOR: "config_validator_validate",
    ExtensionPoint.EARLY_HEADER_MUTATION: "early_header_mutation_mutate",
    ExtensionPoint.FORMATTER: "formatter_format",
    ExtensionPoint.HEADER_FORMATTER: "header_formatter_process_key",
    ExtensionPoint.HEALTH_CHECKER: "health_checker_session_on_interval",
    ExtensionPoint.HTTP_FILTER: "http_filter_request_body",
    ExtensionPoint.LISTENER_FILTER: "listener_filter_on_accept",
    ExtensionPoint.LOAD_BALANCER: "lb_choose_host",
    ExtensionPoint.MATCHER: "matcher_match",
    ExtensionPoint.MATCHER_DATA_INPUT: "matcher_data_input_get",
    ExtensionPoint.NETWORK_FILTER: "network_filter_read",
    ExtensionPoint.ROUTE_SPECIFIER: "route_specifier_on_route",
    ExtensionPoint.STAT_SINK: "stat_sink_flush",
    ExtensionPoint.TLS_HANDSHAKER: "tls_handshaker_handshake",
    ExtensionPoint.TRACER: "tracer_start_span",
    ExtensionPoint.TRANSPORT_SOCKET: "transport_socket_do_read",
    ExtensionPoint.UDP_LISTENER_FILTER: "udp_listener_filter_on_data",
    ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE: "upstream_http_tcp_bridge_encode_headers",
}


@pytest.fixture(scope="module")
def hosts(upstream_port: int) -> Iterator[Stubs]:
    """The default hosts."""
    with stubs((), upstream_port) as them:
        assert tuple(them.hosts) == RELEASES
        yield them


@pytest.mark.parametrize("release", RELEASES)
def test_a_module_works_at_every_point_of_a_host(hosts: Stubs, tmp_path: Path, release: str) -> None:
    library = hosts.build(release)
    for point in points_of(hosts.hosts[release].minor):
        seen = hosts.attempt(release, point, tmp_path / point.value, library)
        if why_unreachable(point):
            assert (seen.ended, seen.message) == (AttemptEnd.NO_WAY, why_unreachable(point))
            continue
        assert seen.ended is AttemptEnd.WORKED, f"{point.value}: {dataclasses.replace(seen, log='')}\n{seen.log}"
        assert f"{HOOK_PREFIX}{USED[point]}" in called_in(seen.log), f"{point.value}: expected {USED[point]} to be called"
        assert seen.exit_code == 0
        sent = [one.request for one in seen.answers]
        assert sent[-1].startswith("GET /stats" if point is ExtensionPoint.STAT_SINK else "POST /"), sent


@pytest.mark.parametrize("release", RELEASES)
def test_a_host_knows_no_point_before_its_time(hosts: Stubs, tmp_path: Path, release: str) -> None:
    """Else the table of points and minors would be wrong."""
    library = hosts.build(release)
    minor = hosts.hosts[release].minor
    later = [point for point in ExtensionPoint if not available(point, minor) and SHAPES[point].apply]
    assert later or release == NEWEST
    for point in later:
        seen = hosts.attempt(release, point, tmp_path / point.value, library)
        assert (seen.ended, seen.phase) == (AttemptEnd.REFUSED, Phase.LOADING), f"{point.value}: {seen}"
        assert "could not find @type" in seen.message or "unknown field" in seen.message.lower(), (
            f"{point.value}: {seen.message}"
        )


def test_per_route_configuration_reaches_the_module(hosts: Stubs, tmp_path: Path) -> None:
    hook = f"{HOOK_PREFIX}http_filter_per_route_config_new"
    for release in RELEASES:
        library = hosts.build(release)
        point = ExtensionPoint.HTTP_FILTER
        with_it = hosts.attempt(release, point, tmp_path / f"{release}-with", library, per_route="text")
        without = hosts.attempt(release, point, tmp_path / f"{release}-without", library)
        assert (hook in called_in(with_it.log), hook in called_in(without.log)) == (True, False), release


@pytest.mark.parametrize(
    ("point", "hook"),
    [
        (ExtensionPoint.HTTP_FILTER, "http_filter_new"),  # by discovery: the process lives on
        (ExtensionPoint.CLUSTER, "cluster_new"),  # in the bootstrap: the process ends
        (ExtensionPoint.BOOTSTRAP_EXTENSION, "bootstrap_extension_new"),
    ],
)
def test_a_refusal_is_the_envoys_own_words(hosts: Stubs, tmp_path: Path, point: ExtensionPoint, hook: str) -> None:
    seen = hosts.attempt(NEWEST, point, tmp_path / "e", hosts.build(NEWEST, without=(hook,)))
    assert (seen.ended, seen.phase, seen.accepted) == (AttemptEnd.REFUSED, Phase.LOADING, False)
    assert seen.message.endswith(f"Failed to resolve symbol {HOOK_PREFIX}{hook}"), seen.message
    assert not naming(tmp_path)


def test_a_refusal_at_the_first_request_is_one(hosts: Stubs, tmp_path: Path) -> None:
    hook = "upstream_http_tcp_bridge_new"
    library = hosts.build(NEWEST, without=(hook,))
    seen = hosts.attempt(NEWEST, ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE, tmp_path / "e", library)
    assert (seen.ended, seen.phase, seen.accepted) == (AttemptEnd.REFUSED, Phase.DRIVING, True)
    assert seen.message == f"failed to create bridge config: Failed to resolve symbol {HOOK_PREFIX}{hook}"


def test_what_is_not_driven_is_only_accepted(hosts: Stubs, tmp_path: Path) -> None:
    seen = hosts.attempt(NEWEST, ExtensionPoint.HTTP_FILTER, tmp_path / "e", hosts.build(NEWEST), drive=False)
    assert (seen.ended, seen.answers) == (AttemptEnd.NOT_DRIVEN, ())
    assert f"{HOOK_PREFIX}http_filter_config_new" in called_in(seen.log)
    assert f"{HOOK_PREFIX}http_filter_new" not in called_in(seen.log)


@pytest.mark.parametrize(
    ("hook", "phase"),
    [
        ("http_filter_config_new", Phase.LOADING),
        ("http_filter_request_headers", Phase.DRIVING),
        ("http_filter_config_destroy", Phase.STOPPING),
    ],
)
def test_a_crash_says_when(hosts: Stubs, tmp_path: Path, hook: str, phase: Phase) -> None:
    seen = hosts.attempt(NEWEST, ExtensionPoint.HTTP_FILTER, tmp_path / "e", hosts.build(NEWEST, {hook: "__builtin_trap();"}))
    assert (seen.ended, seen.phase) == (AttemptEnd.CRASHED, phase), seen
    assert seen.exit_code is not None
    assert seen.exit_code < 0


def test_a_call_of_what_no_host_has_is_a_crash_that_names_it(hosts: Stubs, tmp_path: Path) -> None:
    """The process ends with 127, as where a launcher finds no program. From 1.40 on hosts look for all symbols at load."""
    missing = "envoy_dynamic_module_callback_that_nobody_has"
    body = f"extern void {missing}(void);\n{missing}();\nreturn 0;"
    for release in RELEASES:
        library = hosts.build(release, {"http_filter_request_headers": body})
        seen = hosts.attempt(release, ExtensionPoint.HTTP_FILTER, tmp_path / release, library)
        at_load = (AttemptEnd.REFUSED, Phase.LOADING, 0)
        at_call = (AttemptEnd.CRASHED, Phase.DRIVING, 127)
        assert (seen.ended, seen.phase, seen.exit_code) == (at_load if release == NEWEST else at_call), seen
        assert f"undefined symbol: {missing}" in seen.message


def test_a_binary_that_cannot_be_started_is_no_verdict(hosts: Stubs, tmp_path: Path) -> None:
    use = ModuleUse(ExtensionPoint.HTTP_FILTER, ModuleRef("stub"), "name")
    seen = attempt(tmp_path / "absent", use, tmp_path / "e", search_path=tmp_path, upstream_port=hosts.upstream_port)
    assert seen.ended is AttemptEnd.BLOCKED, seen
    assert "absent" in seen.message


def test_a_module_that_does_not_come_back_is_a_hang(hosts: Stubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (traffic, drive):
        monkeypatch.setattr(module, "REQUEST_S", 0.3)
    library = hosts.build(NEWEST, {"http_filter_request_headers": "for (;;) {\n}"})
    seen = hosts.attempt(NEWEST, ExtensionPoint.HTTP_FILTER, tmp_path / "e", library)
    assert (seen.ended, seen.phase) == (AttemptEnd.HUNG, Phase.DRIVING), seen
    assert not naming(tmp_path), "expected the Envoy to be killed"

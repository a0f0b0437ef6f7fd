"""Validators of discovered configuration: updates of clusters by a real discovery server, some of which `clusters` rejects."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable

from dmconform.casekit.at_points.model import Asked, ProbedPoint, When
from dmconform.casekit.life import lines_of_use, used
from dmconform.casekit.points import working_at_point
from dmconform.core.timeouts import CONFIG_UPDATE_S
from dmconform.core.waiting import poll
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.discovery_server import Discovered, DiscoveryServer, discovery_server
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.matrix.cell import PROBE, Cell

_NAME = "clusters"
_CDS = "cluster_manager.cds.update_"
_JUDGED = (f"{_CDS}success", f"{_CDS}rejected")


class _Protocol(enum.Enum):
    """How an Envoy asks for clusters. The values are those of its configuration."""

    STATE = "GRPC"
    DELTA = "DELTA_GRPC"


def _led_to(port: int, protocol: _Protocol) -> Callable[[Draft], None]:
    """Returns what has an Envoy take its clusters from a server at this port, in the place of the one in its configuration."""

    def alter(draft: Draft) -> None:
        draft.bootstrap["static_resources"]["listeners"] = []
        source = draft.bootstrap["dynamic_resources"]["cds_config"]["api_config_source"]
        source["api_type"] = protocol.value
        name = source["grpc_services"][0]["envoy_grpc"]["cluster_name"]
        server = next(one for one in draft.bootstrap["static_resources"]["clusters"] if one["name"] == name)
        address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
        server["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = address

    return alter


def _judged(envoy: Envoy, server: DiscoveryServer, update: Discovered) -> str:
    """Sends an update, and returns the text with which the Envoy rejects it; empty where it accepts it."""
    server.send(update)
    poll(lambda: server.verdict_of(update) is not None, CONFIG_UPDATE_S)
    envoy.check_alive("before it judged an update of clusters")
    verdict = server.verdict_of(update)
    assert verdict is not None, f"expected an update of clusters to be judged within {CONFIG_UPDATE_S:g} s, it was not"
    return verdict


def _clusters(envoy: Envoy) -> tuple[str, ...]:
    """Returns the names of the clusters that have come by discovery, as the admin interface shows them."""
    shown = json.loads(envoy.admin("/config_dump?resource=dynamic_active_clusters").body or "{}")
    return tuple(sorted(one["cluster"]["name"] for one in shown.get("configs", [])))


def _assert_judged(cell: Cell, text: str, protocol: _Protocol) -> None:
    """Asserts that an update is accepted, one with a refused cluster rejected with the module's text, and the next accepted."""
    use = ModuleUse(cell.point, ModuleRef(PROBE), _NAME, text)
    delta = protocol is _Protocol.DELTA
    with (
        discovery_server() as server,
        working_at_point(cell, use, alter=_led_to(server.port, protocol)) as envoy,
    ):
        first = _judged(envoy, server, Discovered("one", ("first",)))
        assert first == "", f"expected an update to be accepted by {protocol.value}, it was rejected: {first}"
        rest = ("first",) if not delta else ()
        refused = _judged(envoy, server, Discovered("two", (*rest, "refused"), ("first",) if delta else ()))
        kind, shown = ("delta", "") if delta else ("state", "first")
        wanted = f"{cell.language} [{text}] refuses envoy.config.cluster.v3.Cluster by {kind}: "
        assert wanted in refused and "refused " in refused and shown in refused and "dynamic clusters: 1" in refused, (
            f"expected an update to be rejected by {protocol.value} with {wanted!r}, saw {refused!r}"
        )
        removed = "removed: first;" if delta else "removed: ;"
        assert removed in refused, f"expected the module to be given {removed!r} by {protocol.value}, saw {refused!r}"
        seen = _clusters(envoy)
        assert seen == ("first",), f"expected the clusters to stay as they were by {protocol.value}, saw {seen}"
        last = _judged(envoy, server, Discovered("three", (*rest, "second")))
        assert last == "", f"expected a good update to be accepted afterwards by {protocol.value}, it was rejected: {last}"
        seen = _clusters(envoy)
        assert seen == ("first", "second"), f"expected two clusters by {protocol.value} afterwards, saw {seen}"
        rejected = envoy.statistic(f"{_CDS}rejected")
        assert rejected == 1, f"expected one update to be counted as rejected by {protocol.value}, saw {rejected}"


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Asserts that updates of clusters are accepted or rejected as the module says, of all clusters and of what has changed."""
    before = len(lines_of_use(cell, envoy))
    seen = _ask(cell, envoy, False)
    assert seen.served, f"expected an update without clusters to be accepted, saw {seen.summary}"
    told = used(cell, envoy, before).config
    assert told == text.encode(), f"expected the module to be given the text {text!r}, it was given {told!r}"
    for protocol in _Protocol:
        _assert_judged(cell, text, protocol)


def _ask(_: Cell, envoy: Envoy, __: bool) -> Asked:
    """Waits for the next update: the server that is in the configuration ends its stream after each, so the Envoy asks anew."""

    def judged() -> dict[str, int]:
        seen = envoy.counters(_CDS)
        return {name: seen.get(name, 0) for name in _JUDGED}

    before = judged()
    poll(lambda: judged() != before, CONFIG_UPDATE_S)
    envoy.check_alive("before it judged an update of clusters")
    after = judged()
    assert after != before, f"expected an update of clusters within {CONFIG_UPDATE_S:g} s, saw none"
    rejected = after[_JUDGED[1]] > before[_JUDGED[1]]
    return Asked(not rejected, f"an update of clusters {'rejected' if rejected else 'accepted'}")


POINT = ProbedPoint(
    name=_NAME,
    hooks={"validate": When.TRAFFIC, "destroy": When.END},
    assert_works=assert_works,
    ask=_ask,
)

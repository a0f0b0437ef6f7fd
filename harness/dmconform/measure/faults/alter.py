"""What configurations have more, so that a fault can be seen from outside."""

from __future__ import annotations

import json
import re

from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.connections import UDP
from dmconform.envoy.extension_points.draft import Draft, message_of

DETAILS = re.compile(r"^dmconform: details (.*)$", re.MULTILINE)
"""Envoy's response code details in its output, a line a request."""
_CLUSTERS_FILE = "clusters.json"
_UDP_STATISTIC = f"udp.{UDP}.downstream_sess_total"


def ask_for_details(draft: Draft) -> None:
    """Has Envoy print the response code details of each request, where there is a connection manager."""
    if draft.chain["filters"][0]["name"] == "http":
        line = {"text_format_source": {"inline_string": "dmconform: details %RESPONSE_CODE_DETAILS%\n"}}
        log = message_of("access_loggers.stream.v3.StdoutAccessLog", log_format=line)
        draft.manager["access_log"] = [*draft.manager.get("access_log", []), {"name": "details", "typed_config": log}]


def heed_health(draft: Draft) -> None:
    """Has Envoy send nothing to hosts that are not healthy; by default it does where none is."""
    draft.upstream["common_lb_config"] = {"healthy_panic_threshold": {"value": 0}}


def serve_udp(draft: Draft) -> None:
    """Puts a UDP proxy behind the module, where there is a listener for datagrams. `passed_on` asks for it."""
    for one in draft.listeners:
        if one["name"] == UDP:
            route = message_of("filters.udp.udp_proxy.v3.Route", cluster="upstream")
            matcher = {"on_no_match": {"action": {"name": "route", "typed_config": route}}}
            proxy = message_of("filters.udp.udp_proxy.v3.UdpProxyConfig", stat_prefix=UDP, matcher=matcher)
            one["listener_filters"].append({"name": "udp_proxy", "typed_config": proxy})


def passed_on(envoy: Envoy) -> bool:
    """Returns whether the UDP proxy has seen a datagram."""
    return bool(envoy.counters(_UDP_STATISTIC).get(_UDP_STATISTIC))


def by_discovery(draft: Draft) -> None:
    """Takes the clusters from a file, so that a bad one does not end Envoy."""
    clusters = draft.bootstrap["static_resources"].pop("clusters")
    resources = [{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", **one} for one in clusters]
    file = draft.folder / _CLUSTERS_FILE
    file.write_text(json.dumps({"version_info": "1", "resources": resources}, indent=1), encoding="utf-8")
    draft.bootstrap["dynamic_resources"]["cds_config"] = {"path_config_source": {"path": str(file)}}

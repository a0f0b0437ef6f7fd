"""Endpoints of a cluster that come by discovery, from a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmconform.core.regular import replace_regular

_ASSIGNMENT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"


@dataclass(frozen=True)
class Endpoint:
    """A server on loopback. Those that share a zone are in one locality."""

    port: int
    metadata: Mapping[str, str | float | bool] = field(default_factory=dict)  # of the namespace `dmconform`
    weight: int = 1
    zone: str = ""
    healthy: bool = True  # by what discovery says

    @property
    def address(self) -> str:
        """Its address with its port, as Envoy writes it."""
        return f"127.0.0.1:{self.port}"

    def to_json(self) -> dict[str, Any]:
        """Returns the `LbEndpoint` message."""
        return {
            "endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": self.port}}},
            "load_balancing_weight": self.weight,
            "health_status": "HEALTHY" if self.healthy else "UNHEALTHY",
            "metadata": {"filter_metadata": {"dmconform": dict(self.metadata)}},
        }


def write_endpoints(file: Path, cluster: str, endpoints: Iterable[Endpoint], version: int = 1) -> None:
    """Writes the endpoints of a cluster where an Envoy that watches the file finds them.

    Args:
        file: which is replaced.
        cluster: its name.
        endpoints: in an order that the Envoy keeps within each locality.
        version: another one each time.
    """
    zones: dict[str, list[dict[str, Any]]] = {}
    for one in endpoints:
        zones.setdefault(one.zone, []).append(one.to_json())
    groups = [
        {"locality": {"region": "region", "zone": zone, "sub_zone": "part"} if zone else {}, "lb_endpoints": members}
        for zone, members in zones.items()
    ]
    # Half of the endpoints take all requests, if the others are not healthy.
    policy = {"overprovisioning_factor": 200}
    assignment = {"@type": _ASSIGNMENT, "cluster_name": cluster, "endpoints": groups, "policy": policy}
    response = {"version_info": str(version), "resources": [assignment]}
    replace_regular(file, json.dumps(response, indent=1).encode())

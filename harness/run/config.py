"""Envoy configurations for cells: a bootstrap with a file-based listener discovery, and the listeners.

Listeners always come by discovery, so that one that is rejected leaves the Envoy alive and can be replaced without a restart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EXTENSIONS = "type.googleapis.com/envoy.extensions.filters"
DIRECT_PATH = "/direct"
"""Requests below this path are answered by Envoy itself, with `DIRECT_BODY`."""
DIRECT_BODY = "direct response"


@dataclass(frozen=True)
class ModuleRef:
    """How a configuration names a module: see the module's configuration document."""

    name: str
    do_not_close: bool = False
    load_globally: bool = False

    def to_json(self) -> dict[str, Any]:
        """The `DynamicModuleConfig` message."""
        message: dict[str, Any] = {"name": self.name}
        if self.do_not_close:
            message["do_not_close"] = True
        if self.load_globally:
            message["load_globally"] = True
        return message


@dataclass(frozen=True)
class HttpFilter:
    """A dynamic module's HTTP filter: the module, the filter's name and its configuration text."""

    module: ModuleRef
    filter_name: str
    config: str = ""

    def to_json(self) -> dict[str, Any]:
        """The filter as an entry of `http_filters`."""
        return {
            "name": f"dynamic_module.{self.module.name}.{self.filter_name}",
            "typed_config": {
                "@type": f"{_EXTENSIONS}.http.dynamic_modules.v3.DynamicModuleFilter",
                "dynamic_module_config": self.module.to_json(),
                "filter_name": self.filter_name,
                "filter_config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": self.config},
            },
        }


@dataclass(frozen=True)
class Listener:
    """An HTTP listener on loopback with a port of the kernel's choice."""

    name: str
    filters: tuple[HttpFilter, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The `Listener` resource."""
        router = {"name": "router", "typed_config": {"@type": f"{_EXTENSIONS}.http.router.v3.Router"}}
        manager = {
            "@type": f"{_EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": self.name,
            # Closing is part of what clients see of a failure; the default would delay it by a second.
            "delayed_close_timeout": "0s",
            "route_config": {
                "virtual_hosts": [
                    {
                        "name": "all",
                        "domains": ["*"],
                        "routes": [
                            {
                                "match": {"prefix": DIRECT_PATH},
                                "direct_response": {"status": 200, "body": {"inline_string": DIRECT_BODY}},
                            },
                            {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}},
                        ],
                    }
                ]
            },
            "http_filters": [filter_.to_json() for filter_ in self.filters] + [router],
        }
        return {
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
            "name": self.name,
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
        }


def bootstrap(listeners_file: Path, upstream_port: int) -> dict[str, Any]:
    """The `Bootstrap` message: listeners by discovery, and one cluster, `upstream`."""
    endpoint = {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": upstream_port}}}}
    return {
        "node": {"id": "dmconform", "cluster": "dmconform"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {"lds_config": {"path_config_source": {"path": str(listeners_file)}}},
        "static_resources": {
            "clusters": [
                {
                    "name": "upstream",
                    "connect_timeout": "2s",
                    "load_assignment": {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [endpoint]}]},
                }
            ]
        },
    }


def discovery(version: int, listeners: Sequence[Listener]) -> str:
    """The discovery response that holds the listeners, as JSON text."""
    resources = [listener.to_json() for listener in listeners]
    return json.dumps({"version_info": str(version), "resources": resources}, indent=1)

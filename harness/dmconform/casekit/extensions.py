"""Modules at other places than in listeners: changes of an Envoy's bootstrap configuration, for `Cell.start(alter=…)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dmconform.envoy.config import ModuleRef
from dmconform.matrix.cell import PROBE

Alter = Callable[[dict[str, Any]], None]

_EXTENSIONS = "type.googleapis.com/envoy.extensions"


def bootstrap_extension(name: str, config: str = "", *, module: ModuleRef | None = None) -> Alter:
    """Returns the change that gives an Envoy a bootstrap extension of a module.

    Args:
        name: the extension's name, which the host hands to the module.
        config: its configuration, as text.
        module: the probe if None.
    """

    def alter(bootstrap: dict[str, Any]) -> None:
        message = _message("bootstrap.dynamic_modules.v3.DynamicModuleBootstrapExtension", "extension", name, config, module)
        bootstrap["bootstrap_extensions"] = [{"name": f"dynamic_module.{name}", "typed_config": message}]

    return alter


def module_cluster(name: str, *, module: ModuleRef | None = None) -> Alter:
    """Returns the change that leaves the hosts of the cluster `upstream` to a module.

    Its configuration is the port of the server that the cluster had, as text. Hosts know such clusters from 1.38 on.

    Args:
        name: the cluster's name for the module.
        module: the probe if None.
    """

    def alter(bootstrap: dict[str, Any]) -> None:
        cluster = _upstream(bootstrap)
        (endpoints,) = cluster.pop("load_assignment")["endpoints"]
        port = endpoints["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]["port_value"]
        message = _message("clusters.dynamic_modules.v3.ClusterConfig", "cluster", name, str(port), module)
        cluster |= {"lb_policy": "CLUSTER_PROVIDED", "cluster_type": {"name": name, "typed_config": message}}

    return alter


def module_bridge(name: str, *, module: ModuleRef | None = None) -> Alter:
    """Returns the change that has a module carry the requests to the cluster `upstream`. Hosts know such bridges from 1.38 on.

    Args:
        name: the bridge's name, which the host hands to the module.
        module: the probe if None.
    """

    def alter(bootstrap: dict[str, Any]) -> None:
        message = _message("upstreams.http.dynamic_modules.v3.Config", "bridge", name, "", module)
        _upstream(bootstrap)["upstream_config"] = {"name": name, "typed_config": message}

    return alter


def upstream_socket(name: str, config: str = "", *, module: ModuleRef | None = None) -> Alter:
    """Returns the change that puts a module between the cluster `upstream` and its TCP connections. Hosts can from 1.39 on.

    Args:
        name: the transport socket's name, which the host hands to the module.
        config: its configuration, as text.
        module: the probe if None.
    """

    def alter(bootstrap: dict[str, Any]) -> None:
        type_name = "transport_sockets.dynamic_modules.v3.DynamicModuleTransportSocket"
        message = _message(type_name, "transport_socket", name, config, module)
        _upstream(bootstrap)["transport_socket"] = {"name": name, "typed_config": message}

    return alter


def module_access_log(name: str, config: str = "", *, module: ModuleRef | None = None) -> dict[str, Any]:
    """Returns the access log of a module, as an entry of a connection manager's `access_log`. Hosts know it from 1.37 on.

    Args:
        name: the logger's name, which the host hands to the module.
        config: its configuration, as text.
        module: the probe if None.
    """
    message = _message("access_loggers.dynamic_modules.v3.DynamicModuleAccessLog", "logger", name, config, module)
    return {"name": f"dynamic_module.{name}", "typed_config": message}


def _upstream(bootstrap: dict[str, Any]) -> dict[str, Any]:
    """Returns the cluster `upstream`."""
    clusters: list[dict[str, Any]] = bootstrap["static_resources"]["clusters"]
    return next(one for one in clusters if one["name"] == "upstream")


def _message(type_name: str, kind: str, name: str, config: str, module: ModuleRef | None) -> dict[str, Any]:
    """Returns the message of an extension point whose fields begin with `kind`."""
    return {
        "@type": f"{_EXTENSIONS}.{type_name}",
        "dynamic_module_config": (module or ModuleRef(PROBE)).to_json(),
        f"{kind}_name": name,
        f"{kind}_config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": config},
    }

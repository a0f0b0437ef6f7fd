"""Envoy configurations for cells: a bootstrap with a file-based listener discovery, and the listeners.

Listeners always come by discovery, so that one that is rejected leaves the Envoy alive and can be replaced without a restart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

_EXTENSIONS = "type.googleapis.com/envoy.extensions.filters"
_CONNECT = "CONNECT"
DIRECT_PATH = "/direct"
"""Requests below this path are answered by Envoy itself, with `DIRECT_BODY`."""
DIRECT_BODY = "direct response"
PLAIN_PATH = "/plain"
"""Requests below this path go to the upstream server, and no filter has a configuration of its route."""
MODULE_SOURCE = "module_source"
"""The cluster from which hosts fetch modules."""


@dataclass(frozen=True)
class RemoteSource:
    """Where a host fetches a module, over HTTP from the cluster `MODULE_SOURCE`. Hosts know it from 1.38 on."""

    path: str
    sha256: str  # hexadecimal, of the module's bytes
    timeout_s: float = 2.0  # one fetch
    retries: int = 0  # further fetches where one fails; soon after it, while the default would wait for a second
    nack_on_cache_miss: bool = False

    def to_json(self) -> dict[str, Any]:
        """Returns the fields of a `DynamicModuleConfig` for this."""
        remote = {
            "http_uri": {
                "uri": f"http://{MODULE_SOURCE}{self.path}",
                "cluster": MODULE_SOURCE,
                "timeout": f"{self.timeout_s:g}s",
            },
            "sha256": self.sha256,
            "retry_policy": {
                "num_retries": self.retries,
                "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.01s"},
            },
        }
        nack = {"nack_on_cache_miss": True} if self.nack_on_cache_miss else {}
        return {"module": {"remote": remote}, **nack}


@dataclass(frozen=True)
class LocalFile:
    """A module named by its file instead of by its name: `module.local.filename`, which hosts know from 1.38 on."""

    filename: str

    def to_json(self) -> dict[str, Any]:
        """Returns the fields of a `DynamicModuleConfig` for this."""
        return {"module": {"local": {"filename": self.filename}}}


@dataclass(frozen=True)
class ModuleRef:
    """How a configuration names a module: see the module's configuration document."""

    name: str
    do_not_close: bool = False
    load_globally: bool = False
    local: LocalFile | None = None  # beats the name
    remote: RemoteSource | None = None  # then the name is for the reader's eyes only
    metrics_namespace: str = ""  # of the module's own metrics; hosts know it from 1.38 on

    def to_json(self) -> dict[str, Any]:
        """Returns the `DynamicModuleConfig` message."""
        message: dict[str, Any] = {"name": self.name}
        if self.do_not_close:
            message["do_not_close"] = True
        if self.load_globally:
            message["load_globally"] = True
        if self.metrics_namespace:
            message["metrics_namespace"] = self.metrics_namespace
        if self.local is not None:
            message |= self.local.to_json()
        if self.remote is not None:
            del message["name"]
            message |= self.remote.to_json()
        return message


@dataclass(frozen=True)
class _ModuleFilter:
    """A dynamic module's filter of one kind: the module, the filter's name and its configuration text."""

    module: ModuleRef
    filter_name: str
    config: str = ""

    _TYPE: ClassVar[str]
    is_in_listener: ClassVar[bool] = True  # its configuration; else the host accepts the listener before it has seen it

    @property
    def entry(self) -> str:
        """The name of the entry in the filter chain, by which routes find it."""
        return f"dynamic_module.{self.module.name}.{self.filter_name}"

    def to_json(self) -> dict[str, Any]:
        """Returns the filter as an entry of its chain."""
        return {
            "name": self.entry,
            "typed_config": {
                "@type": f"{_EXTENSIONS}.{self._TYPE}",
                "dynamic_module_config": self.module.to_json(),
                "filter_name": self.filter_name,
                "filter_config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": self.config},
            },
        }


@dataclass(frozen=True)
class HttpFilter(_ModuleFilter):
    """One of `http_filters`."""

    _TYPE = "http.dynamic_modules.v3.DynamicModuleFilter"


@dataclass(frozen=True)
class EnvoyFilter:
    """One of `http_filters` that is Envoy's own, such as `buffer`: no module."""

    name: str
    type_name: str  # of its configuration, without `envoy.extensions.filters.http.`
    fields: Mapping[str, Any] = field(default_factory=dict)  # of its configuration, as JSON

    def to_json(self) -> dict[str, Any]:
        """Returns the filter as an entry of its chain."""
        return {"name": self.name, "typed_config": {"@type": f"{_EXTENSIONS}.http.{self.type_name}", **self.fields}}


@dataclass(frozen=True)
class NetworkFilter(_ModuleFilter):
    """One of a filter chain's `filters`, which see the bytes of a connection. Hosts know it from 1.37 on."""

    _TYPE = "network.dynamic_modules.v3.DynamicModuleNetworkFilter"


@dataclass(frozen=True)
class ListenerFilter(_ModuleFilter):
    """One of `listener_filters`, which see a socket before a filter chain is chosen. Hosts know it from 1.37 on."""

    _TYPE = "listener.dynamic_modules.v3.DynamicModuleListenerFilter"


@dataclass(frozen=True)
class PerRoute:
    """What a filter gets on the route to the upstream server: a module, a name and a separate configuration text."""

    entry: str  # the filter's `entry`
    module: ModuleRef
    name: str
    config: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns the `DynamicModuleFilterPerRoute` message."""
        return {
            "@type": f"{_EXTENSIONS}.http.dynamic_modules.v3.DynamicModuleFilterPerRoute",
            "dynamic_module_config": self.module.to_json(),
            "per_route_config_name": self.name,  # deprecated since 1.38, and all that the older ones know
            "filter_config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": self.config},
        }


@dataclass(frozen=True)
class Listener:
    """A listener on loopback with a port of the kernel's choice.

    HTTP/1.1 and, by prior knowledge, HTTP/2; or, with `tcp`, bytes that go to the upstream server as they are.
    """

    name: str
    filters: tuple[HttpFilter | EnvoyFilter, ...] = ()
    per_route: tuple[PerRoute, ...] = ()
    routes_file: Path | None = None  # the routes come by discovery from this file; None: they are the listener's own
    listening: tuple[ListenerFilter, ...] = ()
    network: tuple[NetworkFilter, ...] = ()
    tcp: bool = False
    # What the host adds to the responses of the upstream server: formats, such as %DYNAMIC_METADATA(…)%, by header name.
    response_headers: Mapping[str, str] = field(default_factory=dict)
    manager: Mapping[str, Any] = field(default_factory=dict)  # further fields of its connection manager, as JSON
    buffer_bytes: int | None = None  # how much of a body may be held; None: the host's default, 1 MiB
    cluster: str = "upstream"  # where its requests go, or its bytes
    upgrades: tuple[str, ...] = ()  # what clients may turn a connection of HTTP into: "websocket", "CONNECT"
    internal: bool = False  # reached from inside the Envoy, by clusters that name it, and at no port

    @property
    def modules(self) -> tuple[ModuleRef, ...]:
        """The modules that must be loaded for the host to accept it."""
        all_filters = (*self.listening, *self.network, *self.filters)
        return tuple(one.module for one in all_filters if not isinstance(one, EnvoyFilter) and one.is_in_listener)

    def routes(self) -> dict[str, Any]:
        """Returns the `RouteConfiguration` resource, which has the listener's name."""
        to_upstream: dict[str, Any] = {"match": {"prefix": "/"}, "route": {"cluster": self.cluster}}
        if self.response_headers:
            to_upstream["response_headers_to_add"] = [
                {"header": {"key": name, "value": value}} for name, value in self.response_headers.items()
            ]
        routes = [to_upstream]
        if self.per_route:
            routes.insert(0, {**to_upstream, "match": {"prefix": PLAIN_PATH}})
            to_upstream["typed_per_filter_config"] = {one.entry: one.to_json() for one in self.per_route}
        if _CONNECT in self.upgrades:
            tunnel = {"upgrade_type": _CONNECT, "connect_config": {}}
            route = {"cluster": self.cluster, "upgrade_configs": [tunnel]}
            routes.insert(0, {"match": {"connect_matcher": {}}, "route": route})
        direct = {
            "match": {"prefix": DIRECT_PATH},
            "direct_response": {"status": 200, "body": {"inline_string": DIRECT_BODY}},
        }
        return {
            "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
            "name": self.name,
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [direct, *routes]}],
        }

    def _routing(self) -> dict[str, Any]:
        """Returns the fields that say where the connection manager has its routes from."""
        if self.routes_file is None:
            routes = self.routes()
            del routes["@type"]
            return {"route_config": routes}
        source = {"path_config_source": {"path": str(self.routes_file)}}
        return {"rds": {"route_config_name": self.name, "config_source": source}}

    def to_json(self) -> dict[str, Any]:
        """Returns the `Listener` resource."""
        last = self._tcp_proxy() if self.tcp else self._connection_manager()
        message: dict[str, Any] = {
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
            "name": self.name,
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "filter_chains": [{"filters": [*(one.to_json() for one in self.network), last]}],
        }
        if self.internal:
            message |= {"internal_listener": {}}
            del message["address"]
        if self.buffer_bytes is not None:
            message["per_connection_buffer_limit_bytes"] = self.buffer_bytes
        if self.listening:
            message["listener_filters"] = [one.to_json() for one in self.listening]
        return message

    def _tcp_proxy(self) -> dict[str, Any]:
        """Returns the filter that hands bytes on to the upstream server."""
        proxy = {
            "@type": f"{_EXTENSIONS}.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": self.name,
            "cluster": self.cluster,
        }
        return {"name": "tcp_proxy", "typed_config": proxy}

    def _connection_manager(self) -> dict[str, Any]:
        """Returns the filter that makes requests of bytes."""
        router = {"name": "router", "typed_config": {"@type": f"{_EXTENSIONS}.http.router.v3.Router"}}
        manager = {
            "@type": f"{_EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": self.name,
            # Closing is part of what clients see of a failure; the default would delay it by a second.
            "delayed_close_timeout": "0s",
            **self._routing(),
            "http_protocol_options": {"enable_trailers": True},
            "http_filters": [filter_.to_json() for filter_ in self.filters] + [router],
            **({"upgrade_configs": [{"upgrade_type": one} for one in self.upgrades]} if self.upgrades else {}),
            **self.manager,
        }
        return {"name": "http", "typed_config": manager}


def bootstrap(listeners_file: Path, upstream_port: int, clusters: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Returns the `Bootstrap` message: listeners by discovery, the cluster `upstream`, and others by name and loopback port."""
    ports = {"upstream": upstream_port, **(clusters or {})}
    return {
        "node": {"id": "dmconform", "cluster": "dmconform"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {"lds_config": {"path_config_source": {"path": str(listeners_file)}}},
        "static_resources": {"clusters": [_cluster(name, port) for name, port in ports.items()]},
        # What is asked of the admin interface holds all that has happened so far; the default would renew histograms every 5 s.
        "stats_flush_on_admin": True,
    }


def _cluster(name: str, port: int) -> dict[str, Any]:
    """Returns a cluster of one server on loopback, which speaks HTTP/1.1 with trailers."""
    type_name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    options = {
        "@type": f"type.googleapis.com/{type_name}",
        "explicit_http_config": {"http_protocol_options": {"enable_trailers": True}},
    }
    endpoint = {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}
    return {
        "name": name,
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {type_name: options},
    }


def discovery(version: int, listeners: Sequence[Listener]) -> str:
    """Returns the discovery response that holds the listeners, as JSON text."""
    return _response(version, [listener.to_json() for listener in listeners])


def route_discovery(version: int, listener: Listener) -> str:
    """Returns the discovery response that holds a listener's routes, as JSON text."""
    return _response(version, [listener.routes()])


def _response(version: int, resources: list[dict[str, Any]]) -> str:
    return json.dumps({"version_info": str(version), "resources": resources}, indent=1)

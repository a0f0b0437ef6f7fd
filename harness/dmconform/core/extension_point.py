"""Envoy's extension points for dynamic modules, and which of them a function of the ABI belongs to."""

from __future__ import annotations

import enum
import functools

CALLBACK_PREFIX = "envoy_dynamic_module_callback_"
HOOK_PREFIX = "envoy_dynamic_module_on_"


class ExtensionPoint(enum.Enum):
    """A place where a module can be used; the value is how the ABI's hooks begin, after `envoy_dynamic_module_on_`."""

    ACCESS_LOGGER = "access_logger"
    BOOTSTRAP_EXTENSION = "bootstrap_extension"
    CERT_VALIDATOR = "cert_validator"
    CLUSTER = "cluster"
    CLUSTER_SPECIFIER = "cluster_specifier"
    CONFIG_VALIDATOR = "config_validator"
    DNS_RESOLVER = "dns_resolver"
    EARLY_HEADER_MUTATION = "early_header_mutation"
    FORMATTER = "formatter"
    HEADER_FORMATTER = "header_formatter"
    HEALTH_CHECKER = "health_checker"
    HTTP_FILTER = "http_filter"
    LISTENER_FILTER = "listener_filter"
    LOAD_BALANCER = "lb"
    MATCHER = "matcher"
    MATCHER_DATA_INPUT = "matcher_data_input"
    NETWORK_FILTER = "network_filter"
    ROUTE_SPECIFIER = "route_specifier"
    STAT_SINK = "stat_sink"
    TLS_HANDSHAKER = "tls_handshaker"
    TRACER = "tracer"
    TRANSPORT_SOCKET = "transport_socket"
    UDP_LISTENER_FILTER = "udp_listener_filter"
    UPSTREAM_HTTP_TCP_BRIDGE = "upstream_http_tcp_bridge"

    @property
    def plural(self) -> str:
        """What modules are there, in words, after "no"."""
        return _PLURALS[self]


_PLURALS = {
    ExtensionPoint.ACCESS_LOGGER: "access loggers",
    ExtensionPoint.BOOTSTRAP_EXTENSION: "bootstrap extensions",
    ExtensionPoint.CERT_VALIDATOR: "certificate validators",
    ExtensionPoint.CLUSTER: "clusters",
    ExtensionPoint.CLUSTER_SPECIFIER: "cluster specifiers",
    ExtensionPoint.CONFIG_VALIDATOR: "validators of discovered configuration",
    ExtensionPoint.DNS_RESOLVER: "DNS resolvers",
    ExtensionPoint.EARLY_HEADER_MUTATION: "early header mutations",
    ExtensionPoint.FORMATTER: "formatters",
    ExtensionPoint.HEADER_FORMATTER: "HTTP/1 header formatters",
    ExtensionPoint.HEALTH_CHECKER: "health checkers",
    ExtensionPoint.HTTP_FILTER: "HTTP filters",
    ExtensionPoint.LISTENER_FILTER: "listener filters",
    ExtensionPoint.LOAD_BALANCER: "load-balancing policies",
    ExtensionPoint.MATCHER: "input matchers",
    ExtensionPoint.MATCHER_DATA_INPUT: "string data inputs of matchers",
    ExtensionPoint.NETWORK_FILTER: "network filters",
    ExtensionPoint.ROUTE_SPECIFIER: "route specifiers",
    ExtensionPoint.STAT_SINK: "stats sinks",
    ExtensionPoint.TLS_HANDSHAKER: "TLS handshakers",
    ExtensionPoint.TRACER: "tracers",
    ExtensionPoint.TRANSPORT_SOCKET: "transport sockets",
    ExtensionPoint.UDP_LISTENER_FILTER: "UDP listener filters",
    ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE: "upstream bridges from HTTP to TCP",
}

# Functions whose names begin in another way than the hooks of their extension point.
_OTHER_PREFIXES = {
    "dns_resolve": ExtensionPoint.DNS_RESOLVER,
    "get_most_specific_route_config": ExtensionPoint.HTTP_FILTER,
    "http": ExtensionPoint.HTTP_FILTER,
    "network": ExtensionPoint.NETWORK_FILTER,
}
_PREFIXES = sorted(
    [*((point.value, point) for point in ExtensionPoint), *_OTHER_PREFIXES.items()],
    key=lambda one: len(one[0]),
    reverse=True,
)


@functools.cache
def point_of(function: str) -> ExtensionPoint | None:
    """Returns the extension point a callback or hook belongs to, by its name; None for those that all points share."""
    name = function.removeprefix(CALLBACK_PREFIX).removeprefix(HOOK_PREFIX)
    return next((point for prefix, point in _PREFIXES if name == prefix or name.startswith(f"{prefix}_")), None)

"""The extension points that have shared cases."""

from __future__ import annotations

from collections.abc import Mapping

from dmconform.casekit.at_points import (
    access_logger,
    bootstrap_extension,
    cert_validator,
    cluster,
    cluster_specifier,
    config_validator,
    early_header_mutation,
    formatter,
    header_formatter,
    health_checker,
    http_filter,
    lb,
    listener_filter,
    matcher,
    matcher_data_input,
    network_filter,
    route_specifier,
    stat_sink,
    tls_handshaker,
    tracer,
    transport_socket,
    udp_listener_filter,
    upstream_http_tcp_bridge,
)
from dmconform.casekit.at_points.model import ProbedPoint
from dmconform.core.extension_point import ExtensionPoint

PROBED: Mapping[ExtensionPoint, ProbedPoint] = {
    ExtensionPoint.ACCESS_LOGGER: access_logger.POINT,
    ExtensionPoint.BOOTSTRAP_EXTENSION: bootstrap_extension.POINT,
    ExtensionPoint.CERT_VALIDATOR: cert_validator.POINT,
    ExtensionPoint.CLUSTER: cluster.POINT,
    ExtensionPoint.CLUSTER_SPECIFIER: cluster_specifier.POINT,
    ExtensionPoint.CONFIG_VALIDATOR: config_validator.POINT,
    ExtensionPoint.EARLY_HEADER_MUTATION: early_header_mutation.POINT,
    ExtensionPoint.FORMATTER: formatter.POINT,
    ExtensionPoint.HEADER_FORMATTER: header_formatter.POINT,
    ExtensionPoint.HEALTH_CHECKER: health_checker.POINT,
    ExtensionPoint.HTTP_FILTER: http_filter.POINT,
    ExtensionPoint.LOAD_BALANCER: lb.POINT,
    ExtensionPoint.LISTENER_FILTER: listener_filter.POINT,
    ExtensionPoint.MATCHER: matcher.POINT,
    ExtensionPoint.MATCHER_DATA_INPUT: matcher_data_input.POINT,
    ExtensionPoint.NETWORK_FILTER: network_filter.POINT,
    ExtensionPoint.ROUTE_SPECIFIER: route_specifier.POINT,
    ExtensionPoint.STAT_SINK: stat_sink.POINT,
    ExtensionPoint.TLS_HANDSHAKER: tls_handshaker.POINT,
    ExtensionPoint.TRACER: tracer.POINT,
    ExtensionPoint.TRANSPORT_SOCKET: transport_socket.POINT,
    ExtensionPoint.UDP_LISTENER_FILTER: udp_listener_filter.POINT,
    ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE: upstream_http_tcp_bridge.POINT,
}

"""Every extension point: since when hosts have it, how a configuration reaches it, how it is driven."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.versions import Minor
from dmconform.envoy.extension_points import connections, http, process, upstreams
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.use import ModuleUse


class Drive(enum.Enum):
    """What makes a host use what it has accepted."""

    HTTP = "requests over HTTP"
    PROXIED = "requests over HTTP that all go to the upstream server"
    DISCOVERY = "clusters by discovery, then requests over HTTP"
    UDP = "a datagram, then requests over HTTP"
    TLS = "requests over TLS, the client with a certificate"
    STATS = "requests over HTTP, then a look at the statistics"


class Carrier(enum.Enum):
    """What a configuration is part of, and so what brings another one to an Envoy that runs."""

    LISTENERS = "an update of listeners"
    CLUSTERS = "an update of clusters"
    BOOTSTRAP = "nothing but another start"


@dataclass(frozen=True)
class PointShape:
    """An extension point. `apply` is None where no configuration reaches it, for the `reason` given.

    `late_refusal` is the pattern of a log line, with a group `message`, in which a host that accepted the configuration refuses
    the module when it is first needed.
    """

    since: Minor
    apply: Callable[[Draft, ModuleUse], None] | None
    drive: Drive = Drive.HTTP
    reason: str = ""
    late_refusal: str = ""
    carrier: Carrier = Carrier.LISTENERS


_HANDSHAKER_REFUSED = (
    r"/handshakers/dynamic_modules/config\.cc:\d+\] (?P<message>failed to load dynamic module TLS handshaker: .*)"
)
_BRIDGE_REFUSED = r"/upstreams/http/dynamic_modules/config\.cc:\d+\] (?P<message>failed to .*)"
_BUILT_IN_ONLY = (
    "hosts resolve names by the one module that is built into them (envoy.network.dns_resolver.hickory), never by a library"
)

SHAPES: dict[ExtensionPoint, PointShape] = {
    ExtensionPoint.HTTP_FILTER: PointShape(Minor(1, 36), http.http_filter),
    ExtensionPoint.ACCESS_LOGGER: PointShape(Minor(1, 37), http.access_logger),
    ExtensionPoint.BOOTSTRAP_EXTENSION: PointShape(Minor(1, 37), process.bootstrap_extension, carrier=Carrier.BOOTSTRAP),
    ExtensionPoint.LISTENER_FILTER: PointShape(Minor(1, 37), connections.listener_filter),
    ExtensionPoint.NETWORK_FILTER: PointShape(Minor(1, 37), connections.network_filter),
    ExtensionPoint.UDP_LISTENER_FILTER: PointShape(Minor(1, 37), connections.udp_listener_filter, Drive.UDP),
    ExtensionPoint.CERT_VALIDATOR: PointShape(Minor(1, 38), connections.cert_validator, Drive.TLS),
    ExtensionPoint.CLUSTER: PointShape(Minor(1, 38), upstreams.cluster, carrier=Carrier.CLUSTERS),
    ExtensionPoint.DNS_RESOLVER: PointShape(Minor(1, 38), None, reason=_BUILT_IN_ONLY),
    ExtensionPoint.LOAD_BALANCER: PointShape(Minor(1, 38), upstreams.load_balancer, carrier=Carrier.CLUSTERS),
    ExtensionPoint.MATCHER: PointShape(Minor(1, 38), http.matcher),
    ExtensionPoint.TRACER: PointShape(Minor(1, 38), http.tracer),
    ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE: PointShape(
        Minor(1, 38), upstreams.upstream_http_tcp_bridge, late_refusal=_BRIDGE_REFUSED, carrier=Carrier.CLUSTERS
    ),
    ExtensionPoint.FORMATTER: PointShape(Minor(1, 39), http.formatter),
    ExtensionPoint.HEALTH_CHECKER: PointShape(Minor(1, 39), upstreams.health_checker, carrier=Carrier.CLUSTERS),
    ExtensionPoint.STAT_SINK: PointShape(Minor(1, 39), process.stat_sink, Drive.STATS, carrier=Carrier.BOOTSTRAP),
    ExtensionPoint.TRANSPORT_SOCKET: PointShape(Minor(1, 39), connections.transport_socket),
    ExtensionPoint.CLUSTER_SPECIFIER: PointShape(Minor(1, 40), http.cluster_specifier),
    ExtensionPoint.CONFIG_VALIDATOR: PointShape(
        Minor(1, 40), process.config_validator, Drive.DISCOVERY, carrier=Carrier.BOOTSTRAP
    ),
    ExtensionPoint.EARLY_HEADER_MUTATION: PointShape(Minor(1, 40), http.early_header_mutation),
    ExtensionPoint.HEADER_FORMATTER: PointShape(Minor(1, 40), http.header_formatter),
    ExtensionPoint.MATCHER_DATA_INPUT: PointShape(Minor(1, 40), http.matcher_data_input),
    ExtensionPoint.ROUTE_SPECIFIER: PointShape(Minor(1, 40), http.route_specifier),
    ExtensionPoint.TLS_HANDSHAKER: PointShape(
        Minor(1, 40), connections.tls_handshaker, Drive.TLS, late_refusal=_HANDSHAKER_REFUSED
    ),
}


def available(point: ExtensionPoint, minor: Minor) -> bool:
    """Returns whether hosts of a minor have the point. A minor newer than all known ones is taken to keep the newest one's."""
    return SHAPES[point].since <= minor


def points_of(minor: Minor) -> tuple[ExtensionPoint, ...]:
    """Returns the points that hosts of a minor have, those included that no configuration reaches."""
    return tuple(point for point in ExtensionPoint if available(point, minor))


def why_unreachable(point: ExtensionPoint) -> str | None:
    """Returns why no configuration makes a host use a module at a point; None where one does."""
    return SHAPES[point].reason or None

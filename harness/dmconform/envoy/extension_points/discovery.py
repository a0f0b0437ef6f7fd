"""A discovery server over gRPC made of nothing but Envoy's own configuration: it knows no clusters.

It takes two listeners. The inner one answers every request at once, with a discovery response as the body. Envoy would turn
that into an error of gRPC if it saw that the request is one; so the outer one proxies to it without the header that shows this.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
from typing import Any

from dmconform.envoy.extension_points.draft import Draft, Message, message_of

CLUSTER = "envoy.config.cluster.v3.Cluster"
_OUTER = "discovery"
_INNER = "discovery-answer"
_CONTENT_TYPE = "content-type"
_servers = itertools.count()


def add_discovery_server(draft: Draft) -> str:
    """Adds it, and returns the name of the cluster that leads to it."""
    resources = draft.bootstrap["static_resources"]
    own = f"{draft.folder}/{next(_servers)}"
    answer = {"direct_response": {"status": 200, "body": {"inline_bytes": base64.b64encode(_no_clusters()).decode()}}}
    proxy = {
        "route": {"cluster": _INNER},
        "request_headers_to_remove": [_CONTENT_TYPE],
        "response_headers_to_add": [
            {
                "header": {"key": _CONTENT_TYPE, "value": "application/grpc"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
    }
    resources["listeners"] = [_listener(own, _OUTER, proxy), _listener(own, _INNER, answer)]
    resources["clusters"] += [_cluster(own, _OUTER), _cluster(own, _INNER)]
    return _OUTER


def _address(own: str, name: str) -> Message:
    """Returns the address of an abstract socket that no other Envoy has: no port is known in advance."""
    return {"pipe": {"path": f"@dmconform-{hashlib.sha256(f'{own}/{name}'.encode()).hexdigest()[:32]}"}}


def _listener(own: str, name: str, action: dict[str, Any]) -> Message:
    manager = message_of(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=name,
        codec_type="HTTP2",
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **action}]}]},
        http_filters=[{"name": "router", "typed_config": message_of("filters.http.router.v3.Router")}],
    )
    filters = [{"name": "http", "typed_config": manager}]
    return {"name": name, "address": _address(own, name), "filter_chains": [{"filters": filters}]}


def _cluster(own: str, name: str) -> Message:
    http2 = message_of("upstreams.http.v3.HttpProtocolOptions", explicit_http_config={"http2_protocol_options": {}})
    endpoint = {"endpoint": {"address": _address(own, name)}}
    return {
        "name": name,
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _no_clusters() -> bytes:
    """Returns a `DiscoveryResponse` without clusters, in a frame of gRPC."""
    message = _text(1, "1") + _text(4, f"type.googleapis.com/{CLUSTER}") + _text(5, "1")  # version_info, type_url, nonce
    return b"\0" + len(message).to_bytes(4, "big") + message


def _text(number: int, value: str) -> bytes:
    """Returns a field with a short string, in protobuf's encoding."""
    return bytes((number << 3 | 2, len(value))) + value.encode()

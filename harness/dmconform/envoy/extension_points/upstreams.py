"""Where clusters meet modules."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Final

from dmconform.envoy.extension_points.discovered_endpoints import Endpoint, write_endpoints
from dmconform.envoy.extension_points.draft import Draft, Message, extension, message_of, module_message
from dmconform.envoy.extension_points.use import ModuleUse

_HEALTH_CHECK_INTERVAL = "0.05s"
OWN_CLUSTER: Final = "own"
_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def cluster(draft: Draft, use: ModuleUse) -> None:
    """Leaves the hosts of a cluster to the module. Envoy is not ready before the module reports that it is."""
    type_ = module_message("clusters.dynamic_modules.v3.ClusterConfig", use, "cluster")
    del draft.upstream["load_assignment"]
    draft.upstream.update(lb_policy="CLUSTER_PROVIDED", cluster_type=extension(type_))


def load_balancer(draft: Draft, use: ModuleUse) -> None:
    """Makes the module choose among the hosts of a cluster."""
    type_name = "load_balancing_policies.dynamic_modules.v3.DynamicModulesLoadBalancerConfig"
    policy = extension(module_message(type_name, use, "lb_policy"))
    _let_endpoints_come(draft, use)
    draft.upstream["load_balancing_policy"] = {"policies": [{"typed_extension_config": policy}]}


def health_checker(draft: Draft, use: ModuleUse) -> None:
    """Makes the module judge whether a host is healthy. Envoy is not ready before the module has reported that once."""
    _let_endpoints_come(draft, use)
    custom = extension(module_message("health_checkers.dynamic_modules.v3.DynamicModuleHealthCheck", use, "health_checker"))
    draft.upstream["health_checks"] = [
        {
            "timeout": "1s",
            "interval": _HEALTH_CHECK_INTERVAL,
            "no_traffic_interval": _HEALTH_CHECK_INTERVAL,
            "unhealthy_threshold": 1,
            "healthy_threshold": 1,
            "custom_health_check": custom,
        }
    ]


def _let_endpoints_come(draft: Draft, use: ModuleUse) -> None:
    """Has the endpoints of the cluster come by discovery, where that is asked for; at first there is the one that it had."""
    if use.endpoints is None:
        return
    (group,) = draft.upstream.pop("load_assignment")["endpoints"]
    address = group["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    if not use.endpoints.exists():
        write_endpoints(use.endpoints, draft.upstream["name"], [Endpoint(address["port_value"])])
    source = {"path_config_source": {"path": str(use.endpoints)}, "resource_api_version": "V3"}
    draft.upstream.update(
        type="EDS",
        eds_cluster_config={"eds_config": source},
        # Else changes of health alone come to the workers a second later, and healthy endpoints stay when they are gone.
        common_lb_config={"update_merge_window": "0s"},
        ignore_health_on_host_removal=True,
    )


def upstream_http_tcp_bridge(draft: Draft, use: ModuleUse) -> None:
    """Makes the module carry requests over a TCP connection to the upstream server."""
    draft.upstream["upstream_config"] = extension(module_message("upstreams.http.dynamic_modules.v3.Config", use, "bridge"))


def put_upstream_filters(cluster: Message, filters: Sequence[Message]) -> None:
    """Gives a cluster these HTTP filters: they see what the router has decided to send there, and what comes back.

    Args:
        cluster: as JSON; it has its protocol options.
        filters: as of a connection manager, without the one that ends them.
    """
    codec = {"name": "codec", "typed_config": message_of("filters.http.upstream_codec.v3.UpstreamCodec")}
    cluster["typed_extension_protocol_options"][_OPTIONS]["http_filters"] = [*filters, codec]


def route_to_own_cluster(draft: Draft, *, upstream: bool) -> None:
    """Routes to a cluster that only requests of clients go to: what a module sends to `upstream` does not meet its filter.

    Args:
        draft: with HTTP filters before the router.
        upstream: whether these are moved to the upstream side, among the filters of the new cluster.
    """
    cluster = copy.deepcopy({**draft.upstream, "name": OWN_CLUSTER})
    draft.bootstrap["static_resources"]["clusters"].append(cluster)
    draft.route["route"]["cluster"] = OWN_CLUSTER
    if upstream:
        *filters, router = draft.manager["http_filters"]
        draft.manager["http_filters"] = [router]
        put_upstream_filters(cluster, filters)

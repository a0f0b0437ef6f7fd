"""Where clusters meet modules."""

from __future__ import annotations

from dmconform.envoy.extension_points.draft import Draft, extension, module_message
from dmconform.envoy.extension_points.use import ModuleUse

_HEALTH_CHECK_INTERVAL = "0.05s"


def cluster(draft: Draft, use: ModuleUse) -> None:
    """Leaves the hosts of a cluster to the module. Envoy is not ready before the module reports that it is."""
    type_ = module_message("clusters.dynamic_modules.v3.ClusterConfig", use, "cluster")
    del draft.upstream["load_assignment"]
    draft.upstream.update(lb_policy="CLUSTER_PROVIDED", cluster_type=extension(type_))


def load_balancer(draft: Draft, use: ModuleUse) -> None:
    """Makes the module choose among the hosts of a cluster."""
    type_name = "load_balancing_policies.dynamic_modules.v3.DynamicModulesLoadBalancerConfig"
    policy = extension(module_message(type_name, use, "lb_policy"))
    draft.upstream["load_balancing_policy"] = {"policies": [{"typed_extension_config": policy}]}


def health_checker(draft: Draft, use: ModuleUse) -> None:
    """Makes the module judge whether a host is healthy. Envoy is not ready before the module has reported that once."""
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


def upstream_http_tcp_bridge(draft: Draft, use: ModuleUse) -> None:
    """Makes the module carry requests over a TCP connection to the upstream server."""
    draft.upstream["upstream_config"] = extension(module_message("upstreams.http.dynamic_modules.v3.Config", use, "bridge"))

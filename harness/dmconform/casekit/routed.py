"""Listeners whose virtual hosts a case writes itself: for what `Listener` has no fields for, such as weighted clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dmconform.envoy.config import Listener, PerRoute


@dataclass(frozen=True)
class RoutedListener(Listener):
    """A listener with these virtual hosts, and fields beside them, as JSON of a `RouteConfiguration`."""

    virtual_hosts: tuple[Mapping[str, Any], ...] = ()
    all_routes: Mapping[str, Any] = field(default_factory=dict)

    def routes(self) -> dict[str, Any]:
        """Returns the `RouteConfiguration` resource, which has the listener's name."""
        return {
            "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
            "name": self.name,
            "virtual_hosts": [dict(one) for one in self.virtual_hosts],
            **self.all_routes,
        }


def route(prefix: str, *given: PerRoute, to: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Returns a route.

    Args:
        prefix: of the paths that it takes.
        *given: what filters get on it.
        to: what is done with requests, as JSON of a `RouteAction`; they go to the cluster `upstream` if None.
        **fields: further ones of the route, as JSON.
    """
    action = {"cluster": "upstream"} if to is None else dict(to)
    return {"match": {"prefix": prefix}, "route": action, **per_filter(*given), **fields}


def virtual_host(*routes: Mapping[str, Any], domain: str = "*", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Returns a virtual host.

    Args:
        *routes: its routes, in their order.
        domain: the host that it is for.
        **fields: further ones of it, as JSON.
    """
    return {"name": domain, "domains": [domain], "routes": list(routes), **fields}


def per_filter(*given: PerRoute) -> dict[str, Any]:
    """Returns the field, of a route or of what is around it, that has what filters get there; none without anything."""
    return {"typed_per_filter_config": {one.entry: one.to_json() for one in given}} if given else {}

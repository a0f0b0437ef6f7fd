"""HTTP filters on the upstream side: they belong to a cluster, and see what the router has decided to send there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dmconform.envoy.config import HttpFilter
from dmconform.envoy.extension_points.upstreams import put_upstream_filters


def on_the_upstream_side(*filters: HttpFilter, of: str = "upstream", **cluster: Any) -> Callable[[dict[str, Any]], None]:  # noqa: ANN401 - JSON
    """Returns what puts filters among those of a cluster, and further fields into it: for `alter`."""

    def alter(bootstrap: dict[str, Any]) -> None:
        its = next(one for one in bootstrap["static_resources"]["clusters"] if one["name"] == of)
        put_upstream_filters(its, [one.to_json() for one in filters])
        its.update(cluster)

    return alter

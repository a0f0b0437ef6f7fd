"""HTTP filters on the upstream side: they belong to a cluster, and see what the router has decided to send there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dmconform.envoy.config import HttpFilter

_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_CODEC: Final = "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"


def on_the_upstream_side(*filters: HttpFilter, **cluster: Any) -> Callable[[dict[str, Any]], None]:  # noqa: ANN401 - JSON
    """Returns what puts filters among those of the cluster `upstream`, and further fields into it: for `alter`."""

    def alter(bootstrap: dict[str, Any]) -> None:
        its = next(one for one in bootstrap["static_resources"]["clusters"] if one["name"] == "upstream")
        options = its["typed_extension_protocol_options"][_OPTIONS]
        options["http_filters"] = [*(one.to_json() for one in filters), {"name": "codec", "typed_config": {"@type": _CODEC}}]
        its.update(cluster)

    return alter

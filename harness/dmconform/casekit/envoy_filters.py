"""Envoy's own HTTP filters, configured to let everything pass, as neighbours of a module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dmconform.envoy.config import EnvoyFilter, HttpFilter

AUTHORITY: Final = "authority"
"""The cluster that the filter `ext_authz` asks whether a request may pass."""
_ALL: Final = {"numerator": 100, "denominator": "HUNDRED"}
_PLENTY: Final = {"max_tokens": 1_000_000, "tokens_per_fill": 1_000_000, "fill_interval": "1s"}
_GZIP: Final = "type.googleapis.com/envoy.extensions.compression.gzip"
_READS_BODIES: Final = """
function envoy_on_request(handle) handle:body() end
function envoy_on_response(handle) handle:body() end
"""
_MOST_BYTES: Final = 1 << 23


@dataclass(frozen=True)
class Neighbour:
    """Filters of Envoy's own between which modules are put."""

    name: str
    filters: tuple[EnvoyFilter, ...]
    holds_requests: bool = False  # until their body is whole

    def between(self, module: HttpFilter, outer: HttpFilter | None = None) -> tuple[HttpFilter | EnvoyFilter, ...]:
        """Returns the chain in which a module is before, between and after these filters.

        Args:
            module: stands everywhere but at the front, if `outer` is given.
            outer: stands at the front.
        """
        chain: list[HttpFilter | EnvoyFilter] = [outer or module]
        for one in self.filters:
            chain += [one, module]
        return tuple(chain)


def neighbours() -> tuple[Neighbour, ...]:
    """Returns all of them, the first without any filter. A response that `compressor` has changed `decompressor` restores."""
    uri = {"uri": f"http://{AUTHORITY}", "cluster": AUTHORITY, "timeout": "10s"}
    delay = {"delay": {"fixed_delay": "0.01s", "percentage": _ALL}}
    enforced = {"filter_enabled": {"default_value": _ALL}, "filter_enforced": {"default_value": _ALL}}
    anybody = {"policies": {"all": {"permissions": [{"any": True}], "principals": [{"any": True}]}}}
    deflate = {"name": "gzip", "typed_config": {"@type": f"{_GZIP}.compressor.v3.Gzip"}}
    inflate = {"name": "gzip", "typed_config": {"@type": f"{_GZIP}.decompressor.v3.Gzip", "window_bits": 15}}
    limit = {"stat_prefix": "limit", "token_bucket": _PLENTY, **enforced}
    script = {"default_source_code": {"inline_string": _READS_BODIES}}
    return (
        Neighbour("nothing", ()),
        Neighbour("buffer", (EnvoyFilter("buffer", "buffer.v3.Buffer", {"max_request_bytes": _MOST_BYTES}),), True),
        Neighbour("ext_authz", (EnvoyFilter("ext_authz", "ext_authz.v3.ExtAuthz", {"http_service": {"server_uri": uri}}),)),
        Neighbour("fault", (EnvoyFilter("fault", "fault.v3.HTTPFault", delay),)),
        Neighbour("local_ratelimit", (EnvoyFilter("local_ratelimit", "local_ratelimit.v3.LocalRateLimit", limit),)),
        Neighbour("rbac", (EnvoyFilter("rbac", "rbac.v3.RBAC", {"rules": anybody}),)),
        Neighbour("lua", (EnvoyFilter("lua", "lua.v3.Lua", script),), True),
        Neighbour(
            "compressor",
            (
                EnvoyFilter("decompressor", "decompressor.v3.Decompressor", {"decompressor_library": inflate}),
                EnvoyFilter("compressor", "compressor.v3.Compressor", {"compressor_library": deflate}),
            ),
        ),
    )


NEIGHBOURS: Final = {one.name: one for one in neighbours()}
"""All of them, by name."""

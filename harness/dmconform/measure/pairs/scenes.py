"""What a scene needs besides requests: changes of the configuration, variables of the module, further uses of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from dmconform.core.extension_point import ExtensionPoint
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.extension_points.draft import Draft, message_of
from dmconform.envoy.extension_points.upstreams import put_upstream_filters
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.measure.differential.upstream import TRAILERS_HEADER
from dmconform.measure.pairs.drive import clusters_file, watched_file, write_clusters
from dmconform.measure.pairs.generate import FILE_VARIABLE, SOON_VARIABLE
from dmconform.measure.pairs.rules import ClusterBehind, PairDrive, Scene

MODULE: Final = "dmconform_pairs"
_SOON_MS: Final = "5"
_CHECK_TIMEOUT: Final = "0.02s"
_CLOSED_PORT: Final = 1  # below what is given out, and no service that is in use
_SEND_BUFFER: Final = {"description": "small", "level": 1, "name": 7, "int_value": 32768, "state": "STATE_PREBIND"}


def _empty(draft: Draft) -> None:
    if "load_assignment" in draft.upstream:
        draft.upstream["load_assignment"]["endpoints"] = []


def _refuses(draft: Draft) -> None:
    if "load_assignment" in draft.upstream:
        endpoint = draft.upstream["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"]["socket_address"]["port_value"] = _CLOSED_PORT


def _ends_with_trailers(draft: Draft) -> None:
    """Lets all that is sent to the upstream server ask for an answer with trailers."""
    asks = {"header": {"key": TRAILERS_HEADER, "value": "1"}}
    mutation = message_of("filters.http.header_mutation.v3.HeaderMutation", mutations={"request_mutations": [{"append": asks}]})
    put_upstream_filters(draft.upstream, [{"name": "header_mutation", "typed_config": mutation}])


_ALTERED: Final[Mapping[ClusterBehind, Callable[[Draft], None]]] = {
    ClusterBehind.EMPTY: _empty,
    ClusterBehind.REFUSES: _refuses,
    ClusterBehind.TRAILERS: _ends_with_trailers,
}


def set_scene(scene: Scene, draft: Draft) -> None:
    """Changes a configuration to what a scene needs."""
    if scene.cluster in _ALTERED:
        _ALTERED[scene.cluster](draft)
    if scene.tracer:
        tracer = {
            "@type": "type.googleapis.com/envoy.config.trace.v3.ZipkinConfig",
            "collector_cluster": draft.upstream["name"],
            "collector_endpoint": "/spans",
            "collector_endpoint_version": "HTTP_JSON",
        }
        draft.manager["tracing"] = {"provider": {"name": "envoy.tracers.zipkin", "typed_config": tracer}}
    if scene.drive is PairDrive.SLOW:
        draft.main["socket_options"] = [_SEND_BUFFER]
    if scene.buffer_bytes:
        draft.main["per_connection_buffer_limit_bytes"] = scene.buffer_bytes
    if scene.drive is PairDrive.UPDATE:
        write_clusters(draft.folder, 0)
        source = {"path_config_source": {"path": str(clusters_file(draft.folder))}, "resource_api_version": "V3"}
        draft.bootstrap["dynamic_resources"]["cds_config"] = source
    for check in draft.upstream.get("health_checks", ()) if scene.soon else ():
        check["timeout"] = _CHECK_TIMEOUT
    if scene.delta:
        draft.bootstrap["dynamic_resources"]["cds_config"]["api_config_source"]["api_type"] = "DELTA_GRPC"


def variables_of(scene: Scene, folder: Path) -> Mapping[str, str]:
    """Returns the variables of a scene's Envoy, whose files are in `folder`."""
    found = {SOON_VARIABLE: _SOON_MS} if scene.soon else {}
    if scene.drive is PairDrive.FILE:
        found[FILE_VARIABLE] = str(watched_file(folder))
    return found


def others_of(scene: Scene) -> tuple[ModuleUse, ...]:
    """Returns the further extension points at which a scene's Envoy uses the module."""
    return tuple(ModuleUse(ExtensionPoint(point), ModuleRef(MODULE), "pairs") for point in scene.also)

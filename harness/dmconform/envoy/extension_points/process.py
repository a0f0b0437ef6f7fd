"""Where the process as a whole meets modules: in the bootstrap configuration."""

from __future__ import annotations

from dmconform.envoy.extension_points.discovery import CLUSTER, add_discovery_server
from dmconform.envoy.extension_points.draft import Draft, extension, module_message
from dmconform.envoy.extension_points.use import ModuleUse


def bootstrap_extension(draft: Draft, use: ModuleUse) -> None:
    """Makes the module one of the bootstrap's extensions."""
    message = module_message("bootstrap.dynamic_modules.v3.DynamicModuleBootstrapExtension", use, "extension")
    draft.bootstrap["bootstrap_extensions"] = [extension(message)]


def stat_sink(draft: Draft, use: ModuleUse) -> None:
    """Makes the module a sink that gets the statistics each time that the admin interface is asked for them."""
    message = module_message("stat_sinks.dynamic_modules.v3.DynamicModuleStatsSink", use, "sink")
    draft.bootstrap |= {"stats_sinks": [extension(message)], "stats_flush_on_admin": True}


def config_validator(draft: Draft, use: ModuleUse) -> None:
    """Makes the module judge clusters that come by discovery over gRPC."""
    message = module_message(
        "config.validators.dynamic_modules.v3.DynamicModuleConfigValidator",
        use,
        "extension",
        type_urls=[f"type.googleapis.com/{CLUSTER}"],
    )
    server = add_discovery_server(draft)
    draft.bootstrap["dynamic_resources"]["cds_config"] = {
        "resource_api_version": "V3",
        "initial_fetch_timeout": "0.01s",  # the server answers only when Envoy does not wait any more
        "api_config_source": {
            "api_type": "GRPC",
            "transport_api_version": "V3",
            "grpc_services": [{"envoy_grpc": {"cluster_name": server}}],
            "config_validators": [extension(message)],
        },
    }

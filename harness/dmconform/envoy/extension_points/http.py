"""Where HTTP traffic meets modules: in the connection manager and its routes."""

from __future__ import annotations

import dataclasses

from dmconform.envoy.extension_points.draft import Draft, Message, extension, message_of, module_message
from dmconform.envoy.extension_points.use import ModuleUse, any_message

_STRING_MATCH = {"exact": "a value that no request has"}
_FORMATTED = "%DYNAMIC_MODULE(argument)% %RESPONSE_CODE%\n"


def http_filter(draft: Draft, use: ModuleUse) -> None:
    """Puts the module before the router, with its per-route configuration on the route to the upstream server."""
    name = f"dynamic_module.{use.name}"
    filter_ = module_message("filters.http.dynamic_modules.v3.DynamicModuleFilter", use, "filter")
    draft.manager["http_filters"].insert(0, {"name": name, "typed_config": filter_})
    if use.per_route is not None:
        draft.route["typed_per_filter_config"] = {
            name: message_of(
                "filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute",
                dynamic_module_config=use.module.to_json(),
                per_route_config_name=use.name,  # deprecated since 1.38, and all that the older ones know
                filter_config=any_message(use.per_route),
            )
        }


def access_logger(draft: Draft, use: ModuleUse) -> None:
    """Makes the module an access log of the connection manager."""
    log = module_message("access_loggers.dynamic_modules.v3.DynamicModuleAccessLog", use, "logger")
    draft.manager["access_log"] = [extension(log)]


def formatter(draft: Draft, use: ModuleUse) -> None:
    """Makes the module a command in the format of an access log that goes to a file."""
    command = module_message("formatter.dynamic_modules.v3.DynamicModuleFormatter", use, "formatter")
    file = message_of(
        "access_loggers.file.v3.FileAccessLog",
        path=str(draft.folder / "access.log"),
        log_format={"text_format_source": {"inline_string": _FORMATTED}, "formatters": [extension(command)]},
    )
    draft.manager["access_log"] = [{"name": "file", "typed_config": file}]


def tracer(draft: Draft, use: ModuleUse) -> None:
    """Makes the module the provider of the connection manager's tracing, for every request."""
    provider = module_message("tracers.dynamic_modules.v3.DynamicModuleTracer", use, "tracer")
    draft.manager["tracing"] = {"provider": extension(provider), "spawn_upstream_span": True}


def early_header_mutation(draft: Draft, use: ModuleUse) -> None:
    """Makes the module change requests before anything else sees them."""
    type_name = "http.early_header_mutation.dynamic_modules.v3.DynamicModuleEarlyHeaderMutation"
    mutation = module_message(type_name, use, "early_header_mutation")
    draft.manager["early_header_mutation_extensions"] = [extension(mutation)]


def header_formatter(draft: Draft, use: ModuleUse) -> None:
    """Makes the module spell the names of HTTP/1 headers."""
    type_name = "http.header_formatters.dynamic_modules.v3.DynamicModuleHeaderFormatter"
    format_ = extension(module_message(type_name, use, "header_formatter"))
    draft.manager["http_protocol_options"] = {"header_key_format": {"stateful_formatter": format_}}


def matcher(draft: Draft, use: ModuleUse) -> None:
    """Makes the module decide a predicate of the virtual host's route matcher."""
    custom = module_message("matching.input_matchers.dynamic_modules.v3.DynamicModuleMatcher", use, "matcher")
    data = message_of("matching.http.dynamic_modules.v3.HttpDynamicModuleMatchInput")
    _match_by(draft, {"input": extension(data), "custom_match": extension(custom)})


def matcher_data_input(draft: Draft, use: ModuleUse) -> None:
    """Makes the module give what a predicate of the virtual host's route matcher looks at."""
    data = module_message("matching.http.dynamic_modules.v3.DynamicModuleDataInput", use, "input")
    _match_by(draft, {"input": extension(data), "value_match": _STRING_MATCH})


def _match_by(draft: Draft, predicate: Message) -> None:
    """Replaces the routes by a matcher that leads to the last one, whether the predicate holds or not."""
    route = draft.route
    action: Message = {"@type": "type.googleapis.com/envoy.config.route.v3.Route", **route}
    lead = {"action": {"name": "route", "typed_config": action}}
    draft.virtual_host["matcher"] = {
        "matcher_list": {"matchers": [{"predicate": {"single_predicate": predicate}, "on_match": lead}]},
        "on_no_match": lead,
    }
    del draft.virtual_host["routes"]


def cluster_specifier(draft: Draft, use: ModuleUse) -> None:
    """Makes the module name the cluster of the route to the upstream server."""
    plugin = module_message("router.cluster_specifiers.dynamic_modules.v3.DynamicModuleClusterSpecifier", use, "specifier")
    draft.route["route"] = {"inline_cluster_specifier_plugin": {"extension": extension(plugin)}}


def route_specifier(draft: Draft, use: ModuleUse) -> None:
    """Lets the module change the route that was found, which stays as it is where the module fails.

    The module is never closed: Envoy insists on that.
    """
    specifier = module_message(
        "router.route_specifiers.dynamic_modules.v3.DynamicModuleRouteSpecifier",
        dataclasses.replace(use, module=dataclasses.replace(use.module, do_not_close=True)),
        "specifier",
        stat_prefix="module",
        failure_policy="PASS_THROUGH",
    )
    draft.virtual_host["route_specifiers"] = [extension(specifier)]

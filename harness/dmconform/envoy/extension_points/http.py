"""Where HTTP traffic meets modules: in the connection manager and its routes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from dmconform.envoy.extension_points.draft import Draft, Message, extension, message_of, module_message
from dmconform.envoy.extension_points.use import ModuleUse, any_message

TAKEN, OTHER = "taken", "other"
"""The routes of a matcher: the one that its predicate leads to where it holds, and the one where it does not."""
ROUTE_HEADER = "x-dmconform-route"
"""The response header that names the route that was taken."""
METADATA_HEADER = "x-dmconform-metadata-"
"""How response headers begin that show the route's metadata in the namespace `dmconform`; the key follows."""
_METADATA = ("text", "seen", "number", "yes")
INPUT_VALUE = "a value"
"""For which the predicate holds that looks at what a module gives."""
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
    """Makes the module give what a predicate of the virtual host's route matcher looks at, which holds for `INPUT_VALUE`."""
    data = module_message("matching.http.dynamic_modules.v3.DynamicModuleDataInput", use, "input")
    _match_by(draft, {"input": extension(data), "value_match": {"exact": INPUT_VALUE}})


def _match_by(draft: Draft, predicate: Message) -> None:
    """Replaces the routes by a matcher whose routes both lead where the last one did, and say in their answers which it was."""
    draft.virtual_host["matcher"] = {
        "matcher_list": {
            "matchers": [{"predicate": {"single_predicate": predicate}, "on_match": _leads_to(draft.route, TAKEN)}]
        },
        "on_no_match": _leads_to(draft.route, OTHER),
    }
    del draft.virtual_host["routes"]


def _leads_to(route: Message, name: str) -> Message:
    """Returns an action of a matcher: a route that says its name in its answers."""
    shown = _with_response_headers(route, {ROUTE_HEADER: name})
    return {"action": {"name": name, "typed_config": {"@type": "type.googleapis.com/envoy.config.route.v3.Route", **shown}}}


def _with_response_headers(route: Message, headers: Mapping[str, str]) -> Message:
    added = [{"header": {"key": key, "value": value}} for key, value in headers.items()]
    return {**route, "response_headers_to_add": [*route.get("response_headers_to_add", ()), *added]}


def cluster_specifier(draft: Draft, use: ModuleUse) -> None:
    """Makes the module name the cluster of the route to the upstream server; answers show the route."""
    plugin = module_message("router.cluster_specifiers.dynamic_modules.v3.DynamicModuleClusterSpecifier", use, "specifier")
    draft.route["route"] = {"inline_cluster_specifier_plugin": {"extension": extension(plugin)}}
    _show_route(draft)


def _show_route(draft: Draft) -> None:
    """Has answers of the route to the upstream server show its name and what is in its metadata."""
    formats = {f"{METADATA_HEADER}{key}": f"%METADATA(ROUTE:dmconform:{key})%" for key in _METADATA}
    draft.route.update(_with_response_headers(draft.route, formats | {ROUTE_HEADER: "%ROUTE_NAME%"}))


def route_specifier(draft: Draft, use: ModuleUse) -> None:
    """Lets the module change the route that was found, which stays as it is where the module fails; answers show the route.

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
    _show_route(draft)

"""Ways to make the cases of `hooks` wrong: the host seems to have called the module otherwise than it did."""

from __future__ import annotations

from dataclasses import replace

from tests.hosts import sabotage
from tests.hosts.wrong import Wrong

_WRONG_OBJECT = "expected hooks to be called with living objects, each destroyed in the end, saw .*"


def _never_destroyed(case: str, hook: str) -> Wrong:
    return Wrong(
        f"hooks/{case}",
        f"{hook}_destroy is not called",
        sabotage.log_without(f" {hook}_destroy"),
        f"{_WRONG_OBJECT} {hook}#1 never destroyed|expected 2 calls of destroy in pass within",
    )


def _unknown_object(case: str, hook: str, kind: str) -> Wrong:
    return Wrong(
        f"hooks/{case}",
        f"{hook} is called with another object",
        sabotage.log_says(f" > {hook} own {kind}#1", f" > {hook} own {kind}:unknown"),
        f"{_WRONG_OBJECT}{hook} with {kind}:unknown",
    )


TABLE = (
    *(
        one
        for case in ("http_statuses", "http_events", "http_routes")
        for one in (
            _never_destroyed(case, "http_filter"),
            _unknown_object(case, "http_filter_request_headers", "http_filter"),
        )
    ),
    _unknown_object("http_calls", "http_filter_request_headers", "http_filter"),
    Wrong(
        "hooks/http_statuses",
        "filters run on another thread",
        sabotage.log_says(" worker 0 ", " dns 0 "),
        "expected calls on the main thread and on workers, saw main: .* dns: ",
    ),
    Wrong(
        "hooks/http_calls",
        "the second piece of a body never comes to the filters",
        sabotage.impatient(sabotage.log_without("pieces/b worker 0 > http_filter_request_body")),
        "expected 2 calls of request_body in pieces within .*, saw fewer",
    ),
    Wrong(
        "hooks/http_routes",
        "the configuration of a route is never destroyed",
        sabotage.log_without(" http_filter_per_route_config_destroy"),
        f"{_WRONG_OBJECT}route/route http_filter_per_route_config#1 never destroyed",
    ),
    Wrong(
        "hooks/http_events",
        "an answer that no filter has asked for",
        sabotage.log_says("callout_id=own", "callout_id=unknown"),
        f"{_WRONG_OBJECT}http_filter_http_callout_done with callout_id=unknown",
    ),
    Wrong(
        "hooks/http_refusals",
        "a filter is made on the main thread",
        sabotage.log_says("no-second/a worker 0", "no-second/a main 0"),
        "expected filters to be made on workers, saw main: .*a.new",
    ),
    Wrong(
        "hooks/http_refusals",
        "the module is not asked",
        sabotage.log_without("dmconform-recorder no-config/"),
        "expected the module to be called in no-config, it was not",
    ),
    _never_destroyed("network", "network_filter"),
    _unknown_object("network", "network_filter_read", "network_filter"),
    _never_destroyed("listener", "listener_filter"),
    _unknown_object("listener", "listener_filter_on_accept", "listener_filter"),
    replace(_never_destroyed("udp_listener", "udp_listener_filter"), host="1.40.0"),  # 1.39 goes on without a configuration
    Wrong(
        "hooks/udp_listener",
        "the second datagram never comes to the filters",
        sabotage.impatient(sabotage.log_without("/b worker 0 > udp_listener_filter_on_data")),
        "expected 1 calls of b.on_data in pass within .*, saw fewer",
        host="1.40.0",
    ),
    _never_destroyed("points", "access_logger"),
    Wrong(
        "hooks/points",
        "a tracer's span is none of the module's",
        sabotage.log_says(" > tracer_span_finish tracer_span#1", " > tracer_span_finish tracer_span:unknown"),
        f"{_WRONG_OBJECT}tracer_span_finish with tracer_span:unknown",
    ),
    Wrong(
        "hooks/points_null",
        "a module that gives no configuration is used",
        sabotage.log_says("= null", "= matcher_config#1"),
        f"{_WRONG_OBJECT}never destroyed",
    ),
    Wrong(
        "hooks/points_null",
        "the module is not asked",
        sabotage.log_without("dmconform-recorder"),
        "expected the module to be called at extension point access_logger, it was not",
    ),
)

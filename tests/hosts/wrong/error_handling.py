"""Ways to make the cases of `error_handling` wrong."""

from __future__ import annotations

from dataclasses import replace

from harness.model import Language, Outcome
from tests.hosts import sabotage
from tests.hosts.wrong import Wrong

CPP, RUST = Language.CPP, Language.RUST
PROVOKED = {"x-dmconform-misbehave": "now"}

TABLE = (
    Wrong(
        "error_handling/program_init_missing",
        "has the hook",
        sabotage.module_is("no_program_init", "probe"),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "error_handling/program_init_missing",
        "not named",
        sabotage.impatient(sabotage.log_says("program_init", "something")),
        "expected the rejection to name the hook or the module",
    ),
    Wrong(
        "error_handling/program_init_missing",
        "serves no more",
        sabotage.stops_serving,
        "expected a good configuration to be accepted afterwards",
    ),
    Wrong(
        "error_handling/program_init_null",
        "does not return null",
        sabotage.module_is("null_program_init", "probe"),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "error_handling/program_init_null",
        "not named",
        sabotage.log_says("libnull_program_init", "something"),
        "expected the rejection to name the module",
    ),
    Wrong(
        "error_handling/program_init_null",
        "serves no more",
        sabotage.stops_serving,
        "expected a good configuration to be accepted afterwards",
    ),
    Wrong(
        "error_handling/configuration_refused",
        "not refused",
        sabotage.filters(lambda one: replace(one, filter_name="identity") if one.filter_name == "refuse" else one),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "error_handling/configuration_refused",
        "serves something else",
        sabotage.filters(lambda one: replace(one, config="419") if one.filter_name == "local_reply" else one),
        "expected the listener before to go on answering 418, it answers 419",
    ),
    *(
        Wrong(f"error_handling/{kind}_panic", how, wrong, detail, outcome, language)
        for kind, language in (("request", CPP), ("request", RUST), ("response", CPP), ("response", RUST))
        for how, wrong, detail, outcome in (
            (
                "does not panic",
                sabotage.impatient(sabotage.headers_at("/panics", {})),
                "expected the log to hold",
                Outcome.FAILED,
            ),
            (
                "panics elsewhere",
                sabotage.impatient(sabotage.configured("request_body")),
                f"expected the log to hold 'dmconform panic in {kind}_headers'",
                Outcome.FAILED,
            ),
            (
                "not logged",
                sabotage.log_without("dmconform panic"),
                f"expected the log to hold 'dmconform panic in {kind}_headers'",
                Outcome.FAILED,
            ),
            ("harms one in flight", sabotage.in_flight_panics, "expected a request in flight to be served", Outcome.FAILED),
            (
                "harms later ones",
                sabotage.headers_at("/later", sabotage.PANIC),
                "expected a later request to be served",
                Outcome.FAILED,
            ),
        )
    ),
    *(
        Wrong(
            f"error_handling/{kind}_panic",
            "ends the process",
            lambda bench, module, patch: sabotage.headers_at("/panics", PROVOKED)(
                sabotage.filter_named("misbehave", "crash")(bench, module, patch), module, patch
            ),
            "SIGSEGV",
            Outcome.CRASHED,
        )
        for kind in ("request", "response")
    ),
    Wrong(
        "error_handling/wrapped_request_panic",
        "does not panic",
        sabotage.headers_at("/panics", {}),
        "expected the client to see status 500",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_request_panic",
        "fails in another way",
        sabotage.configured("response_headers guarded"),
        "expected the client to see status 500",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_request_panic",
        "not logged",
        sabotage.log_without("dmconform panic"),
        "expected the log to hold",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_request_panic",
        "harms one in flight",
        sabotage.in_flight_panics,
        "expected a request in flight to be served",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_request_panic",
        "there is no wrapper",
        sabotage.recorded_of_sdk(catch_unwind=False),
        "no opt-in wrapper",
        Outcome.NOT_APPLICABLE,
        RUST,
    ),
    Wrong(
        "error_handling/wrapped_response_panic",
        "does not panic",
        sabotage.headers_at("/panics", {}),
        "expected the client to see its connection cut",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_response_panic",
        "fails in another way",
        sabotage.configured("request_headers guarded"),
        "expected the client to see its connection cut",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_response_panic",
        "not logged",
        sabotage.log_without("dmconform panic"),
        "expected the log to hold",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_response_panic",
        "there is no wrapper",
        sabotage.recorded_of_sdk(catch_unwind=False),
        "no opt-in wrapper",
        Outcome.NOT_APPLICABLE,
        RUST,
    ),
)

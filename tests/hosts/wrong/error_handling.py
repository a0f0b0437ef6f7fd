"""Ways to make the cases of `error_handling` wrong."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.abi.required_hooks import RequiredHooks
from dmconform.casekit import records
from dmconform.core.extension_point import HOOK_PREFIX
from dmconform.core.values import Outcome
from dmconform.envoy.config import ListenerFilter, NetworkFilter, PerRoute
from dmconform.envoy.envoy import Envoy

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong

answers_419 = sabotage.filters(lambda one: replace(one, config="419") if one.filter_name == "local_reply" else one)


def hooks_are_there(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No symbol is hidden."""
    patch.setattr(case, "without_symbols", lambda library, _: library)
    return bench


def hidden_instead(hook: str) -> Sabotage:
    """Another hook is hidden than the case says."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        hide = case.without_symbols
        patch.setattr(case, "without_symbols", lambda library, _: hide(library, [HOOK_PREFIX + hook]))
        return bench

    return apply


def counted_as(counters: dict[str, int]) -> Sabotage:
    """The Envoy has these counters and no others, but for those of its listeners."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        real = Envoy.counters
        patch.setattr(
            Envoy, "counters", lambda envoy, prefix: counters if prefix.startswith("dynamic") else real(envoy, prefix)
        )
        return bench

    return apply


def routes_say(config: str) -> Sabotage:
    """What filters are told on routes is another text."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        to_json = PerRoute.to_json
        patch.setattr(PerRoute, "to_json", lambda one: to_json(replace(one, config=config)))
        return bench

    return apply


def does_not_refuse(kind: type[NetworkFilter | ListenerFilter]) -> Sabotage:
    """Filters of a kind are harmless ones."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        to_json = kind.to_json
        patch.setattr(kind, "to_json", lambda one: to_json(replace(one, filter_name="panic", config="none")))
        return bench

    return apply


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
        answers_419,
        "expected the listener before to go on answering 418, it answers 419",
    ),
    Wrong(
        "error_handling/program_init_garbage",
        "not named",
        sabotage.both(sabotage.log_says("libodd_program_init", "something"), sabotage.log_says("no ABI version", "1.39")),
        "expected the host to name the module or what it returned",
    ),
    Wrong(
        "error_handling/program_init_garbage",
        "serves no more",
        sabotage.stops_serving,
        "expected a good configuration to be accepted afterwards",
    ),
    Wrong(
        "error_handling/required_hook_missing",
        "hooks are there",
        hooks_are_there,
        "expected the configuration to be rejected",
    ),
    Wrong(
        "error_handling/required_hook_missing",
        "another hook named",
        sabotage.log_says("symbol envoy_dynamic_module_on_http_filter_new", "symbol another"),
        "expected the rejection of a module without http_filter_new to name it",
    ),
    Wrong(
        "error_handling/required_hook_missing",
        "serves something else",
        answers_419,
        "expected the listener before to go on answering 418, it answers 419",
    ),
    Wrong(
        "error_handling/required_hook_missing",
        "never measured",
        lambda bench, case, patch: (patch.setattr(records, "load_required_hooks", lambda: RequiredHooks(())), bench)[1],
        "never measured",
        Outcome.NOT_APPLICABLE,
    ),
    Wrong(
        "error_handling/required_route_hook_missing",
        "hooks are there",
        hooks_are_there,
        "expected the configuration to be rejected",
    ),
    Wrong(
        "error_handling/required_route_hook_missing",
        "another hook named",
        sabotage.log_says("symbol envoy_dynamic_module_on_http_filter_per_route_config_new", "symbol another"),
        "expected the rejection of a module without http_filter_per_route_config_new to name it",
    ),
    Wrong(
        "error_handling/required_route_hook_missing",
        "serves something else",
        answers_419,
        "expected the listener before to go on answering 418, it answers 419",
    ),
    Wrong(
        "error_handling/points_without_hooks",
        "hooks are there",
        hooks_are_there,
        "expected a module without its hooks to be refused at access_logger, it worked",
    ),
    Wrong(
        "error_handling/points_without_hooks",
        "other hooks are asked for",
        hidden_instead("program_init"),
        "expected the refusal at access_logger to name one of access_logger_config_destroy",
    ),
    Wrong(
        "error_handling/points_with_required_hooks",
        "never measured",
        lambda bench, case, patch: (patch.setattr(records, "load_required_hooks", lambda: RequiredHooks(())), bench)[1],
        "never measured",
        Outcome.NOT_APPLICABLE,
    ),
    Wrong(
        "error_handling/points_with_required_hooks",
        "one is missing too",
        hidden_instead("access_logger_log"),
        "expected a module with .* to be accepted, it is not: .*access_logger_log",
    ),
    Wrong(
        "error_handling/required_hook_missing_is_counted",
        "hooks are there",
        hooks_are_there,
        "expected the configuration to be rejected",
    ),
    Wrong(
        "error_handling/required_hook_missing_is_counted",
        "not counted",
        counted_as({}),
        "expected 20 modules without a hook to be counted as .*, saw {}",
    ),
    Wrong(
        "error_handling/required_hook_missing_is_counted",
        "counted twice",
        counted_as({"dynamic_modules.module_load_error.config_name.identity": 40}),
        "saw .*: 40}",
    ),
    Wrong(
        "error_handling/per_route_configuration_refused",
        "not refused",
        routes_say("text"),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "error_handling/per_route_configuration_refused",
        "serves something else",
        answers_419,
        "expected the listener before to go on answering 418, it answers 419",
    ),
    *(
        row
        for case, kind in (("network", NetworkFilter), ("listener", ListenerFilter))
        for row in (
            Wrong(
                f"error_handling/{case}_configuration_refused",
                "not refused",
                does_not_refuse(kind),
                "expected the configuration to be rejected",
            ),
            Wrong(
                f"error_handling/{case}_configuration_refused",
                "serves something else",
                answers_419,
                "expected the listener before to go on answering 418, it answers 419",
            ),
        )
    ),
)

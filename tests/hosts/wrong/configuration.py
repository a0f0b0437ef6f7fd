"""Ways to make the cases of `configuration` wrong."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from dmconform.core.values import Outcome
from dmconform.envoy.config import HttpFilter, LocalFile
from dmconform.matrix.cell import Cell

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong


def messages(kind: str, value: object) -> Sabotage:
    """Configurations are messages of another kind than the case says."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        wrong = {"@type": f"type.googleapis.com/google.protobuf.{kind}", "value": value}
        reported, on_route = case.ConfigSeen.to_json, case.ToldOnRoute.to_json
        patch.setattr(case.ConfigSeen, "to_json", lambda one: reported(replace(one, message=wrong)))
        patch.setattr(case.ToldOnRoute, "to_json", lambda one: on_route(replace(one, message=wrong)))
        return bench

    return apply


def no_names(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The configuration of the route is named by another field than the case says."""
    to_json = case.ToldOnRoute.to_json
    patch.setattr(case.ToldOnRoute, "to_json", lambda one: to_json(replace(one, names=())))
    return bench


def as_file(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The module does not stand in the configuration, but in a file."""
    patch.setattr(case.Inline, "to_json", LocalFile.to_json)
    return bench


def no_file(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The module is in a file that is missing."""
    patch.setattr(case.Inline, "to_json", lambda _: {"module": {"local": {"filename": "/absent.so"}}})
    return bench


def not_discovered(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Nothing comes by extension discovery but a filter that refuses."""
    to_json = case.Discovered.to_json
    patch.setattr(case.Discovered, "to_json", lambda one: to_json(replace(one, filter_name="refuse")))
    return bench


def lacks_one_more(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The module lacks a hook more."""
    without = case.without_symbols

    def fewer(library: bytes, names: list[str]) -> bytes:
        return bytes(without(library, [*names, f"{case.HOOK_PREFIX}http_filter_new"]))

    patch.setattr(case, "without_symbols", fewer)
    return bench


def serves_no_more(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """An Envoy that rejected a configuration serves no more."""

    def fails(*_: Any) -> None:  # noqa: ANN401 - as they come
        raise AssertionError("expected the Envoy to serve afterwards")

    patch.setattr(Cell, "assert_still_serves", fails)
    return bench


def _elsewhere(one: HttpFilter) -> HttpFilter:
    return replace(one, module=replace(one.module, name="absent"))


no_per_route = sabotage.filter_named("local_reply", "200")
text = messages("StringValue", "another text")
GIVEN = "expected the module to be given"

TABLE = (
    Wrong("configuration/bytes", "text", text, GIVEN),
    Wrong("configuration/bytes", "other bytes", messages("BytesValue", "QUFB"), GIVEN),
    Wrong("configuration/json", "text", text, GIVEN),
    Wrong("configuration/json", "another value", messages("Struct", {"list": []}), GIVEN),
    Wrong("configuration/absent", "text", text, GIVEN),
    Wrong("configuration/absent", "another filter", no_per_route, "", outcome=Outcome.REJECTED),
    Wrong("configuration/json_on_a_route", "text", text, GIVEN),
    Wrong("configuration/json_on_a_route", "another value", messages("Struct", {"list": []}), GIVEN),
    Wrong("configuration/both_names_on_a_route", "text", text, "expected the route's configuration by filter_name"),
    Wrong("configuration/both_names_on_a_route", "no name", no_names, "", outcome=Outcome.REJECTED),
    Wrong("configuration/inline_bytes", "a file", as_file, "expected a module in the configuration itself to be rejected"),
    Wrong("configuration/inline_bytes", "no file", no_file, "expected the rejection to say what may stand there"),
    Wrong("configuration/static_module", "another", sabotage.filters(_elsewhere), "to be found at attempt 1"),
    Wrong("configuration/static_module", "stops serving", serves_no_more, "serve afterwards"),
    Wrong("configuration/static_module_beats_a_file", "another", sabotage.filters(_elsewhere), "to be found at attempt 1"),
    Wrong("configuration/static_module_beats_a_file", "stops serving", serves_no_more, "serve afterwards"),
    Wrong("configuration/by_extension_discovery", "nothing comes", not_discovered, "expected the module to answer 418"),
    Wrong(
        "configuration/by_extension_discovery",
        "another status",
        sabotage.configured("419"),
        "expected the module to answer 418",
    ),
    Wrong("configuration/only_required_hooks", "one less", lacks_one_more, "to be accepted, it was rejected"),
    Wrong(
        "configuration/only_required_hooks",
        "another filter",
        sabotage.configured("nowhere"),
        "expected the module to answer 200",
    ),
)

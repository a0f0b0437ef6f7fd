"""Ways to make the cases of `updates` wrong."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from harness.model import Outcome
from harness.run.config import HttpFilter, ModuleRef
from harness.run.envoy import Envoy
from harness.run.load import Load
from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.statistics import no_per_route


def loses_some(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Every third request is lost."""
    ask = Load._ask
    patch.setattr(Load, "_ask", lambda load, port: "lost" if load.total % 3 == 2 else ask(load, port))
    return bench


def goes_back(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The old module answers once more when the new one has."""
    ask = Load._ask
    patch.setattr(Load, "_ask", lambda load, port: 418 if load.latest == 422 and len(load.turns) == 2 else ask(load, port))
    return bench


def stops_asking(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The client is gone after a few requests."""
    patch.setattr("harness.run.load.MOST_REQUESTS", 3)
    patch.setattr(case, "REQUEST_S", 0.3)
    return bench


def impatient(then: Sabotage) -> Sabotage:
    """Waits that must end in vain are short."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(case, "CONFIG_UPDATE_S", 0.5)
        return then(bench, case, patch)

    return apply


def rejections_not_counted(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The host does not count the updates that it rejects."""
    counters = Envoy.counters
    patch.setattr(
        Envoy, "counters", lambda envoy, prefix: {} if prefix.endswith("update_rejected") else counters(envoy, prefix)
    )
    return bench


def _other_is_absent(one: HttpFilter) -> HttpFilter:
    return replace(one, module=ModuleRef("absent")) if one.module.name == "other" else one


LOST = "expected every request to be answered"

TABLE = (
    Wrong("updates/bad_update", "not bad", sabotage.with_copy_named("absent"), "expected bad update 1 to be rejected"),
    Wrong("updates/bad_update", "not counted", rejections_not_counted, "expected 1 rejected update"),
    Wrong("updates/bad_update", "requests lost", loses_some, LOST),
    Wrong("updates/bad_update", "no load", stops_asking, "expected requests to go on"),
    Wrong(
        "updates/good_update_under_load",
        "no change",
        impatient(sabotage.configured("418")),
        "expected the new module to answer",
    ),
    Wrong("updates/good_update_under_load", "requests lost", loses_some, LOST),
    Wrong("updates/good_update_under_load", "goes back", goes_back, "expected one turn from 418 to 422"),
    Wrong("updates/good_update_under_load", "not loaded", sabotage.filters(_other_is_absent), "absent", Outcome.REJECTED),
    Wrong("updates/many_updates", "no change", impatient(sabotage.configured("418")), "expected the last update to answer 500"),
    Wrong("updates/many_updates", "requests lost", loses_some, LOST),
    Wrong("updates/many_updates", "not loaded", sabotage.filters(_other_is_absent), "absent", Outcome.REJECTED),
    Wrong(
        "updates/bad_routes",
        "not bad",
        impatient(no_per_route),
        "expected 1 rejected update of routes",
    ),
    Wrong("updates/bad_routes", "not counted", impatient(rejections_not_counted), "expected 1 rejected update of routes"),
    Wrong("updates/bad_routes", "requests lost", loses_some, LOST),
)

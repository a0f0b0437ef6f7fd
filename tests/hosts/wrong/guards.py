"""Ways to make the cases of `guards` wrong."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import NEWEST, Wrong


def no_effect(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """A configuration leaves guards as they are."""
    patch.setattr(case, "guarded", lambda *_: None)
    return bench


def by_default(value: bool) -> Sabotage:
    """A guard is otherwise by default."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        real = case.guarded
        patch.setattr(case, "guarded", lambda name, given: real(name, value if given is None else given))
        return bench

    return apply


def binary_has(*names: str) -> Sabotage:
    """The host's binary has other guards."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(case, "runtime_guards", lambda _: frozenset(names))
        return bench

    return apply


def none_is_tried(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No guard is tried."""
    patch.setattr(case, "KNOWN", set())
    return bench


TABLE = (
    Wrong(
        "guards/known",
        "a new one",
        binary_has("dynamic_modules_rtld_now", "dynamic_modules_new"),
        "expected only guards that a case tries, found .'dynamic_modules_new'.",
    ),
    Wrong("guards/known", "none is tried", none_is_tried, "found .'dynamic_modules_strip_custom_stat_prefix'."),
    *(
        wrong
        for case, way in (("rtld_now", True), ("metric_names", False), ("continue", True), ("hot_restart_tags", True))
        for wrong in (
            Wrong(f"guards/{case}", "no effect", no_effect, "expected the guard .* to change something", host=NEWEST),
            Wrong(
                f"guards/{case}",
                "otherwise by default",
                by_default(not way),
                f"expected the guard .* to be turned {'on' if way else 'off'} by default",
                host=NEWEST,
            ),
        )
    ),
)

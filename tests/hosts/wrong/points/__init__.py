"""Ways to make the cases of `points` wrong: a file for each extension point, or for some that are alike.

What the cases do alike at each extension point is made wrong at the access logger alone.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.casekit import at_points, life, panics, unloading
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Language, Outcome
from dmconform.envoy.config import Listener
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import WrittenListener
from dmconform.envoy.extension_points.use import ModuleUse

from tests.built import HOST
from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong

LACKS = sabotage.recorded_of_sdk(points={})
"""No SDK can be used at any extension point."""


def soon(then: Sabotage) -> Sabotage:
    """Waits that must end in vain are short."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        drivers = [module for name, module in sys.modules.items() if name.startswith(f"{at_points.__name__}.")]
        for module in (*drivers, life, panics, case):
            if hasattr(module, "LOG_LINE_S"):
                patch.setattr(module, "LOG_LINE_S", 0.3)
        patch.setattr(unloading, "UNLOAD_S", 0.3)
        return then(bench, case, patch)

    return apply


def used(**changes: object) -> Sabotage:
    """What is used at the extension point is not what the case says."""
    return used_for({}, **changes)


def used_for(only: Mapping[str, object], **changes: object) -> Sabotage:
    """The same of those uses alone in which the fields named first have these values."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        probe_at: Callable[..., ModuleUse] = case.probe_at

        def changed(*arguments: object, **named: object) -> ModuleUse:
            use = probe_at(*arguments, **named)
            wanted = all(getattr(use, name) == value for name, value in only.items())
            return replace(use, **changes) if wanted else use  # type: ignore[arg-type] # as they come

        patch.setattr(case, "probe_at", changed)
        return bench

    return soon(apply)


def counts(number: int) -> Sabotage:
    """Each counter of a module, and of failures, has another value; of none there is one that is 0."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        counters = Envoy.counters

        def changed(envoy: Envoy, prefix: str) -> dict[str, int]:
            seen = counters(envoy, prefix)
            return dict.fromkeys(seen, number) if prefix.startswith("dynamic") else seen

        patch.setattr(Envoy, "counters", changed)
        return bench

    return apply


def logged_twice(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """All that the host prints stands there twice."""
    log = Envoy.printed
    patch.setattr(Envoy, "printed", lambda envoy: log(envoy) * 2)
    return bench


def ends(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The host ends in the place of a panic."""
    patch.setattr(case, "provoke_panic", lambda envoy, _: os.kill(envoy.pid, signal.SIGKILL))
    return bench


def like_first(driver: ModuleType, function: str) -> Sabotage:
    """Of the two listeners that a function of a driver makes, the second is like the first, but for its name."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        made: Callable[..., tuple[Listener, Listener]] = getattr(driver, function)

        def changed(*arguments: object) -> tuple[Listener, ...]:
            first, second = made(*arguments)
            return first, WrittenListener(second.name, message={**first.to_json(), "name": second.name})

        patch.setattr(driver, function, changed)
        return bench

    return apply


def wrong_at(
    point: ExtensionPoint,
    name: str,
    how: str,
    sabotage_: Sabotage,
    detail: str,
    outcome: Outcome = Outcome.FAIL,
    language: Language = Language.RUST,
    host: str = HOST,
) -> Wrong:
    """Returns a case of `points` at an extension point made wrong; the other arguments are those of `Wrong`."""
    return Wrong(f"points/{name}@{point.value}", how, sabotage_, detail, outcome, language, host)

"""Ways to make the cases of `points` wrong, at each extension point."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.casekit import access_lines, panics, unloading
from dmconform.core.values import Feature, Language, Outcome
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.use import ModuleUse

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong

RUST = Language.RUST
LOGGER = "access_logger"
PHASES = {
    "panic_in_configuration": "configuration",
    "panic_in_creation": "creation",
    "panic_in_traffic": "log",
    "panic_at_its_end": "flush",
}


def soon(then: Sabotage) -> Sabotage:
    """Waits that must end in vain are short."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        for module in (access_lines, panics, case):
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
        probe_at = case.probe_at

        def changed(*arguments: object, **named: object) -> ModuleUse:
            use: ModuleUse = probe_at(*arguments, **named)
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


def not_understood(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No JSON is understood."""
    patch.setattr(case, "as_json", lambda told: told)
    return bench


def ends(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The host ends in the place of a panic."""
    patch.setattr(case, "provoke_panic", lambda envoy, _: os.kill(envoy.pid, signal.SIGKILL))
    return bench


def at_logger(name: str, how: str, sabotage_: Sabotage, detail: str, outcome: Outcome = Outcome.FAIL) -> Wrong:
    """A case at the access logger made wrong."""
    return Wrong(f"points/{name}@{LOGGER}", how, sabotage_, detail, outcome, RUST)


LOGGED = "expected the log to hold 'dmconform panic in {}'"
LACKS = sabotage.recorded_of_sdk(lacks=(Feature.ACCESS_LOGGER,))
SERVED_BADLY = sabotage.answers(lambda answer: replace(answer, status=503))

TABLE: tuple[Wrong, ...] = (
    at_logger("works", "it has another text", used(config="another"), "expected one line of .* about /direct.http1, saw 0"),
    at_logger("works", "it does not log", used(name="panic", config="none"), "expected one line of .*, saw 0"),
    at_logger("works", "it logs twice", logged_twice, "expected one line of .*, saw 2"),
    at_logger(
        "works", "another status", sabotage.log_says("status=200", "status=201"), "expected the logger to see of /direct"
    ),
    at_logger("works", "a body is missed", sabotage.log_says("received=5000", "received=0"), "expected .* 'received': '5000'"),
    at_logger(
        "works", "it never ends", sabotage.log_says("complete_ns=", "complete_ns=-"), "expected the times of .* in order"
    ),
    at_logger("works", "it began later", sabotage.log_says("start_ns=1", "start_ns=2"), "expected .* to start within"),
    at_logger("works", "it does not count", counts(0), "expected the logger to count 6, saw"),
    at_logger("works", "the SDK has none", LACKS, "no access loggers", Outcome.NOT_APPLICABLE),
    at_logger("refused", "it is not refused", used_for({"name": "refuse"}, name="lines"), "expected .* refuse to be rejected"),
    at_logger(
        "refused", "it takes any name", used_for({"name": "unknown"}, name="lines"), "expected .* unknown to be rejected"
    ),
    at_logger("refused", "it is not counted", counts(0), "expected config_init_error of refuse to be 1, it is 0"),
    at_logger(
        "configuration", "other text", used_for({"config": "text of its own"}, config="x"), "expected .*, it was given b'x'"
    ),
    at_logger("configuration", "other bytes", used_for({"config": ""}, config="y"), "expected .* b'', it was given b'y'"),
    at_logger("configuration", "no JSON", not_understood, "expected the module to be given {'list'"),
    at_logger("loaded_once", "one file", sabotage.same_file("probe", "copy"), "expected the filter of copy to count 1, .* 3"),
    at_logger("loaded_once", "the copy logs", used(module=ModuleRef("copy")), "expected the module to share the count of 2"),
    at_logger("loaded_once", "not initialised", soon(sabotage.log_without("initialised")), "once each, saw 0 lines"),
    at_logger(
        "unloaded",
        "it is kept",
        used_for({"module": ModuleRef("probe")}, module=ModuleRef("probe", do_not_close=True)),
        "expected libprobe.so to be unloaded",
    ),
    at_logger(
        "unloaded",
        "it is not kept",
        used_for({"config": "kept"}, module=ModuleRef("kept")),
        "expected the module with do_not_close to stay loaded",
    ),
    at_logger("unloaded", "not flushed", soon(sabotage.log_without("flushed")), "expected 2 loggers .* to be flushed.* 0 were"),
    at_logger("unloaded", "flushed twice", logged_twice, "expected 2 loggers .* to be flushed.* 4 were"),
    *(
        row
        for name, hook in PHASES.items()
        for row in (
            at_logger(name, "does not panic", used_for({"name": "panic"}, config="none"), LOGGED.format(hook)),
            at_logger(name, "not logged", soon(sabotage.log_without("dmconform panic")), LOGGED.format(hook)),
            at_logger(name, "the host ends", ends, "killed by SIGKILL", Outcome.CRASH),
            at_logger(
                name,
                "others suffer",
                SERVED_BADLY,
                "expected .* to be answered"
                if hook == "configuration"
                else f"expected traffic to go on after a panic in {hook}",
            ),
        )
    ),
)

"""Ways to make the cases of access loggers wrong, and what the cases of `points` do alike at each extension point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType

import pytest
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Outcome
from dmconform.envoy.config import HttpFilter, ModuleRef
from dmconform.envoy.envoy import Envoy

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.points import LACKS, counts, ends, logged_twice, soon, used, used_for, wrong_at

PHASES = {
    "panic_in_configuration": "configuration",
    "panic_in_creation": "creation",
    "panic_in_traffic": "log",
    "panic_at_its_end": "flush",
}
LOGGED = "expected the log to hold 'dmconform panic in {}'"
SERVED_BADLY = sabotage.answers(lambda answer: replace(answer, status=503))
at_logger = partial(wrong_at, ExtensionPoint.ACCESS_LOGGER)


def not_understood(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No JSON is understood."""
    patch.setattr(case, "as_json", lambda told: told)
    return bench


def by_name(filter_: HttpFilter) -> HttpFilter:
    """Returns the same filter of the module that is found by its name."""
    return replace(filter_, module=ModuleRef("probe"))


def twice(text: str) -> Sabotage:
    """The host prints lines with this text twice."""
    return printed(lambda lines: [one for line in lines for one in [line] * (1 + (text in line))])


def last(what: str) -> Sabotage:
    """The host prints the end of things of this kind after all else."""

    def moved(lines: list[str]) -> list[str]:
        late = [line for line in lines if f" {what} " in line and " ends on=" in line]
        return [line for line in lines if line not in late] + late

    return printed(moved)


def printed(change: Callable[[list[str]], list[str]]) -> Sabotage:
    """The host prints other lines."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        log = Envoy.printed
        patch.setattr(Envoy, "printed", lambda envoy: "".join(change(log(envoy).splitlines(keepends=True))))
        return bench

    return apply


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
    at_logger("works", "the SDK has none", LACKS, "has access loggers", Outcome.NOT_APPLICABLE),
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
        "load_globally",
        "always",
        used(module=ModuleRef("probe", load_globally=True)),
        "expected .* visible globally to be those of none, found libprobe.so",
    ),
    at_logger("load_globally", "never", used(module=ModuleRef("probe")), "expected .* those of libprobe.so, found none"),
    at_logger("local_file", "by name", used(module=ModuleRef("probe")), "expected the module to share the count of 1"),
    at_logger("local_file", "another file", sabotage.filters(by_name), "expected the module of the filter to be any name"),
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
    at_logger("unloaded", "no end", soon(sabotage.log_without("ends on=")), "expected all that began with .* to end.* 0}"),
    at_logger("unloaded", "ends twice", soon(twice("ends on=")), "expected all that began with .* to end"),
    at_logger("unloaded", "nothing began", soon(sabotage.log_without("dmconform life")), "expected something .* to have begun"),
    at_logger("unloaded", "in another order", soon(last("logger")), "expected the configuration .* to end last, logger did"),
    at_logger("ends", "no end", soon(sabotage.log_without("ends on=")), "expected all that began with .* to end"),
    at_logger("ends", "is not served", SERVED_BADLY, "expected traffic to be served"),
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

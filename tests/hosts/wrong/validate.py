"""Ways to make the cases of `validate` wrong. They look at one extension point, where the cases look at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from dmconform.casekit import Mode
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Outcome
from dmconform.envoy.whole_configuration import ConfigurationVerdict, Took

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import NEWEST, Wrong
from tests.hosts.wrong.reports import dies


def verdicts(change: Callable[[Mode, ConfigurationVerdict], ConfigurationVerdict], **options: Any) -> Sabotage:  # noqa: ANN401 - as they come
    """The verdicts on configurations are others; `options` are those that a verdict is asked for with."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        real = case.verdict_of

        def changed(cell: object, mode: Mode, *uses: object, **given: object) -> ConfigurationVerdict:
            return change(mode, real(cell, mode, *uses, **(given | options)))

        patch.setattr(case, "verdict_of", changed)
        patch.setattr(case, "reachable_points", lambda _: (ExtensionPoint.HTTP_FILTER,))
        return bench

    return apply


def takes(wrong: Mode, took: Took) -> Sabotage:
    """In one mode, Envoy makes something else of a configuration."""
    return verdicts(lambda mode, one: replace(one, took=took) if mode is wrong else one)


def logs(wrong: Mode, old: str, new: str) -> Sabotage:
    """In one mode, another text is printed in the place of one."""
    return verdicts(lambda mode, one: replace(one, log=one.log.replace(old, new)) if mode is wrong else one)


def dies_in(wrong: Mode) -> Sabotage:
    """In one mode, Envoy dies of a signal."""
    return verdicts(lambda mode, one: replace(one, took=Took.CRASHED, exit_code=-11) if mode is wrong else one)


TABLE = (
    Wrong(
        "validate/good",
        "it refuses",
        verdicts(lambda _, one: one, environment={"DMCONFORM_FAIL": "refuse"}),
        "expected all to be accepted, saw .'refused'.",
    ),
    *(
        Wrong(
            f"validate/{name}",
            "hangs when it is validated",
            takes(Mode.VALIDATE, Took.HUNG),
            r"expected the same verdicts, saw others for http_filter \(start: .*, validate: hung\)",
        )
        for name in ("good", "missing", "refused", "other_abi", "crashing")
    ),
    *(
        Wrong(
            f"validate/{name}",
            "hangs at start",
            takes(Mode.START, Took.HUNG),
            r"expected the same verdicts, saw others for http_filter \(start: hung, validate: .*\)",
        )
        for name in ("missing", "refused", "other_abi", "crashing")
    ),
    Wrong(
        "validate/mode",
        "told nothing",
        sabotage.module_is("validation_mode", "harmless"),
        "expected a start to tell the module no validation, saw ",
        host=NEWEST,
    ),
    Wrong(
        "validate/mode",
        "told the other",
        logs(Mode.VALIDATE, "told validation", "told no validation"),
        "expected a validate to tell the module validation, saw .'no validation'.",
        host=NEWEST,
    ),
    Wrong(
        "validate/mode",
        "runs",
        logs(Mode.VALIDATE, "bootstrap_extension_new", "bootstrap_extension_server_initialized"),
        "expected no hooks of a server that runs, saw .'bootstrap_extension_server_initialized'.",
        host=NEWEST,
    ),
    Wrong(
        "validate/mode_at_the_end",
        "dies at start",
        dies_in(Mode.START),
        "killed by SIGSEGV in a start, after it called bootstrap_extension_config_destroy",
        Outcome.CRASH,
        host=NEWEST,
    ),
    Wrong(
        "validate/mode_at_the_end",
        "told the other",
        logs(Mode.START, "told no validation", "told validation"),
        "expected a start to tell the module no validation, saw .'validation'.",
        host=NEWEST,
    ),
    Wrong(
        "validate/remote_source",
        "dies when it is validated",
        dies_in(Mode.VALIDATE),
        "expected an orderly answer everywhere, saw http_filter .validate: crashed with -11.",
        host=NEWEST,
    ),
    Wrong(
        "validate/remote_source",
        "hangs at start",
        takes(Mode.START, Took.HUNG),
        "expected an orderly answer everywhere, saw http_filter .start: hung.",
        host=NEWEST,
    ),
    Wrong("validate/remote_source_by_update", "the end", dies, "killed by SIGSEGV after", Outcome.CRASH, host=NEWEST),
    Wrong(
        "validate/remote_source_by_update",
        "serves no more",
        sabotage.stops_serving,
        "expected a good configuration to be accepted afterwards",
        host=NEWEST,
    ),
)

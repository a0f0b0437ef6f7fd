"""Ways to make the cases of `reports` wrong."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.core.values import Outcome
from dmconform.envoy.config import ListenerFilter, NetworkFilter
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.upstream import Upstream

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import NEWEST, Wrong


def dies(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The Envoy ends as a use of memory that is gone ends it."""
    check = Envoy.check_survived

    def killed(envoy: Envoy, during: str) -> None:
        os.kill(envoy.pid, signal.SIGSEGV)
        check(envoy, during)

    patch.setattr(Envoy, "check_survived", killed)
    return bench


def says(old: str, new: str) -> Sabotage:
    """The module prints another text in the place of one."""
    return sabotage.log_says(f"dmconform: {old}", f"dmconform: {new}")


def comes(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The callout is at the upstream server."""
    patch.setattr(Upstream, "count_begun", lambda *_: 1)
    return bench


def nowhere(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Filters of connections refer to a module that is not there."""
    for kind in (ListenerFilter, NetworkFilter):
        to_json = kind.to_json
        patch.setattr(kind, "to_json", lambda one, real=to_json: real(replace(one, module=replace(one.module, name="nowhere"))))
    return bench


def harmless(name: str) -> Sabotage:
    """The module does nothing of what it is for."""
    return sabotage.module_is(name, "harmless")


def not_loaded(name: str) -> Sabotage:
    """The module cannot be used."""
    return sabotage.module_is(name, "null_program_init")


def _late(name: str) -> tuple[Wrong, ...]:
    case = f"reports/callout_{name}"
    return (
        Wrong(
            case, "does nothing", harmless("late_callout"), "expected the module to start a callout, it did not", host=NEWEST
        ),
        Wrong(
            case,
            "it comes",
            sabotage.both(says("callout refused", "callout started"), comes),
            "it came at the upstream",
            host=NEWEST,
        ),
        Wrong(case, "the end", dies, "killed by SIGSEGV (after a callout|while it answered)", Outcome.CRASH, host=NEWEST),
    )


TABLE = (
    *(
        wrong
        for name in ("continue_in_accept", "continue_in_data")
        for wrong in (
            Wrong(f"reports/{name}", "the end", dies, "killed by SIGSEGV after a connection", Outcome.CRASH, host=NEWEST),
            Wrong(f"reports/{name}", "not there", nowhere, "Failed to load", Outcome.REJECTED, host=NEWEST),
        )
    ),
    *_late("in_stream_complete"),
    *_late("in_destroy"),
    *_late("after_reset"),
    *(
        Wrong(
            "reports/socket_options",
            f"{name} is {value}",
            sabotage.answer_header(f"x-{name}", value),
            f"expected {detail}, (saw|it is) {value}",
            host=NEWEST,
        )
        for name, value, detail in (
            ("twice", "true 1", "the second of two values, 2, to be read"),
            ("wide", "set true, true 7", "a value beyond an int to be refused"),
            ("view", "lost", "what was read to stay while more options are set"),
        )
    ),
    Wrong("reports/socket_options", "none", harmless("socket_options"), "expected the second of two values", host=NEWEST),
    Wrong(
        "reports/empty_header_value",
        "not empty",
        sabotage.answer_header("x-new", "full"),
        "x-new in the response': \"'full'\"",
        host=NEWEST,
    ),
    Wrong(
        "reports/empty_header_value",
        "not set",
        harmless("empty_header_value"),
        "x-empty in the request': \"'full'\"",
        host=NEWEST,
    ),
    Wrong(
        "reports/added_trailers",
        "true for nothing",
        says("adding returned false", "adding returned true"),
        "expected true for a trailer that comes, saw True, and it did not come",
        host=NEWEST,
    ),
    Wrong(
        "reports/added_trailers", "not added", harmless("added_trailers"), "expected the module to add a trailer", host=NEWEST
    ),
    Wrong(
        "reports/close_before_manager",
        "not closed",
        harmless("close_before_manager"),
        "expected the connection to be closed, saw status 200",
        host=NEWEST,
    ),
    Wrong(
        "reports/close_before_manager",
        "an alarm",
        sabotage.log_says("\n", "\n[error] envoy bug failure: made up.\n"),
        "expected no alarm in the log, saw envoy bug failure: made up",
        host=NEWEST,
    ),
    Wrong(
        "reports/read_buffer_later",
        "the end",
        dies,
        "killed by SIGSEGV (after|while)",
        Outcome.CRASH,
        host=NEWEST,
    ),
    Wrong("reports/read_buffer_later", "not there", nowhere, "Failed to load", Outcome.REJECTED, host=NEWEST),
    Wrong(
        "reports/bridge_answers_early",
        "another answer",
        sabotage.answers(lambda one: replace(one, body="late")),
        "expected its body 'early', saw 'late'",
        host=NEWEST,
    ),
    Wrong(
        "reports/bridge_answers_early",
        "an error",
        sabotage.answers(lambda one: replace(one, status=503)),
        "expected the module's answer 200, saw status 503",
        host=NEWEST,
    ),
    Wrong(
        "reports/bridge_answers_early", "the end", dies, "killed by SIGSEGV after an early answer", Outcome.CRASH, host=NEWEST
    ),
    Wrong("reports/tracer_tags", "no spans", harmless("tracer_tags"), "expected the tracer's span to end, it does not"),
    Wrong(
        "reports/tracer_tags",
        "fewer tags",
        sabotage.log_says("sampled span\ndmconform: tag of the first span", "sampled span"),
        "expected as many tags for all spans",
    ),
    Wrong("reports/log_location", "no line", harmless("log_location"), "expected the module's line in the log", host=NEWEST),
    Wrong(
        "reports/log_location",
        "the host's place",
        sabotage.log_says("[module.c:42]", "[abi_impl.cc:42]"),
        "expected the module's place in the source, saw abi_impl.cc",
        host=NEWEST,
    ),
)

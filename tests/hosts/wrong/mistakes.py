"""Ways to make the cases of `mistakes` wrong."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from dmconform.casekit import panics
from dmconform.casekit.extensions import Alter
from dmconform.core.values import Feature, Language, Outcome

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong

RUST = Language.RUST
CRASH = {"x-dmconform-misbehave": "now"}


def crashes(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The filter ends the process."""
    patch.setitem(case.PANIC, *next(iter(CRASH.items())))

    def change(_: str, options: dict[str, Any]) -> None:
        options["headers"] = {**(options.get("headers") or {}), **CRASH}

    both = sabotage.both(sabotage.filter_named("misbehave", "crash"), sabotage.requests(change))
    return both(bench, case, patch)


def does_not_panic(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No request asks for it."""
    patch.delitem(case.PANIC, "x-dmconform-panic")
    return bench


harms = sabotage.filter_named("local_reply", "503")


def soon(then: Sabotage) -> Sabotage:
    """Waits that must end in vain are short."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(panics, "LOG_LINE_S", 0.3)
        return sabotage.impatient(then)(bench, case, patch)

    return apply


def extension(config: str) -> Sabotage:
    """The bootstrap extension has another configuration."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        extend = case.bootstrap_extension

        def changed(name: str, _: str) -> Alter:
            made: Alter = extend(name, config)
            return made

        patch.setattr(case, "bootstrap_extension", changed)
        return bench

    return apply


def nothing_altered(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The cluster keeps its own hosts."""
    patch.setattr(case, "module_cluster", lambda _: None)
    return bench


KINDS = tuple(
    row
    for name, language in (("panic_with_a_number", Language.CPP), ("panic_in_a_panic", RUST))
    for row in (
        Wrong(
            f"mistakes/{name}", "does not panic", does_not_panic, "request to meet a panic, it was served", language=language
        ),
        Wrong(
            f"mistakes/{name}",
            "harms others",
            harms,
            "expected a later request to be served, it saw status 503",
            language=language,
        ),
    )
)
TABLE = (
    *KINDS,
    Wrong("mistakes/panic_with_a_number", "ends the process", crashes, "SIGSEGV after a panic with a value", Outcome.CRASH),
    Wrong(
        "mistakes/panic_in_a_panic",
        "language cannot",
        sabotage.language_is("cpp"),
        "a destructor that throws",
        Outcome.NOT_APPLICABLE,
        RUST,
    ),
    Wrong(
        "mistakes/panic_as_configuration_ends",
        "does not panic",
        soon(sabotage.configured("value")),
        "expected the log to hold 'dmconform panic in configuration_end'",
        language=RUST,
    ),
    Wrong(
        "mistakes/panic_as_configuration_ends",
        "serves nobody",
        soon(harms),
        "expected a request to be served, it saw status 503",
        language=RUST,
    ),
    Wrong(
        "mistakes/panic_in_iteration",
        "does not panic",
        soon(extension("count")),
        "expected the log to hold 'dmconform panic in iteration'",
        language=RUST,
    ),
    Wrong(
        "mistakes/panic_in_iteration",
        "SDK has none",
        sabotage.recorded_of_sdk(lacks=(Feature.STATISTICS,)),
        "no look at the host's statistics",
        Outcome.NOT_APPLICABLE,
        RUST,
    ),
    Wrong(
        "mistakes/panic_in_iteration", "harms others", harms, "a later request to be served, it saw status 503", language=RUST
    ),
    Wrong(
        "mistakes/destroyed_in_callback",
        "is destroyed",
        sabotage.log_says("not destroyed within", "destroyed within"),
        "to live until its callback returns, it was destroyed before",
    ),
    Wrong(
        "mistakes/destroyed_in_callback",
        "does nothing",
        soon(sabotage.filter_named("bare")),
        "expected the stream to be started anew, it was not",
    ),
    Wrong(
        "mistakes/destroyed_in_callback",
        "is not served",
        soon(harms),
        "expected the new stream to be served, it saw status 503",
    ),
    Wrong("mistakes/kept_scheduler", "harms others", harms, "expected request 0 to be served, it saw status 503"),
    Wrong("mistakes/kept_scheduler", "ends the process", crashes, "SIGSEGV after an event was scheduled", Outcome.CRASH),
    Wrong("mistakes/kept_handle", "harms all", harms, "expected the first request.* it saw status 503"),
    Wrong("mistakes/kept_handle", "is refused", sabotage.filter_named("refuse"), "", Outcome.REJECTED),
    Wrong("mistakes/kept_handle", "language cannot", sabotage.language_is("rust"), "safe Rust cannot", Outcome.NOT_APPLICABLE),
    Wrong("mistakes/kept_view", "ends the process", crashes, "SIGSEGV after a view was read", Outcome.CRASH),
    Wrong("mistakes/kept_view", "harms others", harms, "expected the request to be served, it saw status 503"),
    Wrong(
        "mistakes/kept_view",
        "changes nothing",
        sabotage.filter_named("identity"),
        "expected the header to be changed to 'other'",
    ),
    Wrong("mistakes/kept_view", "language cannot", sabotage.language_is("rust"), "safe Rust cannot", Outcome.NOT_APPLICABLE),
    Wrong(
        "mistakes/uneven_slices",
        "are added",
        sabotage.log_says("1 weight: refused", "1 weight: 3 hosts added"),
        "to be refused, the SDK reports: 3 hosts added",
        language=RUST,
    ),
    Wrong("mistakes/uneven_slices", "no such cluster", soon(nothing_altered), "the SDK reports: nothing", language=RUST),
    Wrong("mistakes/uneven_slices", "harms others", harms, "to the cluster to be served, it saw status 503", language=RUST),
)

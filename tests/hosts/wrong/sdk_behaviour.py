"""Ways to make the cases of `sdk_behaviour` wrong."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.core.values import Feature, Language, Outcome

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong

GO, RUST = Language.GO, Language.RUST


harms = sabotage.filter_named("local_reply", "503")


def few(then: Sabotage) -> Sabotage:
    """There are few requests, and waits that must end in vain are short."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(case, "REQUESTS", 3)
        return sabotage.impatient(then)(bench, case, patch)

    return apply


def counts_another(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The filter counts nothing."""
    patch.setattr(case, "COMPLETE", "dynamicmodulescustom.dmconform_other")
    return bench


ENDED = tuple(
    row
    for name, language in (("ends_in_event", Language.CPP), ("wrapped_ends_in_event", RUST))
    for row in (
        Wrong(
            f"sdk_behaviour/{name}",
            "answers otherwise",
            few(harms),
            "to be answered in an event, it saw status 503",
            language=language,
        ),
        Wrong(
            f"sdk_behaviour/{name}", "is not told", few(counts_another), "expected 3 streams .* None were", language=language
        ),
        Wrong(
            f"sdk_behaviour/{name}",
            "panics",
            few(sabotage.log_says("dmconform: initialised", "panic")),
            "expected no panic to be logged, saw .'panic'",
            language=language,
        ),
    )
)

TABLE = (
    Wrong("sdk_behaviour/bare_filter", "answers otherwise", harms, "expected request 0 for /direct .* it saw status 503"),
    Wrong(
        "sdk_behaviour/bare_filter",
        "hangs",
        sabotage.answers(lambda one: replace(one, status=None, problem="cut")),
        "expected request 0 for /direct .* to be served, it saw connection cut",
    ),
    Wrong("sdk_behaviour/empty_header", "answers otherwise", harms, "expected the request to be served, it saw status 503"),
    Wrong(
        "sdk_behaviour/empty_header",
        "is not empty",
        sabotage.both(sabotage.filter_named("bare"), sabotage.answer_header("x-dmconform-empty", "full")),
        "expected x-dmconform-empty of the /new, request to be there and empty",
    ),
    Wrong("sdk_behaviour/recreated_headers", "answers otherwise", harms, "the new stream to be served, it saw status 503"),
    Wrong(
        "sdk_behaviour/recreated_headers",
        "SDK cannot",
        sabotage.recorded_of_sdk(lacks=(Feature.RECREATION,)),
        "no way to start a stream anew",
        Outcome.NOT_APPLICABLE,
    ),
    *ENDED,
    Wrong(
        "sdk_behaviour/wrapped_ends_in_event",
        "there is no wrapper",
        sabotage.recorded_of_sdk(catch_unwind=False),
        "no opt-in wrapper",
        Outcome.NOT_APPLICABLE,
        RUST,
    ),
    Wrong(
        "sdk_behaviour/default_environment",
        "answers otherwise",
        harms,
        "expected the request to be served, it saw status 503",
        language=GO,
    ),
    Wrong(
        "sdk_behaviour/default_environment", "is refused", sabotage.filter_named("refuse"), "", Outcome.REJECTED, language=GO
    ),
    Wrong("sdk_behaviour/body_in_many_slices", "answers otherwise", harms, "it saw status 503", language=RUST),
    Wrong(
        "sdk_behaviour/body_in_many_slices",
        "is cut",
        sabotage.sent(lambda one: replace(one, body="")),
        "expected the bridge to be given 140000 bytes",
        language=RUST,
    ),
    Wrong(
        "sdk_behaviour/body_in_many_slices",
        "SDK has none",
        sabotage.recorded_of_sdk(points={}),
        "no reference SDK of this language has upstream bridges",
        Outcome.NOT_APPLICABLE,
        RUST,
    ),
)

"""Ways to make the cases of `binding` wrong."""

from __future__ import annotations

from types import ModuleType

import pytest
from dmconform.core.values import Outcome

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.wrong import Wrong

ABSENT = "envoy_dynamic_module_callback_dmconform_absent"


def opens_now(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The host is on record to open modules with RTLD_NOW."""
    patch.setattr(case, "opens_lazily", lambda _: False)
    return bench


TABLE = (
    Wrong(
        "binding/eager",
        "bound lazily",
        sabotage.module_is("absent_now", "absent_lazy"),
        "expected the configuration to be rejected at start, it was accepted",
    ),
    Wrong(
        "binding/eager",
        "not named",
        sabotage.log_says(ABSENT, "something"),
        f"expected the rejection at start to name {ABSENT}",
    ),
    Wrong(
        "binding/lazy_not_called",
        "bound eagerly",
        sabotage.module_is("absent_lazy", "absent_now"),
        f"undefined symbol: {ABSENT}",
        Outcome.REJECTED,
    ),
    Wrong(
        "binding/lazy_not_called",
        "called",
        sabotage.configured("call"),
        f"the dynamic linker says: .*undefined symbol: {ABSENT}",
        Outcome.CRASH,
    ),
    Wrong(
        "binding/lazy_not_called",
        "on record to open otherwise",
        opens_now,
        "expected the configuration to be rejected at start, it was accepted",
    ),
    Wrong(
        "binding/lazy_called",
        "not called",
        sabotage.configured("do_not_call"),
        "expected the call to end the host, it answers",
    ),
    Wrong("binding/lazy_called", "not named", sabotage.log_says(ABSENT, "something"), f"expected the linker to name {ABSENT}"),
    Wrong("binding/lazy_called", "on record to open otherwise", opens_now, "RTLD_NOW", Outcome.NOT_APPLICABLE),
)

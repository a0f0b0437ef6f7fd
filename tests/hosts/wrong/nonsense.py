"""Ways to make the cases of `nonsense` wrong."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.core.values import Outcome
from dmconform.envoy.config import HttpFilter

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.wrong import Wrong


def crashes(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The filter ends the process in the place of returning nonsense."""
    patch.setitem(case.NONSENSE, "x-dmconform-misbehave", "now")
    return sabotage.filter_named("misbehave", "crash")(bench, case, patch)


def harms_others(one: HttpFilter) -> HttpFilter:
    """The filter answers each request by itself."""
    return replace(one, filter_name="local_reply", config="503")


TABLE = (
    Wrong("nonsense/statuses", "ends the process", crashes, "SIGSEGV", Outcome.CRASH),
    Wrong(
        "nonsense/statuses",
        "harms other requests",
        sabotage.filters(harms_others),
        "expected another request to be served, it saw status 503",
    ),
)

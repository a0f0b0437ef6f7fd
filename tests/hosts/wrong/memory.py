"""Ways to make the cases of `memory` wrong."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from types import ModuleType

import pytest
from dmconform.casekit.identity import Held, held
from dmconform.envoy.envoy import Envoy

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.wrong import Wrong


def ever_more(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The process holds a MiB more at each look."""
    looks = count()

    def more(envoy: Envoy) -> Held:
        seen = held(envoy)
        return replace(seen, memory=(seen.memory[0] + (next(looks) << 20), seen.memory[1]))

    patch.setattr(case, "held", more)
    return bench


TABLE = (
    Wrong("memory/per_request", "ever more", ever_more, "expected its own memory to grow by at most 512 KiB in"),
    Wrong(
        "memory/per_request",
        "another filter",
        sabotage.filter_named("identity"),
        "expected the module to change responses, saw",
    ),
)

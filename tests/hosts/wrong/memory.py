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


def ever_more_files(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The process has 20 files open more at each look."""
    looks = count()

    def more(envoy: Envoy) -> Held:
        seen = held(envoy)
        return replace(seen, files=seen.files + 20 * next(looks))

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
    Wrong("memory/per_update", "ever more", ever_more, "expected its own memory to grow by at most 306 KiB in 100 updates"),
    Wrong("memory/per_update", "files", ever_more_files, "expected at most 8 open files more after 100 updates"),
    Wrong(
        "memory/per_update",
        "another filter",
        sabotage.filter_named("identity"),
        "expected the last configuration to serve, saw",
    ),
)

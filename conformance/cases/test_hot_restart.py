"""Two Envoys of which the second takes over from the first, by hot restart: what becomes of modules and their metrics.

No document promises it: what each release does is on record.
"""

from __future__ import annotations

import re
from pathlib import Path

from dmconform.casekit import (
    LOG_LINE_S,
    Answer,
    Cell,
    Envoy,
    Language,
    Protocol,
    Request,
    case,
    hot_restart,
    identity_of,
    listener,
    poll,
)

CPP = (Language.CPP,)
COUNTER = re.compile(r"^(\w*calls\w*)(\{.*\})? (\d+)$", re.MULTILINE)
"""A line of `/stats/prometheus` about the module's counter."""


def counted(envoy: Envoy) -> list[str]:
    """Returns name, labels and value of the module's counter, as Prometheus sees them."""
    return [f"{name}{labels} {value}" for name, labels, value in COUNTER.findall(envoy.admin("/stats/prometheus").body)]


@case("statistics.custom_metrics", languages=CPP, supported_for=(), own_minor=True)
def test_labels(cell: Cell) -> None:
    """The labels of a module's metrics are the same after a hot restart, and its counters go on."""
    cell.install("labelled_counter")
    wanted = listener("any", module="labelled_counter")
    with hot_restart(cell) as chain:
        first = chain.start(wanted)
        first.request("/")
        before = counted(first)
        cell.facts["before"] = "; ".join(before)
        assert len(before) == 1 and before[0].endswith(" 1"), f"expected the counter to be 1, saw {before}"
        second = chain.start(wanted)
        poll(lambda: counted(second) or None, LOG_LINE_S)
        second.request("/")
        after = counted(second)
    cell.facts["after"] = "; ".join(after)
    expected = f"{before[0].removesuffix('1')}2"
    assert after == [expected], f"expected {expected}, saw {cell.facts['after']}"


@case("identity.reuse", languages=CPP, supported_for=(), own_minor=True)
def test_modules(cell: Cell) -> None:
    """The Envoy that takes over has a module apart, from another folder, and the first goes on with its own."""
    copies = [cell.install(folder=folder) for folder in ("old", "new")]
    with hot_restart(cell) as chain:
        first = chain.start(listener("identity"), search_path=copies[0].parent)
        with first.connect(Protocol.HTTP1) as client:
            assert_counts(client.request(Request("/")), 1, "first Envoy")
            second = chain.start(listener("identity"), search_path=copies[1].parent)
            assert_counts(second.request("/"), 1, "second Envoy")
            assert_counts(client.request(Request("/")), 2, "first Envoy while another takes over")
        assert_maps(first, copies[0], not_copy=copies[1])
        assert_maps(second, copies[1], not_copy=copies[0])


def assert_maps(envoy: Envoy, copy: Path, *, not_copy: Path) -> None:
    """Asserts that an Envoy has one copy of a module and not the other."""
    assert envoy.has_mapped(copy), f"expected {copy.name} of {copy.parent.name} to be mapped, it is not"
    assert not envoy.has_mapped(not_copy), f"expected the module of {not_copy.parent.name} not to be mapped, it is"


def assert_counts(answer: Answer, number: int, where: str) -> None:
    """Asserts that a module's filter says that it was made for so many requests."""
    seen = identity_of(answer, "count")
    assert seen == str(number), f"expected the module of the {where} to count {number}, saw {seen}"

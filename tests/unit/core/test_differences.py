"""Comparing a record with a measurement: each key that differs is named, and only what differs."""

from __future__ import annotations

import pytest
from _pytest.outcomes import Failed
from dmconform.abi.fault_reactions import Counted
from dmconform.core import paths
from dmconform.core.differences import differences
from dmconform.hosts.catalogue import AbiCheck, load_hosts
from msgspec.structs import replace

from tests.checkout import ROOT
from tests.recorded import assert_page, assert_recorded

HOST = load_hosts(paths.HOSTS_FILE)[0]
MANY = frozenset(f"name_{number:04}" for number in range(1000))


@pytest.mark.parametrize(
    ("recorded", "measured", "lines"),
    [
        (HOST, HOST, []),
        (HOST, replace(HOST, abi_check=AbiCheck.WARN), ["abi_check: recorded 'exact', measured 'warn'"]),
        (HOST, replace(HOST, wheel=replace(HOST.wheel, version="1")), ["wheel.version: recorded '1.36.2', measured '1'"]),
        (HOST, replace(HOST, lacks=HOST.lacks[2:]), [f"lacks: recorded and not measured: {', '.join(HOST.lacks[:2])}"]),
        (HOST, replace(HOST, adds=(*HOST.adds, "x")), ["adds: measured and not recorded: x"]),
        (
            {"a": MANY},
            {"a": MANY - {"name_0500"} | {"new"}},
            ["a: recorded and not measured: name_0500", "a: measured and not recorded: new"],
        ),
        (
            {"a": ("x", "y")},
            {"a": ("y", "x")},
            ["a: the same names in another order: recorded ['x', 'y'], measured ['y', 'x']"],
        ),
        ({"a": 1}, {"b": 2}, ["a: recorded 1, measured nothing", "b: recorded nothing, measured 2"]),
        ({"h": Counted({"c": 1})}, {"h": Counted({"c": 2})}, ["h.counters.c: recorded 1, measured 2"]),
    ],
)
def test_each_key_that_differs_is_named(recorded: object, measured: object, lines: list[str]) -> None:
    assert differences(recorded, measured) == lines


def test_a_failure_names_file_entry_key_and_fix() -> None:
    with pytest.raises(Failed) as failed:
        assert_recorded(ROOT / "conformance" / "hosts.toml", "1.36.2", {"opens": "lazy"}, {"opens": "now"}, "run this")
    assert str(failed.value).splitlines() == [
        "conformance/hosts.toml, 1.36.2: 1 differences",
        "  conformance/hosts.toml, 1.36.2, opens: recorded 'lazy', measured 'now'",
        "fix: run this",
    ]


@pytest.mark.parametrize("page", ["docs/findings.md", "docs/faults.md", "docs/coverage.md"])
def test_of_a_page_the_lines_that_differ_are_named_with_their_heading(page: str) -> None:
    text = (ROOT / page).read_text()
    assert_page(page, text, "")
    changed = text.replace("Generated from", "Made of", 1)
    assert changed != text
    with pytest.raises(Failed) as failed:
        assert_page(page, changed, "run this")
    reported = str(failed.value).splitlines()
    title = text.partition("\n")[0].removeprefix("# ")
    assert reported[0] == f"{page}: 2 lines differ from what its data say (- in the file, + expected)"
    assert [line.partition(" Generated")[0].partition(" Made")[0] for line in reported[1:3]] == [
        f"  {title}: -",
        f"  {title}: +",
    ]
    assert reported[-1] == "fix: run this"

"""What the log of an Envoy says of configurations that were not taken."""

from __future__ import annotations

import pytest
from dmconform.envoy.update import assert_not_dropped, rejection

PLACE = "[2026-01-01 00:00:00.000][1][warning][config] [source/extensions/config_subscription/filesystem/f.cc:1] "
TWO = (
    f"{PLACE}Filesystem config update rejected: Error adding/updating listener(s) main: first\n"
    f"{PLACE}Filesystem config update failure: in /cell/listeners.json, no such field: {{\n"
)


def test_a_rejection_is_found_by_its_number_once_its_line_is_whole() -> None:
    assert rejection(TWO, 1) == "Error adding/updating listener(s) main: first"
    assert rejection(TWO, 2) == "no such field"
    assert rejection(TWO, 3) is None
    assert rejection(TWO.removesuffix("\n"), 2) is None


def test_a_configuration_that_was_dropped_is_not_waited_for() -> None:
    assert_not_dropped(TWO)
    with pytest.raises(AssertionError, match="it was dropped: bad"):
        assert_not_dropped(f"{TWO}{PLACE}Filesystem watch callback for 'listeners.json' threw exception: bad\n")

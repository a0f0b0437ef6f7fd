"""Waiting for what an update removes: until its module is unmapped, or until nothing that was removed can hold one any more."""

from __future__ import annotations

from pathlib import Path

from dmconform.core.timeouts import DRAINED_S, UNLOAD_S
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy

_DRAINING = ("listener_manager.total_listeners_draining", "listener_manager.total_filter_chains_draining")


def assert_unloaded(envoy: Envoy, module: Path, when: str = "when nothing uses it") -> None:
    """Waits until the Envoy has unloaded a module.

    Raises:
        AssertionError: it does not in time.
    """
    gone = poll(lambda: not envoy.has_mapped(module), UNLOAD_S)
    assert gone, f"expected {module.name} to be unloaded {when}, it is loaded after {UNLOAD_S:g} s"


def assert_drained(envoy: Envoy, *canaries: Path) -> None:
    """Waits until the Envoy has released the listeners and filter chains that were removed, and so their modules.

    What goes with one update goes one by one: a module may be mapped still when another one of the same update is gone.
    Envoy destroys a listener before it counts it as drained.

    Args:
        envoy: has accepted an update that removes something.
        canaries: modules that nothing uses since then. That they are unloaded shows that what nothing uses is.

    Raises:
        AssertionError: it does not in time.
    """
    done = poll(lambda: all(envoy.statistic(name) == 0 for name in _DRAINING), DRAINED_S)
    assert done, f"expected the listeners that were removed to be drained, they are not after {DRAINED_S:g} s"
    for canary in canaries:
        assert_unloaded(envoy, canary)

"""Waiting for what an update removes: until its module is unmapped, or until nothing that was removed can hold one any more."""

from __future__ import annotations

from pathlib import Path

from dmconform.core.timeouts import DRAINED_S, UNLOAD_S
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy

_DRAINING = ("listener_manager.total_listeners_draining", "listener_manager.total_filter_chains_draining")


def assert_unloaded(envoy: Envoy, module: Path, when: str = "when nothing uses it", patience_s: float | None = None) -> None:
    """Waits until the Envoy has unloaded a module.

    Args:
        envoy: which has it.
        module: its file.
        when: the moment in words.
        patience_s: how long that may take; None: as long as a busy machine may need.

    Raises:
        AssertionError: it does not in time.
    """
    patience_s = UNLOAD_S if patience_s is None else patience_s
    gone = poll(lambda: not envoy.has_mapped(module), patience_s)
    assert gone, f"expected {module.name} to be unloaded {when}, it is loaded after {patience_s:g} s"


def assert_drained(envoy: Envoy, *canaries: Path, patience_s: float | None = None) -> None:
    """Waits until the Envoy has released the listeners and filter chains that were removed, and so their modules.

    What goes with one update goes one by one: a module may be mapped still when another one of the same update is gone.
    Envoy destroys a listener before it counts it as drained.

    Args:
        envoy: has accepted an update that removes something.
        *canaries: modules that nothing uses since then. That they are unloaded shows that what nothing uses is.
        patience_s: how long they may take after that; None: as long as a busy machine may need.

    Raises:
        AssertionError: it does not in time.
    """
    done = poll(lambda: all(envoy.statistic(name) == 0 for name in _DRAINING), DRAINED_S)
    assert done, f"expected the listeners that were removed to be drained, they are not after {DRAINED_S:g} s"
    for canary in canaries:
        assert_unloaded(envoy, canary, patience_s=patience_s)

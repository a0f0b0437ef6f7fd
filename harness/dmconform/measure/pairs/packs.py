"""Decides which pairs share an Envoy, and which of them a run of their hook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from dmconform.measure.pairs.plan import Pair

IN_COMPANY: Final = 60  # runs of a hook that one Envoy is asked for
_IN_A_RUN: Final = 24  # pairs that leave all as it was, in one run of a hook
_ENOUGH_RUNS: Final = 20
_PAIRS: Final = 200  # in one Envoy: the module has room for some more, and the environment for their script


def packed(pairs: Sequence[Pair], runs: int | None, reads: Callable[[Pair], bool]) -> list[list[Pair]]:
    """Returns the pairs that an Envoy is asked for, those of one run of their hook together; at least one, if there is one.

    Where a hook runs often, each pair has a run of it. Where it runs seldom, pairs that leave all as it was share one, and
    another may follow them: nothing comes after it.

    Args:
        pairs: all of one hook.
        runs: how often the hook runs in an Envoy; None where that is not known yet.
        reads: whether a pair leaves all as it was.
    """
    if runs is None or runs >= min(_ENOUGH_RUNS, len(pairs)):
        return [[pair] for pair in pairs[:IN_COMPANY]]
    quiet = [pair for pair in pairs if reads(pair)]
    others = [pair for pair in pairs if not reads(pair)]
    needed = max(len(others), -(-len(quiet) // _IN_A_RUN))
    each = -(-len(quiet) // needed)
    packs = [[*quiet[at * each : (at + 1) * each], *others[at : at + 1]] for at in range(min(runs, needed, IN_COMPANY))]
    while sum(map(len, packs)) > _PAIRS:
        packs.pop()
    return packs

"""Static analysis and run-time observation of a cell: a mismatch points to a hidden break or to a mistake in the data."""

from __future__ import annotations

from dmconform.binaries.facts import StaticKind, StaticVerdict
from dmconform.core.values import Load, ProbeLoad

_FITTING = {
    StaticKind.LOADS: (Load.LOADED,),
    StaticKind.REFUSED: (Load.REFUSED,),
    StaticKind.UNRESOLVED: (Load.LOADED, Load.UNRESOLVED),
}


def mismatch(static: StaticVerdict | None, seen: ProbeLoad) -> str | None:
    """Returns how static analysis and run-time observation contradict each other, in a sentence; None where they do not.

    They do so too where the dynamic linker names a symbol that the static analysis had not missed.
    """
    if static is None or static.kind is StaticKind.UNKNOWN or seen.load is Load.NOT_SEEN:
        return None
    printed = (
        f"static analysis: {static.kind.value} ({static.reason})" if static.reason else f"static analysis: {static.kind.value}"
    )
    did = f"{seen.load.value}: {seen.symbol}" if seen.symbol else seen.load.value
    if seen.load not in _FITTING[static.kind]:
        return f"{printed}; at run time the probe was {did}"
    if seen.symbol is not None and seen.symbol not in static.missing:
        return f"{printed}; at run time the probe was {did}, which the static analysis does not miss"
    return None

"""The two halves of a cell: what its probe's file says, and what its host did. Where they disagree, something is hidden."""

from __future__ import annotations

from dmconform.binaries.facts import StaticKind, StaticVerdict
from dmconform.core.values import Load, ProbeLoad

_FITTING = {
    StaticKind.LOADS: (Load.LOADED,),
    StaticKind.REFUSED: (Load.REFUSED,),
    StaticKind.UNRESOLVED: (Load.LOADED, Load.UNRESOLVED),
}


def mismatch(static: StaticVerdict | None, seen: ProbeLoad) -> str | None:
    """What the two halves disagree in, in one sentence; None where they agree, or one of them is not known.

    They also disagree where the dynamic linker names a symbol that the static half had not missed.
    """
    if static is None or static.kind is StaticKind.UNKNOWN or seen.load is Load.NOT_SEEN:
        return None
    said = f"static half: {static.kind.value} ({static.reason})" if static.reason else f"static half: {static.kind.value}"
    did = f"{seen.load.value}: {seen.symbol}" if seen.symbol else seen.load.value
    if seen.load not in _FITTING[static.kind]:
        return f"{said}; at run time the probe was {did}"
    if seen.symbol is not None and seen.symbol not in static.missing:
        return f"{said}; at run time the probe was {did}, which the static half does not miss"
    return None

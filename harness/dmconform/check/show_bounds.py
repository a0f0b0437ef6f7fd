"""What forces the bounds of a module's range, on a terminal: a heading for each kind of reason, and what would help."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from dmconform.binaries.facts import Reached
from dmconform.check.bound import Bound, BoundKind, BoundSymbol
from dmconform.core.terminal import SafeOutput

NAMES_SHOWN: Final = 6
_HEADINGS: Final = {
    BoundKind.HOST_LACKS_CALLBACKS: "Hosts that lack callbacks which the module names:",
    BoundKind.MODULE_LACKS_HOOKS: "Hosts that require hooks which the module lacks:",
    BoundKind.NO_EXTENSION_POINT: "Hosts without the extension point:",
    BoundKind.ABI_STRING: "Hosts that refuse its ABI string:",
    BoundKind.SYMBOLS_OF_OTHERS: "Symbols that no Envoy brings:",
}


def print_bounds(out: SafeOutput, bounds: Sequence[Bound]) -> None:
    """Prints what forces the bounds; nothing where there is none."""
    for kind, group in itertools.groupby(bounds, key=lambda one: one.kind):
        out.line(_HEADINGS[kind], style="bold")
        for bound in group:
            out.line(f"{bound.where}: {bound.reason}", before="  ")
            shown = _reached_first(bound.missing)
            for symbol in shown[:NAMES_SHOWN]:
                out.line(f"{symbol.name}{_mark(symbol, bound)}", before="      ")
            if len(shown) > NAMES_SHOWN:
                out.line(f"… and {len(shown) - NAMES_SHOWN} more (--json has all)", before="      ")
            for remedy in bound.remedies:
                out.line(remedy.text, before="    → ")


def _reached_first(symbols: Sequence[BoundSymbol]) -> list[BoundSymbol]:
    return sorted(symbols, key=lambda one: (one.reached is not Reached.YES, one.name))


def _mark(symbol: BoundSymbol, bound: Bound) -> str:
    """Returns a mark of what is reached, where that is not so of all."""
    some = any(one.reached is not Reached.YES for one in bound.missing)
    return " (can be reached)" if symbol.reached is Reached.YES and some else ""

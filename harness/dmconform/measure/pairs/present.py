"""Shows pairs to people and as JSON: what is new, what is no longer seen, and how many of each kind there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dmconform.measure.pairs.record import PairChange, PairRecord
from dmconform.measure.pairs.request import ComparedPairs
from dmconform.measure.pairs.result import PairEnd

_HEADS: Final = ("host", "pairs", "returned", "ends Envoy", "hangs", "not reached", "other", "nested", "Envoys", "s")
_CRASHES: Final = (PairEnd.ENDS, PairEnd.SOMETIMES)


class PairsOfHost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host in the JSON result."""

    host: str
    pairs: int
    envoys: int
    duration_s: float
    changes: tuple[PairChange, ...]
    not_run: tuple[str, ...]
    out_of_reach: tuple[str, ...]
    seen: PairRecord


class PairsResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON result."""

    schema_version: int
    as_recorded: bool
    complete: bool
    hosts: tuple[PairsOfHost, ...]


def as_result(compared: Sequence[ComparedPairs]) -> str:
    """Returns JSON text, indented."""
    hosts = tuple(
        PairsOfHost(
            one.host,
            one.wanted,
            one.found.envoys,
            round(one.duration_s, 1),
            one.changes,
            one.not_run,
            one.out_of_reach,
            one.record,
        )
        for one in compared
    )
    result = PairsResult(2, not any(one.changes for one in compared), not any(one.not_run for one in compared), hosts)
    return msgspec.json.format(msgspec.json.encode(result), indent=1).decode() + "\n"


def print_pairs(compared: Sequence[ComparedPairs], console: Console | None = None) -> None:
    """Prints a table and the changes, colours only on a terminal."""
    out = console or Console()
    table = Table(*_HEADS, box=None, header_style="bold")
    for one in compared:
        table.add_row(*_row(one))
    out.print(table)
    for one in compared:
        if one.changes or one.not_run:
            out.print(f"\n[bold]{one.host}[/bold]")
        for change in one.changes:
            word = "[red]new[/red]" if change.is_new else "no longer"
            detail = f"  ({escape(change.detail)})" if change.detail else ""
            out.print(f"  {word}: {change.what}: {escape(change.pair)}{detail}", highlight=False, soft_wrap=True)
        for line in one.not_run:
            out.print(f"  [red]could not be run[/red]: {escape(line)}", highlight=False, soft_wrap=True)
    for line in dict.fromkeys(f"{one.host}: {line}" for one in compared for line in one.out_of_reach):
        out.print(f"No configuration reaches it: {escape(line)}", highlight=False, soft_wrap=True)
    out.print(f"\n{verdict(compared)}", highlight=False, soft_wrap=True)


def _row(one: ComparedPairs) -> tuple[str, ...]:
    ends = Counter(result.end for result in one.found.results.values())
    counted = [ends[PairEnd.RETURNED], sum(ends[end] for end in _CRASHES), ends[PairEnd.HANGS], ends[PairEnd.NOT_REACHED]]
    rest = len(one.found.results) - sum(counted)
    numbers = (len(one.found.results), *counted, rest, len(one.found.nested), one.found.envoys, round(one.duration_s))
    return (one.host, *map(str, numbers))


def verdict(compared: Sequence[ComparedPairs]) -> str:
    """Returns the result in one line."""
    new = sum(change.is_new for one in compared for change in one.changes)
    lost = sum(not change.is_new for one in compared for change in one.changes)
    missed = sum(len(one.not_run) for one in compared)
    parts = [f"{new} new and {lost} no longer seen"] if new or lost else []
    parts += [f"{missed} {'part' if missed == 1 else 'parts'} could not be run"] if missed else []
    if parts:
        return f"✗ {'; '.join(parts)}; dmconform pairs --write keeps what was seen"
    return "✓ All pairs end as it is on record"

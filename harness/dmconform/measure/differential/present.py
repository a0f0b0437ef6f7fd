"""Shows the result of a differential test to people: tables in the terminal, or Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dmconform.core.values import Relation
from dmconform.hosts.catalogue import release_label
from dmconform.measure.differential.compare_hosts import ComparedHosts, DifferentialTest, Judged
from dmconform.measure.differential.coverage import Cover

_SHOWN_CHANGES: Final = 3
_PAIR_HEADS: Final = ("ABI", "host", "relation", "callbacks", "results", "differences", "on record")
_SIDES: Final = "upstream and downstream side"
_COVER_HEADS: Final = ("ABI", "callbacks", "differential", "probes only", "nothing", "upstream side", "why nothing")


def _pair_row(pair: ComparedHosts) -> tuple[str, ...]:
    recorded = sum(one.record is not None for one in pair.differences)
    differences = ("own minor", "") if pair.is_own else (str(len(pair.differences)), str(recorded))
    return (pair.abi, release_label(pair.host), _relation(pair), str(pair.callbacks), str(pair.calls), *differences)


def _relation(pair: ComparedHosts) -> str:
    return _SIDES if pair.sides else pair.relation.value


def _cover_rows(compared: DifferentialTest) -> Iterator[tuple[str, ...]]:
    for one in compared.coverages:
        why = "; ".join(f"{count} {category}" for category, count in one.reasons().items())
        yield (one.minor, str(len(one.callbacks)), *(str(one.count(by)) for by in Cover), str(one.upstream), why)


def _changes(judged: Judged) -> Iterator[str]:
    changes = judged.difference.changes
    yield from changes[:_SHOWN_CHANGES]
    if len(changes) > _SHOWN_CHANGES:
        yield f"and {len(changes) - _SHOWN_CHANGES} more"


def verdict(compared: DifferentialTest) -> str:
    """Returns the result in one line."""
    supported = [pair for pair in compared.pairs if pair.relation is Relation.SUPPORTED and not pair.is_own]
    new = sum(len(pair.unrecorded) for pair in supported)
    if compared.broken:
        stale = sum(len(pair.stale) for pair in compared.pairs)
        return f"✗ {new} differences on supported hosts without a record, {stale} records that no longer apply"
    if compared.incomplete:
        return "✗ Not everything could be judged"
    return "✓ No supported host differs but as it is on record"


def print_swept(compared: DifferentialTest, console: Console | None = None) -> None:
    """Prints tables, colours only on a terminal."""
    out = console or Console()
    pairs = Table(*_PAIR_HEADS, box=None, header_style="bold")
    for pair in compared.pairs:
        pairs.add_row(*_pair_row(pair))
    out.print(pairs)
    for pair in compared.pairs:
        if pair.differences:
            out.print(f"\n[bold]{pair.abi} on {release_label(pair.host)}[/bold] ({_relation(pair)})", soft_wrap=True)
        for one in pair.differences:
            record = f"on record: {one.record}" if one.record else "[red]no record[/red]"
            out.print(f"  {one.difference.callback} {one.difference.kind.value}  ({record})", highlight=False, soft_wrap=True)
            for change in _changes(one):
                out.print(f"      {escape(change)}", highlight=False, soft_wrap=True)
        for text in (*pair.stale, *pair.problems):
            out.print(f"  {pair.abi} on {release_label(pair.host)}: {escape(text)}", highlight=False, soft_wrap=True)
    covers = Table(*_COVER_HEADS, box=None, header_style="bold")
    for row in _cover_rows(compared):
        covers.add_row(*row)
    out.print()
    out.print(covers)
    out.print(f"\n{verdict(compared)}; {compared.duration_s:.1f} s", highlight=False, soft_wrap=True)


def as_markdown(compared: DifferentialTest) -> str:
    """Renders the comparison as Markdown."""
    lines = [*_table(_PAIR_HEADS, map(_pair_row, compared.pairs)), ""]
    for pair in compared.pairs:
        if not (pair.differences or pair.stale or pair.problems):
            continue
        lines += [f"**{pair.abi} on {release_label(pair.host)}** ({_relation(pair)})", ""]
        for one in pair.differences:
            record = f"on record as `{one.record}`" if one.record else "**no record**"
            lines.append(f"- `{one.difference.callback}` {one.difference.kind.value}; {record}")
            lines += [f"  - `{change}`" for change in _changes(one)]
        lines += [f"- {text}" for text in (*pair.stale, *pair.problems)]
        lines.append("")
    return "\n".join([*lines, *_table(_COVER_HEADS, _cover_rows(compared)), "", f"{verdict(compared)}.", ""])


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"

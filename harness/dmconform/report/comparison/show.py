"""A comparison for people: in a terminal, as Markdown, and as annotations of GitHub's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console

from dmconform.core.terminal import SafeOutput
from dmconform.core.text import counted
from dmconform.core.values import Outcome
from dmconform.report.chance import without_chance
from dmconform.report.comparison.model import CellChange, CellSide, ChangeKind, ReportComparison
from dmconform.report.stability import Stability

CELLS_SHOWN = 5
LONGEST_LINE = 600

MEANINGS = {
    ChangeKind.REGRESSION: "supported, passed before, fails now",
    ChangeKind.FAILURE: "supported, gave no answer before, fails now",
    ChangeKind.REPAIR: "failed before, holds now",
    ChangeKind.LOST: "answered before, gives no answer now",
    ChangeKind.ANSWERED: "gave no answer before, holds now",
    ChangeKind.FACT: "not supported, fails now and did not before",
    ChangeKind.REASON: "fails as before, in another way",
    ChangeKind.NEW: "only in the new report",
    ChangeKind.GONE: "only in the old report",
    ChangeKind.PROMISE: "answers as before, but is supported in one of the two only",
}
STYLES = {
    ChangeKind.REGRESSION: "bold red",
    ChangeKind.FAILURE: "bold red",
    ChangeKind.LOST: "magenta",
    ChangeKind.REPAIR: "green",
}


@dataclass(frozen=True)
class ChangeGroup:
    """Changes of one case with the same old and new answer."""

    kind: ChangeKind
    case: str
    was: str
    now: str
    changes: tuple[CellChange, ...]

    @property
    def blame(self) -> str:
        """The things that are the same in both reports, and so cannot be the cause; empty where that is not known."""
        modules = {one.same_module for one in self.changes}
        hosts = {one.same_host for one in self.changes}
        same = [word for word, seen in (("modules", modules), ("hosts", hosts)) if seen == {True}]
        other = [word for word, seen in (("modules", modules), ("hosts", hosts)) if seen == {False}]
        parts = [f"the same {' and '.join(same)}" if same else "", f"other {' and '.join(other)}" if other else ""]
        return ", ".join(part for part in parts if part)


def groups(comparison: ReportComparison) -> tuple[ChangeGroup, ...]:
    """Returns the changes grouped by cause, in the order of kinds, the largest first."""
    found: dict[tuple[ChangeKind, str, str, str], list[CellChange]] = {}
    for one in comparison.changes:
        area, name, *_ = one.cell.split("/")
        words = ("", "") if one.kind in (ChangeKind.NEW, ChangeKind.GONE) else (_words(one.old), _words(one.new))
        key = (one.kind, f"{area}/{name}", *words)
        found.setdefault(key, []).append(one)
    made = [ChangeGroup(*key, tuple(changes)) for key, changes in found.items()]
    kinds = list(ChangeKind)
    return tuple(sorted(made, key=lambda one: (kinds.index(one.kind), -len(one.changes))))


def _words(side: CellSide | None) -> str:
    if side is None:
        return "not there"
    text = without_chance(side.detail)
    known = f" (known: {side.known_failure})" if side.known_failure else ""
    mismatched = ", with a static/run-time mismatch" if text and side.outcome is Outcome.PASS else ""
    unstable = " (FLAKY: run again alone, it ended otherwise)" if side.stability is Stability.UNSTABLE else ""
    return f"{side.outcome.value}{mismatched}{known}{unstable}" + (f": {text}" if text else "")


def counts(comparison: ReportComparison) -> str:
    """Returns one line: how many changes of each kind, and how many cells are as they were."""
    parts = [f"{kind.value}: {len(comparison.of(kind))}" for kind in ChangeKind if comparison.of(kind)]
    return ", ".join([*parts, f"unchanged: {comparison.unchanged}"])


def notes(comparison: ReportComparison) -> Iterator[str]:
    """Yields what a reader must know of the comparison itself."""
    yield from comparison.warnings
    for one in comparison.paired:
        yield f"Envoy {one.old} of the old report is compared with {one.new} of the new one ({one.origin})"


def print_comparison(comparison: ReportComparison, console: Console) -> None:
    """Prints a comparison; the numbers come last, at the end of the output."""
    out = SafeOutput(console, LONGEST_LINE, "in the JSON output")
    shown: ChangeKind | None = None
    for group in groups(comparison):
        if group.kind is not shown:
            shown = group.kind
            out.line("")
            of_kind = comparison.of(group.kind)
            style = STYLES.get(group.kind, "bold")
            out.line(f"{group.kind.value}: {counted(len(of_kind), 'cell')}: {MEANINGS[group.kind]}", style)
        for line in _lines(group):
            out.line(line)
    out.line("")
    for note in notes(comparison):
        out.line(f"note: {note}", "yellow")
    out.line(counts(comparison), "bold")


def _lines(group: ChangeGroup) -> Iterator[str]:
    yield f"  {len(group.changes)}x {group.case}"
    if group.kind in (ChangeKind.NEW, ChangeKind.GONE):
        return
    yield f"      was: {group.was}"
    yield f"      now: {group.now}"
    if group.blame:
        yield f"      with {group.blame}"
    for one in group.changes[:CELLS_SHOWN]:
        yield f"      {one.cell}"
    if len(group.changes) > CELLS_SHOWN:
        yield f"      and {len(group.changes) - CELLS_SHOWN} more"
    if group.changes[0].reproduce:
        yield f"      again: {group.changes[0].reproduce}"

"""A comparison for people: in a terminal, as Markdown, and as annotations of GitHub's."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console

from dmconform.core.terminal import SafeOutput
from dmconform.core.text import counted
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.chance import without_chance
from dmconform.report.comparison.model import CellChange, CellSide, ChangeKind, ReportComparison
from dmconform.report.stability import Stability

LONGEST_LINE = 240
GROUPS_SHOWN = {ChangeKind.CHANGED: 4, ChangeKind.REGRESSION: 4, ChangeKind.FAILURE: 3, ChangeKind.LOST: 3}
"""How many groups of a kind a terminal shows; of the other kinds one."""
WITH_COMMAND = (ChangeKind.CHANGED, ChangeKind.REGRESSION, ChangeKind.FAILURE)

MEANINGS = {
    ChangeKind.CHANGED: "does not behave as is on record of its release, whatever is promised",
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
    ChangeKind.CHANGED: "bold red",
    ChangeKind.REGRESSION: "bold red",
    ChangeKind.FAILURE: "bold red",
    ChangeKind.LOST: "magenta",
    ChangeKind.REPAIR: "green",
}


@dataclass(frozen=True)
class ChangeGroup:
    """Changes with the same old and new answer: of one record, or of one cause."""

    kind: ChangeKind
    was: str
    now: str
    changes: tuple[CellChange, ...]

    @property
    def cases(self) -> tuple[str, ...]:
        """The ids of the cases."""
        return tuple(dict.fromkeys("/".join(one.cell.split("/")[:2]) for one in self.changes))

    @property
    def where(self) -> str:
        """The cases in words: `window/loads and 3 more cases`."""
        first, *others = self.cases
        return first + (f" and {counted(len(others), 'more case')}" if others else "")

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
    """Returns the changes grouped by record and cause, in the order of kinds, the largest first."""
    found: dict[tuple[ChangeKind, str, str], list[CellChange]] = {}
    for one in comparison.changes:
        words = ("", "") if one.kind in (ChangeKind.NEW, ChangeKind.GONE) else (_words(one.old), _words(one.new))
        found.setdefault((one.kind, *words), []).append(one)
    made = [ChangeGroup(*key, tuple(changes)) for key, changes in found.items()]
    kinds = list(ChangeKind)
    return tuple(sorted(made, key=lambda one: (kinds.index(one.kind), -len(one.changes))))


def _words(side: CellSide | None) -> str:
    if side is None:
        return "not there"
    text = without_chance(side.detail)
    known = f" (known: {side.known_failure})" if side.known_failure else ""
    is_changed = side.judgement is Judgement.CHANGED
    mismatched = ", with a static/run-time mismatch" if text and side.outcome is Outcome.PASS and not is_changed else ""
    mismatched += ", a changed fact" if is_changed else ""
    unstable = " (FLAKY: run again alone, it ended otherwise)" if side.stability is Stability.UNSTABLE else ""
    return f"{side.outcome.value}{mismatched}{known}{unstable}" + (f": {text}" if text and not known else "")


def headline(comparison: ReportComparison) -> str:
    """Returns what became worse in one sentence: regressions, and answers that were lost as what they are."""
    if not comparison.compared:
        return "Nothing was compared"
    regressions, failures = len(comparison.of(ChangeKind.REGRESSION)), len(comparison.of(ChangeKind.FAILURE))
    changed = len(comparison.of(ChangeKind.CHANGED))
    parts = [
        f"{counted(changed, 'changed fact')}" if changed else "",
        counted(regressions, "regression") if regressions else "No regression",
        f"{counted(failures, 'supported cell')} without an answer before fail now" if failures else "",
        *lost_answers(comparison),
    ]
    return "; ".join(filter(None, parts))


_LOST_WORDS = {Outcome.NOT_TESTED: "not tested now", Outcome.NOT_APPLICABLE: "not applicable now", Outcome.ERROR: "errors now"}


def lost_answers(comparison: ReportComparison) -> Iterator[str]:
    """Yields which answers of supported cells were lost: `932 supported cells that held are not tested now`."""
    found: Counter[tuple[str, str]] = Counter()
    for one in (*comparison.of(ChangeKind.LOST), *comparison.of(ChangeKind.GONE)):
        if one.old is not None and one.old.relation is Relation.SUPPORTED and one.old.outcome.is_verdict:
            was = "held" if one.old.judgement is Judgement.PASS else "failed"
            now = "not in the new report" if one.new is None else _LOST_WORDS.get(one.new.outcome, "without an answer now")
            found[was, now] += 1
    for (was, now), count in sorted(found.items(), key=lambda item: (item[0][0] != "held", -item[1])):
        yield f"{counted(count, 'supported cell')} that {was} {'is' if count == 1 else 'are'} {now}"


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
    """Prints a comparison: of each kind of change the largest groups; then what became worse, and the numbers."""
    out = SafeOutput(console, LONGEST_LINE, "in the JSON output")
    for kind, of_kind in itertools.groupby(groups(comparison), key=lambda group: group.kind):
        its = list(of_kind)
        cells = counted(sum(len(group.changes) for group in its), "cell")
        out.line(f"{kind.value}: {cells}: {MEANINGS[kind]}", STYLES.get(kind, "bold"))
        for group in its[: GROUPS_SHOWN.get(kind, 1)]:
            for line in _lines(group):
                out.line(line)
        if len(its) > GROUPS_SHOWN.get(kind, 1):
            more = its[GROUPS_SHOWN.get(kind, 1) :]
            cells = counted(sum(len(group.changes) for group in more), "cell")
            out.line(f"  and {cells} of {counted(len(more), 'more cause')}: --format json has all")
    for note in notes(comparison):
        out.line(f"note: {note}", "yellow")
    out.line(counts(comparison), "bold")
    out.line(
        headline(comparison),
        "bold red" if comparison.of(ChangeKind.REGRESSION) or comparison.of(ChangeKind.CHANGED) else "bold",
    )


def _turn(group: ChangeGroup) -> str:
    """Returns the old and the new answer; where a record has both, the texts of the first cell, which differ."""
    first = group.changes[0]
    if group.was == group.now and first.old is not None and first.new is not None:
        old, new = without_chance(first.old.detail), without_chance(first.new.detail)
        return f"{group.was}: {old} → {new}" if old != new else group.was
    return f"{group.was} → {group.now}"


def _lines(group: ChangeGroup) -> Iterator[str]:
    yield f"  {len(group.changes)}x {group.where}" + (f", with {group.blame}" if group.blame else "")
    if group.kind in (ChangeKind.NEW, ChangeKind.GONE):
        return
    yield f"      {_turn(group)}"
    if group.kind in WITH_COMMAND and group.changes[0].reproduce:
        yield f"      again: {group.changes[0].reproduce}"

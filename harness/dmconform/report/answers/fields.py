"""The table of the answer: one field for each SDK version on each host."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dmconform.core.values import Judgement, Outcome, Relation, Severity
from dmconform.report.answers.evidence import Evidence, Severities, evidence, severity_words
from dmconform.report.schema import CellEntry, Report


class FieldState(enum.Enum):
    """What is known of an SDK version on a host. Each has a glyph and a word, so that none depends on colour."""

    HOLDS = "holds"
    KNOWN = "known failures"
    FAILS = "fails"
    CHANGED = "changed facts"
    INCOMPLETE = "could not run"
    PARTLY = "partly tested"
    NOT_TESTED = "not tested"
    ASKS_NOTHING = "not applicable"
    UNSUPPORTED = "not promised"

    @property
    def glyph(self) -> str:
        """The sign before the word."""
        return {
            FieldState.HOLDS: "✓",
            FieldState.KNOWN: "!",
            FieldState.FAILS: "✗",
            FieldState.CHANGED: "≢",
            FieldState.INCOMPLETE: "■",
            FieldState.PARTLY: "◐",
            FieldState.NOT_TESTED: "○",
            FieldState.ASKS_NOTHING: "·",
            FieldState.UNSUPPORTED: "·",
        }[self]


@dataclass(frozen=True)
class Field:
    """One SDK version on one host."""

    sdk: str
    host: str
    relation: Relation  # the best of its cells
    promises: tuple[str, ...]  # that cover its supported cells
    evidence: Evidence
    others: Mapping[Severity, int]  # failures of its legacy and unsupported cells
    others_passed: int
    state: FieldState
    changed: int = 0  # cells that are not as on record of the release, supported or not

    @property
    def worst(self) -> Severity | None:
        """The worst that happened to a supported cell, known or new."""
        return min((*self.evidence.failed, *self.evidence.known), key=lambda one: one.rank, default=None)


def fields(report: Report) -> tuple[Field, ...]:
    """Returns a field for each pair of SDK and host that has cells, in the order of the report."""
    severities = Severities(report)
    is_whole = report.complete and report.planned_cells <= len(report.cells)
    pairs: dict[tuple[str, str], list[CellEntry]] = {}
    for cell in report.cells:
        pairs.setdefault((cell.sdk, cell.host), []).append(cell)
    return tuple(field_of(sdk, host, cells, severities, is_whole=is_whole) for (sdk, host), cells in pairs.items())


def field_of(sdk: str, host: str, cells: Iterable[CellEntry], severities: Severities, *, is_whole: bool = True) -> Field:
    """Returns the field of an SDK version on a host.

    Args:
        sdk: its id.
        host: its id.
        cells: those of the pair that count, one at least.
        severities: how bad the failures of cells are.
        is_whole: whether the run came to its end.
    """
    cells = tuple(cells)
    relations = {cell.relation for cell in cells}
    supported = [cell for cell in cells if cell.relation is Relation.SUPPORTED]
    others = [cell for cell in cells if cell.relation is not Relation.SUPPORTED]
    shown = evidence(supported, severities)
    changed = sum(cell.judgement is Judgement.CHANGED for cell in cells)
    return Field(
        sdk,
        host,
        next(one for one in Relation if one in relations),
        tuple(dict.fromkeys(name for cell in supported for name in cell.promises)),
        shown,
        severities.count(others),
        sum(cell.outcome is Outcome.PASS for cell in others),
        state_of(shown, is_supported=bool(supported), is_whole=is_whole, changed=changed),
        changed,
    )


def state_of(shown: Evidence, *, is_supported: bool, is_whole: bool = True, changed: int = 0) -> FieldState:
    """Returns what supported cells come to; the worst that is known counts, and what was not tested is never a tick.

    Args:
        shown: what the cells show.
        is_supported: whether any cell is supported.
        is_whole: whether the run came to its end: before it, cells may be missing that the report does not show.
        changed: how many cells, supported or not, are not as on record of the release.
    """
    incomplete = not is_whole or shown.errors or shown.ran + shown.errors + shown.not_tested < shown.cells
    states = (
        (shown.new_failures or shown.against, FieldState.FAILS),
        (changed, FieldState.CHANGED),
        (not is_supported, FieldState.UNSUPPORTED),
        (not shown.cells, FieldState.ASKS_NOTHING),
        (incomplete, FieldState.INCOMPLETE),
        (shown.not_tested, FieldState.PARTLY if shown.ran else FieldState.NOT_TESTED),
        (shown.known_failures, FieldState.KNOWN),
    )
    return next((state for holds, state in states if holds), FieldState.HOLDS)


def field_words(field: Field) -> str:
    """Returns the sign of a field and what matters most beside it: `! 130 ends Envoy, 20 answers wrongly`."""
    shown = field.evidence
    if field.state in (FieldState.UNSUPPORTED, FieldState.ASKS_NOTHING):
        return field.state.glyph
    if field.state is FieldState.HOLDS:
        return f"{field.state.glyph} {shown.passed} pass"
    tested = f"{shown.ran} of {shown.cells} tested" if shown.ran < shown.cells else ""
    failures = severity_words(shown.failed) or severity_words(shown.known)
    against = f"{shown.against} to fix" if shown.against else ""
    changed = f"{field.changed} changed" if field.changed else ""
    return f"{field.state.glyph} {', '.join(filter(None, [changed, tested, failures, against]))}"

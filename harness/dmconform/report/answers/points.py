"""The answer for each extension point: may modules of an SDK version be used there on a host?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.text import counted, first_line
from dmconform.core.values import Outcome, Provider, Relation, sdk_parts
from dmconform.report.answers.evidence import Severities, severity_words
from dmconform.report.answers.fields import Field, FieldState, field_of
from dmconform.report.schema import CellEntry, Report
from dmconform.spec.cases import UNDECLARED_POINTS

_NAMES = {point.value: point.plural for point in ExtensionPoint}
_UNDECLARED = tuple(point.value for point in ExtensionPoint if point in UNDECLARED_POINTS)
Groups = dict[tuple[str, str, str], list[CellEntry]]
"""Cells by extension point, SDK and host."""
_NOT_RUN = (Outcome.NOT_APPLICABLE, Outcome.NOT_TESTED)


def modules_at(point: str) -> str:
    """Returns what modules are at an extension point, in words; `point` may be one of a newer suite."""
    return _NAMES.get(point, f"modules at {point}")


@dataclass(frozen=True)
class PointField:
    """An SDK version on a host, at an extension point."""

    point: str
    field: Field
    reason: str  # why it is not applicable, or was not tested
    cells: tuple[str, ...]  # their ids

    @property
    def state(self) -> FieldState:
        """What its supported cells come to; not applicable where every cell is so, whatever is promised of the pair."""
        return self.field.state

    @property
    def is_official(self) -> bool:
        """Whether the SDK is an official one, which users have; the others are the control."""
        return sdk_parts(self.field.sdk)[2] == Provider.OFFICIAL.value

    @property
    def answer(self) -> str:
        """The answer in words: `yes (9 of 9)`, `in part (5 of 9; known: 4 ends Envoy)`, `not applicable (…)`."""
        shown, state = self.field.evidence, self.state
        changed = counted(self.field.changed, "changed fact") if self.field.changed else ""
        if state is FieldState.ASKS_NOTHING:
            return _with("not applicable", self.reason)
        if self.field.relation is not Relation.SUPPORTED:
            ran = self.field.others_passed + sum(self.field.others.values())
            return _with("not promised", f"{self.field.others_passed} of {ran} pass" if ran else "", changed)
        if state is FieldState.NOT_TESTED:
            return _with("not tested", self.reason)
        result = f"{shown.passed} of {shown.cells}"
        new, known = severity_words(shown.failed), severity_words(shown.known)
        failures = (
            f"new: {new}" if new else "",
            f"known: {known}" if known else "",
            f"{shown.against} to fix" if shown.against else "",
            changed,
            f"{shown.not_tested} not tested" if shown.not_tested else "",
        )
        if state is FieldState.INCOMPLETE:
            return _with("cannot be told", f"{shown.ran} of {shown.cells} ran", *failures)
        if state is FieldState.PARTLY:
            return _with("tested in part", result, *failures)
        word = "yes" if state is FieldState.HOLDS else "in part" if shown.passed else "no"
        return _with(word, result, *failures)

    @property
    def short(self) -> str:
        """The sign of its state, with how many of how many pass where that is of interest: `✓ 9`, `! 5/9`."""
        shown, state = self.field.evidence, self.state
        if state is FieldState.ASKS_NOTHING:
            return "-"
        if self.field.relation is not Relation.SUPPORTED:
            ran = self.field.others_passed + sum(self.field.others.values())
            sign = state.glyph if self.field.changed else FieldState.UNSUPPORTED.glyph
            return f"{sign} {self.field.others_passed}/{ran}" if ran else sign
        if state is FieldState.HOLDS:
            return f"{state.glyph} {shown.passed}"
        return state.glyph if state is FieldState.NOT_TESTED else f"{state.glyph} {shown.passed}/{shown.cells}"


def _with(word: str, *more: str) -> str:
    details = "; ".join(filter(None, more))
    return f"{word} ({details})" if details else word


def point_fields(cells: Iterable[CellEntry], severities: Severities, *, is_whole: bool = True) -> tuple[PointField, ...]:
    """Returns a field for each extension point, SDK version and host that has cells, in the order of the cells.

    Args:
        cells: of a report; those whose case names no extension point do not count.
        severities: how bad the failures of cells are.
        is_whole: whether the run came to its end.
    """
    groups: Groups = {}
    for cell in cells:
        if cell.point:
            groups.setdefault((cell.point, cell.sdk, cell.host), []).append(cell)
    return _fields(groups, severities, is_whole=is_whole)


def _fields(groups: Groups, severities: Severities, *, is_whole: bool) -> tuple[PointField, ...]:
    return tuple(_field(*key, its, severities, is_whole=is_whole) for key, its in groups.items())


def _field(point: str, sdk: str, host: str, cells: list[CellEntry], severities: Severities, *, is_whole: bool) -> PointField:
    field = field_of(sdk, host, cells, severities, is_whole=is_whole)
    if not field.changed and all(cell.outcome is Outcome.NOT_APPLICABLE for cell in cells):
        field = replace(field, state=FieldState.ASKS_NOTHING)
    reasons = Counter(first_line(cell.detail) for cell in cells if cell.outcome in _NOT_RUN and cell.detail)
    reason = next((text for text, _ in reasons.most_common(1)), "")
    return PointField(point, field, reason, tuple(cell.id for cell in cells))


def points_of(report: Report) -> tuple[PointField, ...]:
    """Returns the fields of a report's extension points: those that its cases name."""
    return point_fields(report.cells, Severities(report), is_whole=_is_whole(report))


def _is_whole(report: Report) -> bool:
    return report.complete and report.planned_cells <= len(report.cells)


def module_fields(report: Report) -> tuple[PointField, ...]:
    """Returns what the author of a module for one extension point has to know, for each SDK version and host.

    Unlike `points_of`, the fields of the extension points that cases are about which name none have the cells of these too.
    """
    groups: Groups = {}
    for cell in report.cells:
        for point in (cell.point,) if cell.point else _UNDECLARED:
            groups.setdefault((point, cell.sdk, cell.host), []).append(cell)
    return _fields(groups, Severities(report), is_whole=_is_whole(report))


_WORDS: Mapping[FieldState, str] = {
    FieldState.HOLDS: "hold",
    FieldState.FAILS: "fail",
    FieldState.CHANGED: "changed",
    FieldState.KNOWN: "with known failures",
    FieldState.INCOMPLETE: "could not run",
    FieldState.PARTLY: "tested in part",
    FieldState.NOT_TESTED: "not tested",
}


def points_sentence(report: Report) -> str:
    """Returns how many fields of the tables hold and how many do not, of both sides; empty if no case names a point.

    A field is an extension point, an SDK version and a host; those that are not promised or not applicable do not count.
    """
    found = [one for one in points_of(report) if one.field.relation is Relation.SUPPORTED]
    parts = []
    for name, official in (("official", True), ("control", False)):
        counts = Counter(one.state for one in found if one.is_official is official)
        words = ", ".join(f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state])
        if words:
            parts.append(f"{name} {words}")
    return f"Extension points by SDK and host: {'; '.join(parts)}" if parts else ""

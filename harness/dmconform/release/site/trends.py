"""How each pair of SDK and host changed from run to run: a table, and a small chart for each pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from dmconform.core.text import one_line
from dmconform.core.values import Provider, Relation, sdk_parts
from dmconform.release.site.model import SiteRun, pairs
from dmconform.report.answers.evidence import severity_words
from dmconform.report.answers.fields import Field

MOST_COLUMNS: Final = 30
_BAR: Final = 7
_GAP: Final = 2
_HEIGHT: Final = 22


@dataclass(frozen=True)
class Point:
    """A pair in a run; `field` is None where the run has nothing of it that is promised."""

    run: SiteRun
    field: Field | None

    @property
    def words(self) -> str:
        """What is known, without colour: the sign, and the counts."""
        if self.field is None:
            return "–"  # noqa: RUF001 (a dash, as tables have it)
        return f"{self.field.state.glyph} {field_words(self.field)}"


@dataclass(frozen=True)
class Trend:
    """A pair, with a point for each run, the newest first."""

    sdk: str
    host: str
    label: str  # of the host, marked where its build is modified
    points: tuple[Point, ...]

    @property
    def is_official(self) -> bool:
        """Whether it is of an official SDK."""
        return sdk_parts(self.sdk)[2] == Provider.OFFICIAL.value

    @property
    def chart(self) -> Markup:
        """A bar for each run, the oldest first: as high as the part of what is promised that was seen to hold."""
        points = tuple(reversed(self.points))
        width = len(points) * (_BAR + _GAP)
        bars = "".join(_bar(place, point) for place, point in enumerate(points))
        name = one_line(f"{self.sdk} on {self.label}")
        label = escape(f"{name}, the part of the supported cells that holds, by run, the oldest first: ")
        shares = ", ".join(_share(point) for point in points)
        return Markup(
            f'<svg class="chart" width="{width}" height="{_HEIGHT}" viewBox="0 0 {width} {_HEIGHT}" role="img" '
            f'aria-label="{label}{shares}">{bars}</svg>'
        )


def field_words(field: Field) -> str:
    """Returns what is known of a pair, in words that need no colour: `115 of 133 hold; 18 known: 16 ends Envoy`."""
    shown = field.evidence
    parts = [f"{shown.passed} of {shown.cells} hold"] if shown.cells else [field.state.value]
    if shown.new_failures:
        parts.append(f"{shown.new_failures} fail: {severity_words(shown.failed)}")
    if shown.known_failures:
        parts.append(f"{shown.known_failures} known: {severity_words(shown.known)}")
    if shown.against:
        parts.append(f"{shown.against} records to fix or contradictions")
    if shown.errors:
        parts.append(f"{shown.errors} could not run")
    if shown.not_tested:
        parts.append(f"{shown.not_tested} not tested")
    return "; ".join(parts)


def shown_runs(runs: Sequence[SiteRun]) -> tuple[SiteRun, ...]:
    """Returns the runs that the table has columns for, the newest first."""
    return tuple(reversed(runs))[:MOST_COLUMNS]


def trends(runs: tuple[SiteRun, ...]) -> tuple[Trend, ...]:
    """Returns the trend of each pair of which something is promised, those of official SDKs first."""
    columns = shown_runs(runs)
    by_run = [
        {(field.sdk, field.host): field for field in run.fields if field.relation is Relation.SUPPORTED} for run in columns
    ]
    found = [
        Trend(
            sdk,
            host,
            _label(host, columns),
            tuple(Point(run, of_run.get((sdk, host))) for run, of_run in zip(columns, by_run, strict=True)),
        )
        for sdk, host in pairs(tuple(reversed(columns)))
    ]
    return tuple(sorted(found, key=lambda one: not one.is_official))


def _label(host: str, runs: Sequence[SiteRun]) -> str:
    """Returns the name of a host in the newest run that marks it, as a modified build must be marked everywhere."""
    return next((label for run in runs if (label := run.host_label(host)) != host), host)


def _share(point: Point) -> str:
    if point.field is None:
        return "not in the run"
    shown = point.field.evidence
    return f"{shown.passed} of {shown.cells}" if shown.ran else "not tested"


def _bar(place: int, point: Point) -> str:
    """Returns the bar of a run: hollow as far as it does not hold, a dash where nothing was tested."""
    x = place * (_BAR + _GAP)
    if point.field is None:
        return ""
    shown = point.field.evidence
    if not shown.ran:
        return f'<path class="none" d="M{x} {_HEIGHT - 1}h{_BAR}"/>'
    held = max(0, round((_HEIGHT - 1) * shown.passed / shown.cells))
    whole = f'<rect class="whole" x="{x + 0.5}" y="0.5" width="{_BAR - 1}" height="{_HEIGHT - 1}"/>'
    return f'{whole}<rect class="held" x="{x}" y="{_HEIGHT - held}" width="{_BAR}" height="{held}"/>'

"""Extension points as the page shows them: a table for each language and provider, whose fields lead to their cells."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from dmconform.core.values import Provider, Relation, sdk_parts
from dmconform.report.answers.fields import FieldState
from dmconform.report.answers.points import PointField, modules_at, points_of, points_sentence
from dmconform.report.page.answer import STATE_STYLES
from dmconform.report.page.links import filter_link
from dmconform.report.point_tables import (
    PointColumn,
    PointNames,
    PointTable,
    names_of,
    point_sentence,
    point_sentences,
    point_tables,
)
from dmconform.report.schema import Report


@dataclass(frozen=True)
class PointFieldView:
    """A field: what is seen of it, and its answer as a sentence."""

    short: str
    style: str
    sentence: str
    link: str
    is_supported: bool


@dataclass(frozen=True)
class VersionHead:
    """The head of an SDK version, over the columns of its hosts."""

    label: str
    link: str
    span: int


@dataclass(frozen=True)
class PointRowView:
    """An extension point; None where there is no cell."""

    id: str
    name: str
    link: str
    fields: tuple[PointFieldView | None, ...]


@dataclass(frozen=True)
class PointTableView:
    """The extension points of one language and provider."""

    title: str
    is_control: bool
    versions: tuple[VersionHead, ...]
    hosts: tuple[PointColumn, ...]
    rows: tuple[PointRowView, ...]


@dataclass(frozen=True)
class PointsView:
    """All of the section: its tables, what is not applicable, and the line that counts."""

    sentence: str
    tables: tuple[PointTableView, ...]
    nothing: tuple[str, ...]

    @property
    def official(self) -> tuple[PointTableView, ...]:
        """The tables of official SDKs."""
        return tuple(one for one in self.tables if not one.is_control)

    @property
    def control(self) -> tuple[PointTableView, ...]:
        """The tables of the control."""
        return tuple(one for one in self.tables if one.is_control)


def points_view(report: Report) -> PointsView | None:
    """Returns the section of extension points; None where no case of the report names one."""
    found, names = points_of(report), names_of(report)
    if not found:
        return None
    nothing = (one.text for one in point_sentences(found, names) if one.state is FieldState.ASKS_NOTHING)
    return PointsView(points_sentence(report), tuple(_table(one, names) for one in point_tables(found, names)), tuple(nothing))


def _table(table: PointTable, names: PointNames) -> PointTableView:
    return PointTableView(
        table.title,
        sdk_parts(table.columns[0].sdk)[2] != Provider.OFFICIAL.value,
        tuple(_heads(table.columns)),
        table.columns,
        tuple(
            PointRowView(
                row.point,
                modules_at(row.point),
                filter_link(point=row.point),
                tuple(_field(one, names) if one is not None else None for one in row.fields),
            )
            for row in table.rows
        ),
    )


def _heads(columns: Iterable[PointColumn]) -> Iterable[VersionHead]:
    for sdk, its in itertools.groupby(columns, key=lambda one: one.sdk):
        own = list(its)
        yield VersionHead(own[0].version, filter_link(sdk=sdk), len(own))


def _field(one: PointField, names: PointNames) -> PointFieldView:
    return PointFieldView(
        one.short,
        STATE_STYLES[one.state],
        point_sentence(one, names),
        filter_link(sdk=one.field.sdk, host=one.field.host, point=one.point),
        one.field.relation is Relation.SUPPORTED,
    )

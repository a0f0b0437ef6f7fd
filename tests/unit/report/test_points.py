"""The answer for extension points: every state in its words, never greener than the cells, one table for each SDK."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import cast

import msgspec
import pytest
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.answers.fields import FieldState
from dmconform.report.answers.points import PointField, module_fields, points_of, points_sentence
from dmconform.report.console import print_answer
from dmconform.report.details import print_details
from dmconform.report.markdown import render_markdown
from dmconform.report.point_tables import sentences_of, tables_of
from dmconform.report.schema import CellEntry, Report, point_of_case
from rich.console import Console

from tests.unit.report_samples import (
    HOSTILE,
    at_points,
    broken,
    cell,
    changed,
    contradicted,
    hostile_report,
    known,
    report,
    unreachable,
)

AT = "points/works@access_logger"
OTHER = "points/refused@access_logger"
SDK, HOST = "rust@1.39:official", "1.40.0"


def at(case: str = AT, more: Mapping[str, object] = {}) -> CellEntry:
    """A cell of access loggers with the official Rust SDK of 1.39 on 1.40.0, which passes unless `more` says otherwise."""
    return msgspec.structs.replace(cell(case, SDK, HOST), **more)


def lacking(case: str = AT, sdk: str = SDK, why: str = "SDKs of this language have access loggers from 1.40 on") -> CellEntry:
    """A cell that is not applicable."""
    return cell(case, sdk, HOST, outcome=Outcome.NOT_APPLICABLE, judgement=Judgement.SKIP, detail=why)


ERROR: dict[str, object] = {"outcome": Outcome.ERROR, "judgement": Judgement.ERROR, "detail": "the build failed"}
BEYOND: dict[str, object] = {"relation": Relation.UNSUPPORTED, "judgement": Judgement.INFORMATIONAL}
STATES: list[tuple[list[CellEntry], FieldState, str, str]] = [
    ([at(), at(OTHER)], FieldState.HOLDS, "yes (2 of 2)", "✓ 2"),
    ([at(), lacking(OTHER)], FieldState.HOLDS, "yes (1 of 1)", "✓ 1"),
    (
        [at(), known(OTHER, sdk=SDK, host=HOST)],
        FieldState.KNOWN,
        "in part (1 of 2; known: 1 ends Envoy)",
        "! 1/2",
    ),
    ([known(AT, sdk=SDK, host=HOST)], FieldState.KNOWN, "no (0 of 1; known: 1 ends Envoy)", "! 0/1"),
    (
        [at(), broken(OTHER, sdk=SDK, host=HOST)],
        FieldState.FAILS,
        "in part (1 of 2; new: 1 answers wrongly)",
        "✗ 1/2",
    ),
    ([broken(AT, sdk=SDK, host=HOST)], FieldState.FAILS, "no (0 of 1; new: 1 answers wrongly)", "✗ 0/1"),
    ([at(), contradicted(OTHER, sdk=SDK, host=HOST)], FieldState.FAILS, "in part (1 of 2; 1 to fix)", "✗ 1/2"),
    ([at(), changed(OTHER, sdk=SDK, host=HOST)], FieldState.CHANGED, "in part (1 of 2; 1 changed fact)", "≢ 1/2"),
    ([at(), at(OTHER, ERROR)], FieldState.INCOMPLETE, "cannot be told (1 of 2 ran)", "■ 1/2"),
    (
        [at(), unreachable(OTHER, SDK, host=HOST)],
        FieldState.PARTLY,
        "tested in part (1 of 2; 1 not tested)",
        "◐ 1/2",
    ),
    ([unreachable(AT, SDK, host=HOST)], FieldState.NOT_TESTED, "not tested (tag v1.40.0 cannot be fetched)", "○"),
    (
        [lacking(), lacking(OTHER)],
        FieldState.ASKS_NOTHING,
        "not applicable (SDKs of this language have access loggers from 1.40 on)",
        "-",
    ),
    (
        [at(AT, BEYOND), at(OTHER, BEYOND | {"outcome": Outcome.CRASH})],
        FieldState.UNSUPPORTED,
        "not promised (1 of 2 pass)",
        "· 1/2",
    ),
    (
        [changed(AT, sdk=SDK, host=HOST, relation=Relation.LEGACY)],
        FieldState.CHANGED,
        "not promised (1 of 1 pass; 1 changed fact)",
        "≢ 1/1",
    ),
]


def only(cells: list[CellEntry]) -> PointField:
    (found,) = points_of(report(cells))
    return found


@pytest.mark.parametrize(("cells", "state", "answer", "short"), STATES, ids=lambda value: str(value)[:24])
def test_each_state_has_its_words(cells: list[CellEntry], state: FieldState, answer: str, short: str) -> None:
    found = only(cells)
    assert (found.state, found.answer, found.short) == (state, answer, short)
    assert found.cells == tuple(one.id for one in cells)


def test_every_state_is_looked_at() -> None:
    assert {state for _, state, _, _ in STATES} == set(FieldState)


def test_cells_that_name_no_extension_point_do_not_count() -> None:
    assert points_of(report([cell("window/loads"), broken("rtld/local")])) == ()
    assert points_sentence(report([cell()])) == ""
    assert tables_of(report([cell()])) == ()


def test_before_the_end_of_a_run_nothing_holds() -> None:
    cut = report([at(), at(OTHER)], planned=9, complete=False, incomplete_reason="interrupted")
    assert [one.state for one in points_of(cut)] == [FieldState.INCOMPLETE]


@pytest.mark.parametrize(
    ("case", "point"),
    [(AT, "access_logger"), ("points/works@of_a_newer_suite", "of_a_newer_suite"), ("a/b", ""), ("a/b@", ""), ("a/b@x y", "")],
)
def test_the_id_of_a_case_names_its_extension_point(case: str, point: str) -> None:
    assert point_of_case(case) == point
    assert cell(case).point == point


def test_what_somebody_wrote_to_do_harm_names_no_extension_point() -> None:
    assert point_of_case(HOSTILE) == point_of_case(f"a/b@{HOSTILE}") == ""
    assert tables_of(hostile_report()) == ()


def test_sentences_name_versions_hosts_and_the_control() -> None:
    cells = [
        at(),
        cell(AT, SDK, "1.39.3"),
        cell(AT, "rust@1.40:reference", HOST),
        *(lacking(sdk=f"go@{minor}:official", why="no official SDK of this language has them") for minor in ("1.39", "1.40")),
        cell("points/works@of_a_newer_suite", SDK, HOST),
    ]
    assert [one.text for one in sentences_of(report(cells))] == [
        "Go 1.39, 1.40 access loggers: not applicable (no official SDK of this language has them)",
        "Rust 1.39 access loggers on Envoy 1.39.3, 1.40.0: yes (1 of 1)",
        "Rust 1.40 (reference) access loggers on Envoy 1.40.0: yes (1 of 1)",
        "Rust 1.39 modules at of_a_newer_suite on Envoy 1.40.0: yes (1 of 1)",
    ]


def test_tables_have_the_official_sdks_first_and_only_what_is_applicable() -> None:
    cells = [
        cell(AT, "rust@1.9:reference", "1.9.3"),
        cell(AT, "rust@1.10:reference", "1.10.0"),
        at(),
        lacking("points/works@tracer"),
        lacking(sdk="go@1.39:official"),
    ]
    official, control = tables_of(report(cells))
    assert (official.title, control.title) == ("Rust · official", "Rust · reference")
    assert [row.point for row in official.rows] == ["access_logger"]
    assert [(one.version, one.host) for one in control.columns] == [("1.9", "1.9.3"), ("1.10", "1.10.0")]
    assert [[one.short if one else None for one in row.fields] for row in control.rows] == [["✓ 1", "✓ 1"]]


def test_one_line_counts_the_extension_points_of_both_sides() -> None:
    cells = [
        at(),
        known("points/works@tracer", sdk=SDK, host=HOST),
        unreachable("points/works@matcher", SDK, host=HOST),
        lacking("points/works@lb"),
        cell(AT, "rust@1.39:reference", HOST),
        at("points/works@cluster", BEYOND),
    ]
    assert points_sentence(report(cells)) == (
        "Extension points by SDK and host: official 1 hold, 1 with known failures, 1 not tested; control 1 hold"
    )


def test_the_author_of_an_http_filter_is_concerned_by_cells_that_name_no_extension_point() -> None:
    cells = [broken("window/loads", sdk=SDK, host=HOST), at(), at("points/works@http_filter")]
    found = {one.point: one for one in module_fields(report(cells))}
    assert {point: one.short for point, one in found.items()} == {
        "access_logger": "✓ 1",
        "http_filter": "✗ 1/2",
        "listener_filter": "✗ 0/1",
        "network_filter": "✗ 0/1",
    }


def test_the_markdown_has_the_tables_and_the_answers() -> None:
    text = render_markdown(at_points())
    table = text[text.index("## Extension points\n") :]
    assert "| extension point | 1.37 → 1.37.0 | 1.38 → 1.38.2 |" in table
    assert "| lb | - | ! 4/5 | ! 4/5 | ✓ 5 | ✗ 4/5 | ○ |" in table
    assert "Rust 1.39 load-balancing policies on Envoy 1.40.0: in part (4 of 5; new: 1 answers wrongly)" in text
    assert "Extension points" not in render_markdown(report([cell()]))


def test_the_terminal_has_them_with_details_and_a_line_of_them_without() -> None:
    def printed(show: Callable[[Report, Console], None], whole: Report) -> str:
        console = Console(file=io.StringIO(), width=80)
        show(whole, console)
        return cast(io.StringIO, console.file).getvalue()

    details = printed(print_details, at_points())
    assert re.search(r"Rust · official +1\.39 → 1\.39\.3 +1\.39 → 1\.40\.0", details)
    assert re.search(r"(?m)^ lb +✓ 5 +✗ 4/5 +○ *$", details)
    assert "  Rust 1.39 tracers on Envoy 1.39.3, 1.40.0: tested in part (4 of 5; 1 not tested)" in details
    first = printed(print_answer, at_points())
    assert "Extension points by SDK and host: official 13 hold, 1 fail, 12 with known" in first
    assert len(first.splitlines()) <= 40
    for show in (print_details, print_answer):
        assert "Extension points" not in printed(show, report([cell()]))


def test_every_extension_point_has_a_name() -> None:
    for point in ExtensionPoint:
        (found,) = sentences_of(report([at(f"points/works@{point.value}")]))
        assert found.text == f"Rust 1.39 {point.plural} on Envoy 1.40.0: yes (1 of 1)"


def test_older_reports_are_read() -> None:
    """A report without extension points says nothing of them."""
    older = msgspec.structs.replace(report([cell()]), suite=None)
    assert points_sentence(older) == ""

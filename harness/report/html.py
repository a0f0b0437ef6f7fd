"""The report as one HTML page that needs nothing else: no network, no script, readable from a disk or an artifact store.

A cell's detail is a section that CSS shows while the address names it, so each cell has a permalink and the page runs no code.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from harness.binaries.model import StaticKind
from harness.model import Judgement, Relation
from harness.report.complaints import MEANINGS, MEND_NOTE, complaints_by_kind
from harness.report.coverage import coverage, coverage_sentence, releases
from harness.report.grid import Grid, grid
from harness.report.halves import abi_pair_sentence, disputes, static_half, static_rows, static_sentence, static_words
from harness.report.marks import (
    ABI_WORDS,
    DISAGREE_SIGN,
    FINDINGS_NOTE,
    JUDGEMENT_MEANINGS,
    LOAD_WORDS,
    NEARBY,
    OUTCOME_MARKS,
    Mark,
    mark,
)
from harness.report.schema import CellEntry, Report, RequirementEntry, StaticEntry
from harness.report.summary import FAILURES, abi_words, causes, summarise, unrun
from harness.report.text import cut, first_line, one_line, plain

LONGEST_DETAIL = 4000
NAMES_SHOWN = 60
_FUNCTION_PREFIX = re.compile(r"(envoy_dynamic_module_(?:callback|on)_)")
_TEMPLATES = Path(__file__).parent / "templates"


def render_html(report: Report) -> str:
    """The page of `report`."""
    css = (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    layout, static = grid(report), static_half(report)
    found = causes(report)
    return _template().render(
        css=Markup(css),  # the project's own file
        css_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii"),
        report=report,
        summary=summarise(report),
        layout=layout,
        rows=list(_rows(report, layout)),
        ends=[*_ends(layout)],
        abi=[abi_words(layout.column(sdk.sdk, host)) for _, sdk, host in layout.columns],
        static=[_static(static.get((sdk.sdk, host))) for _, sdk, host in layout.columns],
        static_rows=[(it, static_anchor(it.entry)) for it in static_rows(report)],
        names_shown=NAMES_SHOWN,
        disputes=disputes(report),
        disagree_sign=DISAGREE_SIGN,
        findings_note=FINDINGS_NOTE,
        nearby=NEARBY,
        causes=(
            ("New failures", [it for it in found if it.judgement in FAILURES], True),
            ("Known failures", [it for it in found if it.judgement is Judgement.KNOWN], False),
            ("Not promised, and did not pass", [it for it in found if it.judgement is Judgement.FACT], False),
        ),
        unrun=unrun(report),
        complaints=complaints_by_kind(report),
        complaint_meanings=MEANINGS,
        mend_note=MEND_NOTE,
        covered=coverage(report),
        covered_releases=releases,
        covered_sentence=coverage_sentence(report.requirements),
        details=_details(report),
        outcome_marks=OUTCOME_MARKS,
        legend=[(_LEGEND_MARKS[it], JUDGEMENT_MEANINGS[it]) for it in _LEGEND_MARKS],
        outcomes=[(outcome, count) for outcome, count in summarise(report).by_outcome.items()],
    )


def cell_anchor(cell: str) -> str:
    """The fragment of a cell's permalink, for the cell's id: `#` + this."""
    return "cell-" + _quoted(cell)


def static_anchor(entry: StaticEntry) -> str:
    """The fragment of what is said of an entry of the static half; entries that say the same share it."""
    same = repr((entry.sdk, entry.kind, entry.reason, entry.missing, entry.notes))
    return "static-" + hashlib.sha256(same.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def relative_link(path: str | None) -> str | None:
    """`path` as an address below the report's folder, or None where it leads anywhere else."""
    if not path or path.startswith("/") or ".." in path.split("/") or "\\" in path:
        return None
    return "./" + _quoted(path)


@dataclass(frozen=True)
class _Shown:
    """A cell of the matrix as the template needs it."""

    anchor: str
    mark: Mark
    label: str
    css: str


@dataclass(frozen=True)
class _Static:
    """The static half of an SDK version on a host as the template needs it."""

    words: str
    css: str
    anchor: str | None


@dataclass(frozen=True)
class _Row:
    case: str
    title: str
    cells: tuple[_Shown | None, ...]
    attention: bool


@dataclass(frozen=True)
class _Detail:
    """What is said of one cell when it is opened."""

    cell: CellEntry
    anchor: str
    mark: Mark
    title: str
    requirements: tuple[RequirementEntry, ...]
    text: str
    abi: str
    static: str
    static_anchor: str | None
    probe: str
    meaning: str
    known_reason: str
    evidence_link: str | None


_LEGEND_MARKS = {
    Judgement.AS_PROMISED: Mark("✓", "ok", "good"),
    Judgement.BROKEN: Mark("✗", "FAIL", "bad"),
    Judgement.STALE: Mark("✓", "STALE", "bad"),
    Judgement.DISPUTED: Mark("✓", "DISPUTED", "bad", DISAGREE_SIGN),
    Judgement.KNOWN: Mark("†", "known", "known"),
    Judgement.INCOMPLETE: Mark("■", "BLOCKED", "incomplete"),
    Judgement.FACT: Mark("⊘", "refused", "fact-bad"),
    Judgement.NOT_RUN: Mark("○", "n/a", "not-run"),
}


def _rows(report: Report, layout: Grid) -> Iterator[_Row]:
    titles = {case.id: case.title for case in report.cases}
    columns = [(sdk.sdk, host) for _, sdk, host in layout.columns]
    lines = [[layout.cells.get((case, *column)) for column in columns] for case in layout.cases]
    for number, (case, line) in enumerate(zip(layout.cases, lines, strict=True)):
        above = lines[number - 1] if number else ()
        below = lines[number + 1] if number + 1 < len(lines) else ()
        shown = tuple(
            _shown(cell, _frame(cell, position, line, above, below)) if cell is not None else None
            for position, cell in enumerate(line)
        )
        attention = any(
            cell is not None and (mark(cell).style in ("bad", "incomplete", "known") or cell.disagreement is not None)
            for cell in line
        )
        yield _Row(case, titles.get(case, ""), shown, attention)


def _static(entry: StaticEntry | None) -> _Static:
    css = "matched" if entry is None or entry.kind is StaticKind.LOADS else "not-matched"
    return _Static(static_words(entry), css, static_anchor(entry) if entry is not None else None)


def _ends(layout: Grid) -> Iterator[str]:
    """For each column, the class of the line on its right: a group, an SDK version or just a host ends there."""
    for group in layout.groups:
        for sdk in group.sdks:
            yield from [""] * (len(sdk.hosts) - 1)
            yield " group-end" if sdk is group.sdks[-1] else " sdk-end"


def _frame(
    cell: CellEntry,
    position: int,
    line: Sequence[CellEntry | None],
    above: Sequence[CellEntry | None],
    below: Sequence[CellEntry | None],
) -> str:
    """The sides on which the frame of the promised window runs along `cell`."""
    if cell.relation is Relation.BEYOND:
        return ""

    def same(cells: Sequence[CellEntry | None], at: int) -> bool:
        other = cells[at] if 0 <= at < len(cells) else None
        return other is not None and other.relation is cell.relation and other.sdk == cell.sdk

    sides = {
        "t": same(above, position),
        "b": same(below, position),
        "l": same(line, position - 1),
        "r": same(line, position + 1),
    }
    return " ".join([cell.relation.value, *(f"edge-{side}" for side, goes_on in sides.items() if not goes_on)])


def _shown(cell: CellEntry, frame: str) -> _Shown:
    its = mark(cell)
    label = f"{cell.case}, {cell.sdk} on {cell.host}: {cell.outcome.value}, {cell.relation.value}, {cell.judgement.value}"
    if cell.disagreement is not None and cell.judgement is not Judgement.DISPUTED:
        label += f", {Judgement.DISPUTED.value}"
    return _Shown(cell_anchor(cell.id), its, label, f"{its.style} {frame}".strip())


def _details(report: Report) -> Iterator[_Detail]:
    cases = {case.id: case for case in report.cases}
    requirements = {requirement.id: requirement for requirement in report.requirements}
    static = static_half(report)
    reasons = {record.id: record.reason for record in report.known_failures}
    for cell in report.cells:
        case = cases.get(cell.case)
        its_static = static.get((cell.sdk, cell.host))
        symbol = f": {cell.probe_load.symbol}" if cell.probe_load.symbol else ""
        yield _Detail(
            cell=cell,
            anchor=cell_anchor(cell.id),
            mark=mark(cell),
            title=case.title if case else "",
            requirements=tuple(requirements[it] for it in (case.requirements if case else ()) if it in requirements),
            text=cut(plain(cell.detail), LONGEST_DETAIL),
            abi=ABI_WORDS[cell.abi_verdict],
            static=static_sentence(its_static),
            static_anchor=static_anchor(its_static) if its_static is not None else None,
            probe=LOAD_WORDS[cell.probe_load.load] + symbol,
            meaning=JUDGEMENT_MEANINGS[cell.judgement],
            known_reason=reasons.get(cell.known_failure or "", ""),
            evidence_link=relative_link(cell.evidence),
        )


def _breakable(text: str) -> Markup:
    """Text in which the names of the ABI's functions may go on in the next line after what all of them begin with."""
    return Markup(_FUNCTION_PREFIX.sub(r"\1<wbr>", str(escape(plain(text)))))  # escaped before


def _quoted(text: str) -> str:
    # A colon is left out of a path, as what stands before it could be taken for a scheme.
    return quote(text, safe="/@~._-", errors="backslashreplace")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Whatever a template prints is text of a log as far as it knows.
        finalize=lambda value: plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.filters.update(
        anchor=cell_anchor,
        abi_pair=abi_pair_sentence,
        breakable=_breakable,
        first_line=first_line,
        one_line=one_line,
        link=relative_link,
        cut=cut,
    )
    return environment.get_template("report.html.j2")

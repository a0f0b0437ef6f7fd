"""The cells of a report, packed for the page: what many cells share is stored once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from dmconform.core.text import plain
from dmconform.core.values import FactState, Severity
from dmconform.report.answers.evidence import Severities
from dmconform.report.grid import Grid
from dmconform.report.marks import ABI_WORDS, JUDGEMENT_MEANINGS, LOAD_WORDS, mark
from dmconform.report.page.links import is_there
from dmconform.report.page.texts import Texts
from dmconform.report.schema import CellEntry, Report
from dmconform.report.stability import reruns_in_words

LOOK_FIELDS = (
    "glyph",
    "word",
    "style",
    "flag",
    "outcome",
    "judgement",
    "severity",
    "meaning",
    "relation",
    "relationReason",
    "detail",
    "log",
    "abi",
    "load",
    "symbol",
    "mismatch",
    "record",
    "evidence",
    "reproduce",
    "reruns",
)
"""What a look holds, each as the number of a text. The script reads them by these names."""


class PackedCells(msgspec.Struct, frozen=True, rename="camel"):
    """Parallel lists: a value for each cell, in the report's order. `looks` are what cells share, in `LOOK_FIELDS`' order."""

    look_fields: tuple[str, ...]
    looks: list[tuple[int, ...]]
    facts: list[list[tuple[int, int]]]  # name and value, as numbers of texts
    case: list[int]
    column: list[int]
    look: list[int]
    fact: list[int]  # of `facts`
    took_ms: list[int]
    module: list[int]  # its SHA-256, as the number of a text
    other_ids: dict[str, str]  # of cells whose id is not made of their case, SDK and host


def pack(report: Report, layout: Grid, texts: Texts, beside: Path | None = None) -> PackedCells:
    """Packs all cells of `report`.

    Args:
        report: of a run.
        layout: its matrix.
        texts: takes what cells say.
        beside: the folder of the page; evidence that is not there is left out. None: all evidence is taken to be there.
    """
    severities = Severities(report)
    columns = {(sdk.sdk, host): at for at, (_, sdk, host) in enumerate(layout.columns)}
    cases = {case: at for at, case in enumerate(layout.cases)}
    looks: dict[tuple[int, ...], int] = {}
    facts: dict[tuple[tuple[int, int], ...], int] = {(): 0}
    look, fact = [], []
    for cell in report.cells:
        look.append(looks.setdefault(_look(cell, texts, severities.of(cell), beside), len(looks)))
        its = tuple((texts.add(name), _own(texts, cell, value)) for name, value in _values(cell).items())
        fact.append(facts.setdefault(its, len(facts)))
    return PackedCells(
        look_fields=LOOK_FIELDS,
        looks=list(looks),
        facts=[list(its) for its in facts],
        case=[cases[cell.case] for cell in report.cells],
        column=[columns[cell.sdk, cell.host] for cell in report.cells],
        look=look,
        fact=fact,
        took_ms=[round(cell.duration_s * 1000) for cell in report.cells],
        module=[texts.add(cell.module_sha256 or "") for cell in report.cells],
        other_ids=_other_ids(report.cells),
    )


def _values(cell: CellEntry) -> dict[str, str]:
    """Returns the recorded values of a cell, after what is not as on record of the release."""
    changed = {f"changed {one.what}": f"on record {one.recorded or 'nothing'}, since {one.since}" for one in cell.changed}
    without = {"fact": cell.beside_record} if cell.fact is FactState.NONE or cell.chance else {}
    return changed | without | cell.facts


def positions(report: Report) -> Mapping[str, int]:
    """Returns where each cell is in the packed lists, by its id."""
    return {cell.id: at for at, cell in enumerate(report.cells)}


def _look(cell: CellEntry, texts: Texts, severity: Severity | None, beside: Path | None) -> tuple[int, ...]:
    its = mark(cell)
    kept = cell.evidence if is_there(beside, cell.evidence) else None
    own = [
        cell.relation_reason,
        cell.detail,
        "\n".join(getattr(cell, "log", ())),  # lines of the host's log, in reports that have them
        cell.probe_load.symbol or "",
        cell.mismatch or "",
        kept or "",
        cell.reproduce,
    ]
    reason, detail, log, symbol, mismatch, evidence, reproduce = (_own(texts, cell, text) for text in own)
    add = texts.add
    return (
        add(its.glyph),
        add(its.word),
        add(its.style),
        add(its.flag),
        add(cell.outcome.value),
        add(cell.judgement.value),
        add(severity.value if severity is not None else ""),
        add(JUDGEMENT_MEANINGS[cell.judgement]),
        add(cell.relation.value),
        reason,
        detail,
        log,
        add(ABI_WORDS[cell.abi_verdict]),
        add(LOAD_WORDS[cell.probe_load.load]),
        symbol,
        mismatch,
        add(cell.known_failure or ""),
        evidence,
        reproduce,
        add(reruns_in_words([cell])),
    )


def _own(texts: Texts, cell: CellEntry, text: str) -> int:
    return texts.add_of_cell(text, cell.id) if text else 0


def _other_ids(cells: Sequence[CellEntry]) -> dict[str, str]:
    return {
        str(at): plain(cell.id)
        for at, cell in enumerate(cells)
        if plain(cell.id) != "/".join((plain(cell.case), plain(cell.sdk), plain(cell.host)))
    }

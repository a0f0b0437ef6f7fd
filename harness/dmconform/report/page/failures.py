"""The failures of a report by cause: a record of a known failure, one error of the loader, or one ending of a case."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from dmconform.core.text import first_line
from dmconform.core.values import Judgement, Outcome, Severity
from dmconform.report.answers.evidence import Severities
from dmconform.report.schema import CellEntry, Report
from dmconform.report.stability import reruns_in_words

LOADING = "Failed to load dynamic module: "
"""What a host says before the reason why it refused a module, maybe more than once."""

_ORDER = (
    Judgement.CHANGED,
    Judgement.FAIL,
    Judgement.XPASS,
    Judgement.ERROR,
    Judgement.XFAIL,
    Judgement.INFORMATIONAL,
)
_PLACES = re.compile(r"\S*/(?=lib[^/\s]*\.so)|/\S+/(?=[^/\s]+\.so)")


@dataclass(frozen=True)
class FailureCause:
    """Cells that fail for one cause. `id` is the same in every page that has the cause."""

    id: str
    judgement: Judgement
    severity: Severity | None  # the worst
    text: str
    cells: tuple[CellEntry, ...]
    record: str
    is_loader: bool
    reruns: str


def failures(report: Report) -> tuple[FailureCause, ...]:
    """Returns all causes of failures, new ones first, the worst of each judgement first.

    Cells that did not run and were not meant to are left out, and so are those with a static/run-time mismatch.
    """
    severities = Severities(report)
    groups: dict[tuple[Judgement, str, str, str], list[CellEntry]] = {}
    for cell in report.cells:
        if cell.judgement in _ORDER and not (cell.judgement is Judgement.INFORMATIONAL and not _failed(cell)):
            groups.setdefault(_key(cell), []).append(cell)
    found = [_cause(key, cells, severities) for key, cells in groups.items()]
    worst = len(Severity)
    return tuple(
        sorted(
            found,
            key=lambda it: (
                _ORDER.index(it.judgement),
                it.severity.rank if it.severity is not None else worst,
                -len(it.cells),
            ),
        )
    )


def loader_error(detail: str) -> str | None:
    """Returns why a host refused a module, without where the module was; None where the detail says nothing of that."""
    if LOADING not in detail:
        return None
    return _PLACES.sub("", first_line(detail.rpartition(LOADING)[2])).strip()


def _failed(cell: CellEntry) -> bool:
    return cell.outcome.is_verdict and cell.outcome is not Outcome.PASS


def _key(cell: CellEntry) -> tuple[Judgement, str, str, str]:
    if cell.judgement is Judgement.XFAIL and cell.known_failure:
        return cell.judgement, "", "", cell.known_failure
    if cell.judgement is Judgement.CHANGED:
        return cell.judgement, "", cell.reason, ""
    error = loader_error(cell.detail) if cell.outcome.is_verdict else None
    if error is not None:
        return cell.judgement, "", error, cell.known_failure or ""
    # What could not run has one cause, whatever the case.
    where = "" if cell.judgement is Judgement.ERROR else f"{cell.case} {cell.outcome.value}"
    return cell.judgement, where, first_line(cell.detail), cell.known_failure or ""


def _cause(key: tuple[Judgement, str, str, str], cells: list[CellEntry], severities: Severities) -> FailureCause:
    judgement, where, text, record = key
    found: Iterable[Severity] = severities.count(cells)
    digest = hashlib.sha256("\0".join((judgement.value, where, text, record)).encode("utf-8", "surrogatepass"))
    return FailureCause(
        id=digest.hexdigest()[:10],
        judgement=judgement,
        severity=min(found, key=lambda one: one.rank, default=None),
        text=text or first_line(cells[0].detail),
        cells=tuple(cells),
        record=record,
        is_loader=not where and judgement not in (Judgement.ERROR, Judgement.XFAIL, Judgement.CHANGED),
        reruns=reruns_in_words(cells),
    )

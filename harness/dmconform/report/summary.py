"""What a run comes to: counts, the answer in one sentence, and its failures grouped by cause."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dmconform.core.errors import ExitCode
from dmconform.core.text import counted, first_line
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.answers.evidence import Evidence, Severities, evidence, is_official, severity_words
from dmconform.report.marks import ABI_WORDS
from dmconform.report.schema import CellEntry, Report
from dmconform.report.stability import reruns_in_words
from dmconform.spec.inconsistencies import InconsistencyKind

FAILURES = (Judgement.FAIL, Judgement.XPASS)
"""What counts as a failure for how the cell ended. A cell with a static/run-time mismatch does so for another reason."""

SEEN_IN_CELLS = (InconsistencyKind.NEW, InconsistencyKind.OTHER, InconsistencyKind.STALE)
"""Inconsistencies that cells show with their own judgement; the others are about the records themselves."""


class RunVerdict(enum.Enum):
    """The answer of a run. Each has a glyph and a word, so that none depends on colour."""

    PASS = "pass"
    KNOWN = "known failures"  # nothing new, but what is promised does not hold everywhere
    FAIL = "fail"
    INCOMPLETE = "incomplete"
    NOT_TESTED = "not tested"  # some of what is promised of the official SDKs
    CONTROL = "control only"  # no official SDK was asked for
    NOTHING = "no supported cell ran"

    @property
    def glyph(self) -> str:
        """The sign before the answer."""
        return {
            RunVerdict.PASS: "✓",
            RunVerdict.KNOWN: "!",
            RunVerdict.FAIL: "✗",
            RunVerdict.INCOMPLETE: "■",
            RunVerdict.NOT_TESTED: "◐",
            RunVerdict.CONTROL: "○",
            RunVerdict.NOTHING: "○",
        }[self]


@dataclass(frozen=True)
class CrashCounts:
    """The number of cells in which Envoy ended, whether or not they are supported."""

    total: int
    official: int  # of these, the supported ones of the official SDKs
    control: int  # the supported ones of the reference SDK
    others: int  # those that nothing is promised of


@dataclass(frozen=True)
class Summary:
    """Counts of cells. The three mappings have every value of their enum as a key."""

    planned: int
    cells: int
    ran: int
    by_outcome: Mapping[Outcome, int]
    by_relation: Mapping[Relation, int]
    by_judgement: Mapping[Judgement, int]
    supported_ran: int
    supported_passed: int
    supported_failed: int
    supported_xfailed: int
    supported_not_run: int
    disagreeing: int  # cells with a static/run-time mismatch; those of them that count as a failure are judged `MISMATCH`
    other_passed: int
    other_ran: int
    official: Evidence  # what the supported cells of the official SDKs show: they count
    control: Evidence  # those of the reference SDK
    crashes: int  # all cells in which Envoy ended, whether or not they are supported
    crashed: CrashCounts  # the same, by what is promised
    verdict: RunVerdict
    headline: str

    @property
    def missing(self) -> int:
        """Planned cells the report has no entry of."""
        return max(0, self.planned - self.cells)


@dataclass(frozen=True)
class Cause:
    """Cells of one case with the same ending and text."""

    case: str
    outcome: Outcome
    judgement: Judgement
    text: str  # first line of the detail
    cells: tuple[str, ...]
    reproduce: str  # of the first cell
    record: str | None = None  # id of the known failure that they were judged by
    reruns: str = ""  # the result of running some of them again

    @property
    def count(self) -> int:
        """The number of cells."""
        return len(self.cells)


@dataclass(frozen=True)
class Unrun:
    """Cells that did not run for the same reason."""

    outcome: Outcome
    judgement: Judgement
    reason: str
    count: int
    example: str  # id of a cell


def summarise(report: Report) -> Summary:
    """Counts `report` and makes its summary."""
    cells = report.cells
    outcomes = Counter(cell.outcome for cell in cells)
    relations = Counter(cell.relation for cell in cells)
    judgements = Counter(cell.judgement for cell in cells)
    supported = [cell for cell in cells if cell.relation is Relation.SUPPORTED]
    other = [cell for cell in cells if cell.relation is not Relation.SUPPORTED and cell.outcome.is_verdict]
    held = sum(cell.judgement is Judgement.PASS for cell in supported)
    failed = sum(cell.judgement is Judgement.FAIL for cell in supported)
    known = sum(cell.judgement is Judgement.XFAIL for cell in supported)
    ran = sum(cell.outcome.is_verdict for cell in supported)
    severities = Severities(report)
    official = evidence((cell for cell in supported if is_official(cell)), severities)
    control = evidence((cell for cell in supported if not is_official(cell)), severities)
    verdict = _verdict(report, judgements, official, control)
    return Summary(
        planned=report.planned_cells,
        cells=len(cells),
        ran=sum(cell.outcome.is_verdict for cell in cells),
        by_outcome={outcome: outcomes[outcome] for outcome in Outcome},
        by_relation={relation: relations[relation] for relation in Relation},
        by_judgement={judgement: judgements[judgement] for judgement in Judgement},
        supported_ran=ran,
        supported_passed=held,
        supported_failed=failed,
        supported_xfailed=known,
        supported_not_run=len(supported) - ran,
        disagreeing=sum(cell.mismatch is not None for cell in cells),
        other_passed=sum(cell.outcome is Outcome.PASS for cell in other),
        other_ran=len(other),
        official=official,
        control=control,
        crashes=outcomes[Outcome.CRASH],
        crashed=crashes(cells),
        verdict=verdict,
        headline=_headline(report, verdict, judgements, official, control),
    )


def crashes(cells: Iterable[CellEntry]) -> CrashCounts:
    """Returns in how many cells Envoy ended."""
    crashed = [cell for cell in cells if cell.outcome is Outcome.CRASH]
    promised = [cell for cell in crashed if cell.relation is Relation.SUPPORTED]
    official = sum(is_official(cell) for cell in promised)
    return CrashCounts(len(crashed), official, len(promised) - official, len(crashed) - len(promised))


def crash_words(summary: Summary) -> str:
    """Returns the count of crashes in words, the same in every form of the report."""
    found = summary.crashed
    of_all = f"in {counted(summary.ran, 'cell')}"
    if not found.total:
        return f"No crash of Envoy {of_all}"
    sides = ((found.official, "official"), (found.control, "control"), (found.others, "not promised"))
    noun = "crash" if found.total == 1 else "crashes"
    return f"{found.total} {noun} of Envoy {of_all}: {', '.join(f'{count} {side}' for count, side in sides if count)}"


def causes(report: Report) -> tuple[Cause, ...]:
    """Returns cells that are not green, grouped by case, outcome, judgement and first line of the detail.

    What fails the run comes first.

    Cells that did not run and were not meant to are in `unrun`, those with a static/run-time mismatch in `mismatch_groups`,
    those that are not as on record of their release in `changed_groups`.
    """
    groups: dict[tuple[str, Outcome, Judgement, str, str | None], list[CellEntry]] = {}
    for cell in report.cells:
        if cell.judgement in (Judgement.PASS, Judgement.SKIP, Judgement.MISMATCH, Judgement.CHANGED):
            continue
        if cell.judgement is Judgement.INFORMATIONAL and cell.outcome is Outcome.PASS:
            continue
        key = (cell.case, cell.outcome, cell.judgement, first_line(cell.detail), cell.known_failure)
        groups.setdefault(key, []).append(cell)
    order = [*FAILURES, Judgement.ERROR, Judgement.XFAIL, Judgement.INFORMATIONAL]
    found = [
        Cause(
            case,
            outcome,
            judgement,
            text,
            tuple(cell.id for cell in cells),
            cells[0].reproduce,
            record,
            reruns_in_words(cells),
        )
        for (case, outcome, judgement, text, record), cells in groups.items()
    ]
    return tuple(sorted(found, key=lambda cause: (order.index(cause.judgement), -cause.count)))


def unrun(report: Report) -> tuple[Unrun, ...]:
    """Returns cells that did not run, grouped by why, those that make the run incomplete first."""
    groups: dict[tuple[Outcome, Judgement, str], list[CellEntry]] = {}
    for cell in report.cells:
        if not cell.outcome.is_verdict:
            groups.setdefault((cell.outcome, cell.judgement, first_line(cell.detail)), []).append(cell)
    found = [
        Unrun(outcome, judgement, reason or "no reason was given", len(cells), cells[0].id)
        for (outcome, judgement, reason), cells in groups.items()
    ]
    outcomes = list(Outcome)
    return tuple(sorted(found, key=lambda it: (it.judgement is not Judgement.ERROR, outcomes.index(it.outcome), -it.count)))


def abi_words(cells: Iterable[CellEntry]) -> str:
    """Returns the hosts' verdict on the module's ABI string in `cells`: the word, or words where they differ.

    Only the window's own cases are asked, as others load modules that are wrong on purpose; without one, all.
    """
    asked = [cell for cell in cells if cell.outcome.is_verdict]
    window = [cell for cell in asked if cell.case.startswith("window/")]
    seen = {cell.abi_verdict for cell in window or asked}
    return "/".join(word for verdict, word in ABI_WORDS.items() if verdict in seen)


def _verdict(report: Report, judgements: Counter[Judgement], official: Evidence, control: Evidence) -> RunVerdict:
    if any(count for judgement, count in judgements.items() if judgement.is_red) or report.exit_code == ExitCode.FAIL:
        return RunVerdict.FAIL
    planned_but_missing = report.planned_cells > len(report.cells)
    if not report.complete or judgements[Judgement.ERROR] or planned_but_missing:
        return RunVerdict.INCOMPLETE
    if official.not_tested:
        return RunVerdict.NOT_TESTED
    if report.exit_code != ExitCode.OK:
        return RunVerdict.INCOMPLETE
    if not official.cells:
        return RunVerdict.CONTROL if control.ran else RunVerdict.NOTHING
    return RunVerdict.KNOWN if official.known_failures else RunVerdict.PASS


def _headline(
    report: Report, verdict: RunVerdict, judgements: Counter[Judgement], official: Evidence, control: Evidence
) -> str:
    """Returns one sentence, and never one that is greener than the run. What was not tested is always in it."""
    more: list[str] = []
    match verdict:
        case RunVerdict.FAIL:
            sentence, more = _broken(report, judgements, official, control)
        case RunVerdict.INCOMPLETE:
            sentence = "The run is incomplete, so it gives no answer"
        case RunVerdict.NOT_TESTED:
            part = " in part" if official.ran else ""
            of_all = f"{official.not_tested} of {official.cells} supported cells of the official SDKs"
            sentence = f"Not tested{part}: {of_all}; {official.tested_percent} % of what is promised was tested"
        case RunVerdict.CONTROL:
            sentence = "Only the reference SDK was run, the control: this says nothing of the official SDKs"
        case RunVerdict.NOTHING:
            sentence = "No supported cell ran, so this says nothing of what is promised"
        case RunVerdict.PASS:
            sentence = f"What is promised of the official SDKs holds: all {official.cells} supported cells pass"
        case RunVerdict.KNOWN:
            of_all = f"{official.known_failures} of {official.cells} supported cells of the official SDKs fail as is known"
            sentence = f"What is promised does not hold everywhere: {of_all}, none is new: {severity_words(official.known)}"
    if official.known_failures and verdict is not RunVerdict.KNOWN:
        more.append(f"{official.known_failures} xfail: {severity_words(official.known)}")
    if judgements[Judgement.ERROR]:
        more.append(f"{counted(judgements[Judgement.ERROR], 'cell')} could not run")
    missing = report.planned_cells - len(report.cells)
    if missing > 0:
        more.append(f"{counted(missing, 'cell')} planned and never begun")
    if verdict is not RunVerdict.NOT_TESTED and official.not_tested:
        more.append(f"not tested: {official.not_tested} of {official.cells} supported cells of the official SDKs")
    return sentence + (f" ({'; '.join(more)})" if more else "")


def _broken(report: Report, judgements: Counter[Judgement], official: Evidence, control: Evidence) -> tuple[str, list[str]]:
    """Returns the sentence of a run that something counts against, and what else does."""
    records = len({one.record for one in report.inconsistencies if one.record is not None and one.kind not in SEEN_IN_CELLS})
    stale, mismatched, changed = (judgements[one] for one in (Judgement.XPASS, Judgement.MISMATCH, Judgement.CHANGED))
    sentence = "Known failures no longer apply" if stale else "Expectations have to be fixed"
    of_control = ""
    if official.new_failures:
        ran = f"{official.new_failures} of {official.ran} supported cells of the official SDKs that ran fail"
        sentence = f"What is promised does not hold: {ran}: {severity_words(official.failed)}"
        of_control = f"{control.new_failures} of the reference SDK" if control.new_failures else ""
    elif control.new_failures:
        ran = f"{control.new_failures} of {control.ran} supported cells of the reference SDK that ran fail"
        sentence = f"The control does not hold: {ran}: {severity_words(control.failed)}"
    elif not (stale or mismatched or records or changed):
        sentence = "The run ended as failed, and its cells do not show why"
    elif changed and not (stale or mismatched or records):
        sentence = "A host does not behave as is on record of its release"
    elif mismatched and not stale:
        sentence = "Static analysis and run-time observation of supported cells contradict each other"
    others = [
        f"changed facts: {counted(changed, 'cell')}" if changed else "",
        of_control,
        f"{counted(records, 'record')} to fix" if records else "",
        f"{counted(stale, 'cell')} of a known failure that no longer applies" if stale else "",
        f"{counted(mismatched, 'cell')} with a static/run-time mismatch" if mismatched else "",
    ]
    return sentence, [one for one in others if one]

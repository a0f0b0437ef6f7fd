"""The sign and the word for each outcome, judgement and ABI verdict: the same in every form of the report.

A word in capitals counts against the run. No sign differs from another by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import AbiVerdict, Judgement, Outcome
from harness.report.schema import CellEntry

PROMISED_SIGN = "★"


@dataclass(frozen=True)
class Mark:
    """How a cell is shown. `style` is one of the few looks, named after what they mean."""

    glyph: str
    word: str
    style: str

    def __str__(self) -> str:
        return f"{self.glyph} {self.word}"


OUTCOME_MARKS = {
    Outcome.PASSED: ("✓", "ok"),
    Outcome.FAILED: ("✗", "fail"),
    Outcome.CRASHED: ("†", "crash"),
    Outcome.HUNG: ("∞", "hung"),
    Outcome.REJECTED: ("⊘", "refused"),
    Outcome.BLOCKED: ("■", "blocked"),
    Outcome.UNREACHABLE: ("?", "no source"),
    Outcome.NOT_APPLICABLE: ("○", "n/a"),
}

ABI_WORDS = {
    AbiVerdict.MATCHED: "matched",
    AbiVerdict.DEPRECATED: "deprecated",
    AbiVerdict.REJECTED: "ABI refused",
    AbiVerdict.SILENT: "silent",
    AbiVerdict.NOT_LOADED: "not loaded",
}

JUDGEMENT_MEANINGS = {
    Judgement.AS_PROMISED: "promised, and it holds",
    Judgement.BROKEN: "promised, and it does not hold",
    Judgement.KNOWN: "does not hold, and is recorded as known",
    Judgement.STALE: "recorded as a known failure, but the record does not apply",
    Judgement.FACT: "not promised; counted, gates nothing",
    Judgement.INCOMPLETE: "planned, and could not run",
    Judgement.NOT_RUN: "not to be run",
}


_STYLES = {
    Judgement.AS_PROMISED: "good",
    Judgement.BROKEN: "bad",
    Judgement.STALE: "bad",
    Judgement.KNOWN: "known",
    Judgement.INCOMPLETE: "incomplete",
    Judgement.NOT_RUN: "not-run",
    Judgement.FACT: "fact-bad",
}
_OWN_WORDS = {Judgement.STALE: "STALE", Judgement.KNOWN: "known"}


def mark(cell: CellEntry) -> Mark:
    """The look of `cell`: its outcome, loud where it counts against the run."""
    glyph, word = OUTCOME_MARKS[cell.outcome]
    style = _STYLES[cell.judgement]
    if cell.judgement is Judgement.FACT and cell.outcome is Outcome.PASSED:
        style = "fact-good"
    if cell.judgement in (Judgement.BROKEN, Judgement.INCOMPLETE):
        word = word.upper()
    return Mark(glyph, _OWN_WORDS.get(cell.judgement, word), style)

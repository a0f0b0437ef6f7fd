"""The sign and the word for each outcome, judgement and ABI verdict: the same in every form of the report.

A word in capitals counts against the run. No sign differs from another by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from dmconform.binaries.facts import StaticKind
from dmconform.core.values import AbiVerdict, Judgement, Load, Outcome
from dmconform.report.schema import CellEntry

PROMISED_SIGN = "★"
DISAGREE_SIGN = "≠"


@dataclass(frozen=True)
class Mark:
    """How a cell is shown. `style` is one of the few looks, named after what they mean; `flag` follows the word."""

    glyph: str
    word: str
    style: str
    flag: str = ""

    def __str__(self) -> str:
        return f"{self.glyph} {self.word} {self.flag}".rstrip()


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

STATIC_WORDS = {
    StaticKind.LOADS: "loads",
    StaticKind.REFUSED: "refused",
    StaticKind.BOMB: "bomb",
    StaticKind.UNKNOWN: "cannot tell",
}
NO_STATIC = "not known"
"""In the place of a static verdict where there is no module, or no host."""

NEARBY = "as far as a header tells that is not the release's own"
FINDINGS_NOTE = (
    "Every pair of minors that the documents promise is compared by its ABI data. This gates nothing: "
    "a cell fails only where a module runs into it."
)

LOAD_WORDS = {
    Load.LOADED: "loaded",
    Load.REFUSED: "refused at load",
    Load.BOMB: "loaded, and a call of a missing symbol ended the host",
    Load.MIXED: "loaded once and refused once",
    Load.NOT_SEEN: "not seen: the case says nothing of it",
}

JUDGEMENT_MEANINGS = {
    Judgement.AS_PROMISED: "promised, and it holds",
    Judgement.BROKEN: "promised, and it does not hold",
    Judgement.KNOWN: "does not hold, and is recorded as known",
    Judgement.STALE: "recorded as a known failure, but the record does not apply",
    Judgement.DISPUTED: "promised, and it passes, but its static half says otherwise of the probe",
    Judgement.FACT: "not promised; counted, gates nothing",
    Judgement.INCOMPLETE: "planned, and could not run",
    Judgement.NOT_RUN: "not to be run",
}


_STYLES = {
    Judgement.AS_PROMISED: "good",
    Judgement.BROKEN: "bad",
    Judgement.STALE: "bad",
    Judgement.DISPUTED: "bad",
    Judgement.KNOWN: "known",
    Judgement.INCOMPLETE: "incomplete",
    Judgement.NOT_RUN: "not-run",
    Judgement.FACT: "fact-bad",
}
_OWN_WORDS = {Judgement.STALE: "STALE", Judgement.KNOWN: "known", Judgement.DISPUTED: "DISPUTED"}


def mark(cell: CellEntry) -> Mark:
    """The look of `cell`: its outcome, loud where it counts against the run."""
    glyph, word = OUTCOME_MARKS[cell.outcome]
    style = _STYLES[cell.judgement]
    if cell.judgement is Judgement.FACT and cell.outcome is Outcome.PASSED:
        style = "fact-good"
    if cell.judgement in (Judgement.BROKEN, Judgement.INCOMPLETE):
        word = word.upper()
    flag = DISAGREE_SIGN if cell.disagreement is not None else ""
    return Mark(glyph, _OWN_WORDS.get(cell.judgement, word), style, flag)

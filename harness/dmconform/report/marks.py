"""The sign and the word for each outcome, judgement and ABI verdict: the same in every form of the report.

A word in capitals fails the run. No sign differs from another by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from dmconform.binaries.facts import StaticKind
from dmconform.core.values import AbiVerdict, Judgement, Load, Outcome
from dmconform.report.schema import CellEntry

SUPPORTED_SIGN = "★"
MISMATCH_SIGN = "≠"


@dataclass(frozen=True)
class Mark:
    """The look of a cell. `style` is one of the few looks, named after what they mean; `flag` follows the word."""

    glyph: str
    word: str
    style: str
    flag: str = ""

    def __str__(self) -> str:
        return f"{self.glyph} {self.word} {self.flag}".rstrip()


OUTCOME_MARKS = {
    Outcome.PASS: ("✓", "pass"),
    Outcome.FAIL: ("✗", "fail"),
    Outcome.CRASH: ("†", "crash"),
    Outcome.HANG: ("∞", "hang"),
    Outcome.REJECTED: ("⊘", "rejected"),
    Outcome.ERROR: ("■", "error"),
    Outcome.NOT_TESTED: ("?", "not tested"),
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
    StaticKind.UNRESOLVED: "unresolved",
    StaticKind.UNKNOWN: "unknown",
}
NO_STATIC = "not known"
"""In the place of a static verdict where there is no module, or no host."""

NEARBY = "compared with a header that is not the release's own"
FINDINGS_NOTE = (
    "Every supported pair of minors is compared by its ABI data. This is informational: "
    "a cell fails only where a module runs into it."
)

LOAD_WORDS = {
    Load.LOADED: "loaded",
    Load.REFUSED: "refused at load",
    Load.UNRESOLVED: "loaded, and the call of an unresolved symbol ended the host",
    Load.MIXED: "loaded once and refused once",
    Load.NOT_SEEN: "not observed: the case does not look at the load",
}

JUDGEMENT_MEANINGS = {
    Judgement.PASS: "supported, and passes",
    Judgement.FAIL: "supported, and fails",
    Judgement.XFAIL: "supported, and fails as a known failure says",
    Judgement.XPASS: "a known failure that no longer applies: the cell passes, or fails in another way",
    Judgement.MISMATCH: "supported, and passes, and the static analysis of its probe says that it cannot",
    Judgement.CHANGED: "breaks no promise, and is not what is on record of this very release",
    Judgement.INFORMATIONAL: "legacy or unsupported; informational",
    Judgement.ERROR: "planned, and could not run",
    Judgement.SKIP: "not applicable, or not tested",
}


_STYLES = {
    Judgement.PASS: "good",
    Judgement.FAIL: "bad",
    Judgement.XPASS: "bad",
    Judgement.MISMATCH: "bad",
    Judgement.CHANGED: "bad",
    Judgement.XFAIL: "known",
    Judgement.ERROR: "incomplete",
    Judgement.SKIP: "not-run",
    Judgement.INFORMATIONAL: "fact-bad",
}
_OWN_WORDS = {Judgement.XPASS: "XPASS", Judgement.XFAIL: "xfail", Judgement.MISMATCH: "MISMATCH", Judgement.CHANGED: "CHANGED"}


def mark(cell: CellEntry) -> Mark:
    """Returns the look of `cell`: its outcome, loud where it counts as a failure."""
    glyph, word = OUTCOME_MARKS[cell.outcome]
    style = _STYLES[cell.judgement]
    if cell.judgement is Judgement.INFORMATIONAL and cell.outcome is Outcome.PASS:
        style = "fact-good"
    if cell.judgement in (Judgement.FAIL, Judgement.ERROR):
        word = word.upper()
    flag = MISMATCH_SIGN if cell.mismatch is not None else ""
    return Mark(glyph, _OWN_WORDS.get(cell.judgement, word), style, flag)

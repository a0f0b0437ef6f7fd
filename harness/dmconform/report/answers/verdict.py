"""What a gate says: the shape of its JSON output."""

from __future__ import annotations

import enum

import msgspec

from dmconform.core.errors import ExitCode
from dmconform.core.values import Severity

SCHEMA_VERSION = 4


class GateAnswer(enum.Enum):
    """The answer: whether the release may happen."""

    MAY = "may be released"
    MAY_NOT = "may not be released"
    UNKNOWN = "cannot be told"

    @property
    def glyph(self) -> str:
        """The sign before the answer."""
        return {GateAnswer.MAY: "✓", GateAnswer.MAY_NOT: "✗", GateAnswer.UNKNOWN: "■"}[self]

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the command."""
        return {GateAnswer.MAY: ExitCode.OK, GateAnswer.MAY_NOT: ExitCode.FAIL, GateAnswer.UNKNOWN: ExitCode.ERROR}[self]


class ReasonKind(enum.Enum):
    """The kind of a reason."""

    BROKEN = "broken promise"
    KNOWN = "known failure that the policy does not name"
    RECORDS = "records of known failures that do not apply"
    MISMATCH = "static/run-time mismatch"
    CHANGED = "changed fact"
    OWN = "the module itself fails"
    BLOCKED = "could not run"
    OPEN = "not judged"
    MISSING = "not in the report"
    REPORT = "the report itself"
    NO_HOST = "no host of a minor"
    NO_SDK = "no SDK of a minor"
    UNCALLED = "a call that was not made would end the host"

    @property
    def is_certain(self) -> bool:
        """Whether it is against the release; the others only leave the question open."""
        return self in (
            ReasonKind.BROKEN,
            ReasonKind.KNOWN,
            ReasonKind.RECORDS,
            ReasonKind.MISMATCH,
            ReasonKind.CHANGED,
            ReasonKind.OWN,
        )


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reason, and the cells that it rests on."""

    kind: ReasonKind
    text: str
    cells: tuple[str, ...] = ()
    reproduce: str = ""  # the command that shows the first cell, or makes what is missing
    severity: Severity | None = None  # the worst that happened in the cells


class Waived(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cells that gave no answer or failed, and that the policy lets pass."""

    by: str  # the words of the policy
    cells: int
    severity: Severity | None = None  # the worst that happened in the cells


class GateVerdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The verdict of a gate."""

    schema_version: int
    policy: str
    question: str
    subject: str
    answer: GateAnswer
    cells: int  # that the policy asks for
    held: int
    reasons: tuple[Reason, ...]
    waived: tuple[Waived, ...]
    judged: str = ""  # what the verdict rests on: the run, its suite, the hosts
    not_tested: int = 0  # cells that the policy asks for and that were not tested, also those that it lets pass

    @property
    def answer_words(self) -> str:
        """The answer, with what was not tested beside a yes: that is never part of it."""
        untested = self.answer is GateAnswer.MAY and self.not_tested
        return f"{self.answer.value} ({self.not_tested} not tested)" if untested else self.answer.value

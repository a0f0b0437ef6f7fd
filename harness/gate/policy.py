"""Policies: what a release needs. The keys are described in `conformance/policies/README.md`."""

from __future__ import annotations

import enum
import fnmatch
from pathlib import Path

import msgspec

from harness import paths
from harness.datafile import load_toml
from harness.errors import DataFileError, UsageError
from harness.model import Outcome, Provider
from harness.plan.findings import Fault

FOLDER = paths.CONFORMANCE / "policies"


class Subject(enum.Enum):
    """What is released."""

    SDK = "sdk"
    HOST = "host"
    MODULE = "module"


class Step(enum.Enum):
    """A minor, as seen from the subject's."""

    OWN = "own"
    NEXT = "next"
    PREVIOUS = "previous"


class Allowance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cells that may give no answer."""

    outcome: Outcome
    reason: str
    cells: str = "*"

    def covers(self, cell: str, outcome: Outcome) -> bool:
        """Whether it lets a cell of this outcome pass."""
        return outcome is self.outcome and fnmatch.fnmatchcase(cell, self.cells)


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a release needs."""

    title: str
    question: str
    subject: Subject
    hosts: tuple[Step, ...] = ()
    sdks: tuple[Step, ...] = ()
    providers: tuple[Provider, ...] = tuple(Provider)
    cases: tuple[str, ...] = ("*",)
    next_may_be_unknown: bool = False
    known_failures: tuple[str, ...] = ()
    known_failures_of: tuple[Fault, ...] = ()
    allow: tuple[Allowance, ...] = ()

    def allows_record(self, record: str | None, fault: Fault | None) -> bool:
        """Whether cells that fail as this record says, of which this is at fault, are let pass."""
        named = record is not None and any(fnmatch.fnmatchcase(record, one) for one in self.known_failures)
        return named or (fault is not None and fault in self.known_failures_of)

    def allowance(self, cell: str, outcome: Outcome) -> Allowance | None:
        """What lets a cell without an answer pass."""
        return next((one for one in self.allow if one.covers(cell, outcome)), None)


_STEPS = {
    Subject.SDK: ("hosts", (Step.OWN, Step.NEXT)),
    Subject.MODULE: ("hosts", (Step.OWN, Step.NEXT)),
    Subject.HOST: ("sdks", (Step.OWN, Step.PREVIOUS)),
}


def find_policy(named: str) -> Path:
    """The file of a policy: one of this repository by its name, or any by its path.

    Raises:
        UsageError: there is none.
    """
    own = FOLDER / f"{named}.toml"
    if "/" not in named and own.exists():
        return own
    path = Path(named)
    if path.is_file():
        return path
    names = ", ".join(sorted(one.stem for one in FOLDER.glob("*.toml")))
    raise UsageError(f"--policy {named}: there is no such policy; expected one of {names}, or the path of a policy file")


def load_policy(path: Path) -> Policy:
    """Reads a policy.

    Raises:
        DataFileError: it is not of its format, or asks for nothing.
    """
    policy = load_toml(path, Policy)
    key, steps = _STEPS[policy.subject]
    asked: tuple[Step, ...] = getattr(policy, key)
    if not asked or not set(asked) <= set(steps):
        words = ", ".join(one.value for one in steps)
        raise DataFileError(path, f'subject = "{policy.subject.value}" needs {key}: one or more of {words}')
    if not policy.cases or not policy.providers:
        raise DataFileError(path, "cases and providers must not be empty: the policy would ask for nothing")
    for one in policy.allow:
        if one.outcome.is_verdict:
            raise DataFileError(path, f'[[allow]] outcome = "{one.outcome.value}" is an answer; a failure needs known_failures')
        if not one.reason.strip():
            raise DataFileError(path, "[[allow]] needs a reason")
    return policy

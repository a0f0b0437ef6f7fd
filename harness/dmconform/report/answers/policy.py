"""Policies: what a release needs. The keys are described in `conformance/policies/README.md`."""

from __future__ import annotations

import enum
import fnmatch
from collections.abc import Iterable
from pathlib import Path

import msgspec

from dmconform.core import paths
from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError, UsageError
from dmconform.core.nearest import unknown
from dmconform.core.values import Outcome, Provider
from dmconform.core.versions import Minor
from dmconform.spec.findings import Fault
from dmconform.spec.promise import known_promises, promised

FOLDER = paths.CONFORMANCE / "policies"


class Subject(enum.Enum):
    """The thing that is released."""

    SDK = "sdk"
    HOST = "host"
    MODULE = "module"


class RelativeMinor(enum.Enum):
    """A minor, as seen from the subject's."""

    OWN = "own"
    NEXT = "next"
    LATER = "later"  # all after the next one
    PREVIOUS = "previous"
    OLDER = "older"  # all before the previous one


class Allowance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cells that may give no answer."""

    outcome: Outcome
    reason: str
    cells: str = "*"
    sdk: RelativeMinor | None = None  # only of SDKs of this minor, as seen from the host's

    def covers(self, cell: str, outcome: Outcome, sdk: RelativeMinor | None) -> bool:
        """Returns whether it lets a cell of this outcome pass.

        `sdk`: where the SDK is from the host, where a host is the subject.
        """
        return outcome is self.outcome and self.sdk in (None, sdk) and fnmatch.fnmatchcase(cell, self.cells)


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The needs of a release."""

    title: str
    question: str
    subject: Subject
    hosts: tuple[RelativeMinor, ...] = ()
    sdks: tuple[RelativeMinor, ...] = ()
    providers: tuple[Provider, ...] = tuple(Provider)
    cases: tuple[str, ...] = ("*",)
    promises: tuple[str, ...] = ()  # by which a cell must be supported to count; empty: any
    next_may_be_unknown: bool = False
    own_may_be_unknown: bool = False
    uncalled_allowed: bool = False
    changed_facts_allowed: bool = False
    known_failures: tuple[str, ...] = ()
    known_failures_of: tuple[Fault, ...] = ()
    allow: tuple[Allowance, ...] = ()

    def counts(self, sdk: Minor, host: Minor) -> bool:
        """Returns whether the policy asks for a pair of SDK and host, as far as the promises go."""
        return self.counts_promises(promised(sdk, host).ids)

    def counts_promises(self, ids: Iterable[str]) -> bool:
        """Returns whether a cell counts that is supported by the promises of these ids."""
        return any(not self.promises or one in self.promises for one in ids)

    def allows_record(self, record: str | None, fault: Fault | None) -> bool:
        """Returns whether cells that fail as this record says, of which this is at fault, are let pass."""
        named = record is not None and any(fnmatch.fnmatchcase(record, one) for one in self.known_failures)
        return named or (fault is not None and fault in self.known_failures_of)

    def allowance(self, cell: str, outcome: Outcome, sdk: RelativeMinor | None) -> Allowance | None:
        """Returns what lets a cell without an answer pass."""
        return next((one for one in self.allow if one.covers(cell, outcome, sdk)), None)


_STEPS = {
    Subject.SDK: ("hosts", (RelativeMinor.OWN, RelativeMinor.NEXT, RelativeMinor.LATER)),
    Subject.MODULE: ("hosts", (RelativeMinor.OWN, RelativeMinor.NEXT, RelativeMinor.LATER)),
    Subject.HOST: ("sdks", (RelativeMinor.OWN, RelativeMinor.PREVIOUS, RelativeMinor.OLDER)),
}
_ALL = {"title", "question", "subject", "promises"}
_OF_REPORTS = {"cases", "known_failures", "known_failures_of", "allow", "changed_facts_allowed"}
_KEYS = {
    Subject.SDK: _ALL | _OF_REPORTS | {"hosts", "next_may_be_unknown"},
    Subject.HOST: _ALL | _OF_REPORTS | {"sdks", "providers", "own_may_be_unknown"},
    Subject.MODULE: _ALL | {"hosts", "next_may_be_unknown", "uncalled_allowed"},
}
"""What is looked at; a key that is not would promise something that is not kept."""


def find_policy(named: str) -> Path:
    """Returns the file of a policy: one of this repository by its name, or any by its path.

    Raises:
        UsageError: there is none.
    """
    own = FOLDER / f"{named}.toml"
    if "/" not in named and own.exists():
        return own
    path = Path(named)
    if path.is_file():
        return path
    names = sorted(one.stem for one in FOLDER.glob("*.toml"))
    raise UsageError(unknown("policy", named, names, more="or the path of a policy file; dmconform gate --help says more"))


def load_policy(path: Path) -> Policy:
    """Reads a policy.

    Raises:
        DataFileError: it is not of its format, or asks for nothing.
    """
    policy = load_toml(path, Policy)
    for one in msgspec.structs.fields(Policy):
        if one.name not in _KEYS[policy.subject] and getattr(policy, one.name) != one.default:
            raise DataFileError(path, f'subject = "{policy.subject.value}" does not look at {one.name}')
    key, steps = _STEPS[policy.subject]
    asked: tuple[RelativeMinor, ...] = getattr(policy, key)
    if not asked or not set(asked) <= set(steps):
        words = ", ".join(one.value for one in steps)
        raise DataFileError(path, f'subject = "{policy.subject.value}" needs {key}: one or more of {words}')
    if not policy.cases or not policy.providers:
        raise DataFileError(path, "cases and providers must not be empty: the policy would ask for nothing")
    gating = [one.id for one in known_promises() if one.gates]
    for name in policy.promises:
        if name not in gating:
            raise DataFileError(path, unknown("promise", name, gating))
    for allowed in policy.allow:
        if allowed.outcome.is_verdict:
            raise DataFileError(
                path, f'[[allow]] outcome = "{allowed.outcome.value}" is an answer; a failure needs known_failures'
            )
        if not allowed.reason.strip():
            raise DataFileError(path, "[[allow]] needs a reason")
        if allowed.sdk is not None and allowed.sdk not in policy.sdks:
            raise DataFileError(path, f'[[allow]] sdk = "{allowed.sdk.value}" is none of sdks')
    return policy

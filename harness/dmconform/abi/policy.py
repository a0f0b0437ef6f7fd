"""The rules of the ABI compatibility policy as data: `conformance/abi/policy.toml`."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from dmconform.abi.policy_rule import PolicyRule
from dmconform.core import paths
from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.versions import Minor

FILE: Final = paths.ABI / "policy.toml"


class RuleText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a rule asks for, and what of it the data of two ABIs cannot show."""

    id: PolicyRule
    requirement: str  # an id of conformance/spec/requirements.toml
    statement: str
    not_judged: str = ""


@dataclass(frozen=True)
class AbiPolicy:
    """The policy: the first minor that it binds, how long something deprecated must stay, and the rules."""

    since: Minor
    releases_deprecated: int
    rules: tuple[RuleText, ...]

    def binds(self, host: Minor | None) -> bool:
        """Returns whether a host of this minor is bound; one whose minor is not known is taken for a later one."""
        return host is None or host >= self.since

    def earliest_removal(self, since: Minor) -> Minor:
        """Returns the first minor that may lack what is deprecated since another one."""
        return Minor(since.major, since.minor + self.releases_deprecated)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    since: str
    releases_deprecated: int
    rule: tuple[RuleText, ...]


@functools.cache
def load_policy(path: Path = FILE) -> AbiPolicy:
    """Reads the policy.

    Raises:
        DataFileError: it is missing or not of its format, or lacks a rule, or has one twice.
    """
    file = load_toml(path, _File)
    if sorted(one.id.value for one in file.rule) != sorted(one.value for one in PolicyRule):
        raise DataFileError(path, f"expected each of these rules once: {', '.join(one.value for one in PolicyRule)}")
    try:
        since = Minor.parse(file.since)
    except ValueError as error:
        raise DataFileError(path, str(error)) from None
    return AbiPolicy(since, file.releases_deprecated, file.rule)

"""How each case is made wrong: one file for each area, as the cases have."""

from __future__ import annotations

from dataclasses import dataclass

from dmconform.core.values import Language, Outcome

from tests.built import HOST
from tests.hosts.sabotage import Sabotage

NEWEST = "1.40.0"
"""The host of cases that show a defect of older ones."""


@dataclass(frozen=True)
class Wrong:
    """A set-up made wrong, and how the case must end then."""

    case: str
    how: str
    sabotage: Sabotage
    detail: str  # a regular expression
    outcome: Outcome = Outcome.FAIL
    language: Language = Language.CPP
    host: str = HOST  # where the case passes as long as nothing is wrong

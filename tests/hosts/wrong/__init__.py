"""How each case is made wrong: one file for each area, as the cases have."""

from __future__ import annotations

from dataclasses import dataclass

from dmconform.core.values import Language, Outcome

from tests.hosts.sabotage import Sabotage


@dataclass(frozen=True)
class Wrong:
    """A set-up made wrong, and how the case must end then."""

    case: str
    how: str
    sabotage: Sabotage
    detail: str  # a regular expression
    outcome: Outcome = Outcome.FAIL
    language: Language = Language.CPP

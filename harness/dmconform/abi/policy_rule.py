"""The rules of the ABI compatibility policy by their names; `policy.py` loads what they ask for."""

from __future__ import annotations

import enum


class PolicyRule(enum.Enum):
    """A rule that two states of the ABI can be judged by; its value names it in data, reports and command lines."""

    FROZEN = "frozen"
    ADDITION = "addition"
    OPTIONAL_HOOKS = "optional-hooks"
    ENUM_DIRECTION = "enum-direction"
    DEPRECATION = "deprecation"

"""All attacks, in the order in which they are made."""

from __future__ import annotations

from tests.attack.attack import Attack
from tests.attack.files.attacks import FILES

ATTACKS: tuple[Attack, ...] = (*FILES,)

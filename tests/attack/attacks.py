"""All attacks, in the order in which they are made."""

from __future__ import annotations

from tests.attack.attack import Attack
from tests.attack.files.attacks import FILES
from tests.attack.modules import ATTACK as MODULES
from tests.attack.surroundings import ATTACKS as SURROUNDINGS

ATTACKS: tuple[Attack, ...] = (*FILES, MODULES, *SURROUNDINGS)

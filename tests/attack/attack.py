"""What an attack is: tries, each seeded, with what it needed and what went wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Try:
    """What one try needed, and what went wrong."""

    failure: str | None  # a sentence; None if nothing
    processor_s: float
    wall_s: float
    memory_bytes: int


@dataclass(frozen=True)
class Attack:
    """An attack: its tries, how many the figures ask for, and the weight of its part of the time."""

    name: str  # such as "hostile modules"
    aim: int
    share: int
    attempt: Callable[[random.Random, Path], Try]  # its generator (seeded by seed, attack and number), a new empty folder

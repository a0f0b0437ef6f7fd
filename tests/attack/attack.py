"""What an attack is: many tries, each made by its own seeded generator, and each judged."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Try:
    """What one try needed, and what went wrong: a sentence, None if nothing."""

    failure: str | None
    processor_s: float
    wall_s: float
    memory_bytes: int


class Chance(random.Random):
    """The generator of a try; `number` counts the tries, from the seed on, for an attack whose tries take turns."""

    def __init__(self, seed: int, attack: str, number: int) -> None:
        super().__init__(f"{seed}/{attack}/{number}")
        self.number = seed + number


@dataclass(frozen=True)
class Attack:
    """One kind of hostile input or bad luck.

    Attributes:
        name: such as "mutated ELF files".
        aim: how many tries the figures ask for.
        share: the weight of its part of the time.
        attempt: makes one try, with a generator that depends on the seed, the attack and the number of the try, in a new empty
            folder. What it raises is a defect of the attack, not a failure.
    """

    name: str
    aim: int
    share: int
    attempt: Callable[[Chance, Path], Try]

    def chance(self, seed: int, number: int) -> Chance:
        """Returns the generator of a try."""
        return Chance(seed, self.name, number)

    @property
    def folder_name(self) -> str:
        """Its name as that of a folder."""
        return self.name.lower().replace(" ", "-")

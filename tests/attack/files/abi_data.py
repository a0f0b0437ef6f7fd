"""Changed ABI data through `abi diff`, in all its forms."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

from dmconform.core import paths

from tests.attack.attack import Attack, Try
from tests.attack.files.commands import attacked, imported
from tests.attack.files.data import mutated_json
from tests.unit.golden import FOLDER

_MINORS = ("1.36", "1.37", "1.38", "1.39", "1.40")


@cache
def _bases() -> tuple[str, ...]:
    real = [(paths.ABI / f"{minor}.json").read_text(encoding="utf-8") for minor in _MINORS]
    return ((FOLDER / "abi.json").read_text(encoding="utf-8"), *real)


def _attempt(chance: random.Random, folder: Path) -> Try:
    imported("abi_diff.operands", "abi_diff.render", "cli.output")
    file = folder / "abi.json"
    file.write_bytes(mutated_json(json.loads(chance.choice(_bases())), chance))
    other = chance.choice((*_MINORS, FOLDER / "abi.json", file))
    sides = chance.choice(((file, other), (other, file)))
    form = chance.choice(((), ("--json",), ("--markdown",), ("--all",)))
    return attacked("abi", "diff", *sides, *form, folder=folder)


ABI_DATA = Attack("mutated ABI data", 1_000, 2, _attempt)

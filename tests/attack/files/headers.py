"""Changed and hostile headers through `abi extract`: data or a sentence, and no text of another file."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from tests.attack.attack import Attack, Try
from tests.attack.files.commands import command, documented, imported
from tests.unit.abi_diff.hostile_headers import SECRET, SECRET_TEXT
from tests.unit.abi_diff.mutated_headers import made


def _attempt(chance: random.Random, folder: Path) -> Try:
    imported("abi_diff.extract", "cli.output")
    secret = folder / "other.h"
    secret.write_text(SECRET_TEXT)
    header = folder / "abi.h"
    header.write_bytes(made(chance.randrange(2), chance, secret))
    words = ("abi", "extract", header)
    ended = command(*words, folder=folder)
    found = ended.judged(documented(*words))
    if f'"envoy_dynamic_module_on_{SECRET}"'.encode() in ended.printed and SECRET.encode() not in header.read_bytes():
        return replace(found, failure="it reads another file")
    return found


HEADERS = Attack("mutated headers", 1_000, 3, _attempt)

"""Seeded mutations of headers."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

from tests.unit.abi_diff.hostile_headers import asking, harmless, reaching
from tests.unit.golden import FOLDER

LARGEST_BYTES = 3 << 20
ELSEWHERE = Path("/elsewhere/other.h")  # for a name that is the same everywhere, so that a seed makes the same headers
WORDS = (
    *(b"typedef ", b"struct ", b"enum ", b"union ", b"const ", b"static ", b"void ", b"int ", b"__attribute__((", b"_Generic("),
    *(b"*", b"(", b")", b"{", b"}", b"[", b"]", b";", b",", b"#", b"##", b"\\\n", b"\n", b"\0", b"\xff", b"\xef\xbb\xbf"),
    *(b"??=", b"%:", b'"', b"'", b"/*", b"*/", b"//", b"-1", b"0x", b"1<<63", b"1e999999", b"99999999999999999999"),
    *(b"#include ", b"#define ", b"#if ", b"#endif\n", b"#pragma ", b"_Pragma(", b"__has_include(", b"_Static_assert("),
    *(b"__COUNTER__ ", b"__FILE__ ", b"__builtin_"),
)


def mutated(text: bytes, chance: random.Random) -> bytes:
    """Changes a header in one to eight places; every other one only in its words, so that most of it is still C."""
    changed = bytearray(text)
    changes = chance.choice((_CHANGES, (_another_word,)))
    for _ in range(chance.randint(1, 8)):
        chance.choice(changes)(changed, chance)
    return bytes(changed[:LARGEST_BYTES])


def _part(changed: bytearray, chance: random.Random) -> slice:
    start = chance.randint(0, len(changed))
    return slice(start, start + chance.choice((1, 8, 80, 800)))


def _flip(changed: bytearray, chance: random.Random) -> None:
    if changed:
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)


def _remove(changed: bytearray, chance: random.Random) -> None:
    del changed[_part(changed, chance)]


def _insert(changed: bytearray, chance: random.Random) -> None:
    start = chance.randint(0, len(changed))
    changed[start:start] = chance.choice(WORDS)


def _replace(changed: bytearray, chance: random.Random) -> None:
    changed[_part(changed, chance)] = chance.choice(WORDS)


def _move(changed: bytearray, chance: random.Random) -> None:
    part = changed[_part(changed, chance)]
    start = chance.randint(0, len(changed))
    changed[start:start] = part


def _repeat(changed: bytearray, chance: random.Random) -> None:
    place = _part(changed, chance)
    changed[place] = changed[place] * chance.choice((2, 20, 2_000, 20_000))
    del changed[LARGEST_BYTES:]


def _another_word(changed: bytearray, chance: random.Random) -> None:
    words = list(re.finditer(rb"\w+", changed))
    if words:
        place = chance.choice(words)
        new = chance.choice((chance.choice(words)[0], chance.choice(words)[0], b"", b"void", b"int", b"0", b"*"))
        changed[place.start() : place.end()] = new


_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (_flip, _remove, _insert, _replace, _move, _repeat)


def made(number: int, chance: random.Random, secret: Path) -> bytes:
    """The header of a try: the golden one, or that with a hostile beginning, changed. `secret` is what no header may reach."""
    real = (FOLDER / "abi.h").read_bytes()
    hostile = [*reaching(ELSEWHERE).values(), *asking(ELSEWHERE).values(), *harmless(ELSEWHERE).values()]
    text = real if number % 2 else chance.choice(hostile) + real
    return mutated(text, chance).replace(bytes(ELSEWHERE), bytes(secret))

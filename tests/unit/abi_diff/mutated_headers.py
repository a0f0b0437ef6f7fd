"""Seeded mutations of headers through `dmconform abi extract`.

`PYTHONPATH=harness python -m tests.unit.abi_diff.mutated_headers TRIES [SEED]` tries as many as you like.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dmconform.core.errors import ExitCode

from tests.measured import Measured, run_measured
from tests.unit.abi_diff.hostile_headers import SECRET, SECRET_TEXT, asking, harmless, reaching
from tests.unit.golden import FOLDER

TIME_S = 5.0
MEMORY_BYTES = 200 << 20
LARGEST_BYTES = 3 << 20
ELSEWHERE = Path("/elsewhere/other.h")  # for a name that is the same everywhere, so that a seed makes the same headers
WORDS = (
    *(b"typedef ", b"struct ", b"enum ", b"union ", b"const ", b"static ", b"void ", b"int ", b"__attribute__((", b"_Generic("),
    *(b"*", b"(", b")", b"{", b"}", b"[", b"]", b";", b",", b"#", b"##", b"\\\n", b"\n", b"\0", b"\xff", b"\xef\xbb\xbf"),
    *(b"??=", b"%:", b'"', b"'", b"/*", b"*/", b"//", b"-1", b"0x", b"1<<63", b"1e999999", b"99999999999999999999"),
    *(b"#include ", b"#define ", b"#if ", b"#endif\n", b"#pragma ", b"_Pragma(", b"__has_include(", b"_Static_assert("),
    *(b"__COUNTER__ ", b"__FILE__ ", b"__builtin_"),
)


@dataclass(frozen=True)
class Worst:
    """What many calls needed at most, and what went wrong: a sentence each."""

    processor_s: float = 0.0
    wall_s: float = 0.0
    memory_bytes: int = 0
    exit_codes: tuple[int, ...] = ()
    failures: tuple[str, ...] = ()


def extracted(header: Path) -> Measured:
    """Runs `dmconform abi extract HEADER`, and measures it."""
    return run_measured("abi", "extract", header)


def mutated(text: bytes, chance: random.Random) -> bytes:
    """Changes a header in one to eight places."""
    changed = bytearray(text)
    for _ in range(chance.randint(1, 8)):
        chance.choice(_CHANGES)(changed, chance)
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


_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (_flip, _remove, _insert, _replace, _move, _repeat)


def attack(tries: int, seed: int, folder: Path) -> Worst:
    """Extracts `tries` mutated headers; `folder` is for the files. The same seed makes the same headers."""
    chance = random.Random(seed)
    secret = folder / "other.h"
    secret.write_text(SECRET_TEXT)
    header = folder / "abi.h"
    real = (FOLDER / "abi.h").read_bytes()
    hostile = [*reaching(ELSEWHERE).values(), *asking(ELSEWHERE).values(), *harmless(ELSEWHERE).values()]
    calls, failures = [], []
    for number in range(tries):
        text = real if number % 2 else chance.choice(hostile) + real
        header.write_bytes(mutated(text, chance).replace(bytes(ELSEWHERE), bytes(secret)))
        call = extracted(header)
        calls.append(call)
        if call.exit_code not in (ExitCode.OK, ExitCode.USAGE, ExitCode.ERROR) or "Traceback" in call.output:
            failures.append(f"header {number} of seed {seed} ends with {call.exit_code}: {call.output[-500:]}")
        if f'"envoy_dynamic_module_on_{SECRET}"' in call.output and SECRET.encode() not in header.read_bytes():
            failures.append(f"header {number} of seed {seed} reads another file")
    return Worst(
        max(call.processor_s for call in calls),
        max(call.wall_s for call in calls),
        max(call.memory_bytes for call in calls),
        tuple(sorted(call.exit_code for call in calls)),
        tuple(failures),
    )


def main() -> None:
    """Runs the program: see the module's text."""
    tries, seed = int(sys.argv[1]), int((*sys.argv, "14")[2])
    with tempfile.TemporaryDirectory() as folder:
        worst = attack(tries, seed, Path(folder))
    codes = ", ".join(f"{worst.exit_codes.count(code)} times {code}" for code in sorted({*worst.exit_codes}))
    print(f"{tries} mutated headers of seed {seed}: {len(worst.failures)} failures; exit codes: {codes}")
    print(f"worst: {worst.processor_s:.2f} s of processor time, {worst.wall_s:.2f} s, {worst.memory_bytes >> 20} MiB")
    print(*worst.failures, sep="\n")


if __name__ == "__main__":
    main()

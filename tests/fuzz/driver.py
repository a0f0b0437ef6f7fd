"""Fuzzes one target in this process, for some seconds; ends with a code that is not 0 at the first defect, and keeps its file.

With atheris, coverage of the package leads the way; without it, files are changed by chance alone.

    python -m tests.fuzz.driver TARGET SECONDS SEED FOLDER
"""

from __future__ import annotations

import contextlib
import faulthandler
import hashlib
import importlib
import random
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.fuzz.targets import Target

ONE_S: Final = 10  # for one file
MEMORY_MIB: Final = 1024  # of all
LARGEST_BYTES: Final = 1 << 16
FOUND: Final = 3
"""The exit code where a defect was found."""


def _atheris() -> ModuleType | None:
    try:
        return importlib.import_module("atheris")
    except ImportError:
        return None


def _by_coverage(atheris: ModuleType, name: str, seconds: int, seed: int, folder: Path) -> None:
    """Never returns: libFuzzer ends the process."""
    with atheris.instrument_imports(include=["dmconform"]):
        target = importlib.import_module("tests.fuzz.targets").TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for data in target.corpus(name):
        (corpus / hashlib.sha256(data).hexdigest()).write_bytes(data)
    path = folder / "file"

    def one(data: bytes) -> None:
        path.write_bytes(data)
        target.run(path)

    words = [
        *("fuzz", str(corpus), f"-max_total_time={seconds}", f"-seed={seed}", f"-timeout={ONE_S}", f"-max_len={LARGEST_BYTES}"),
        *(f"-rss_limit_mb={MEMORY_MIB}", f"-artifact_prefix={folder}/found-", "-print_final_stats=1", "-verbosity=1"),
    ]
    atheris.Setup(words, one)
    atheris.Fuzz()


def mutants(chance: random.Random, corpus: list[bytes]) -> Iterator[bytes]:
    """Yields changed files without end: bytes changed, pieces repeated, left out or taken from another file."""
    while True:
        data = bytearray(chance.choice(corpus))
        for _ in range(chance.choice((1, 1, 2, 4, 8))):
            start = chance.randrange(len(data) + 1)
            end = min(len(data), start + chance.choice((1, 1, 4, 8, 64)))
            other = chance.choice(corpus)
            place = chance.randrange(len(other) + 1)
            with contextlib.suppress(IndexError):
                match chance.randrange(5):
                    case 0:
                        data[start] = chance.randrange(256)
                    case 1:
                        data[start] ^= 1 << chance.randrange(8)
                    case 2:
                        del data[start:end]
                    case 3:
                        data[start:start] = data[start:end] * chance.choice((1, 2, 100))
                    case _:
                        data[start:end] = other[place : place + end - start]
        yield bytes(data[:LARGEST_BYTES])


def _by_chance(name: str, seconds: int, seed: int, folder: Path) -> int:
    target: Target = importlib.import_module("tests.fuzz.targets").TARGETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "file"
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MIB << 20, hard))
    end, tries = time.monotonic() + seconds, 0
    corpus = target.corpus(name)
    for data in mutants(random.Random(seed), corpus):
        if time.monotonic() >= end:
            break
        path.write_bytes(data)
        tries += 1
        faulthandler.dump_traceback_later(ONE_S, exit=True)
        try:
            target.run(path)
        except BaseException:
            kept = path.rename(folder / f"found-{hashlib.sha256(data).hexdigest()[:16]}")
            print(f"{name}: a defect after {tries} files; the file: {kept}", file=sys.stderr)
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()
    print(f"{name}: {tries} files, by chance alone; seed {seed}")
    return 0


def main() -> int:
    """Returns the exit code."""
    name, seconds, seed, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    atheris = _atheris()
    if atheris is not None:
        _by_coverage(atheris, name, seconds, seed, folder)
    return _by_chance(name, seconds, seed, folder)


if __name__ == "__main__":
    sys.exit(main())

"""Writes the expected texts of the corpus anew: `python -m tests.corpus.update`, with or without ids of some files.

Read the change before keeping it.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.built import build_everything, probes_of
from tests.corpus.catalogue import ENTRIES
from tests.corpus.golden import COLUMNS, GOLDEN, golden_file, transcript
from tests.corpus.making import Workplace


def main(wanted: list[str]) -> int:
    """Returns an exit code."""
    unknown = sorted(set(wanted) - {entry.id for entry in ENTRIES})
    if unknown:
        print(f"{' '.join(unknown)}: expected ids of tests/corpus/catalogue.py", file=sys.stderr)
        return 2
    os.environ["COLUMNS"] = COLUMNS
    with tempfile.TemporaryDirectory(prefix="dmconform-corpus-") as name:
        folder = Path(name)

        @functools.cache
        def probes() -> Mapping[str, Path]:
            plan = folder / "plan"
            plan.mkdir()
            return probes_of(build_everything(plan))

        place = Workplace(folder / "shared", probes)
        for entry in ENTRIES:
            if not wanted or entry.id in wanted:
                made = folder / entry.id
                made.mkdir()
                text, file = transcript(entry, place, made), golden_file(entry)
                if not file.exists() or file.read_text(encoding="utf-8") != text:
                    print(f"{file.name} changes")
                    file.write_text(text, encoding="utf-8")
    if not wanted:
        for file in set(GOLDEN.glob("*.txt")) - {golden_file(entry) for entry in ENTRIES}:
            print(f"{file.name} goes: no file of the corpus has that id")
            file.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

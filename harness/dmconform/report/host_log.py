"""What of a host's log matters in a report: inconsistencies and panics, not the start, stacks and dumps of requests."""

from __future__ import annotations

import re
from pathlib import Path

MOST_LINES = 12
LONGEST_LINE = 700
MOST_BYTES = 1 << 20  # of the end of the file
_LINE = re.compile(r"\[\d{4}-\d\d-\d\d [\d:.]+\]\[\d+\](\[(\w+)\]\[(\w+)\]) (?:\[[^\]]*\] )?(.*)")
_FRAME = re.compile(r"\s+(?:\d+:\s+0x|at \S)|\t\S+:\d+")
"""A frame of a stack as Rust and Go write it."""
_LOUD = ("warning", "error", "critical")
_EVERY_START = ("There is no configured limit to the number of allowed active downstream connections",)


def log_lines(log: Path) -> tuple[str, ...]:
    """The last lines of an Envoy's log that matter, without time and thread, so that those of several cells are alike.

    Lines of Envoy's logger count from warnings on, those about dynamic modules always. What others write (modules, the dynamic
    linker, the language's runtime) counts, but for stacks and the dump that follows Envoy's own. Empty where there is no such
    file.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - MOST_BYTES))
            text = file.read(MOST_BYTES).decode(errors="replace")
    except OSError:
        return ()
    kept: list[str] = []
    in_dump = False
    for line in text.split("\n"):
        found = _LINE.match(line)
        if found is None:
            if line.strip() and not in_dump and not _FRAME.match(line):
                kept.append(line.rstrip())
            continue
        head, level, category, said = found.groups()
        in_dump = category == "backtrace"
        if not in_dump and (level in _LOUD or category == "dynamic_modules") and not said.startswith(_EVERY_START):
            kept.append(f"{head} {said}".rstrip())
    return tuple(line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "…" for line in kept[-MOST_LINES:])

"""What of a host's log matters in a report: inconsistencies and panics, not the start, stacks and dumps of requests."""

from __future__ import annotations

import re
from pathlib import Path

from dmconform.core.regular import read_regular
from dmconform.envoy.log_lines import CAUGHT, LOUD, MODULES, RUNTIME_FRAME, STACK_FRAME, parse_line

MOST_LINES = 12
LONGEST_LINE = 700
MOST_BYTES = 1 << 20  # of the end of the file
_FRAME = re.compile(RUNTIME_FRAME)
_ADDRESS = re.compile(r"0x[0-9a-f]{4,}")
MOST_FRAMES = 5
LINES_SHOWN, LINES_BEFORE_CRASH = 25, 10
_EVERY_START = ("There is no configured limit to the number of allowed active downstream connections",)


def log_lines(log: Path) -> tuple[str, ...]:
    """Returns the last lines of an Envoy's log that matter, without time and thread, so that those of several cells are alike.

    Lines of Envoy's logger count from warnings on, those about dynamic modules always. What others write (modules, the dynamic
    linker, the language's runtime) counts, but for stacks and the dump that follows Envoy's own. Of a crash, the line that says
    what was caught counts, and the functions that have a name on top of the stack. Empty where there is no such file.
    """
    try:
        text = read_regular(log)[-MOST_BYTES:].decode(errors="replace")
    except OSError:
        return ()
    kept: list[str] = []
    in_dump, frames = False, 0
    for line in text.split("\n"):
        found = parse_line(line)
        if found is None:
            if line.strip() and not in_dump and not _FRAME.match(line):
                kept.append(line.rstrip())
            continue
        head, text = f"[{found.level}][{found.logger}]", found.text
        in_dump = found.logger == "backtrace"
        if in_dump and text.startswith("Caught "):
            kept.append(f"{head} {_ADDRESS.sub('0x…', text)}")
            frames = 0
        elif in_dump and frames < MOST_FRAMES and (frame := STACK_FRAME.fullmatch(text)):
            kept.append(f"{head} {text.partition(':')[0]}: {frame['function']}")
            frames += 1
        if not in_dump and (found.level in LOUD or found.logger == MODULES) and not text.startswith(_EVERY_START):
            kept.append(f"{head} {text}".rstrip())
    return tuple(line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "…" for line in kept[-MOST_LINES:])


def shown_lines(log: Path) -> tuple[str, ...]:
    """Returns what a person needs of a log: from the crash of the host on, or else its end.

    The beginning of what follows a crash names the signal and the top of the stack; the lines before it are the module's.
    """
    try:
        lines = read_regular(log).decode(errors="replace").splitlines()
    except OSError:
        return ()
    crash = next((number for number, line in enumerate(lines) if CAUGHT in line), None)
    if crash is None:
        return tuple(lines[-LINES_SHOWN:])
    before = [line for line in lines[:crash] if not _FRAME.match(line)]
    return (*before[-LINES_BEFORE_CRASH:], *lines[crash : crash + LINES_SHOWN])

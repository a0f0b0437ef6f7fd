"""The text that a check of a file of the corpus prints, without what differs from one machine or day to the next."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

from tests.check_cli import dmconform_check
from tests.corpus.catalogue import Entry
from tests.corpus.making import Workplace

GOLDEN: Final = Path(__file__).parent / "golden"
COLUMNS: Final = "160"
"""The width of the terminal, in the variable of that name; whoever makes a transcript sets it."""
EVERYWHERE: Final = ("--host", "all")
_MASKS: Final = (
    (re.compile(r"\b\d+ bytes\b"), "SIZE bytes"),
    (re.compile(r"(?<=sha256:)[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r"\b0x[0-9a-f]{6,}\b"), "ADDRESS"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"(?m)^\[ *\d+\.\d+ s\] "), "[TIME] "),
    (re.compile(r"\b\d+\.\d+ s\b"), "TIME"),
    (re.compile(r"(?<=this machine's goes up to )GLIBC_[\d.]+ \([^)]*\)"), "VERSION"),
    (re.compile(r"\bGCC: \([^)]*\) [\d.]+"), "GCC: VERSION"),
)


def golden_file(entry: Entry) -> Path:
    """The file with what is expected."""
    return GOLDEN / f"{entry.id}.txt"


def transcript(entry: Entry, place: Workplace, folder: Path) -> str:
    """Makes a file of the corpus in an empty folder and checks it twice on all hosts: only read, and run.

    Args:
        entry: the file.
        place: what makes it.
        folder: where it is made.
    """
    file = folder / entry.name
    entry.way.make(place, file)
    options = [one.replace("FOLDER", str(folder)) for one in entry.options]
    parts = [f"{entry.intent}.\n"]
    for more in (("--no-run", *EVERYWHERE), EVERYWHERE):
        done = dmconform_check(file, *options, *more)
        command = shlex.join(["dmconform", "check", entry.name, *entry.options, *more])
        text = done.printed + (f"--- standard error\n{done.errors}" if done.errors else "")
        parts.append(f"$ {visible(command)}\n{text.rstrip()}\n--- exit code {done.exit_code}\n")
    return masked("\n".join(parts), folder)


def masked(text: str, folder: Path) -> str:
    """A text without sizes, hashes, addresses, ports, durations, and the path of a folder; nor blanks at the end of lines."""
    text = text.replace(str(folder), "FOLDER")
    for pattern, name in _MASKS:
        text = pattern.sub(name, text)
    return "".join(f"{visible(line).rstrip()}\n" for line in text.split("\n")[:-1])


def visible(text: str) -> str:
    """A text in one line, whose control characters are escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)

"""What differs from run to run without meaning anything, taken out of a text, so that what has one cause is one thing."""

from __future__ import annotations

import re

from dmconform.core.text import first_line

# Addresses, ports, process ids, durations, the place of a log line, and the listener: a refusal is asked for once, so that it
# may be that of another cell.
_VARIES = re.compile(
    r"0x[0-9a-f]+|127\.0\.0\.1:\d+|\b\d+(\.\d+)?\s?(ms|s|us)\b|\bpid \d+|\.(cc|h|go|rs):\d+|(?<=listener\(s\) )\w+(?=:)"
)

# A cell's folder, as older reports write it.
_CELL_FOLDER = re.compile(r"\$REPORT/evidence(/[^/\s]+){4}")


def without_chance(detail: str) -> str:
    """Returns the first line of a detail without what varies from run to run."""
    return _VARIES.sub("…", _CELL_FOLDER.sub("$CELL", first_line(detail)))

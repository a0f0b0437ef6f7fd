"""The form of an Envoy's log: its lines, the head of a crash, frames of stacks, and which lines the host itself wrote.

A module shares the host's process, so that it could imitate them to the letter; by accident it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LOUD: Final = ("warning", "error", "critical")
MODULES: Final = "dynamic_modules"
"""The logger of what the host writes about modules, and of what modules log."""
CAUGHT: Final = "] Caught "
"""What Envoy's logger prints first of a crash: `Caught Segmentation fault, suspect faulting address 0x0`."""
RUNTIME_FRAME: Final = r"\s+(?:\d+:\s+0x|at \S)|\t\S+:\d+"
"""A frame of a stack as Rust and Go write it."""
STACK_FRAME: Final = re.compile(r"#\d+: (?P<function>[^\[\s].*?)(?: \[0x[0-9a-f]+\].*)?")
"""A frame with a name, as the text of a line of Envoy's own stack."""

_OWN_SOURCE: Final = "/dynamic_modules.cc:"
"""The host's source that loads modules. What they log has the same logger, and another source or none."""
_LINE: Final = re.compile(
    r"\[\d{4}-\d\d-\d\d [\d:.]+\]\[\d+\]\[(?P<level>\w+)\]\[(?P<logger>\w+)\] (?:\[(?P<source>[^\]]*)\] )?(?P<text>.*)"
)


@dataclass(frozen=True)
class LogLine:
    """A line of Envoy's logger."""

    level: str
    logger: str
    source: str  # file and line; empty where there is none
    text: str


def parse_line(line: str) -> LogLine | None:
    """Returns a line of Envoy's logger; None for what others write, and for what continues a line."""
    found = _LINE.match(line)
    return found and LogLine(found["level"], found["logger"], found["source"] or "", found["text"])


def host_lines(log: str) -> Iterator[str]:
    """Yields the text of the lines that the host wrote about itself, without time, level and place."""
    for line in map(parse_line, log.splitlines()):
        if line is not None and (line.logger != MODULES or _OWN_SOURCE in line.source):
            yield line.text

"""The lines of a log that the host itself wrote: what a module prints or logs decides nothing.

A module shares the host's process, so that it could imitate them to the letter; by accident it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_LINE: Final = re.compile(
    r"\[\d{4}-\d\d-\d\d [\d:.]+\]\[\d+\]\[\w+\]\[(?P<logger>\w+)\] (?:\[(?P<source>[^\]]*)\] )?(?P<text>.*)"
)
_LOGGER_OF_MODULES: Final = "dynamic_modules"
_OWN_SOURCE: Final = "/dynamic_modules.cc:"
"""The host's source that loads modules. What they log has the same logger, and another source or none."""


def host_lines(log: str) -> Iterator[str]:
    """Yields the text of the lines that the host wrote about itself, without time, level and place."""
    for line in log.splitlines():
        found = _LINE.match(line)
        if found and (found["logger"] != _LOGGER_OF_MODULES or _OWN_SOURCE in (found["source"] or "")):
            yield found["text"]

"""Where a known failure or a finding is reported: a public page, or the day on which no report was found."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final

from dmconform.core.errors import DataFileError

NOT_REPORTED: Final = "not reported"
ADDRESS: Final = re.compile(r"https://[A-Za-z0-9.-]+\.[a-z]+/[!-~]+")
"""The address of a page about one thing; that of a whole site is not enough."""
_ON_GITHUB: Final = re.compile(r"https://github\.com/(?P<where>[\w.-]+/[\w.-]+)/(?:issues|pull)/(?P<number>\d+)(?:#[\w-]+)?")


def check_issue(path: Path, name: str, issue: str, looked_for: date | None) -> None:
    """Checks the `issue` and `looked_for` of a record.

    Args:
        path: the file with the record.
        name: the id of the record.
        issue: an address, or that it is not reported.
        looked_for: the day on which a report was looked for.

    Raises:
        DataFileError: it is neither, or the day is missing or has no meaning.
    """
    if issue != NOT_REPORTED and ADDRESS.fullmatch(issue) is None:
        found = repr(issue) if issue else "none"
        raise DataFileError(path, f'{name}: expected issue = "https://…" or issue = "{NOT_REPORTED}", found {found}')
    if issue == NOT_REPORTED and looked_for is None:
        raise DataFileError(path, f"{name}: not reported: expected looked_for, the day on which a report was looked for")
    if issue != NOT_REPORTED and looked_for is not None:
        raise DataFileError(path, f'{name}: looked_for is for issue = "{NOT_REPORTED}" only; remove one of the two')


def short_issue(issue: str) -> str:
    """Returns how an address is named in a text: `envoyproxy/envoy#47544`; another address as it is."""
    found = _ON_GITHUB.fullmatch(issue)
    return f"{found['where']}#{found['number']}" if found else issue

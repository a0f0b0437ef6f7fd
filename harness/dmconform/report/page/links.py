"""Addresses within the page, below the report's folder, and of places that others may name."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from dmconform.core.text import plain
from dmconform.report.schema import CaseEntry, Environment


def cell_fragment(cell: str) -> str:
    """Returns the fragment of a cell's permalink, for the cell's id: `#` + this."""
    return "cell=" + quote(plain(cell), safe="/@:~._-")


def filter_link(**lists: str | None) -> str:
    """Returns an address that sets filters of the page, by their names; those that are None are left out."""
    return "#" + "&".join(f"{name}={quote(plain(value), safe='@:~._-')}" for name, value in lists.items() if value is not None)


def relative_link(path: str | None) -> str | None:
    """Returns `path` as an address below the report's folder, or None where it leads anywhere else."""
    if not path or path.startswith("/") or ".." in path.split("/") or "\\" in path:
        return None
    # A colon is left out, as the text before it could be taken for a scheme.
    return "./" + quote(path, safe="/@~._-", errors="backslashreplace")


def is_there(beside: Path | None, place: str | None) -> bool:
    """Returns whether a page in the folder `beside` can link to a place that its report names; None: to every one."""
    if not place or relative_link(place) is None:
        return False
    return beside is None or (beside / place).exists()


def case_source(environment: Environment, case: CaseEntry | None) -> str | None:
    """Returns the address of a case's source at the suite's commit, or None where the report does not show it.

    A clone with changes has another source than its commit.
    """
    commit = environment.suite_commit
    if not environment.repository or case is None or not case.line or not re.fullmatch("[0-9a-f]{40}", commit):
        return None
    area = quote(case.id.partition("/")[0], safe="")
    return web_link(f"{environment.repository}/blob/{commit}/conformance/cases/test_{area}.py#L{case.line}")


def web_link(address: str | None) -> str | None:
    """Returns an address of the web as it may be linked to, or None where a report names anything else."""
    if not address or plain(address) != address or any(one.isspace() or one in "\"'<>\\" for one in address):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc else None

"""What a run tests, by name: the commit and build type of each host, repository and commit of each official SDK."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dmconform.matrix.plan import PlannedHost

SHOWN_DIGITS = 10
"""Of a commit, in one line of a terminal."""


def host_lines(hosts: Iterable[PlannedHost]) -> Iterator[str]:
    """Yields a line for each host that is there: what its binary reports of itself."""
    for one in hosts:
        host = one.host
        if one.problem is None:
            yield f"host {host.label}: commit {host.commit[:SHOWN_DIGITS]}, {host.build_type} build; {host.origin}"

"""What headers have announced as deprecated, since when, and when it may go at the earliest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dmconform.abi.policy import AbiPolicy
from dmconform.abi.types import Abi, Deprecation
from dmconform.core.versions import Minor


@dataclass(frozen=True)
class Deprecated:
    """A function or type that a header marks as deprecated.

    `since` is what the header says, else the first minor whose header has the mark. `earliest_removal` is what the header says,
    but not before the policy allows it.
    """

    name: str
    since: Minor
    earliest_removal: Minor
    replacement: tuple[str, ...]


def deprecations(abis: Mapping[Minor, Abi], policy: AbiPolicy) -> dict[str, Deprecated]:
    """Returns what the headers of these minors mark as deprecated, by name.

    A mark holds for all later minors: of one whose own header is not at hand, the comments are not known.
    """
    found: dict[str, Deprecated] = {}
    for minor in sorted(abis):
        for one in (*abis[minor].functions, *abis[minor].types):
            if one.deprecated is not None and one.name not in found:
                found[one.name] = deprecated_as(one.name, one.deprecated, minor, policy)
    return found


def deprecated_as(name: str, announced: Deprecation, first_seen: Minor, policy: AbiPolicy) -> Deprecated:
    """Returns what an announcement means.

    Args:
        name: of the function or type.
        announced: what the header says.
        first_seen: the minor of the header; counts where the header says nothing of the time.
        policy: how long something deprecated must stay.
    """
    since = _minor(announced.since) or first_seen
    floor = policy.earliest_removal(since)
    return Deprecated(name, since, max(floor, _minor(announced.earliest_removal) or floor), announced.replacement)


def _minor(text: str | None) -> Minor | None:
    return Minor.parse(text) if text is not None else None

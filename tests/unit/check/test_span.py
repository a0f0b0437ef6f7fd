"""The range in which a module works."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from dmconform.binaries.facts import StaticKind, StaticVerdict
from dmconform.check.result import HostEntry, HostVerdict
from dmconform.check.span import Releases, span_of

KNOWN = ("1.36.4", "1.37.0", "1.38.2", "1.38.3", "1.39.0", "1.39.3", "1.40.0")
RELEASES = Releases(KNOWN, ("1.38.0", "1.38.4", "1.39.2", "1.40.1"), ("1.39.0",))
VERDICTS = {
    "w": HostVerdict.WORKS,
    "-": HostVerdict.BREAKS,
    "?": HostVerdict.UNDECIDED,
    "b": HostVerdict.WORKS,
    "e": HostVerdict.ERRORS,
}


def hosts(*marks: str) -> Sequence[HostEntry]:
    """Hosts written `RELEASE=w|-|?|b`; `b` works as far as it was driven, with an unresolved symbol."""
    entries = []
    for mark in marks:
        release, _, how = mark.partition("=")
        static = StaticVerdict(StaticKind.UNRESOLVED if how == "b" else StaticKind.LOADS, "")
        entries.append(HostEntry(f"{release}~1", release, "", static, (), VERDICTS[how], ""))
    return entries


@pytest.mark.parametrize(
    ("seen", "first", "last"),
    [
        (("1.39.3=w",), "1.39.3", "1.39.3"),
        (("1.36.4=-", "1.38.3=w", "1.39.3=w", "1.40.0=w"), "1.38.3", "1.40.0"),
        (("1.40.0=w", "1.38.3=w", "1.39.3=w"), "1.38.3", "1.40.0"),  # the order asked for is another
        (("1.38.3=w", "1.39.3=w", "1.40.0=-"), "1.38.3", "1.39.3"),
        (("1.38.3=w", "1.39.3=-", "1.40.0=w"), None, None),  # a gap
        (("1.38.3=w", "1.39.3=?", "1.40.0=w"), None, None),  # what was not judged is no bridge
        (("1.38.3=?", "1.39.3=w", "1.40.0=?"), "1.39.3", "1.39.3"),
        (("1.38.3=-", "1.39.3=-"), None, None),
        (("1.38.3=w", "1.39.3=e", "1.40.0=w"), None, None),  # nor what works with errors
        (("1.38.3=b", "1.39.3=w", "1.40.0=w"), "1.39.3", "1.40.0"),  # an unresolved symbol does not count …
        (("1.37.0=-", "1.38.3=b", "1.39.3=b"), "1.38.3", "1.39.3"),  # … unless there is nothing better
        (("1.39.3=w", "1.39.3=-", "1.40.0=w"), "1.40.0", "1.40.0"),  # two hosts of one release, one of which refuses
        (("1.9.0=w", "1.10.0=w"), "1.9.0", "1.10.0"),  # numbers, not text
        (("1.40.0=-", "1.41.0-dev=w", "1.41.0=w"), "1.41.0-dev", "1.41.0"),  # a development build comes before its release
        (("1.40.0=w", "1.41.0-dev=w", "1.41.0=-"), "1.40.0", "1.41.0-dev"),
    ],
)
def test_the_range(seen: tuple[str, ...], first: str | None, last: str | None) -> None:
    span = span_of(hosts(*seen), RELEASES, measured=True)
    assert (span.min_envoy_version, span.max_envoy_version) == (first, last)


def test_the_parts_of_a_range_with_gaps() -> None:
    span = span_of(hosts("1.36.4=w", "1.37.0=-", "1.38.3=w", "1.39.3=w", "1.40.0=?"), RELEASES, measured=True)
    assert span.islands == (("1.36.4", "1.36.4"), ("1.38.3", "1.39.3"))
    assert (span.works, span.breaks, span.undecided) == (("1.36.4", "1.38.3", "1.39.3"), ("1.37.0",), ("1.40.0",))


def test_known_releases_that_were_not_asked_for_are_named_only_inside_of_the_range() -> None:
    assert span_of(hosts("1.38.2=w", "1.39.3=w"), RELEASES, measured=True).between == ("1.38.3", "1.39.0")
    assert span_of(hosts("1.38.2=w", "1.39.3=-", "1.40.0=w"), RELEASES, measured=True).between == ()


def test_unresolved_symbols_are_named() -> None:
    span = span_of(hosts("1.38.3=b", "1.39.3=w"), RELEASES, measured=False)
    assert (span.unresolved, span.works, span.measured) == (("1.38.3",), ("1.38.3", "1.39.3"), False)


def test_releases_that_no_registry_has_are_named_next_to_the_range() -> None:
    assert span_of(hosts("1.38.2=w", "1.39.3=w"), RELEASES, measured=True).not_available == ("1.38.0", "1.38.4", "1.39.2")
    assert span_of(hosts("1.37.0=w", "1.39.3=w"), RELEASES, measured=True).not_available == ("1.38.0", "1.38.4", "1.39.2")
    assert span_of(hosts("1.36.4=w", "1.37.0=-"), RELEASES, measured=True).not_available == ()


def test_hosts_that_are_expected_to_load_it_are_named_where_it_works_on_none() -> None:
    assert span_of(hosts("1.37.0=-", "1.40.0=-"), RELEASES, measured=True).expected == ("1.39.0",)
    assert span_of(hosts("1.39.0=-", "1.40.0=-"), RELEASES, measured=True).expected == (), "it was asked for"
    assert span_of(hosts("1.37.0=-", "1.40.0=w"), RELEASES, measured=True).expected == ()

"""Puts what a release exports besides callbacks into the text of `conformance/host_exports.toml`; comments at its top stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec
import tomlkit

from dmconform.binaries.known import Exports
from dmconform.core.versions import Release
from dmconform.hosts.record import names_list


def with_exports(text: str, known: Iterable[str], release: str, names: frozenset[str]) -> str:
    """Returns the text of the file with the names that a release exports, in the place of older ones.

    A name that all releases export is in `common`; others are listed by the releases that export them.

    Args:
        text: of the file.
        known: all releases that are recorded; the file names only those that export more than others.
        release: the one to put in.
        names: what it exports besides callbacks.
    """
    old = msgspec.toml.decode(text, type=Exports)
    by_release = {one: old.of(one) for one in known} | {release: names}
    common, own = _grouped(by_release)
    document = tomlkit.parse(text)
    if common != old.common:
        document["common"] = tomlkit.parse(f"common = {names_list(sorted(common))}\n")["common"]
    head = document.as_string().partition("\n[[own]]\n")[0].rstrip("\n")
    entries = [f"[[own]]\nreleases = {names_list(releases)}\nnames = {names_list(found)}\n" for releases, found in own]
    return "\n\n".join([head, *(entry.rstrip("\n") for entry in entries)]) + "\n"


def _grouped(by_release: Mapping[str, frozenset[str]]) -> tuple[frozenset[str], list[tuple[list[str], list[str]]]]:
    """Returns the names of all releases, and the others by the releases that have them."""
    common = frozenset.intersection(*by_release.values())
    exporters: dict[str, list[str]] = defaultdict(list)
    for release in sorted(by_release, key=Release.parse):
        for name in by_release[release] - common:
            exporters[name].append(release)
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, releases in sorted(exporters.items()):
        groups[tuple(releases)].append(name)
    ordered = sorted(groups.items(), key=lambda group: [Release.parse(release) for release in group[0]])
    return common, [(list(releases), names) for releases, names in ordered]

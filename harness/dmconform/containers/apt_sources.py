"""The Debian sources of this machine's own package manager, of which only those for Debian's release are handed on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path("/etc/apt/sources.list")
PARTS = Path("/etc/apt/sources.list.d")
ARCHIVE_KEYRING = "debian-archive-"
"""How the names of Debian's own keyrings begin; a source that is signed with another key is not Debian's."""
COMPONENT = "main"


@dataclass(frozen=True)
class PackageSource:
    """A place that packages of the release come from."""

    uri: str
    suites: tuple[str, ...]
    signed_by: str | None

    def render(self) -> str:
        """Renders the source in the format of a `.sources` file."""
        lines = ["Types: deb", f"URIs: {self.uri}", f"Suites: {' '.join(self.suites)}", f"Components: {COMPONENT}"]
        if self.signed_by is not None:
            lines.append(f"Signed-By: {self.signed_by}")
        return "\n".join(lines) + "\n"


def render(sources: Iterable[PackageSource]) -> bytes:
    """Renders a `.sources` file with all the sources."""
    return "\n".join(source.render() for source in sources).encode()


def machine_sources(release: str, file: Path = SOURCES, parts: Path = PARTS) -> tuple[PackageSource, ...]:
    """Returns what this machine's package manager has for a release of Debian; empty if it has nothing."""
    found: list[PackageSource] = []
    paths = [file, *sorted(parts.glob("*.list")), *sorted(parts.glob("*.sources"))]
    for path in paths:
        if path.is_file():
            text = path.read_text(errors="replace", encoding="utf-8")
            entries = stanzas(text) if path.suffix == ".sources" else lines(text)
            found += [source for entry in entries for source in debian_part(entry, release)]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class SourceEntry:
    """An entry of either format, before anything is left out."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str | None


def debian_part(entry: SourceEntry, release: str) -> Iterator[PackageSource]:
    """Yields what of an entry is Debian's own, of the release, its updates and its security updates."""
    wanted = (release, f"{release}-updates", f"{release}-security")
    suites = tuple(suite for suite in entry.suites if suite in wanted)
    signed_by_debian = entry.signed_by is None or ARCHIVE_KEYRING in entry.signed_by
    if suites and COMPONENT in entry.components and signed_by_debian:
        for uri in entry.uris:
            yield PackageSource(uri, suites, entry.signed_by)


def stanzas(text: str) -> Iterator[SourceEntry]:
    """Yields the enabled binary entries of a `.sources` file."""
    for block in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():  # goes on from the line before
                fields[key] = f"{fields.get(key, '')} {line.strip()}"
            elif ":" in line:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                fields[key] = value.strip()
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() not in (
            "no",
            "false",
            "0",
        ):
            yield SourceEntry(
                uris=tuple(fields.get("uris", "").split()),
                suites=tuple(fields.get("suites", "").split()),
                components=tuple(fields.get("components", "").split()),
                signed_by=fields.get("signed-by") or None,
            )


def lines(text: str) -> Iterator[SourceEntry]:
    """Yields the binary entries of a `.list` file: `deb [OPTIONS] URI SUITE COMPONENT...`."""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<rest>[^#]*)", line)
        words = match["rest"].split() if match else []
        if match and len(words) >= 3:
            options = dict(option.partition("=")[::2] for option in (match["options"] or "").split())
            yield SourceEntry((words[0],), (words[1],), tuple(words[2:]), options.get("signed-by"))

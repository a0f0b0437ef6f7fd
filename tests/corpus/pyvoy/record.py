"""What is on record of each version, and how a check differs from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from dmconform.check.result import Check, HostVerdict
from dmconform.core.datafile import load_json

VERSIONS: Final = Path(__file__).parent / "versions.json"


class Wheel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a version, for one or several versions of Python."""

    name: str
    sha256: str


class Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published version. `envoy` is the release that it pins, on which it must work; None where it pins none."""

    version: str
    envoy: str | None
    wheels: tuple[Wheel, ...]
    sdk: tuple[str, ...] = ()  # the minors whose SDK it can have been built with
    verdicts: dict[str, HostVerdict] = {}  # by release


def load_versions(path: Path = VERSIONS) -> tuple[Version, ...]:
    """Returns all recorded versions, newest first."""
    return load_json(path, tuple[Version, ...])


def save_versions(versions: tuple[Version, ...], path: Path = VERSIONS) -> None:
    """Writes all recorded versions."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(versions), indent=1) + b"\n")


def hosts_of(version: Version, default: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the releases to check a version on: the default ones, the one that it pins, and those on record."""
    pinned = () if version.envoy is None else (version.envoy,)
    return tuple(sorted({*default, *pinned, *version.verdicts}, key=lambda release: [int(part) for part in release.split(".")]))


def verdicts_of(check: Check) -> dict[str, HostVerdict]:
    """Returns what a check found, by release."""
    return {host.id: host.verdict for host in check.hosts}


def differences(version: Version, check: Check) -> list[str]:
    """Returns how a check differs from the record, in words; empty where it does not. A host that is not on record is none."""
    found: Mapping[str, HostVerdict] = verdicts_of(check)
    reasons = {host.id: host.reason for host in check.hosts}
    lines = []
    for release, verdict in version.verdicts.items():
        if found.get(release) is not verdict:
            seen = f"Envoy {release}: expected {verdict.value!r}, observed {_word(found.get(release))}."
            lines.append(f"{seen} {reasons.get(release, '')}".rstrip())
    pinned = version.envoy
    if pinned is not None and pinned not in version.verdicts and found.get(pinned) is not HostVerdict.WORKS:
        lines.append(f"Envoy {pinned}, which it pins: expected 'works', observed {_word(found.get(pinned))}")
    if version.sdk and check.sdk.minors != version.sdk:
        lines.append(f"SDK: expected {' or '.join(version.sdk)}, observed {' or '.join(check.sdk.minors) or 'none'}")
    return lines


def _word(verdict: HostVerdict | None) -> str:
    return "no verdict" if verdict is None else repr(verdict.value)

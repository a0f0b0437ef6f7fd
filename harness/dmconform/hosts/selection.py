"""What `--host` selects: `1.39` (newest known clean patch), `1.39.3`, `all`, `path:FILE`, `image:REF`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dmconform.core.errors import UsageError
from dmconform.core.nearest import unknown
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import KnownHost, newest_patch


@dataclass(frozen=True)
class HostFile:
    """The specification `path:FILE`."""

    path: Path


@dataclass(frozen=True)
class HostImage:
    """The specification `image:REF`."""

    reference: str


HostChoice = KnownHost | HostFile | HostImage


def select_hosts(specs: Sequence[str], known: tuple[KnownHost, ...]) -> tuple[HostChoice, ...]:
    """Returns the hosts that the specs name, each once; without a spec the default ones.

    Raises:
        UsageError: a spec is none, or names a release that is not known.
    """
    if not specs:
        return tuple(host for host in known if host.default)
    chosen: dict[HostChoice, None] = {}
    for spec in specs:
        kind, colon, rest = spec.partition(":")
        if spec == "all":
            chosen |= dict.fromkeys(known)
        elif colon and kind == "path" and rest:
            chosen[HostFile(Path(rest))] = None
        elif colon and kind == "image" and rest:
            chosen[HostImage(rest)] = None
        else:
            chosen[_known_host(spec, known)] = None
    return tuple(chosen)


def _known_host(spec: str, known: tuple[KnownHost, ...]) -> KnownHost:
    found = next((host for host in known if host.release == spec), None)
    if found is None and re.fullmatch(r"\d+\.\d+", spec):
        found = newest_patch(known, Minor.parse(spec))
    if found is None:
        more = "or all, path:FILE, image:REF; dmconform list hosts shows all releases"
        raise UsageError(unknown("host", spec, _host_names(spec, known), more=more))
    return found


def _host_names(spec: str, known: tuple[KnownHost, ...]) -> list[str]:
    """Returns names that may have been meant: minors where a minor was written, or else releases and the other forms."""
    if re.fullmatch(r"\d+\.\d+", spec):
        return list(dict.fromkeys(str(host.version.minor) for host in known))
    if spec[:1].isdigit():
        return [host.release for host in known]
    if ":" in spec:
        rest = spec.partition(":")[2]
        return [f"path:{rest or 'FILE'}", f"image:{rest or 'REF'}"]
    return [*(host.release for host in known), "all"]

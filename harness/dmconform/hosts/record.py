"""Writes an entry of `conformance/hosts.toml`, and puts it into the text of the file; comments and other entries stay."""

from __future__ import annotations

from collections.abc import Sequence

import tomlkit
from tomlkit.items import AoT, Table

from dmconform.core.versions import Release
from dmconform.hosts.catalogue import MODIFIED_MARK, KnownHost

_NAMES = ("static_modules", "lacks", "adds")
_ON_ONE_LINE = 100  # characters of a list of names; a longer one has a line for each


def host_entry(host: KnownHost) -> str:
    """Returns the text of an entry, as it is in the file."""
    lines = [
        "[[host]]",
        f'release = "{host.release}"',
        f"default = {str(host.default).lower()}",
        f'abi_version = "{host.abi_version}"',
        f'abi_check = "{host.abi_check.value}"',
        f'opens = "{host.opens.value}"',
        f'wheel = {{ version = "{host.wheel.version}", sha256 = "{host.wheel.sha256}" }}',
        f'binary_sha256 = "{host.binary_sha256}"',
        f'build = "{host.build}"',
        *(f"{key} = {names_list(getattr(host, key))}" for key in _NAMES if getattr(host, key)),
    ]
    return "\n".join(lines) + "\n"


def names_list(names: Sequence[str]) -> str:
    """Returns the text of a list of names: on one line where it is short, else a name a line."""
    quoted = [f'"{name}"' for name in names]
    line = f"[{', '.join(quoted)}]"
    return line if len(line) <= _ON_ONE_LINE else "\n".join(["[", *(f"  {one}," for one in quoted), "]"])


def with_host(text: str, host: KnownHost) -> str:
    """Returns the text of `hosts.toml` with an entry put where it belongs, or in the place of the release's older one.

    Where `host` is a default, those of its minor that it takes the place of are none any more: a modified build takes that of
    other modified ones, a clean one that of other clean ones and of older modified ones.
    """
    document = tomlkit.parse(text + "\n")  # so that an entry can follow the last one
    entries = document["host"]
    assert isinstance(entries, AoT)
    index = next((at for at, one in enumerate(entries) if Release.parse(str(one["release"])) >= host.version), len(entries))
    if index < len(entries) and entries[index]["release"] == host.release:
        del entries[index]
    entries.insert(index, _table(host_entry(host) + "\n"))
    if host.default:
        for one in entries:
            release = Release.parse(str(one["release"]))
            is_modified = MODIFIED_MARK in str(one["build"])
            replaced = is_modified if host.is_modified else not is_modified or release < host.version
            if release != host.version and release.minor == host.version.minor and one["default"] and replaced:
                one["default"] = False
    return document.as_string().rstrip("\n") + "\n"


def _table(entry: str) -> Table:
    (made,) = tomlkit.parse(entry)["host"]
    assert isinstance(made, Table)
    return made

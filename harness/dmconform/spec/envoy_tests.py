"""What Envoy's own tests check, as data: which of our cases or measured tables show it on real releases, or why none does."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from dmconform.abi.fault_reactions import Faults
from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint

SECTIONS = {
    "loading": "Loading and discovery",
    "rtld": "RTLD flags and lifetime",
    "initialisation": "Initialisation and ABI version",
    "http": "HTTP filters",
    "per_route": "Per-route configuration",
    "errors": "Errors and panics",
    "statistics": "Statistics",
    "remote": "Remote sources",
    "network": "Network filters",
    "listener": "Listener filters",
}
"""Titles by how ids begin."""


class EnvoyTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One behaviour: see the top of `conformance/spec/envoy_tests.toml`."""

    id: str
    where: str
    asserts: str
    cases: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def section(self) -> str:
        """The beginning of its id."""
        return self.id.partition("/")[0]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    test: tuple[EnvoyTest, ...]


def load_envoy_tests(path: Path) -> tuple[EnvoyTest, ...]:
    """Loads the behaviours, in the order of the file. `unknown_names` checks whether what they name exists.

    Raises:
        DataFileError: the file is not of its format, or an entry makes no sense.
    """
    found: dict[str, EnvoyTest] = {}
    for one in load_toml(path, _File).test:
        if one.id in found:
            raise DataFileError(path, f"duplicate id {one.id!r}")
        found[one.id] = one
        if one.section not in SECTIONS:
            raise DataFileError(path, f"{one.id}: expected a section of {', '.join(SECTIONS)} before the slash")
        empty = [name for name in ("where", "asserts", "reason") if getattr(one, name) == ""]
        if empty:
            raise DataFileError(path, f"{one.id}: {empty[0]} is empty")
        if bool(one.cases or one.measured) == (one.reason is not None):
            raise DataFileError(path, f"{one.id}: expected either a reason, or cases or measured")
    return tuple(found.values())


def unknown_names(one: EnvoyTest, cases: Collection[str], faults: Faults) -> list[str]:
    """Returns the cases and measurements that an entry names and that do not exist."""
    return [
        *(name for name in one.cases if name not in cases),
        *(name for name in one.measured if not _is_measured(name, faults)),
    ]


def _is_measured(name: str, faults: Faults) -> bool:
    """Returns whether some release's facts hold what `POINT lacks HOOK` or `POINT null HOOK` names."""
    words = name.split()
    if len(words) != 3 or words[0] not in {point.value for point in ExtensionPoint} or words[1] not in ("lacks", "null"):
        return False
    point, table, hook = words
    tables = (facts.lacks if table == "lacks" else facts.null for facts in faults.points if facts.point.value == point)
    return any(its and (hook == "*" or hook in its) for its in tables)

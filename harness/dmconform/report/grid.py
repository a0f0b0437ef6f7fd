"""The matrix of a report, put in order: which columns there are, how they are grouped, the place of each cell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dmconform.core.values import sdk_parts
from dmconform.report.schema import CellEntry, Report
from dmconform.sdks.catalogue import development_label

LANGUAGE_NAMES = {"cpp": "C++", "go": "Go", "rust": "Rust"}


@dataclass(frozen=True)
class SdkColumns:
    """An SDK version and the hosts it has cells with."""

    sdk: str
    minor: str
    hosts: tuple[str, ...]
    shown: str  # the minor; of a development commit, its version and the commit


@dataclass(frozen=True)
class SdkGroup:
    """The SDK versions of one language and provider."""

    language: str
    provider: str
    sdks: tuple[SdkColumns, ...]

    @property
    def title(self) -> str:
        """The heading: language and provider."""
        return f"{LANGUAGE_NAMES.get(self.language, self.language)} · {self.provider}"

    @property
    def width(self) -> int:
        """The number of columns."""
        return sum(len(sdk.hosts) for sdk in self.sdks)


@dataclass(frozen=True)
class Grid:
    """Rows, columns and cells."""

    cases: tuple[str, ...]
    hosts: tuple[str, ...]
    groups: tuple[SdkGroup, ...]
    cells: dict[tuple[str, str, str], CellEntry]  # case, SDK, host

    @property
    def columns(self) -> Iterator[tuple[SdkGroup, SdkColumns, str]]:
        """Every column, left to right."""
        return ((group, sdk, host) for group in self.groups for sdk in group.sdks for host in sdk.hosts)

    def column(self, sdk: str, host: str) -> list[CellEntry]:
        """Returns the cells of one SDK on one host, in the order of the cases."""
        found = (self.cells.get((case, sdk, host)) for case in self.cases)
        return [cell for cell in found if cell is not None]


def grid(report: Report) -> Grid:
    """Returns the matrix of `report`. Cells decide what is in it, so a host that is described nowhere is shown as well."""
    cells = {(cell.case, cell.sdk, cell.host): cell for cell in report.cells}
    present = dict.fromkeys(cell.case for cell in report.cells)
    cases = tuple(dict.fromkeys([*(case.id for case in report.cases if case.id in present), *present]))
    hosts = tuple(sorted({cell.host for cell in report.cells}, key=natural))
    pairs = {(cell.sdk, cell.host) for cell in report.cells}
    described = {sdk.id: (sdk.language, sdk.provider, sdk.minor) for sdk in report.sdks}
    commits = {sdk.id: development_label(sdk.version, sdk.commit) for sdk in report.sdks if sdk.development}
    split: dict[tuple[str, str], list[SdkColumns]] = {}
    for sdk in sorted({sdk for sdk, _ in pairs}, key=natural):
        language, provider, minor = described.get(sdk) or _split(sdk)
        its_hosts = tuple(host for host in hosts if (sdk, host) in pairs)
        split.setdefault((language, provider), []).append(SdkColumns(sdk, minor, its_hosts, commits.get(sdk, minor)))
    groups = (
        SdkGroup(language, provider, tuple(sorted(sdks, key=lambda sdk: natural(sdk.minor))))
        for (language, provider), sdks in sorted(split.items())
    )
    return Grid(cases, hosts, tuple(groups), cells)


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Returns a key that sorts 1.9 before 1.10."""
    parts = re.findall(r"[0-9]{1,18}|[^0-9]+|[0-9]", text)
    return tuple((0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts)


def _split(sdk: str) -> tuple[str, str, str]:
    language, minor, provider = sdk_parts(sdk)
    return language, provider, minor

"""Defects of hosts, SDKs and documents, by release: `conformance/defects/METHOD.toml`, a file for each method that finds some.

Other than a finding, a defect has releases that show it and releases that were tried and do not, and nothing promises that
it is not there.
"""

from __future__ import annotations

import enum
import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Severity
from dmconform.core.versions import Release
from dmconform.spec.findings import Fault
from dmconform.spec.issues import ADDRESS, NOT_REPORTED

REPRODUCER_LINES: Final = 60
"""How long a module in C that shows a defect may be."""


class DefectKind(enum.Enum):
    """What kind of use a defect shows in."""

    PAIRS = "pairs"  # one call, then another
    VIEWS = "views"  # what a getter gave is gone before the hook ends
    THREADS = "threads"
    RE_ENTRANCE = "re-entrance"
    NEIGHBOURS = "neighbours"  # Envoy's own filters beside a module's
    FLOW_CONTROL = "flow-control"
    STORMS = "storms"
    CONFIGURATION = "configuration"
    ALARM = "alarm"  # the host's own, in its log
    MEMORY = "memory"
    GUARDS = "guards"
    LANGUAGES = "languages"  # what a user of an SDK's language meets
    VALUES = "values"  # what a callback takes or gives is wrong


class Defect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One defect: see `conformance/defects/README.md`."""

    id: str
    title: str
    kind: DefectKind
    severity: Severity
    points: tuple[ExtensionPoint, ...]
    releases: tuple[str, ...]  # on which it was seen
    clean: tuple[str, ...]  # on which it was tried and not seen
    right: str
    seen: str
    fault: Fault
    found_by: str  # the id of a case, or METHOD and what it was asked for; empty where nothing here shows it
    report: str  # an address, or `NOT_REPORTED`
    listed: bool  # whether it was known from a public report before it was looked for here
    reproducer: str | None = None  # the name of a module in C
    cell: str = ""  # SDK/HOST: where the case of `found_by` shows it, if the case runs with probes of several SDKs
    example: str = ""  # a file of this repository that shows it where no module in C does: a probe's filter, a configuration
    why: str | None = None  # why nothing here shows it
    method: str = ""  # the file that has it; the loader sets it


class ReportedAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public report that asks for an answer and shows no defect, and where the answer is."""

    title: str
    report: str
    answer: str  # a page below `docs/`, with its anchor


class _DefectsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    defect: tuple[Defect, ...] = ()
    answer: tuple[ReportedAnswer, ...] = ()


@dataclass(frozen=True)
class Referable:
    """What defects refer to."""

    releases: Collection[str]
    cases: Collection[str]  # their ids
    reproducers: Collection[str]  # the names of the modules in C
    cells: Collection[str]  # their ids
    examples: Collection[str]  # files of the repository, with `/`


def load_defects(folder: Path) -> tuple[Defect, ...]:
    """Loads all files of a folder, in the order of their names; `check_references` looks at what they refer to.

    Raises:
        DataFileError: a file is not of its format, or an entry makes no sense.
    """
    found: dict[str, Defect] = {}
    for file in sorted(folder.glob("*.toml")):
        for one in load_toml(file, _DefectsFile).defect:
            if one.id in found:
                raise DataFileError(file, f"duplicate id {one.id!r}; {found[one.id].method}.toml has it too")
            if one.method:
                raise DataFileError(file, f"{one.id}: expected no method, which is the file's name")
            _check(file, one)
            found[one.id] = msgspec.structs.replace(one, method=file.stem)
    return tuple(found.values())


def load_answers(folder: Path) -> tuple[ReportedAnswer, ...]:
    """Loads the reports that ask for an answer, of all files of a folder.

    Raises:
        DataFileError: a file is not of its format.
    """
    return tuple(one for file in sorted(folder.glob("*.toml")) for one in load_toml(file, _DefectsFile).answer)


def _check(file: Path, one: Defect) -> None:
    empty = [name for name in ("id", "title", "right", "seen") if not getattr(one, name).strip()]
    if empty:
        raise DataFileError(file, f"{one.id}: {empty[0]} is empty")
    if one.report != NOT_REPORTED and ADDRESS.fullmatch(one.report) is None:
        raise DataFileError(file, f'{one.id}: expected report = "https://…" or "{NOT_REPORTED}", found {one.report!r}')
    if bool(one.found_by) == (one.why is not None):
        raise DataFileError(file, f"{one.id}: expected either found_by or why, the reason that nothing here shows it")
    if one.found_by and not one.releases:
        raise DataFileError(file, f"{one.id}: expected releases on which {one.found_by} shows it, found none")
    both = sorted(set(one.releases) & set(one.clean))
    if both:
        raise DataFileError(file, f"{one.id}: {both[0]} is in releases and in clean")


def check_references(folder: Path, defects: Iterable[Defect], known: Referable) -> None:
    """Checks what defects refer to.

    Raises:
        DataFileError: a release, case, cell, example or reproducer does not exist.
    """
    for one in defects:
        file = folder / f"{one.method}.toml"
        unknown = [release for release in (*one.releases, *one.clean) if release not in known.releases]
        if unknown:
            raise DataFileError(file, f"{one.id}: {unknown[0]} is no known release")
        by_method = one.found_by.startswith(f"{one.method} ")
        if one.found_by and not by_method and one.found_by not in known.cases:
            raise DataFileError(file, f"{one.id}: found_by {one.found_by!r} is neither a case nor {one.method!r} and its input")
        if one.reproducer is not None and one.reproducer not in known.reproducers:
            raise DataFileError(file, f"{one.id}: there is no reproducer {one.reproducer!r}")
        if one.example and one.example not in known.examples:
            raise DataFileError(file, f"{one.id}: there is no file {one.example!r}")
        if one.found_by and not by_method and cell_of(one) not in known.cells:
            raise DataFileError(
                file, f'{one.id}: expected cell = "SDK/HOST" where {one.found_by} shows it, found {cell_of(one)}'
            )
        if one.cell and one.cell.rpartition("/")[2] not in one.releases:
            raise DataFileError(file, f"{one.id}: its cell is on none of the releases that have it")


def cell_of(one: Defect) -> str:
    """Returns the id of the cell that shows a defect which a case found: of a module in C, that on the newest release."""
    release = max(one.releases, key=Release.parse)
    return f"{one.found_by}/{one.cell or f'cpp@{Release.parse(release).minor}:reference/{release}'}"


def command_of(one: Defect) -> str:
    """Returns the command that shows a defect."""
    newest = max(one.releases, key=Release.parse)
    match shlex.split(one.found_by):
        case ["storm", *words]:
            options = words
        case ["differential", *_]:
            options = ["--abi", str(Release.parse(newest).minor)]
        case ["pairs", "updates,", *_]:
            options = []
        case ["pairs", *words]:
            options = [each for option in zip(("--first", "--then", "--hook"), words, strict=True) for each in option]
        case _:
            return f"dmconform reproduce {cell_of(one)}"
    return shlex.join(["dmconform", one.method, "--host", newest, *options])


def check_length(file: Path) -> None:
    """Checks that a reproducer is as short as it has to be.

    Raises:
        DataFileError: it has more than `REPRODUCER_LINES` lines.
    """
    lines = len(file.read_text(encoding="utf-8").splitlines())
    if lines > REPRODUCER_LINES:
        raise DataFileError(file, f"expected at most {REPRODUCER_LINES} lines, found {lines}")

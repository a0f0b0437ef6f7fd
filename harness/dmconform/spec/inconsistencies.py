"""Inconsistencies: six ways in which expectations and results of cells differ, each with the command that fixes it.

The data alone shows some, whatever was selected for a run: a glob that matches nothing, a record that covers what it must
not, one past its `until`. The results of cells show the others.
"""

from __future__ import annotations

import enum
import fnmatch
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from dmconform.core.values import Judgement, Outcome
from dmconform.core.versions import Minor
from dmconform.spec.expectations import KnownFailure

_DETAIL_LENGTH = 80
_CHANGES = re.compile(r"\$[A-Z]+\b\S*|~/\S*|\d+(?:\.\d+)?(?= (?:s|ms|bytes)\b)|\b\d{4,5}\b|0x[0-9a-f]+")
"""What a detail says otherwise each time: places of this machine, times, ports, addresses."""


class InconsistencyKind(enum.Enum):
    """The kind of an inconsistency, in a word for reports."""

    STALE = "record no longer applies"  # all of its cells that ran pass now
    NOTHING = "matches nothing"  # a glob matches no cell of the whole matrix
    OTHER = "another failure"  # the cell fails, but not as the record says
    TOO_MUCH = "matches too much"  # it covers what passes, what is not supported, or what another record covers
    NEW = "new failure"  # a supported cell fails, and no record is about it
    OVERDUE = "past its until"


class Inconsistency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One inconsistency. `fix` is the command that ends it, once the cells have been looked at."""

    kind: InconsistencyKind
    record: str | None  # None: there is none, which is the inconsistency
    cells: tuple[str, ...]
    text: str
    fix: str


@dataclass(frozen=True)
class JudgedCell:
    """The result of a supported cell, as far as inconsistencies need it."""

    cell: str
    outcome: Outcome
    detail: str
    judgement: Judgement
    record: str | None


def fix_command(*words: str) -> str:
    """Returns a command over the records, as a shell reads it."""
    return shlex.join(["dmconform", "expectations", *words])


class CellIndex:
    """All cells that could ever be planned, each with whether it is supported; quick to ask with globs."""

    def __init__(self, every_cell: Mapping[str, bool]) -> None:
        self._supported = every_cell
        self._by_case: dict[str, list[str]] = {}
        for cell in every_cell:
            self._by_case.setdefault(cell.rsplit("/", 2)[0], []).append(cell)

    def match(self, glob: str) -> list[str]:
        """Returns the cells that a glob matches."""
        case = "/".join(glob.split("/")[:2])
        literal = not any(sign in case for sign in "*?[")
        return fnmatch.filter(self._by_case.get(case, []) if literal else self._supported, glob)

    def is_supported(self, cell: str) -> bool:
        """Returns whether a cell is supported."""
        return self._supported[cell]


def inconsistencies_of_records(
    records: Iterable[KnownFailure], every_cell: Mapping[str, bool], newest: Minor
) -> tuple[Inconsistency, ...]:
    """Returns the inconsistencies in the records' own data: `NOTHING`, `TOO_MUCH` and `OVERDUE`.

    Args:
        records: the known failures.
        every_cell: all cells that could ever be planned, each with whether it is supported.
        newest: the newest minor that there is a known host of.
    """
    index = CellIndex(every_cell)
    owner: dict[str, str] = {}
    found: list[Inconsistency] = []
    for record in records:
        matched = {glob: index.match(glob) for glob in record.cells}
        empty = [glob for glob, cells in matched.items() if not cells]
        if empty:
            command = fix_command("remove", record.id) if len(empty) == len(matched) else fix_command("narrow", record.id)
            text = f"{', '.join(empty)}: no cell of the whole matrix is called so"
            found.append(Inconsistency(InconsistencyKind.NOTHING, record.id, (), text, command))
        covered = dict.fromkeys(cell for cells in matched.values() for cell in cells)
        unsupported = tuple(cell for cell in covered if not index.is_supported(cell))
        if unsupported:
            command = fix_command("narrow", record.id, "--supported")
            text = "covers cells that are not supported, and that do not gate"
            found.append(Inconsistency(InconsistencyKind.TOO_MUCH, record.id, unsupported, text, command))
        twice: dict[str, list[str]] = {}
        for cell in covered:
            other = owner.setdefault(cell, record.id)
            if other != record.id:
                twice.setdefault(other, []).append(cell)
        for other, cells in twice.items():
            command = fix_command("narrow", record.id, *cells)
            found.append(
                Inconsistency(
                    InconsistencyKind.TOO_MUCH, record.id, tuple(cells), f"covers cells that {other} covers too", command
                )
            )
        if record.until is not None and newest >= Minor.parse(record.until):
            text = f"holds until {record.until}, and there is a host of {newest}: look at its cells there"
            command = fix_command("extend", record.id, "--until", str(newest.next()))
            found.append(Inconsistency(InconsistencyKind.OVERDUE, record.id, (), text, command))
    return tuple(found)


def inconsistencies_of_cells(seen: Iterable[JudgedCell]) -> tuple[Inconsistency, ...]:
    """Returns the inconsistencies that the cells of a run show: `NEW`, `OTHER`, `STALE` and `TOO_MUCH`."""
    new: dict[tuple[str, str, Outcome, str], list[JudgedCell]] = {}
    by_record: dict[str, list[JudgedCell]] = {}
    for one in seen:
        if one.judgement is Judgement.FAIL:
            case, sdk, _ = one.cell.rsplit("/", 2)
            new.setdefault((case, sdk, one.outcome, _first_line(one.detail)), []).append(one)
        elif one.record is not None and one.judgement in (Judgement.XFAIL, Judgement.XPASS):
            by_record.setdefault(one.record, []).append(one)
    found = [_new(cells) for cells in new.values()]
    for record, cells in by_record.items():
        found += _of_record(record, cells)
    return tuple(found)


def _new(cells: list[JudgedCell]) -> Inconsistency:
    first = cells[0]
    names = tuple(one.cell for one in cells)
    command = fix_command(
        "record", "NEW-ID", *names, "--outcome", first.outcome.value, "--detail", pattern_of(first.detail),
        "--reason", "WHOSE FAULT", "--evidence", "WHERE IT WAS SEEN", "--issue", "WHERE IT IS REPORTED",
    )  # fmt: skip
    text = f"{first.outcome.value}: {_first_line(first.detail)}"
    return Inconsistency(InconsistencyKind.NEW, None, names, text, command)


def _of_record(record: str, cells: list[JudgedCell]) -> list[Inconsistency]:
    found: list[Inconsistency] = []
    stale = [one for one in cells if one.judgement is Judgement.XPASS]
    passing = tuple(one.cell for one in stale if one.outcome is Outcome.PASS)
    silent = tuple(one.cell for one in stale if one.outcome is Outcome.NOT_APPLICABLE)
    other = [one for one in stale if one.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)]
    if passing and len(passing) == len(cells):
        text = f"all {len(cells)} cells of it that ran pass now"
        found.append(Inconsistency(InconsistencyKind.STALE, record, passing, text, fix_command("remove", record)))
    elif passing:
        text = f"covers {len(passing)} cells that pass, of {len(cells)} that ran"
        found.append(Inconsistency(InconsistencyKind.TOO_MUCH, record, passing, text, fix_command("narrow", record, *passing)))
    if silent:
        text = "covers cells of which their case says nothing (not applicable)"
        command = fix_command("remove", record) if len(silent) == len(cells) else fix_command("narrow", record, *silent)
        found.append(Inconsistency(InconsistencyKind.TOO_MUCH, record, silent, text, command))
    if other:
        first = other[0]
        names = tuple(one.cell for one in other)
        if len(other) == len(cells) and len({one.outcome for one in other}) == 1:
            command = fix_command("correct", record, "--outcome", first.outcome.value, "--detail", pattern_of(first.detail))
        else:  # the rest of the record is right: this becomes a separate failure
            command = fix_command("narrow", record, *names)
        text = f"ends in another way than the record says: {first.outcome.value}: {_first_line(first.detail)}"
        found.append(Inconsistency(InconsistencyKind.OTHER, record, names, text, command))
    return found


def _first_line(detail: str) -> str:
    return next((line.strip() for line in detail.splitlines() if line.strip()), "")


def pattern_of(detail: str) -> str:
    """Returns a regular expression for a detail's first line, without what is another each time."""
    line = _first_line(detail)[:_DETAIL_LENGTH]
    parts = [re.escape(part).replace(r"\ ", " ") for part in _CHANGES.split(line)]
    return r"\S+".join(parts)

"""Changes to the file of known failures that keep its comments and its order, checked by reading the result.

Comments before a record belong to it, but for those before the first one, which are about the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, Comment, Item, String, Table, Whitespace

from dmconform.core.errors import DataFileError, UsageError
from dmconform.core.values import Outcome
from dmconform.spec.expectations import KnownFailure, load_known_failures

_KNOWN = "known"


def remove(path: Path, record: str) -> None:
    """Removes a record, with the comments before it.

    Raises:
        UsageError: there is none of that name.
    """
    document = _read(path)
    records = _records(path, document)
    at = _index(path, records, record)
    following = _take_tail(_table(records, at))
    if len(records) == 1:
        del document[_KNOWN]
    else:
        if at:
            before = _table(records, at - 1)
            _take_tail(before)
            before.value.body.extend((None, item) for item in following)
        else:
            _table(records, 1).trivia.indent = "".join(item.as_string() for item in following).lstrip("\n")
        del records[at]
    _write(path, tomlkit.dumps(document).rstrip("\n") + "\n")


def set_cells(path: Path, record: str, cells: Sequence[str]) -> None:
    """Replaces the cells or globs of a record.

    Raises:
        UsageError: there is none of that name.
    """
    _change(path, record, {"cells": _array(cells)})


def set_way(path: Path, record: str, outcome: Outcome, detail: str) -> None:
    """Replaces the outcome and the pattern for the detail of a record.

    Args:
        path: the file with the records.
        record: the id.
        outcome: how its cells fail now.
        detail: a regular expression that the details' first lines match.

    Raises:
        UsageError: there is none of that name.
    """
    _change(path, record, {"outcome": _string(outcome.value), "detail": _string(detail)})


def set_until(path: Path, record: str, until: str) -> None:
    """Replaces the `until` of a record.

    Raises:
        UsageError: there is none of that name, or it has no `until`.
    """
    _change(path, record, {"until": _string(until)})


def add(path: Path, record: KnownFailure) -> None:
    """Appends a record.

    Raises:
        DataFileError: it makes no sense; the file stays as it was.
    """
    table = tomlkit.table()
    table["id"] = _string(record.id)
    if record.title is not None:
        table["title"] = _string(record.title)
    table["cells"] = _array(record.cells)
    table["outcome"] = _string(record.outcome.value)
    table["detail"] = _string(record.detail)
    if record.until is not None:
        table["until"] = _string(record.until)
    table["reason"] = _string(record.reason)
    table["evidence"] = _string(record.evidence)
    table["issue"] = _string(record.issue)
    if record.looked_for is not None:
        table["looked_for"] = tomlkit.date(record.looked_for.isoformat())
    if record.workaround is not None:
        table["workaround"] = _string(record.workaround)
    block = tomlkit.document()
    block[_KNOWN] = tomlkit.aot()
    _records(path, block).append(table)
    _write(path, path.read_text(encoding="utf-8").rstrip("\n") + "\n\n" + tomlkit.dumps(block).lstrip("\n"))


def _string(text: str) -> String:
    """Returns a TOML string: without escapes where it can be, as patterns are easier to read so."""
    return tomlkit.string(text, literal="'" not in text and "\\" in text and text.isprintable())


def _array(texts: Sequence[str]) -> Array:
    """Returns a TOML array with a line for each text."""
    array = tomlkit.array().multiline(True)
    array.extend(_string(text) for text in texts)
    return array


def _read(path: Path) -> tomlkit.TOMLDocument:
    load_known_failures(path)
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8"))
    except TOMLKitError as error:
        raise DataFileError(path, str(error)) from error


def _records(path: Path, document: tomlkit.TOMLDocument) -> AoT:
    records = document.get(_KNOWN, tomlkit.aot())
    if not isinstance(records, AoT):
        raise UsageError(f"{path}: cannot be changed: expected records that begin with [[{_KNOWN}]]; edit it by hand")
    return records


def _table(records: AoT, at: int) -> Table:
    return records.body[at]


def _index(path: Path, records: AoT, record: str) -> int:
    for at, table in enumerate(records.body):
        if table["id"] == record:
            return at
    raise UsageError(f"{path}: there is no record {record!r}; dmconform expectations lists them")


def _take_tail(table: Table) -> list[Item]:
    """Takes off the empty lines and comments after the last key: they are about the next record, or end the file."""
    tail: list[Item] = []
    body = table.value.body
    while body and isinstance(body[-1][1], Whitespace | Comment):
        tail.insert(0, body.pop()[1])
    return tail


def _change(path: Path, record: str, changes: Mapping[str, Item]) -> None:
    document = _read(path)
    records = _records(path, document)
    table = _table(records, _index(path, records, record))
    for key, value in changes.items():
        if key not in table:
            raise UsageError(f"{path}: {record}: cannot be changed: expected it to have {key!r}; edit it by hand")
        table[key] = value
    _write(path, tomlkit.dumps(document))


def _write(path: Path, text: str) -> None:
    """Writes a file if the new text can be read; leaves it as it was otherwise."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    try:
        load_known_failures(part)
        part.replace(path)
    except DataFileError as error:
        raise DataFileError(path, f"stays as it is: {str(error).removeprefix(f'{part}: ')}") from None
    finally:
        part.unlink(missing_ok=True)

"""Changes to the file of known failures as text, so that comments and order stay; checked by reading the result.

A record is a block that begins with `[[known]]` and ends where the next one, or the file, does. Comments before the next block
belong to that one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from dmconform.core.errors import DataFileError, UsageError
from dmconform.core.values import Outcome
from dmconform.spec.expectations import KnownFailure, load_known_failures

_HEAD = "[[known]]"
_BLOCK = re.compile(r"^\[\[known\]\]\n.*?(?=^(?:#.*\n|\s*\n)*\[\[known\]\]\n|\Z)", re.MULTILINE | re.DOTALL)
_ARRAY = re.compile(r"^cells = \[.*?\]\n", re.MULTILINE | re.DOTALL)


class _Block(msgspec.Struct):
    known: tuple[KnownFailure, ...]


def remove(path: Path, record: str) -> None:
    """Takes a record out.

    Raises:
        UsageError: there is none of that name.
    """
    text = path.read_text()
    start, end = _span(path, text, record)
    _write(path, (text[:start].rstrip("\n") + "\n\n" + text[end:].lstrip("\n")).rstrip("\n") + "\n")


def set_cells(path: Path, record: str, cells: Sequence[str]) -> None:
    """Gives a record other cells or globs.

    Raises:
        UsageError: there is none of that name, or its cells do not stand as the others' do.
    """
    lines = "".join(f"    {_string(cell)},\n" for cell in cells)
    _change(path, record, {_ARRAY: f"cells = [\n{lines}]\n"})


def set_way(path: Path, record: str, outcome: Outcome, detail: str) -> None:
    """Gives a record another outcome and another pattern for the detail.

    Raises:
        UsageError: as `set_cells`.
    """
    _change(
        path,
        record,
        {_line("outcome"): f"outcome = {_string(outcome.value)}\n", _line("detail"): f"detail = {_string(detail)}\n"},
    )


def set_until(path: Path, record: str, until: str) -> None:
    """Gives a record another `until`.

    Raises:
        UsageError: as `set_cells`, or it has none.
    """
    _change(path, record, {_line("until"): f"until = {_string(until)}\n"})


def add(path: Path, record: KnownFailure) -> None:
    """Puts a record at the end.

    Raises:
        DataFileError: it makes no sense; the file stays as it was.
    """
    lines = "".join(f"    {_string(cell)},\n" for cell in record.cells)
    until = f"until = {_string(record.until)}\n" if record.until is not None else ""
    block = (
        f"{_HEAD}\nid = {_string(record.id)}\ncells = [\n{lines}]\noutcome = {_string(record.outcome.value)}\n"
        f"detail = {_string(record.detail)}\n{until}reason = {_string(record.reason)}\nevidence = {_string(record.evidence)}\n"
    )
    _write(path, path.read_text().rstrip("\n") + "\n\n" + block)


def _string(text: str) -> str:
    """A TOML string: without escapes where it can be, as patterns are read more easily so."""
    if "'" not in text and "\\" in text and text.isprintable():
        return f"'{text}'"
    return msgspec.json.encode(text).decode()  # what JSON escapes, TOML reads the same


def _span(path: Path, text: str, record: str) -> tuple[int, int]:
    for block in _BLOCK.finditer(text):
        if msgspec.toml.decode(block[0], type=_Block).known[0].id == record:
            return block.span()
    raise UsageError(f"{path}: there is no record {record!r}; dmconform expectations lists them")


def _line(key: str) -> re.Pattern[str]:
    """The line of a key."""
    return re.compile(rf"^{key} = .*\n", re.MULTILINE)


def _change(path: Path, record: str, changes: Mapping[re.Pattern[str], str]) -> None:
    text = path.read_text()
    start, end = _span(path, text, record)
    block = text[start:end]
    for pattern, new in changes.items():
        first = new.splitlines()[0]
        block, count = pattern.subn(lambda _, new=new: new, block, count=1)  # type: ignore[misc]
        if not count:
            raise UsageError(f"{path}: {record}: cannot be changed: expected a line like {first!r}; edit it by hand")
    _write(path, text[:start] + block + text[end:])


def _write(path: Path, text: str) -> None:
    """Writes a file that can be read, or leaves it as it was."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text)
    try:
        load_known_failures(part)
        part.replace(path)
    except DataFileError as error:
        raise DataFileError(path, f"stays as it is: {str(error).removeprefix(f'{part}: ')}") from None
    finally:
        part.unlink(missing_ok=True)

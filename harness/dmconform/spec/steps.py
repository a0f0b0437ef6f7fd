"""How a person sees a record with nothing but an Envoy: see the top of `conformance/expectations/steps.toml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from dmconform.core.datafile import load_toml, read_bounded
from dmconform.core.errors import DataFileError
from dmconform.core.versions import Release

FOLDER: Final = "steps"
"""The folder with the scripts, beside the file."""
ALWAYS_NEEDED: Final = ("cc", "curl", "sh")
_INCLUDED: Final = re.compile(r'^\. "\$steps/(?P<name>[a-z_]+\.sh)"\n', re.MULTILINE)
_MOST_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class Steps:
    """The steps for one record.

    Attributes:
        record: the id of the known failure or the finding.
        script: for a shell, all in one; its argument is the path of an Envoy.
        host: the release that they were run on.
        output: lines that they printed there, in this order, among others.
        needs: programs.
    """

    record: str
    script: str
    host: str
    output: tuple[str, ...]
    needs: tuple[str, ...]

    def missing_from(self, printed: str) -> str | None:
        """Returns the first line of the output that a run did not print in its place; None where it printed all."""
        lines = iter(printed.splitlines())
        return next((wanted for wanted in self.output if not any(line.startswith(wanted) for line in lines)), None)


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    record: str
    host: str
    output: tuple[str, ...]
    needs: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    steps: tuple[_Entry, ...]


def load_steps(path: Path) -> dict[str, Steps]:
    """Loads the steps, by the id of their record.

    Raises:
        DataFileError: the file is not of its format, a record has two entries, or a script cannot be read.
    """
    found: dict[str, Steps] = {}
    for one in load_toml(path, _File).steps:
        if one.record in found:
            raise DataFileError(path, f"duplicate record {one.record!r}")
        if not one.output or not all(line.strip() for line in one.output):
            raise DataFileError(path, f"{one.record}: expected lines that the steps print")
        try:
            Release.parse(one.host)
        except ValueError as error:
            raise DataFileError(path, f"{one.record}: {error}") from None
        script = _script(path.parent / FOLDER, f"{one.record}.sh")
        found[one.record] = Steps(one.record, script, one.host, one.output, (*ALWAYS_NEEDED, *one.needs))
    return found


def _script(folder: Path, name: str) -> str:
    """Returns a script with the files that it includes in the place of the lines that do so."""
    text = _read(folder / name)
    return _INCLUDED.sub(lambda found: _read(folder / found["name"]), text)


def _read(path: Path) -> str:
    try:
        return read_bounded(path, _MOST_BYTES).decode()
    except UnicodeDecodeError as error:
        raise DataFileError(path, f"expected text in UTF-8: {error}") from None

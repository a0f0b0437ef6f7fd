"""Loads `conformance/abi/MINOR.json` into typed values.

The format is described in `conformance/abi/README.md`. A file with an unknown key, or with a value of the wrong type, is
refused with the place of the mistake.
"""

from __future__ import annotations

import enum
from pathlib import Path

import msgspec

from harness.errors import DataFileError


class FunctionKind(enum.Enum):
    """Which side implements a function."""

    CALLBACK = "callback"  # the host does, the module calls it
    HOOK = "hook"  # the module does, the host calls it


class EnumValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One constant of an enum."""

    name: str
    value: int


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A struct's field or a function's parameter: its name and its C type as written in the header."""

    name: str
    type: str


class Alias(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="alias"):
    """`typedef TYPE NAME`."""

    name: str
    source: str
    type: str


class Enum(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="enum"):
    """`typedef enum { … } NAME`."""

    name: str
    source: str
    values: tuple[EnumValue, ...]


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="struct"):
    """`typedef struct { … } NAME`, fields in order."""

    name: str
    source: str
    fields: tuple[Member, ...]


class FunctionPointer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="function_pointer"):
    """`typedef RETURNS (*NAME)(PARAMS)`."""

    name: str
    source: str
    returns: str
    params: tuple[Member, ...]


AbiType = Alias | Enum | Struct | FunctionPointer


class Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A callback or hook. `params` and `returns` are None where only its name is known."""

    name: str
    kind: FunctionKind
    source: str | None = None
    returns: str | None = None
    params: tuple[Member, ...] | None = None

    @property
    def has_signature(self) -> bool:
        """Whether more than the name is known."""
        return self.params is not None and self.returns is not None


class Abi(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ABI of one minor: see `conformance/abi/README.md`."""

    envoy: str
    measured_on: str
    abi_version: str
    sources: dict[str, str]
    types: tuple[Alias | Enum | Struct | FunctionPointer, ...]
    functions: tuple[Function, ...]


def load_abi(folder: Path, minor: str) -> Abi:
    """Reads `FOLDER/MINOR.json`.

    Raises:
        DataFileError: the file is missing, unreadable or not of the format.
    """
    path = folder / f"{minor}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Abi)
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in folder.glob("*.json"))) or "none"
        raise DataFileError(path, f"there is no ABI data for {minor}; known: {known}") from None
    except (OSError, msgspec.DecodeError) as error:
        raise DataFileError(path, str(error)) from error

"""Loads `conformance/abi/MINOR.json` into typed values.

The format is described in `conformance/abi/README.md`. A file with an unknown key, with a value of the wrong type, or with
entries that do not fit together, is refused with the place of the mistake.
"""

from __future__ import annotations

import enum
import functools
import json
import re
from pathlib import Path
from typing import Annotated, Final

import msgspec

from harness.datafile import load_json
from harness.errors import DataFileError

UNKNOWN: Final = "unknown"
"""Stands for a minor or a release that nobody has told."""
_MINOR: Final = re.compile(r"\d+\.\d+")
_SHOWN: Final = 5  # mistakes of a file in one message


class FunctionKind(enum.Enum):
    """Which side implements a function."""

    CALLBACK = "callback"  # the host does, the module calls it
    HOOK = "hook"  # the module does, the host calls it


class Provenance(enum.Enum):
    """How far the signature of a function can be trusted."""

    EXACT = "exact header"  # the header of the release itself
    NEARBY = "nearby header"  # the header of another release or of a development line
    NAME = "name only"  # the binary has the name, no header at hand declares it


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A header that signatures and types were read from."""

    description: str
    exact: bool  # whether it is the header of the release that the file is about


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


class Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
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
    """The ABI of one minor, or of one header or binary: see `conformance/abi/README.md`."""

    envoy: Annotated[str, msgspec.Meta(pattern=r"^([0-9]+\.[0-9]+|unknown)$", description="The minor, such as 1.39.")]
    measured_on: Annotated[str, msgspec.Meta(min_length=1, description="The release whose binary was read, or unknown.")]
    abi_version: Annotated[str, msgspec.Meta(min_length=1, description="What a module's initialisation returns, or unknown.")]
    sources: dict[str, Source]  # by the short name that types and functions give as their source
    types: tuple[Alias | Enum | Struct | FunctionPointer, ...]
    functions: tuple[Function, ...]

    def provenance(self, function: Function) -> Provenance:
        """How far the signature of one of its functions can be trusted."""
        if function.source is None:
            return Provenance.NAME
        return Provenance.EXACT if self.sources[function.source].exact else Provenance.NEARBY

    def names(self, kind: FunctionKind) -> frozenset[str]:
        """The names of all its callbacks, or of all its hooks."""
        return frozenset(function.name for function in self.functions if function.kind is kind)


def known_minors(folder: Path) -> tuple[str, ...]:
    """The minors that there is data of, in order, such as `("1.36", "1.37")`."""
    names = (path.stem for path in folder.glob("*.json") if _MINOR.fullmatch(path.stem))
    return tuple(sorted(names, key=lambda name: tuple(int(part) for part in name.split("."))))


def load_abi(folder: Path, minor: str) -> Abi:
    """Reads `FOLDER/MINOR.json`.

    Raises:
        DataFileError: the file is missing, unreadable, not of the format, or not consistent in itself.
    """
    path = folder / f"{minor}.json"
    if not path.exists():
        known = ", ".join(known_minors(folder)) or "none"
        raise DataFileError(path, f"there is no ABI data for {minor}; known: {known}")
    abi = load_abi_file(path)
    if abi.envoy != minor:
        raise DataFileError(path, f'"envoy" is {abi.envoy}; expected {minor}, as the file is called')
    return abi


def load_abi_file(path: Path) -> Abi:
    """Reads a file of the format, whatever it is called; raises as `load_abi`."""
    stat = path.stat() if path.is_file() else None
    return _checked(path, (stat.st_ino, stat.st_mtime_ns, stat.st_size) if stat else ())


@functools.lru_cache(maxsize=16)  # a run needs each file several times, and to check one takes longer than to read it
def _checked(path: Path, _: tuple[int, ...]) -> Abi:
    from harness.abi.consistency import problems  # it builds on this module

    abi = load_json(path, Abi)
    found = problems(abi)
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise DataFileError(path, "; ".join(found[:_SHOWN]) + more)
    return abi


def abi_json(abi: Abi) -> str:
    """The text of its file: one type or function a line, so that a change shows as the lines that it is about."""

    def entries(key: str, items: tuple[AbiType, ...] | tuple[Function, ...]) -> str:
        lines = ",\n".join(f"  {_spaced(item)}" for item in items)
        return f' "{key}": [\n{lines}\n ]' if items else f' "{key}": []'

    head = ("envoy", "measured_on", "abi_version", "sources")
    parts = [*(f' "{key}": {_spaced(getattr(abi, key))}' for key in head), entries("types", abi.types)]
    return "{\n" + ",\n".join([*parts, entries("functions", abi.functions)]) + "\n}\n"


def _spaced(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)

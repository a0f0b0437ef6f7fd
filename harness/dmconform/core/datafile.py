"""One way to read a data file: bounded, decoded into frozen structs, or refused with its name and the place of the mistake."""

from __future__ import annotations

import difflib
import os
import re
import select
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec.inspect import Type

from dmconform.core.errors import DataFileError, HarnessError
from dmconform.core.timeouts import PIPE_S
from dmconform.core.trouble import SCARCE, machine_trouble

T = TypeVar("T")

MOST_BYTES: Final = 64 << 20
"""A report of 20,000 cells has about 25 MB. What is decoded can take some times as much memory as the file has bytes."""
MOST_TOML_BYTES: Final = 1 << 20
MOST_KEY_PARTS: Final = 64
"""Of a dotted key in TOML: `tomllib` takes time that grows with the square of their number."""
_PART: Final = rb"""\.[ \t]*+(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY: Final = re.compile(rb"%b(?:[ \t]*+%b){%d}" % (_PART, _PART, MOST_KEY_PARTS - 1))
"""It begins at a dot: where it could begin at any of many blanks, it took time that grows with the square of their number."""
_PIECE_BYTES: Final = 1 << 16
_REFUSED: Final = re.compile(
    r"(?:Invalid enum value '?(?P<value>.*?)'?|Object contains unknown field `(?P<key>.*?)`)(?: - at `\$(?P<place>.*)`)?$"
)
_LISTS: Final = (
    msgspec.inspect.ListType,
    msgspec.inspect.VarTupleType,
    msgspec.inspect.SetType,
    msgspec.inspect.FrozenSetType,
)


def load_toml(path: Path, shape: type[T]) -> T:
    """Reads a TOML file into `shape`.

    Raises:
        DataFileError: it cannot be read, or has an unknown key or a value that does not fit.
    """
    data = read_bounded(path, MOST_TOML_BYTES)
    if _LONG_KEY.search(data):
        raise DataFileError(path, f"expected keys of up to {MOST_KEY_PARTS} parts with dots between, there is a longer one")
    return _decoded(path, msgspec.toml.decode, data, shape)


def load_json(path: Path, shape: type[T]) -> T:
    """Reads a JSON file into `shape`; errors as `load_toml`."""
    return decode_json(path, read_bounded(path), shape)


def decode_json(path: Path, data: bytes, shape: type[T]) -> T:
    """Decodes what is in a file that was read already; errors as `load_toml`."""
    return _decoded(path, msgspec.json.decode, data, shape)


def convert(path: Path, value: object, shape: type[T]) -> T:
    """Converts what was decoded from a file without its shape; errors as `load_toml`."""
    return _decoded(path, msgspec.convert, value, shape)


def read_bounded(path: Path, most: int | None = None) -> bytes:
    """Returns all bytes of a file, at most `most` (`MOST_BYTES`).

    A pipe that somebody writes to, such as `<(command)` of a shell, is a file too. It is waited for, `PIPE_S` for each piece.

    Raises:
        DataFileError: there is none, it cannot be read, or it is neither or too large.
        HarnessError: this machine could not read it.
    """
    most = MOST_BYTES if most is None else most
    try:
        # Without waiting: a named pipe without a writer would not even open.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
                raise DataFileError(path, "expected a file, this is something else")
            data = file.read(most + 1) if stat.S_ISREG(mode) else _piped(path, file.fileno(), most + 1)
    except FileNotFoundError:
        raise DataFileError(path, "there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a zero in the name
        if isinstance(error, OSError) and error.errno in SCARCE:
            raise HarnessError(f"{path}: cannot be read: {machine_trouble(error)}") from None
        raise DataFileError(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > most:
        raise DataFileError(path, f"too large: expected at most {most >> 20} MiB ({most} bytes)")
    return data


def _piped(path: Path, pipe: int, most: int) -> bytes:
    """Returns up to `most` bytes of what is written to a pipe, up to the end of its last writer.

    Raises:
        DataFileError: nothing comes.
    """
    found = bytearray()
    coming = select.poll()
    coming.register(pipe, select.POLLIN)
    while len(found) < most:
        if not coming.poll(PIPE_S * 1000):
            raise DataFileError(path, f"expected a file, this is a pipe to which nothing was written for {PIPE_S:g} s")
        piece = os.read(pipe, min(_PIECE_BYTES, most - len(found)))
        if not piece:
            break
        found += piece
    return bytes(found)


def _decoded(path: Path, decode: Callable[..., Any], data: object, shape: type[T]) -> T:
    try:
        decoded: T = decode(data, type=shape)
    except RecursionError:
        raise DataFileError(path, "lists or objects in it are nested too deep") from None
    except (ValueError, msgspec.DecodeError) as error:  # ValueError: no UTF-8, or a number of thousands of digits
        raise DataFileError(path, f"{error}{_allowed(str(error), shape)}") from error
    return decoded


def _allowed(problem: str, shape: object) -> str:
    """Returns the allowed values or keys to add to a message of msgspec that refuses one."""
    found = _REFUSED.search(problem)
    if found is None:
        return ""
    value, key = found["value"], found["key"]
    names = {
        name
        for part in _parts(msgspec.inspect.type_info(shape), re.findall(r"\.([^.\[`]+)|(\[)", found["place"] or ""))
        for name in (_keys(part) if key else _values(part))
    }
    if not names:
        return ""
    near = difflib.get_close_matches(key or value, names, n=1)
    return f"; expected one of {', '.join(sorted(names))}" + (f" (nearest: {near[0]})" if near else "")


def _parts(info: Type, steps: Sequence[tuple[str, str]]) -> Iterator[Type]:
    """Yields the types at a place such as `$.host[...].abi_check`, of which each step is a field or the items of a list."""
    if isinstance(info, msgspec.inspect.UnionType):
        for one in info.types:
            yield from _parts(one, steps)
    elif not steps:
        yield info
    elif isinstance(info, msgspec.inspect.StructType):
        for field in info.fields:
            if field.encode_name == steps[0][0]:
                yield from _parts(field.type, steps[1:])
    elif isinstance(info, _LISTS):
        yield from _parts(info.item_type, steps[1:])
    elif isinstance(info, msgspec.inspect.TupleType):
        for one in info.item_types:
            yield from _parts(one, steps[1:])
    elif isinstance(info, msgspec.inspect.DictType):
        yield from _parts(info.value_type, steps[1:])


def _values(info: Type) -> Iterator[str]:
    if isinstance(info, msgspec.inspect.EnumType):
        yield from (str(one.value) for one in info.cls)
    elif isinstance(info, msgspec.inspect.LiteralType):
        yield from (str(one) for one in info.values)


def _keys(info: Type) -> Iterator[str]:
    if isinstance(info, msgspec.inspect.StructType):
        yield from (field.encode_name for field in info.fields)

"""Compares what is recorded with what was measured, field by field, and names each key that differs."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping

import msgspec

_NOTHING = "nothing"


def differences(recorded: object, measured: object, key: str = "") -> list[str]:
    """Returns one line for each key that differs, such as `opens: recorded 'lazy', measured 'now'`; empty where all is alike.

    Of collections of names, the line names those that one side lacks, never the whole collection.

    Args:
        recorded: a struct, a mapping, a collection of strings, or a plain value; the same kind as `measured`.
        measured: what it is compared with.
        key: what the names of keys begin with.
    """
    return list(_compare(_plain(recorded), _plain(measured), key))


def _compare(recorded: object, measured: object, key: str) -> Iterator[str]:
    if recorded == measured:
        return
    if isinstance(recorded, dict) and isinstance(measured, dict):
        for name in (*recorded, *(name for name in measured if name not in recorded)):
            yield from _compare(recorded.get(name), measured.get(name), f"{key}.{name}" if key else name)
    elif _are_names(recorded) and _are_names(measured):
        assert isinstance(recorded, list | frozenset) and isinstance(measured, list | frozenset)
        missing, surplus = sorted(set(recorded) - set(measured)), sorted(set(measured) - set(recorded))
        if missing:
            yield f"{key}: recorded and not measured: {', '.join(missing)}"
        if surplus:
            yield f"{key}: measured and not recorded: {', '.join(surplus)}"
        if not missing and not surplus:
            yield f"{key}: the same names in another order: recorded {recorded}, measured {measured}"
    else:
        yield f"{key}: recorded {_words(recorded)}, measured {_words(measured)}"


def _plain(value: object) -> object:
    """Returns structs and mappings as dictionaries, enums as their values, sequences as lists, sets as they are."""
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {str(_plain(name)): _plain(one) for name, one in value.items()}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return frozenset(value)
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value


def _are_names(value: object) -> bool:
    return isinstance(value, list | frozenset) and all(isinstance(one, str) for one in value)


def _words(value: object) -> str:
    return _NOTHING if value is None else repr(value)

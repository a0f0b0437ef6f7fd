"""What must hold within the data of one ABI besides its format: names that exist, are unique, and mean something in C."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from dmconform.abi.order import types_in_order
from dmconform.abi.spelling import PRIMITIVES, VOID, UnknownCType, parse_type
from dmconform.abi.types import Abi, AbiType, Alias, Enum, Function, FunctionKind, FunctionPointer, Member, Struct
from dmconform.core.errors import HarnessError
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX
from dmconform.core.text import cut

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PREFIXES = {FunctionKind.CALLBACK: CALLBACK_PREFIX, FunctionKind.HOOK: HOOK_PREFIX}
_LONGEST = 200  # of names in a message
_INT_MIN, _INT_MAX, _UINT_MAX = -(1 << 31), (1 << 31) - 1, (1 << 32) - 1


def problems(abi: Abi) -> tuple[str, ...]:
    """Returns everything that is wrong in the data, a sentence each that names the entry; empty for good data."""
    found = [*_names(abi), *_sources(abi), *_types(abi), *_functions(abi)]
    if not found:  # else the same mistakes would be found again
        try:
            types_in_order(abi)
        except HarnessError as error:
            found.append(str(error))
    return tuple(found)


def _names(abi: Abi) -> Iterator[str]:
    """Checks that no two types, functions or enum constants share a name: C has one namespace for all of them."""
    constants = [value.name for one in abi.types if isinstance(one, Enum) for value in one.values]
    yield from _repeated([*(one.name for one in abi.types), *(one.name for one in abi.functions), *constants], "in the data")
    for one in (*abi.types, *abi.functions):
        members = _members(one)
        yield from _repeated([member.name for member in members], f"in {one.name}")
        for name in (one.name, *(member.name for member in members)):
            if not _IDENTIFIER.fullmatch(name):
                yield f"{one.name}: {name!r} is not a name in C"
    yield from (f"{name!r} is not a name in C" for name in constants if not _IDENTIFIER.fullmatch(name))


def _repeated(names: Iterable[str], place: str) -> Iterator[str]:
    yield from (f"{name} is there {times} times {place}; expected once" for name, times in Counter(names).items() if times > 1)


def _members(one: AbiType | Function) -> tuple[Member, ...]:
    if isinstance(one, Struct):
        return one.fields
    return one.params or () if isinstance(one, FunctionPointer | Function) else ()


def _sources(abi: Abi) -> Iterator[str]:
    used = {one.source for one in (*abi.types, *abi.functions)}
    known = cut(", ".join(abi.sources), _LONGEST, "in the data") or "none"
    for one in (*abi.types, *abi.functions):
        if one.source is not None and one.source not in abi.sources:
            yield f"{one.name}: no source {one.source!r}; known: {known}"
    yield from (f"source {name!r} is used by nothing; remove it" for name in abi.sources if name not in used)


def _types(abi: Abi) -> Iterator[str]:
    judge = _judge_of(abi)
    for one in abi.types:
        match one:
            case Alias():
                yield from judge(one.name, one.type, False, False)
            case Struct():
                if not one.fields:
                    yield f"{one.name}: a struct without fields; C and C++ lay that out differently"
                for field in one.fields:
                    yield from judge(f"{one.name}.{field.name}", field.type, False, True)
            case Enum():
                yield from _enum(one)
            case FunctionPointer():
                yield from judge(f"{one.name}, what it returns", one.returns, True, False)
                for param in one.params:
                    yield from judge(f"{one.name}({param.name})", param.type, False, False)


def _enum(one: Enum) -> Iterator[str]:
    """Checks an enum: it must be as wide as an int, as compilers do not agree on wider ones."""
    numbers = [value.value for value in one.values]
    if not numbers:
        yield f"{one.name}: an enum without values"
    elif min(numbers) < _INT_MIN or max(numbers) > (_UINT_MAX if min(numbers) >= 0 else _INT_MAX):
        yield f"{one.name}: values from {min(numbers)} to {max(numbers)}; expected such that 32 bits can hold"


def _functions(abi: Abi) -> Iterator[str]:
    judge = _judge_of(abi)
    for one in abi.functions:
        if not one.name.startswith(_PREFIXES[one.kind]):
            yield f"{one.name}: the name of a {one.kind.value} begins with {_PREFIXES[one.kind]}"
        if len({one.source is None, one.returns is None, one.params is None}) > 1:
            yield f"{one.name}: expected `source`, `returns` and `params`, or none of them"
        if one.returns is not None:
            yield from judge(f"{one.name}, what it returns", one.returns, True, False)
        for param in one.params or ():
            yield from judge(f"{one.name}({param.name})", param.type, False, False)


_Judge = Callable[[str, str, bool, bool], Iterator[str]]


def _judge_of(abi: Abi) -> _Judge:
    """Returns a function that checks a type's text.

    Its arguments: the text, and whether `void` and arrays are allowed there.
    """
    known = frozenset((VOID, *PRIMITIVES, *(one.name for one in abi.types)))

    def judge(place: str, text: str, void: bool, array: bool) -> Iterator[str]:
        try:
            c_type = parse_type(text)
        except UnknownCType as error:
            yield f"{place}: {error}"
            return
        if c_type.base not in known:
            yield f"{place}: no type {c_type.base}; add it to `types`"
        if str(c_type) != text:
            yield f"{place}: the type is spelled {text!r}; expected {str(c_type)!r}"
        if c_type.base == VOID and not c_type.is_pointer and not void:
            yield f"{place}: nothing can be of type void"
        if c_type.sizes and not array:
            yield f"{place}: {text}: an array can only be the field of a struct"

    return judge

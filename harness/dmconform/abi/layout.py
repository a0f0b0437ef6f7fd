"""Sizes, alignments and offsets of the ABI's types, computed from the data for x86-64 Linux (the System V ABI, LP64)."""

from __future__ import annotations

from dataclasses import dataclass

from dmconform.abi.spelling import PRIMITIVES, VOID, UnknownCType, parse_type
from dmconform.abi.types import Abi, AbiType, Alias, Enum, FunctionPointer, Struct
from dmconform.core.errors import HarnessError

POINTER_BYTES = 8
ENUM_BYTES = 4


@dataclass(frozen=True)
class Layout:
    """The layout of a type in memory, in bytes. `offsets` has one for each field of a struct; else it is empty."""

    size: int
    alignment: int
    offsets: tuple[int, ...] = ()


class Layouts:
    """The layouts of one ABI's types; each is computed when it is first asked for.

    A type is given by its text, as a field or a parameter has it: `size_t`, `const char*`, or a name in `types`.
    """

    def __init__(self, abi: Abi) -> None:
        self._envoy = abi.envoy
        self._types: dict[str, AbiType] = {one.name: one for one in abi.types}
        self._known: dict[str, Layout] = {}

    def of(self, type_text: str) -> Layout:
        """Returns the layout of a type.

        Raises:
            UnknownCType: it is neither a plain type of C nor defined in the data.
            HarnessError: it contains itself.
        """
        return self._of(type_text, ())

    def size(self, type_text: str) -> int:
        """Returns `sizeof(type_text)` in bytes; errors as `of`."""
        return self.of(type_text).size

    def alignment(self, type_text: str) -> int:
        """Returns `_Alignof(type_text)` in bytes; errors as `of`."""
        return self.of(type_text).alignment

    def offsets(self, struct_name: str) -> tuple[int, ...]:
        """Returns `offsetof` of each field of a struct, in order, in bytes; empty for what is not a struct. Errors as `of`."""
        return self.of(struct_name).offsets

    def _of(self, type_text: str, users: tuple[str, ...]) -> Layout:
        c_type = parse_type(type_text)
        if c_type.sizes:
            element = self._of(str(c_type.element), users)
            return Layout(element.size * c_type.count, element.alignment)
        if c_type.is_pointer:
            return Layout(POINTER_BYTES, POINTER_BYTES)
        if c_type.base in PRIMITIVES:
            size = PRIMITIVES[c_type.base].size
            return Layout(size, size)
        if c_type.base == VOID or c_type.base not in self._types:
            raise UnknownCType(type_text)
        return self._of_named(c_type.base, users)

    def _of_named(self, name: str, users: tuple[str, ...]) -> Layout:
        if name in users:
            raise HarnessError(
                f"ABI data of {self._envoy}: {' -> '.join((*users, name))}: a type contains itself; correct the data"
            )
        if name not in self._known:
            self._known[name] = self._computed(self._types[name], (*users, name))
        return self._known[name]

    def _computed(self, one: AbiType, users: tuple[str, ...]) -> Layout:
        match one:
            case Alias():
                return Layout(*self._plain(one.type, users))
            case Enum():
                return Layout(ENUM_BYTES, ENUM_BYTES)
            case FunctionPointer():
                return Layout(POINTER_BYTES, POINTER_BYTES)
            case Struct():
                return _laid_out([self._of(field.type, users) for field in one.fields])

    def _plain(self, type_text: str, users: tuple[str, ...]) -> tuple[int, int]:
        target = self._of(type_text, users)
        return target.size, target.alignment


def _laid_out(fields: list[Layout]) -> Layout:
    """Returns the layout of a struct of these fields.

    Each is at the next multiple of its alignment, and the end is padded to that of the struct.
    """
    offsets = []
    end, alignment = 0, 1
    for field in fields:
        start = _padded(end, field.alignment)
        offsets.append(start)
        end = start + field.size
        alignment = max(alignment, field.alignment)
    return Layout(_padded(end, alignment), alignment, tuple(offsets))


def _padded(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment

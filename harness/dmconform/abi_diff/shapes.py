"""The meaning of C types of the ABI data, and how alike two of them are.

Two spellings of one thing are alike (`unsigned int` and `uint32_t`; an alias and its target), and one spelling may stand
for two things. So types are compared by what is behind their names. Names count only where nothing else
distinguishes two things: every handle is a `void*`, whatever object it points to.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from dmconform.abi.layout import ENUM_BYTES, POINTER_BYTES, Layouts
from dmconform.abi.spelling import PRIMITIVES, VOID, parse_type
from dmconform.abi.types import Abi, AbiType, Alias, Enum, FunctionPointer, Struct

_SIGNED = frozenset(
    (
        *("int8_t", "int16_t", "int32_t", "int64_t", "intptr_t", "ptrdiff_t"),
        *("signed char", "short", "int", "long", "long long"),
    )
)
_REGISTER_BYTES = 16  # a bigger struct is passed and returned in memory (System V ABI, x86-64)


class Sort(enum.Enum):
    """The sort of a value, for the one who reads it."""

    VOID = "nothing"
    BOOL = "truth value"
    INTEGER = "integer"
    CHARACTER = "character"
    FLOAT = "floating-point number"
    POINTER = "pointer"
    HANDLE = "handle"
    ENUM = "enum"
    STRUCT = "struct"
    FUNCTION = "pointer to a function"


@dataclass(frozen=True)
class TypeShape:
    """The meaning of a type. `name` is that of the handle, enum, struct or function pointer; else empty."""

    sort: Sort
    size: int  # in bytes
    signed: bool = False
    name: str = ""
    pointee: TypeShape | None = None
    const: bool = False  # of what it points to

    @property
    def has_pointer(self) -> bool:
        """Whether reading it where nothing was passed may follow a wild pointer. A struct is taken to hold one."""
        return self.sort in (Sort.POINTER, Sort.HANDLE, Sort.FUNCTION, Sort.STRUCT)

    @property
    def in_memory(self) -> bool:
        """Whether, as a result, it takes a hidden first argument, which moves all others."""
        return self.sort is Sort.STRUCT and self.size > _REGISTER_BYTES


class Likeness(enum.IntEnum):
    """The degree to which two types are alike, from one and the same to another thing altogether."""

    SAME = 0
    RENAMED = 1  # the same under another name; the change of the name is a difference of the type itself
    RESPELLED = 2  # another name for the same bits
    CONST = 3  # differ in const only
    MEANING = 4  # the same bits, but by its name another thing
    SHAPE = 5  # other bits


class World:
    """The types of one ABI, and the meaning of each."""

    def __init__(self, abi: Abi) -> None:
        self.types: dict[str, AbiType] = {one.name: one for one in abi.types}
        self.layouts = Layouts(abi)

    def shape(self, text: str) -> TypeShape:
        """Returns the meaning of a type's text; a `const` of the value itself does not matter to the other side.

        Raises:
            UnknownCType: see `Layouts`.
        """
        parsed = parse_type(text)
        if not parsed.stars:
            return self._named(parsed.base)
        shape = self._named(parsed.base)
        const = parsed.const
        for star_const in parsed.stars:
            shape = TypeShape(Sort.POINTER, POINTER_BYTES, pointee=shape, const=const)
            const = star_const
        return shape

    def _named(self, base: str) -> TypeShape:
        if base == VOID:
            return TypeShape(Sort.VOID, 0)
        if base in PRIMITIVES:
            return _primitive(base)
        size = self.layouts.size(base)  # which also refuses what is not known
        match self.types[base]:
            case Alias() as alias:
                target = self.shape(alias.type)
                # An alias of a pointer is the name of what it points to; one of a handle is that handle.
                return (
                    TypeShape(Sort.HANDLE, size, name=base, pointee=target.pointee, const=target.const)
                    if target.sort is Sort.POINTER
                    else target
                )
            case Enum():
                return TypeShape(Sort.ENUM, ENUM_BYTES, name=base)
            case Struct():
                return TypeShape(Sort.STRUCT, size, name=base)
            case FunctionPointer():
                return TypeShape(Sort.FUNCTION, size, name=base)


def _primitive(base: str) -> TypeShape:
    size = PRIMITIVES[base].size
    if base == "bool":
        return TypeShape(Sort.BOOL, size)
    if base in ("float", "double"):
        return TypeShape(Sort.FLOAT, size)
    if base == "char":
        return TypeShape(Sort.CHARACTER, size)
    return TypeShape(Sort.INTEGER, size, base in _SIGNED)


class TypeComparison:
    """A comparison of the types of two ABIs. `renamed` has the old names of types that only changed their name."""

    def __init__(self, old: World, new: World, renamed: dict[str, str]) -> None:
        self.old = old
        self.new = new
        self.renamed = renamed

    def likeness(self, old_text: str, new_text: str) -> Likeness:
        """Compares a type's text in the old ABI with one in the new. Errors as `World.shape`.

        One text is always the same: if the type behind it changed, the difference is one of the type.
        """
        if old_text == new_text:
            return Likeness.SAME
        alike = self.behind(old_text, new_text)
        return Likeness.RESPELLED if alike is Likeness.SAME else alike

    def behind(self, old_text: str, new_text: str) -> Likeness:
        """Compares what is behind two texts, also behind one and the same. Errors as `World.shape`."""
        return self._compare(self.old.shape(old_text), self.new.shape(new_text))

    def _compare(self, old: TypeShape, new: TypeShape) -> Likeness:
        handles = {old.sort, new.sort}
        if handles == {Sort.HANDLE}:
            return self._names(old, new)
        if handles == {Sort.HANDLE, Sort.POINTER}:
            return self._pointees(old, new)
        if old.sort is not new.sort:
            return self._other_sort(old, new)
        if old.sort is Sort.POINTER:
            return self._pointees(old, new)
        if old.sort in (Sort.ENUM, Sort.STRUCT, Sort.FUNCTION):
            return self._names(old, new)
        return Likeness.SAME if (old.size, old.signed) == (new.size, new.signed) else Likeness.SHAPE

    def _names(self, old: TypeShape, new: TypeShape) -> Likeness:
        if old.name == new.name:
            return Likeness.SAME  # a change of the type itself is a difference of the type
        if self.renamed.get(old.name) == new.name:
            return Likeness.RENAMED
        return Likeness.MEANING if old.size == new.size else Likeness.SHAPE

    def _pointees(self, old: TypeShape, new: TypeShape) -> Likeness:
        """Compares two pointers, one of which may have a name. One to no particular type may be to any."""
        left, right = old.pointee, new.pointee
        if left is None or right is None or Sort.VOID in (left.sort, right.sort):
            alike = Likeness.RESPELLED if left != right or old.sort is not new.sort else Likeness.SAME
        else:
            alike = self._compare(left, right)
        return max(alike, Likeness.CONST) if old.const != new.const and alike < Likeness.MEANING else alike

    @staticmethod
    def _other_sort(old: TypeShape, new: TypeShape) -> Likeness:
        sorts = {old.sort, new.sort}
        if old.size == new.size and sorts <= {Sort.CHARACTER, Sort.INTEGER}:
            return Likeness.RESPELLED  # bytes are bytes
        if old.size == new.size and sorts == {Sort.ENUM, Sort.INTEGER}:
            return Likeness.RESPELLED  # a number with names, and one without
        return Likeness.SHAPE

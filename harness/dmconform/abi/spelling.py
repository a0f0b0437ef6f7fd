"""C types as the ABI data spells them: an optional `const`, a name, stars, sizes of an array.

Such as `size_t`, `const char* const*` or, for a struct's field, `uint8_t[16]`. Up to 8 stars and 4 sizes: what walks over
types, and the numbers that it computes, have bounds.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass, replace

from dmconform.core.errors import HarnessError
from dmconform.core.text import cut

_TYPE = re.compile(
    r"(?P<const>const )?(?P<base>[A-Za-z_]\w*(?: [a-z]+)*?)"
    r"(?P<stars>(?:\s*\*(?:\s*const\b)?){0,8})\s*"
    r"(?P<sizes>(?:\[[1-9]\d{0,8}\]){0,4})"
)
_SIZE = re.compile(r"\d+")
_LONGEST = 200  # of a type's text in a message
_STAR = re.compile(r"\*(?:\s*const)?")


@dataclass(frozen=True)
class Primitive:
    """A type that the ABI data need not define: its size (and alignment) in bytes on x86-64 Linux, and its name in Rust."""

    size: int
    rust: str


PRIMITIVES = {
    "bool": Primitive(1, "bool"),
    "char": Primitive(1, "::std::os::raw::c_char"),
    "double": Primitive(8, "f64"),
    "float": Primitive(4, "f32"),
    "int": Primitive(4, "::std::os::raw::c_int"),
    "int16_t": Primitive(2, "i16"),
    "int32_t": Primitive(4, "i32"),
    "int64_t": Primitive(8, "i64"),
    "int8_t": Primitive(1, "i8"),
    "intptr_t": Primitive(8, "isize"),
    "long": Primitive(8, "::std::os::raw::c_long"),
    "long long": Primitive(8, "::std::os::raw::c_longlong"),
    "ptrdiff_t": Primitive(8, "isize"),
    "short": Primitive(2, "::std::os::raw::c_short"),
    "signed char": Primitive(1, "::std::os::raw::c_schar"),
    "size_t": Primitive(8, "usize"),
    "uint16_t": Primitive(2, "u16"),
    "uint32_t": Primitive(4, "u32"),
    "uint64_t": Primitive(8, "u64"),
    "uint8_t": Primitive(1, "u8"),
    "uintptr_t": Primitive(8, "usize"),
    "unsigned char": Primitive(1, "::std::os::raw::c_uchar"),
    "unsigned int": Primitive(4, "::std::os::raw::c_uint"),
    "unsigned long": Primitive(8, "::std::os::raw::c_ulong"),
    "unsigned long long": Primitive(8, "::std::os::raw::c_ulonglong"),
    "unsigned short": Primitive(2, "::std::os::raw::c_ushort"),
}
VOID = "void"


class UnknownCType(HarnessError):
    """A C type that the format of the ABI data cannot express, such as a function pointer without a name."""

    def __init__(self, c_type: str) -> None:
        shown = cut(c_type, _LONGEST, "of it")
        super().__init__(
            f"ABI data: `{shown}` is not a type that the data can have; expected [const] NAME, up to 8 stars, "
            "up to 4 sizes of an array; "
            "NAME is defined in `types` or one of C's plain types (harness/dmconform/abi/spelling.py)"
        )
        self.c_type = c_type


@dataclass(frozen=True)
class CType:
    """A parsed type. `stars` says for each star, from left to right, whether that pointer itself is const."""

    base: str
    const: bool  # whether the base is
    stars: tuple[bool, ...]
    sizes: tuple[int, ...] = ()  # of an array, as many as it has dimensions

    @property
    def is_pointer(self) -> bool:
        """Whether its size (or that of an array's element) is that of a pointer, whatever its base is."""
        return bool(self.stars)

    @property
    def element(self) -> CType:
        """The type of an array's elements; the type itself where it is not an array."""
        return replace(self, sizes=())

    @property
    def count(self) -> int:
        """The number of elements in an array; 1 where it is none."""
        return math.prod(self.sizes)

    def __str__(self) -> str:
        """Returns the type as the data spells it."""
        stars = "".join("* const" if const else "*" for const in self.stars)
        return f"{'const ' * self.const}{self.base}{stars}{''.join(f'[{size}]' for size in self.sizes)}"

    def declares(self, name: str) -> str:
        """Returns the C declaration that gives this type to `name`."""
        return f"{self.element} {name}{''.join(f'[{size}]' for size in self.sizes)}"


@functools.lru_cache(maxsize=4096)
def parse_type(text: str) -> CType:
    """Takes a type's text apart; does not check whether its base is known.

    Raises:
        UnknownCType: it is not of the form that the data can have.
    """
    found = _TYPE.fullmatch(text)
    if found is None or (" " in found["base"] and found["base"] not in PRIMITIVES):
        raise UnknownCType(text)
    stars = tuple("const" in star for star in _STAR.findall(found["stars"]))
    sizes = tuple(int(size) for size in _SIZE.findall(found["sizes"]))
    return CType(found["base"], found["const"] is not None, stars, sizes)

"""Parses an ABI header with libclang: `python -m dmconform.abi_diff.header_parser HEADER OUTPUT` writes a `Parsed` as JSON.

A separate process, because a header may be of any origin: it bounds itself in time, memory and output before it loads libclang,
and a crash of it harms no other process. What the header declares and the data cannot express is a problem with its place;
nothing is left out silently.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from clang import cindex
from clang.cindex import Cursor, CursorKind, TypeKind

from dmconform.abi.layout import Layout, Layouts
from dmconform.abi.spelling import UnknownCType, parse_type
from dmconform.abi.types import Abi, AbiType, Alias, Enum, EnumValue, Function, FunctionKind, FunctionPointer, Member, Struct
from dmconform.abi_diff import system_headers
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX

ADDRESS_SPACE_BYTES: Final = 2 << 30
CPU_S: Final = 20
OUTPUT_BYTES: Final = 32 << 20

VERSION_CONSTANT: Final = "envoy_dynamic_modules_abi_version"
VERSION_MACRO: Final = "ENVOY_DYNAMIC_MODULES_ABI_VERSION"
_ARGUMENTS = (
    *("-x", "c", "-std=c17", "-w", "--target=x86_64-unknown-linux-gnu"),
    *("-nostdinc", "-isystem", system_headers.FOLDER),
)
_C_CALLING_CONVENTION = 1  # CXCallingConv_C
_SIGNATURE_TYPES = (TypeKind.FUNCTIONPROTO, TypeKind.FUNCTIONNOPROTO)
_HARMLESS_ATTRIBUTES = (
    CursorKind.UNEXPOSED_ATTR,
    CursorKind.VISIBILITY_ATTR,
    CursorKind.WARN_UNUSED_RESULT_ATTR,
    CursorKind.PURE_ATTR,
    CursorKind.CONST_ATTR,
)
_NO_DECLARATIONS = (CursorKind.STATIC_ASSERT, CursorKind.INCLUSION_DIRECTIVE, CursorKind.MACRO_INSTANTIATION)


class Parsed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The declarations of a header, sorted by name. With any `problems` (`FILE:LINE:COLUMN: what`), the rest is incomplete."""

    abi_version: str | None = None
    types: tuple[Alias | Enum | Struct | FunctionPointer, ...] = ()
    functions: tuple[Function, ...] = ()
    macros: tuple[str, ...] = ()  # that the header defines besides; the data has no place for them
    problems: tuple[str, ...] = ()


class _Inexpressible(Exception):
    """An error: a declaration that the data cannot express."""


def parse(header: Path, source: str) -> Parsed:
    """Parses a header; everything in it gets `source` as its source.

    Raises:
        cindex.TranslationUnitLoadError: libclang gives up altogether.
        UnicodeError: a name in it is not UTF-8.
    """
    unit = cindex.Index.create().parse(
        str(header.absolute()),
        args=[*_ARGUMENTS],
        unsaved_files=[*system_headers.FILES],
        options=cindex.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD,
    )
    errors = [one for one in unit.diagnostics if one.severity >= cindex.Diagnostic.Error]
    if errors:
        return Parsed(problems=tuple(f"{_place(one.location)}: {one.spelling}" for one in errors))
    return _Header(source).read(unit.cursor)


def _place(location: cindex.SourceLocation) -> str:
    return f"{location.file.name if location.file else 'header'}:{location.line}:{location.column}"


class _Header:
    """The declarations of one header, as they are collected."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._types: dict[str, AbiType] = {}
        self._functions: dict[str, Function] = {}
        self._macros: set[str] = set()
        self._problems: list[str] = []
        self._version: str | None = None
        self._tagged: list[Cursor] = []  # definitions of structs, unions and enums
        self._named: set[int] = set()  # those of them that a typedef names, by hash
        self._typedefs: dict[str, Cursor] = {}

    def read(self, unit: Cursor) -> Parsed:
        """Reads all declarations, in their order."""
        for cursor in unit.get_children():
            file = cursor.location.file
            if file is None or file.name.startswith(system_headers.FOLDER):
                continue
            try:
                self._declaration(cursor)
            except (_Inexpressible, UnknownCType) as problem:
                self._complain(cursor, str(problem))
        for cursor in self._tagged:
            if cursor.hash not in self._named:
                self._complain(cursor, f"{_what(cursor)} has no typedef, and the data has only names of typedefs")
        if not self._problems:
            self._compare_layouts()
        return Parsed(
            abi_version=self._version,
            types=tuple(self._types[name] for name in sorted(self._types)),
            functions=tuple(sorted(self._functions.values(), key=lambda one: (one.kind.value, one.name))),
            macros=tuple(sorted(self._macros)),
            problems=tuple(self._problems),
        )

    def _complain(self, cursor: Cursor, problem: str) -> None:
        self._problems.append(f"{_place(cursor.location)}: {problem}")

    def _declaration(self, cursor: Cursor) -> None:
        match cursor.kind:
            case CursorKind.TYPEDEF_DECL:
                self._typedef(cursor)
            case CursorKind.STRUCT_DECL | CursorKind.UNION_DECL | CursorKind.ENUM_DECL:
                if cursor.is_definition():
                    self._tagged.append(cursor)
            case CursorKind.FUNCTION_DECL:
                self._function(cursor)
            case CursorKind.VAR_DECL if cursor.spelling == VERSION_CONSTANT:
                self._version = _string_in(cursor)
            case CursorKind.MACRO_DEFINITION:
                self._macro(cursor)
            case kind if kind not in _NO_DECLARATIONS:
                raise _Inexpressible(f"{_what(cursor)} is neither a type nor a function, and the data has only these")

    def _macro(self, cursor: Cursor) -> None:
        tokens = [token.spelling for token in cursor.get_tokens()]
        if cursor.spelling == VERSION_MACRO:
            self._version = self._version or "".join(tokens[1:]).strip('"')
        elif len(tokens) > 1:  # else an include guard
            self._macros.add(cursor.spelling)

    def _typedef(self, cursor: Cursor) -> None:
        name = cursor.spelling
        found = self._typedef_type(cursor, name)
        if self._types.setdefault(name, found) != found:
            raise _Inexpressible(f"typedef {name} is given twice, and not alike")
        self._typedefs[name] = cursor

    def _typedef_type(self, cursor: Cursor, name: str) -> AbiType:
        target = cursor.underlying_typedef_type
        named = target.get_named_type() if target.kind is TypeKind.ELABORATED else target
        if named.kind in (TypeKind.RECORD, TypeKind.ENUM):
            return self._tagged_type(cursor, name, target)
        pointee = target.get_pointee() if target.kind is TypeKind.POINTER else None
        if pointee is not None and pointee.get_canonical().kind in _SIGNATURE_TYPES:
            params = [child for child in cursor.get_children() if child.kind is CursorKind.PARM_DECL]
            return FunctionPointer(name, self._source, *_signature(f"typedef {name}", pointee, params))
        if target.get_canonical().kind in _SIGNATURE_TYPES:
            raise _Inexpressible(f"typedef {name} is a function; the data has pointers to functions only")
        return Alias(name, self._source, _spelled(f"typedef {name}", target))

    def _tagged_type(self, cursor: Cursor, name: str, target: cindex.Type) -> AbiType:
        tagged = target.get_declaration()
        definition = tagged.get_definition()
        if definition is None:
            raise _Inexpressible(f"{_what(tagged)} is never defined")
        self._named.add(definition.hash)
        if not tagged.is_anonymous() and tagged.spelling != name:
            raise _Inexpressible(f"{_what(tagged)} has another name than its typedef {name}, and the data has one for both")
        if target.is_const_qualified() or target.is_volatile_qualified():
            raise _Inexpressible(f"typedef {name} makes a struct or an enum const or volatile")
        if definition.kind is CursorKind.ENUM_DECL:
            return Enum(name, self._source, tuple(_constants(definition)))
        if definition.kind is CursorKind.STRUCT_DECL:
            return Struct(name, self._source, _fields(name, definition))
        raise _Inexpressible(f"{_what(definition)}: the data has no unions")

    def _function(self, cursor: Cursor) -> None:
        name = cursor.spelling
        kind = _kind_of(name)
        if kind is None:
            raise _Inexpressible(f"function {name} is neither a callback ({CALLBACK_PREFIX}…) nor a hook ({HOOK_PREFIX}…)")
        if cursor.is_definition() or cursor.storage_class is cindex.StorageClass.STATIC:
            raise _Inexpressible(f"function {name} is defined, not only declared")
        for child in cursor.get_children():
            if child.kind.is_attribute() and child.kind not in _HARMLESS_ATTRIBUTES:
                raise _Inexpressible(f"function {name} has an attribute that the data cannot express ({child.kind.name})")
        returns, params = _signature(f"function {name}", cursor.type, [*cursor.get_arguments()])
        self._functions.setdefault(name, Function(name, kind, self._source, returns, params))

    def _compare_layouts(self) -> None:
        """Finds what the walk over the declarations may have missed, such as packing: clang knows each type's layout."""
        layouts = Layouts(Abi("", "", "", {}, tuple(self._types.values()), ()))
        for name, cursor in self._typedefs.items():
            try:
                computed = layouts.of(name)
            except UnknownCType as problem:
                self._complain(cursor, f"typedef {name}: {problem}")
                continue
            real = _real_layout(cursor.type, self._types[name])
            if computed != real:
                self._complain(
                    cursor,
                    f"typedef {name} is laid out by an attribute or in another way that the data cannot express: "
                    f"clang says {_laid(real)}, the data would mean {_laid(computed)}",
                )


def _kind_of(name: str) -> FunctionKind | None:
    if name.startswith(CALLBACK_PREFIX):
        return FunctionKind.CALLBACK
    return FunctionKind.HOOK if name.startswith(HOOK_PREFIX) else None


def _what(cursor: Cursor) -> str:
    """Returns `struct NAME` and the like, also for what has no name."""
    kind = cursor.kind.name.removesuffix("_DECL").replace("_", " ").lower()
    return f"{kind} {cursor.spelling}" if cursor.spelling and not cursor.is_anonymous() else f"{kind} without a name"


def _string_in(cursor: Cursor) -> str | None:
    """Returns the string that a constant is set to."""
    found = (one.spelling for one in cursor.walk_preorder() if one.kind is CursorKind.STRING_LITERAL)
    literal = next(found, None)
    return None if literal is None else literal.strip('"')


def _spelled(user: str, c_type: cindex.Type, *, array: bool = False) -> str:
    """Returns a type's text in the way the data writes it. An array is for fields only: elsewhere it would mean a pointer."""
    try:
        parsed = parse_type(c_type.spelling)
    except UnknownCType:
        raise _Inexpressible(
            f"{user}: the data has no words for `{c_type.spelling}`, only for names of types with `const`, stars, and sizes"
        ) from None
    if parsed.sizes and not array:
        raise _Inexpressible(f"{user}: the data has arrays (`{c_type.spelling}`) only as fields of structs")
    return str(parsed)


def _signature(user: str, c_type: cindex.Type, params: list[Cursor]) -> tuple[str, tuple[Member, ...]]:
    """Returns what a function returns, and its parameters; one without a name is called after its place: `param_1`.

    `()` has none: in C++, which hosts are written in, it means that.
    """
    if c_type.get_canonical().kind is TypeKind.FUNCTIONPROTO and c_type.is_function_variadic():
        raise _Inexpressible(f"{user} takes any number of arguments")
    if cindex.conf.lib.clang_getFunctionTypeCallingConv(c_type) != _C_CALLING_CONVENTION:
        raise _Inexpressible(f"{user} has another calling convention than C's")
    members = [
        Member(param.spelling or f"param_{number}", _spelled(f"{user}, parameter {param.spelling or number}", param.type))
        for number, param in enumerate(params, 1)
    ]
    return _spelled(f"{user}, what it returns", c_type.get_result()), tuple(members)


def _constants(enum: Cursor) -> Iterator[EnumValue]:
    for child in enum.get_children():
        if child.kind is CursorKind.ENUM_CONSTANT_DECL:
            yield EnumValue(child.spelling, child.enum_value)


def _fields(name: str, struct: Cursor) -> tuple[Member, ...]:
    fields = []
    for child in struct.get_children():
        if child.kind in (CursorKind.STRUCT_DECL, CursorKind.UNION_DECL, CursorKind.ENUM_DECL):
            raise _Inexpressible(f"struct {name} has a type defined inside it ({_what(child)})")
        if child.kind is not CursorKind.FIELD_DECL:
            raise _Inexpressible(f"struct {name} has something that is not a field ({child.kind.name})")
        if child.is_bitfield():
            raise _Inexpressible(f"struct {name}, field {child.spelling}: the data has no bit fields")
        fields.append(Member(child.spelling, _spelled(f"struct {name}, field {child.spelling}", child.type, array=True)))
    if not fields:
        raise _Inexpressible(f"struct {name} has no fields; C and C++ lay that out differently")
    return tuple(fields)


def _real_layout(c_type: cindex.Type, one: AbiType) -> Layout:
    record = c_type.get_canonical()
    offsets = tuple(record.get_offset(field.name) // 8 for field in one.fields) if isinstance(one, Struct) else ()
    return Layout(c_type.get_size(), c_type.get_align(), offsets)


def _laid(layout: Layout) -> str:
    return f"size {layout.size}, alignment {layout.alignment}, offsets {list(layout.offsets)}"


def _bound() -> None:
    """Limits the memory, the time and the files of this process."""
    for what, limit in (
        (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (bound, bound))


def main() -> None:
    """Runs the program: see the module's text."""
    header, source, output = sys.argv[1:]
    _bound()
    try:
        parsed = parse(Path(header), source)
    except (cindex.TranslationUnitLoadError, UnicodeError) as error:
        parsed = Parsed(problems=(f"{header}: libclang cannot read it: {error}",))
    Path(output).write_bytes(msgspec.json.encode(parsed))


if __name__ == "__main__":
    main()

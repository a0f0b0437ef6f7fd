"""Parses an ABI header with libclang. It comes on standard input, and a `Parsed` as JSON goes to standard output.

A separate process, because a header may be of any origin: before it parses, it bounds itself in time, memory and output, and
gives up its right to open anything. So a header reads nothing but itself and the three headers of C in `system_headers`,
whatever it includes, and a crash of the process harms no other. What the header declares and the data cannot express is a
problem with its place; nothing is left out silently.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

import msgspec
from clang import cindex
from clang.cindex import Cursor, CursorKind, TypeKind

from dmconform.abi.layout import Layout, Layouts
from dmconform.abi.spelling import UnknownCType, parse_type
from dmconform.abi.types import Abi, AbiType, Alias, Enum, EnumValue, Function, FunctionKind, FunctionPointer, Member, Struct
from dmconform.abi_diff import system_headers
from dmconform.abi_diff.comments import deprecation, documented
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX
from dmconform.core.seccomp import keep_only_open_files
from dmconform.core.text import cut

MEMORY_BYTES: Final = 96 << 20  # address space for the parsing, besides that of Python and libclang; real headers take 5 MB
CPU_S: Final = 2  # real headers take 0.1
ANSWER_BYTES: Final = 4 << 20  # real headers give 0.3 MB
EXIT_TOO_MUCH: Final = 3  # the bounds do not suffice; which one is printed on standard error

HEADER_PATH: Final = "/dmconform-header/abi.h"  # on no disk; how problems name the header

VERSION_CONSTANT: Final = "envoy_dynamic_modules_abi_version"
VERSION_MACRO: Final = "ENVOY_DYNAMIC_MODULES_ABI_VERSION"
_SHOWN: Final = 500  # characters of a problem; it may quote the header
_ARGUMENTS = (
    *("-x", "c", "-std=c17", "-w", "--target=x86_64-unknown-linux-gnu"),
    *("-nostdinc", "-isystem", system_headers.FOLDER),
)
# A file system without any file. Without `fallthrough`, libclang does not look at the real one.
_EMPTY_FILE_SYSTEM = b'{"version": 0, "fallthrough": "false", "roots": []}'
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


class _UnsavedFile(ctypes.Structure):
    """A file that exists in memory only, `CXUnsavedFile` of libclang."""

    _fields_ = (("name", ctypes.c_char_p), ("contents", ctypes.c_char_p), ("length", ctypes.c_ulong))


class _Inexpressible(Exception):
    """An error: a declaration that the data cannot express."""


def prepared() -> cindex.TranslationUnit:
    """Returns libclang with the headers of C, an empty header, and no other file: this machine's do not exist for it.

    All that libclang needs to open, it has opened then: a process that can open nothing any more goes on from here.
    """
    description = os.memfd_create("no-files")
    try:
        os.write(description, _EMPTY_FILE_SYSTEM)
        return cindex.Index.create().parse(
            HEADER_PATH,
            args=[*_ARGUMENTS, "-ivfsoverlay", f"/proc/self/fd/{description}"],
            unsaved_files=[(HEADER_PATH, b""), *system_headers.FILES],
            options=cindex.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD,
        )
    finally:
        os.close(description)


def parse(unit: cindex.TranslationUnit, text: bytes, source: str) -> Parsed:
    """Parses a header with what is `prepared`; everything in it gets `source` as its source.

    Raises:
        cindex.TranslationUnitLoadError: libclang gives up.
        UnicodeError: a name in it is not UTF-8.
    """
    files = ((HEADER_PATH, text), *system_headers.FILES)
    unsaved = (_UnsavedFile * len(files))(*(_UnsavedFile(name.encode(), held, len(held)) for name, held in files))
    # Not the method of the same name, which leaves open whether it could be done.
    if cindex.conf.lib.clang_reparseTranslationUnit(unit, len(files), unsaved, 0) != 0:
        raise cindex.TranslationUnitLoadError("it gives no reason")
    errors = [one for one in unit.diagnostics if one.severity >= cindex.Diagnostic.Error]
    if errors:
        return Parsed(problems=tuple(f"{_place(one.location)}: {_explained(one.spelling)}" for one in errors))
    return _Header(source).read(unit.cursor)


def _explained(error: str) -> str:
    hint = f"; it may include {system_headers.NAMES}, and nothing else" if error.endswith("file not found") else ""
    return cut(error, _SHOWN, "of libclang") + hint


def _place(location: cindex.SourceLocation) -> str:
    return f"{location.file.name if location.file else HEADER_PATH}:{location.line}:{location.column}"


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
        self._problems.append(f"{_place(cursor.location)}: {cut(problem, _SHOWN, 'of it')}")

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
        found = msgspec.structs.replace(self._typedef_type(cursor, name), deprecated=deprecation(_comment(cursor)))
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
        comment = _comment(cursor)
        demand = documented(comment) if kind is FunctionKind.HOOK else None
        found = Function(name, kind, self._source, returns, params, demand, deprecation(comment))
        self._functions.setdefault(name, found)

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


def _comment(cursor: Cursor) -> str | None:
    """Returns the comment of a declaration; None where it has none, or one that is not text."""
    try:
        text: str | None = cursor.raw_comment
    except UnicodeError:
        return None
    return text


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
    """Limits the memory, the time and the output of this process, from now on."""
    pages = int(Path("/proc/self/statm").read_bytes().split()[0])
    for what, limit in (
        (resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, ANSWER_BYTES),
        (resource.RLIMIT_NOFILE, 0),  # what is open stays so, and nothing can be opened
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (bound, bound))


def _give_up(why: str) -> NoReturn:
    os.write(2, f"{why}\n".encode(errors="replace"))
    os._exit(EXIT_TOO_MUCH)


def main() -> None:
    """Runs the program: see the module's text. The source is its only argument."""
    (source,) = sys.argv[1:]
    text = sys.stdin.buffer.read()
    unit = prepared()
    _bound()
    keep_only_open_files()  # where the kernel does not, the bound of open files and libclang's empty file system remain
    try:
        parsed = parse(unit, text, source)
        answer = msgspec.json.encode(parsed)
    except MemoryError:
        _give_up(f"it takes more than {MEMORY_BYTES >> 20} MiB of memory")
    except RecursionError:
        _give_up("it is nested too deeply")
    except (cindex.TranslationUnitLoadError, UnicodeError) as error:
        answer = msgspec.json.encode(Parsed(problems=(f"{HEADER_PATH}:1:1: libclang cannot read it: {error}",)))
    if len(answer) > ANSWER_BYTES:
        _give_up(f"it declares more than {ANSWER_BYTES >> 20} MiB of data can hold")
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    os._exit(0)  # what is mapped is unmapped faster so


if __name__ == "__main__":
    main()

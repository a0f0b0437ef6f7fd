"""Which undefined symbols of a module its hooks can reach: a may-reach analysis of x86-64 code, which is not run.

It begins at hooks, at what runs when the module is loaded or unloaded, and follows every reference of each function that it
comes to: direct calls and jumps, and everything that an instruction addresses relative to itself. A function whose address
is taken counts as called. Instructions are not decoded: an operand relative to the instruction always follows one of eight
bytes, and a call or jump one of a few others, so every place behind such a byte is taken for one. What these bytes mean
elsewhere yields a reference too much, never one too few.

Data counts as a whole object, from a place whose address is taken to the next one: a vtable is reached with all of its
functions. Where an object ends is not in the file. In Rust modules it is where another address is taken, unless that would
split a table of functions; in others only where a vtable begins, so that far more counts as one object.

"Reached" may be wrong: no values are followed, and a hook may hold code that is never run. "Not reached" is right for the
code that compilers make, apart from: a jump into the middle of another function (hand-written assembly); addresses made by
arithmetic with constants (the large code model); Rust tables of functions that are addressed in one place from their middle
and walked along in another; functions that are found by name at run time; code that writes code; and hosts that call more
than hooks. Only C, C++ and Rust are followed. In Go modules this way misses callbacks that are called: the runtime finds methods by their
distance from the beginning of all code, in descriptions of types.
"""

from __future__ import annotations

import bisect
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from dmconform.binaries.elf import Library, Malformed, Segment
from dmconform.binaries.facts import ReachFacts
from dmconform.binaries.functions import FunctionRanges
from dmconform.binaries.opened import Opened
from dmconform.binaries.pointers import Pointer, Pointers
from dmconform.core.extension_point import HOOK_PREFIX

LIMIT_S: Final = 1.5
CODE_LIMIT_BYTES: Final = 64 << 20
_RUST: Final = "rust"
_FOLLOWED: Final = ("c", "cpp", _RUST)
_WHY_NOT: Final = {
    "": "nothing shows which compiler made it",
    "go": "Go's runtime finds functions through tables of its own",
}
# What comes before four bytes of distance: a call or jump; a condition's jump; an operand relative to the instruction.
_BEFORE_DISTANCE: Final = re.compile(rb"[\xe8\xe9\x05\x0d\x15\x1d\x25\x2d\x35\x3d]|\x0f[\x80-\x8f]")
# What comes before one byte of distance: a short jump, a condition's, a loop's.
_BEFORE_SHORT_DISTANCE: Final = re.compile(rb"[\xeb\x70-\x7f\xe0-\xe3]")
_SHORT_BYTES: Final = 130
_OPERAND: Final = frozenset(b"\x05\x0d\x15\x1d\x25\x2d\x35\x3d")
_ADDRESS_TAKEN: Final = re.compile(rb"[\x48-\x4f]\x8d[\x05\x0d\x15\x1d\x25\x2d\x35\x3d]")
# What a linker makes so that a call of a symbol finds it: jmp *POINTER(%rip), maybe after endbr64 or with a prefix.
_STUB: Final = re.compile(rb"(?:\xf3\x0f\x1e\xfa)?\xf2?\xff\x25")
_FIRST_STUB: Final = re.compile(rb"\xff\x35....(?:\xf2?\xff\x25)", re.DOTALL)
_STUB_BYTES: Final = 16
_POINTER_BYTES, _VECTOR_BYTES, _LONGEST_LOAD_BYTES = 8, 16, 64  # that one instruction loads
_CONSTANTS_BYTES: Final = 1 << 16  # of a table of distances
_LARGEST_ALIGNMENT: Final = 1 << 29
_CPP_TYPES: Final = "_ZTVN10__cxxabiv1"  # how the vtables of descriptions of types are called
_CPP_HEAD_BYTES: Final = 16  # of a vtable, before its functions
_LOWEST_OFFSET_TO_TOP: Final = -(1 << 24)


class _TookTooLong(Exception):
    """The analysis was not done in time."""


def reach_of(path: Path, hooks: Collection[str], language: str, limit_s: float = LIMIT_S) -> ReachFacts:
    """Returns which undefined symbols hooks of a module can reach.

    Args:
        path: the module.
        hooks: names of the hooks that the host calls; those that it does not define do not matter.
        language: the module's language, as in `ModuleFacts`.
        limit_s: how long the analysis may take; then nothing is determined.
    """
    if language not in _FOLLOWED:
        return ReachFacts(problem=_WHY_NOT.get(language, f"how {language} finds functions is not known"))
    deadline = time.monotonic() + limit_s
    try:
        library = Library(Opened(path).data)
        analysis = _Analysis(library, language, deadline)
        analysis.run(_starts(library, hooks))
    except Malformed as problem:
        return ReachFacts(problem=str(problem))
    except _TookTooLong:
        return ReachFacts(problem=f"its code cannot be followed within {limit_s:g} s")
    return ReachFacts(reached=tuple(sorted(analysis.symbols)))


def _starts(library: Library, hooks: Collection[str]) -> list[int]:
    """Returns the functions that a host can start."""
    prefix = HOOK_PREFIX.encode()
    wanted = frozenset(hooks)
    starts = [
        one.address
        for one in library.exports()
        if library.name_starts_with(one.name_offset, prefix) and library.name(one.name_offset) in wanted
    ]
    return [*starts, *(library.dynamic[tag] for tag in ("DT_INIT", "DT_FINI") if tag in library.dynamic)]


class _Analysis:
    """The state of the search."""

    def __init__(self, library: Library, language: str, deadline: float) -> None:
        self._library = library
        self._deadline = deadline
        self._rust = language == _RUST
        self._code = [one for one in library.segments if one.executable]
        size = sum(one.size for one in self._code)
        if size > CODE_LIMIT_BYTES:
            raise Malformed(f"expected up to {CODE_LIMIT_BYTES} bytes of code, it has {size}")
        self._functions = FunctionRanges(library)
        if not self._functions.known:
            raise Malformed("expected a table of its functions (.eh_frame_hdr), there is none")
        self._pointers = Pointers(library)
        self._lowest = min(one.address for one in library.segments)
        self._highest = max(one.address + one.memory for one in library.segments)
        self._taken = sorted(self._addresses_taken())
        self._boundaries = sorted(self._found_boundaries())
        self._seen_functions: set[tuple[int, int]] = set()
        self._seen_objects: set[int] = set()
        self._to_read: list[tuple[int, int]] = []
        self.symbols: set[str] = set()

    def run(self, starts: Collection[int]) -> None:
        """Follows all references from functions, and from what runs at load and unload."""
        for start in (*starts, *self._pointers.chosen):
            self._reach(start, taken=True)
        for first, size in (("DT_INIT_ARRAY", "DT_INIT_ARRAYSZ"), ("DT_FINI_ARRAY", "DT_FINI_ARRAYSZ")):
            if first in self._library.dynamic:
                self._reach_pointers(self._library.dynamic[first], self._library.dynamic.get(size, 0))
        while self._to_read:
            self._check_time()
            self._read(*self._to_read.pop())

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise _TookTooLong

    # Objects

    def _found_boundaries(self) -> Iterator[int]:
        """Yields the addresses at which an object begins, or ends."""
        for segment in self._library.segments:
            yield from (segment.address, segment.address + segment.size, segment.address + segment.memory)
        yield self._library.constant_end
        for one in self._taken:
            if self._has_cpp_functions(one):
                yield one - _CPP_HEAD_BYTES
            elif self._begins_object(one):
                yield one

    def _addresses_taken(self) -> set[int]:
        """Returns the addresses of data that code or pointers hold."""
        taken = {pointer.target for pointer in self._pointers.at.values() if pointer.symbol is None}
        for segment in self._code:
            self._check_time()
            code = self._library.bytes_at(segment.address, segment.size)
            for found in _ADDRESS_TAKEN.finditer(code):
                end = found.end() + 4
                taken.add(segment.address + end + int.from_bytes(code[end - 4 : end], "little", signed=True))
        return {one for one in taken if self._lowest <= one < self._highest and not self._library.is_code(one)}

    def _begins_object(self, place: int) -> bool:
        """Returns whether an object begins at an address that is taken; in doubt it is the middle of one."""
        if self._has_cpp_functions(place + _CPP_HEAD_BYTES) or self._is_cpp_type(place):
            return True
        if not self._rust:
            return False
        return self._is_rust_vtable(place) or not self._is_function(self._pointers.at.get(place))

    def _is_function(self, pointer: Pointer | None) -> bool:
        return pointer is not None and (pointer.symbol is not None or self._library.is_code(pointer.target))

    def _plain(self, place: int) -> int | None:
        """Returns a word that is no pointer; None if it is one."""
        raw = self._library.bytes_at(place, 8)
        return None if place in self._pointers.at or len(raw) < 8 else int.from_bytes(raw, "little", signed=True)

    def _is_rust_vtable(self, place: int) -> bool:
        """Returns whether a function that drops a value, or none, then size and alignment are there."""
        size, alignment = self._plain(place + 8), self._plain(place + 16)
        if size is None or alignment is None or not 0 < alignment <= _LARGEST_ALIGNMENT or alignment & (alignment - 1):
            return False
        return size >= 0 and size % alignment == 0 and (self._plain(place) == 0 or self._is_function(self._pointers.at.get(place)))

    def _is_cpp_type(self, place: int) -> bool:
        """Returns whether a C++ type's description begins there: an object of C++'s own library."""
        found = self._pointers.at.get(place)
        if found is None:
            return False
        return self._has_cpp_functions(found.target) if found.symbol is None else found.symbol.startswith(_CPP_TYPES)

    def _has_cpp_functions(self, place: int) -> bool:
        """Returns whether functions follow the distance to the whole object and a type, or 0."""
        to_top = self._plain(place - _CPP_HEAD_BYTES)
        of_type = self._pointers.at.get(place - 8)
        if to_top is None or not _LOWEST_OFFSET_TO_TOP < to_top <= 0 or to_top % 8:
            return False
        if self._is_function(of_type) if of_type and of_type.symbol is None else self._plain(place - 8) not in (None, 0):
            return False
        return self._is_function(self._pointers.at.get(place))

    # References

    def _reach(self, target: int, *, taken: bool, size: int = 0) -> None:
        """Goes to an address. `taken`: all of the object counts, else `size` bytes that are loaded."""
        if not self._lowest <= target < self._highest:
            return
        if self._library.is_code(target):
            self._reach_code(target)
        elif taken:
            self._reach_object(target)
        else:
            self._reach_loaded(target, size)

    def _reach_code(self, target: int) -> None:
        stub = self._stub(target)
        if stub is not None:
            self._follow(stub)
            return
        found = self._functions.at(target)
        if found is not None and found not in self._seen_functions:
            self._seen_functions.add(found)
            self._to_read.append(found)

    def _stub(self, target: int) -> Pointer | None:
        """Returns the pointer that a linker's stub jumps to."""
        code = self._library.bytes_at(target, _STUB_BYTES)
        found = _STUB.match(code)
        if not found:
            return None
        end = found.end() + 4
        return self._pointers.at.get(target + end + int.from_bytes(code[end - 4 : end], "little", signed=True))

    def _follow(self, pointer: Pointer) -> None:
        if pointer.symbol is not None:
            self.symbols.add(pointer.symbol)
        elif pointer.of_thread:
            start, size = self._library.thread_local
            self._reach_pointers(start, size)
        else:
            self._reach(pointer.target, taken=True)

    def _reach_loaded(self, start: int, size: int) -> None:
        """Goes to the pointers that an instruction loads; of a linker's table it is a single one."""
        self._reach_pointers(start, _POINTER_BYTES if start in self._pointers.in_table else size)

    def _reach_pointers(self, start: int, size: int) -> None:
        for place in self._pointers.between(start, start + size - _POINTER_BYTES + 1):
            self._follow(self._pointers.at[place])

    def _reach_object(self, target: int) -> None:
        own = self._pointers.at.get(target)
        if own is not None and own.single:
            self._follow(own)
            return
        index = bisect.bisect_right(self._boundaries, target) - 1
        if index in self._seen_objects or index + 1 >= len(self._boundaries):
            return
        self._seen_objects.add(index)
        start, end = self._boundaries[index], self._boundaries[index + 1]
        places = self._pointers.between(start, end)
        for place in places:
            pointer = self._pointers.at[place]
            if not pointer.single:
                self._follow(pointer)
        if not places:
            following = bisect.bisect_right(self._taken, target)
            self._reach_by_distances(target, self._taken[following] if following < len(self._taken) else end)

    def _reach_by_distances(self, start: int, end: int) -> None:
        """Follows a constant table of distances from its own beginning, as compilers make them instead of pointers."""
        raw = b"" if start % 4 else self._library.bytes_at(start, min(end - start, _CONSTANTS_BYTES))
        low, high = self._lowest - start, self._highest - start
        for distance in memoryview(raw[: len(raw) - len(raw) % 4]).cast("i"):
            target = start + distance
            if not distance or not low <= distance < high:
                continue
            if self._library.is_code(target):
                if self._functions.begins_at(target):
                    self._reach_code(target)
            elif target in self._pointers.at or target + 8 in self._pointers.at or target + 24 in self._pointers.at:
                self._reach_object(target)

    def _read(self, start: int, end: int) -> None:
        """Follows all references of a piece of code."""
        code = self._library.bytes_at(start, end - start)
        if _FIRST_STUB.match(code):
            return  # stubs are followed one by one
        self._read_short_jumps(code, start)
        low, high, room = self._lowest, self._highest, len(code) - 4
        for found in _BEFORE_DISTANCE.finditer(code):
            at = found.end()
            if at > room:
                break
            target = start + at + 4 + int.from_bytes(code[at : at + 4], "little", signed=True)
            if not low <= target < high or start <= target < end:
                continue
            if code[at - 1] not in _OPERAND:
                if self._library.is_code(target):
                    self._reach_code(target)
            elif at >= 3 and code[at - 2] == 0x8D and code[at - 3] & 0xF8 == 0x48:
                self._reach(target, taken=True)
            elif size := _loaded(code, at):
                self._reach(target, taken=False, size=size)

    def _read_short_jumps(self, code: bytes, start: int) -> None:
        """Follows short jumps out of a piece of code, which only those near its ends can do."""
        edge = max(len(code) - _SHORT_BYTES, 0)
        for first, last in ((0, min(_SHORT_BYTES, edge)), (edge, len(code))):
            for found in _BEFORE_SHORT_DISTANCE.finditer(code, first, last):
                at = found.end()
                distance = int.from_bytes(code[at : at + 1], "little", signed=True)
                target = start + at + 1 + distance
                if not start <= target < start + len(code) and self._library.is_code(target):
                    self._reach_code(target)


def _loaded(code: bytes, at: int) -> int:
    """Returns how many bytes of pointers an instruction can load whose distance is at `at`; 0 if it loads none."""
    before = code[max(at - 6, 0) : at].rjust(6, b"\0")  # the last byte says that a distance follows
    vex2, vex3, evex = before[2] == 0xC5, before[1] == 0xC4, before[0] == 0x62
    if vex2 or vex3 or evex:
        return _LONGEST_LOAD_BYTES
    if before[3] == 0x0F or (before[2] == 0x0F and before[3] in (0x38, 0x3A)):
        return _VECTOR_BYTES
    # With 64 bits, which calls, jumps and pushes have without a prefix.
    if before[3] & 0xF8 == 0x48 or (before[4] == 0xFF and before[5] in (0x15, 0x25, 0x35)):
        return _POINTER_BYTES
    return 0

"""Which undefined symbols of a module its hooks can reach: a may-reach analysis of its code, which is not run.

It begins at hooks, at what runs when the module is loaded or unloaded, and follows every reference of each function that it
comes to. A function whose address is taken counts as called. Data counts as a whole object: whoever has the address of a
vtable reaches all of its functions.

"Reached" may be wrong: no values are followed, and a hook may hold code that is never run. "Not reached" is right for the
code that compilers of C, C++ and Rust make, apart from: a jump into the middle of another function (hand-written assembly);
addresses made by arithmetic with constants (the large code model); Rust tables of functions that are addressed from their
middle in one place and walked along in another; functions that are found by name at run time; code that writes code; and
hosts that call more than hooks. In Go modules this way misses callbacks that are called: Go's runtime finds methods by their
distance from the beginning of all code, in descriptions of types. So nothing is said of other languages.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from dmconform.binaries.elf import Library, Malformed
from dmconform.binaries.facts import ReachFacts
from dmconform.binaries.functions import FunctionRanges
from dmconform.binaries.objects import Objects
from dmconform.binaries.opened import Opened
from dmconform.binaries.pointers import Pointer, Pointers
from dmconform.binaries.references import POINTER_BYTES, STUB_BYTES, RefersBy, addresses_taken, references, stub_pointer
from dmconform.core.extension_point import HOOK_PREFIX

LIMIT_S: Final = 1.5
CODE_LIMIT_BYTES: Final = 64 << 20
RELOCATIONS_LIMIT: Final = 200_000  # half a second's worth
_RUST: Final = "rust"
_FOLLOWED: Final = ("c", "cpp", _RUST)
_WHY_NOT: Final = {
    "": "nothing shows which compiler made it",
    "go": "Go's runtime finds functions through tables of its own",
}
_CONSTANTS_BYTES: Final = 1 << 16  # of a table of distances
_STEPS_BETWEEN_CHECKS: Final = 4096
# From the beginning of an object to its first pointer: that of a type's description, of a vtable, of Rust's without a drop.
_TO_FIRST_POINTER: Final = (0, 8, 24)
_Item = TypeVar("_Item")


def reach_of(path: Path, hooks: Collection[str], language: str, limit_s: float = LIMIT_S) -> ReachFacts:
    """Returns which undefined symbols hooks of a module can reach.

    Args:
        path: the module.
        hooks: names of the hooks that the host calls; those that it does not define do not matter.
        language: the module's language, as in `ModuleFacts`.
        limit_s: how long the analysis may take; then nothing is determined.
    """
    if language not in _FOLLOWED:
        return ReachFacts(problem=_WHY_NOT.get(language, f"how code in {language} finds functions is not known"))
    try:
        library = Library(Opened(path).data)
        analysis = _Analysis(library, _Clock(limit_s), rust=language == _RUST)
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


class _TookTooLong(Exception):
    """The analysis was not done in time."""


class _Clock:
    """The end of the time that the analysis has: the processor's, so that a busy machine changes no answer."""

    def __init__(self, limit_s: float) -> None:
        self._end = time.process_time() + limit_s

    def check(self) -> None:
        """Raises _TookTooLong once the time is over."""
        if time.process_time() > self._end:
            raise _TookTooLong

    def checked(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """Yields the items, and checks now and then."""
        for number, item in enumerate(items):
            if not number % _STEPS_BETWEEN_CHECKS:
                self.check()
            yield item


class _Analysis:
    """The state of the search."""

    def __init__(self, library: Library, clock: _Clock, *, rust: bool) -> None:
        self._library = library
        self._clock = clock
        self._code = [one for one in library.segments if one.executable]
        size = sum(one.size for one in self._code)
        if size > CODE_LIMIT_BYTES:
            raise Malformed(f"expected up to {CODE_LIMIT_BYTES} bytes of code, it has {size}")
        if library.relocation_count > RELOCATIONS_LIMIT:
            raise Malformed(f"expected up to {RELOCATIONS_LIMIT} relocations, it has {library.relocation_count}")
        self._functions = FunctionRanges(library)
        if not self._functions.known:
            raise Malformed("expected a table of its functions (.eh_frame_hdr), there is none")
        self._lowest = min(one.address for one in library.segments)
        self._highest = max(one.address + one.memory for one in library.segments)
        self._pointers = Pointers(library)
        self._objects = Objects(library, self._pointers, self._addresses_taken(), rust=rust, checked=clock.checked)
        self._seen_references: set[int] = set()
        self._seen_functions: set[tuple[int, int]] = set()
        self._seen_objects: set[int] = set()
        self._seen_pointers: set[Pointer] = set()
        # What is left to do. No function calls itself, as references can form chains of any length.
        self._addresses: list[int] = []
        self._pieces: list[tuple[int, int]] = []
        self.symbols: set[str] = set()

    def run(self, starts: Collection[int]) -> None:
        """Follows all references from functions, and from what runs at load and unload."""
        self._addresses.extend((*starts, *self._pointers.chosen))
        for first, size in (("DT_INIT_ARRAY", "DT_INIT_ARRAYSZ"), ("DT_FINI_ARRAY", "DT_FINI_ARRAYSZ")):
            if first in self._library.dynamic:
                self._follow_all(self._library.dynamic[first], self._library.dynamic.get(size, 0))
        while self._addresses or self._pieces:
            self._clock.check()
            if self._addresses:
                self._reach(self._addresses.pop())
            else:
                self._read(*self._pieces.pop())

    def _addresses_taken(self) -> set[int]:
        """Returns the addresses of data that code or pointers hold."""
        taken = {pointer.target for pointer in self._pointers.at.values() if pointer.symbol is None}
        for segment in self._code:
            code = self._library.bytes_at(segment.address, segment.size)
            taken.update(self._clock.checked(addresses_taken(code, segment.address)))
        return {
            one for one in self._clock.checked(taken) if self._lowest <= one < self._highest and not self._library.is_code(one)
        }

    def _read(self, start: int, end: int) -> None:
        """Goes to all that a piece of code refers to."""
        code = self._library.bytes_at(start, end - start)
        for target, way, size in self._clock.checked(references(code, start, self._lowest, self._highest)):
            key = target << 8 | size | (way is RefersBy.ADDRESS)  # sizes are even
            if key in self._seen_references:
                continue
            self._seen_references.add(key)
            if self._library.is_code(target):
                self._reach_code(target)
            elif way is RefersBy.ADDRESS:
                self._reach_object(target)
            elif way is RefersBy.LOAD:
                # Of a linker's table an instruction loads one pointer.
                self._follow_all(target, POINTER_BYTES if target in self._pointers.in_table else size)

    def _reach(self, target: int) -> None:
        """Goes to an address that is taken: a function, or all of an object."""
        if not self._lowest <= target < self._highest:
            return
        if self._library.is_code(target):
            self._reach_code(target)
        else:
            self._reach_object(target)

    def _reach_code(self, target: int) -> None:
        stub = stub_pointer(self._library.bytes_at(target, STUB_BYTES), target)
        if stub in self._pointers.at:
            self._follow(self._pointers.at[stub])
            return
        piece = self._functions.at(target)
        if piece is not None and piece not in self._seen_functions:
            self._seen_functions.add(piece)
            self._pieces.append(piece)

    def _follow(self, pointer: Pointer) -> None:
        if pointer in self._seen_pointers:
            return
        self._seen_pointers.add(pointer)
        if pointer.symbol is not None:
            self.symbols.add(pointer.symbol)
        elif pointer.of_thread:
            self._follow_all(*self._library.thread_local)
        else:
            self._addresses.append(pointer.target)

    def _follow_all(self, start: int, size: int) -> None:
        """Follows the pointers that are whole in a range."""
        for place in self._pointers.between(start, start + size - POINTER_BYTES + 1):
            self._follow(self._pointers.at[place])

    def _reach_object(self, target: int) -> None:
        own = self._pointers.at.get(target)
        if own is not None and own.single:
            self._follow(own)
            return
        found = self._objects.around(target)
        if found is None:
            return
        start, end = found
        places = self._pointers.between(start, end)
        own_start = start if places else target  # among constants, each address may be that of a table
        if own_start in self._seen_objects:
            return
        self._seen_objects.add(own_start)
        for place in places:
            if not self._pointers.at[place].single:
                self._follow(self._pointers.at[place])
        if not places:
            self._follow_distances(target, min(self._objects.following(target), end))

    def _follow_distances(self, start: int, end: int) -> None:
        """Follows a constant table of distances from its own beginning, as compilers make them instead of pointers."""
        raw = b"" if start % 4 else self._library.bytes_at(start, min(end - start, _CONSTANTS_BYTES))
        low, high = self._lowest - start, self._highest - start
        for distance in memoryview(raw[: len(raw) - len(raw) % 4]).cast("i"):
            if not distance or not low <= distance < high:
                return  # all of a table are distances
            target = start + distance
            if self._functions.begins_at(target) or any(target + one in self._pointers.at for one in _TO_FIRST_POINTER):
                self._addresses.append(target)

"""Where objects of a library's data begin, as far as that shows: in the file, data has neither names nor sizes.

An object begins where a vtable does, and in Rust modules wherever an address is taken, unless that would split a table of
functions. In other modules an address may be taken in the middle of an object that is walked along from elsewhere, so that
all between two vtables counts as one.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from dmconform.binaries.elf import Library
from dmconform.binaries.pointers import Pointer, Pointers

_LARGEST_ALIGNMENT: Final = 1 << 29
_CPP_TYPES: Final = "_ZTVN10__cxxabiv1"  # how the vtables of descriptions of types are called
_CPP_HEAD_BYTES: Final = 16  # of a vtable, before its functions
_LOWEST_OFFSET_TO_TOP: Final = -(1 << 24)


class Objects:
    """The objects of a library."""

    def __init__(
        self,
        library: Library,
        pointers: Pointers,
        taken: set[int],
        *,
        rust: bool,
        checked: Callable[[Iterable[int]], Iterator[int]],
    ) -> None:
        """Finds them.

        Args:
            library: the library.
            pointers: its pointers.
            taken: addresses of data that code or pointers hold.
            rust: whether it is a Rust module.
            checked: passes things on, and may raise to end what takes too long.
        """
        self._library = library
        self._pointers = pointers
        self._rust = rust
        self._taken = sorted(taken)
        self._boundaries = sorted(self._found_boundaries(checked))

    def around(self, address: int) -> tuple[int, int] | None:
        """Returns where the object that an address is in begins and ends."""
        at = bisect.bisect_right(self._boundaries, address)
        return (self._boundaries[at - 1], self._boundaries[at]) if 0 < at < len(self._boundaries) else None

    def following(self, address: int) -> int:
        """Returns the next address that is taken."""
        at = bisect.bisect_right(self._taken, address)
        return self._taken[at] if at < len(self._taken) else self._boundaries[-1]

    def _found_boundaries(self, checked: Callable[[Iterable[int]], Iterator[int]]) -> Iterator[int]:
        """Yields the addresses at which an object begins, or ends."""
        for segment in self._library.segments:
            yield from (segment.address, segment.address + segment.size, segment.address + segment.memory)
        yield self._library.constant_end
        for one in checked(self._taken):
            if self._has_cpp_functions(one):
                yield one - _CPP_HEAD_BYTES
            elif self._begins_object(one):
                yield one

    def _begins_object(self, place: int) -> bool:
        if self._has_cpp_functions(place + _CPP_HEAD_BYTES) or self._is_cpp_type(place):
            return True
        return self._rust and (self._is_rust_vtable(place) or not self._is_function(self._pointers.at.get(place)))

    def _is_function(self, pointer: Pointer | None) -> bool:
        return pointer is not None and (pointer.symbol is not None or self._library.is_code(pointer.target))

    def _plain(self, place: int) -> int | None:
        """Returns a word that is no pointer; None if it is one."""
        raw = self._library.bytes_at(place, 8)
        return None if place in self._pointers.at or len(raw) < 8 else int.from_bytes(raw, "little", signed=True)

    def _is_rust_vtable(self, place: int) -> bool:
        """Returns whether a function that drops a value, or none, then the value's size and alignment are there."""
        size, alignment = self._plain(place + 8), self._plain(place + 16)
        if size is None or alignment is None or not 0 < alignment <= _LARGEST_ALIGNMENT or alignment & (alignment - 1):
            return False
        return (
            size >= 0 and size % alignment == 0 and (self._plain(place) == 0 or self._is_function(self._pointers.at.get(place)))
        )

    def _is_cpp_type(self, place: int) -> bool:
        """Returns whether a C++ type's description begins there: an object of C++'s own library."""
        found = self._pointers.at.get(place)
        if found is None:
            return False
        return self._has_cpp_functions(found.target) if found.symbol is None else found.symbol.startswith(_CPP_TYPES)

    def _has_cpp_functions(self, place: int) -> bool:
        """Returns whether a vtable's functions begin there: behind the distance to the whole object, and a type or 0."""
        to_top = self._plain(place - _CPP_HEAD_BYTES)
        if to_top is None or not _LOWEST_OFFSET_TO_TOP < to_top <= 0 or to_top % 8:
            return False
        of_type = self._pointers.at.get(place - 8)
        is_type = (
            self._plain(place - 8) == 0 if of_type is None else of_type.symbol is not None or not self._is_function(of_type)
        )
        return is_type and self._is_function(self._pointers.at.get(place))

"""The one way to make a pool of threads: what they share and a library makes at its first use is made before they start.

msgspec describes a struct type when a value of it is first decoded. Up to 0.22, other threads could meet a description that
was not complete, and the process died of SIGSEGV.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

_OWN: Final = "dmconform."


def thread_pool(workers: int, name: str) -> ThreadPoolExecutor:
    """Makes a pool of threads, for a `with` block. `name` is what its threads' names begin with.

    Imports what the threads' work needs first: types of modules that a thread imports are not prepared.
    """
    prepare_for_threads()
    return ThreadPoolExecutor(workers, thread_name_prefix=name)


def prepare_for_threads() -> None:
    """Makes what threads would otherwise make at the same time: descriptions of struct types, and the codec of host names."""
    for shape in struct_types():
        msgspec.json.Decoder(shape)  # describes the type, and the types of its fields
    "".encode("idna")  # sockets import it


def struct_types() -> Iterator[type[msgspec.Struct]]:
    """Yields the struct types of all modules of this package that are imported."""
    return (shape for shape in _below(msgspec.Struct) if shape.__module__.startswith(_OWN))


def _below(shape: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in shape.__subclasses__():
        yield one
        yield from _below(one)

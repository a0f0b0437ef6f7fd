"""Writes where each hook and callback has its arguments: which of the words that a call hands over are whose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dmconform.abi.loading import load_every_abi
from dmconform.abi.types import Abi, Function, Struct

_REGISTERS: Final = 6
WORDS: Final = 12
"""So many words of a call are known: those in registers, and the first ones on the stack."""


def write(folder: Path) -> None:
    """Writes `signatures.c`. Where minors differ the newest counts; what is of a type that needs care is left out."""
    rows: dict[str, str] = {}
    for abi in load_every_abi().values():
        rows |= {one.name: _row(abi, one) for one in abi.functions if one.params is not None}
    text = "\n".join(rows[name] for name in sorted(rows))
    (folder / "signatures.c").write_text(
        f'#include "calls.h"\n\nconst struct signature signatures[] = {{\n{text}\n{{NULL, {{{{NULL, 0, 0}}}}}}}};\n'
    )


def _row(abi: Abi, function: Function) -> str:
    places = ", ".join(f'{{"{name}", {word}, {words}}}' for name, word, words in _places(abi, function))
    return f'{{"{function.name}", {{{places}{", " if places else ""}{{NULL, 0, 0}}}}}},'


def _places(abi: Abi, function: Function) -> Iterator[tuple[str, int, int]]:
    """Yields name, first word and number of words of each argument: words 0 to 5 are registers, the others on the stack."""
    types = {one.name: one for one in abi.types}
    register, stack = (1 if _is_large(types.get(function.returns or "")) else 0), _REGISTERS
    for param in function.params or ():
        if param.type == "double":
            continue  # it has a register of another kind
        known = types.get(param.type)
        words = 2 if isinstance(known, Struct) else 1
        if isinstance(known, Struct) and _is_large(known):
            return
        if register + words <= _REGISTERS:
            yield param.name, register, words
            register += words
        elif stack + words <= WORDS:
            yield param.name, stack, words
            stack += words


def _is_large(type_: object) -> bool:
    """Whether a result of this type is written where the caller says, and an argument of it lies on the stack."""
    return isinstance(type_, Struct) and (len(type_.fields) > 2)

"""Which functions use a type, however deep, and whose code reads its values: the host's, the module's, or both."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from dmconform.abi.spelling import parse_type
from dmconform.abi.types import Abi, Alias, Enum, Function, FunctionKind, FunctionPointer, Struct
from dmconform.abi_diff.changes import Reader
from dmconform.abi_diff.shapes import World

_OTHER = {Reader.HOST: Reader.MODULE, Reader.MODULE: Reader.HOST, Reader.BOTH: Reader.BOTH}


@dataclass
class TypeUse:
    """The places where a type is used, and who reads its values there."""

    functions: dict[str, Reader] = field(default_factory=lambda: defaultdict(lambda: Reader.NEITHER))

    def readers(self, functions: frozenset[str]) -> Reader:
        """Returns who reads the type's values, as far as these functions go."""
        found = Reader.NEITHER
        for name, reader in self.functions.items():
            if name in functions:
                found |= reader
        return found


def type_uses(abi: Abi, world: World) -> dict[str, TypeUse]:
    """Returns the uses of each type by functions whose signature is known; a type that none uses is left out."""
    uses: dict[str, TypeUse] = defaultdict(TypeUse)
    for function in abi.functions:
        if function.params is None or function.returns is None:
            continue
        walk = _Walk(world, uses, function)
        callee = Reader.HOST if function.kind is FunctionKind.CALLBACK else Reader.MODULE
        for param in function.params:
            walk.visit(param.type, callee)
        walk.visit(function.returns, _OTHER[callee])
    return dict(uses)


class _Walk:
    """A walk over the types of one function."""

    def __init__(self, world: World, uses: dict[str, TypeUse], function: Function) -> None:
        self._world = world
        self._uses = uses
        self._function = function.name
        self._seen: set[tuple[str, Reader]] = set()

    def visit(self, text: str, reader: Reader) -> None:
        """Notes the type of a value that `reader` reads."""
        parsed = parse_type(text)
        if parsed.stars and not parsed.const:
            reader = Reader.BOTH  # what it points to may be read by one side and filled in by the other
        name = parsed.base
        if name not in self._world.types or (name, reader) in self._seen:
            return
        self._seen.add((name, reader))
        self._uses[name].functions[self._function] |= reader
        match self._world.types[name]:
            case Alias(type=target):
                self.visit(target, reader)
            case Struct(fields=fields):
                for one in fields:
                    self.visit(one.type, reader)
            case FunctionPointer(returns=returns, params=params):
                # Who is given the pointer calls through it, so the other side reads what is passed.
                for param in params:
                    self.visit(param.type, _OTHER[reader])
                self.visit(returns, reader)
            case Enum():
                pass

"""Made-up ABIs for tests."""

from __future__ import annotations

from dmconform.abi.types import (
    Abi,
    AbiType,
    Alias,
    Enum,
    EnumValue,
    Function,
    FunctionKind,
    FunctionPointer,
    HeaderSource,
    Member,
    Struct,
)

_SOURCE = "own"
_TYPE = "envoy_dynamic_module_type_"


def callback(name: str, returns: str | None = "void", *params: str) -> Function:
    """A callback; each parameter as `TYPE NAME`. Without `returns` its signature is not known."""
    return _function(f"envoy_dynamic_module_callback_{name}", FunctionKind.CALLBACK, returns, params)


def hook(name: str, returns: str | None = "void", *params: str) -> Function:
    """A hook, as `callback`."""
    return _function(f"envoy_dynamic_module_on_{name}", FunctionKind.HOOK, returns, params)


def alias(name: str, target: str) -> Alias:
    return Alias(_TYPE + name, _SOURCE, _typed(target))


def enum(name: str, **values: int) -> Enum:
    """An enum; its constants have its name in front."""
    return Enum(_TYPE + name, _SOURCE, tuple(EnumValue(f"{_TYPE}{name}_{key}", value) for key, value in values.items()))


def struct(name: str, *fields: str) -> Struct:
    return Struct(_TYPE + name, _SOURCE, _members(fields))


def pointer(name: str, returns: str, *params: str) -> FunctionPointer:
    """A pointer to a function."""
    return FunctionPointer(_TYPE + name, _SOURCE, _typed(returns), _members(params))


def abi(*items: Function | AbiType, exact: bool = True, abi_version: str = "v1", envoy: str = "1.50") -> Abi:
    """An ABI of these functions and types."""
    return Abi(
        envoy=envoy,
        measured_on=f"{envoy}.0",
        abi_version=abi_version,
        sources={_SOURCE: HeaderSource("made up", exact)},
        types=tuple(item for item in items if not isinstance(item, Function)),
        functions=tuple(item for item in items if isinstance(item, Function)),
    )


def _function(name: str, kind: FunctionKind, returns: str | None, params: tuple[str, ...]) -> Function:
    if returns is None:
        return Function(name, kind)
    return Function(name, kind, _SOURCE, _typed(returns), _members(params))


def _members(texts: tuple[str, ...]) -> tuple[Member, ...]:
    split = (text.rpartition(" ") for text in texts)
    return tuple(Member(name, _typed(type_text)) for type_text, _, name in split)


def _typed(text: str) -> str:
    """`$NAME` is a type of the ABI."""
    return text.replace("$", _TYPE)

"""A small ABI and rules for tests of the differential test."""

from __future__ import annotations

from dmconform.abi.types import Abi, Alias, Enum, EnumValue, Function, FunctionKind, HeaderSource, Member, Struct
from dmconform.measure.differential.calls import Gathered
from dmconform.measure.differential.lines import Key, ModuleOutput
from dmconform.measure.differential.rules import Alone, Rules, Value, Where

TYPE = "envoy_dynamic_module_type_"
CALLBACK = "envoy_dynamic_module_callback_"
HOOK = "envoy_dynamic_module_on_"
FILTER = Member("filter", f"{TYPE}http_filter_envoy_ptr")
HEADERS = "http_filter_request_headers"


def callback(name: str, *params: tuple[str, str], returns: str = "bool", on_filter: bool = True) -> Function:
    """A callback by its short name, with short types."""
    members = tuple(Member(n, t.replace("@", TYPE)) for n, t in params)
    both = (FILTER, *members) if on_filter else members
    return Function(CALLBACK + name, FunctionKind.CALLBACK, "s", returns.replace("@", TYPE), both)


def abi(*callbacks: Function) -> Abi:
    """An ABI with an HTTP filter's hook."""
    hooks = (
        Function(f"{HOOK}program_init", FunctionKind.HOOK, "s", f"{TYPE}abi_version_module_ptr", ()),
        Function(HOOK + HEADERS, FunctionKind.HOOK, "s", f"{TYPE}on_http_filter_request_headers_status", (FILTER,)),
    )
    types = (
        Alias(f"{TYPE}abi_version_module_ptr", "s", "const char*"),
        Alias(f"{TYPE}buffer_module_ptr", "s", "const char*"),
        Alias(FILTER.type, "s", "void*"),
        Alias(f"{TYPE}http_span_envoy_ptr", "s", "void*"),
        Alias(f"{TYPE}http_timer_module_ptr", "s", "void*"),
        Enum(f"{TYPE}colour", "s", (EnumValue(f"{TYPE}colour_Red", 0), EnumValue(f"{TYPE}colour_Blue", 1))),
        Enum(
            f"{TYPE}on_http_filter_request_headers_status",
            "s",
            (
                EnumValue(f"{TYPE}on_http_filter_request_headers_status_Continue", 0),
                EnumValue(f"{TYPE}on_http_filter_request_headers_status_StopIteration", 1),
            ),
        ),
        Struct(
            f"{TYPE}module_buffer",
            "s",
            (Member("ptr", f"{TYPE}buffer_module_ptr"), Member("length", "size_t")),
        ),
    )
    return Abi("1.39", "1.39.3", "v0", {"s": HeaderSource("a header", True)}, types, (*callbacks, *hooks))


def rules(
    *values: Value, where: tuple[Where, ...] | None = None, alone: tuple[Alone, ...] = (), order: tuple[str, ...] = ("",)
) -> Rules:
    """Rules that call everything that takes an HTTP filter in its hook for request headers."""
    places = (Where((HEADERS,), handle="http_filter_envoy_ptr"),) if where is None else where
    return Rules((), (), (), order, places, values, alone=alone)


def reported(**results: str | tuple[str, ...]) -> ModuleOutput:
    """What a module said of calls, by callback, without arguments, the first time."""
    return ModuleOutput({key(name): (words,) if isinstance(words, str) else words for name, words in results.items()})


def key(name: str, arguments: str = "", time: int = 0) -> Key:
    """A call in the hook for request headers."""
    return Key(HEADERS, name, arguments, time)


def gathered(**results: str | tuple[str, ...]) -> Gathered:
    """What a job gave."""
    return Gathered(reported(**results))

"""Arguments for a callback, made by the rules from its parameters' types and names: pieces of C."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from dmconform.abi.types import Abi, Alias, Enum, Function, FunctionPointer, Member, Struct
from dmconform.core.extension_point import point_of
from dmconform.measure.differential.rules import TYPE_PREFIX, Rules, Value, short

OUT_ITEMS: Final = 64  # room in an array that a host fills; what the differential test makes it fill is far below
BUFFER_BYTES: Final = 256  # room in a buffer of characters
_HANDLE = re.compile(r"^(?!buffer_)\w+_(?:envoy|module)_ptr$")
_BYTES = re.compile(r"^uint8_t\[(\d+)\]$")
_SCALARS: Final = {
    "bool": '"%s", {0} ? "true" : "false"',
    "double": '"%.9g", {0}',
    "int": '"%d", {0}',
    "int64_t": '"%lld", (long long){0}',
    "size_t": '"%zu", {0}',
    "uint8_t": '"%u", {0}',
    "uint16_t": '"%u", {0}',
    "uint32_t": '"%u", {0}',
    "uint64_t": '"%llu", (unsigned long long){0}',
    "uintptr_t": '"%llu", (unsigned long long){0}',
}
_METRICS = ("counter", "gauge", "histogram")
ENDS_A_HANDLE = ("delete", "finish")  # the last word of callbacks after which their handle must not be used


def is_handle(type_: str) -> bool:
    """Returns whether a short C type is an opaque pointer, such as `http_filter_envoy_ptr`."""
    return _HANDLE.match(type_) is not None


def quoted(text: str) -> str:
    """Returns a C string literal; only ASCII is expected."""
    return json.dumps(text)


@dataclass(frozen=True)
class Loop:
    """Values that an argument takes in turn: C expressions, and how a line names each."""

    variable: str
    type: str
    values: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Argument:
    """One argument: C statements before the call, the expression, and C statements that show what came back."""

    expression: str
    declare: str = ""
    show: str = ""
    loop: Loop | None = None
    needs: str | None = None  # the short type of a handle that must be there
    gives: str | None = None  # the short type of a handle that it brings


@dataclass(frozen=True)
class NoArgument:
    """The reason why there is no safe argument for a parameter."""

    reason: str


class Arguments:
    """A maker of arguments for the callbacks of one ABI."""

    def __init__(self, abi: Abi, rules: Rules) -> None:
        self._rules = rules
        self._types = {short(each.name): each for each in abi.types}

    def make(self, function: Function, param: Member) -> Argument | NoArgument:
        """Returns the argument for one parameter of a callback: by a rule, or else by its type."""
        type_ = short(param.type)
        value = self._rules.value_for(short(function.name), param.name, type_)
        if value is not None:
            return _BY_RULE[value.ways[0]](self, function, param, value)
        if is_handle(type_):
            return Argument(f"handle_{type_}", needs=type_)
        if type_.startswith("const "):
            return self._handles(type_) or NoArgument(f"no rule for the argument {param.name!r} of type {type_!r}")
        if type_.endswith("*"):
            return self._out(function, param, type_[:-1])
        if isinstance(self._types.get(type_), FunctionPointer):
            return Argument(f"taker_{type_}")
        return NoArgument(f"no rule for the argument {param.name!r} of type {type_!r}")

    @staticmethod
    def _handles(type_: str) -> Argument | None:
        """Returns a list with one handle."""
        item = type_.removeprefix("const ").removesuffix("*")
        return Argument(f"&handle_{item}", needs=item) if is_handle(item) else None

    def show(self, type_: str, label: str, expression: str) -> str:
        """Returns C statements that append ` LABEL=VALUE` to the line."""
        return f'put(" {label}="); {self._show_value(type_, expression)}'

    def _show_value(self, type_: str, expression: str) -> str:
        if type_ in _SCALARS:
            return f"put({_SCALARS[type_].format(expression)});"
        if type_.endswith(("*", "_ptr")):
            return f'put("%s", {expression} ? "set" : "null");'
        bytes_ = _BYTES.match(type_)
        if bytes_ is not None:
            return f"put_bytes((const char *){expression}, {bytes_[1]});"
        known = self._types.get(type_)
        if isinstance(known, Enum):
            return f'put("%d", (int){expression});'
        if isinstance(known, Struct):
            return f"show_{type_}(&{expression});"
        if isinstance(known, Alias):
            return self._show_value(short(known.type), expression)
        raise AssertionError(f"no way to show a {type_}")

    def shower(self, struct: Struct) -> str:
        """Returns a C function that shows a struct; a pointer and the length beside it are shown as the bytes."""
        parts: list[str] = []
        lengths = {field.name for field in struct.fields}
        bytes_of = {
            field.name: other
            for field in struct.fields
            if short(field.type).startswith("buffer_")
            for other in (field.name.removesuffix("ptr") + "length",)
            if other in lengths
        }
        for field in struct.fields:
            if field.name in bytes_of.values():
                continue
            if field.name in bytes_of:
                parts.append(f"put_bytes(it->{field.name}, it->{bytes_of[field.name]});")
            else:
                parts.append(self._show_value(short(field.type), f"it->{field.name}"))
        joined = ' put("/"); '.join(parts)
        return f"__attribute__((unused)) static void show_{short(struct.name)}(const {struct.name} *it) {{ {joined} }}"

    def _out(self, function: Function, param: Member, item: str) -> Argument:
        """Returns an array that the host writes into: shown up to its last item that is not zero, at least the first."""
        name = param.name
        if item == "void":
            return Argument("&module_object")
        if item == "char":
            show = f'put(" {name}="); put_bytes({name}, strnlen({name}, sizeof {name}));'
            return Argument(name, f"char {name}[{BUFFER_BYTES}] = {{0}};", show)
        c_type = param.type[:-1].strip()
        shown = self._show_value(item, f"{name}[i]")
        show = (
            f'put(" {name}="); for (size_t i = 0, n = filled({name}, {OUT_ITEMS}, sizeof *{name}); i < n; i++) '
            f'{{ if (i) put("+"); {shown} }}'
        )
        after = ""
        gives = None
        if is_handle(item):
            after, gives = f" if ({name}[0]) handle_{item} = {name}[0];", item
        elif item in {"size_t", "uint64_t"}:
            metric = next((kind for kind in _METRICS if name == f"{kind}_id_ptr"), None)
            if metric is not None:
                after = f" {self._metric(function, metric)} = {name}[0];"
            else:
                after = f" {kept(function, name)} = {name}[0];"
        return Argument(name, f"{c_type} {name}[{OUT_ITEMS}] = {{0}};", show + after, gives=gives)

    def _metric(self, function: Function, kind: str) -> str:
        return kept(function, f"metric_{kind}")

    def _own(self, _: Function, param: Member, __: Value) -> Argument:
        return Argument(f"({param.type})&module_object")

    def _null(self, _: Function, __: Member, ___: Value) -> Argument:
        return Argument("NULL")

    def _number(self, _: Function, param: Member, value: Value) -> Argument:
        if param.type.startswith("const "):
            return Argument(param.name, f"{param.type.rstrip('* ')} {param.name}[1] = {{{value.number}}};")
        return Argument(f"({param.type}){value.number}")

    def _numbers(self, _: Function, param: Member, value: Value) -> Argument:
        labels = tuple(map(str, value.numbers))
        return Argument(param.name, loop=Loop(param.name, param.type, labels, labels))

    def _every(self, _: Function, param: Member, __: Value) -> Argument | NoArgument:
        type_ = short(param.type)
        known = self._types.get(type_)
        if not isinstance(known, Enum):
            return NoArgument(f"{type_!r} is not an enum, and a rule asks for every value of it")
        numbers = tuple(str(each.value) for each in known.values)
        labels = tuple(short(each.name).removeprefix(f"{type_}_") for each in known.values)
        return Argument(param.name, loop=Loop(param.name, param.type, numbers, labels))

    def _metric_id(self, function: Function, param: Member, _: Value) -> Argument | NoArgument:
        kind = next((kind for kind in _METRICS if kind in function.name), None)
        if kind is None:
            return NoArgument(f"{short(function.name)!r} does not say of which metric {param.name!r} is")
        return Argument(self._metric(function, kind))

    def _keep(self, function: Function, _: Member, value: Value) -> Argument:
        return Argument(kept(function, str(value.keep)))

    def _capacity(self, _: Function, param: Member, value: Value) -> Argument:
        if short(param.type) == "const char*":
            return Argument(param.name, f"static const char {param.name}[{BUFFER_BYTES}] = {quoted('dmconform')};")
        return Argument(str(value.capacity))

    def _texts(self, function: Function, param: Member, value: Value) -> Argument | NoArgument:
        callback = short(function.name)

        def filled(text: str) -> str:
            return text.replace("{last}", callback.rpartition("_")[2]).replace("{name}", callback)

        name, type_ = param.name, short(param.type)
        buffer = f"{TYPE_PREFIX}module_buffer"

        def made(text: str) -> str:
            return f"{{{quoted(text)}, {len(text)}}}"

        if type_.endswith("*"):
            if value.text is None:
                return NoArgument(f"several texts for {name!r}, which is a list")
            return Argument(name, f"{buffer} {name}[1] = {{{made(filled(value.text))}}};")
        if type_ != "module_buffer":
            return NoArgument(f"a text for {name!r}, which is a {type_}")
        if value.text is not None:
            return Argument(f"(({buffer}){made(filled(value.text))})")
        texts = tuple(map(filled, value.texts))
        return Argument(name, loop=Loop(name, buffer, tuple(map(made, texts)), texts))

    def _pairs(self, _: Function, param: Member, value: Value) -> Argument:
        items = ", ".join(f"{{{quoted(k)}, {len(k)}, {quoted(v)}, {len(v)}}}" for k, v in value.headers)
        c_type = param.type.removeprefix("const ").rstrip("* ")
        return Argument(param.name, f"{c_type} {param.name}[] = {{{items}}};")


_BY_RULE: Final[Mapping[str, Callable[[Arguments, Function, Member, Value], Argument | NoArgument]]] = {
    "text": Arguments._texts,
    "texts": Arguments._texts,
    "number": Arguments._number,
    "numbers": Arguments._numbers,
    "every": Arguments._every,
    "headers": Arguments._pairs,
    "capacity": Arguments._capacity,
    "metric": Arguments._metric_id,
    "keep": Arguments._keep,
    "null": Arguments._null,
    "own": Arguments._own,
}


def kept(function: Function, name: str) -> str:
    """Returns the C variable for a number that a callback of an extension point gave out, for later calls."""
    point = point_of(function.name)
    return f"kept_{point.value if point else 'common'}_{name}"

"""Writes the C source of a module that prints how it is called: each hook of a minor, with what the host hands to it.

Its configuration is text, words apart by spaces. `HOOK=VALUE` is what a hook returns when it is first called with an object
(with a `*` behind it: each time), such as `http_filter_request_headers=StopIteration`, `http_filter_new=null`. `HOOK:WORD` is
what it does besides, then: one of `_ACTIONS`. What a host calls is printed on standard error, a line when a hook is entered and
one when it is left: the configuration's name, the thread, the depth, the hook, its arguments or its result. A module's objects
have numbers (`http_filter#2`); the host's are `own` where they came with the module's object, else `of_another`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from dmconform.abi.bindings.c_header import c_header
from dmconform.abi.bindings.recorder_runtime import RUNTIME
from dmconform.abi.bindings.stub_module import PROGRAM_INIT, harmless_body
from dmconform.abi.types import Abi, Alias, Enum, Function, FunctionKind, FunctionPointer, Member, Struct
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX

_TYPE = "envoy_dynamic_module_type_"
_BUFFERS = (f"{_TYPE}envoy_buffer*", f"const {_TYPE}envoy_buffer*")
_TIMES = frozenset(("timestamp_ns", "start_time_ns"))
_IDS = frozenset(("callout_id", "stream_id", "query_id"))
_LABELS = frozenset(("name", "sink_name", "socket_name"))

# What a module does besides, by the word: the callbacks that it takes, and C with the hook's parameters. `e` is the first
# argument, the host's object.
_ACTIONS: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {
        "resume": ((), ""),  # by kind: see `_resume`
        "reply": (
            ("http_send_response",),
            '{C}http_send_response(e, 403, NULL, 0, text("recorder"), text(""));',
        ),
        "callout": (
            ("{kind}_http_callout",),
            '{T}module_http_header asked[] = {{{{":method", 7, "GET", 3}}, {{":path", 5, "/callout", 8}}, '
            '{{":authority", 10, "recorder", 8}}}};\n'
            "uint64_t id = 0;\n"
            'NOTE(" callout:%d", (int){C}{kind}_http_callout(e, &id, text("upstream"), asked, 3, text(""), 2000));\n'
            "note_id(id);",
        ),
        "stream": (
            ("{kind}_start_http_stream",),
            '{T}module_http_header asked[] = {{{{":method", 7, "GET", 3}}, {{":path", 5, "/stream?trailers", 16}}, '
            '{{":authority", 10, "recorder", 8}}}};\n'
            "uint64_t id = 0;\n"
            'NOTE(" stream:%d", (int){C}{kind}_start_http_stream(e, &id, text("upstream"), asked, 3, text(""), true, 2000));\n'
            "note_id(id);",
        ),
        "event": (("{kind}_scheduler_new", "{kind}_scheduler_commit", "{kind}_scheduler_delete"), "SCHEDULE({kind}, e, 7)"),
        "close": (("network_filter_close",), "{C}network_filter_close(e, 0);"),
    }
)

# By kind of object: what a scheduled event lets go on, by the number of the event. 1 is the way in, 2 the way out.
_RESUME: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        "http_filter": MappingProxyType({1: "http_filter_continue_decoding(e)", 2: "http_filter_continue_encoding(e)"}),
        "network_filter": MappingProxyType({1: "network_filter_continue_reading(e)"}),
        "listener_filter": MappingProxyType({1: "listener_filter_continue_filter_chain(e, true)"}),
    }
)


def recorder_module(abi: Abi) -> str:
    """Returns the complete C source of the module for a minor; the declarations of the ABI are in it."""
    hooks = [one for one in abi.functions if one.kind is FunctionKind.HOOK and one.params is not None]
    writer = _Writer(abi)
    parts = [c_header(abi), "static const char something = 0;", RUNTIME]
    parts += [writer.enum(each) for each in abi.types if isinstance(each, Enum)]
    parts += [writer.hook(each) for each in hooks]
    return "\n\n".join(parts) + "\n"


def short(name: str) -> str:
    """Returns a name of the ABI without the prefixes that all have."""
    return name.removeprefix(HOOK_PREFIX).removeprefix(CALLBACK_PREFIX).replace(_TYPE, "")


class _Writer:
    def __init__(self, abi: Abi) -> None:
        self._abi = abi
        self._types = {each.name: each for each in abi.types}
        self._callbacks = {short(each.name) for each in abi.functions if each.kind is FunctionKind.CALLBACK}

    def enum(self, item: Enum) -> str:
        """Returns C that knows the names of an enum's values."""
        names = [(each.name.removeprefix(f"{item.name}_"), each.value) for each in item.values]
        rows = " ".join(f'{{"{name}", {value}}},' for name, value in names)
        return f"static const struct named names_{short(item.name)}[] __attribute__((unused)) = {{{rows} {{NULL, 0}}}};"

    def hook(self, hook: Function) -> str:
        """Returns the definition of a hook, and of a function that does what is harmless."""
        params = hook.params or ()
        returns = hook.returns or "void"
        head = ", ".join(f"{each.type} {each.name}" for each in params) or "void"
        given = ", ".join(each.name for each in params)
        name = short(hook.name)
        makes = self._is_made(hook)
        about = next((each.name for each in params if self._is_modules(each)), None)
        lines = [f"static {returns} harmless_{name}({head}) {{", harmless_body(self._abi, hook.name), "}"]
        lines += [f"{returns} {hook.name}({head}) {{", f"struct object *about = {f'known({about})' if about else 'NULL'};"]
        if makes:
            lines += self._making(returns, params)
        lines.append(f'char notes[128] = ""; (void)notes; enter(about, "{name}");')
        lines += self._arguments(params)
        lines.append("send_line();")
        lines.append(f"bool first = !about || !about->times[{self._number(hook)} % TIMES]++; (void)first;")
        wanted = "NULL" if hook.name == PROGRAM_INIT else f'rule(about, "{name}", first, told)'
        lines.append(f"char told[64]; (void)told; const char *wanted = {wanted}; (void)wanted;")
        called = f"harmless_{name}({given})"
        lines.append(f"{called};" if returns == "void" or makes else f"{returns} gives = {called};")
        lines += self._actions(name, params)
        lines.append(f'leave(about, "{name}", notes);')
        lines += self._result(returns, makes)
        lines.append("send_line();")
        if name.endswith("_destroy") and about:
            lines.append(f"destroyed(known({about}));")
        lines.append("return made_or_null(made, wanted);" if makes else "" if returns == "void" else "return gives;")
        lines.append("}")
        return "\n".join(line for line in lines if line)

    def _making(self, returns: str, params: tuple[Member, ...]) -> Iterator[str]:
        """Yields what makes the object that a hook returns, with the texts and the host's objects that it is given."""
        texts = [each.name for each in params if short(each.type) == "envoy_buffer"]
        label = next((each for each in texts if each in _LABELS), None)
        config = next((each for each in texts if each.endswith("config")), None)
        given = f"&{label}, &{config}" if label and config else "NULL, NULL"
        yield f'struct object *made = make("{_kind(returns)}", about, {given});'
        for each in params:
            if each.type.endswith("_envoy_ptr"):
                yield f'belongs(made, "{short(each.type)}", {each.name});'
        yield "about = made;"

    def _number(self, hook: Function) -> int:
        return [one.name for one in self._abi.functions if one.kind is FunctionKind.HOOK].index(hook.name)

    def _is_modules(self, param: Member) -> bool:
        return isinstance(self._types.get(param.type), Alias) and param.type.endswith("_module_ptr")

    def _is_made(self, hook: Function) -> bool:
        returns = hook.returns or ""
        return hook.name != PROGRAM_INIT and isinstance(self._types.get(returns), Alias) and returns.endswith("_module_ptr")

    def _arguments(self, params: tuple[Member, ...]) -> Iterator[str]:
        skipped: set[str] = set()
        for at, param in enumerate(params):
            if param.name in skipped:
                continue
            after = params[at + 1].name if at + 1 < len(params) and params[at + 1].type == "size_t" else None
            if after is not None and param.type in (*_BUFFERS, f"{_TYPE}envoy_http_header*"):
                skipped.add(after)
            yield self._argument(param, after)

    def _argument(self, param: Member, after: str | None) -> str:
        """Returns what prints an argument; `after` is the size that follows it."""
        name, type_ = param.name, short(param.type)
        if self._is_modules(param):
            shown = f'put_object({name}, "{_kind(param.type)}");'
        elif type_.endswith("_envoy_ptr"):
            shown = f'put_host(about, "{type_}", {name});'
        elif name == "certs":  # they differ from run to run
            shown = f'put(" {name}=%zu", {after});'
        elif param.type in _BUFFERS and after:
            shown = f'put_chunks("{name}", {name}, {after});'
        elif type_ == "envoy_http_header*" and after:
            shown = f'put_headers("{name}", {name}, {after});'
        elif type_ == "envoy_buffer":
            shown = f'put(" {name}="); put_bytes({name}.ptr, {name}.length);'
        elif name in _TIMES:
            shown = f'put(" {name}%s0", {name} > 0 ? ">" : "=");'
        elif name in _IDS:
            shown = f'put_id("{name}", {name});'
        else:
            shown = self._plain(name, type_)
        return shown

    def _plain(self, name: str, type_: str) -> str:
        known = self._types.get(f"{_TYPE}{type_}")
        if isinstance(known, Enum):
            return f'put(" {name}=%s", value_name(names_{type_}, (long){name}));'
        if type_ == "bool":
            return f'put(" {name}=%s", {name} ? "true" : "false");'
        if isinstance(known, FunctionPointer) or type_.endswith("*") or (isinstance(known, Alias) and known.type.endswith("*")):
            return f'put(" {name}=%s", {name} ? "given" : "null");'
        if isinstance(known, Struct):
            return f'put(" {name}");'
        return f'put(" {name}=%lld", (long long){name});'

    def _actions(self, name: str, params: tuple[Member, ...]) -> Iterator[str]:
        host = next((each for each in params if each.type.endswith("_envoy_ptr")), None)
        if host is None:
            return
        kind = short(host.type).removesuffix("_envoy_ptr")
        for word, (callbacks, code) in _ACTIONS.items():
            if word == "resume" and kind in _RESUME:
                event = 2 if "response" in name else 1
                asked = f'does(about, "{name}", "resume", first)'
                yield f"if ({asked}) {{ void *e = (void*){host.name}; SCHEDULE({kind}, e, {event}) }}"
            elif callbacks and all(each.format(kind=kind) in self._callbacks for each in callbacks):
                if (word in ("reply",) and kind != "http_filter") or (word == "close" and kind != "network_filter"):
                    continue
                done = code.format(C=CALLBACK_PREFIX, T=_TYPE, kind=kind)
                yield f'if (does(about, "{name}", "{word}", first)) {{ void *e = (void*){host.name};\n{done}\n}}'
        if name == f"{kind}_scheduled" and kind in _RESUME:
            for event, call in _RESUME[kind].items():
                yield f"if (event_id == {event}) {{ void *e = (void*){host.name}; {CALLBACK_PREFIX}{call}; }}"

    def _result(self, returns: str, makes: bool) -> Iterator[str]:
        type_ = short(returns)
        known = self._types.get(returns)
        if makes:
            yield 'put(" ="); if (made_or_null(made, wanted)) put_object(made, made->kind); else put(" null");'
        elif isinstance(known, Enum):
            yield f"if (wanted) gives = (envoy_dynamic_module_type_{type_})value_of(names_{type_}, wanted);"
            yield f'put(" = %s", value_name(names_{type_}, (long)gives));'
        elif type_ == "bool":
            yield 'if (wanted) gives = !strcmp(wanted, "true");'
            yield 'put(" = %s", gives ? "true" : "false");'
        elif type_ != "void" and not isinstance(known, (Struct, Alias)) and not type_.endswith("*"):
            yield f"if (wanted) gives = ({returns})strtol(wanted, NULL, 10);"
            yield 'put(" = %lld", (long long)gives);'


def _kind(type_: str) -> str:
    return short(type_).removesuffix("_module_ptr")

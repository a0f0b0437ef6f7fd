"""Writes the C source of a module that has every hook of a minor, each with a harmless result.

Harmless means: the host goes on as if the module were not there, and waits for nothing that the module would have to say.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from dmconform.abi.bindings.c_header import c_header
from dmconform.abi.types import Abi, Alias, Enum, Function, FunctionKind, Member, Struct
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX

PROGRAM_INIT = f"{HOOK_PREFIX}program_init"
_TYPE = "envoy_dynamic_module_type_"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_GOES_ON = ("_Continue", "_Successful", "_KeepOpen")
"""How the values of enums end that let things go on; most are 0."""

_CALLED = re.compile(rf"^dmconform: called ({HOOK_PREFIX}\w+)$", re.MULTILINE)
_SAY = """\
#include <stdatomic.h>
#include <stdio.h>

static void say(atomic_flag* said, const char* hook) {
  if (!atomic_flag_test_and_set(said)) {
    fprintf(stderr, "dmconform: called %s\\n", hook);
  }
}"""

NULL_VARIABLE = "DMCONFORM_NULL"
"""The environment variable that names, in full, the hook of a nullable module which is to return null."""
_NULL = f"""\
#include <stdlib.h>
#include <string.h>

static int is_null(const char* hook) {{
  const char* wanted = getenv("{NULL_VARIABLE}");
  return wanted != NULL && strcmp(wanted, hook) == 0;
}}

static void touch(const void* instance) {{
  (void)*(const volatile char*)instance;
}}"""

# What a host waits for, or what makes it use the rest: by hook, a body with the hook's parameters as {0}, {1}, … and the
# callback that it takes. Without the callback in a minor's ABI the body is not used.
_ANSWERS: Mapping[str, tuple[str | None, str]] = MappingProxyType(
    {
        "bootstrap_extension_config_new": (
            "bootstrap_extension_config_signal_init_complete",
            f"{CALLBACK_PREFIX}bootstrap_extension_config_signal_init_complete({{0}});\nreturn &something;",
        ),
        "bootstrap_extension_admin_request": (None, "return 200;"),
        "cert_validator_get_ssl_verify_mode": (None, "return 1; /* SSL_VERIFY_PEER */"),
        "config_validator_validate": (None, "return 1; /* the update is good */"),
        "config_validator_validate_delta": (None, "return 1;"),
        "cluster_init": ("cluster_pre_init_complete", f"{CALLBACK_PREFIX}cluster_pre_init_complete({{0}});"),
        "health_checker_session_on_interval": (
            "health_checker_scheduler_report",
            f"{_TYPE}health_checker_scheduler_module_ptr scheduler = {CALLBACK_PREFIX}health_checker_scheduler_new({{1}});\n"
            f"{CALLBACK_PREFIX}health_checker_scheduler_report(scheduler, {_TYPE}host_health_Healthy);\n"
            f"{CALLBACK_PREFIX}health_checker_scheduler_delete(scheduler);",
        ),
        "transport_socket_do_read": (
            None,
            f"{_TYPE}transport_socket_io_result result = {{{{{_TYPE}transport_socket_post_io_action_Close, 0, true}}}};\n"
            "return result;",
        ),
        "upstream_http_tcp_bridge_encode_headers": (
            "upstream_http_tcp_bridge_send_response",
            f"{_TYPE}module_buffer body = {{{{0, 0}}}};\n"
            f"{CALLBACK_PREFIX}upstream_http_tcp_bridge_send_response({{0}}, 200, 0, 0, body);",
        ),
    }
)


def stub_module(
    abi: Abi,
    bodies: Mapping[str, str] = _NOTHING,
    *,
    preamble: str = "",
    relatives: Sequence[Abi] = (),
    traced: bool = False,
    nullable: bool = False,
    without: Collection[str] = (),
    weak: bool = False,
) -> str:
    """Returns the C source of a module that defines `envoy_dynamic_module_on_program_init` and every other hook of a minor.

    It is complete: the declarations of the ABI are in it. Of a hook whose signature is not known only the result matters:
    it is that of the first of `relatives` that knows the hook, else a non-null pointer where the name ends with `_new`, else 0.

    Args:
        abi: the minor.
        bodies: other bodies, as C statements, by the hooks' full names. They may use the parameters by their names in the ABI,
            and `something`, the address of which is what stubs return for a pointer.
        preamble: C source after the ABI's declarations.
        relatives: other minors.
        without: hooks, in full, that it shall lack.
        traced: whether each hook says on standard error that it is called, the first time; see `called_in`.
        nullable: whether the hook that `NULL_VARIABLE` names, one of `instance_hooks`, returns null; and whether all hooks look
            at the instances that they are given, as real modules do, so that a null is the end of it.
        weak: whether another source of the same module may define any of the hooks.

    Raises:
        HarnessError: the ABI's types do not fit together.
        KeyError: `bodies` or `without` names a hook that the minor lacks.
    """
    hooks = [function for function in abi.functions if function.kind is FunctionKind.HOOK]
    unknown = (bodies.keys() | set(without)) - {hook.name for hook in hooks}
    if unknown:
        raise KeyError(f"Envoy {abi.envoy} has no hook {', '.join(sorted(unknown))}")
    writer = _Writer(abi, relatives, traced, nullable, weak)
    parts = [c_header(abi), "static const char something = 0;", _SAY if traced else "", _NULL if nullable else "", preamble]
    parts += [writer.definition(hook, bodies.get(hook.name)) for hook in hooks if hook.name not in without]
    return "\n\n".join(part for part in parts if part) + "\n"


def harmless_body(abi: Abi, hook: str) -> str:
    """Returns the harmless body of a hook whose signature is known, as `stub_module` has it.

    Raises:
        KeyError: the minor has no such hook.
    """
    function = {each.name: each for each in abi.functions}[hook]
    return _Writer(abi, (), False).harmless(function, function.params or (), function.returns or "void")


def instance_hooks(abi: Abi, relatives: Sequence[Abi] = ()) -> frozenset[str]:
    """Returns the hooks, in full, that return a pointer to something that the module makes, `program_init` among them."""
    writer = _Writer(abi, relatives, False)
    return frozenset(one.name for one in abi.functions if one.kind is FunctionKind.HOOK and writer.is_instance(one))


def called_in(log: str) -> frozenset[str]:
    """Returns the hooks that were called, by the log of a host that has used a traced stub module."""
    return frozenset(_CALLED.findall(log))


class _Writer:
    def __init__(self, abi: Abi, relatives: Sequence[Abi], traced: bool, nullable: bool = False, weak: bool = False) -> None:
        self._abi = abi
        self._traced = traced
        self._nullable = nullable
        self._attribute = "__attribute__((weak)) " if weak else ""
        self._types = {each.name: each for each in abi.types}
        self._callbacks = abi.names(FunctionKind.CALLBACK)
        self._relatives = [
            ({function.name: function for function in other.functions}, {each.name: each for each in other.types})
            for other in relatives
        ]

    def definition(self, hook: Function, body: str | None) -> str:
        """Returns the C definition of a hook; `body` None is the harmless one."""
        if hook.params is None or hook.returns is None:
            returns, harmless = self._without_signature(hook.name)
            # The host passes arguments all the same; on this platform a function that takes none does not see them.
            head = f"{returns} {hook.name}(void);\n{returns} {hook.name}(void)"
            if self._nullable:
                head, harmless = self._with_places(hook.name, returns, harmless)
            return self._function(hook, head, harmless if body is None else body)
        head = f"{hook.returns} {hook.name}({', '.join(f'{each.type} {each.name}' for each in hook.params) or 'void'})"
        return self._function(hook, head, self.harmless(hook, hook.params, hook.returns) if body is None else body)

    def is_instance(self, hook: Function) -> bool:
        """Returns whether it returns a pointer to something that the module makes."""
        if hook.returns is None:
            return self._without_signature(hook.name)[0].endswith("*")
        return isinstance(self._types.get(hook.returns), Alias) and hook.returns.endswith("_module_ptr")

    def harmless(self, hook: Function, params: Sequence[Member], returns: str) -> str:
        """Returns the statements that do no harm."""
        if hook.name == PROGRAM_INIT:
            return "return DMCONFORM_ABI_VERSION;"
        callback, answer = _ANSWERS.get(hook.name.removeprefix(HOOK_PREFIX), (None, ""))
        if answer and (callback is None or f"{CALLBACK_PREFIX}{callback}" in self._callbacks):
            return answer.format(*(param.name for param in params))
        lines = [
            f"*{param.name} = ({_TYPE}module_buffer){{0, 0}};" for param in params if param.type == f"{_TYPE}module_buffer*"
        ]
        for param, after in itertools.pairwise(params):
            if param.type == f"{_TYPE}event_cb":
                lines.append(f"{param.name}({after.name});")
        if returns != "void":
            lines += self._return(returns)
        return "\n".join(lines)

    def _return(self, returns: str) -> list[str]:
        match self._types.get(returns):
            case Enum(values=values):
                return [f"return {next((one.name for one in values if one.name.endswith(_GOES_ON)), values[0].name)};"]
            case Struct():
                return [f"{returns} result = {{0}};", "return result;"]
            case Alias() if returns.endswith("_module_ptr"):
                return ["return (void*)&something;"]
            case _:
                return ["return 0;"]

    def _without_signature(self, name: str) -> tuple[str, str]:
        """Returns a result type that the C language knows, and a body, for a hook of which only the name is known."""
        if name == PROGRAM_INIT:
            return "const char*", "return DMCONFORM_ABI_VERSION;"
        callback, answer = _ANSWERS.get(name.removeprefix(HOOK_PREFIX), (None, ""))
        if answer and callback is None and "{0}" not in answer:
            return "uint64_t", answer
        is_pointer = name.endswith("_new")
        for functions, types in self._relatives:
            known = functions.get(name)
            if known is not None and known.returns is not None:
                is_pointer = isinstance(types.get(known.returns), Alias) and known.returns.endswith("_module_ptr")
                break
        return ("const void*", "return &something;") if is_pointer else ("uint64_t", "return 0;")

    def _with_places(self, name: str, returns: str, body: str) -> tuple[str, str]:
        """Returns the head and body of a hook that looks at its instances.

        Those are where the first relative that knows them has them.
        """
        params = next((known[name].params for known, _ in self._relatives if name in known and known[name].params), None) or ()
        types = [f"const void* p{number}" for number, _ in enumerate(params)]
        touched = [f"touch(p{number});" for number, param in enumerate(params) if param.type.endswith("_module_ptr")]
        head = f"{returns} {name}({', '.join(types) or 'void'})"
        return f"{head};\n{head}", "\n".join([*touched, body])

    def _function(self, hook: Function, head: str, body: str) -> str:
        printed = f'static atomic_flag said = ATOMIC_FLAG_INIT;\nsay(&said, "{hook.name}");\n' if self._traced else ""
        null = f'if (is_null("{hook.name}")) {{\n  return 0;\n}}\n' if self._nullable and self.is_instance(hook) else ""
        touched = "".join(f"touch({one.name});\n" for one in hook.params or () if one.type.endswith("_module_ptr"))
        looks = touched if self._nullable else ""
        inside = "".join(f"  {line}\n" for line in f"{printed}{looks}{null}{body}".splitlines())
        return f"{self._attribute}{head} {{\n{inside}}}"

"""Generates the module of a differential test: C, with a function for each call, called from the hooks it belongs into."""

from __future__ import annotations

import enum
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from dmconform.abi.bindings.stub_module import stub_module
from dmconform.abi.types import Abi, Function, FunctionKind, FunctionPointer, Struct
from dmconform.measure.differential.arguments import ENDS_A_HANDLE, Argument, Arguments, Loop, NoArgument, is_handle
from dmconform.measure.differential.rules import TYPE_PREFIX, Alone, Rules, fits, short

MOST_TIMES: Final = 3  # a call is made at most so often in one Envoy: once for each request that it is driven with
MARK: Final = "dmconform-differential"
SKIP_VARIABLE: Final = "DMCONFORM_CALLS_SKIP"  # numbers of calls that are not made, separated by commas
ONLY_VARIABLE: Final = "DMCONFORM_CALLS_ONLY"  # if set, the numbers of the calls that are made
RETURN_VARIABLE: Final = "DMCONFORM_CALLS_RETURN"  # HOOK=NUMBER: what this hook returns
ALTER_VARIABLE: Final = "DMCONFORM_CALLS_ALTER"  # the number of a call whose host is made to look different; for tests
CRASH_VARIABLE: Final = "DMCONFORM_CALLS_CRASH"  # the number of a call that ends the host; for tests


class Gap(enum.Enum):
    """The reason why a callback is not called, besides the categories that rules give."""

    NO_SIGNATURE = "its signature is not known"
    NO_PLACE = "no rule says in which hook"
    NO_ARGUMENT = "no rule gives one of its arguments"
    NO_HANDLE = "nothing gives the handle it needs"


@dataclass(frozen=True)
class NotCalled:
    """The reason why a callback is in no call: what it is counted under, and the details."""

    category: str
    reason: str


@dataclass(frozen=True)
class Call:
    """One callback called in one hook (short names)."""

    number: int
    callback: str
    hook: str
    alone: Alone | None
    always: bool
    needs: frozenset[str]  # handles
    gives: frozenset[str]
    c: str = field(repr=False)


@dataclass(frozen=True)
class CallPlan:
    """The calls of a differential test of one ABI, and the callbacks it leaves out."""

    abi: Abi
    calls: tuple[Call, ...]
    not_called: dict[str, NotCalled]  # by the short name of the callback

    def call(self, callback: str, hook: str) -> Call | None:
        """Returns the call of a callback in a hook."""
        return next((call for call in self.calls if (call.callback, call.hook) == (callback, hook)), None)

    def made_with(self, alone: Call) -> tuple[int, ...]:
        """Returns the numbers of the calls of a run that is about one.

        These are the call itself, those that its rule adds, and those that give its handles.
        """
        rule = alone.alone
        made = {alone.number} | {call.number for call in self.calls if call.always}
        for text in rule.with_ if rule is not None else ():
            callback, _, hook = text.partition("@")
            same = [call for call in self.calls if call.callback == callback and hook in ("", call.hook)]
            made |= {call.number for call in same[:1]}
        calls = [call for call in self.calls if call.number in made]
        for hook in {call.hook for call in calls}:
            wanted = {need for call in calls if call.hook == hook for need in call.needs}
            made |= {call.number for call in self.calls if call.hook == hook and call.gives & wanted and call.alone is None}
        return tuple(sorted(made))


def plan_calls(abi: Abi, rules: Rules) -> CallPlan:
    """Decides for each callback of an ABI where it is called and how; every callback is in a call or in `not_called`."""
    maker = Arguments(abi, rules)
    hooks = {short(each.name): each for each in abi.functions if each.kind is FunctionKind.HOOK and each.has_signature}
    callbacks = [each for each in abi.functions if each.kind is FunctionKind.CALLBACK]
    sources = _handles_of_hooks(hooks)
    sources |= {short(each.returns or "") for each in callbacks} | {
        short(param.type)[:-1] for each in callbacks for param in each.params or () if param.type.endswith("*")
    }
    not_called: dict[str, NotCalled] = {}
    found: list[tuple[str, Function, Alone | None, list[Argument]]] = []
    for function in callbacks:
        name = short(function.name)
        placed = _placed(function, rules, maker, hooks, sources)
        if isinstance(placed, NotCalled):
            not_called[name] = placed
        else:
            found += [(hook, function, rules.called_alone(name), placed[1]) for hook in placed[0]]
    order = {hook: at for at, hook in enumerate(hooks)}
    found.sort(key=lambda one: (order[one[0]], rules.rank(short(one[1].name)), one[1].name))
    calls = tuple(
        Call(
            number,
            short(function.name),
            hook,
            alone,
            fits(short(function.name), *rules.always),
            frozenset(each.needs for each in arguments if each.needs),
            frozenset(gives_of(function, arguments)),
            _call(number, function, hook, arguments, maker),
        )
        for number, (hook, function, alone, arguments) in enumerate(found, 1)
    )
    return CallPlan(abi, calls, not_called)


def _handles_of_hooks(hooks: dict[str, Function]) -> set[str]:
    types = {short(param.type) for hook in hooks.values() for param in hook.params or ()}
    return {type_ for type_ in types if type_.endswith("_envoy_ptr")}


def gives_of(function: Function, arguments: list[Argument]) -> Iterator[str]:
    """Yields the handles that a call of a callback brings."""
    if is_handle(short(function.returns or "")):
        yield short(function.returns or "")
    yield from (each.gives for each in arguments if each.gives)


def _placed(
    function: Function, rules: Rules, maker: Arguments, hooks: dict[str, Function], sources: set[str]
) -> tuple[tuple[str, ...], list[Argument]] | NotCalled:
    """Returns the hooks and the arguments of a callback's calls, or why there are none."""
    name = short(function.name)
    excluded = rules.excluded(name)
    if excluded is not None:
        return NotCalled(excluded.category, excluded.reason)
    if not function.has_signature:
        return NotCalled(Gap.NO_SIGNATURE.value, "no header that declares it is available")
    made = [maker.make(function, param) for param in function.params or ()]
    arguments = [each for each in made if isinstance(each, Argument)]
    problem = next((each for each in made if isinstance(each, NoArgument)), None)
    if problem is not None:
        return NotCalled(Gap.NO_ARGUMENT.value, problem.reason)
    lacking = {each.needs for each in arguments if each.needs and each.needs.endswith("_envoy_ptr")} - sources
    if lacking:
        return NotCalled(Gap.NO_HANDLE.value, f"no hook and no callback gives a {', '.join(sorted(lacking))}")
    places = _places(function, rules)
    there = tuple(hook for hook in places if hook in hooks)
    if there:
        return there, arguments
    missing = f"this minor has no hook {', '.join(places)} whose signature is known" if places else "no rule fits it"
    return NotCalled(Gap.NO_PLACE.value, missing)


def _places(function: Function, rules: Rules) -> tuple[str, ...]:
    """Returns the hooks that the rules name for a callback."""
    alone = rules.called_alone(short(function.name))
    if alone is not None:
        return (alone.hook,)
    handle = next((short(param.type) for param in function.params or () if is_handle(short(param.type))), None)
    return rules.hooks_for(short(function.name), handle) or ()


def _call(number: int, function: Function, hook: str, arguments: list[Argument], maker: Arguments) -> str:
    """Returns a C function that makes one call, with each combination of the values that its arguments take in turn."""
    lines = [f"static void call_{number}(void) {{", "  static atomic_int times;"]
    lines += [f"  if (!wanted({number})) return;", "  const int time = atomic_fetch_add(&times, 1);"]
    lines += [f"  if (time >= {MOST_TIMES}) return;", "  acted = true;"]
    return "\n".join([*lines, *call_lines(number, function, f'"{hook}"', arguments, maker), "}"])


def call_lines(
    number: int,
    function: Function,
    hook: str,
    arguments: Sequence[Argument],
    maker: Arguments,
    around: tuple[str, str] = ("", ""),
) -> list[str]:
    """Returns the C statements that announce a call, make it with each combination of values, and print what it gave.

    Args:
        number: the number of the call.
        function: the callback.
        hook: a C expression with the short name of the hook.
        arguments: those of the callback, in order.
        maker: what made them.
        around: C statements right before and right after the call.

    Returns:
        Lines of a function that has an `int time` and returns nothing; it ends early where a handle or the callback is absent.
    """
    name = short(function.name)
    returns = short(function.returns or "void")
    loops = [each.loop for each in arguments if each.loop is not None]
    lines = [f'  if (!{function.name}) {{ start("missing", {hook}, "{name}", time); send_line(); return; }}']
    for need in sorted({each.needs for each in arguments if each.needs}):
        without = f'start("without", {hook}, "{name}", time); put(" {need}"); send_line();'
        lines.append(f"  if (!handle_{need}) {{ {without} return; }}")
    for loop in loops:
        lines += [
            f"  static const {loop.type} all_{loop.variable}[] = {{{', '.join(loop.values)}}};",
            f"  static const char *const names_{loop.variable}[] = {{{', '.join(_label(each) for each in loop.labels)}}};",
            f"  for (size_t at_{loop.variable} = 0; at_{loop.variable} < {len(loop.values)}; at_{loop.variable}++) {{",
            f"  const {loop.type} {loop.variable} = all_{loop.variable}[at_{loop.variable}];",
        ]
    with_labels = _labels(loops)
    lines.append(f'  start("begin", {hook}, "{name}", time);{with_labels} send_line(); misbehave({number});')
    lines += [f"  {each.declare}" for each in arguments if each.declare]
    called = f"{function.name}({', '.join(each.expression for each in arguments)})"
    lines.append(
        f"  {around[0]}{called};{around[1]}"
        if returns == "void"
        else f"  {around[0]}{function.returns} returned = {called};{around[1]}"
    )
    lines.append(f'  start("result", {hook}, "{name}", time);{with_labels} put(" =");')
    if returns != "void":
        lines.append(f"  {maker.show(returns, 'return', 'returned')}")
    lines += [f"  {each.show}" for each in arguments if each.show]
    if is_handle(returns):
        lines.append(f"  if (returned) handle_{returns} = returned;")
    if name.rpartition("_")[2] in ENDS_A_HANDLE:
        lines += [f"  handle_{each.needs} = NULL;" for each in arguments[:1] if each.needs]
    lines.append(f"  alter({number}); send_line();")
    return [*lines, *["  }"] * len(loops)]


def _label(text: str) -> str:
    return f'"{re.sub("[^!-~]", "_", text)}"'


def _labels(loops: Sequence[Loop]) -> str:
    return "".join(f' put(" {loop.variable}=%s", names_{loop.variable}[at_{loop.variable}]);' for loop in loops)


def module_source(plan: CallPlan, rules: Rules) -> str:
    """Returns the complete C source of the module of a plan, which needs `_GNU_SOURCE`."""
    abi = plan.abi
    maker = Arguments(abi, rules)
    hooks = [each for each in abi.functions if each.kind is FunctionKind.HOOK and each.has_signature]
    bodies = {each.name: body for each in hooks if (body := _body(plan, each, rules)) is not None}
    calls = "\n".join(call.c for call in plan.calls)
    handles = sorted(set(re.findall(r"\bhandle_(\w+)", "\n".join([calls, *bodies.values()]))))
    parts = [PREAMBLE, _CHOICE]
    callbacks = [each.name for each in abi.functions if each.kind is FunctionKind.CALLBACK and each.has_signature]
    parts += [f"#pragma weak {name}" for name in callbacks]  # what a host lacks is null, and known to be missing
    parts += [f"static {'' if _stays(each, rules) else '_Thread_local '}{TYPE_PREFIX}{each} handle_{each};" for each in handles]
    parts += [f"static uint64_t {each};" for each in sorted(set(re.findall(r"\bkept_\w+", calls)))]
    parts += [maker.shower(each) for each in inner_first([each for each in abi.types if isinstance(each, Struct)])]
    parts += [taker(each) for each in abi.types if isinstance(each, FunctionPointer)]
    return stub_module(abi, bodies, preamble="\n".join([*parts, calls]))


def inner_first(structs: list[Struct]) -> list[Struct]:
    """Returns structs so that those that others hold come first."""
    names = {each.name for each in structs}
    return sorted(structs, key=lambda each: any(field.type in names for field in each.fields))


def _stays(handle: str, rules: Rules) -> bool:
    return handle.endswith("_config_envoy_ptr") or handle in rules.keep


def taker(pointer: FunctionPointer, does: str = "") -> str:
    """Returns a function to give where a callback wants one; `does` are C statements in it."""
    params = ", ".join(f"{param.type} {param.name}" for param in pointer.params) or "void"
    result = "" if pointer.returns == "void" else " return 0;"
    return f"__attribute__((unused)) static {pointer.returns} taker_{short(pointer.name)}({params}) {{{does}{result} }}"


def _body(plan: CallPlan, hook: Function, rules: Rules) -> str | None:
    """Returns what a hook does; None where the differential test adds nothing to it."""
    name = short(hook.name)
    calls = [call for call in plan.calls if call.hook == name]
    needed = {need for call in plan.calls for need in call.needs}
    handles = [param for param in hook.params or () if short(param.type) in needed]
    stays = [param for param in handles if _stays(short(param.type), rules)]
    tail = rules.tail_of(name, {each.name for each in plan.abi.functions if each.has_signature})
    if not calls and not stays and tail is None:
        return None
    lines = [f'static atomic_bool seen; if (!atomic_exchange(&seen, true)) {{ start("hook", "{name}", "-", 0); send_line(); }}']
    passing = [param for param in handles if param not in stays]
    lines += [f"{param.type} before_{short(param.type)} = handle_{short(param.type)};" for param in passing]
    lines += [f"handle_{short(param.type)} = {param.name};" for param in handles]
    lines += ["acted = false;", *(f"call_{call.number}();" for call in calls)]
    lines += [f"handle_{short(param.type)} = before_{short(param.type)};" for param in passing]
    given = {give for call in calls for give in call.gives} - {short(param.type) for param in handles}
    lines += [f"handle_{give} = NULL;" for give in sorted(given & needed) if not _stays(give, rules)]
    return "\n".join([*lines, tail if tail is not None else harmless_end(plan.abi, hook)])


def harmless_end(abi: Abi, hook: Function) -> str:
    """Returns the C statements at the end of a hook that needs no more than a harmless value."""
    returns = hook.returns or "void"
    lines = [
        f"{param.name}({after.name});"  # a completion and its context
        for param, after in itertools.pairwise(hook.params or ())
        if param.type.endswith("_event_cb")
    ]
    if returns == "void":
        return "\n".join(lines)
    known = next((each for each in abi.types if each.name == returns), None)
    if isinstance(known, Struct):
        return f"{returns} nothing = {{0}}; return nothing;"
    if is_handle(short(returns)):
        return f"return ({returns})&module_object;"
    return f'return ({returns})told("{short(hook.name)}", 0);'


PREAMBLE: Final = r"""
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char module_object[64]; /* what the module gives where an object is wanted */

static _Thread_local char line[3800]; /* below what a pipe takes in one piece */
static _Thread_local size_t length;

static void put(const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  int wrote = vsnprintf(line + length, sizeof line - 1 - length, format, rest);
  va_end(rest);
  if (wrote > 0) length += (size_t)wrote;
  if (length > sizeof line - 2) length = sizeof line - 2;
}

__attribute__((unused)) static void put_bytes(const char *bytes, size_t size) {
  if (!bytes) { put("null"); return; }
  put("%zu:", size);
  for (size_t i = 0; i < size && i < 100; i++) {
    unsigned char c = (unsigned char)bytes[i];
    put(c > ' ' && c < 127 && !strchr("%+/=", c) ? "%c" : "%%%02X", c);
  }
}

static void start(const char *what, const char *hook, const char *callback, int time) {
  length = 0;
  /* A separate line, whatever is before it. */
  put("\ndmconform-differential %s %s %s %d", what, hook, callback, time);
}

static void send_line(void) {
  line[length++] = '\n';
  ssize_t wrote = write(2, line, length);
  (void)wrote;
}

__attribute__((unused)) static size_t filled(const void *items, size_t count, size_t size) {
  const unsigned char *bytes = items;
  size_t last = count * size;
  while (last > 0 && !bytes[last - 1]) last--;
  size_t shown = (last + size - 1) / size;
  return shown == 0 ? 1 : shown > 24 ? 24 : shown;
}

static bool listed(const char *variable, int number) {
  const char *at = getenv(variable);
  while (at && *at) {
    char *end;
    if (strtol(at, &end, 10) == number) return true;
    if (*end != ',') return false;
    at = end + 1;
  }
  return false;
}

__attribute__((unused)) static void misbehave(int number) {
  if (listed("DMCONFORM_CALLS_CRASH", number)) raise(SIGSEGV);
}

__attribute__((unused)) static void alter(int number) {
  if (listed("DMCONFORM_CALLS_ALTER", number)) put(" altered=true");
}
"""
"""What calls need: lines for the log, and variables that say which call misbehaves."""

_CHOICE: Final = r"""
static _Thread_local bool acted; /* whether the hook has made a call */

__attribute__((unused)) static bool wanted(int number) {
  if (getenv("DMCONFORM_CALLS_ONLY")) return listed("DMCONFORM_CALLS_ONLY", number) && !listed("DMCONFORM_CALLS_SKIP", number);
  return !listed("DMCONFORM_CALLS_SKIP", number);
}

__attribute__((unused)) static long told(const char *hook, long otherwise) {
  const char *rule = getenv("DMCONFORM_CALLS_RETURN");
  size_t size = strlen(hook);
  return acted && rule && !strncmp(rule, hook, size) && rule[size] == '=' ? strtol(rule + size + 1, NULL, 10) : otherwise;
}
"""

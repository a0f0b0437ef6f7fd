"""Generates the module that makes pairs of calls: C, with every callback callable from every hook, as its environment says.

`SCRIPT_VARIABLE` has entries with semicolons between: `HOOK=CALL,CALL` or `HOOK=CALL:VALUE`, where calls are numbers and the
value is what the hook returns after them. An entry is good for one time that its hook is entered, one with `*` before it for
each time, with `%` only as long as an entry without a sign is left, one with `+` for each time that none of these is used. One
with `&` is done together with the entry before it, in the same run of its hook.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from dmconform.abi.bindings.stub_module import stub_module
from dmconform.abi.types import Function, FunctionPointer, Struct
from dmconform.measure.differential.arguments import Argument, Arguments, is_handle
from dmconform.measure.differential.generate import PREAMBLE, call_lines, harmless_end, inner_first, taker
from dmconform.measure.differential.rules import TYPE_PREFIX, Rules, fits, short
from dmconform.measure.pairs.plan import ENVOY, MODULE, PairCallback, PairPlan

PAIRS_MARK: Final = "dmconform-pairs"
SCRIPT_VARIABLE: Final = "DMCONFORM_PAIRS"
SOON_VARIABLE: Final = "DMCONFORM_PAIRS_SOON"  # if set, in how many milliseconds timers expire
FILE_VARIABLE: Final = "DMCONFORM_PAIRS_FILE"  # if set, the file that is watched
_OF_SCENE: Final = {"delay_milliseconds": "soon", "path": "watched"}
"""C functions that give what the scene says in the place of an argument, by its parameter."""


def pairs_source(plan: PairPlan, arguments: Rules) -> str:
    """Returns the complete C source of the module of a plan, which needs `_GNU_SOURCE`."""
    abi = plan.abi
    maker = Arguments(abi, arguments)
    calls = "\n".join(
        "\n".join(
            [
                f"static void call_{one.number}(const char *hook) {{",
                "  static atomic_int times; const int time = atomic_fetch_add(&times, 1);",
                *call_lines(
                    one.number,
                    one.function,
                    "hook",
                    _of_scene(one),
                    maker,
                    (f'const char *outer = calling; calling = "{one.name}"; ', f" calling = outer;{_remembered(one)}"),
                ),
                "}",
            ]
        )
        for one in plan.callbacks.values()
    )
    bodies = {hook.name: _body(plan, hook, arguments) for hook in plan.hooks.values() if short(hook.name) != "program_init"}
    handles = sorted(set(re.findall(r"\bhandle_(\w+)", "\n".join([calls, *bodies.values()]))))
    anywhere = [each for each in handles if fits(each, *plan.rules.stays)]
    held = [each for each in handles if each not in anywhere]
    parts = [PREAMBLE]
    parts += [f"#pragma weak {one.function.name}" for one in plan.callbacks.values()]  # what a host lacks is null
    parts += [f"static {TYPE_PREFIX}{each} handle_{each};" for each in anywhere]
    parts += [f"struct handles {{ char none; {' '.join(f'{TYPE_PREFIX}{each} {each};' for each in held)} }};"]
    parts += [_SCOPES, *(f"#define handle_{each} now.{each}" for each in held)]
    parts += [f"static uint64_t {each};" for each in sorted(set(re.findall(r"\bkept_\w+", calls)))]
    parts += [maker.shower(each) for each in inner_first([each for each in abi.types if isinstance(each, Struct)])]
    parts += [
        "__attribute__((unused)) static void run_inside(void);",
        *(taker(each, "run_inside();") for each in abi.types if isinstance(each, FunctionPointer)),
    ]
    table = ", ".join(f"call_{one.number}" for one in plan.callbacks.values())
    parts += [calls, f"static void (*const all_calls[])(const char *) = {{{table}}};", _RUN]
    return stub_module(abi, bodies, preamble="\n".join(parts))


def _of_scene(one: PairCallback) -> tuple[Argument, ...]:
    """Returns the arguments of a callback, of which a scene gives some."""
    found = []
    for param, argument in zip(one.function.params or (), one.arguments, strict=True):
        by = _OF_SCENE.get(param.name) if one.name.endswith(("_timer_enable", "_add_watch")) else None
        found.append(replace(argument, expression=f"{by}({argument.expression})") if by else argument)
    return tuple(found)


def _remembered(one: PairCallback) -> str:
    """Returns C statements that keep copies of the views that a callback has given."""
    lines = []
    for name, type_ in one.views:
        fields = ("",) if type_ == "envoy_buffer" else ("key_", "value_")
        for prefix in fields:
            given = f"{name}[i].{prefix}ptr, {name}[i].{prefix}length"
            lines.append(f'for (size_t i = 0; i < filled({name}, 64, sizeof *{name}); i++) remember("{one.name}", {given});')
    return " ".join(["", *lines])


def _body(plan: PairPlan, hook: Function, arguments: Rules) -> str:
    """Returns what a hook does: it reports that it is entered, makes its calls, and ends as harmlessly as it can."""
    name = short(hook.name)
    params = [(short(param.type), param.name) for param in hook.params or ()]
    objects = [(type_, param) for type_, param in params if type_.endswith(MODULE)]
    gone = " || ".join(f"is_gone({param})" for _, param in objects) or "false"
    own = f"{name.removesuffix('_destroy')}{MODULE}"
    dies = next((param for type_, param in objects if type_ == own), "NULL")  # not a configuration for what was made of it
    lines = [f'struct scope here __attribute__((cleanup(left))); enter(&here, "{name}", {gone}, {dies});']
    callable_ = {need for one in plan.callbacks.values() for need in one.needs}
    given = [(type_, param) for type_, param in params if type_ in callable_]
    lines += [f"handle_{type_} = {param};" for type_, param in given]
    returns = short(hook.returns or "void")
    for type_, param in objects:
        other = f"{type_.removesuffix(MODULE)}{ENVOY}"
        if (
            other in callable_
            and not fits(other, *plan.rules.within)
            and other not in dict(params)
            and not name.endswith("_new")
        ):
            lines.append(f"handle_{other} = ({TYPE_PREFIX}{other})made_with({param});")
    lines.append(f'run("{name}");')
    if is_handle(returns):
        envoy = dict(params).get(f"{returns.removesuffix(MODULE)}{ENVOY}", "NULL")
        return "\n".join([*lines, f"return ({hook.returns})new_object({envoy});"])
    tail = arguments.tail_of(name, {each.name for each in plan.abi.functions if each.has_signature})
    return "\n".join([*lines, tail if tail is not None else harmless_end(plan.abi, hook)])


_SCOPES: Final = r"""
#include <sys/prctl.h>
#include <sys/syscall.h>

__attribute__((unused)) static const void *const unused[] = {&something, module_object};
static _Thread_local struct handles now; /* those of the hook that runs */
static _Thread_local const char *calling; /* the callback that is being called */

struct object { int number; atomic_bool gone; const void *envoy; };
static struct object objects[8192];
static atomic_int object_count;

struct scope {
  const char *hook;
  struct scope *outer;
  struct handles before;
  const char *in_call;
  struct object *dies;
  long answer;
  bool answers;
};
static _Thread_local struct scope *inner;

static struct object *object_of(const void *pointer) {
  uintptr_t at = (uintptr_t)pointer, from = (uintptr_t)objects;
  return at >= from && at < from + sizeof objects ? &objects[(at - from) / sizeof objects[0]] : NULL;
}

__attribute__((unused)) static void *new_object(const void *envoy) {
  int number = atomic_fetch_add(&object_count, 1) % 8192;
  objects[number].number = number;
  objects[number].envoy = envoy;
  atomic_store(&objects[number].gone, false);
  return &objects[number];
}

__attribute__((unused)) static bool is_gone(const void *pointer) {
  struct object *it = object_of(pointer);
  return it && atomic_load(&it->gone);
}

__attribute__((unused)) static const void *made_with(const void *pointer) {
  struct object *it = object_of(pointer);
  return it ? it->envoy : NULL;
}

static void note(const char *what, const char *hook) {
  length = 0;
  put("\ndmconform-pairs %s %s", what, hook);
}

static const char *thread(void) {
  static _Thread_local char name[32];
  if (!name[0]) {
    char own[17] = {0};
    prctl(PR_GET_NAME, own, 0, 0, 0);
    snprintf(name, sizeof name, "%s", syscall(SYS_gettid) == getpid() ? "main" : own);
    for (char *at = name; *at; at++) if (*at <= ' ') *at = '_';
  }
  return name;
}

__attribute__((unused)) static uint64_t soon(uint64_t delay) {
  const char *given = getenv("DMCONFORM_PAIRS_SOON");
  return given ? strtoull(given, NULL, 10) : delay;
}

__attribute__((unused)) static envoy_dynamic_module_type_module_buffer watched(envoy_dynamic_module_type_module_buffer path) {
  const char *given = getenv("DMCONFORM_PAIRS_FILE");
  return given ? (envoy_dynamic_module_type_module_buffer){given, strlen(given)} : path;
}

struct view { const char *given_by, *at; size_t size; char copy[200]; };
static _Thread_local struct view views[512];
static _Thread_local size_t view_count;
static _Thread_local bool keeps_views;

__attribute__((unused)) static void remember(const char *given_by, const char *at, size_t size) {
  if (!keeps_views || !at || !size || view_count == 512) return;
  struct view *it = &views[view_count++];
  *it = (struct view){given_by, at, size < sizeof it->copy ? size : sizeof it->copy, {0}};
  memcpy(it->copy, at, it->size);
}

static void enter(struct scope *here, const char *hook, bool gone, const void *dies) {
  *here = (struct scope){hook, inner, now, calling, object_of(dies), 0, false};
  note("enter", hook);
  put(" %s %s %s %s", thread(), inner ? inner->hook : "-", calling ? calling : "-", gone ? "gone" : "-");
  send_line();
  inner = here;
  now = (struct handles){0};
  calling = NULL;
}

static void left(struct scope *here) {
  now = here->before;
  inner = here->outer;
  calling = here->in_call;
  if (here->dies) atomic_store(&here->dies->gone, true);
  note("leave", here->hook);
  send_line();
}

__attribute__((unused)) static long told(const char *hook, long otherwise) {
  (void)hook;
  return inner && inner->answers ? inner->answer : otherwise;
}
"""

_RUN: Final = r"""
struct entry {
  char hook[96];
  bool each, rest, before, joins;
  atomic_bool done;
  int calls[160], inside[160];
  int count;
  long answer;
  bool answers;
};
static struct entry entries[512];
static int entry_count;

__attribute__((constructor)) static void read_script(void) {
  const char *at = getenv("DMCONFORM_PAIRS");
  while (at && *at && entry_count < 512) {
    struct entry *it = &entries[entry_count++];
    it->rest = *at == '+';
    it->before = *at == '%';
    it->joins = *at == '&';
    it->each = *at == '*' || it->rest || it->before;
    at += it->each || it->joins;
    size_t size = strcspn(at, "=");
    memcpy(it->hook, at, size < 95 ? size : 95);
    at += size + (at[size] == '=');
    while (*at && *at != ';') {
      char *end;
      long number = strtol(at, &end, 10);
      if (end > at && it->count < 160) it->calls[it->count++] = (int)number;
      at = end;
      if (*at == '@') { it->inside[it->count - 1] = (int)strtol(at + 1, &end, 10); at = end; }
      if (*at == ':') { it->answer = strtol(at + 1, &end, 10); it->answers = true; at = end; }
      while (*at && *at != ';' && (*at < '0' || *at > '9')) at++;
    }
    at += *at == ';';
  }
}

static _Thread_local int inside;

static void run_inside(void) {
  int number = inside;
  inside = 0; /* once for each iteration */
  if (number) all_calls[number - 1](inner ? inner->hook : "-");
}

static void check_views(int call, const char *hook) {
  (void)call;
  for (struct view *it = views; it < views + view_count; it++) {
    if (!memcmp(it->copy, it->at, it->size)) continue;
    note("changed", hook);
    put(" %s", it->given_by);
    send_line();
    it->size = 0; /* said once */
  }
}

static bool are_left(void) {
  for (struct entry *it = entries; it < entries + entry_count; it++) {
    if (!it->each && !atomic_load(&it->done)) return true;
  }
  return false;
}

static void run(const char *hook) {
  bool used = false, mine = false;
  struct handles own = now;
  int index = -1;
  for (struct entry *it = entries; it < entries + entry_count; it++) {
    index += !it->each;
    if (strcmp(it->hook, hook) || (it->rest && used) || (it->before && !are_left())) continue;
    if (!it->each) {
      mine = it->joins ? mine : !used;
      if (!mine || atomic_exchange(&it->done, true)) { mine = false; continue; }
      if (it->joins) now = own; /* not what another pair was given */
      else own = now;
      used = true;
      note("pair", hook);
      put(" %d", index);
      send_line();
    }
    view_count = 0;
    for (int i = 0; i < it->count; i++) {
      keeps_views = !it->each && i + 1 < it->count && !getenv("DMCONFORM_PAIRS_NO_VIEWS");
      inside = it->inside[i];
      all_calls[it->calls[i] - 1](hook);
      keeps_views = false;
      if (view_count) check_views(it->calls[i], hook);
    }
    if (it->answers) { inner->answers = true; inner->answer = it->answer; }
    if (!it->each) {
      note("done", hook);
      put(" %d", index);
      send_line();
    }
  }
}
"""

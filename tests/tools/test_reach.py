"""Which callbacks hooks can reach, in modules of which compilers made every kind of reference there is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dmconform.binaries.facts import Reached
from dmconform.binaries.read import read_module, read_reach
from dmconform.core.extension_point import ExtensionPoint

HTTP, NETWORK = ExtensionPoint.HTTP_FILTER, ExtensionPoint.NETWORK_FILTER
COMPILE_S = 60
FLAGS = {
    "plain": ("-O0",),
    "optimised": ("-O2",),
    "small": ("-Os",),
    "without stubs": ("-O2", "-fno-plt", "-Wl,-z,now"),
    "stripped, bound at load": ("-O2", "-s", "-Wl,-z,now"),
    "with marked targets": ("-O2", "-fcf-protection=full"),
    "packed relocations": ("-O2", "-Wl,-z,pack-relative-relocs"),
    "vectors": ("-O3", "-mavx2"),
    "sections": ("-O2", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"),
}
START = """
#define HOOK(name) envoy_dynamic_module_on_##name
#define CALL(name) envoy_dynamic_module_callback_##name
#define CALLBACK(name) extern %s void CALL(name)(void *)
#define LOCAL static __attribute__((noinline))
%s
"""
C_START = START % ("", "")
CPP_START = START % ('"C"', "#define LOCAL_IN_CLASS __attribute__((noinline))")


def reached(folder: Path, source: str, flags: tuple[str, ...] = ("-O2",), *, compiler: str = "gcc") -> dict[str, Reached]:
    """Whether HTTP filters reach each callback that a module names, by the callback's name after the common beginning."""
    path, library = folder / ("source.c" if compiler == "gcc" else "source.cc"), folder / "libmodule.so"
    path.write_text((C_START if compiler == "gcc" else CPP_START) + source)
    command: list[str | Path] = [compiler, "-shared", "-fPIC", "-w", *flags, "-o", library, path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_S, check=False)
    assert done.returncode == 0, done.stderr
    module = read_module(library)
    assert module.problem is None
    found = read_reach(library, module, [HTTP])
    assert found.problem is None
    return {one.name.removeprefix("envoy_dynamic_module_callback_"): found.of(one.name) for one in module.callbacks}


EVERY_WAY_IN_C = """
CALLBACK(direct); CALLBACK(by_function); CALLBACK(in_table); CALLBACK(in_last_of_table); CALLBACK(in_pairs);
CALLBACK(by_switch); CALLBACK(by_pointer); CALLBACK(given_away); CALLBACK(by_constructor); CALLBACK(by_destructor);
CALLBACK(at_init);
CALLBACK(before_table); CALLBACK(by_pointer_to_pointer); CALLBACK(by_exported); CALLBACK(as_value); CALLBACK(by_chosen);
CALLBACK(of_thread); CALLBACK(never); CALLBACK(by_network); CALLBACK(in_network_table);

LOCAL void by_function(void *to) { CALL(by_function)(to); }
LOCAL void entry_0(void *to) { CALL(in_table)(to); }
LOCAL void entry_1(void *to) { CALL(in_last_of_table)(to); }
LOCAL void entry_2(void *to) { CALL(before_table)(to); }
static void (*const table[])(void *) = {entry_0, entry_0, entry_1};
static void (*const from_one[])(void *) = {entry_2, entry_0, entry_2};
LOCAL void paired(void *to) { CALL(in_pairs)(to); }
static const struct { long key; void (*run)(void *); } pairs[] = {{7, entry_0}, {8, paired}};
LOCAL void pointed(void *to) { CALL(by_pointer)(to); }
LOCAL void pointed_twice(void *to) { CALL(by_pointer_to_pointer)(to); }
static void (*volatile pointer)(void *) = pointed;
static void (*volatile second)(void *) = pointed_twice;
static void (*volatile *volatile first)(void *) = &second;
LOCAL void given(void *to) { CALL(given_away)(to); }
void exported(void *to) { CALL(by_exported)(to); }
LOCAL void chosen(void *to) { CALL(by_chosen)(to); }
static void *choose(void) { return (void *)chosen; }
void selected(void *to) __attribute__((ifunc("choose")));
LOCAL void threads(void *to) { CALL(of_thread)(to); }
static __thread void (*volatile in_thread)(void *) = threads;
__attribute__((constructor)) static void construct(void) { CALL(by_constructor)(0); }
__attribute__((destructor)) static void destruct(void) { CALL(by_destructor)(0); }
extern void others(void *);
void *kept;

const char *HOOK(program_init)(void) { CALL(at_init)(0); return "v0.1.0"; }
void HOOK(http_filter_config_new)(void *to, long number) {
  CALL(direct)(to); by_function(to); exported(to); selected(to);
  table[number & 1](to); from_one[number - 1](to); pointer(to); (*first)(to); in_thread(to);
  for (long at = 0; at < 2; at++) if (pairs[at].key == number) pairs[at].run(to);
  switch (number) {
    case 1: kept = 0; break; case 2: kept = to; break; case 3: kept = &kept; break; case 4: CALL(by_switch)(to); break;
    case 5: kept = &number; break; case 6: others(given); break;
  }
  others((void *)CALL(as_value));
}
LOCAL void network(void *to) { CALL(by_network)(to); }
static void (*volatile of_network)(void *);
void HOOK(network_filter_config_new)(void *to) { network(to); CALL(in_network_table)(to); }
void unused(void *to) { CALL(never)(to); }
"""


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
def test_every_kind_of_reference_in_c(tmp_path: Path, flags: tuple[str, ...]) -> None:
    found = reached(tmp_path, EVERY_WAY_IN_C, flags)
    no = {name for name, way in found.items() if way is Reached.NO}
    # An exported function that nothing in the module calls is nobody's.
    assert no == {"never", "by_network", "in_network_table"}
    assert len(found) == 20


def test_the_extension_point_decides(tmp_path: Path) -> None:
    source = """
    CALLBACK(http); CALLBACK(network); CALLBACK(init);
    const char *HOOK(program_init)(void) { CALL(init)(0); return "v0.1.0"; }
    void HOOK(http_filter_new)(void) { CALL(http)(0); }
    void HOOK(network_filter_new)(void) { CALL(network)(0); }
    """
    assert reached(tmp_path, source) == {"http": Reached.YES, "init": Reached.YES, "network": Reached.NO}
    library = tmp_path / "libmodule.so"
    module = read_module(library)
    for points, expected in (([NETWORK], ["init", "network"]), ([HTTP, NETWORK], ["http", "init", "network"])):
        found = read_reach(library, module, points)
        assert [name.rpartition("_")[2] for name in found.reached if "callback" in name] == expected
    everywhere = read_reach(library, module, None)
    assert everywhere.of("envoy_dynamic_module_callback_network") is Reached.YES


ALONE = {
    "thread": """
        LOCAL void last(void *to) { CALL(wanted)(to); }
        static __thread void (*volatile in_thread)(void *) = last;
        void HOOK(http_filter_new)(void *to) { in_thread(to); }""",
    "constructor": "__attribute__((constructor)) static void last(void) { CALL(wanted)(0); }",
    "destructor": "__attribute__((destructor)) static void last(void) { CALL(wanted)(0); }",
    "chosen at load": """
        static void *choose(void) { CALL(wanted)(0); return 0; }
        void selected(void *to) __attribute__((ifunc("choose")));
        void HOOK(network_filter_new)(void *to) { selected(to); }""",
    "chosen at load, by no name": """
        static void *choose(void) { CALL(wanted)(0); return 0; }
        static void selected(void *to) __attribute__((ifunc("choose")));
        void HOOK(network_filter_new)(void *to) { selected(to); }""",
    "without a table": """
        __asm__(".text\\nplain: jmp envoy_dynamic_module_callback_wanted@PLT");
        extern void plain(void) __attribute__((visibility("hidden")));
        __asm__(".globl plain\\n.hidden plain");
        void HOOK(http_filter_new)(void *to) { plain(); }""",
}


@pytest.mark.parametrize("source", ALONE.values(), ids=ALONE)
def test_what_runs_though_no_table_or_object_beside_it_does(tmp_path: Path, source: str) -> None:
    """Each alone, as in C one object that is reached brings all others."""
    init = 'const char *HOOK(program_init)(void) { return "v0.1.0"; }'
    assert reached(tmp_path, f"CALLBACK(wanted);\n{source}\n{init}") == {"wanted": Reached.YES}


IN_ASSEMBLY = """
CALLBACK(by_distance); CALLBACK(in_first_half); CALLBACK(in_second_half); CALLBACK(in_wide_1); CALLBACK(in_wide_3);
CALLBACK(behind_wide); CALLBACK(by_tail_of_pointer); CALLBACK(by_short_loop); CALLBACK(behind_single);
#define ENTRY(name) void __attribute__((visibility("hidden"))) to_##name(void *to) { CALL(name)(to); }
ENTRY(by_distance) ENTRY(in_first_half) ENTRY(in_second_half) ENTRY(in_wide_1) ENTRY(in_wide_3) ENTRY(behind_wide)
ENTRY(by_tail_of_pointer) ENTRY(by_short_loop) ENTRY(behind_single)
__asm__(
  ".section .data.rel.ro, \\"aw\\"\\n.balign 16\\nobject: .quad to_by_distance\\n"
  ".balign 16\\nhalves: .quad to_in_first_half, to_in_second_half\\n"
  "wide: .quad 0, to_in_wide_1, 0, to_in_wide_3, 0, 0, 0, 0, to_behind_wide\\n"
  "single: .quad to_by_tail_of_pointer, to_behind_single\\n"
  ".section .rodata\\n.balign 4\\ndistances: .long object - distances, object - distances\\n.long 0x7fffffff\\n"
  ".text\\n.globl take_all\\n.hidden take_all\\n.type take_all, @function\\ntake_all:\\n.cfi_startproc\\n"
  "%s\\n movups halves(%rip), %xmm0\\n vmovups wide(%rip), %ymm0\\n push single(%rip)\\n"
  "jrcxz to_short\\n ret\\n.cfi_endproc\\n"
  ".type to_short, @function\\nto_short:\\n.cfi_startproc\\n jmp to_by_short_loop\\n.cfi_endproc\\n");
extern void take_all(void);
const char *HOOK(program_init)(void) { return "v0.1.0"; }
void HOOK(http_filter_new)(void *to) { take_all(); }
"""


def test_instructions_that_compilers_seldom_make(tmp_path: Path) -> None:
    """An instruction reaches as many pointers as it loads, and no more."""
    found = reached(tmp_path, IN_ASSEMBLY.replace("%s", "nop"))
    assert {name for name, way in found.items() if way is Reached.NO} == {"by_distance", "behind_wide", "behind_single"}
    assert len(found) == 9


def test_a_table_of_distances(tmp_path: Path) -> None:
    found = reached(tmp_path, IN_ASSEMBLY.replace("%s", "lea distances(%rip), %rax"))
    assert found["by_distance"] is Reached.YES


TABLES_IN_C = """
CALLBACK(used_0); CALLBACK(used_1); CALLBACK(unused_0);
LOCAL void used_0(void *to) { CALL(used_0)(to); }
LOCAL void used_1(void *to) { CALL(used_1)(to); }
LOCAL void unused_0(void *to) { CALL(unused_0)(to); }
static void (*const used[])(void *) = {used_0, used_1};
static void (*const unused[])(void *) = {unused_0, unused_0};
const char *HOOK(program_init)(void) { return "v0.1.0"; }
void HOOK(http_filter_new)(void *to, int number) { %s }
void HOOK(network_filter_new)(void *to, int number) { unused[number](to); }
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # In C nothing shows where a table ends: with one of them, all are taken for reached.
        ("used[number](to);", {"used_0", "used_1", "unused_0"}),
        ("used_0(to); used_1(to);", {"used_0", "used_1"}),
        ("", set()),
    ],
)
def test_static_tables(tmp_path: Path, body: str, expected: set[str]) -> None:
    found = reached(tmp_path, TABLES_IN_C % body)
    assert {name for name, way in found.items() if way is Reached.YES} == expected


CLASSES = """
#include <memory>
CALLBACK(by_virtual); CALLBACK(by_derived); CALLBACK(by_second_base); CALLBACK(by_other); CALLBACK(by_deleting);
CALLBACK(by_lambda); CALLBACK(of_network); CALLBACK(of_network_second);
CALLBACK(while_unwound); CALLBACK(caught); CALLBACK(by_member_pointer);
struct Base { virtual ~Base() {} virtual void run(void *to) { CALL(by_virtual)(to); } virtual void stop() = 0; };
struct Second { virtual ~Second() {} virtual void walk() = 0; };
struct Derived : Base, Second {
  ~Derived() { CALL(by_deleting)(this); }
  void stop() override { CALL(by_derived)(this); }
  void walk() override { CALL(by_second_base)(this); }
};
struct Network : Base {
  void run(void *to) override { CALL(of_network)(to); }
  void stop() override { CALL(of_network_second)(this); }
};
struct Guard { ~Guard() { CALL(while_unwound)(this); } };
struct Other { LOCAL_IN_CLASS void go() { CALL(by_member_pointer)(this); } };
extern "C" void others(void *);
void apply(void (*what)(void *));
extern "C" {
const char *HOOK(program_init)() { return "v0.1.0"; }
Base *HOOK(http_filter_config_new)() { return new Derived; }
void HOOK(http_filter_new)(Base *one, void (Other::*member)()) {
  one->stop(); others((void *)+[](void *to) { CALL(by_lambda)(to); });
  member = &Other::go; others(&member);
}
void HOOK(http_filter_request_headers)(void *to) { try { Guard guard; others(to); } catch (...) { CALL(caught)(to); } }
Base *HOOK(network_filter_config_new)() { return new Network; }
void HOOK(network_filter_new)() { CALL(by_other)(0); }
}
"""


@pytest.mark.parametrize("flags", [one for name, one in FLAGS.items() if name != "vectors"])
@pytest.mark.parametrize("static", [(), ("-static-libstdc++", "-static-libgcc")])
def test_classes_with_virtual_functions(tmp_path: Path, flags: tuple[str, ...], static: tuple[str, ...]) -> None:
    found = reached(tmp_path, CLASSES, (*flags, *static), compiler="g++")
    assert {name for name, way in found.items() if way is Reached.NO} == {"of_network", "of_network_second", "by_other"}
    assert len(found) == 11


def test_code_without_a_table_of_functions_is_not_followed(tmp_path: Path) -> None:
    source = "const char *HOOK(program_init)(void) { return 0; }"
    path, library = tmp_path / "source.c", tmp_path / "libmodule.so"
    path.write_text(C_START + source)
    flags = ("-O1", "-nostdlib", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables")
    subprocess.run(["gcc", "-shared", "-fPIC", *flags, "-o", library, path], check=True, timeout=COMPILE_S)
    found = read_reach(library, read_module(library), [HTTP])
    assert found.problem == "expected a table of its functions (.eh_frame_hdr), there is none"
    assert found.of("envoy_dynamic_module_callback_log") is Reached.NOT_DETERMINED

"""A header becomes the data that it means, or an error that names the place. What happens to real headers is in tests/hosts."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import pytest
from dmconform.abi.types import (
    UNKNOWN,
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
from dmconform.abi_diff import extract as extract_module
from dmconform.abi_diff import parser_process
from dmconform.abi_diff.extract import About, BadHeader, extract
from dmconform.abi_diff.header_parser import HEADER_PATH, Parsed, parse, prepared
from dmconform.abi_diff.parser_process import TooMuch
from dmconform.binaries import read
from dmconform.binaries.facts import HostFacts
from dmconform.core.errors import UsageError

from tests.unit.golden import FOLDER, golden_abi

INCLUDES = "#pragma once\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n"
ONE_HOOK = "void envoy_dynamic_module_on_one(void);\n"
CALLBACK = "envoy_dynamic_module_callback_"
HOOK = "envoy_dynamic_module_on_"


@pytest.fixture
def header(tmp_path: Path) -> Path:
    return tmp_path / "abi.h"


def declared(text: str) -> Parsed:
    return parse(prepared(), (INCLUDES + text).encode(), "s")


def problems_of(text: str) -> tuple[str, ...]:
    """The problems of a header, each without its folder."""
    return tuple(one.removeprefix(f"{Path(HEADER_PATH).parent}/") for one in declared(text).problems)


def test_the_golden_header_gives_the_golden_data(header: Path) -> None:
    """What is made of the data is read back as the data; only names without a signature are not in a header."""
    text = (FOLDER / "abi.h").read_text().replace("DMCONFORM_ABI_VERSION", "ENVOY_DYNAMIC_MODULES_ABI_VERSION")
    header.write_text(text)
    golden = golden_abi()
    about = About(release="9.8.7", description="made up for the tests")
    found = extract(header, about)
    assert found.notes == ()
    types = tuple(msgspec.structs.replace(one, source="9.8") for one in golden.types)
    functions = tuple(msgspec.structs.replace(one, source="9.8") for one in golden.functions if one.has_signature)
    sources = {"9.8": golden.sources["9.8"]}
    assert found.abi == msgspec.structs.replace(golden, types=types, functions=functions, sources=sources)


def test_each_kind_of_declaration() -> None:
    found = declared(
        """
        typedef const char *   text_ptr;
        typedef enum { kind_A, kind_B = -3, kind_C } kind;
        typedef struct pair pair;
        struct pair { bool ok; const uint32_t *const *numbers; uint8_t bytes[4]; kind what; };
        typedef void (*done_fn)(void*, const pair* result);
        bool envoy_dynamic_module_callback_ask(pair, size_t, done_fn done, unsigned long long int big);
        kind envoy_dynamic_module_callback_none();
        extern int envoy_dynamic_module_on_event(void) __attribute__((visibility("default")));
        int envoy_dynamic_module_on_event(void);
        _Static_assert(sizeof(int) == 4, "");
        typedef const char* text_ptr;
        """
    )
    assert found.problems == ()
    assert found.types == (
        FunctionPointer("done_fn", "s", "void", (Member("param_1", "void*"), Member("result", "const pair*"))),
        Enum("kind", "s", (EnumValue("kind_A", 0), EnumValue("kind_B", -3), EnumValue("kind_C", -2))),
        Struct(
            "pair",
            "s",
            (
                Member("ok", "bool"),
                Member("numbers", "const uint32_t* const*"),
                Member("bytes", "uint8_t[4]"),
                Member("what", "kind"),
            ),
        ),
        Alias("text_ptr", "s", "const char*"),
    )
    params = (
        Member("param_1", "pair"),
        Member("param_2", "size_t"),
        Member("done", "done_fn"),
        Member("big", "unsigned long long"),
    )
    assert found.functions == (
        Function(f"{CALLBACK}ask", FunctionKind.CALLBACK, "s", "bool", params),
        Function(f"{CALLBACK}none", FunctionKind.CALLBACK, "s", "kind", ()),
        Function(f"{HOOK}event", FunctionKind.HOOK, "s", "int", ()),
    )


INEXPRESSIBLE = {
    "typedef union { int a; } both;": "union both: the data has no unions",
    "typedef union both { int a; } both;": "union both: the data has no unions",
    "union lonely { int a; };": "union lonely has no typedef",
    "struct lonely { int a; };": "struct lonely has no typedef",
    "enum lonely { A };": "enum lonely has no typedef",
    "enum { A };": "enum without a name has no typedef",
    "typedef struct one { int a; } other;": "struct one has another name than its typedef other",
    "typedef struct hidden hidden;": "struct hidden is never defined",
    "typedef struct { int a : 3; } bits;": "struct bits, field a: the data has no bit fields",
    "typedef struct { struct { int a; } in; } out;": "struct out has a type defined inside it (struct without a name)",
    "typedef struct { union { int a; }; } out;": "struct out has a type defined inside it (union without a name)",
    "typedef struct { struct in { int a; } in; } out;": "struct out has a type defined inside it (struct in)",
    "typedef struct { enum { A } in; } out;": "struct out has a type defined inside it (enum without a name)",
    "typedef struct { int n; int rest[]; } tail;": "struct tail, field rest: the data has no words for `int[]`",
    "typedef struct {} nothing;": "struct nothing has no fields",
    "typedef struct { void (*fn)(int); } s;": "struct s, field fn: the data has no words for `void (*)(int)`",
    "typedef struct node { struct node* next; } node;": "struct node, field next: the data has no words for `struct node *`",
    "typedef struct { bool a; int b; } __attribute__((packed)) p;": "something that is not a field (PACKED_ATTR)",
    "typedef struct { bool a __attribute__((aligned(16))); } p;": "clang says size 16, alignment 16, offsets [0]",
    "#pragma pack(1)\ntypedef struct { bool a; int b; } p;": "clang says size 5, alignment 1, offsets [0, 1]",
    "typedef enum { A } __attribute__((packed)) tiny;": "clang says size 1, alignment 1",
    "typedef enum { A = 1L << 40 } wide;": "clang says size 8, alignment 8",
    "typedef int four[4];": "the data has arrays (`int[4]`) only as fields of structs",
    "typedef int vec __attribute__((vector_size(16)));": "typedef vec: the data has no words for",
    "typedef int big __attribute__((aligned(16)));": "typedef big is laid out by an attribute",
    "typedef int fn(int);": "typedef fn is a function; the data has pointers to functions only",
    "typedef void (**fn)(int);": "typedef fn: the data has no words for `void (**)(int)`",
    "typedef void (*fn)(int, ...);": "typedef fn takes any number of arguments",
    "typedef volatile int v;": "typedef v: the data has no words for `volatile int`",
    "typedef const struct { int a; } c;": "typedef c makes a struct or an enum const or volatile",
    "typedef long double ld;": "typedef ld: the data has no words for `long double`",
    "typedef _Bool flag;": "`_Bool` is not a type that the data can have",
    "typedef int __attribute__((address_space(1))) *far;": "typedef far: the data has no words for",
    "void envoy_dynamic_module_callback_f(const char* format, ...);": "takes any number of arguments",
    "void envoy_dynamic_module_callback_f(void (*fn)(int));": "parameter fn: the data has no words for `void (*)(int)`",
    "void envoy_dynamic_module_callback_f(struct s* p);": "parameter p: the data has no words for `struct s *`",
    "void envoy_dynamic_module_callback_f(int a[4]);": "parameter a: the data has arrays (`int[4]`) only as fields",
    "static void envoy_dynamic_module_callback_f(void);": "is defined, not only declared",
    "inline void envoy_dynamic_module_callback_f(void) {}": "is defined, not only declared",
    'void envoy_dynamic_module_callback_f(void) __asm__("g");': "an attribute that the data cannot express (ASM_LABEL_ATTR)",
    "__attribute__((ms_abi)) void envoy_dynamic_module_callback_f(void);": "has another calling convention than C's",
    "typedef void (*fn)(void) __attribute__((ms_abi));": "typedef fn has another calling convention than C's",
    "void helper(void);": "function helper is neither a callback",
    "extern int global;": "var global is neither a type nor a function",
}


@pytest.mark.parametrize("text", INEXPRESSIBLE)
def test_what_the_data_cannot_say_is_an_error_with_its_place(text: str) -> None:
    found = problems_of(text)
    line = 6 if text.startswith("#pragma") else 5
    assert [one for one in found if one.startswith(f"abi.h:{line}:") and INEXPRESSIBLE[text] in one], found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("typedef struct { int a; } ;;; x y z\n", "abi.h:5:"),
        ("void f(gone x);", "abi.h:5:8: unknown type name 'gone'"),
        ("#include <vector>\n", "abi.h:5:10: 'vector' file not found"),
        ('#include "other.h"\n', "abi.h:5:10: 'other.h' file not found"),
        ("#error no\n", "abi.h:5:2: no"),
        ("#ifndef __cplusplus\nint a(;\n#endif\n", "abi.h:6:7: expected parameter declarator"),
        ("bool envoy_dynamic_module_on_a(void);\nvoid envoy_dynamic_module_on_a(void);", "abi.h:6:6: conflicting types"),
    ],
)
def test_what_clang_says_is_reported_with_line_and_column(text: str, problem: str) -> None:
    assert [one for one in problems_of(text) if one.startswith(problem)]


def test_a_header_beside_it_is_not_read_and_what_may_be_included_is_named(header: Path) -> None:
    (header.parent / "more.h").write_text("#pragma once\ntypedef void* more_ptr;\n")
    header.write_text(f'{INCLUDES}#include "more.h"\nmore_ptr {HOOK}event(void);\n')
    names = "it may include stdbool.h, stddef.h and stdint.h, and nothing else"
    with pytest.raises(BadHeader, match=rf"abi\.h:5:10: 'more\.h' file not found; {names}"):
        extract(header)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('#define ENVOY_DYNAMIC_MODULES_ABI_VERSION "v7"\n', "v7"),
        ('const char* envoy_dynamic_modules_abi_version = "v8";\n', "v8"),
        ('#define V "v9"\nconst char* __attribute__((weak)) envoy_dynamic_modules_abi_version = V;\n', "v9"),
    ],
)
def test_the_abi_string_is_read_from_the_header(text: str, version: str, header: Path) -> None:
    header.write_text(text + ONE_HOOK)
    assert extract(header).abi.abi_version == version


def test_without_one_it_is_the_headers_hash(header: Path) -> None:
    header.write_text(ONE_HOOK)
    digest = hashlib.sha256(header.read_bytes()).hexdigest()
    abi = extract(header).abi
    assert abi.abi_version == digest
    assert abi.sources == {"header": HeaderSource(f"header with the SHA-256 {digest}", exact=True)}
    assert (abi.envoy, abi.measured_on) == (UNKNOWN, UNKNOWN)


def test_macros_are_noted(header: Path) -> None:
    header.write_text(f"#define GUARD\n#define LIMIT 16\n{ONE_HOOK}")
    assert extract(header).notes == ("macro LIMIT is neither a type nor a function: not in the data",)


def test_a_header_of_something_else_is_refused(header: Path) -> None:
    header.write_text("typedef int number;\n")
    with pytest.raises(BadHeader, match="expected callbacks and hooks"):
        extract(header)


def test_many_problems_are_not_all_reported(header: Path) -> None:
    header.write_text("".join(f"struct s{number} {{ int a; }};\n" for number in range(25)))
    with pytest.raises(BadHeader) as caught:
        extract(header)
    assert str(caught.value).startswith(f"{header}: cannot be made into ABI data:\n  {header}:1:8: struct s0 has no typedef")
    assert str(caught.value).endswith("\n  and 5 more")
    assert len(caught.value.problems) == 25


def test_a_problem_that_quotes_much_is_cut(header: Path) -> None:
    header.write_text(f'#include "{"a" * 100_000}.h"\nstruct {"b" * 100_000} {{ int a; }};\n')
    with pytest.raises(BadHeader, match=r"1:10: 'a+… \(99\d+ more characters of libclang\); it may include") as caught:
        extract(header)
    assert len(str(caught.value)) < 2000
    header.write_text(f"struct {'b' * 100_000} {{ int a; }};\n")
    with pytest.raises(BadHeader, match=r"1:8: struct b+… \(99\d+ more characters of it\)"):
        extract(header)


def test_types_that_need_each_other_are_refused(header: Path) -> None:
    header.write_text("typedef struct a a; typedef struct b b; struct a { b* other; }; struct b { a* other; };\n" + ONE_HOOK)
    with pytest.raises(BadHeader, match=r"in a circle \(a -> b -> a\)"):
        extract(header)


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "device", "large"])
def test_what_is_no_readable_header_is_refused_at_once(
    kind: str, header: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract_module, "HEADER_BYTES", 1000)
    if kind == "folder":
        header.mkdir()
    elif kind == "fifo":
        os.mkfifo(header)
    elif kind == "large":
        header.write_text(" " * 1001)
    path = Path("/dev/zero") if kind == "device" else header
    expected = {"missing": "No such file", "large": "too much for the reader: expected up to 1000 bytes"}
    with pytest.raises(
        TooMuch if kind == "large" else UsageError, match=expected.get(kind, "this is not a file|Is a directory")
    ):
        extract(path)


def test_bytes_that_are_no_text_are_refused(header: Path) -> None:
    header.write_bytes(bytes(range(256)) * 64)
    with pytest.raises(BadHeader):
        extract(header)


def test_a_name_that_looks_like_an_option_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "-include.h").write_text(ONE_HOOK)
    monkeypatch.chdir(tmp_path)
    assert len(extract(Path("-include.h")).abi.functions) == 1


def test_a_crash_of_the_parser_is_reported(header: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header.write_text(ONE_HOOK)
    crash = ("/bin/sh", "-c", "echo last words >&2; kill -SEGV $$")
    monkeypatch.setattr(parser_process, "_CHILD", crash)
    with pytest.raises(TooMuch, match=r"the parser was ended by SIGSEGV; .*It said: last words"):
        extract(header)


def test_a_parser_that_does_not_end_is_ended(header: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header.write_text(ONE_HOOK)
    monkeypatch.setattr(parser_process, "_CHILD", ("/bin/sh", "-c", "kill -STOP $$"))
    monkeypatch.setattr(parser_process, "HEADER_PARSE_S", 0.2)
    with pytest.raises(TooMuch, match=r"it takes more than 0\.2 s"):
        extract(header)


def test_a_source_that_is_no_text_is_refused(header: Path) -> None:
    header.write_text(ONE_HOOK)
    with pytest.raises(UsageError, match="expected a source with a name that is UTF-8"):
        extract(header, About(source="\udcff"))


def test_a_header_whose_name_is_no_text_is_read(tmp_path: Path) -> None:
    header = tmp_path / os.fsdecode(b"\xff.h")
    header.write_text(ONE_HOOK)
    assert len(extract(header).abi.functions) == 1


class Host:
    """Stands for a host's binary, of which only the names matter here."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(read, "read_host", lambda *_: self.facts)
        self.facts: HostFacts = HostFacts(
            release="9.8.7",
            callbacks=frozenset((f"{CALLBACK}both", f"{CALLBACK}only_binary")),
            hooks=frozenset((f"{HOOK}both", f"{HOOK}only_binary")),
            other_exports=frozenset(),
            abi_version="v9",
            refuses_other_abi=None,
        )

    def change(self, **changes: object) -> None:
        self.facts = msgspec.structs.replace(self.facts, **changes)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, header: Path) -> Host:
    names = (f"{CALLBACK}both", f"{CALLBACK}only_header", f"{HOOK}both", f"{HOOK}only_header")
    functions = "".join(f"void {name}(void);\n" for name in names)
    header.write_text(f'#define ENVOY_DYNAMIC_MODULES_ABI_VERSION "v9"\n{functions}')
    return Host(monkeypatch)


def by_name(functions: tuple[Function, ...]) -> dict[str, bool]:
    """Whether each has a signature, by the end of its name."""
    return {one.name.removeprefix("envoy_dynamic_module_"): one.has_signature for one in functions}


def test_names_are_compared_with_the_binary_both_ways(header: Path, host: Host) -> None:
    found = extract(header, About(), Path("envoy"))
    assert by_name(found.abi.functions) == {
        "callback_both": True,
        "callback_only_binary": False,
        "on_both": True,
        "on_only_binary": False,
        "on_only_header": True,
    }
    assert (found.abi.envoy, found.abi.measured_on, found.abi.abi_version) == ("9.8", "9.8.7", "v9")
    assert list(found.abi.sources) == ["9.8"]
    assert found.notes == (
        f"{CALLBACK}only_header: declared, but the binary does not export it: left out",
        f"{HOOK}only_header: declared, but the binary does not look it up: kept",
        f"{CALLBACK}only_binary: in the binary, but not declared: a name without a signature",
        f"{HOOK}only_binary: in the binary, but not declared: a name without a signature",
    )


def test_of_a_nearby_header_only_what_the_binary_has_is_kept(header: Path, host: Host) -> None:
    host.change(abi_version="v10")
    found = extract(header, About(exact=False, source="9.9d"), Path("envoy"))
    assert "on_only_header" not in by_name(found.abi.functions)
    assert found.abi.abi_version == "v10", "that of the binary"
    assert not found.abi.sources["9.9d"].exact


def test_a_header_with_another_abi_string_is_not_that_of_the_binary(header: Path, host: Host) -> None:
    host.change(abi_version="v10")
    with pytest.raises(UsageError, match="its ABI string is v9, that of the binary is v10: a header of another release"):
        extract(header, About(), Path("envoy"))
    host.change(abi_version=None)
    assert extract(header, About(), Path("envoy")).abi.abi_version == "v9"


def test_a_host_without_dynamic_modules_is_refused(header: Path, host: Host) -> None:
    host.change(callbacks=frozenset())
    with pytest.raises(UsageError, match="exports no callback"):
        extract(header, About(), Path("envoy"))


@pytest.mark.parametrize(
    ("about", "problem"),
    [
        (About(envoy="9.9", release="9.8.7"), "expected an Envoy of the release 9.8.7, got 9.9"),
        (About(envoy="9.8.7"), "'9.8.7' is not a minor version"),
    ],
)
def test_facts_that_contradict_each_other_are_refused(about: About, problem: str, header: Path) -> None:
    header.write_text(ONE_HOOK)
    with pytest.raises(UsageError, match=problem):
        extract(header, about)

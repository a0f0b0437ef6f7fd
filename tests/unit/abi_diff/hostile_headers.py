"""Headers that try to read a file, to ask whether it is there, or to break or fill the parser."""

from __future__ import annotations

import codecs
from pathlib import Path

HOOK = "void envoy_dynamic_module_on_one(void);\n"
SECRET = "secret_of_another_file"
SECRET_TEXT = f"void envoy_dynamic_module_on_{SECRET}(void);\n"
"""What is in the file that no header may reach: read as a part of a header, it would be in the data."""


def reaching(file: Path) -> dict[str, bytes]:
    """Returns headers that try to have the text of `file` read as their own, by the way they take."""
    name = str(file)
    back = f"/dmconform-system-headers/../..{name}"
    texts = {
        "quoted": f'#include "{name}"',
        "in angle brackets": f"#include <{name}>",
        "relative": f'#include "{file.name}"',
        "out of the folder of system headers": f"#include <../{name}>",
        "by a folder that is made up": f'#include "{back}"',
        "by the folder of open files": '#include "/proc/self/fd/0"',
        "by the folder of the process": f'#include "/proc/self/root{name}"',
        "by its current folder": f'#include "/proc/self/cwd/{file.name}"',
        "include_next": f'#include_next "{name}"',
        "import": f'#import "{name}"',
        "embed": f'const unsigned char bytes[] = {{\n#embed "{name}"\n}};',
        "macro": f'#define FILE "{name}"\n#include FILE',
        "macro of tokens": f"#define FILE <{name}>\n#include FILE",
        "macro with arguments": f'#define F(x) x\n#include F("{name}")',
        "made a string": f"#define S(x) #x\n#define T(x) S(x)\n#include T({name})",
        "pasted": f'#define P(a, b) a##b\n#define FILE "{name}"\n#include P(FI, LE)',
        "line splice": f'#inc\\\nlude "{name}"',
        "line splice in the name": f'#include "{name[:3]}\\\n{name[3:]}"',
        "trigraph": f'??=include "{name}"',
        "trigraph splice": f'#inc??/\nlude "{name}"',
        "digraph": f'%:include "{name}"',
        "comments between": f'/* */ # /* a\n*/ include /* b */ "{name}" // c',
        "form feed": f'\f#\v include "{name}"',
        "carriage return": f'#define A\r\n#include "{name}"\r\n',
        "without a new line": f'#include "{name}"',
        "after a null byte": f'\0\n#include "{name}"',
        "null byte between": f'#\0include "{name}"',
        "null byte in the name": f'#include "{name}\0"',
        "in a condition": f'#if 1\n#include "{name}"\n#endif',
        "after another line number": f'#line 1 "{name}"\n#include __FILE__',
        "flags of the preprocessor's output": f'# 1 "{name}" 1 3\n#include __FILE__',
        "pragma include_alias": f'#pragma include_alias("stddef.h", "{name}")\n#include "stddef.h"',
        "pragma clang module": "#pragma clang module import secret",
        "pragma clang module load": "#pragma clang module load secret",
        "pragma clang module build": "#pragma clang module build s\n"
        f'module s {{ header "{name}" }}\n#pragma clang module endbuild\n#pragma clang module import s',
        "pragma push_macro": f'#define F "{name}"\n#pragma push_macro("F")\n#undef F\n#pragma pop_macro("F")\n#include F',
        "pragma dependency": f'#pragma GCC dependency "{name}"',
        "pragma warnings": f'#pragma clang diagnostic ignored "-Weverything"\n#include "{name}"',
        "pragma system_header": f'#pragma GCC system_header\n#include "{name}"',
        "pragma operator": f'_Pragma("include_alias(\\"stddef.h\\", \\"{name}\\")")\n#include "stddef.h"',
        "modules": "@import secret;",
        "assembler": f'__asm__(".incbin \\"{name}\\"");',
        "pragma comment": f'#pragma comment(lib, "{name}")',
        "C++ modules": f'import "{name}";',
    }
    made = {what: f"{text}\n{HOOK}".encode() for what, text in texts.items()}
    made["without a new line"] = f'{HOOK}#include "{name}"'.encode()
    made["byte order mark"] = codecs.BOM_UTF8 + made["quoted"]
    for encoding, mark in (
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
    ):
        made[encoding] = mark + texts["quoted"].encode(encoding)
    return made


def asking(file: Path) -> dict[str, bytes]:
    """Returns headers that declare SECRET as a function only if they find `file`, by the way they take."""
    texts = {
        "has_include": f'#if __has_include("{file}")',
        "has_include_next": f'#if __has_include_next("{file}")',
        "has_include of a macro": f'#define FILE "{file}"\n#if __has_include(FILE)',
        "has_include after a splice": f'#if __has_inc\\\nlude("{file}")',
        "has_include pasted": f'#define P(a, b) a##b\n#if P(__has_, include)("{file}")',
    }
    return {what: f"{text}\n{SECRET_TEXT}#endif\n{HOOK}".encode() for what, text in texts.items()}


def harmless(file: Path) -> dict[str, bytes]:
    """Returns headers that name `file` without any need for what is in it, by what they do. All are whole."""
    texts = {
        "another name for the lines": f'#line 7 "{file}"\n',
        "in a part that is left out": f'#if 0\n#include "{file}"\n#endif\n',
        "in a comment": f'/*\n#include "{file}"\n*/\n',
    }
    return {what: f"{text}{HOOK}".encode() for what, text in texts.items()}


def breaking() -> dict[str, bytes]:
    """Returns headers that crash libclang, or need more time or memory than there is, by what they do."""
    doubled = "".join(f"#define M{n} M{n - 1} M{n - 1}\n" for n in range(1, 41))
    pragmas = ("crash", "parser_crash", "llvm_fatal_error", "llvm_unreachable", "overflow_stack", "handle_crash", "assert")
    made = {f"pragma {one}": f"#pragma clang __debug {one}\n{HOOK}" for one in pragmas}
    made |= {
        "macros that double": f"#define M0 int;\n{doubled}M40\n",
        "macros that double declarations": f"#define M0 extern int a;\n{doubled}M40\n",
        "macros that double a string": f'#define M0 "aaaaaaaaaaaaaaaaaaaaaaaaa"\n{doubled}const char* s = M40;\n',
        "macros that double in a condition": f"#define M0 1 +\n{doubled}#if M40 1\n#endif\n",
        "a header that includes itself": "#include __FILE__\n#include __FILE__\n",
        "a header that includes itself with much": "int a;\n" * 100_000 + "#include __FILE__\n",
        "parentheses": f"typedef int {'(' * 100_000}x{')' * 100_000};\n",
        "stars": f"typedef int {'*' * 1_000_000}x;\n",
        "structs in structs": f"{'struct { ' * 100_000}int x; {'} x; ' * 100_000}\n",
        "conditions in conditions": "#if 1\n" * 300_000,
        "braces": f"const char* envoy_dynamic_modules_abi_version = {'{' * 100_000};\n",
        "a long sum": f"enum {{ A = {'1 + ' * 500_000}1 }};\n",
        "signs": f"enum {{ A = {'- ' * 500_000}1 }};\n",
        "a chain of aliases": "typedef int t0;\n" + "".join(f"typedef t{n} t{n + 1};\n" for n in range(20_000)) + HOOK,
        "a chain of aliases whose names are sorted against it": "typedef int t9999;\n"
        + "".join(f"typedef t{9999 - n} t{9998 - n};\n" for n in range(2_000))
        + HOOK,
        "a chain of structs": "typedef struct { int x; } s0;\n"
        + "".join(f"typedef struct {{ s{n} x; }} s{n + 1};\n" for n in range(20_000))
        + HOOK,
        "structs that double": "typedef struct { int x; } s0;\n"
        + "".join(f"typedef struct {{ s{n} x; s{n} y; }} s{n + 1};\n" for n in range(58))
        + HOOK,
        "many functions": "".join(f"void envoy_dynamic_module_on_{n}(void);\n" for n in range(90_000)),
        "many macros": "".join(f"#define M{n} {n}\n" for n in range(200_000)) + HOOK,
        "many mistakes": "".join(f"struct s{n} {{ int x; }};\n" for n in range(150_000)),
        "a large array": f"typedef struct {{ int x[{1 << 40}]; }} big;\n{HOOK}",
        "a long name": f"void envoy_dynamic_module_on_{'a' * 3_000_000}(void);\n",
        "a long line": f"/*{'*' * 4_000_000}*/{HOOK}",
        "an open comment": f"{HOOK}/*{' ' * 4_000_000}",
        "attributes": f"void {'__attribute__((weak)) ' * 150_000}envoy_dynamic_module_on_one(void);\n",
    }
    return {what: text.encode() for what, text in made.items()}

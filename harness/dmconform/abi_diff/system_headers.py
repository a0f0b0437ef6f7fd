"""The three headers of C that an ABI header includes, for x86-64 Linux: libclang's wheel brings none, and none is read here.

They exist in memory only, below a folder that is on no disk.
"""

from __future__ import annotations

from typing import Final

FOLDER: Final = "/dmconform-system-headers/"

_STDDEF = """\
typedef unsigned long size_t;
typedef long ptrdiff_t;
#define NULL ((void*)0)
#define offsetof(type, member) __builtin_offsetof(type, member)
"""
_STDINT = """\
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long uint64_t;
typedef long intptr_t;
typedef unsigned long uintptr_t;
"""
# A typedef where C11 has a macro, so that a declaration spells `bool` and not `_Bool`.
_STDBOOL = """\
typedef _Bool bool;
#define true 1
#define false 0
"""

FILES: Final = tuple(
    (f"{FOLDER}{name}", f"#pragma once\n{text}".encode())
    for name, text in (("stdbool.h", _STDBOOL), ("stddef.h", _STDDEF), ("stdint.h", _STDINT))
)
NAMES: Final = "stdbool.h, stddef.h and stdint.h"

"""Takes from a process, for good, all system calls but those of memory and of files that are open already.

A filter of the kernel's (seccomp): it needs no rights, holds for every thread and every later child, and cannot be taken back.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from typing import Final

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_FAIL: Final = 0x00050000  # with an error number in the lower bits
_KILL_PROCESS: Final = 0x80000000
# What the filter looks at, `struct seccomp_data`: the call's number, the machine's kind, and the arguments, 8 bytes each.
_NUMBER: Final = 0
_MACHINE: Final = 4
_FIRST_ARGUMENT: Final = 16
_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K

_X86_64: Final = 0xC000003E
_X32_BIT: Final = 0x40000000  # the same machine's other calling convention, with numbers of its own
_TGKILL: Final = 234
_ALLOWED: Final = {
    "read": 0,
    "write": 1,
    "close": 3,
    "fstat": 5,
    "lseek": 8,
    "mmap": 9,
    "mprotect": 10,
    "munmap": 11,
    "brk": 12,
    "rt_sigaction": 13,
    "rt_sigprocmask": 14,
    "rt_sigreturn": 15,
    "mremap": 25,
    "madvise": 28,
    "getpid": 39,
    "exit": 60,
    "getrusage": 98,
    "sigaltstack": 131,
    "gettid": 186,
    "futex": 202,
    "clock_gettime": 228,
    "exit_group": 231,
    "getrandom": 318,
}


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("if_true", ctypes.c_uint8), ("if_false", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def keep_only_open_files() -> bool:
    """Takes from this process all system calls but those of memory and of its open files; returns whether the kernel does it.

    From now on no path exists for it (ENOENT). It can start no thread or process, and reach no network and no other process.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64" or sys.maxsize < 1 << 32:
        return False
    rules = _filter(os.getpid())
    program = _Program(len(rules), (_Instruction * len(rules))(*rules))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong)
    if prctl(_PR_SET_NO_NEW_PRIVS, 1, None, 0, 0) != 0:
        return False
    return bool(prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0) == 0)


def _filter(process: int) -> list[_Instruction]:
    """Returns the filter's instructions; a jump's two numbers are how many of them it skips if it is so, and if not."""
    rules = [
        _Instruction(_LOAD, 0, 0, _MACHINE),
        _Instruction(_JUMP_EQUAL, 1, 0, _X86_64),
        _Instruction(_RETURN, 0, 0, _KILL_PROCESS),
        _Instruction(_LOAD, 0, 0, _NUMBER),
        _Instruction(_JUMP_AT_LEAST, 0, 1, _X32_BIT),
        _Instruction(_RETURN, 0, 0, _KILL_PROCESS),
    ]
    for number in _ALLOWED.values():
        rules += [_Instruction(_JUMP_EQUAL, 0, 1, number), _Instruction(_RETURN, 0, 0, _ALLOW)]
    return [
        *rules,
        _Instruction(_JUMP_EQUAL, 0, 3, _TGKILL),  # abort() sends a signal, to its own process only
        _Instruction(_LOAD, 0, 0, _FIRST_ARGUMENT),
        _Instruction(_JUMP_EQUAL, 0, 1, process),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_RETURN, 0, 0, _FAIL | errno.ENOENT),
    ]

"""Good modules with bytes changed where the dynamic linker reads, what the reader finds there, and `dlopen` as the witness."""

from __future__ import annotations

import importlib
import random
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dmconform.binaries.facts import Binding, ModuleFacts
from dmconform.binaries.module import export_names, module_facts

from tests.unit import elf_samples
from tests.unit.elf_samples import INIT, Sample, Wanted

SAMPLE = Sample(
    defined=(INIT, "envoy_dynamic_module_on_http_filter_config_new", "envoy_dynamic_module_on_http_filter_new"),
    wanted=(
        Wanted("envoy_dynamic_module_callback_log"),
        Wanted("malloc", version="GLIBC_2.2.5", called=False),
        Wanted("__gmon_start__", weak=True, called=False),
    ),
    soname="libmutant.so",
    versions=("OWN_1", "OWN_2"),
    abi="v0.1.0",
)
# Opens each file that it is named, and looks for a symbol there; the answer is a word for each.
WITNESS = """
import ctypes, os, resource, select, signal, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
symbol = sys.argv[1]
for line in sys.stdin:
    inward, outward = os.pipe()
    pid = os.fork()
    if not pid:
        signal.alarm(10)
        resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
        resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1), os.dup2(null, 2)
        try:
            ctypes.CDLL(line.rstrip("\\n"), mode=os.RTLD_LAZY)[symbol]
            os.write(outward, b"opens")
        except (OSError, AttributeError) as error:
            os.write(outward, b"refuses " + str(error).encode()[-300:])
        os._exit(0)
    os.close(outward)
    answer = b""
    while piece := os.read(inward, 4096):
        answer += piece
    os.close(inward)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    word = answer.decode(errors="replace") if status == 0 else f"ends with {status}"
    # One line, whatever the linker quotes: a carriage return would end one, too.
    print("".join(one if one.isprintable() else "?" for one in word), flush=True)
"""


class Witness:
    """A process that opens files as a host does."""

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol

    def __enter__(self) -> Witness:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WITNESS, self._symbol], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.kill()
        self._process.wait(timeout=10)

    def says(self, path: Path) -> str:
        """What the dynamic linker does with a file."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@dataclass(frozen=True)
class Good:
    """A good module: its bytes, a symbol that a host looks for, and where the dynamic linker reads, with a share of tries."""

    data: bytes
    symbol: str
    dynamic: int  # where its dynamic section is
    ranges: tuple[tuple[int, int], ...]

    def _of_code(self, place: int) -> bool:
        """Whether a byte says where in the code it begins: another place in the code may crash, whoever calls it."""
        at = place - (place - self.dynamic) % 16
        return place - at >= 8 and at >= self.dynamic and struct.unpack_from("<Q", self.data, at)[0] in (12, 13)

    def mutants(self, chance: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
        """Yields copies with one byte changed: a bit of it, to nothing, to all, or to anything."""
        for _ in range(count):
            start, end = chance.choice(self.ranges)
            place = chance.randrange(start, end)
            old = self.data[place]
            new = chance.choice((old ^ 1 << chance.randrange(8), 0, 0xFF, chance.randrange(256), (old + 1) & 0xFF))
            if new != old and not self._of_code(place):
                yield f"byte {place:#x} {old:#04x} -> {new:#04x}", self.data[:place] + bytes([new]) + self.data[place + 1 :]


def written() -> Good:
    """One of which every byte is known."""
    return of_sample(SAMPLE)


def of_sample(sample: Sample) -> Good:
    """A written one, with the ranges that the dynamic linker reads."""
    data = elf_samples.write(sample)
    tables = elf_samples.value_of(data, elf_samples.SYMTAB), elf_samples.value_of(data, elf_samples.JMPREL) + 24
    entries = elf_samples.DATA_AT, elf_samples.DATA_AT + 0x160
    headers = 64 + 4 * 56
    return Good(data, sample.defined[0], elf_samples.DATA_AT, ((0, 64), (64, headers), tables, entries))


def compiled() -> Good:
    """One that a real compiler and linker made."""
    return of_file(Path(str(importlib.import_module("msgspec._core").__file__)), "PyInit__core")


def of_file(path: Path, symbol: str) -> Good:
    """A file, with the ranges that the dynamic linker reads: headers, the dynamic section, tables before the code."""
    data = path.read_bytes()
    (table,) = struct.unpack_from("<Q", data, 32)
    (count,) = struct.unpack_from("<H", data, 56)
    parts = [struct.unpack_from("<IIQQQQQQ", data, table + 56 * number) for number in range(count)]
    dynamic = next((offset, offset + size) for kind, _, offset, _, _, size, _, _ in parts if kind == 2)
    first = next(offset + size for kind, flags, offset, _, _, size, _, _ in parts if kind == 1)
    return Good(data, symbol, dynamic[0], ((0, 64), (table, table + 56 * count), dynamic, (table + 56 * count, first)))


def is_good(path: Path, symbol: str, of_good: ModuleFacts) -> bool:
    """Whether `check` has nothing against it. What it needs of others is judged apart, by the names of that."""
    found = module_facts(path, [])

    def at_load(facts: ModuleFacts) -> set[str]:
        now = facts.binding is Binding.NOW
        return {one.name for one in facts.undefined if (one.at_load or now) and not one.weak}

    return (
        found.problem is None
        and symbol in (found.hooks or export_names(path))
        and set(found.needed) <= set(of_good.needed)
        and set(found.needed_versions) <= set(of_good.needed_versions)
        and at_load(found) <= at_load(of_good)
    )


def facts_of(data: bytes) -> ModuleFacts:
    """What the reader finds in a good module."""
    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        file.write(data)
        file.flush()
        found = module_facts(Path(file.name), [])
    assert found.problem is None, found.problem
    return found

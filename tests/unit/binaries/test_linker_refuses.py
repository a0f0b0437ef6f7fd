"""What the dynamic linker refuses is refused: thousands of good modules with one byte changed, and `dlopen` as the witness.

Another process opens each in a child of its own, with bounds of time and memory, under the C library of this machine. Where
the reader finds no fault and the linker does, a host refuses what `check` calls good: that fails. The other way round, such
as with a part that is out of order and does no harm by luck, is counted.
"""

from __future__ import annotations

import random
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dmconform.binaries.kinds import ProblemKind
from dmconform.binaries.module import module_facts

from tests.unit import elf_samples
from tests.unit.elf_samples import INIT
from tests.unit.mutated_elf import SAMPLE, Good, Witness, compiled, facts_of, is_good, written

SEED = 20_261_130
MUTANTS = 1_000  # of each module


@pytest.mark.parametrize("make", [written, compiled])
def test_one_byte_changed(tmp_path: Path, make: Callable[[], Good]) -> None:
    good = make()
    chance = random.Random(SEED)
    path = tmp_path / "libmutant.so"
    path.write_bytes(good.data)
    of_good = module_facts(path, [])
    assert of_good.problem is None
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    with Witness(good.symbol) as witness:
        assert witness.says(path) == "opens"
        for words, data in good.mutants(chance, MUTANTS):
            path.write_bytes(data)
            ours, theirs = is_good(path, good.symbol, of_good), witness.says(path)
            seen[f"{'loads' if ours else 'refused'} here, {theirs.split()[0]} there"] += 1
            if ours and theirs != "opens":
                wrong.append(f"{words}: {theirs}")
    print(dict(seen), f"{len(wrong)} wrong")
    assert not wrong, "\n".join(wrong)
    assert seen["refused here, refuses there"] > MUTANTS // 50
    assert seen["loads here, opens there"] > MUTANTS // 5


def changed(data: bytes, *changes: tuple[int, str, int]) -> bytes:
    """A copy with other values: where, in which form, what."""
    copy = bytearray(data)
    for place, form, value in changes:
        struct.pack_into(form, copy, place, value)
    return bytes(copy)


def segment(number: int, field: int) -> int:
    """Where a field of a program header is in a written sample."""
    return 64 + 56 * number + field


def in_dynamic(data: bytes, tag: int, value: int) -> bytes:
    """A written sample with an entry more in its dynamic section."""
    end = next(at for at in range(elf_samples.DATA_AT, len(data), 16) if data[at : at + 8] == b"\0" * 8)
    size = struct.unpack_from("<Q", data, segment(3, 32))[0] + 16
    return changed(data, (end, "<Q", tag), (end + 8, "<Q", value), (segment(3, 32), "<Q", size), (segment(3, 40), "<Q", size))


def table(tag: int) -> int:
    """Where a table of the written sample is."""
    return elf_samples.value_of(elf_samples.write(SAMPLE), tag)


# Changes that make the linker refuse it, each with our words.
KINDS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "system": (lambda data: changed(data, (7, "B", 9)), "for FreeBSD"),
    "abi version": (lambda data: changed(data, (8, "B", 1)), "version 0 of the ABI of its system"),
    "padding": (lambda data: changed(data, (12, "B", 1)), "zeros at the end of its identification"),
    "elf version": (lambda data: changed(data, (20, "<I", 2)), "version 1 in its header"),
    "huge memory": (lambda data: changed(data, (segment(2, 40), "<Q", 1 << 46)), "bytes of memory"),
    "offset": (lambda data: changed(data, (segment(1, 8), "<Q", elf_samples.CODE_AT + 8)), "addresses that fit their offsets"),
    "no open": (lambda data: elf_samples.dynamic(data, [(elf_samples.FLAGS_1, 0x40)]), "DF_1_NOOPEN"),
    "no bloom": (lambda data: changed(data, (table(elf_samples.GNU_HASH) + 16, "<Q", 0)), "does not lead to"),
    "blooms": (lambda data: changed(data, (table(elf_samples.GNU_HASH) + 8, "<I", 3)), "the hash table"),
    "record": (lambda data: changed(data, (table(elf_samples.VERNEED), "<H", 2)), "records of needed versions"),
    "version hash": (lambda data: changed(data, (table(elf_samples.VERNEED) + 16, "<I", 5)), "hash of the version"),
    "relocation type": (lambda data: changed(data, (table(elf_samples.RELA) + 32, "<I", 99)), "one of type 99"),
    "call type": (lambda data: changed(data, (table(elf_samples.JMPREL) + 8, "<I", 6)), "one of type 6"),
    "place": (lambda data: changed(data, (table(elf_samples.RELA), "<Q", 0x100)), "can be written to"),
    "pltrel": (lambda data: elf_samples.dynamic(data, [(elf_samples.PLTREL, 17)]), "expected 7 as DT_PLTREL"),
    "relaent": (lambda data: elf_samples.dynamic(data, [(elf_samples.RELAENT, 16)]), "expected 24 as DT_RELAENT"),
    "init": (lambda data: in_dynamic(data, 12, elf_samples.DATA_AT), "DT_INIT is"),
    "init array": (lambda data: in_dynamic(data, 25, elf_samples.DATA_AT), "expected DT_INIT_ARRAYSZ beside"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(tmp_path: Path, kind: str) -> None:
    change, words = KINDS[kind]
    path = tmp_path / "libchanged.so"
    path.write_bytes(change(elf_samples.write(SAMPLE)))
    found = module_facts(path, [])
    assert found.problem is not None
    assert words in found.problem
    assert found.would_crash is (found.problem_kind is not ProblemKind.ARCHITECTURE)
    with Witness(INIT) as witness:
        assert witness.says(path).split()[0] in ("refuses", "ends")


def test_parts_in_another_order(tmp_path: Path) -> None:
    """The linker itself does not look, and maps one over whatever is there."""
    data = elf_samples.write(SAMPLE)
    second, third = data[segment(1, 0) : segment(2, 0)], data[segment(2, 0) : segment(3, 0)]
    path = tmp_path / "libchanged.so"
    path.write_bytes(data[: segment(1, 0)] + third + second + data[segment(3, 0) :])
    found = module_facts(path, [])
    assert (found.problem_kind, "do not overlap" in (found.problem or "")) == (ProblemKind.REFUSED, True)


@pytest.mark.parametrize("machine", [elf_samples.X86_64, elf_samples.AARCH64])
@pytest.mark.parametrize("gnu_hash", [True, False])
def test_a_good_one_of_each_machine(tmp_path: Path, machine: int, gnu_hash: bool) -> None:
    path = tmp_path / "libgood.so"
    path.write_bytes(elf_samples.write(replace(SAMPLE, machine=machine, gnu_hash=gnu_hash)))
    assert module_facts(path, []).problem is None


def test_the_witness_answers_for_the_file_that_it_is_asked_about(tmp_path: Path) -> None:
    """Though the linker quotes what is in a file, line ends among it."""
    files = [tmp_path / name for name in ("a\rb.so", "c\x0bd\x85e.so", "f.so")]
    with Witness("symbol") as witness:
        answers = [witness.says(file) for file in files]
    assert [answer.rpartition("cannot open shared object file")[0] for answer in answers] == [
        f"refuses {tmp_path}/a?b.so: ",
        f"refuses {tmp_path}/c?d?e.so: ",
        f"refuses {tmp_path}/f.so: ",
    ]


def test_a_local_symbol_before_a_good_one_of_its_name_ends_the_search(tmp_path: Path) -> None:
    """As in `do_lookup_x` of glibc: the first that matches decides."""
    sample = replace(SAMPLE, defined=(*SAMPLE.defined, INIT))
    path, data = tmp_path / "libtwice.so", bytearray(elf_samples.write(sample))
    path.write_bytes(data)
    with Witness(INIT) as witness:
        assert witness.says(path) == "opens"
        assert is_good(path, INIT, facts_of(bytes(data)))
        symbols = elf_samples.value_of(bytes(data), elf_samples.SYMTAB)
        first = symbols + 24 * (1 + len(sample.wanted))
        data[first + 4] = 0  # local, and of no type
        path.write_bytes(data)
        assert "undefined symbol" in witness.says(path)
        assert not is_good(path, INIT, facts_of(elf_samples.write(sample)))

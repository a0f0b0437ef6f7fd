"""Each check of what the dynamic linker refuses is needed: without it, files that the linker refuses would be called good.

Each is taken away in turn. Among the files that it alone refuses there must be some that `dlopen` refuses as well, or that end
the process that opens them.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from dmconform.binaries import loader
from dmconform.binaries.elf import Malformed
from dmconform.binaries.facts import ModuleFacts
from dmconform.binaries.module import module_facts

from tests.unit import elf_samples
from tests.unit.binaries.test_linker_refuses import KINDS, SEED, in_dynamic
from tests.unit.mutated_elf import SAMPLE, Good, Witness, compiled, is_good, written

MUTANTS: Final = 1_000  # of each module
TRIED: Final = 80  # of the files that one check refuses
INIT_ARRAY, INIT_ARRAY_SIZE = 25, 27  # in the dynamic section
STACK, THREAD_LOCAL = 0x6474E551, 7  # program headers
DATA_OF_OTHERS, FIXED_PLACE = 6, 18  # relocations
RULES: Final = {
    "_identity": None,
    "_segments": None,
    "_other_parts": None,
    "_entries": None,
    "_addresses": None,
    "_flags": None,
    "_versions": 0x7FFF,  # it returns the highest number of a version
    "_types_and_places": None,
    "_called_at_load": None,
    "_lookups": None,
    "_thread_local": None,
}
"""The checks, each with what it returns where it finds nothing."""


@dataclass(frozen=True)
class Refused:
    """A file that a check refuses."""

    words: str
    data: bytes
    good: Good
    facts: ModuleFacts  # of the good one


def written_by_hand() -> Iterator[tuple[str, bytes]]:
    """Changes of the written sample that chance seldom makes."""
    data = elf_samples.write(SAMPLE)
    for kind, (change, _) in KINDS.items():
        yield kind, change(data)
    yield "what is no function", in_dynamic(in_dynamic(data, INIT_ARRAY, elf_samples.DATA_AT), INIT_ARRAY_SIZE, 8)


def compiled_by_hand() -> Iterator[tuple[str, bytes]]:
    """Threads' own data where nothing is loaded: the dynamic linker copies it for a relocation that wants it soon."""
    good = compiled()
    data = bytearray(good.data)
    (table,) = struct.unpack_from("<Q", data, 32)
    (count,) = struct.unpack_from("<H", data, 56)
    parts = {struct.unpack_from("<I", data, at)[0]: at for at in range(table, table + 56 * count, 56)}
    struct.pack_into("<IIQQQQQQ", data, parts[STACK], THREAD_LOCAL, 4, 0, 1 << 40, 1 << 40, 16, 16, 8)
    dynamic = dict(struct.iter_unpack("<QQ", data[good.dynamic : good.dynamic + 16 * 20]))
    entries = dynamic[elf_samples.RELA]
    places = range(entries + dynamic[elf_samples.RELASZ] - 24, entries, -24)
    last = next(at for at in places if struct.unpack_from("<I", data, at + 8)[0] == DATA_OF_OTHERS)
    struct.pack_into("<Q", data, last + 8, FIXED_PLACE)
    yield "threads' own data", bytes(data)


def blamed(path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """A function that reads the file and returns the innermost check that refuses it."""
    last: list[str] = []

    def watched(name: str, check: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object) -> object:
            try:
                return check(*arguments)
            except Malformed:
                if not last:
                    last.append(name)
                raise

        return run

    for name in RULES:
        monkeypatch.setattr(loader._Checks, name, watched(name, getattr(loader._Checks, name)))

    def read() -> str:
        last.clear()
        module_facts(path, [])
        return last[0] if last else ""

    return read


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Refused]]:
    """Files by the check that refuses them."""
    found: dict[str, list[Refused]] = {rule: [] for rule in RULES}
    path = tmp_path_factory.mktemp("refused") / "libmutant.so"
    with pytest.MonkeyPatch.context() as monkeypatch:
        read = blamed(path, monkeypatch)
        for make, by_hand in ((written, written_by_hand), (compiled, compiled_by_hand)):
            good, chance = make(), random.Random(SEED)
            path.write_bytes(good.data)
            facts = module_facts(path, [])
            for words, data in (*by_hand(), *good.mutants(chance, MUTANTS)):
                path.write_bytes(data)
                if rule := read():
                    found[rule].append(Refused(words, data, good, facts))
    return found


@pytest.mark.parametrize("rule", RULES)
def test_without_a_check_the_linker_disagrees(
    rule: str, refused: dict[str, list[Refused]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader._Checks, rule, lambda *_: RULES[rule])
    path = tmp_path / "libmutant.so"
    for one in refused[rule][:TRIED]:
        path.write_bytes(one.data)
        if is_good(path, one.good.symbol, one.facts):
            with Witness(one.good.symbol) as witness:
                if witness.says(path).split()[0] in ("refuses", "ends"):
                    return
    count = len(refused[rule])
    pytest.fail(f"expected the dynamic linker to refuse some of the {count} files that {rule} refuses, without it all are good")

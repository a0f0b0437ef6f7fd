"""Good modules with bytes changed through `check --no-run`, and `dlopen` in another process as the witness."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from dmconform.abi.required import required_by
from dmconform.abi.required_hooks import load_required_hooks
from dmconform.binaries.facts import ModuleFacts
from dmconform.binaries.module import module_facts
from dmconform.core.errors import ExitCode
from dmconform.core.extension_point import ExtensionPoint

from tests.attack.attack import Attack, Try
from tests.attack.files.commands import attacked, command, documented, fork_reader, forked, imported, worst
from tests.unit import mutated_elf
from tests.unit.elf_samples import INIT
from tests.unit.mutated_elf import Good, Witness

HOST = "1.39.3"
_CHANGES = (1, 1, 1, 1, 2, 4, 16)  # bytes of a mutant; one shows best what each of them means
_OF_GLIBC = re.compile(r"undefined symbol: .*, version GLIBC_[\d.]+$")
_GOOD, _FAULTY, _OTHER_NEEDS = 0, 10, 11  # exit codes of the process that reads


@dataclass(frozen=True)
class _Base:
    """A module to change, and what the witness and the reader say of it as it is."""

    good: Good
    facts: ModuleFacts
    has_hooks: bool  # `check` says that it works


@cache
def _bases() -> tuple[_Base, ...]:
    hooks = (INIT, *sorted(required_by(HOST, load_required_hooks())[ExtensionPoint.HTTP_FILTER]))
    sample = replace(mutated_elf.SAMPLE, defined=hooks)
    samples = (sample, replace(sample, gnu_hash=False), replace(sample, soname=None, versions=(), data=b"\1" * 64))
    made = [(mutated_elf.of_sample(one), True) for one in samples]
    return tuple(
        _Base(good, mutated_elf.facts_of(good.data), works) for good, works in (*made, (mutated_elf.compiled(), False))
    )


@cache
def _witness(symbol: str) -> Witness:
    return Witness(symbol).__enter__()  # it ends with this process, which closes its input


def _mutant(good: Good, chance: random.Random) -> bytes:
    data = good.data
    for _ in range(chance.choice(_CHANGES)):
        (data,) = [made for _, made in replace(good, data=data).mutants(chance, 1)] or [data]
    return data


def _read(path: Path, base: _Base) -> int:
    """Reads a mutant; what it needs of other libraries than the good one does is judged apart, by the names of that."""
    if mutated_elf.is_good(path, base.good.symbol, base.facts):
        return _GOOD
    return _OTHER_NEEDS if module_facts(path, []).problem is None else _FAULTY


def _attempt(chance: random.Random, folder: Path) -> Try:
    imported("check.work", "check.console")
    base = chance.choice(_bases())
    path = folder / "libmutant.so"
    path.write_bytes(_mutant(base.good, chance))
    words = ("check", path, "--no-run", "--host", HOST)
    ended = command(*words, folder=folder, before=_reader(chance))
    found = ended.judged(documented(*words))
    read = forked(lambda: _read(path, base), folder)
    tries = [found, read.judged({_GOOD, _FAULTY, _OTHER_NEEDS})]
    opens = _witness(base.good.symbol).says(path)
    if opens != "opens" and read.exit_code == _GOOD:
        tries.append(replace(found, failure=f"the reader finds no fault, and the dynamic linker {opens}"))
    if read.exit_code == _FAULTY and ended.exit_code == ExitCode.OK:
        tries.append(replace(found, failure="the reader finds a fault, and check says that it works"))
    if _OF_GLIBC.search(opens) and ended.exit_code == ExitCode.OK:
        tries.append(replace(found, failure=f"check says that it works, and the dynamic linker {opens}"))
    return worst(tries)


def _reader(chance: random.Random) -> Callable[[], None] | None:
    """Returns what a command does before it reads: of fifty one reads in a new process, as users' do."""
    return None if chance.random() < 0.02 else fork_reader


def _as_host(chance: random.Random, folder: Path) -> Try:
    """A changed executable as an Envoy, whose names are read."""
    imported("abi_diff.from_binary", "abi_diff.render", "cli.output")
    path = folder / "envoy"
    path.write_bytes(_mutant(_host(), chance))
    return attacked(
        *chance.choice((("abi", "from-binary", path), ("abi", "diff", path, "1.39"))), folder=folder, before=_reader(chance)
    )


@cache
def _host() -> Good:
    return mutated_elf.of_sample(
        replace(
            mutated_elf.SAMPLE,
            defined=tuple(f"envoy_dynamic_module_callback_{n}" for n in range(30)),
            pie=True,
            constants=_HOOKS,
        )
    )


_HOOKS = b"\0".join([b"", *(f"envoy_dynamic_module_on_{n}".encode() for n in range(20)), b"1.39.3", b""])
MODULES = Attack("mutated ELF files", 10_000, 8, _attempt)
HOSTS = Attack("mutated Envoy binaries", 1_000, 1, _as_host)

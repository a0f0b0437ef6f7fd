"""The signatures of the ABI data against the machine code of the Envoys that have the functions."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.abi.loading import load_abi
from dmconform.abi.types import Abi, Function, FunctionKind
from dmconform.core import paths

from tests.argument_registers import passed, registers_read

pytestmark = pytest.mark.host

MINORS = ("1.37", "1.38", "1.39", "1.40")


def callbacks(abi: Abi) -> list[Function]:
    return [one for one in abi.functions if one.kind is FunctionKind.CALLBACK and one.has_signature]


def contradictions(abi: Abi, read: dict[str, frozenset[int]]) -> dict[str, tuple[int, ...]]:
    """The registers that a function reads and its signature does not fill."""
    found = {
        one.name: tuple(sorted(number for number in read[one.name] if number >= passed(abi, one))) for one in callbacks(abi)
    }
    return {name: numbers for name, numbers in found.items() if numbers}


@pytest.mark.parametrize("minor", MINORS)
def test_no_callback_reads_a_register_that_its_signature_does_not_fill(
    minor: str, binaries: dict[str, Path], tmp_path: Path
) -> None:
    abi = load_abi(paths.ABI, minor)
    read = registers_read(binaries[minor], abi, tmp_path)
    assert contradictions(abi, read) == {}
    confirmed = [one for one in callbacks(abi) if read[one.name] == frozenset(range(passed(abi, one)))]
    assert len(confirmed) * 3 > len(callbacks(abi)), "expected that of every third all registers are read at once"


def test_a_signature_that_lacks_a_parameter_is_contradicted(binaries: dict[str, Path], tmp_path: Path) -> None:
    abi = load_abi(paths.ABI, "1.40")
    read = registers_read(binaries["1.40"], abi, tmp_path)
    shorter = [msgspec.structs.replace(one, params=(one.params or ())[:-1]) for one in callbacks(abi)]
    found = contradictions(msgspec.structs.replace(abi, functions=tuple(shorter)), read)
    assert len(found) * 3 > len(shorter)


@pytest.mark.parametrize("source", ["02797a6a", "f505145c", "machine code"])
def test_signatures_from_other_sources_than_a_whole_header_are_confirmed_too(
    source: str, binaries: dict[str, Path], tmp_path: Path
) -> None:
    abi = load_abi(paths.ABI, "1.40")
    read = registers_read(binaries["1.40"], abi, tmp_path)
    ours = [one for one in callbacks(abi) if one.source == source]
    assert ours
    confirmed = [one for one in ours if read[one.name] == frozenset(range(passed(abi, one)))]
    assert len(confirmed) * 5 > len(ours), "expected that of some all registers are read at once"

"""A small file that asks for much memory is too much, which is no fault of what is in it; the bound ends with the block."""

from __future__ import annotations

import lzma
import resource
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from dmconform.core.errors import ExitCode, HarnessError
from dmconform.core.memory import bounded_memory
from dmconform.report.schema import SCHEMA_VERSION

from tests.measured import run_measured
from tests.unit.report_samples import ALL_KINDS, report

MEMORY_BYTES = 200 << 20
MANY = 5_000_000


def test_more_than_the_bound_is_an_error_and_the_bound_ends() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with bounded_memory(Path("given.json"), 32 << 20):
        assert len(bytes(8 << 20)) == 8 << 20
    words = r"given\.json: too much for the reader: it takes more than 32 MiB of memory"
    with pytest.raises(HarnessError, match=words), bounded_memory(Path("given.json"), 32 << 20):
        bytes(80 << 20)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert len(bytes(80 << 20)) == 80 << 20


def test_a_limit_of_the_callers_is_not_raised_and_not_taken_for_the_file() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    resource.setrlimit(resource.RLIMIT_DATA, (pages * resource.getpagesize() + (16 << 20), hard))
    try:
        with pytest.raises(MemoryError), bounded_memory(Path("given.json"), 256 << 20):
            bytes(80 << 20)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def lists(version: int) -> bytes:
    return (
        b'{"schema_version": %d, "selection": {"a": [' % version + b'"ab",' * MANY + b'"ab"]}, "x": [' + b"[]," * MANY + b"[]]}"
    )


def facts(_: int) -> bytes:
    cell = report(ALL_KINDS).cells[0]
    many = {f"name {number}": f"value {number}" for number in range(MANY // 5)}
    return msgspec.json.encode(report([msgspec.structs.replace(cell, facts=many)]))


@pytest.mark.parametrize(
    ("make", "packed"), [(lambda _: lists(3), True), (lambda _: lists(SCHEMA_VERSION), True), (facts, False)]
)
@pytest.mark.parametrize("words", [("diff", "{}", "{}"), ("page", "{}", "--out", "{}.html")])
def test_reports_that_ask_for_a_gigabyte(
    make: Callable[[int], bytes], packed: bool, words: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(lzma.compress(make(0), preset=0) if packed else make(0))
    ended = run_measured(*(word.format(file) for word in words))
    assert ended.exit_code == ExitCode.ERROR, ended.errors
    assert "report.json: too much for the reader: it takes more than" in ended.errors
    assert ended.memory_bytes < MEMORY_BYTES
    assert ended.processor_s < 5

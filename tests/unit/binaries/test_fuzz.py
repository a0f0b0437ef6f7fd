"""A module is untrusted input: whatever its bytes are, reading it ends soon, with facts or with a problem in words.

Many files are read in this process, with a limit on time and memory around each, and must not even raise what nobody thought
of; special files and those that are made to take long go through the reader's own process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import msgspec
import pytest
from dmconform.binaries import elf
from dmconform.binaries.facts import ModuleFacts
from dmconform.binaries.kinds import FileKind, ProblemKind
from dmconform.binaries.module import defined_versions, module_facts
from dmconform.binaries.reach import reach_of
from dmconform.binaries.read import read_module, read_modules
from dmconform.binaries.target_notes import target_notes

from tests.unit import elf_samples
from tests.unit.elf_samples import INIT, Sample, Wanted

SEED = 20_260_101
LONGEST_S = 5  # for one file, which takes some milliseconds
MEMORY_BYTES = 1 << 30
SAMPLE = Sample(
    defined=(INIT, "envoy_dynamic_module_on_http_filter_config_new", "envoy_dynamic_module_on_http_filter_new"),
    wanted=(
        Wanted("envoy_dynamic_module_callback_log"),
        Wanted("malloc", version="GLIBC_2.2.5"),
        Wanted("pthread_create", version="GLIBC_2.34", called=False),
        Wanted("__gmon_start__", weak=True, called=False),
    ),
    runpath="$ORIGIN",
    soname="libfuzzed.so",
    versions=("OWN_1", "OWN_2"),
    data=b"\xff Go buildinf:\x08\x02" + b"\0" * 16 + b"\x06go1.25\x40" + b"\0" * 64,
)
HUGE = (0, 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)


@pytest.fixture(scope="module")
def written() -> bytes:
    """The bytes of a sound library."""
    return elf_samples.write(SAMPLE)


@pytest.fixture(scope="module")
def real() -> bytes:
    """A library that a real compiler and linker made."""
    return Path(str(importlib.import_module("msgspec._core").__file__)).read_bytes()


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Ends what hangs, and lets nothing take more memory than this process has and `MEMORY_BYTES`."""

    def too_long(_: int, __: FrameType | None) -> None:
        raise AssertionError(f"not read within {LONGEST_S} s")

    before = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    old = signal.signal(signal.SIGALRM, too_long)
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY_BYTES, before[1]))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture
def bounded() -> Iterator[None]:
    """See `_bounded`."""
    with _bounded():
        yield


def read(folder: Path, data: bytes) -> ModuleFacts:
    """Reads some bytes in this process. Whatever they are, what comes back can be said."""
    path = folder / "fuzzed.so"
    path.write_bytes(data)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    found = module_facts(path, ["v0.1.0"])
    reach = reach_of(path, SAMPLE.defined, "rust")
    assert reach.problem is None or reach.problem.isprintable()
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert len(msgspec.json.encode(found)) < 1 << 20
    assert (found.problem is None) == (found.problem_kind is None)
    if found.problem is not None:
        assert found.problem.isprintable()
        assert not found.hooks
        assert "b'" not in found.problem, "no raw bytes"
    assert (found.kind is FileKind.SHARED_LIBRARY) == (found.problem_kind is not ProblemKind.NO_LIBRARY)
    target_notes(found)
    return found


def test_the_sound_ones_are_read(tmp_path: Path, bounded: None, written: bytes, real: bytes) -> None:
    assert read(tmp_path, written).problem is None
    assert read(tmp_path, real).problem is None


def test_truncated_anywhere(tmp_path: Path, bounded: None, written: bytes, real: bytes) -> None:
    for data in (written, real):
        places = {
            *range(0, 600, 7),
            *(len(data) * part // 200 for part in range(200)),
            *(len(data) - near for near in range(1, 9)),
        }
        sound = 0
        for place in sorted(places):
            found = read(tmp_path, data[:place])
            sound += found.problem is None
            if place < 64:
                assert found.problem_kind is (ProblemKind.NO_LIBRARY if place < 4 else ProblemKind.TRUNCATED)
            if found.problem is not None and place >= 4:
                assert found.would_crash
        # Only what no loaded part covers may be cut off without harm, such as section headers at the end.
        assert sound < len(places) // 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"elf_class": 1}, "expected a library for Linux on x86-64 or aarch64, this one is for x86-64 (32-bit, little-endian)"),
        ({"elf_class": 9}, "for x86-64 (class 9, little-endian)"),
        ({"order": 2, "kind": 3 << 8, "machine": 62 << 8}, "for x86-64 (64-bit, big-endian)"),
        ({"order": 7}, "for x86-64 (64-bit, byte order 7)"),
        ({"version": 7}, "expected version 1"),
        ({"system": 9}, "for FreeBSD on x86-64"),
        ({"system": 200}, "for system 200 on x86-64"),
        ({"machine": 65_000}, "for machine 65000 (64-bit, little-endian); Envoy has no release for it"),
        ({"kind": 2}, "expected a shared library for Linux, this is an executable"),
        ({"kind": 1}, "this is an object file"),
        ({"kind": 4}, "this is a core dump"),
        ({"kind": 999}, "this is an ELF file of another type"),
        ({"segment_size": 32}, "program headers of 56 bytes"),
        ({"segments": 0xFFFF}, "expected up to 1024 program headers"),
        ({"segments": 0}, "no part that is loaded"),
        ({"segment_table": 1 << 40}, "truncated: program headers end"),
        ({"segment_table": (1 << 64) - 1}, "truncated: program headers end"),
    ],
)
def test_another_header(tmp_path: Path, written: bytes, change: dict[str, int], words: str) -> None:
    problem = read(tmp_path, elf_samples.header(written, **change)).problem
    assert problem is not None
    assert words in problem


def test_huge_values_in_every_field_of_every_header(tmp_path: Path, bounded: None, written: bytes) -> None:
    """Every 8, 4 and 2 bytes of ELF header and program headers, one at a time."""
    end = 64 + 4 * 56
    for size, form in ((8, "<Q"), (4, "<I"), (2, "<H")):
        for place in range(4, end - size + 1, size):
            for value in HUGE:
                changed = bytearray(written)
                struct.pack_into(form, changed, place, value & ((1 << 8 * size) - 1))
                read(tmp_path, bytes(changed))


def test_huge_values_in_every_entry_of_the_dynamic_section(tmp_path: Path, bounded: None, written: bytes) -> None:
    start = elf_samples.DATA_AT
    entries = next(at for at in range(start, start + 0x800, 16) if written[at : at + 16] == b"\0" * 16)
    for place in range(start, entries, 8):
        for value in (*HUGE, start, 64, len(written) - 1):
            changed = bytearray(written)
            struct.pack_into("<Q", changed, place, value)
            read(tmp_path, bytes(changed))


def test_huge_values_in_the_tables(tmp_path: Path, bounded: None, written: bytes) -> None:
    """Hash table, symbols, versions, relocations: every 4 bytes."""
    for place in range(64 + 4 * 56, elf_samples.value_of(written, elf_samples.JMPREL) + 64, 4):
        for value in (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x10):
            changed = bytearray(written)
            struct.pack_into("<I", changed, place, value)
            read(tmp_path, bytes(changed))


@pytest.mark.parametrize("init", [elf_samples.RETURN_ADDRESS, elf_samples.CHOOSE])
def test_random_code_for_aarch64(tmp_path: Path, bounded: None, init: str) -> None:
    chance = random.Random(SEED)
    data = elf_samples.write(dataclasses.replace(SAMPLE, machine=elf_samples.AARCH64, init=init))
    assert read(tmp_path, data).architecture == "aarch64"
    for _ in range(300):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 2, 8))):
            changed[elf_samples.CODE_AT + chance.randrange(64)] = chance.randrange(256)
        found = read(tmp_path, bytes(changed))
        assert found.problem is None


def test_defined_versions_with_huge_values(tmp_path: Path, bounded: None, written: bytes) -> None:
    path = tmp_path / "fuzzed.so"
    start = elf_samples.value_of(written, elf_samples.VERDEF)
    read_whole = 0
    for place in range(start, start + 2 * 28, 2):
        for value in (0, 1, 0x7FFF, 0xFFFF):
            changed = bytearray(written)
            struct.pack_into("<H", changed, place, value)
            path.write_bytes(changed)
            signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
            try:
                read_whole += defined_versions(path) == {"OWN_1", "OWN_2"}
            except elf.Malformed as problem:
                assert str(problem).isprintable()
            signal.setitimer(signal.ITIMER_REAL, 0)
    assert 0 < read_whole < 2 * 14 * 4
    changed = bytearray(elf_samples.dynamic(written, [(elf_samples.VERDEFNUM, 0xFFFFFFFF)]))
    struct.pack_into("<I", changed, start + 28 + 16, 0xFFFFFFE4)  # what follows the last is the first again
    path.write_bytes(changed)
    with pytest.raises(elf.Malformed):
        defined_versions(path)


@pytest.mark.parametrize("gnu_hash", [True, False])
def test_random_bytes_in_what_the_linker_reads(tmp_path: Path, bounded: None, real: bytes, gnu_hash: bool) -> None:
    chance = random.Random(SEED)
    small = elf_samples.write(dataclasses.replace(SAMPLE, gnu_hash=gnu_hash))
    for data, ranges in (
        (small, ((0, 64 + 4 * 56), (64 + 4 * 56, 2048), (elf_samples.DATA_AT, elf_samples.DATA_AT + 0x200))),
        (real[: 1 << 20], ((0, 64 + 12 * 56), (0x200, 0x8000))),
    ):
        for _ in range(400):
            changed = bytearray(data)
            start, end = chance.choice(ranges)
            for _ in range(chance.choice((1, 2, 8, 64))):
                changed[chance.randrange(start, end)] = chance.randrange(256)
            read(tmp_path, bytes(changed))


def test_nothing_but_noise(tmp_path: Path, bounded: None) -> None:
    chance = random.Random(SEED)
    for size in (1, 3, 4, 16, 63, 64, 65, 4096, 1 << 20):
        assert read(tmp_path, chance.randbytes(size)).problem is not None
        assert read(tmp_path, b"\x7fELF\x02\x01\x01" + chance.randbytes(size)).problem is not None
        assert read(tmp_path, b"\0" * size).problem is not None


@pytest.mark.parametrize(
    "beginning", [b"!<arch>\n", b"MZ", b"\xca\xfe\xba\xbe", b"rust\0\0\0", b"\0asm", b"PK\x03\x04", b"text\n"]
)
def test_noise_after_the_first_bytes_of_another_kind(tmp_path: Path, bounded: None, beginning: bytes) -> None:
    chance = random.Random(SEED)
    for size in (0, 1, 8, 52, 60, 64, 4096, 1 << 16):
        for noise in (chance.randbytes(size), b"9" * size, b"\xff" * size, b"\0" * size):
            found = read(tmp_path, beginning + noise)
            assert found.problem_kind is ProblemKind.NO_LIBRARY
            assert not found.would_crash


class TestLies:
    """Tables that claim to be endless, huge or circular, each with the words that say so."""

    def test_a_hash_chain_without_an_end(self, tmp_path: Path, bounded: None, written: bytes) -> None:
        place = elf_samples.value_of(written, elf_samples.GNU_HASH)
        changed = bytearray(written)
        # All that follows is even, so that no entry ends the chain.
        for at in range(place + 28, elf_samples.CODE_AT, 4):
            changed[at] &= 0xFE
        problem = read(tmp_path, bytes(changed)).problem
        assert problem is not None
        assert "expected an end of its last chain" in problem

    @pytest.mark.parametrize("count", [0xFFFFFFFF, 1 << 24])
    def test_hash_buckets_outside_the_file(self, tmp_path: Path, bounded: None, written: bytes, count: int) -> None:
        changed = bytearray(written)
        struct.pack_into("<I", changed, elf_samples.value_of(written, elf_samples.GNU_HASH), count)
        problem = read(tmp_path, bytes(changed)).problem
        assert problem is not None
        assert "the hash table: expected" in problem

    def test_a_bucket_that_names_a_symbol_outside_the_file(self, tmp_path: Path, bounded: None, written: bytes) -> None:
        changed = bytearray(written)
        struct.pack_into("<I", changed, elf_samples.value_of(written, elf_samples.GNU_HASH) + 24, 0xFFFFFFF0)
        assert read(tmp_path, bytes(changed)).problem is not None

    def test_a_string_table_of_a_gigabyte(self, tmp_path: Path, bounded: None, written: bytes) -> None:
        problem = read(tmp_path, elf_samples.dynamic(written, [(elf_samples.STRSZ, 1 << 30)])).problem
        assert problem is not None
        assert "truncated: its string table ends" in problem

    @pytest.mark.parametrize("size", [24 << 40, (1 << 64) - 16, 25])
    def test_relocations_outside_the_file(self, tmp_path: Path, bounded: None, written: bytes, size: int) -> None:
        assert read(tmp_path, elf_samples.dynamic(written, [(elf_samples.RELASZ, size)])).problem is not None

    def test_needed_versions_that_claim_to_go_on(self, tmp_path: Path, bounded: None, written: bytes) -> None:
        place = elf_samples.value_of(written, elf_samples.VERNEED)
        changed = bytearray(elf_samples.dynamic(written, [(elf_samples.VERNEEDNUM, 0xFFFFFFFF)]))
        struct.pack_into("<H", changed, place + 2, 0xFFFF)  # versions of the library
        struct.pack_into("<I", changed, place + 12, 16)  # the next library is where the first version is
        struct.pack_into("<I", changed, place + 16 + 12, 0xFFFFFFF0)
        assert read(tmp_path, bytes(changed)).problem is not None

    @pytest.mark.parametrize(
        ("limit", "value", "words"),
        [
            ("NAMES_LIMIT_BYTES", 100, "expected up to 100 bytes of names"),
            ("SYMBOLS_LIMIT", 3, "expected up to 3 symbols"),
            ("VERSIONS_LIMIT", 1, "expected up to 1, there are more"),
            ("RELOCATIONS_LIMIT", 1, "expected up to 1 relocations"),
            ("SEGMENTS_LIMIT", 1, "expected up to 1 program headers"),
        ],
    )
    def test_more_than_a_library_has(
        self, tmp_path: Path, bounded: None, written: bytes, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, words: str
    ) -> None:
        """A file within these limits would have to be too large for a test; so they are lowered."""
        monkeypatch.setattr(elf, limit, value)
        problem = read(tmp_path, written).problem
        assert problem is not None
        assert words in problem

    def test_a_dynamic_section_without_an_end(self, tmp_path: Path, bounded: None, written: bytes) -> None:
        changed = bytearray(written)
        start = elf_samples.DATA_AT
        entries = struct.pack("<QQ", 0x6FFFF000, 1) * 100_000
        changed[start:] = entries
        for header in range(4):  # its parts are as large as what was added
            at = 64 + 56 * header
            if struct.unpack_from("<Q", changed, at + 8)[0] == start:
                struct.pack_into("<QQ", changed, at + 32, len(entries), len(entries))
        problem = read(tmp_path, bytes(changed)).problem
        assert problem is not None
        assert "dynamic section of up to 4096 entries" in problem

    def test_a_name_without_an_end(self, tmp_path: Path, bounded: None) -> None:
        problem = read(tmp_path, elf_samples.write(Sample(needed=("x" * (elf.NAME_LIMIT_BYTES + 1),)))).problem
        assert problem is not None
        assert "expected names of up to 4096 bytes" in problem


class TestWhatIsNoFile:
    """Through the reader's own process."""

    def refused(self, path: Path, words: str) -> None:
        begin = time.monotonic()
        problem = read_module(path).problem
        assert problem is not None
        assert words in problem, problem
        assert time.monotonic() - begin < 10

    def test_nothing(self, tmp_path: Path) -> None:
        self.refused(tmp_path / "missing.so", "No such file")

    def test_an_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        self.refused(tmp_path / "empty", "this is empty: build or copy the module again")

    def test_text(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("INPUT(-lreal)\n")
        self.refused(tmp_path / "text", "expected a shared library for Linux, this is a linker script")

    def test_an_archive(self, tmp_path: Path) -> None:
        (tmp_path / "lib.a").write_bytes(b"!<arch>\n")
        self.refused(tmp_path / "lib.a", "this is a static library")

    def test_an_executable(self) -> None:
        self.refused(Path("/bin/sh").resolve(), "this is an executable: build a shared library")

    def test_a_folder(self, tmp_path: Path) -> None:
        self.refused(tmp_path, "this is a directory")

    def test_a_named_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        self.refused(tmp_path / "pipe", "this is a named pipe")

    def test_a_socket(self, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(tmp_path / "socket"))
            self.refused(tmp_path / "socket", "expected a file")

    @pytest.mark.parametrize("device", ["/dev/zero", "/dev/tty"])
    def test_a_device(self, device: str) -> None:
        self.refused(Path(device), "expected a file")

    def test_a_link_to_itself(self, tmp_path: Path) -> None:
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        self.refused(tmp_path / "loop", "symbolic links")

    def test_no_permission(self, tmp_path: Path, written: bytes) -> None:
        path = tmp_path / "secret.so"
        path.write_bytes(written)
        path.chmod(0)
        tmp_path.chmod(0o755)
        if os.geteuid() != 0:
            self.refused(path, "Permission denied")
            return
        # Root may read everything: read it as nobody.
        code = (
            "import os, sys; from pathlib import Path; from dmconform.binaries.module import module_facts; "
            "os.chdir(sys.argv[1]); os.setgid(65534); os.setuid(65534); "
            "print(module_facts(Path('secret.so'), []).problem)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, timeout=30, check=False,
            env={**os.environ, "PYTHONPATH": str(Path(elf.__file__).parents[2])},
        )  # fmt: skip
        assert "Permission denied" in done.stdout, (done.stdout, done.stderr)

    def test_a_sparse_file_of_10_gib(self, tmp_path: Path) -> None:
        with (tmp_path / "sparse.so").open("wb") as file:
            file.write(b"\x7fELF\x02\x01\x01")
            file.truncate(10 << 30)
        self.refused(tmp_path / "sparse.so", "expected a file of up to 1073741824 bytes, this one has 10737418240")

    def test_a_sparse_file_that_is_just_small_enough_is_read_within_the_bounds(self, tmp_path: Path, written: bytes) -> None:
        path = tmp_path / "sparse.so"
        changed = bytearray(written)
        for field in (32, 40):  # its data is all the rest
            struct.pack_into("<Q", changed, 64 + 2 * 56 + field, (1 << 30) - elf_samples.DATA_AT)
        path.write_bytes(changed)
        os.truncate(path, 1 << 30)
        begin = time.monotonic()
        found = read_module(path)
        assert found.problem is None
        assert found.size_bytes == 1 << 30
        assert time.monotonic() - begin < 20

    def test_none_of_them_harms_the_others(self, tmp_path: Path, written: bytes) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "good.so").write_bytes(written)
        found = read_modules([tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "good.so"])
        assert [one.problem is None for one in found] == [False, False, False, True]


def test_a_file_that_shrinks_while_it_is_read_is_a_problem_and_no_crash(tmp_path: Path, written: bytes) -> None:
    """Mapped memory behind the end of a file kills who touches it, which the reader's own process is there for."""
    path = tmp_path / "shrinking.so"
    path.write_bytes(written)
    os.truncate(path, 256 << 20)
    code = (
        "import hashlib, os, sys; import dmconform.binaries.module as module; sha256 = hashlib.sha256;"
        "module.hashlib.sha256 = lambda data: (os.truncate(sys.argv[-1], 10), sha256(data))[1]; c.main()"
    )
    from dmconform.binaries import read as reader

    start = reader._CHILD[-1]
    assert start.endswith("c.main()")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_CHILD", (sys.executable, "-I", "-c", start.removesuffix("c.main()") + code))
        problem = read_module(path).problem
    assert problem is not None
    assert "SIGBUS" in problem

"""What is too much for the reader, and what the machine or the caller's own limits deny it, is never the module's fault.

Each command runs in its own process, whose memory and processor time are measured, those of the reader's process included.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import resource
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest
from dmconform.abi.required import required_by
from dmconform.abi.required_hooks import load_required_hooks
from dmconform.binaries import read
from dmconform.binaries.kinds import ProblemKind
from dmconform.binaries.read import exports_of, read_host, read_module
from dmconform.check.prepare import CheckRequest
from dmconform.check.result import Check, HostVerdict
from dmconform.check.work import check_module
from dmconform.core.errors import ExitCode, HarnessError, UsageError
from dmconform.core.extension_point import ExtensionPoint

from tests.measured import Measured, run_measured
from tests.unit import elf_samples
from tests.unit.elf_samples import INIT, Sample, Wanted

MEMORY_BYTES = 200 << 20
CPU_S = 10  # the aim is half of it; a busy machine needs some more
HOST = "1.39.3"
# All that this host requires of an HTTP filter.
HOOKS = (INIT, *sorted(required_by(HOST, load_required_hooks())[ExtensionPoint.HTTP_FILTER]))
GOOD = Sample(HOOKS, (Wanted("envoy_dynamic_module_callback_log"),))
RELOCATION = struct.Struct("<QQq")


def check(module: Path, *options: str, limits: Mapping[int, int] | None = None, others: Sequence[Path] = ()) -> Measured:
    """Runs `dmconform check --no-run`, as a command of its own.

    Args:
        module: the module.
        options: more options.
        limits: the caller's own limits, by their number.
        others: more modules.
    """
    return run_measured("check", module, *others, "--no-run", *options, limits=limits)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module that works."""
    path = tmp_path / "libgood.so"
    path.write_bytes(elf_samples.write(GOOD))
    return path


def with_relocations(sample: Sample, relocations: bytes) -> bytes:
    """A library with other relocations; they are at the end of its data."""
    data = elf_samples.write(dataclasses.replace(sample, data=relocations))
    place = len(data) - len(relocations)
    return elf_samples.dynamic(data, [(elf_samples.RELA, place), (elf_samples.RELASZ, len(relocations))])


class TestManySymbols:
    """The work is linear in the number of symbols, and the answer is bounded."""

    @staticmethod
    def sample(count: int, prefix: str, *, called: bool) -> bytes:
        return elf_samples.write(
            Sample(HOOKS, tuple(Wanted(f"{prefix}{number:06d}", called=called) for number in range(count)))
        )

    @pytest.mark.parametrize(
        ("prefix", "called"), [("wanted_", False), ("envoy_dynamic_module_callback_", True)], ids=["others", "callbacks"]
    )
    def test_as_many_as_are_read(self, tmp_path: Path, prefix: str, called: bool) -> None:
        times = []
        for count in (1_000, 9_999):
            path = tmp_path / f"lib{count}.so"
            path.write_bytes(self.sample(count, prefix, called=called))
            ended = check(path, "--host", "all", "--json", str(tmp_path / "check.json"))
            assert ended.exit_code == ExitCode.FAIL, ended.errors
            found = msgspec.json.decode((tmp_path / "check.json").read_bytes(), type=Check)
            assert max(len(host.static.missing) for host in found.hosts) == count
            assert ended.memory_bytes < MEMORY_BYTES
            assert ended.processor_s < CPU_S
            times.append(ended.processor_s)
        # Ten times as many: what is quadratic takes a hundred times as long, or more than a minute.
        assert times[1] < 10 * times[0]

    def test_more_are_too_much_which_is_no_verdict(self, tmp_path: Path) -> None:
        path = tmp_path / "libmany.so"
        path.write_bytes(self.sample(50_000, "wanted_", called=False))
        ended = check(path)
        assert ended.exit_code == ExitCode.ERROR
        assert "expected up to 10000 undefined symbols, there are more" in ended.printed
        assert ended.memory_bytes < MEMORY_BYTES
        assert ended.processor_s < CPU_S


@pytest.mark.parametrize(
    ("relocations", "code"),
    [
        (RELOCATION.pack(elf_samples.DATA_AT + 0x800, 1 << 32 | 6, 0) * 2_000_001, ExitCode.ERROR),
        (RELOCATION.pack(elf_samples.DATA_AT + 0x800, 1 << 32 | 6, 0) * 1_999_999, ExitCode.OK),
        (b"".join(RELOCATION.pack(elf_samples.DATA_AT + 0x800 + 8 * n, 8, n) for n in range(199_000)), ExitCode.OK),
    ],
    ids=["too many", "many of one symbol", "many places"],
)
def test_relocations(tmp_path: Path, relocations: bytes, code: ExitCode) -> None:
    path = tmp_path / "librelocations.so"
    path.write_bytes(with_relocations(Sample(HOOKS, GOOD.wanted), relocations))
    ended = check(path, "--host", HOST)
    assert ended.exit_code == code, ended.printed
    assert ("relocations, 2000001 are claimed" in ended.printed) is (code is ExitCode.ERROR)
    assert ended.memory_bytes < MEMORY_BYTES
    assert ended.processor_s < CPU_S


def test_a_relocation_for_each_of_many_symbols(tmp_path: Path) -> None:
    """Each symbol is one that the hash table does not know of, in the data, which has room for them."""
    count = 1_500_000
    relocations = b"".join(RELOCATION.pack(elf_samples.DATA_AT + 0x800, n << 32 | 6, 0) for n in range(1, count))
    path = tmp_path / "libsymbols.so"
    path.write_bytes(with_relocations(Sample(HOOKS, GOOD.wanted), relocations))
    data = path.read_bytes()
    symbols = len(data) - len(relocations)
    path.write_bytes(elf_samples.dynamic(data, [(elf_samples.SYMTAB, symbols)]))
    ended = check(path)
    assert ended.exit_code in (ExitCode.ERROR, ExitCode.FAIL)
    assert ended.memory_bytes < MEMORY_BYTES
    assert ended.processor_s < CPU_S


def test_a_large_file_stays_out_of_memory(tmp_path: Path) -> None:
    path = tmp_path / "libsparse.so"
    changed = bytearray(elf_samples.write(GOOD))
    size = 900 << 20
    for field in (32, 40):  # its data is all the rest
        struct.pack_into("<Q", changed, 64 + 2 * 56 + field, size - elf_samples.DATA_AT)
    path.write_bytes(changed)
    os.truncate(path, size)
    ended = check(path, "--host", HOST)
    assert ended.exit_code == ExitCode.OK, ended.printed
    assert ended.memory_bytes < MEMORY_BYTES


def test_a_file_that_is_too_large_is_no_verdict(module: Path) -> None:
    os.truncate(module, (1 << 30) + 1)
    ended = check(module)
    assert ended.exit_code == ExitCode.ERROR
    assert "expected a file of up to 1073741824 bytes" in ended.printed
    assert "does not work" not in ended.printed


class TestLimitsOfTheCaller:
    """A good module is judged, or it is not read; it never fails for them."""

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            (resource.RLIMIT_AS, 1 << 30),
            (resource.RLIMIT_AS, 400 << 20),
            (resource.RLIMIT_DATA, 150 << 20),
            (resource.RLIMIT_CPU, 8),
            (resource.RLIMIT_NOFILE, 32),
            (resource.RLIMIT_FSIZE, 1 << 20),
            (resource.RLIMIT_CORE, 0),
        ],
    )
    def test_that_suffice(self, module: Path, kind: int, value: int) -> None:
        ended = check(module, "--host", HOST, limits={kind: value})
        assert ended.exit_code == ExitCode.OK, (ended.printed, ended.errors)

    @pytest.mark.parametrize("files", [5, 6, 7, 8, 9, 10])
    def test_too_few_open_files(self, module: Path, files: int) -> None:
        ended = check(module, "--host", HOST, limits={resource.RLIMIT_NOFILE: files})
        assert ended.exit_code in (ExitCode.OK, ExitCode.ERROR, ExitCode.USAGE), (ended.printed, ended.errors)
        assert "does not work" not in ended.printed

    @pytest.mark.parametrize("call", ["subprocess.Popen", "os.memfd_create", "os.pidfd_open"])
    def test_no_process_or_no_file_for_the_reader(self, module: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
        """Stands for `ulimit -u`, which does not hold for root."""

        def fail(*_: object, **__: object) -> NoReturn:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

        with monkeypatch.context() as patch:
            patch.setattr(f"dmconform.binaries.read.{call}", fail)
            found = read_module(module)
        assert found.problem == "the reader could not be started: Resource temporarily unavailable"
        assert found.problem_kind is ProblemKind.READER
        checked = check_module(CheckRequest(module, (HOST,), run=False))
        assert checked.exit_code == ExitCode.OK

    def test_a_large_file_that_does_not_fit_the_address_space(self, module: Path) -> None:
        os.truncate(module, 800 << 20)
        ended = check(module, limits={resource.RLIMIT_AS: 600 << 20})
        assert ended.exit_code == ExitCode.ERROR, ended.printed
        assert "Cannot allocate memory" in ended.printed
        assert "does not work" not in ended.printed

    def test_of_several_modules_only_the_one_is_not_judged(self, module: Path, tmp_path: Path) -> None:
        large = tmp_path / "liblarge.so"
        large.write_bytes(module.read_bytes())
        os.truncate(large, (1 << 30) + 1)
        ended = check(module, "--host", HOST, "--json", str(tmp_path / "checks.json"), others=[large])
        assert ended.exit_code == ExitCode.ERROR
        checks = [
            msgspec.convert(one, Check) for one in msgspec.json.decode((tmp_path / "checks.json").read_bytes())["modules"]
        ]
        assert [one.hosts[0].verdict for one in checks] == [HostVerdict.WORKS, HostVerdict.UNDECIDED]
        assert [one.module.problem_kind for one in checks] == [None, ProblemKind.TOO_MUCH]


class TestTroubleOfTheReader:
    """Stands for what a machine does to the reader's process."""

    @pytest.fixture
    def reader(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        """Lets the reader's process run other code."""

        def run(code: str) -> None:
            monkeypatch.setattr(read, "_CHILD", (sys.executable, "-I", "-c", code))

        return run

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("import os; os.kill(os.getpid(), 9)", "the reader was killed (SIGKILL)"),
            ("import os; os.kill(os.getpid(), 24)", "it takes more of the processor's time (SIGXCPU)"),
            ("import os; os.kill(os.getpid(), 6)", "it ended the reader (SIGABRT)"),
            ("raise MemoryError", "the reader could not be run: MemoryError"),
            ("print('[')", "the reader's answer cannot be read"),
            ("import signal; signal.pause()", "expected to be read within 0.5 s, it takes longer"),
        ],
    )
    def test_each(
        self, module: Path, reader: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, code: str, words: str
    ) -> None:
        reader(code)
        monkeypatch.setattr(read, "BINARY_READ_S", 0.5 if "pause" in code else 60.0)
        found = read_module(module)
        assert (found.problem_kind, found.not_read) == (ProblemKind.READER, True)
        assert found.problem is not None
        assert words in found.problem
        for ask in (read_host, exports_of):
            with pytest.raises(HarnessError, match="it was not read") as raised:
                ask(module)
            assert raised.value.exit_code is ExitCode.ERROR

    def test_a_file_that_is_something_else_is_the_users_mistake_as_before(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("text")
        for ask in (read_host, exports_of):
            with pytest.raises(UsageError, match="not a"):
                ask(tmp_path / "text")


def test_a_host_with_many_static_modules(tmp_path: Path) -> None:
    """The work is linear in their number: each has two functions, and one name holds what hooks begin with."""
    names = [*(f"module_{number}" for number in range(20_000)), "odd_envoy_dynamic_module_on_x"]
    functions = tuple(f"{name}_{hook}" for name in names for hook in (INIT, "envoy_dynamic_module_on_x"))
    path = tmp_path / "host"
    path.write_bytes(elf_samples.write(Sample(functions, pie=True, constants=b"\0001.39.3\0")))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    facts = read_host(path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert facts.static_modules == set(names)
    assert not facts.other_exports
    assert after.ru_utime - before.ru_utime < CPU_S

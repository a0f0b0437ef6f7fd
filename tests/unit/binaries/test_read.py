"""What is read out of modules: small libraries of which every byte is known, and the dynamic linker as a witness."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from dmconform.binaries import read
from dmconform.binaries.facts import Binding, Known, Libc, ModuleFacts, NeededVersion, Undefined
from dmconform.binaries.kinds import ProblemKind
from dmconform.binaries.read import exports_of, read_host, read_module, read_modules, versions_of
from dmconform.core.errors import UsageError

from tests.unit import elf_samples
from tests.unit.elf_samples import INIT, Sample, Wanted

LOG = "envoy_dynamic_module_callback_log"
GO_SDK = "github.com/envoyproxy/envoy/source/extensions/dynamic_modules"
CONFIG_NEW = "envoy_dynamic_module_on_http_filter_config_new"
HASH_1_37_0 = "4dae397a7c9ff0238d318d57ea656ce8b3fbff595787dcd7ee2ff5b79c9fe10f"
ASK_LINKER = """
import ctypes, sys
init = ctypes.CDLL(sys.argv[1], mode=1)["envoy_dynamic_module_on_program_init"]
init.restype = ctypes.c_char_p
print((init() or b"nothing").decode())
"""


def facts(folder: Path, sample: Sample) -> ModuleFacts:
    """What is read out of a sample."""
    path = folder / "sample.so"
    path.write_bytes(elf_samples.write(sample))
    return read_module(path)


def linker_says(path: Path) -> str:
    """What `program_init` of a library returns when the dynamic linker loads it lazily, or why it does not load."""
    done = subprocess.run([sys.executable, "-c", ASK_LINKER, path], capture_output=True, text=True, timeout=30, check=False)
    return (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()[-1]


def test_everything_that_stands_in_the_file_is_read(tmp_path: Path) -> None:
    sample = Sample(
        defined=(INIT, CONFIG_NEW, "something_else"),
        wanted=(
            Wanted(LOG),
            Wanted("malloc", version="GLIBC_2.2.5", called=False),
            Wanted("quick_exit", version="GLIBC_2.10"),
            Wanted("_ITM_registerTMCloneTable", weak=True, called=False),
            Wanted("_ZSt4cerr", version="GLIBCXX_3.4", library="libstdc++.so.6", called=False),
        ),
        needed=("libc.so.6", "libstdc++.so.6", "libown.so"),
        runpath="$ORIGIN/lib:/opt/lib",
        soname="libsample.so.1",
        nodelete=True,
    )
    data = elf_samples.write(sample)
    assert facts(tmp_path, sample) == ModuleFacts(
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        architecture="x86-64",
        hooks=(CONFIG_NEW, INIT),
        exports=3,
        undefined=(
            Undefined("_ITM_registerTMCloneTable", weak=True, at_load=True),
            Undefined("_ZSt4cerr", at_load=True, version="GLIBCXX_3.4", library="libstdc++.so.6"),
            Undefined(LOG),
            Undefined("malloc", at_load=True, version="GLIBC_2.2.5", library="libc.so.6"),
            Undefined("quick_exit", version="GLIBC_2.10", library="libc.so.6"),
        ),
        abi_version="v0.1.0",
        abi_version_known=Known.READ,
        needed=("libc.so.6", "libstdc++.so.6", "libown.so"),
        search_paths=("$ORIGIN/lib", "/opt/lib"),
        binding=Binding.LAZY,
        nodelete=True,
        glibc_floor="GLIBC_2.10",  # as a number: newer than 2.2.5
        libstdcxx_floor="GLIBCXX_3.4",
        stripped=True,
        language="cpp",
        language_known=Known.INFERRED,
        soname="libsample.so.1",
        libc=Libc.GLIBC,
        needed_versions=(
            NeededVersion("libc.so.6", "GLIBC_2.2.5"),
            NeededVersion("libc.so.6", "GLIBC_2.10"),
            NeededVersion("libstdc++.so.6", "GLIBCXX_3.4"),
        ),
    )


@pytest.mark.parametrize(
    ("wanted", "needed", "libc"),
    [
        ((), ("libc.so.6",), Libc.GLIBC),
        ((Wanted("malloc", version="GLIBC_2.2.5"),), (), Libc.GLIBC),
        ((Wanted("malloc"),), ("libc.so",), Libc.MUSL),
        ((), ("libgcc_s.so.1", "libc.musl-x86_64.so.1"), Libc.MUSL),
        ((Wanted("malloc", version="LIBC", library="libc.so"),), ("libc.so", "libm.so"), Libc.BIONIC),
        ((), ("libcurl.so.4",), Libc.NONE),
        ((), (), Libc.NONE),
    ],
)
def test_the_c_library(tmp_path: Path, wanted: tuple[Wanted, ...], needed: tuple[str, ...], libc: Libc) -> None:
    assert facts(tmp_path, Sample(wanted=wanted, needed=needed)).libc is libc


def test_a_module_for_aarch64_is_read_whole(tmp_path: Path) -> None:
    """All but its architecture is as in one for x86-64, whose relocations have other numbers."""
    wanted = (Wanted(LOG), Wanted("malloc", version="GLIBC_2.17", called=False))
    other, own = (
        facts(tmp_path, Sample((INIT, CONFIG_NEW), wanted, machine=machine))
        for machine in (elf_samples.AARCH64, elf_samples.X86_64)
    )
    assert (other.architecture, own.architecture) == ("aarch64", "x86-64")
    assert other.problem is None
    assert msgspec.structs.replace(other, architecture=own.architecture, sha256=own.sha256) == own
    assert [(one.name, one.at_load) for one in other.undefined] == [(LOG, False), ("malloc", True)]


def test_versions_that_libraries_define(tmp_path: Path) -> None:
    first, none, text = tmp_path / "a.so", tmp_path / "b.so", tmp_path / "c.so"
    first.write_bytes(elf_samples.write(Sample(versions=("OWN_1", "OWN_1.2"))))
    none.write_bytes(elf_samples.write(Sample()))
    text.write_text("text")
    assert versions_of([first, none, text]) == (frozenset({"OWN_1", "OWN_1.2"}), frozenset(), None)


def test_binding_at_load_is_seen(tmp_path: Path) -> None:
    assert facts(tmp_path, Sample(bind_now=True)).binding is Binding.NOW
    assert facts(tmp_path, Sample()).binding is Binding.LAZY


@pytest.mark.parametrize("gnu_hash", [True, False], ids=["gnu hash", "sysv hash"])
@pytest.mark.parametrize("init", [elf_samples.RETURN_ADDRESS, elf_samples.RETURN_LOADED, elf_samples.CALL_OTHER])
@pytest.mark.parametrize("abi", ["v0.1.0", "v12.34.56", HASH_1_37_0, "invalid-version-hash"])
def test_the_abi_string_is_what_program_init_returns(tmp_path: Path, abi: str, init: str, gnu_hash: bool) -> None:
    sample = Sample(abi=abi, init=init, gnu_hash=gnu_hash, constants=b"v9.9.9\0v0.1.0\0")
    found = facts(tmp_path, sample)
    assert (found.abi_version, found.abi_version_known) == (abi, Known.READ)
    assert linker_says(tmp_path / "sample.so") == abi
    found = facts(tmp_path, dataclasses.replace(sample, machine=elf_samples.AARCH64))
    assert (found.abi_version, found.abi_version_known) == (abi, Known.READ)


@pytest.mark.parametrize("machine", [elf_samples.X86_64, elf_samples.AARCH64])
@pytest.mark.parametrize(
    ("abi", "expected"),
    [
        ("v0.1.0", ("v0.1.0", Known.READ)),
        ("v12.34.56", ("v12.34.56", Known.INFERRED)),  # may be another string that it names
        ("invalid-version-hash", (None, Known.UNKNOWN)),  # and not the known one that is somewhere in the file
    ],
)
def test_a_function_that_does_more_than_return(
    tmp_path: Path, machine: int, abi: str, expected: tuple[str | None, Known]
) -> None:
    sample = Sample(abi=abi, init=elf_samples.CHOOSE, constants=b"v0.1.0\0", machine=machine)
    found = facts(tmp_path, sample)
    assert (found.abi_version, found.abi_version_known) == expected


def test_a_returned_string_cannot_steer_a_terminal(tmp_path: Path) -> None:
    assert facts(tmp_path, Sample(abi="\x1b[31mred")).abi_version == r"\x1b[31mred"


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        pytest.param(Sample(init="null"), ("v0.1.0", Known.INFERRED), id="the only one there"),
        pytest.param(Sample(init="null", constants=b"v0.2.0\0"), (None, Known.UNKNOWN), id="two of its shape"),
        pytest.param(Sample(init="null", constants=b"v5.6.7\0"), (None, Known.UNKNOWN), id="one that no host has beside it"),
        pytest.param(Sample(init="null", abi="v5.6.7"), (None, Known.UNKNOWN), id="none that a host has"),
        pytest.param(Sample(init="null", abi="x", constants=b"dep v0.1.0 h1\0"), (None, Known.UNKNOWN), id="part of a text"),
        pytest.param(Sample(init="null", abi=HASH_1_37_0), (HASH_1_37_0, Known.INFERRED), id="a hash"),
        pytest.param(
            Sample(init="null", abi="x", constants=b"text" + HASH_1_37_0.encode() + b"text\0"),
            (HASH_1_37_0, Known.INFERRED),
            id="a hash in a text",
        ),
        pytest.param(
            Sample(init="null", abi=HASH_1_37_0, constants=b"v0.1.0\0"), (None, Known.UNKNOWN), id="a hash and a version"
        ),
        pytest.param(Sample(defined=(CONFIG_NEW,)), (None, Known.UNKNOWN), id="no function that could return it"),
    ],
)
def test_where_the_code_does_not_tell_only_one_clear_sign_counts(
    tmp_path: Path, sample: Sample, expected: tuple[str | None, Known]
) -> None:
    found = facts(tmp_path, sample)
    assert (found.abi_version, found.abi_version_known) == expected


def test_the_dynamic_linker_looks_for_the_symbols_that_are_named(tmp_path: Path) -> None:
    for sample, at_load in (
        (Sample(wanted=(Wanted(LOG),)), False),
        (Sample(wanted=(Wanted(LOG, called=False),)), True),
        (Sample(wanted=(Wanted(LOG),), bind_now=True), True),
        (Sample(wanted=(Wanted(LOG, called=False, weak=True),)), False),
    ):
        found = facts(tmp_path, sample)
        assert [one.name for one in found.callbacks] == [LOG]
        printed = linker_says(tmp_path / "sample.so")
        assert printed.endswith(f"undefined symbol: {LOG}" if at_load else "v0.1.0"), (sample, printed)


def test_signs_of_languages_and_sdks(tmp_path: Path) -> None:
    build_info = (
        b"path\texample.com/module\n"
        b"mod\texample.com/module\t(devel)\t\n"
        b"dep\t" + GO_SDK.encode() + b"\tv0.0.0-20260423231439-f1dd21b16c24\th1:x=\n"
    )
    modules = b"\0" * 16 + build_info + b"\0" * 16
    go = (
        b"\xff Go buildinf:\x08\x02"
        + b"\0" * 16
        + b"\x06go1.25"
        + bytes([len(modules) & 0x7F | 0x80, len(modules) >> 7])
        + modules
    )
    for sample, expected in (
        (Sample(data=go), ("go", f"Go SDK {GO_SDK} v0.0.0-20260423231439-f1dd21b16c24", Known.READ)),
        (Sample(data=go[:40]), ("go", "", Known.READ)),
        (Sample(constants=b"/rustc/" + b"0a" * 20 + b"/library/core/src/str.rs"), ("rust", "", Known.INFERRED)),
        (
            Sample(
                constants=b"/rustc/" + b"0a" * 20 + b"/library\0/r/git/checkouts/envoy-95b6/245289b/source/extensions/"
                b"dynamic_modules/sdk/rust/src/http.rs"
            ),
            ("rust", "the official Rust SDK, commit 245289b", Known.INFERRED),
        ),
        (
            Sample(constants=b"St9bad_alloc\0N5Envoy14DynamicModules13HeaderMapImplE\0"),
            ("cpp", "the official C++ SDK", Known.INFERRED),
        ),
        (Sample(defined=(INIT, "_ZN1aE")), ("cpp", "", Known.INFERRED)),
        (Sample(), ("", "", Known.UNKNOWN)),
    ):
        found = facts(tmp_path, sample)
        assert (found.language, found.sdk, found.language_known) == expected


def test_names_cannot_steer_a_terminal(tmp_path: Path) -> None:
    found = facts(tmp_path, Sample(needed=("lib\x1b[31mred.so", "lib\nline.so"), wanted=(Wanted("caf\u00e9\u202e"),)))
    assert found.needed == (r"lib\x1b[31mred.so", r"lib\nline.so")
    assert found.undefined[0].name == r"caf\xe9\u202e"


@pytest.mark.parametrize("place", [1 << 60, -100, 0, 64])
def test_section_headers_are_not_believed(tmp_path: Path, place: int) -> None:
    """A section table that points into nowhere, or claims nonsense, changes nothing that the dynamic linker does not read."""
    plain = facts(tmp_path, Sample())
    data = bytearray(elf_samples.write(Sample()))
    data[40:48] = (place if place >= 0 else len(data) + place).to_bytes(8, "little")  # where the section headers are
    data[60:64] = b"\xf0\x00\x01\x00"  # how many, and which holds their names
    path = tmp_path / "lying.so"
    path.write_bytes(data)
    found = read_module(path)
    assert (found.problem, found.hooks, found.abi_version) == (None, plain.hooks, plain.abi_version)


def test_several_modules_are_read_in_order_and_one_that_is_none_harms_no_other(tmp_path: Path) -> None:
    first, none, last = tmp_path / "a.so", tmp_path / "b.so", tmp_path / "c.so"
    first.write_bytes(elf_samples.write(Sample(soname="first")))
    none.write_text("#!/bin/sh\n")
    last.write_bytes(elf_samples.write(Sample(soname="last")))
    found = read_modules([first, none, last])
    assert [one.soname for one in found] == ["first", None, "last"]
    assert [one.problem is None for one in found] == [True, False, True]
    assert read_modules([]) == ()


def test_exports_of_a_library(tmp_path: Path) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(elf_samples.write(Sample(defined=("PyList_New", "PyDict_New"), wanted=(Wanted("malloc"),))))
    assert exports_of(path) == {"PyList_New", "PyDict_New"}
    with pytest.raises(UsageError, match=r"missing\.so: not a shared library: .*No such file"):
        exports_of(tmp_path / "missing.so")


def test_what_is_no_host_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "envoy"
    path.write_text("text")
    with pytest.raises(UsageError, match=r"envoy: not an Envoy executable: expected an ELF file"):
        read_host(path)


def test_neither_environment_nor_folder_change_what_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of the user's that has the name of one that the reader imports must not be run."""
    (tmp_path / "msgspec.py").write_text("raise SystemExit('the wrong msgspec')")
    path = tmp_path / "lib.so"
    path.write_bytes(elf_samples.write(Sample()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert read_module(path).problem is None


def test_a_reader_that_does_not_come_back_is_a_problem_of_that_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = tmp_path / "good.so", tmp_path / "bad.so"
    for path in (good, bad):
        path.write_bytes(elf_samples.write(Sample()))
    # Stands for a file that the reader dies of.
    code = f"import sys, os; {str(bad)!r} in sys.argv and os.kill(os.getpid(), 11); {read._CHILD[-1]}"
    monkeypatch.setattr(read, "_CHILD", (sys.executable, "-I", "-c", code))
    found_good, found_bad = read_modules([good, bad])
    assert found_good.problem is None
    assert found_bad.problem is not None
    assert "SIGSEGV" in found_bad.problem
    assert (found_bad.problem_kind, found_bad.would_crash) == (ProblemKind.READER, True)
    monkeypatch.setattr(read, "BINARY_READ_S", 0.2)
    monkeypatch.setattr(read, "_CHILD", (sys.executable, "-I", "-c", "import time; time.sleep(600)"))
    slow = read_module(good).problem
    assert slow is not None
    assert "within 0.2 s" in slow


def test_file_names_with_odd_bytes(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd \xff\n$(x).so"))
    path.write_bytes(elf_samples.write(Sample()))
    assert read_module(path).problem is None
    nul = read_module(tmp_path / "a\0b").problem
    assert nul is not None
    assert "null byte" in nul

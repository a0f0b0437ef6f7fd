"""Why this machine cannot load a module. The dynamic linker is the witness: it loads what has no problem, and no other."""

from __future__ import annotations

import os
import platform
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from dmconform.binaries.linker_search import LinkerSearch
from dmconform.binaries.machine import Machine
from dmconform.binaries.read import read_module
from dmconform.binaries.target import TargetKind, target_problems
from dmconform.binaries.target_notes import target_notes

from tests.unit import elf_samples
from tests.unit.elf_samples import INIT, Sample, Wanted

OWN = Wanted("own_function", called=False, version="OWN_2", library="libown.so")


def write(path: Path, sample: Sample) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(elf_samples.write(sample))
    return path


def problems(path: Path, environment: Mapping[str, str] | None = None) -> list[TargetKind]:
    """The kinds of what is wrong; asserts that the dynamic linker agrees."""
    given = environment or {}
    found = target_problems(read_module(path), path, given)
    code = "import ctypes, sys; ctypes.CDLL(sys.argv[1], mode=1)"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LD_")}
    done = subprocess.run(
        [sys.executable, "-c", code, path], env={**inherited, **given}, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode == 0) == (not found), (found, done.stderr)
    return [one.kind for one in found]


def test_a_module_that_this_machine_can_load(tmp_path: Path) -> None:
    wanted = (Wanted("malloc", version="GLIBC_2.2.5"), Wanted("pthread_create", version="GLIBC_2.34"))
    path = write(tmp_path / "module.so", Sample(wanted=wanted, needed=("libc.so.6", "libm.so.6")))
    assert problems(path) == []


@pytest.mark.parametrize("libc", ["libc.musl-x86_64.so.1", "ld-musl-of-no-machine.so.1"])
def test_another_c_library(tmp_path: Path, libc: str) -> None:
    path = write(tmp_path / "module.so", Sample(needed=(libc,)))
    assert problems(path) == [TargetKind.LIBC]
    (problem,) = target_problems(read_module(path), path, {})
    assert f"built for musl (it needs {libc})" in problem.sentence
    assert "build it for glibc" in problem.sentence


def test_the_c_library_of_musl_under_its_own_name(tmp_path: Path) -> None:
    """Where the files for compiling C are, glibc has a linker script of that name, which is no library either."""
    path = write(tmp_path / "module.so", Sample(needed=("libc.so",)))
    assert problems(path) == [TargetKind.LIBC]


def test_another_c_library_that_is_there_is_loaded(tmp_path: Path) -> None:
    path = write(tmp_path / "module.so", Sample(needed=("libc.musl-x86_64.so.1",)))
    write(tmp_path / "musl" / "libc.musl-x86_64.so.1", Sample(defined=("malloc",), needed=()))
    assert problems(path, {"LD_LIBRARY_PATH": str(tmp_path / "musl")}) == []


def test_a_newer_glibc(tmp_path: Path) -> None:
    wanted = (Wanted("malloc", version="GLIBC_2.199"), Wanted("free", version="GLIBC_2.2.5"))
    path = write(tmp_path / "module.so", Sample(wanted=wanted))
    assert problems(path) == [TargetKind.GLIBC_VERSION]
    (problem,) = target_problems(read_module(path), path, {})
    own = os.confstr("CS_GNU_LIBC_VERSION") or ""
    assert f"needs GLIBC_2.199 of libc.so.6, this machine's goes up to GLIBC_{own.split()[1]} (" in problem.sentence


def test_a_newer_libstdcxx(tmp_path: Path) -> None:
    wanted = (Wanted("_ZSt4cerr", called=False, version="GLIBCXX_3.4.999", library="libstdc++.so.6"),)
    path = write(tmp_path / "module.so", Sample(wanted=wanted, needed=("libc.so.6", "libstdc++.so.6")))
    brought = ("GLIBCXX_3.4", "GLIBCXX_3.4.9", "GLIBCXX_3.4.30", "CXXABI_1.3")
    write(tmp_path / "lib" / "libstdc++.so.6", Sample(defined=("_ZSt4cerr",), soname="libstdc++.so.6", versions=brought))
    (problem,) = target_problems(read_module(path), path, {"LD_LIBRARY_PATH": str(tmp_path / "lib")})
    assert problem.kind is TargetKind.LIBSTDCXX_VERSION
    assert "needs GLIBCXX_3.4.999 of libstdc++.so.6, this machine's goes up to GLIBCXX_3.4.30 (" in problem.sentence


class TestNeededLibraries:
    SAMPLE = Sample(needed=("libc.so.6", "libown.so"))

    def test_one_that_is_absent(self, tmp_path: Path) -> None:
        path = write(tmp_path / "module.so", self.SAMPLE)
        assert problems(path) == [TargetKind.LIBRARY_ABSENT]
        (problem,) = target_problems(read_module(path), path, {})
        assert "it needs libown.so, which is absent here" in problem.sentence
        assert "LD_LIBRARY_PATH" in problem.sentence

    @pytest.mark.parametrize("runpath", ["$ORIGIN/lib", "/nowhere:${ORIGIN}/lib", "$ORIGIN/lib/../lib"])
    def test_one_beside_the_module(self, tmp_path: Path, runpath: str) -> None:
        write(tmp_path / "lib" / "libown.so", Sample(needed=()))
        found = write(tmp_path / "module.so", Sample(needed=("libown.so",), runpath=runpath))
        assert problems(found) == []
        assert problems(write(tmp_path / "other.so", Sample(needed=("libown.so",), runpath="$ORIGIN"))) == [
            TargetKind.LIBRARY_ABSENT
        ]

    @pytest.mark.parametrize("separator", [":", ";"])
    def test_one_in_a_folder_of_the_environment(self, tmp_path: Path, separator: str) -> None:
        write(tmp_path / "lib" / "libown.so", Sample(needed=()))
        path = write(tmp_path / "module.so", self.SAMPLE)
        assert problems(path, {"LD_LIBRARY_PATH": f"/nowhere{separator}{tmp_path}/lib"}) == []

    def test_one_that_is_preloaded(self, tmp_path: Path) -> None:
        own = write(tmp_path / "lib" / "libown.so", Sample(needed=(), soname="libown.so"))
        assert problems(write(tmp_path / "module.so", self.SAMPLE), {"LD_PRELOAD": str(own)}) == []

    def test_one_by_its_path(self, tmp_path: Path) -> None:
        own = write(tmp_path / "lib" / "libown.so", Sample(needed=()))
        assert problems(write(tmp_path / "module.so", Sample(needed=(str(own),)))) == []
        own.unlink()
        assert problems(tmp_path / "module.so") == [TargetKind.LIBRARY_ABSENT]

    def test_one_for_another_machine_is_passed_over(self, tmp_path: Path) -> None:
        environment = {"LD_LIBRARY_PATH": f"{tmp_path}/arm:{tmp_path}/lib"}
        write(tmp_path / "arm" / "libown.so", Sample(needed=(), machine=elf_samples.AARCH64))
        path = write(tmp_path / "module.so", self.SAMPLE)
        assert problems(path, environment) == [TargetKind.LIBRARY_ABSENT]
        write(tmp_path / "lib" / "libown.so", Sample(needed=()))
        assert problems(path, environment) == []

    def test_a_text_of_its_name_ends_the_search(self, tmp_path: Path) -> None:
        for folder in ("text", "lib"):
            write(tmp_path / folder / "libown.so", Sample(needed=()))
        (tmp_path / "text" / "libown.so").write_text("INPUT(-lreal)\n" * 10)
        environment = {"LD_LIBRARY_PATH": f"{tmp_path}/text:{tmp_path}/lib"}
        path = write(tmp_path / "module.so", self.SAMPLE)
        assert problems(path, environment) == [TargetKind.LIBRARY_ABSENT]
        (problem,) = target_problems(read_module(path), path, environment)
        assert "is no library" in problem.sentence

    @pytest.mark.parametrize("kind", ["pipe", "folder", "loop"])
    def test_what_is_no_file_blocks_nothing(self, tmp_path: Path, kind: str) -> None:
        place = tmp_path / "libown.so"
        match kind:
            case "pipe":
                os.mkfifo(place)
            case "folder":
                place.mkdir()
            case "loop":
                place.symlink_to(place)
        path = write(tmp_path / "module.so", self.SAMPLE)
        found = target_problems(read_module(path), path, {"LD_LIBRARY_PATH": str(tmp_path)})
        assert [one.kind for one in found] == [TargetKind.LIBRARY_ABSENT]

    @pytest.mark.parametrize(
        ("versions", "expected"),
        [(("OWN_1", "OWN_2"), []), (("OWN_1",), [TargetKind.LIBRARY_VERSION]), ((), [])],
        ids=["it has the version", "it has an older one", "it has none at all, which passes"],
    )
    def test_their_versions(self, tmp_path: Path, versions: tuple[str, ...], expected: list[TargetKind]) -> None:
        own = Sample(defined=("own_function",), needed=(), soname="libown.so", versions=versions)
        write(tmp_path / "lib" / "libown.so", own)
        path = write(tmp_path / "module.so", Sample(wanted=(OWN,), needed=("libown.so",), runpath="$ORIGIN/lib"))
        found = target_problems(read_module(path), path, {})
        assert [one.kind for one in found] == expected
        if expected:
            assert "needs OWN_2 of libown.so, this machine's goes up to OWN_1 (" in found[0].sentence
            assert problems(path) == expected

    def test_one_that_cannot_be_read_has_no_say(self, tmp_path: Path) -> None:
        """Whether the dynamic linker takes it is seen at run time."""
        write(tmp_path / "lib" / "libown.so", Sample(defined=("own_function",), versions=("OWN_1",)))
        library = tmp_path / "lib" / "libown.so"
        library.write_bytes(library.read_bytes()[:200])
        path = write(tmp_path / "module.so", Sample(wanted=(OWN,), needed=("libown.so",), runpath="$ORIGIN/lib"))
        assert target_problems(read_module(path), path, {}) == ()


def test_a_module_for_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "module.so", Sample(needed=("libown.so",), machine=elf_samples.AARCH64))
    assert problems(path) == [TargetKind.ARCHITECTURE]
    (problem,) = target_problems(read_module(path), path, {})
    assert problem.sentence == "it is for aarch64, this machine is x86-64: check it on a machine with aarch64"
    other = tmp_path / "riscv.so"
    other.write_bytes(elf_samples.header(elf_samples.write(Sample()), machine=243))
    assert problems(other) == [TargetKind.ARCHITECTURE]
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    own = write(tmp_path / "own.so", Sample())
    (problem,) = target_problems(read_module(own), own, {})
    assert "this machine is riscv64" in problem.sentence


def test_what_is_damaged_is_no_matter_of_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "module.so"
    path.write_bytes(elf_samples.write(Sample())[:1000])
    assert target_problems(read_module(path), path, {}) == ()


class TestTheCacheOfTheDynamicLinker:
    def test_it_names_what_ldconfig_prints(self, tmp_path: Path) -> None:
        ldconfig = shutil.which("ldconfig", path="/sbin:/usr/sbin")
        assert ldconfig, "expected glibc's ldconfig on a machine that runs Envoy"
        printed = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, timeout=30, check=True).stdout
        listed = re.findall(r"^\t(\S+) \(libc6,x86-64\) => (\S+)$", printed, re.MULTILINE)
        search = LinkerSearch.of(Machine.X86_64, tmp_path / "module.so", (), {})
        assert len(listed) > 1
        assert [one for one in listed if Path(one[1]) not in search.cached.get(one[0], ())] == []

    def test_only_files_for_the_machine_count(self, tmp_path: Path) -> None:
        cache = tmp_path / "cache"
        text = b"liba.so\0/opt/liba.so\0/opt/arm/liba.so\0"
        begin = 48 + 2 * 24
        entries = struct.pack("<iIIIQ", 0x0A03, begin, begin + 21, 0, 0) + struct.pack("<iIIIQ", 0x0303, begin, begin + 8, 0, 0)
        data = b"glibc-ld.so.cache1.1" + struct.pack("<II", 2, len(text)).ljust(28, b"\0") + entries + text
        for before in (b"", b"ld.so-1.7.0\0" + b"\0" * 52):  # older systems put an older form before it
            cache.write_bytes(before + data)
            for machine, path in ((Machine.X86_64, "/opt/liba.so"), (Machine.AARCH64, "/opt/arm/liba.so")):
                search = LinkerSearch.of(machine, tmp_path / "module.so", (), {}, cache)
                assert search.cached == {"liba.so": (Path(path),)}
            cache = tmp_path / "another"

    @pytest.mark.parametrize("data", [b"", b"noise" * 100, b"glibc-ld.so.cache1.1", b"glibc-ld.so.cache1.1" + b"\xff" * 100])
    def test_one_of_another_form_names_nothing(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "cache").write_bytes(data)
        search = LinkerSearch.of(Machine.X86_64, tmp_path / "module.so", (), {}, tmp_path / "cache")
        assert not search.cached


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (Sample(needed=("libc.so.6",)), ["built for Linux on x86-64, glibc"]),
        (
            Sample(wanted=(Wanted("malloc", version="GLIBC_2.2.5"),)),
            ["built for Linux on x86-64, glibc 2.2.5 or newer"],
        ),
        (
            Sample(wanted=(Wanted("pthread_create", version="GLIBC_2.34"),)),
            ["built for Linux on x86-64, glibc 2.34 or newer (official Envoys run from 2.31 on)"],
        ),
        (Sample(needed=("libc.so",)), ["built for Linux on x86-64 with musl, not glibc"]),
        (Sample(needed=()), ["built for Linux on x86-64, without a C library"]),
        (
            Sample(needed=("libc.so.6", "libown.so", "libgcc_s.so.1"), runpath="$ORIGIN"),
            [
                "built for Linux on x86-64, glibc",
                "it needs libown.so, which the dynamic linker must find (it says: in $ORIGIN) on each machine that runs it",
            ],
        ),
        (
            Sample(machine=elf_samples.AARCH64, needed=("libc.so.6", "ld-linux-aarch64.so.1")),
            [
                "built for Linux on aarch64, glibc",
                "its symbols are compared with those of Envoy's releases for x86-64, as only these are on record",
            ],
        ),
        (Sample(pie=True), []),
    ],
)
def test_the_notes_hold_for_all_hosts(tmp_path: Path, sample: Sample, expected: list[str]) -> None:
    assert list(target_notes(read_module(write(tmp_path / "module.so", sample)))) == expected


def test_the_notes_name_the_floor_of_libstdcxx(tmp_path: Path) -> None:
    wanted = (Wanted("_ZSt4cerr", called=False, version="GLIBCXX_3.4.30", library="libstdc++.so.6"),)
    sample = Sample((INIT,), wanted, needed=("libstdc++.so.6", "libc.so.6"))
    (note,) = target_notes(read_module(write(tmp_path / "module.so", sample)))
    assert note == "built for Linux on x86-64, glibc, libstdc++ with GLIBCXX_3.4.30 or newer"

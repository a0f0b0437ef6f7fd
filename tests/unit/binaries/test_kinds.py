"""Files that are given as modules and are none: each is called what it is, with what to do next."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.binaries.kinds import FileKind, ProblemKind, file_kind
from dmconform.binaries.known import known_host_facts
from dmconform.binaries.read import read_module
from dmconform.binaries.verdict import static_verdict

from tests.unit import elf_samples
from tests.unit.elf_samples import Sample

LIBRARY = elf_samples.write(Sample())


def archive(*members: tuple[str, bytes]) -> bytes:
    """A static library."""
    data = b"!<arch>\n"
    for name, content in members:
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(content):<10}`\n".encode()
        data += head + content + b"\n" * (len(content) % 2)
    return data


def windows() -> bytes:
    return b"MZ".ljust(60, b"\0") + struct.pack("<I", 128) + b"\0" * 64 + b"PE\0\0" + b"\x64\x86"


def without_contents(library: bytes) -> bytes:
    """A library whose parts are not in the file, as those of a file with debug information only."""
    changed = bytearray(library)
    for header in range(4):
        struct.pack_into("<Q", changed, 64 + 56 * header + 32, 0)
    return bytes(changed)


def zipped() -> bytes:
    with io.BytesIO() as output:
        with zipfile.ZipFile(output, "w") as file:
            file.writestr("libmodule.so", LIBRARY)
        return output.getvalue()


def tarred() -> bytes:
    with io.BytesIO() as output:
        with tarfile.open(fileobj=output, mode="w") as file:
            file.addfile(tarfile.TarInfo("libmodule.so"))
        return output.getvalue()


CASES = (
    (FileKind.EXECUTABLE, elf_samples.header(LIBRARY, kind=2), "-buildmode=c-shared (Go)"),
    (FileKind.EXECUTABLE, elf_samples.write(Sample(pie=True)), 'crate-type = ["cdylib"]'),
    (FileKind.OBJECT_FILE, elf_samples.header(LIBRARY, kind=1), "link it into a shared library with -shared"),
    (FileKind.OBJECT_FILE, elf_samples.header(LIBRARY, kind=1 << 8, order=2), "-shared"),
    (FileKind.CORE_DUMP, elf_samples.header(LIBRARY, kind=4), "give the module's file"),
    (FileKind.DEBUG_INFORMATION, without_contents(LIBRARY), "give the library that it belongs to"),
    (FileKind.OTHER_ELF, elf_samples.header(LIBRARY, kind=0xFE00), "build a shared library"),
    (FileKind.BITCODE, b"BC\xc0\xde\x35\x14\0\0", "compile it"),
    (FileKind.STATIC_LIBRARY, archive(("/", b"\0\0\0\0"), ("one.o/", b"\x7fELF1")), 'crate-type = ["cdylib"]'),
    (FileKind.STATIC_LIBRARY, b"!<arch>\n", "build a shared library"),
    (FileKind.STATIC_LIBRARY, b"!<thin>\n", "build a shared library"),
    (FileKind.RUST_LIBRARY, archive(("/", b"odd"), ("lib.rmeta/", b"rust")), 'crate-type = ["cdylib"] in Cargo.toml'),
    (FileKind.RUST_LIBRARY, b"rust\0\0\0\x09\0\0", 'crate-type = ["cdylib"] in Cargo.toml'),
    (FileKind.GO_ARCHIVE, archive(("__.PKGDEF", b"go object linux")), "build it with -buildmode=c-shared"),
    (FileKind.GO_ARCHIVE, archive(("/", b"12"), ("go.o/", b"\x7fELF")), "build it with -buildmode=c-shared"),
    (FileKind.DEBIAN_PACKAGE, archive(("debian-binary", b"2.0\n")), "unpack it first"),
    (FileKind.WINDOWS, windows(), "build the module for Linux"),
    (FileKind.OTHER, windows()[:100], "that the compiler or linker writes"),
    (FileKind.MACOS, b"\xcf\xfa\xed\xfe\x07\0\0\x01", "build the module for Linux"),
    (FileKind.MACOS, b"\xfe\xed\xfa\xce\0\0\0\x12", "build the module for Linux"),
    (FileKind.MACOS, b"\xca\xfe\xba\xbe\0\0\0\x02", "build the module for Linux"),
    (FileKind.OTHER, b"\xca\xfe\xba\xbe\0\0\0\x41", "that the compiler or linker writes"),  # a class of Java
    (FileKind.WEB_ASSEMBLY, b"\0asm\1\0\0\0", "Envoy's Wasm extension"),
    (FileKind.GZIP, gzip.compress(LIBRARY), "unpack it first"),
    (FileKind.XZ, lzma.compress(LIBRARY), "unpack it first"),
    (FileKind.ZSTD, b"\x28\xb5\x2f\xfd\x04\0", "unpack it first"),
    (FileKind.BZIP2, b"BZh91AY&SY", "unpack it first"),
    (FileKind.ZIP, zipped(), "unpack it first"),
    (FileKind.TAR, tarred(), "unpack it first"),
    (
        FileKind.LINKER_SCRIPT,
        b"/* GNU ld script */\nOUTPUT_FORMAT(elf64)\nGROUP ( /lib/libc.so.6 )\n",
        "give that library",
    ),
    (FileKind.LINKER_SCRIPT, b"INPUT(-lreal)\n", "give that library"),
    (FileKind.SCRIPT, b"#!/bin/sh\nexec envoy\n", "that the compiler or linker writes"),
    (FileKind.GIT_LFS_POINTER, b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "git lfs pull"),
    (FileKind.WEB_PAGE, b"\n<!DOCTYPE html>\n<title>404</title>", "download the module again"),
    (FileKind.TEXT, "int main() { return 'ä'; }\n".encode(), "that the compiler or linker writes"),
    (FileKind.TEXT, b"a" * 4095 + "ä".encode(), "that the compiler or linker writes"),  # cut in a letter
    (FileKind.EMPTY, b"", "build or copy the module again"),
    (FileKind.OTHER, b"\x01\x02\x03\x04\xff", "that the compiler or linker writes"),
    (FileKind.OTHER, b"text\0with a zero", "that the compiler or linker writes"),
)


@pytest.mark.parametrize(("kind", "data", "advice"), CASES, ids=[f"{kind.name}-{at}" for at, (kind, _, _) in enumerate(CASES)])
def test_what_is_no_shared_library_is_named_with_what_to_do(tmp_path: Path, kind: FileKind, data: bytes, advice: str) -> None:
    path = tmp_path / "libmodule.so"
    path.write_bytes(data)
    found = read_module(path)
    assert (found.kind, found.problem_kind, found.would_crash) == (kind, ProblemKind.NO_LIBRARY, False)
    assert found.problem is not None
    assert found.problem.startswith(f"expected a shared library for Linux, this is {kind.value}: ")
    assert advice in found.problem
    host = known_host_facts("1.39.3")
    assert host is not None
    assert static_verdict(found, host).kind is StaticKind.REFUSED


def test_each_kind_has_a_case() -> None:
    assert {kind for kind, _, _ in CASES} == set(FileKind) - {FileKind.SHARED_LIBRARY}


@pytest.mark.parametrize("data", [LIBRARY, LIBRARY[:5], LIBRARY[:17], elf_samples.header(LIBRARY, machine=40)])
def test_a_shared_library_is_one_also_if_truncated_or_for_another_machine(data: bytes) -> None:
    assert file_kind(data) is FileKind.SHARED_LIBRARY


@pytest.mark.parametrize(
    ("change", "architecture"),
    [
        ({"machine": 40, "elf_class": 1}, "ARM (32-bit, little-endian)"),
        ({"machine": 243}, "RISC-V (64-bit, little-endian)"),
        ({"machine": 22 << 8, "kind": 3 << 8, "order": 2}, "IBM Z (64-bit, big-endian)"),
        ({"system": 9}, "FreeBSD on x86-64"),
    ],
)
def test_a_library_for_a_machine_without_envoy_is_named(tmp_path: Path, change: dict[str, int], architecture: str) -> None:
    path = tmp_path / "libmodule.so"
    path.write_bytes(elf_samples.header(LIBRARY, **change))
    found = read_module(path)
    assert (found.kind, found.problem_kind) == (FileKind.SHARED_LIBRARY, ProblemKind.ARCHITECTURE)
    assert (found.architecture, found.would_crash) == (architecture, False)
    assert found.problem == (
        f"expected a library for Linux on x86-64 or aarch64, this one is for {architecture}; Envoy has no release for it"
    )


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(LIBRARY[: elf_samples.DATA_AT + 8], ProblemKind.TRUNCATED, id="its data is cut off"),
        pytest.param(LIBRARY[:40], ProblemKind.TRUNCATED, id="its header is cut off"),
        pytest.param(elf_samples.header(LIBRARY, segments=0), ProblemKind.MALFORMED, id="nothing is loaded"),
        pytest.param(elf_samples.dynamic(LIBRARY, [(elf_samples.SYMTAB, 1 << 40)]), ProblemKind.MALFORMED, id="no symbols"),
    ],
)
def test_what_may_crash_a_host_is_marked(tmp_path: Path, data: bytes, kind: ProblemKind) -> None:
    path = tmp_path / "libmodule.so"
    path.write_bytes(data)
    found = read_module(path)
    assert (found.kind, found.problem_kind, found.would_crash) == (FileKind.SHARED_LIBRARY, kind, True)


def test_what_cannot_be_read_is_not_to_be_run(tmp_path: Path) -> None:
    found = read_module(tmp_path / "missing.so")
    assert (found.problem_kind, found.would_crash) == (ProblemKind.UNREADABLE, True)

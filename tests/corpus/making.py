"""The ways in which the files of the corpus are made: by gcc from small sources, from built probes, and byte by byte."""

from __future__ import annotations

import functools
import io
import shutil
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from dmconform.abi.bindings.c_header import c_header
from dmconform.abi.loading import load_abi
from dmconform.abi.types import Abi, Function, FunctionKind
from dmconform.core import paths
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint, point_of
from dmconform.core.process import run_ok
from elftools.elf.elffile import ELFFile

SOURCES: Final = Path(__file__).parent / "sources"
GCC_S: Final = 60.0
INIT: Final = f"{HOOK_PREFIX}program_init"
# The same symbols on every machine: no built-in functions, none of the compiler's start files, nothing for hardening.
_COMPILE: Final = (
    "gcc",
    "-O1",
    "-fPIC",
    "-w",
    "-fno-builtin",
    "-fno-stack-protector",
    "-fcf-protection=none",
    "-U_FORTIFY_SOURCE",
)
_LINK: Final = ("-shared", "-nostartfiles", "-Wl,--build-id=none", "-Wl,--hash-style=gnu")
LAZY: Final = "-Wl,-z,lazy"
NOW: Final = "-Wl,-z,now"
AARCH64: Final = 183
# The same relocations of both: GLOB_DAT, JUMP_SLOT, RELATIVE, the address of a symbol, those of TLS, IRELATIVE.
_OF_AARCH64: Final = {6: 1025, 7: 1026, 8: 1027, 1: 257, 16: 1028, 17: 1029, 18: 1030, 37: 1032}
_RELOCATION_BYTES: Final = 24


@dataclass(frozen=True)
class Workplace:
    """What makes files: `folder` for what several share, and the built probes by language, asked for where one is needed."""

    folder: Path
    probes: Callable[[], Mapping[str, Path]]
    _kept: dict[tuple[str, ...], Path] = field(default_factory=dict)

    def header(self, minor: str) -> Path:
        """The folder with the header of a minor's ABI."""
        folder = self.folder / f"abi-{minor}"
        if not folder.exists():
            folder.mkdir(parents=True)
            (folder / "abi.h").write_text(c_header(_abi(minor)))
        return folder

    def hooks(self, points: tuple[ExtensionPoint, ...], minor: str, abi_version: str) -> Path:
        """An object file with all hooks of some extension points, each of which gives way to one of the same name."""
        key = (minor, abi_version, *(point.value for point in points))
        if key not in self._kept:
            source = self.folder / f"hooks-{len(self._kept)}.c"
            include = self.header(minor)
            source.write_text(_hooks(_abi(minor), points, abi_version))
            target = source.with_suffix(".o")
            run_ok([*_COMPILE, f"-I{include}", "-c", source, "-o", target], GCC_S, f"compile {source.name}")
            self._kept[key] = target
        return self._kept[key]


class Way(Protocol):
    """A way to make a file."""

    def make(self, place: Workplace, target: Path) -> None:
        """Makes it; its folder is there."""


@dataclass(frozen=True)
class Stub:
    """A library that is no module. `stays`: it lies beside the module that is linked with it, else it is absent there."""

    soname: str
    functions: tuple[str, ...]
    version: str = ""  # that these functions have
    stays: bool = False

    def make(self, place: Workplace, target: Path) -> None:
        """Compiles and links it."""
        source, script = target.with_name("stub.c"), target.with_name("stub.map")
        source.write_text("".join(f"int {name}(void) {{ return 1; }}\n" for name in self.functions))
        script.write_text(f"{self.version} {{ {' '.join(f'{name};' for name in self.functions)} }};\n")
        versions = (f"-Wl,--version-script={script}",) if self.version else ()
        words = [*_COMPILE, *_LINK, "-nostdlib", NOW, f"-Wl,-soname={self.soname}", *versions, source, "-o", target]
        run_ok(words, GCC_S, f"make {self.soname}")
        source.unlink()
        script.unlink()


@dataclass(frozen=True)
class Module:
    """A module from C. Hooks that its source does not have are generated: they accept, and let everything pass.

    `stub` is a library whose functions it uses. `linked`: its file says that it needs that library.
    """

    source: str = ""  # a file of SOURCES; empty: the generated hooks are all there is
    points: tuple[ExtensionPoint, ...] = (ExtensionPoint.HTTP_FILTER,)
    minor: str = "1.39"
    abi_version: str = ""  # default: that of the minor
    flags: tuple[str, ...] = (NOW,)
    stub: Stub | None = None
    linked: bool = True

    def make(self, place: Workplace, target: Path) -> None:
        """Compiles and links it."""
        hooks = place.hooks(self.points, self.minor, self.abi_version or _abi(self.minor).abi_version)
        words: list[str | Path] = [*_COMPILE, *_LINK, *self.flags, f"-I{place.header(self.minor)}", hooks]
        words += [SOURCES / self.source] if self.source else []
        if self.stub is None:
            run_ok([*words, "-o", target], GCC_S, f"make {target.name}")
            return
        library = target.with_name(self.stub.soname)
        self.stub.make(place, library)
        if self.linked:
            words += [library, *(("-nodefaultlibs",) if library.name.startswith("libc.") else ())]
        run_ok([*words, "-o", target], GCC_S, f"make {target.name}")
        if not self.stub.stays:
            library.unlink()


@dataclass(frozen=True)
class Compiled:
    """What gcc makes of the same sources besides a shared library: an object file, a static library, an executable."""

    kind: str  # the end of the file's name: "o", "a", or empty

    def make(self, place: Workplace, target: Path) -> None:
        """Compiles it."""
        if not self.kind:
            source = target.with_suffix(".c")
            source.write_text("int main(void) { return 0; }\n")
            run_ok(["gcc", "-fPIE", "-pie", source, "-o", target], GCC_S, f"make {target.name}")
            source.unlink()
            return
        hooks = place.hooks((ExtensionPoint.HTTP_FILTER,), "1.39", "v0.1.0")
        if self.kind == "o":
            shutil.copyfile(hooks, target)
        else:
            run_ok(["ar", "rcD", target, hooks], GCC_S, f"make {target.name}")


@dataclass(frozen=True)
class Probe:
    """A module that was built with a reference SDK of 1.39, as it is."""

    language: str

    def make(self, place: Workplace, target: Path) -> None:
        """Copies it."""
        shutil.copyfile(place.probes()[self.language], target)


@dataclass(frozen=True)
class Content:
    """A file that is no module, byte by byte."""

    data: bytes

    def make(self, place: Workplace, target: Path) -> None:
        """Writes it."""
        target.write_bytes(self.data)


@dataclass(frozen=True)
class Absent:
    """No file at all."""

    def make(self, place: Workplace, target: Path) -> None:
        """Makes nothing."""


@dataclass(frozen=True)
class Changed:
    """A file whose bytes are changed after it was made."""

    of: Way
    change: Callable[[bytearray], None]

    def make(self, place: Workplace, target: Path) -> None:
        """Makes the file and changes it."""
        self.of.make(place, target)
        data = bytearray(target.read_bytes())
        self.change(data)
        target.write_bytes(data)


@dataclass(frozen=True)
class Grown:
    """A file with a hole at its end, up to a size."""

    of: Way
    size: int

    def make(self, place: Workplace, target: Path) -> None:
        """Makes the file and lets it grow."""
        self.of.make(place, target)
        with target.open("r+b") as file:
            file.truncate(self.size)


@dataclass(frozen=True)
class CutAt:
    """A change: only that many bytes are left."""

    bytes_left: int

    def __call__(self, data: bytearray) -> None:
        del data[self.bytes_left :]


def cut_in_dynamic_section(data: bytearray) -> None:
    """Leaves nothing behind the first entry of what the dynamic linker reads."""
    del data[_dynamic_offset(data) + 16 :]


def cut_in_section_headers(data: bytearray) -> None:
    """Leaves out the end, which hosts do not read."""
    (table,) = struct.unpack_from("<Q", data, 40)
    del data[table + 8 :]


def without_section_headers(data: bytearray) -> None:
    """Removes the section headers, as some packers do; the dynamic linker does not need them."""
    (table,) = struct.unpack_from("<Q", data, 40)
    del data[table:]
    struct.pack_into("<Q", data, 40, 0)
    struct.pack_into("<HH", data, 60, 0, 0)


def for_aarch64(data: bytearray) -> None:
    """Makes header and relocations those of another machine; the code stays as it is."""
    for section in _elf(data).iter_sections():
        if section["sh_type"] != "SHT_RELA":
            continue
        for at in range(section["sh_offset"], section["sh_offset"] + section["sh_size"], _RELOCATION_BYTES):
            (info,) = struct.unpack_from("<Q", data, at + 8)
            struct.pack_into("<Q", data, at + 8, info >> 32 << 32 | _OF_AARCH64[info & 0xFFFFFFFF])
    struct.pack_into("<H", data, 18, AARCH64)


def for_32_bits(data: bytearray) -> None:
    """Makes it say that it is for a 32-bit machine."""
    data[4] = 1
    struct.pack_into("<H", data, 18, 3)


def _elf(data: bytearray) -> ELFFile:
    return ELFFile(io.BytesIO(bytes(data)))


def _dynamic_offset(data: bytearray) -> int:
    return next(int(one["p_offset"]) for one in _elf(data).iter_segments() if one["p_type"] == "PT_DYNAMIC")


@functools.cache
def _abi(minor: str) -> Abi:
    return load_abi(paths.ABI, minor)


def _hooks(abi: Abi, points: tuple[ExtensionPoint, ...], abi_version: str) -> str:
    wanted = [
        one
        for one in abi.functions
        if one.kind is FunctionKind.HOOK and one.has_signature and (one.name == INIT or point_of(one.name) in points)
    ]
    return '#include "abi.h"\n' + "\n".join(_hook(one, abi_version) for one in wanted)


def _hook(hook: Function, abi_version: str) -> str:
    assert hook.params is not None and hook.returns is not None
    params = ", ".join(f"{one.type} {one.name}" for one in hook.params) or "void"
    body = f"{hook.returns} nothing = {{0}}; return nothing;"
    if hook.returns == "void":
        body = ""
    elif hook.returns.endswith("_module_ptr"):
        body = f'return "{abi_version if hook.name == INIT else "state"}";'
    return f"__attribute__((weak)) {hook.returns} {hook.name}({params}) {{ {body} }}"

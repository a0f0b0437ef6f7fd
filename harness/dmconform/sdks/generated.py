"""Compiles generated C modules in the toolchain container, or takes them from the cache.

A module is known by its content: sources, flags and the definition of the toolchain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from filelock import FileLock

from dmconform.containers.files import TarTree, disk_full, write_files
from dmconform.containers.sandbox import MEBIBYTE, JobResult, Limits, run_job
from dmconform.containers.toolchain import definition_tree
from dmconform.core import paths
from dmconform.core.errors import HarnessError
from dmconform.core.timeouts import GENERATED_BUILD_S
from dmconform.sdks.builder import Toolchain

FLAGS = ("-std=c11", "-O1", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror")
"""What sources are compiled with, before the caller's own flags."""
_LINK = ("-fPIC", "-shared", "-fvisibility=default", "-Wl,--build-id=none")
_LIMITS = Limits(timeout_s=GENERATED_BUILD_S, memory_bytes=1024 * MEBIBYTE, output_bytes=64 * MEBIBYTE)
_LOG_TAIL_LINES = 30


def compile_c(
    name: str,
    sources: Mapping[str, bytes],
    cache: Path,
    toolchain: Callable[[], Toolchain],
    flags: Sequence[str] = (),
    *,
    toolchain_folder: Path = paths.TOOLCHAIN,
) -> Path:
    """Compiles C sources to one shared library, bound lazily, and returns the path of `libNAME.so` in a separate folder.

    Args:
        name: the module's name.
        sources: files by their names; those that end with `.c` are compiled, the others can be included.
        cache: the folder that builds are kept below.
        toolchain: called only if the cache lacks the module.
        flags: further words for the compiler, which is also the linker.
        toolchain_folder: the definition of the toolchain's image, which is part of the build's key.

    Raises:
        HarnessError: it does not compile (the message has the end of the compiler's output), there is no toolchain, or the disk
            is full.
    """
    tree = TarTree.from_files(sources)
    units = sorted(file for file in sources if PurePosixPath(file).suffix == ".c")
    # The toolchain's name for the compiler; the generated sources are compiled where nothing else is writable.
    command = ["gcc", *FLAGS, *flags, *_LINK, "-o", f"/work/out/lib{name}.so", *(f"/work/src/{unit}" for unit in units)]
    parts = [name, tree.digest(), *command, definition_tree(toolchain_folder).digest()]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    folder = cache / "generated" / key
    library = folder / f"lib{name}.so"
    if library.exists():
        return library
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock", timeout=2 * GENERATED_BUILD_S), disk_full(folder):
        if library.exists():  # another run was faster
            return library
        tools = toolchain()
        done = run_job(tools.client, tools.identity.image_id, command, {"src": tree}, {}, "out", limits=_LIMITS)
        built = done.outputs.get(library.name)
        if not done.succeeded or built is None:
            raise HarnessError(_error_text(name, done))
        write_files(folder / "part", {library.name: built})
        (folder / "part" / library.name).replace(library)  # all of it, or nothing
    return library


def _error_text(name: str, done: JobResult) -> str:
    tail = "\n".join(done.log.decode(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
    return f"lib{name}.so, a generated module, could not be built: the compiler {done.how}; the end of its output:\n{tail}"

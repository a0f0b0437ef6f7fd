"""What the scripts of an SDK's folder are given: the files below /work, and their environment.

A build is given no file that it does not use, and each that it is given is in the key of the cache: an edit builds what it
can change, and nothing else.
"""

from __future__ import annotations

import enum
from pathlib import Path, PurePosixPath

from dmconform.abi.bindings.c_header import c_header
from dmconform.abi.bindings.recorder_module import recorder_module
from dmconform.abi.bindings.rust_bindings import rust_bindings
from dmconform.abi.bindings.stub_module import stub_module
from dmconform.abi.loading import load_abi
from dmconform.containers.files import IGNORED, TarTree
from dmconform.core.values import Language
from dmconform.sdks.catalogue import REPRODUCERS, Sdk

DEBUG = "DMCONFORM_DEBUG"
NOT_SOURCES = frozenset(("README.md", "sdk.toml"))
"""What describes sources and is none."""
LINTERS_ONLY = frozenset(("lint.sh", ".clang-tidy", "rustfmt.toml"))
OFFICIAL_ONLY = frozenset(("official", "fetch.sh"))
REFERENCE_ONLY = frozenset(("reference", REPRODUCERS))
DECIDE_DOWNLOAD = frozenset((".sh", ".toml", ".lock", ".mod", ".sum"))
"""Scripts, manifests and lock files: an edit of the code downloads nothing anew, nor does one of build.sh."""


class Variant(enum.Enum):
    """The way modules are built."""

    RELEASE = "release"  # stripped, as users build them
    DEBUG = "debug"  # the same code with symbols and line numbers


def environment_of(sdk: Sdk, variant: Variant = Variant.RELEASE) -> dict[str, str]:
    """Returns the variables of an SDK's scripts; see `sdks/README.md`."""
    environment = {
        "DMCONFORM_PROVIDER": sdk.id.provider.value,
        "DMCONFORM_SDK_MINOR": str(sdk.id.minor),
        "DMCONFORM_ABI_VERSION": sdk.abi_version,
    }
    if sdk.official and sdk.official.go_module:
        environment["DMCONFORM_GO_MODULE"] = sdk.official.go_module
    if variant is Variant.DEBUG:
        environment[DEBUG] = "1"
    return environment


def inputs_of(sdk: Sdk, abi_folder: Path) -> dict[str, TarTree]:
    """Returns what `build.sh` and `fetch.sh` find below /work, without the official SDK's sources and dependencies."""
    if sdk.official is not None:
        return {"src": TarTree.from_folder(sdk.folder, IGNORED | NOT_SOURCES | LINTERS_ONLY | REFERENCE_ONLY)}
    source = TarTree.from_folder(sdk.folder, IGNORED | NOT_SOURCES | LINTERS_ONLY | OFFICIAL_ONLY)
    return {"src": source, "abi": _bindings(sdk, abi_folder)}


def lint_inputs_of(sdk: Sdk, abi_folder: Path) -> dict[str, TarTree]:
    """Returns what `lint.sh` finds below /work; `sdk` is a reference SDK."""
    return {"src": TarTree.from_folder(sdk.folder, IGNORED | NOT_SOURCES), "abi": _bindings(sdk, abi_folder)}


def deciding_download(source: TarTree) -> TarTree:
    """Returns the files of a `src` folder that decide what `fetch.sh` downloads."""
    names = (name for name in source.entries if PurePosixPath(name).suffix in DECIDE_DOWNLOAD and name != "build.sh")
    return TarTree({name: source.entries[name] for name in names})


def _bindings(sdk: Sdk, abi_folder: Path) -> TarTree:
    abi = load_abi(abi_folder, str(sdk.id.minor))
    files = {"abi.h": c_header(abi), "abi.rs": rust_bindings(abi)}
    if sdk.id.language is Language.CPP:
        files["stubs.c"] = stub_module(abi, weak=True)  # the hooks that a module in C does not define itself
        files["recorder.h"] = recorder_module(abi)
    return TarTree.from_files({name: text.encode() for name, text in files.items()})

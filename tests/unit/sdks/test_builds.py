"""What an edit of a file in an SDK's folder builds anew, and what is said of it. Nothing is built."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from dmconform.containers.bootstrap.base_image import BaseKind
from dmconform.containers.files import write_files
from dmconform.containers.toolchain import ToolchainIdentity
from dmconform.core import paths
from dmconform.sdks.builder import MADE_OF, Builder, Built, ToBuild, Toolchain, _Job
from dmconform.sdks.catalogue import Sdk, load_sdks
from dmconform.sdks.inputs import Variant, inputs_of, lint_inputs_of
from dmconform.sdks.sources import DEFAULT_SOURCE, SourceRepository
from dmconform.sdks.store import StoredBuild

TOOLCHAIN = ToolchainIdentity("sha256:0", BaseKind.MMDEBSTRAP, {}, ())
VERSIONS = tuple(f"{language}@1.39:{provider}" for language in ("cpp", "go", "rust") for provider in ("official", "reference"))


def no_toolchain() -> Toolchain:
    raise AssertionError("expected nothing to be built")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folders that are built from, and a cache with an empty build of every version."""
    folder = tmp_path_factory.mktemp("builds")
    shutil.copytree(paths.SDKS, folder / "sdks")
    shutil.copytree(paths.ABI, folder / "abi")
    for sdk in sdks_in(folder):
        job = builder(folder)._prepare(sdk, fetch=False)
        assert isinstance(job, _Job)
        stored = msgspec.json.encode(StoredBuild("a test", 1.0, TOOLCHAIN, ()))
        write_files(job.folder, {"build.json": stored, MADE_OF: json.dumps(job.made_of).encode()})
    return folder


@pytest.fixture
def folder(whole: Path) -> Iterator[Path]:
    """The same, to edit; the edits are gone afterwards."""
    before = {path: path.read_bytes() for name in ("sdks", "abi") for path in (whole / name).rglob("*") if path.is_file()}
    yield whole
    for path, content in before.items():
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def builder(folder: Path, variant: Variant = Variant.RELEASE) -> Builder:
    repository = SourceRepository(DEFAULT_SOURCE, folder / "cache", print)
    return Builder(folder / "cache", folder / "abi", folder / "sdks" / "toolchain", repository, no_toolchain, print, variant)


def sdks_in(folder: Path) -> tuple[Sdk, ...]:
    return tuple(sdk for sdk in load_sdks(folder / "sdks") if str(sdk.id) in VERSIONS)


def to_build(folder: Path, variant: Variant = Variant.RELEASE) -> dict[str, str]:
    """The versions that would be built, and why."""
    planned = builder(folder, variant).plan(sdks_in(folder))
    assert all(isinstance(one, Built | ToBuild) for one in planned)
    return {str(one.sdk.id): one.why for one in planned if isinstance(one, ToBuild)}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("sdks/cpp/probe/metadata.cc", {"cpp@1.39:official", "cpp@1.39:reference"}),
        ("sdks/go/probe/filters/log.go", {"go@1.39:official", "go@1.39:reference"}),
        ("sdks/cpp/reference/host.cc", {"cpp@1.39:reference"}),
        ("sdks/rust/reference/Cargo.lock", {"rust@1.39:reference"}),
        ("sdks/rust/official/Cargo.lock", {"rust@1.39:official"}),
        ("sdks/go/fetch.sh", {"go@1.39:official"}),
        ("sdks/rust/build.sh", {"rust@1.39:official", "rust@1.39:reference"}),
        ("sdks/toolchain/packages.lock", set(VERSIONS)),
        ("sdks/toolchain/README.md", set()),
        ("sdks/cpp/README.md", set()),
        ("sdks/cpp/lint.sh", set()),
        ("sdks/cpp/.clang-tidy", set()),
        (
            "sdks/cpp/reproducers/continue_in_accept.c",
            {one for one in VERSIONS if one.startswith("cpp") and one.endswith("reference")},
        ),
        ("sdks/rust/rustfmt.toml", set()),
        ("sdks/PROBES.md", set()),
    ],
)
def test_an_edit_builds_what_it_can_change(folder: Path, file: str, expected: set[str]) -> None:
    assert to_build(folder) == {}
    with (folder / file).open("a") as sink:
        sink.write("\n")
    found = to_build(folder)
    assert set(found) == expected
    name = "toolchain" if "toolchain" in file else "/".join(file.split("/")[2:])
    assert {*found.values()} <= {f"changed since the last build: {name}"}


def test_other_bindings_build_the_reference_sdks_of_that_minor(folder: Path) -> None:
    data = folder / "abi" / "1.39.json"
    data.write_text(data.read_text().replace('"abi_version": "', '"abi_version": "x', 1))
    found = to_build(folder)
    assert set(found) == {one for one in VERSIONS if one.endswith("reference")}
    generated = "changed since the last build: abi/abi.h, abi/abi.rs"
    assert {*found.values()} == {generated, f"{generated}, abi/recorder.h and 1 more"}  # only C++ has modules in C


def test_a_reason_names_some_files_and_counts_the_rest(folder: Path) -> None:
    for file in sorted((folder / "sdks/cpp/probe").glob("*.cc"))[:5]:
        file.unlink()
    reasons = {*to_build(folder).values()}
    assert reasons == {"changed since the last build: probe/bare.cc, probe/callout.cc, probe/cipher.cc and 2 more"}


def test_modules_with_symbols_are_kept_apart(folder: Path) -> None:
    assert to_build(folder, Variant.DEBUG) == dict.fromkeys(VERSIONS, "not built here before")


def test_a_linter_gets_what_a_build_does_not() -> None:
    sdk = next(one for one in load_sdks(paths.SDKS) if str(one.id) == "cpp@1.39:reference")
    built, linted = inputs_of(sdk, paths.ABI)["src"].entries, lint_inputs_of(sdk, paths.ABI)["src"].entries
    assert set(linted) - set(built) == {"lint.sh", ".clang-tidy"}
    assert {"build.sh", "flags.sh", "probe/log.cc", "reference/host.cc"} <= set(built)

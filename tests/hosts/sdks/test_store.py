"""What is checked of a module before any cell may use it. The modules are real ones; what they may need is made stricter."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.containers.bootstrap.base_image import BaseKind
from dmconform.containers.toolchain import ToolchainIdentity
from dmconform.core.errors import HarnessError
from dmconform.hosts.obtain import sha256_of
from dmconform.matrix.plan import Plan
from dmconform.sdks import store
from dmconform.sdks.catalogue import MODULES

pytestmark = pytest.mark.host
TOOLCHAIN = ToolchainIdentity("sha256:0", BaseKind.MMDEBSTRAP, {}, ())


@pytest.fixture
def outputs(everything: Plan) -> dict[str, bytes]:
    """What the build of a real SDK version left."""
    modules = everything.sdk("cpp@1.39:reference").modules.values()
    return {f"lib{module.name}.so": Path(module.path).read_bytes() for module in modules}


def keep(folder: Path, outputs: dict[str, bytes]) -> store.StoredBuild:
    """Stores outputs as a build of this test."""
    return store.keep(folder / "build", MODULES, outputs, b"log", "a test", 1.0, TOOLCHAIN)


def test_what_is_stored_is_found_with_floor_and_hash(tmp_path: Path, outputs: dict[str, bytes]) -> None:
    stored = keep(tmp_path, outputs)
    assert store.find(tmp_path / "build") == stored
    for module in stored.modules:
        assert sha256_of(Path(module.path)) == module.sha256
        assert module.glibc_floor.startswith("GLIBC_2.") or module.glibc_floor == "none"
    assert any(module.glibc_floor != "none" for module in stored.modules), "expected some module to need glibc at all"


def test_a_tampered_module_is_not_found(tmp_path: Path, outputs: dict[str, bytes]) -> None:
    stored = keep(tmp_path, outputs)
    with Path(stored.modules[0].path).open("ab") as module:
        module.write(b"\0")
    assert store.find(tmp_path / "build") is None


def test_a_module_that_needs_a_newer_glibc_is_refused(
    tmp_path: Path, outputs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "NEWEST_GLIBC", (2, 2))
    with pytest.raises(HarnessError, match=r"libprobe\.so needs GLIBC_2\.\d+, expected at most GLIBC_2\.2"):
        keep(tmp_path, outputs)
    assert not (tmp_path / "build").exists()


def test_a_module_that_needs_a_foreign_library_is_refused(
    tmp_path: Path, outputs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ALLOWED_LIBRARIES", frozenset())
    with pytest.raises(HarnessError, match=r"needs .*libc\.so\.6.*PROBES\.md"):
        keep(tmp_path, outputs)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, r"left no libprobe\.so"),
        (b"", r"libprobe\.so: not a shared library"),
        (b"\x7fELF", r"libprobe\.so: not a shared library"),
    ],
)
def test_what_is_no_module_is_refused(tmp_path: Path, outputs: dict[str, bytes], content: bytes | None, problem: str) -> None:
    changed = {name: data for name, data in outputs.items() if name != "libprobe.so"}
    if content is not None:
        changed["libprobe.so"] = content
    with pytest.raises(HarnessError, match=problem):
        keep(tmp_path, changed)


def test_what_another_run_stored_meanwhile_is_taken(tmp_path: Path, outputs: dict[str, bytes]) -> None:
    first = keep(tmp_path, outputs)
    assert keep(tmp_path, {}) == first, "expected the build that is there, not an error about the empty one"

"""A check of a file that is no shared library ends with what it is and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.check.prepare import CheckRequest
from dmconform.check.work import check_module
from dmconform.core.errors import ExitCode, UsageError

from tests.unit import elf_samples
from tests.unit.elf_samples import INIT, Sample


@pytest.mark.parametrize("run", [True, False])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"!<arch>\n", r'this is a static library \(\.a\): build a shared library: crate-type = \["cdylib"\]'),
        (b"\x1f\x8b\x08\0", "this is a gzip file: unpack it first"),
        (b"\0asm\1\0\0\0", "this is WebAssembly: that is for Envoy's Wasm extension"),
        (b"", "this is empty: "),
    ],
)
def test_it_is_refused_before_any_host_is_started(tmp_path: Path, data: bytes, words: str, run: bool) -> None:
    path = tmp_path / "libmodule.so"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=rf"libmodule\.so: expected a shared library for Linux, {words}") as refused:
        check_module(CheckRequest(path, ("1.39.3",), run=run))
    assert refused.value.exit_code is ExitCode.USAGE
    assert "b'" not in str(refused.value)


def test_a_module_for_aarch64_is_judged_by_its_symbols(tmp_path: Path) -> None:
    path = tmp_path / "libmodule.so"
    missing = "envoy_dynamic_module_callback_of_no_release"
    wanted = (elf_samples.Wanted(missing),)
    for wants, kind in (((), StaticKind.LOADS), (wanted, StaticKind.UNRESOLVED)):
        path.write_bytes(elf_samples.write(Sample((INIT,), wants, machine=elf_samples.AARCH64)))
        found = check_module(CheckRequest(path, ("1.39.3",), run=False))
        assert found.module.architecture == "aarch64"
        assert [host.static.kind for host in found.hosts] == [kind]
        assert found.hosts[0].static.missing == ((missing,) if wants else ())

"""What a binary alone tells becomes data of names. Reading binaries has tests of its own; real ones are in tests/hosts."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.abi.consistency import problems
from dmconform.abi.types import UNKNOWN, FunctionKind
from dmconform.abi_diff.from_binary import abi_of_binary
from dmconform.binaries import read
from dmconform.binaries.facts import HostFacts, ModuleFacts, Undefined
from dmconform.core.errors import UsageError

CALLBACK = "envoy_dynamic_module_callback_log"
HOOKS = frozenset(("envoy_dynamic_module_on_program_init", "envoy_dynamic_module_on_http_filter_new"))
NO_MODULE = ModuleFacts("", 0, "expected a shared library, it is an executable")


def host(**changes: object) -> HostFacts:
    facts = {
        "release": "9.8.7",
        "callbacks": frozenset((CALLBACK,)),
        "hooks": HOOKS,
        "other_exports": frozenset(("main",)),
        "abi_version": "v9",
        "refuses_other_abi": None,
    }
    return HostFacts(**{**facts, **changes})  # type: ignore[arg-type]


def given(monkeypatch: pytest.MonkeyPatch, module: ModuleFacts, facts: HostFacts | None = None) -> None:
    monkeypatch.setattr(read, "read_module", lambda _: module)
    monkeypatch.setattr(read, "read_host", lambda _, release=None: facts)


def test_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, NO_MODULE, host())
    abi = abi_of_binary(Path("envoy"))
    assert (abi.envoy, abi.measured_on, abi.abi_version) == ("9.8", "9.8.7", "v9")
    assert abi.names(FunctionKind.CALLBACK) == {CALLBACK}
    assert abi.names(FunctionKind.HOOK) == HOOKS
    assert (abi.sources, abi.types) == ({}, ())
    assert [one.name for one in abi.functions] == [CALLBACK, *sorted(HOOKS)], "in the order of the files"
    assert problems(abi) == ()


def test_a_host_of_which_the_user_knows_more(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, NO_MODULE, host(release="built by hand", abi_version=None))
    abi = abi_of_binary(Path("envoy"), release="9.9.1-dev")
    assert (abi.envoy, abi.measured_on, abi.abi_version) == ("9.9", "9.9.1-dev", UNKNOWN)
    assert abi_of_binary(Path("envoy")).envoy == UNKNOWN
    with pytest.raises(UsageError, match=r"the release 9\.9\.1-dev, got 9\.8"):
        abi_of_binary(Path("envoy"), envoy="9.8", release="9.9.1-dev")


def test_a_module_has_its_hooks_and_the_callbacks_that_it_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    undefined = (Undefined(CALLBACK), Undefined("malloc"))
    given(monkeypatch, ModuleFacts("00", 1, hooks=tuple(sorted(HOOKS)), undefined=undefined, abi_version="v9"))
    abi = abi_of_binary(Path("module.so"), envoy="9.8")
    assert (abi.envoy, abi.measured_on, abi.abi_version) == ("9.8", UNKNOWN, "v9")
    assert [one.name for one in abi.functions] == [CALLBACK, *sorted(HOOKS)]


def test_what_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, ModuleFacts("00", 1), host(callbacks=frozenset()))
    with pytest.raises(UsageError, match="expected an Envoy or a dynamic module"):
        abi_of_binary(Path("ls"))


@pytest.mark.parametrize("kind", ["text", "missing", "folder"])
def test_what_is_no_binary_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    if kind == "text":
        path.write_text("#!/bin/sh\n")
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(UsageError, match=str(path)):
        abi_of_binary(path)

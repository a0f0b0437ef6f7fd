"""The ABI data is, byte for byte, what the tools make of upstream's real headers and of real Envoys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dmconform.abi.loading import known_minors, load_abi, load_abi_file
from dmconform.abi.types import FunctionKind
from dmconform.cli.main import parse
from dmconform.core import paths
from dmconform.core.progress import say
from dmconform.matrix.plan import Plan
from dmconform.matrix.prepare import lazy_engine
from dmconform.sdks.builder import Builder
from dmconform.sdks.sources import DEFAULT_SOURCE, SourceRepository

from tests.official_headers import IN_CLONES, IN_GO_MODULES, header_in_clone, header_in_go_module
from tests.recorded import assert_recorded

pytestmark = pytest.mark.host

MINORS = tuple(map(str, known_minors()))


def dmconform_abi(*words: str | Path) -> int:
    """Runs `dmconform abi …` in this process; returns its exit code."""
    chosen = parse(["abi", *map(str, words)])
    code: int = chosen.run(chosen)
    return code


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    """Downloads the official SDK's Go modules where the cache lacks them."""
    cache = paths.cache_folder()
    with lazy_engine(cache) as engine:
        repository = SourceRepository(DEFAULT_SOURCE, cache, say)
        yield Builder(cache, paths.ABI, paths.TOOLCHAIN, repository, engine.toolchain, say)


def assert_data(minor: str, measured: str) -> None:
    """The data of a minor are, byte for byte, what a command printed; where not, the keys that differ are named."""
    file = paths.ABI / f"{minor}.json"
    recorded = file.read_text(encoding="utf-8")
    fix = "conformance/abi/README.md has the command that makes it"
    assert_recorded(file, minor, by_name(json.loads(recorded)), by_name(json.loads(measured)), fix)
    assert measured.splitlines() == recorded.splitlines(), f"{file}: the same data in another order or form"


def by_name(data: dict[str, Any]) -> dict[str, object]:
    """ABI data with its lists of types and functions as mappings from their names."""
    return {**data, **{kind: {one["name"]: one for one in data[kind]} for kind in ("types", "functions")}}


@pytest.mark.parametrize("minor", [*IN_GO_MODULES, *IN_CLONES])
def test_upstreams_header_gives_exactly_the_data(
    minor: str, builder: Builder, binaries: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    header = header_in_go_module(minor, builder) if minor in IN_GO_MODULES else header_in_clone(minor, paths.cache_folder())
    description = load_abi(paths.ABI, minor).sources[minor].description
    code = dmconform_abi("extract", header, "--binary", binaries[minor], "--describe", description)
    assert code == 0
    assert_data(minor, capsys.readouterr().out)


@pytest.mark.parametrize("minor", MINORS)
def test_a_binary_has_the_names_of_the_data(minor: str, binaries: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "names.json"
    assert dmconform_abi("from-binary", binaries[minor], "-o", output) == 0
    found, data = load_abi_file(output), load_abi(paths.ABI, minor)
    assert (found.envoy, found.measured_on, found.abi_version) == (data.envoy, data.measured_on, data.abi_version)
    assert found.names(FunctionKind.CALLBACK) == data.names(FunctionKind.CALLBACK)
    assert not any(one.has_signature for one in found.functions)
    only_declared = data.names(FunctionKind.HOOK) - found.names(FunctionKind.HOOK)
    assert found.names(FunctionKind.HOOK) <= data.names(FunctionKind.HOOK)
    # 1.38 declares the hooks of transport sockets and exports their callbacks, but nothing in it looks the hooks up.
    assert {one.partition("_on_")[2][:16] for one in only_declared} == ({"transport_socket"} if minor == "1.38" else set())
    assert len(only_declared) == (12 if minor == "1.38" else 0)


def test_of_a_minor_without_a_header_the_binary_gives_exactly_the_data(
    binaries: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert dmconform_abi("from-binary", binaries["1.36"]) == 0
    assert_data("1.36", capsys.readouterr().out)


def test_a_module_says_what_it_has_to_do_with_the_abi(everything: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    data = load_abi(paths.ABI, "1.39")
    for sdk in everything.sdks:
        assert dmconform_abi("from-binary", sdk.modules["probe"].path) == 0
        functions = json.loads(capsys.readouterr().out)["functions"]
        callbacks = {one["name"] for one in functions if one["kind"] == "callback"}
        hooks = {one["name"] for one in functions if one["kind"] == "hook"}
        assert callbacks < data.names(FunctionKind.CALLBACK), sdk.id
        assert "envoy_dynamic_module_on_http_filter_new" in hooks, sdk.id
        assert "envoy_dynamic_module_callback_log" in callbacks, sdk.id
        assert hooks <= data.names(FunctionKind.HOOK), sdk.id

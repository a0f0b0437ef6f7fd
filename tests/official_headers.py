"""The official SDK's own ABI headers, for tests: out of the Go modules, and out of a clone of the Envoy repository."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest
from dmconform.core import paths
from dmconform.sdks.builder import Builder
from dmconform.sdks.catalogue import Sdk, load_sdks
from dmconform.sdks.sources import SOURCE_VARIABLE, SourceRepository, Unreachable

PLACE: Final = Path("abi", "abi.h")
IN_GO_MODULES: Final = ("1.37", "1.38")
IN_CLONES: Final = ("1.39",)


def official_sdk(sdk_id: str) -> Sdk:
    """An SDK version by its id, such as `go@1.38:official`."""
    return next(sdk for sdk in load_sdks(paths.SDKS) if str(sdk.id) == sdk_id)


def header_in_go_module(minor: str, builder: Builder) -> Path:
    """The header in the official SDK's Go module of a minor, downloaded from the module proxy where the cache lacks it."""
    sdk = official_sdk(f"go@{minor}:official")
    assert sdk.official is not None
    name = f"dynamic_modules@{sdk.official.go_module}"
    return builder.dependencies(sdk) / "github.com/envoyproxy/envoy/source/extensions" / name / PLACE


def header_in_clone(minor: str, cache: Path) -> Path:
    """The header of the release of a minor's SDK, out of the repository that the environment names; else a skip."""
    if not os.environ.get(SOURCE_VARIABLE):
        pytest.skip(f"{SOURCE_VARIABLE} names no clone of the Envoy repository, which has the header of {minor}")
    sdk = official_sdk(f"rust@{minor}:official")
    assert sdk.official is not None
    try:
        tree = SourceRepository(os.environ[SOURCE_VARIABLE], cache, print).tree(sdk.official)
    except Unreachable as reason:
        pytest.skip(f"the header of {minor}: {reason}")
    return tree / "source/extensions/dynamic_modules" / PLACE

"""What is on record of the SDKs' use of the ABI, against the modules that can be built here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.values import Outcome
from dmconform.matrix.prepare import Selection, build_sdks, lazy_engine
from dmconform.measure.sdk_use import Measured, measure, recorded
from dmconform.sdks.builder import Built, NotBuilt
from dmconform.sdks.sources import SourceRepository
from dmconform.spec.catalogue import load_catalogue
from filelock import FileLock

# The official Go SDK comes from the module proxy, which is reached where builds are; the others from a repository.
_WANTED = ("*@*:reference", "go@1.37:official", "go@1.38:official")
pytestmark = pytest.mark.engine

_SDKS = (
    *(f"{language}@1.{minor}:reference" for language in ("cpp", "go", "rust") for minor in (37, 38, 39, 40)),
    *("go@1.37:official", "go@1.38:official"),
)


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Built | NotBuilt]]:
    """The modules of each SDK version, from the cache or built."""
    cache = paths.cache_folder()
    with FileLock(tmp_path_factory.getbasetemp().parent / "sdk-use.lock"), lazy_engine(cache) as engine:
        built = build_sdks(load_catalogue(), Selection(sdks=_WANTED), engine, cache)
    yield {str(one.sdk.id): one for one in built}


@pytest.mark.parametrize("sdk", _SDKS)
def test_modules_use_what_is_on_record(sdk: str, builds: dict[str, Built | NotBuilt], tmp_path: Path) -> None:
    found = builds[sdk]
    if isinstance(found, NotBuilt):
        assert found.outcome is Outcome.NOT_TESTED, found.problem
        pytest.skip(f"{sdk} cannot be had here: {found.problem.splitlines()[0]}")

    now = measure(found, _no_sources(tmp_path))

    record = next(one for one in recorded().sdks if one.sdk == sdk)
    assert now.use.binding == record.binding
    assert now.use.hooks == record.hooks
    assert now.use.every == record.every
    if not now.sources_problem:
        assert now.use.some == record.some
    else:
        assert not set(now.use.some) - set(record.some)


def test_every_sdk_version_that_was_built_is_on_record() -> None:
    assert set(_SDKS) <= {one.sdk for one in recorded().sdks}


def test_a_module_that_uses_more_is_noticed(builds: dict[str, Built | NotBuilt], tmp_path: Path) -> None:
    """The measurement tells SDK versions apart: what is on record of one does not do for the next."""
    measured = [
        measure(one, _no_sources(tmp_path))
        for name in ("cpp@1.37:reference", "cpp@1.38:reference")
        if isinstance(one := builds[name], Built)
    ]

    assert [len(set(one.use.every)) for one in _by_minor(measured)] == [31, 34]


def _no_sources(folder: Path) -> SourceRepository:
    """The official SDK's sources are never had here: then the record of what they tell stays, and no network is asked."""
    return SourceRepository(str(folder / "no-repository"), folder / "cache", print)


def _by_minor(measured: list[Measured]) -> list[Measured]:
    return sorted(measured, key=lambda one: one.use.minor)

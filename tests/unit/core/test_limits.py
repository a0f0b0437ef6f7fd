"""The limits that Envoys inherit."""

from __future__ import annotations

import resource

import pytest
from dmconform.core.errors import HarnessError
from dmconform.core.limits import OPEN_FILES, raise_limits

INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("files", "raised"),
    [
        ((64, INFINITE), (OPEN_FILES, INFINITE)),
        ((64, 4096), (4096, 4096)),
        ((OPEN_FILES, 4096), None),
        ((INFINITE, INFINITE), None),
    ],
)
def test_a_low_limit_is_raised(monkeypatch: pytest.MonkeyPatch, files: tuple[int, int], raised: tuple[int, int] | None) -> None:
    done: list[tuple[int, int]] = []
    limits = {resource.RLIMIT_NOFILE: files, resource.RLIMIT_NPROC: (INFINITE, INFINITE)}
    monkeypatch.setattr(resource, "getrlimit", limits.__getitem__)
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: done.append(pair))
    raise_limits()
    assert done == ([raised] if raised else [])


@pytest.mark.parametrize(("limit", "words"), [(resource.RLIMIT_NOFILE, "open files"), (resource.RLIMIT_NPROC, "processes")])
def test_a_limit_that_cannot_be_raised_is_no_failure_of_a_host(monkeypatch: pytest.MonkeyPatch, limit: int, words: str) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda one: (40, 64) if one == limit else (INFINITE, INFINITE))
    with pytest.raises(HarnessError, match=f"a limit of 1024 {words}, and this process may have 64"):
        raise_limits()

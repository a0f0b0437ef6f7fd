"""The limits that Envoys inherit."""

from __future__ import annotations

import os
import resource

import pytest
from dmconform.core import limits
from dmconform.core.errors import HarnessError
from dmconform.core.limits import OPEN_FILES, PROCESSES, raise_limits, shortage

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


@pytest.mark.parametrize(
    ("files", "processes", "user", "words"),
    [
        (64, INFINITE, 1, "the limit of open files is 64"),
        (OPEN_FILES, INFINITE, 1, None),
        (INFINITE, 40, 1, "the limit of processes is 40"),
        (INFINITE, 40, 0, None),  # root is not bound
        (INFINITE, PROCESSES, 1, None),
    ],
)
def test_a_limit_that_has_become_too_low_is_named(
    monkeypatch: pytest.MonkeyPatch, files: int, processes: int, user: int, words: str | None
) -> None:
    soft = {resource.RLIMIT_NOFILE: files, resource.RLIMIT_NPROC: processes}
    monkeypatch.setattr(resource, "getrlimit", lambda one: (soft[one], INFINITE))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(limits, "_processes_of_user", lambda: 10)
    found = shortage()
    assert found is None if words is None else words in (found or "")


@pytest.mark.parametrize("used", ["_open_files", "_processes_of_user"])
def test_what_is_used_up_is_named(monkeypatch: pytest.MonkeyPatch, used: str) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (PROCESSES, INFINITE))
    monkeypatch.setattr(os, "geteuid", lambda: 1)
    monkeypatch.setattr(limits, "_processes_of_user", lambda: 10)
    assert shortage() is None
    monkeypatch.setattr(limits, used, lambda: PROCESSES - 10)
    assert "are in use" in (shortage() or "")

"""A container engine is started once, whichever threads need it first."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from dmconform.containers import engine as engine_module
from dmconform.core.threads import thread_pool
from dmconform.matrix.prepare import lazy_engine

THREADS: Final = 4
MEET_S: Final = 0.3  # in which a second start, if there is one, comes while the first is not over


class _Client:
    def version(self) -> dict[str, str]:
        return {"Version": "1"}


def test_threads_share_one_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    second = threading.Barrier(2)

    @contextlib.contextmanager
    def slow_start(*_: object) -> Iterator[_Client]:
        client = _Client()
        started.append(client)
        with contextlib.suppress(threading.BrokenBarrierError):
            second.wait(MEET_S)
        yield client

    monkeypatch.setattr(engine_module, "engine", slow_start)
    with lazy_engine(tmp_path) as engine, thread_pool(THREADS, "client") as pool:
        clients = [asked.result() for asked in [pool.submit(engine.client) for _ in range(THREADS)]]
    assert len(started) == 1
    assert {id(client) for client in clients} == {id(client) for client in started}

"""Storms over real Envoys: one that lives is told from one that ends, and from one that hangs."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.envoy.upstream import upstream_server
from dmconform.measure.hooks.run import hosts_and_compiler
from dmconform.measure.storm import run
from dmconform.measure.storm.result import HostStorm, StormEnd
from dmconform.measure.storm.run import Strength, storm_host

pytestmark = pytest.mark.host
HOST = "1.37.0"
"""A host that no storm has ended."""


RACE_S = 24.0
"""The storm within which 1.38.2 ends: after 1 second, as a rule."""


def storm(folder: Path, strength: Strength, release: str = HOST, seconds: float = 1.5) -> HostStorm:
    with hosts_and_compiler((release,)) as ((host,), compiler), upstream_server() as port:
        return storm_host(host, compiler, folder, port, seed=1, seconds=seconds, strength=strength)


def test_a_host_lives_and_what_it_went_through_is_counted(tmp_path: Path) -> None:
    found = storm(tmp_path, Strength(clients=4, threads=2, workers=2))
    assert found.ended is StormEnd.LIVES, found
    assert found.seconds >= 1.5 and found.updates >= 2, found
    assert min(found.requests, found.resets, found.answered, found.events.committed, found.events.delivered) > 0, found
    assert found.events.foreign == 0 and found.backtrace == (), found


def test_the_race_that_1_38_3_is_built_without_ends_1_38_2(tmp_path: Path) -> None:
    found = storm(tmp_path, Strength(update_every_s=0), "1.38.2", RACE_S)
    assert found.ended is StormEnd.SIGNAL and "SIGSEGV" in found.message, found
    assert any(": run [" in line for line in found.backtrace), f"expected a thread of the module in the backtrace, saw {found}"
    found = storm(tmp_path, Strength(update_every_s=0), "1.38.3", 3.0)
    assert found.ended is StormEnd.LIVES, found


def changed(monkeypatch: pytest.MonkeyPatch, folder: Path, old: str, new: str) -> None:
    """The module does something else in one place."""
    source = run.SOURCE.read_text()
    assert old in source
    file = folder / "storm.c"
    file.write_text(source.replace(old, new))
    monkeypatch.setattr(run, "SOURCE", file)


def test_a_host_that_ends_is_told_with_its_backtrace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(
        monkeypatch,
        tmp_path,
        "  note_thread();\n  if (atomic_fetch_add(&stream->delivered",
        "  if (event == 20) *(volatile int*)8 = 1;\n  if (atomic_fetch_add(&stream->delivered",
    )
    found = storm(tmp_path, Strength(clients=4, threads=2, workers=1, update_every_s=0))
    assert found.ended is StormEnd.SIGNAL and "SIGSEGV" in found.message, found
    assert any("Caught Segmentation fault" in line for line in found.backtrace), found


def test_a_host_that_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(
        monkeypatch,
        tmp_path,
        "  note_thread();\n  if (atomic_fetch_add(&stream->delivered",
        "  for (;;) usleep(1000);\n  if (atomic_fetch_add(&stream->delivered",
    )
    monkeypatch.setattr("dmconform.envoy.traffic.REQUEST_S", 1.0)
    monkeypatch.setattr("dmconform.envoy.envoy.HOST_STOP_S", 1.0)
    found = storm(tmp_path, Strength(clients=2, threads=1, workers=1, update_every_s=0))
    assert found.ended is StormEnd.HANGS, found


def test_a_host_that_rejects_an_update_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "COPIES", ("absent_a", "absent_b"))
    monkeypatch.setattr("shutil.copyfile", lambda *_: None)
    found = storm(tmp_path, Strength())
    assert found.ended is StormEnd.NOT_TRIED and "absent_a" in found.message, found

"""How mmdebstrap is called; that it works is tested in tests/containers."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.containers.bootstrap import debian


def test_mmdebstrap_finds_the_second_program_of_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a machine with mmdebstrap installed, running it would not show that.
    called: list[list[str]] = []
    monkeypatch.setattr(debian, "run_ok", lambda command, *_: called.append(command))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    tool = ["perl", str(tmp_path / "tool" / "usr" / "bin" / "mmdebstrap")]
    debian.run_mmdebstrap(
        tool, tmp_path / "debian.tar", release="bookworm", include=(), source_date_epoch=0, sources=tmp_path / "debian.sources"
    )
    (command,) = called
    (path,) = [word for word in command if word.startswith("PATH=")]
    assert path.startswith(f"PATH={tmp_path}/tool/usr/bin:")

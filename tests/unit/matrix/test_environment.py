"""What a report says of the suite that made it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.matrix.environment import suite_repository


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("https://example.org/team/suite.git", "https://example.org/team/suite"),
        ("https://example.org/team/suite/", "https://example.org/team/suite"),
        ("https://somebody:secret@example.org/team/suite", ""),
        ("git@example.org:team/suite.git", ""),
        ("/a/folder/of/a/machine", ""),
        (None, ""),
    ],
)
def test_the_repository_is_named_where_it_is_an_address_of_the_web(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: str | None, address: str
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True, timeout=30)
    if origin is not None:
        subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", origin], check=True, timeout=30)
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    assert suite_repository() == address

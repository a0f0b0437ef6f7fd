"""A temporary folder is gone at its end; `test_process.py` has what is left where the harness is killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.envoy.temporary import temporary_folder


def test_a_temporary_folder_is_gone_whatever_happens(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), temporary_folder("test", tmp_path) as folder:
        assert folder.parent == tmp_path and folder.name.startswith("dmconform-test-")
        (folder / "closed" / "inner").mkdir(parents=True)
        (folder / "closed").chmod(0)
        raise ValueError("x")
    assert not list(tmp_path.iterdir())

"""An Envoy that this machine cannot start now is not taken for something else than an Envoy."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest
from dmconform.core.errors import HarnessError, UsageError
from dmconform.hosts.obtain import from_file


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EAGAIN, HarnessError),
        (errno.ENOMEM, HarnessError),
        (errno.EMFILE, HarnessError),
        (errno.ENOEXEC, UsageError),
        (errno.EACCES, UsageError),
    ],
)
def test_only_what_is_about_the_file_is_a_mistake_of_usage(
    number: int, kind: type[HarnessError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    file = tmp_path / "envoy"
    file.touch(mode=0o755)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(HarnessError, match=os.strerror(number)) as caught:
        from_file(file, (), "a test")
    assert type(caught.value) is kind

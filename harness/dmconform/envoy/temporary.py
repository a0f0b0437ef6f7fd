"""Temporary folders for Envoys' files, which are removed whatever ends this process."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dmconform.core.interrupts import deferred_interrupts
from dmconform.envoy.process import removed_at_end


@contextlib.contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """Yields a new folder, whose name says what it is for. It is removed at the end, and also if this process is killed.

    Raises:
        OSError: it cannot be made, or the process that would remove it cannot be started.
    """
    with contextlib.ExitStack() as stack:
        with deferred_interrupts():  # whoever has made it removes it
            made = tempfile.TemporaryDirectory(prefix=f"dmconform-{purpose}-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(made)).resolve()
            stack.enter_context(removed_at_end(folder))
        yield folder

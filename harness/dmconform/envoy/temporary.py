"""Temporary folders for Envoys' files, which are removed whatever ends this process."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dmconform.core.interrupts import deferred_interrupts
from dmconform.core.removal import remove_tree
from dmconform.envoy.process import removed_at_end


@contextlib.contextmanager
def temporary_folder(purpose: str, above: Path | None = None) -> Iterator[Path]:
    """Yields a new folder. It is removed at the end, and also if this process is killed.

    Args:
        purpose: what it is for; its name says so.
        above: where it is; None for the usual place of temporary files.

    Raises:
        OSError: it cannot be made, or the process that would remove it cannot be started.
    """
    with contextlib.ExitStack() as stack:
        with deferred_interrupts():  # whoever has made it removes it
            folder = Path(tempfile.mkdtemp(prefix=f"dmconform-{purpose}-", dir=above)).resolve()
            stack.callback(remove_tree, folder)
            stack.enter_context(removed_at_end(folder))
        yield folder

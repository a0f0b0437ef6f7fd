"""Takes everything a process prints and keeps a bounded part of it: a module may write megabytes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

LIMIT_BYTES = 4 << 20


class OutputKeeper:
    """Drains the read end of a pipe into a file, up to a limit; goes on draining beyond it, so that the writer never blocks."""

    def __init__(self, pipe: int, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._pipe = pipe
        self._limit = limit_bytes
        self._path = path
        self.dropped_bytes = 0
        self._sink = path.open("wb", buffering=0)
        self._thread = threading.Thread(target=self._drain, name=f"output of {path}", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        kept = 0
        with self._sink as sink:
            while block := os.read(self._pipe, 1 << 16):
                room = self._limit - kept
                if room > 0:
                    sink.write(block[:room])
                    kept += min(len(block), room)
                self.dropped_bytes += max(0, len(block) - room)
            if self.dropped_bytes:
                sink.write(f"\n[{self.dropped_bytes} bytes more were printed and dropped]\n".encode())
        os.close(self._pipe)

    def text(self) -> str:
        """What has been kept so far."""
        return self._path.read_bytes().decode(errors="replace")

    def finish(self, timeout_s: float) -> None:
        """Waits for the last writer to close its end, at most `timeout_s` seconds."""
        self._thread.join(timeout_s)

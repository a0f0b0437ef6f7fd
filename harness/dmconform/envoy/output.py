"""Takes everything a process prints and keeps a bounded part of it: a module may write megabytes."""

from __future__ import annotations

import os
import select
import threading
from pathlib import Path

LIMIT_BYTES = 4 << 20
_NOTE_BYTES = 200  # of the note on what was dropped
_PIPE_BYTES = 1 << 16  # what a pipe holds at most: one read takes all that was written before it


class OutputKeeper:
    """A reader that drains a pipe into a file, up to a limit; past it, it drops what it reads, so that the writer never blocks.

    It closes the pipe, also if the file cannot be opened.
    """

    def __init__(self, pipe: int, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._pipe = pipe
        self._limit = limit_bytes
        self._kept = 0
        self._ended = False
        self._lock = threading.Lock()
        self.dropped_bytes = 0
        self._whole = b""  # once it has ended
        self._problem: OSError | None = None
        try:
            # Read through this descriptor as well: the path may lead elsewhere by then.
            self._sink = path.open("w+b", buffering=0)
        except OSError:
            os.close(pipe)
            raise
        os.set_blocking(pipe, False)
        self._thread = threading.Thread(target=self._drain, name=f"output of {path}", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        waiting = select.poll()
        waiting.register(self._pipe, select.POLLIN)
        while not self._ended:
            waiting.poll()
            with self._lock:
                self._take()
        with self._lock, self._sink:
            if self.dropped_bytes:
                self._write(f"\n[{self.dropped_bytes} bytes more were printed and dropped]\n".encode())
            self._whole = self._contents()
            os.close(self._pipe)

    def _take(self) -> None:
        """Takes what is in the pipe now. Needs the lock."""
        if self._ended:
            return
        try:
            block = os.read(self._pipe, _PIPE_BYTES)
        except BlockingIOError:
            return
        self._ended = not block
        written = self._write(block[: self._limit - self._kept]) if self._kept < self._limit else 0
        self._kept += written
        self.dropped_bytes += len(block) - written

    def _write(self, block: bytes) -> int:
        """Writes to the file; returns how much was written.

        A full disk must not end the draining: the writer would block, and look as if it hung.
        """
        if self._problem is None:
            try:
                return self._sink.write(block)
            except OSError as error:
                self._problem = error
        return 0

    def text(self) -> str:
        """Returns what has been kept so far.

        It first takes what is in the pipe, so that nothing that was printed before the call is missing.

        Raises:
            OSError: some of it was lost, because the file could not be written.
        """
        with self._lock:
            self._take()
            if self._problem is not None:
                raise self._problem
            return self._contents().decode(errors="replace")

    def _contents(self) -> bytes:
        if self._sink.closed:
            return self._whole
        return os.pread(self._sink.fileno(), self._limit + _NOTE_BYTES, 0)

    def finish(self, timeout_s: float) -> None:
        """Waits for the last writer to close its end, at most `timeout_s` seconds."""
        self._thread.join(timeout_s)

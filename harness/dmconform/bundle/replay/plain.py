"""Standard output on which nothing that an archive says does anything to a terminal."""

from __future__ import annotations

import io
import re
from typing import Final, TextIO

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Plain(io.TextIOBase):
    """A text file that writes to another one, with a question mark for each control character."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str, /) -> int:
        """Writes a text; returns its length."""
        self._stream.write(_CONTROL.sub("?", text))
        return len(text)

    def flush(self) -> None:
        """Hands over what is not written yet."""
        self._stream.flush()

    def fileno(self) -> int:
        """Returns the descriptor of the other file."""
        return self._stream.fileno()

"""Names out of binaries, made fit to be printed: a stranger's bytes must not steer a terminal."""

from __future__ import annotations


def printable(raw: bytes) -> str:
    r"""Returns the text where it is UTF-8; other bytes, and everything that does not print, become escapes such as `\x1b`."""
    text = raw.decode(errors="backslashreplace")
    return text if text.isprintable() else text.encode("unicode_escape").decode()

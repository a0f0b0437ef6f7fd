"""Names out of binaries, made fit to be printed: a stranger's bytes must not steer a terminal."""

from __future__ import annotations


def printable(raw: bytes) -> str:
    """UTF-8 where it is that; what is not, and everything that does not print, as `\\x1b` and the like."""
    text = raw.decode(errors="backslashreplace")
    return text if text.isprintable() else text.encode("unicode_escape").decode()

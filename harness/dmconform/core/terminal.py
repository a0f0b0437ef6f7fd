"""Untrusted text on a terminal: markup, terminal sequences and commands to a CI system in it do nothing, no line is endless."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from dmconform.core.table import output_width
from dmconform.core.text import cut, no_command, one_line, plain

WIDE = 240
"""The width of what goes to a file or a pipe, where a table must not be cut."""


def result_console() -> Console:
    """Returns a console for standard output: as wide as the terminal (COLUMNS), and wide enough for any table elsewhere."""
    return Console(width=WIDE if output_width() is None else None)


class SafeOutput:
    """An output that prints text as it is, in the characters that the terminal has.

    A text of more than `longest` characters is cut; `whole` says where all of it is, such as "in report.json".
    """

    def __init__(self, console: Console, longest: int, whole: str) -> None:
        self._console = console
        self._longest = longest
        self._whole = whole

    @property
    def width(self) -> int:
        """The width of the terminal, in characters."""
        return self._console.width

    def text(self, text: str, style: str = "", *, before: str = "") -> Text:
        """Returns one line. Blanks that it begins with stay; `before` is the caller's own and stays as it is."""
        indent = text[: len(text) - len(text.lstrip(" "))]
        safe = no_command(before + indent + cut(one_line(text), self._longest, self._whole))
        encoding = self._console.encoding
        return Text(safe.encode(encoding, "backslashreplace").decode(encoding), style=style)

    def line(self, text: str, style: str = "", *, before: str = "") -> None:
        """Prints one line."""
        # Not wrapped by us: what is copied has to stay one line.
        self._console.print(self.text(text, style, before=before), soft_wrap=True)


def safe_message(text: str) -> str:
    """Prints a message of several lines, such as an error's, to a terminal or a log."""
    return "\n".join(no_command(line) for line in plain(text).split("\n"))

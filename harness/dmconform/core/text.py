"""Untrusted text, made safe to show: logs of hosts, compilers and modules reach the report, and anyone can write into those."""

from __future__ import annotations

import re

# CSI (colours, cursor), OSC/DCS/APC/PM/SOS strings (titles, links) with their ends, then the two-byte escapes.
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")
# Control characters but tab and newline; line separators; what reverses or hides text; what UTF-8 or XML cannot hold.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def plain(text: str) -> str:
    r"""Returns `text` without terminal sequences; other characters that cannot be seen become escapes such as `\x00`."""
    text = _ANSI.sub("", text.replace("\r\n", "\n"))
    return _UNSEEN.sub(lambda found: _escape(found[0]), text)


def one_line(text: str) -> str:
    """Returns `plain` text on a single line, its runs of white space made one blank."""
    return " ".join(plain(text).split())


def first_line(text: str) -> str:
    """Returns the first line of `text` that is not blank; empty where there is none."""
    return next((line.strip() for line in plain(text).split("\n") if line.strip()), "")


def no_command(line: str) -> str:
    """Returns a `plain` line in which a CI system finds no command: GitHub takes them from the log of any program."""
    # The newer form begins a line, the older one is anywhere in it.
    line = line.replace("##[", "#\\x23[")
    text = line.lstrip()
    return line if not text.startswith("::") else f"{line[: len(line) - len(text)]}\\x3a{text[1:]}"


def cut(text: str, limit: int, whole: str = "in report.json") -> str:
    """Returns at most about `limit` characters, saying how many were left out, and where they are."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit} more characters {whole})"


_BEFORE_DIFFERENCE = 40
_OF_DIFFERENCE = 200


def where_they_differ(one: str, other: str) -> tuple[str, str]:
    """Returns of two texts the parts from a little before their first difference on, a few words each."""
    alike = next(
        (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), min(len(one), len(other))
    )
    start = max(0, alike - _BEFORE_DIFFERENCE)
    end = alike + _OF_DIFFERENCE
    return _part(one, start, end), _part(other, start, end)


def _part(text: str, start: int, end: int) -> str:
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def counted(count: int, noun: str) -> str:
    """Returns `1 cell`, `2 cells`, `2 inconsistencies`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

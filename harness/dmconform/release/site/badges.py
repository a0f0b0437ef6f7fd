"""Badges: an SVG file for each SDK version and host, with the answer in words."""

from __future__ import annotations

from typing import Final

from markupsafe import escape

from dmconform.core.text import one_line
from dmconform.release.site.model import AnswerWord

_COLOURS: Final = {
    AnswerWord.MAY: "#1b7f44",
    AnswerWord.MAY_NOT: "#b3261e",
    AnswerWord.UNKNOWN: "#6b3fa0",
    AnswerWord.NOT_TESTED: "#5f6870",
}
_CHARACTER: Final = 6.8  # width of one, in a sans serif of 11 px; `textLength` makes it so with every font
_PADDING: Final = 7
_ROUND: Final = 3
_LONGEST: Final = 60


def badge(name: str, answer: AnswerWord) -> str:
    """Returns an SVG image: a name, and the answer with its sign, on a colour with enough contrast."""
    left, right = one_line(name)[:_LONGEST], f"{answer.glyph} {answer.brief}"
    widths = [round(len(text) * _CHARACTER) + 2 * _PADDING for text in (left, right)]
    whole = sum(widths)
    title = escape(f"{left}: {answer.value}")
    texts = _text(0, widths[0], left) + _text(widths[0], widths[1], right)
    edge = widths[1] - _ROUND
    corner = f"a{_ROUND} {_ROUND} 0 0 1"
    right_side = f"M{widths[0]} 0h{edge}{corner} {_ROUND} {_ROUND}v14{corner} -{_ROUND} {_ROUND}h-{edge}z"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" viewBox="0 0 {whole} 20" role="img" '
        f'aria-label="{title}"><title>{title}</title>'
        f'<rect width="{whole}" height="20" rx="{_ROUND}" fill="#3a4149"/>'
        f'<path d="{right_side}" fill="{_COLOURS[answer]}"/>'
        f'<g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">{texts}</g></svg>\n'
    )


def _text(x: int, width: int, text: str) -> str:
    place = f'x="{x + _PADDING}" y="14" textLength="{width - 2 * _PADDING}" lengthAdjust="spacingAndGlyphs"'
    return f"<text {place}>{escape(text)}</text>"

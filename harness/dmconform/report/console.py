"""The answer of a report on a terminal, on one screen: the same as the first screen of its page."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rich.console import Console

from dmconform.core.terminal import SafeOutput
from dmconform.report.answer_lines import MOST_COLUMNS, AnswerLine, answer_lines
from dmconform.report.schema import Report

LONGEST_LINE: Final = 1000


def print_answer(report: Report, console: Console, where: Path | None = None) -> None:
    """Prints the answer of `report` in at most 40 lines of 80 columns; `where` is the page or folder with more.

    Text of the report is printed as text: markup and terminal sequences in it do nothing.
    """
    out = SafeOutput(console, LONGEST_LINE, "in report.json")
    for line in answer_lines(report, min(max(out.width, MOST_COLUMNS), 120), where):
        _print(out, console, line)


def _print(out: SafeOutput, console: Console, line: AnswerLine) -> None:
    text = out.text("", line.style, before=line.text)
    for span in line.spans:
        text.stylize(span.style, span.start, span.end)
    console.print(text, soft_wrap=True)

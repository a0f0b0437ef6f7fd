"""The page itself: what it shows without a script, and the data and the script for the rest.

Nothing in it is fetched, and its policy lets run only its own style and script, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import quote

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from dmconform.core.text import cut, first_line, one_line, plain
from dmconform.core.values import Judgement, Outcome
from dmconform.report.comparison.model import ReportComparison
from dmconform.report.comparison.show import counts, notes
from dmconform.report.marks import JUDGEMENT_MEANINGS, MISMATCH_SIGN, OUTCOME_MARKS, Mark
from dmconform.report.page.answer import answers
from dmconform.report.page.data import page_data
from dmconform.report.page.modules import combine
from dmconform.report.page.older import missing_parts
from dmconform.report.schema import Report
from dmconform.report.summary import summarise

ASSETS = Path(__file__).parent / "assets"
STYLE = "page.css"
SCRIPT = "main.js"
"""The module that the page's script begins with."""

LEGEND = (
    (Judgement.PASS, Mark("✓", "pass", "good"), JUDGEMENT_MEANINGS[Judgement.PASS]),
    (Judgement.FAIL, Mark("✗", "FAIL", "bad"), JUDGEMENT_MEANINGS[Judgement.FAIL]),
    (Judgement.XPASS, Mark("✓", "XPASS", "bad"), JUDGEMENT_MEANINGS[Judgement.XPASS]),
    (Judgement.MISMATCH, Mark("✓", "MISMATCH", "bad", MISMATCH_SIGN), JUDGEMENT_MEANINGS[Judgement.MISMATCH]),
    (Judgement.XFAIL, Mark("✗", "xfail", "known"), JUDGEMENT_MEANINGS[Judgement.XFAIL]),
    (Judgement.ERROR, Mark("■", "ERROR", "incomplete"), JUDGEMENT_MEANINGS[Judgement.ERROR]),
    (Judgement.INFORMATIONAL, Mark("✓", "pass", "fact-good"), "legacy or unsupported, and passes"),
    (Judgement.INFORMATIONAL, Mark("⊘", "rejected", "fact-bad"), "legacy or unsupported, and fails"),
    (Judgement.SKIP, Mark("○", "n/a", "not-run"), JUDGEMENT_MEANINGS[Judgement.SKIP]),
)
ALWAYS_LISTED = (Judgement.PASS, Judgement.FAIL)
"""In the legend even where no cell is judged so."""


def page(report: Report, comparison: ReportComparison | None) -> str:
    """Renders the page of `report`; with its comparison with an earlier report, also what changed since."""
    style = (ASSETS / STYLE).read_text(encoding="utf-8")
    script = combine(ASSETS, SCRIPT)
    summary = summarise(report)
    answer, _, numbers = summary.headline.partition(": ")
    return _template().render(
        style=Markup(style),  # the project's own files
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=Markup(embedded(msgspec.json.encode(page_data(report, comparison)).decode())),  # escaped for its place
        report=report,
        compared=_compared(comparison) if comparison is not None else None,
        summary=summary,
        answer=answer,
        numbers=numbers,
        languages=answers(report),
        missing_parts=missing_parts(report),
        errors=summary.by_outcome[Outcome.ERROR],
        not_tested=summary.by_outcome[Outcome.NOT_TESTED],
        not_applicable=summary.by_outcome[Outcome.NOT_APPLICABLE],
        outcomes=[(outcome, count) for outcome, count in summary.by_outcome.items() if outcome.is_verdict],
        outcome_marks=OUTCOME_MARKS,
        legend=[(its, meaning) for one, its, meaning in LEGEND if one in ALWAYS_LISTED or summary.by_judgement[one]],
    )


def _compared(comparison: ReportComparison) -> str:
    """Returns a summary of the comparison with an earlier report, and what a reader must know of it."""
    reported = "".join(f" Note: {note}." for note in notes(comparison))
    return f"Compared with the run of {comparison.old.started_at}: {counts(comparison)}.{reported}"


def cell_fragment(cell: str) -> str:
    """Returns the fragment of a cell's permalink, for the cell's id: `#` + this."""
    return "cell=" + quote(plain(cell), safe="/@:~._-")


def relative_link(path: str | None) -> str | None:
    """Returns `path` as an address below the report's folder, or None where it leads anywhere else."""
    if not path or path.startswith("/") or ".." in path.split("/") or "\\" in path:
        return None
    # A colon is left out, as the text before it could be taken for a scheme.
    return "./" + quote(path, safe="/@~._-", errors="backslashreplace")


def embedded(json: str) -> str:
    """Returns JSON that stays inside its element: no character of it can begin a tag, a comment or an entity."""
    for character in "<>&\u2028\u2029":
        json = json.replace(character, f"\\u{ord(character):04x}")
    return json


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Whatever a template prints is text of a log as far as it knows.
        finalize=lambda value: plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.filters.update(first_line=first_line, one_line=one_line, link=relative_link, cut=cut, fragment=_fragment)
    return environment.get_template("page.html.j2")


def _fragment(name: str, value: str) -> str:
    """Returns a fragment that sets one filter."""
    return f"#{name}={quote(plain(value), safe='@:~._-')}"

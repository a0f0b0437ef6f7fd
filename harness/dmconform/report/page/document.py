"""The page itself: what it shows without a script, and the data and the script for the rest.

Nothing in it is fetched, and its policy lets run only its own style and script, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

import msgspec
from jinja2 import Template
from markupsafe import Markup

from dmconform.core.text import cut, first_line, one_line
from dmconform.core.values import Judgement, Outcome
from dmconform.report.comparison.model import ReportComparison
from dmconform.report.comparison.show import counts, notes
from dmconform.report.marks import JUDGEMENT_MEANINGS, MISMATCH_SIGN, OUTCOME_MARKS, Mark
from dmconform.report.page.answer import answer_parts
from dmconform.report.page.counts import control_words, figures
from dmconform.report.page.data import page_data
from dmconform.report.page.glossary import glossary
from dmconform.report.page.links import is_there, relative_link, web_link
from dmconform.report.page.modules import combine
from dmconform.report.page.older import missing_parts
from dmconform.report.page.points import points_view
from dmconform.report.page.templates import template_environment
from dmconform.report.point_tables import SIGNS
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
    (Judgement.CHANGED, Mark("✓", "CHANGED", "bad"), JUDGEMENT_MEANINGS[Judgement.CHANGED]),
    (Judgement.XFAIL, Mark("✗", "xfail", "known"), JUDGEMENT_MEANINGS[Judgement.XFAIL]),
    (Judgement.ERROR, Mark("■", "ERROR", "incomplete"), JUDGEMENT_MEANINGS[Judgement.ERROR]),
    (Judgement.INFORMATIONAL, Mark("✓", "pass", "fact-good"), "legacy or unsupported, and passes"),
    (Judgement.INFORMATIONAL, Mark("⊘", "rejected", "fact-bad"), "legacy or unsupported, and fails"),
    (Judgement.SKIP, Mark("○", "n/a", "not-run"), JUDGEMENT_MEANINGS[Judgement.SKIP]),
)


def page(report: Report, comparison: ReportComparison | None, beside: Path | None = None) -> str:
    """Renders the page of `report`; with its comparison with an earlier report, also what changed since.

    `beside` is the folder that the page will be in: it links to no file that is not there. None: all are taken to be there.
    """
    style = (ASSETS / STYLE).read_text(encoding="utf-8")
    script = combine(ASSETS, SCRIPT)
    summary = summarise(report)
    answer, numbers = _split(summary.headline)
    parts = answer_parts(report)
    data = page_data(report, comparison, parts.states, beside)
    return _template().render(
        style=Markup(style),  # the project's own files
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=Markup(embedded(msgspec.json.encode(data).decode())),  # escaped for its place
        report=report,
        compared=_compared(comparison) if comparison is not None else None,
        summary=summary,
        answer=answer,
        numbers=numbers,
        parts=parts,
        points=points_view(report),
        point_signs=SIGNS,
        linked=lambda place: relative_link(place) if is_there(beside, place) else None,
        figures=figures(summary),
        control_words=control_words(summary.control),
        missing_parts=missing_parts(report),
        errors=summary.by_outcome[Outcome.ERROR],
        not_tested=summary.by_outcome[Outcome.NOT_TESTED],
        not_applicable=summary.by_outcome[Outcome.NOT_APPLICABLE],
        outcomes=[(outcome, count) for outcome, count in summary.by_outcome.items() if outcome.is_verdict],
        outcome_marks=OUTCOME_MARKS,
        glossary=glossary(),
        repository=web_link(report.environment.repository),
        legend=[(its, meaning) for _, its, meaning in LEGEND],
    )


def _split(headline: str) -> tuple[str, str]:
    """Returns the answer of a headline, and the numbers that follow after a colon or in brackets."""
    sentence, bracket, rest = headline.partition(" (")
    answer, colon, numbers = sentence.partition(": ")
    if colon:
        return answer, numbers + bracket + rest
    return answer, rest.removesuffix(")")


def _compared(comparison: ReportComparison) -> str:
    """Returns a summary of the comparison with an earlier report, and what a reader must know of it."""
    reported = "".join(f" Note: {note}." for note in notes(comparison))
    return f"Compared with the run of {comparison.old.started_at}: {counts(comparison)}.{reported}"


def embedded(json: str) -> str:
    """Returns JSON that stays inside its element: no character of it can begin a tag, a comment or an entity."""
    for character in "<>&\u2028\u2029":
        json = json.replace(character, f"\\u{ord(character):04x}")
    return json


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


@cache
def _template() -> Template:
    environment = template_environment(ASSETS)
    environment.filters.update(first_line=first_line, one_line=one_line, cut=cut)
    return environment.get_template("page.html.j2")

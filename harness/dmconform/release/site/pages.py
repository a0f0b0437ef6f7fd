"""The pages of a site. They have no script, and fetch nothing: their policy lets in their own style alone, by its hash."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment
from markupsafe import Markup

from dmconform import __version__
from dmconform.core.text import counted, first_line, one_line
from dmconform.core.values import Judgement, Provider, Relation, sdk_parts
from dmconform.release.site.badges import badge
from dmconform.release.site.feed import worse
from dmconform.release.site.ledger import Since
from dmconform.release.site.model import AnsweredSubject, AnswerWord, Site, SiteRun
from dmconform.release.site.trends import field_words, shown_runs, trends
from dmconform.report.answers.evidence import severity_words
from dmconform.report.answers.failures import FailureGroup
from dmconform.report.answers.fields import Field, FieldState
from dmconform.report.html import cell_fragment
from dmconform.report.page.links import filter_link, web_link
from dmconform.report.page.templates import template_environment

ASSETS: Final = Path(__file__).parent / "assets"
STYLE: Final = "site.css"
MOST_CELLS: Final = 200
"""Of a failure; the page of the run has all of them."""
MOST_NEWS: Final = 10
PAGES: Final = ("index", "trends", "failures")

_LOOKS: Final = {
    FieldState.HOLDS: "good",
    FieldState.KNOWN: "known",
    FieldState.FAILS: "bad",
    FieldState.CHANGED: "bad",
    FieldState.INCOMPLETE: "open",
    FieldState.PARTLY: "open",
    FieldState.NOT_TESTED: "none",
    FieldState.ASKS_NOTHING: "none",
    FieldState.UNSUPPORTED: "none",
}
_KINDS: Final = {
    Judgement.FAIL: "new",
    Judgement.XFAIL: "known",
    Judgement.XPASS: "a record that no longer applies",
    Judgement.MISMATCH: "static/run-time mismatch",
    Judgement.CHANGED: "changed fact",
}
_ANSWER_LOOKS: Final = {
    AnswerWord.MAY: "good",
    AnswerWord.MAY_NOT: "bad",
    AnswerWord.UNKNOWN: "open",
    AnswerWord.NOT_TESTED: "none",
}


@dataclass(frozen=True)
class Row:
    """An SDK version: its answer, if it is an official one, and its field on each host; None where it has no cells."""

    sdk: str
    answer: AnsweredSubject | None
    fields: tuple[Field | None, ...]


@dataclass(frozen=True)
class SiteColumn:
    """A host of a table, and whether it may be released."""

    label: str
    answer: AnsweredSubject | None


@dataclass(frozen=True)
class Table:
    """What is promised, and what is known of it."""

    columns: tuple[SiteColumn, ...]
    rows: tuple[Row, ...]
    others: int  # pairs that nothing is promised of


@dataclass(frozen=True)
class History:
    """Cells of a failure with the same history, in words."""

    words: str
    cells: int


def render(site: Site, address: str = "") -> dict[str, str]:
    """Returns the pages of a site, by the names of their files.

    Args:
        site: what they show.
        address: where the site will be, ending in a slash; empty where that is not known.
    """
    style = (ASSETS / STYLE).read_text(encoding="utf-8")
    columns = shown_runs(site.runs)
    shared: dict[str, object] = {
        "style": Markup(style),  # the project's own file
        "style_hash": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
        "address": address,
        "version": __version__,
        "site": site,
        "run": site.newest,
    }
    own: dict[str, dict[str, object]] = {
        "index": {
            "official": _table(site.newest, official=True),
            "control": _table(site.newest, official=False),
            "later": tuple(run for run in reversed(site.runs) if run.number > site.newest.number),
            "news": worse(site.runs)[:MOST_NEWS],
            "more_news": max(0, len(worse(site.runs)) - MOST_NEWS),
            "runs": tuple(reversed(site.runs)),
            "subjects": tuple(one for one in (*site.newest.sdk_answers, *site.newest.host_answers) if one.badge),
            "failures": site.failures,
        },
        "trends": {"columns": columns, "older": len(site.runs) - len(columns), "trends": trends(site.runs)},
        "failures": {"histories": _histories(site), "most_cells": MOST_CELLS, "runs": site.runs},
    }
    return {f"{name}.html": _templates().get_template(f"{name}.html.j2").render(shared | own[name]) for name in PAGES}


def _table(run: SiteRun, *, official: bool) -> Table:
    """Returns the table of a provider, with the SDK versions and hosts alone of which something is promised."""
    own = [field for field in run.fields if (sdk_parts(field.sdk)[2] == Provider.OFFICIAL.value) is official]
    promised = [field for field in own if field.relation is Relation.SUPPORTED]
    answers = {one.id: one for one in run.sdk_answers} if official else {}
    of_hosts = {one.id: one for one in run.host_answers}
    hosts = [host for host in run.hosts if any(field.host == host.id for field in promised)]
    sdks = dict.fromkeys((*(field.sdk for field in promised), *answers))
    by_pair = {(field.sdk, field.host): field for field in own}
    return Table(
        columns=tuple(SiteColumn(host.label, of_hosts.get(host.id)) for host in hosts),
        rows=tuple(Row(sdk, answers.get(sdk), tuple(by_pair.get((sdk, host.id)) for host in hosts)) for sdk in sdks),
        others=len({(field.sdk, field.host) for field in own}) - len(promised),
    )


def _histories(site: Site) -> dict[int, tuple[History, ...]]:
    """Returns since when the cells of each failure fail, by the failure's place."""
    return {place: _of_cells(one.cells, site.runs) for place, one in enumerate(site.failures)}


def _of_cells(cells: Iterable[Since], runs: tuple[SiteRun, ...]) -> tuple[History, ...]:
    counts = Counter(since_words(one, runs) for one in cells)
    return tuple(History(words, count) for words, count in counts.most_common())


def since_words(one: Since, runs: tuple[SiteRun, ...]) -> str:
    """Returns since when a cell fails, and when it held last, in words."""
    first = f"{runs[one.first].source.name} of {runs[one.first].day}"
    if one.last_held is None:
        return f"failing since {first}, the first run that tried it; no run has seen it hold"
    before = f"; it failed {counted(one.earlier, 'time')} before that" if one.earlier else ""
    return f"failing since {first}; held last in {runs[one.last_held].source.name} of {runs[one.last_held].day}{before}"


def short(text: str, limit: int) -> str:
    """Returns at most `limit` characters; the page of the run has all of them."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def failure_id(place: int) -> str:
    """Returns the id of a failure's part of the page, for its place among the failures."""
    return f"failure-{place + 1}"


def _kind_of(group: FailureGroup) -> str:
    return _KINDS[group.judgement]


def _cell_link(run: SiteRun, cell: str) -> str:
    return f"./{run.page}#{cell_fragment(cell)}"


def _field_link(run: SiteRun, sdk: str, host: str) -> str:
    """Returns the address of a pair on the page of a run."""
    return f"./{run.page}{filter_link(sdk=sdk, host=host)}"


@cache
def _templates() -> Environment:
    environment = template_environment(ASSETS)
    environment.filters.update(
        counted=counted,
        short=short,
        first_line=first_line,
        one_line=one_line,
        severities=severity_words,
        words=field_words,
        look=lambda state: _LOOKS[state],
        answer_look=lambda word: _ANSWER_LOOKS[word],
        badge=lambda subject: Markup(badge(subject.name, subject.answer)),  # whatever is in it is escaped
        failure_id=failure_id,
    )
    environment.globals.update(
        cell_link=_cell_link, field_link=_field_link, web_link=web_link, kind_of=_kind_of, supported=Relation.SUPPORTED
    )
    return environment

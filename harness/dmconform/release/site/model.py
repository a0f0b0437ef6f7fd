"""What a site knows of a run: the parts of its report that pages show, so that no report stays in memory."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dmconform.core.text import first_line
from dmconform.core.values import Host, Relation, SdkId
from dmconform.release.site.ledger import Ledger, Since, Turns
from dmconform.release.site.sources import LeftOut, ReportSource
from dmconform.report.answers.answer import answers
from dmconform.report.answers.evidence import Evidence, Severities, evidence, is_official
from dmconform.report.answers.failures import FailureGroup, failure_groups
from dmconform.report.answers.fields import Field, fields
from dmconform.report.answers.notices import Notice, notices
from dmconform.report.answers.verdict import GateAnswer, GateVerdict
from dmconform.report.modified_builds import modified_build_sentences
from dmconform.report.schema import CellEntry, KnownFailureEntry, Report
from dmconform.report.summary import RunVerdict, summarise

_ALL_HOSTS = ((), ("all",))
_HOST_NAME = re.compile(r"\d+\.\d+\.\d+(~[0-9a-f]{8})?")


class AnswerWord(enum.Enum):
    """The answer in words. Each has a glyph, so that none depends on colour."""

    MAY = "may be released"
    MAY_NOT = "may not be released"
    UNKNOWN = "cannot be told"
    NOT_TESTED = "not tested"

    @property
    def glyph(self) -> str:
        """The sign before the words."""
        return {AnswerWord.MAY: "✓", AnswerWord.MAY_NOT: "✗", AnswerWord.UNKNOWN: "■", AnswerWord.NOT_TESTED: "○"}[self]

    @property
    def brief(self) -> str:
        """The words of a badge."""
        return "may not" if self is AnswerWord.MAY_NOT else self.value


@dataclass(frozen=True)
class AnsweredSubject:
    """An SDK version or a host, and whether it may be released."""

    name: str  # for people
    id: str  # as reports have it
    answer: AnswerWord
    reason: str  # the first one; empty where there is none
    more_reasons: int
    shown: Evidence  # by the official SDKs
    badge: str | None  # its file below the site's folder; None where its name is none of a file


@dataclass(frozen=True)
class Failure:
    """Supported cells that fail for one reason, and since when."""

    group: FailureGroup
    known: KnownFailureEntry | None  # its record, where the report has it
    cells: tuple[Since, ...]  # of its cells those that fail: a record that no longer applies may have cells that pass

    @property
    def title(self) -> str:
        """The record that knows it, or else its cases."""
        return self.group.record or self.group.where


@dataclass(frozen=True)
class SiteRun:
    """A run, as the site shows it."""

    source: ReportSource
    number: int  # its place among the runs, the oldest is 0
    narrowed: str  # why it does not decide the answer; empty where it does
    suite_commit: str
    verdict: RunVerdict
    headline: str
    official: Evidence
    control: Evidence
    crashes: int
    planned: int
    ran: int
    hosts: tuple[Host, ...]
    fields: tuple[Field, ...]
    sdk_answers: tuple[AnsweredSubject, ...]
    host_answers: tuple[AnsweredSubject, ...]
    notices: tuple[Notice, ...]
    modified: tuple[str, ...]  # what is to be said of modified builds
    turns: Turns

    @property
    def page(self) -> str:
        """Its page, below the site's folder."""
        return f"runs/{self.source.id}/index.html"

    def host_label(self, host: str) -> str:
        """Returns the name of a host for people, marked where its build is modified."""
        return next((one.label for one in self.hosts if one.id == host), host)

    def cell_label(self, cell: CellEntry) -> str:
        """Returns the id of a cell, marked where the build of its host is modified."""
        return cell.id + self.host_label(cell.host).removeprefix(cell.host)

    @property
    def day(self) -> str:
        """The day on which it began, in UTC."""
        return f"{self.source.started:%Y-%m-%d}"


@dataclass(frozen=True)
class Site:
    """All that the pages show. `failures` are those of the run that decides."""

    runs: tuple[SiteRun, ...]  # the oldest first
    newest: SiteRun  # that decides the answer
    failures: tuple[Failure, ...]
    left_out: tuple[LeftOut, ...]


def site_run(source: ReportSource, number: int, report: Report, turns: Turns) -> SiteRun:
    """Returns what the site shows of a run.

    Args:
        source: where its report is.
        number: its place among the runs.
        report: its report.
        turns: what became worse with it.
    """
    summary, table, found = summarise(report), fields(report), answers(report)
    return SiteRun(
        source=source,
        number=number,
        narrowed=narrowed(report),
        suite_commit=report.environment.suite_commit,
        verdict=summary.verdict,
        headline=summary.headline,
        official=summary.official,
        control=summary.control,
        crashes=summary.crashes,
        planned=summary.planned,
        ran=summary.ran,
        hosts=report.hosts,
        fields=table,
        sdk_answers=tuple(_sdk(report, name, verdict) for name, verdict in found.sdks),
        host_answers=tuple(_host(report, name, verdict) for name, verdict in found.hosts),
        notices=notices(report, table),
        modified=modified_build_sentences(report),
        turns=turns,
    )


def narrowed(report: Report) -> str:
    """Returns why a run does not decide the site's answer: it did not end, or it was asked for a part only; else nothing."""
    if not report.complete or report.planned_cells > len(report.cells):
        return f"it did not end: {first_line(report.incomplete_reason or '') or 'cells that were planned are missing'}"
    chosen = [f"--{name} {' '.join(report.selection.get(name, ()))}" for name in ("sdk", "case") if report.selection.get(name)]
    hosts = report.selection.get("host", ())
    if hosts not in _ALL_HOSTS:
        chosen.append(f"--host {' '.join(hosts)}")
    return f"it selected {', '.join(chosen)}" if chosen else ""


def failures(report: Report, ledger: Ledger) -> tuple[Failure, ...]:
    """Returns the failures of a run's supported cells, in the order and the groups of all forms of a report."""
    records = {one.id: one for one in report.known_failures}
    return tuple(
        Failure(group, records.get(group.record) if group.record is not None else None, ledger.since(group.cells))
        for group in failure_groups(report)
    )


def _sdk(report: Report, name: str, verdict: GateVerdict) -> AnsweredSubject:
    shown = evidence((cell for cell in report.cells if cell.sdk == name), Severities(report))
    try:
        sdk = SdkId.parse(name)
        badge: str | None = f"badges/sdk-{sdk.language.value}-{sdk.minor}.svg"
    except ValueError:
        badge = None
    return _subject(name, name, verdict, shown, badge)


def _host(report: Report, name: str, verdict: GateVerdict) -> AnsweredSubject:
    cells = (cell for cell in report.cells if cell.host == name and is_official(cell))
    badge = f"badges/host-{name}.svg" if _HOST_NAME.fullmatch(name) else None
    label = next((host.label for host in report.hosts if host.id == name), name)
    return _subject(f"Envoy {label}", name, verdict, evidence(cells, Severities(report)), badge)


def _subject(name: str, id_: str, verdict: GateVerdict, shown: Evidence, badge: str | None) -> AnsweredSubject:
    reasons = [first_line(one.text) for one in verdict.reasons]
    return AnsweredSubject(
        name, id_, _word(verdict.answer, shown), next(iter(reasons), ""), max(0, len(reasons) - 1), shown, badge
    )


def _word(answer: GateAnswer, shown: Evidence) -> AnswerWord:
    """Returns the words of an answer. What the official SDKs did not show is not tested, whatever the control shows."""
    if answer is GateAnswer.MAY_NOT:
        return AnswerWord.MAY_NOT
    if not shown.ran:
        return AnswerWord.NOT_TESTED
    return AnswerWord.MAY if answer is GateAnswer.MAY else AnswerWord.UNKNOWN


def pairs(runs: tuple[SiteRun, ...]) -> Iterator[tuple[str, str]]:
    """Yields each pair of SDK and host of which something is promised in a run, those of the newest run first."""
    found = ((field.sdk, field.host) for run in reversed(runs) for field in run.fields if field.relation is Relation.SUPPORTED)
    yield from dict.fromkeys(found)

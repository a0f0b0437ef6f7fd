"""The answer as the page shows it: a table of SDK versions and hosts, and whether each may be released."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from dmconform.core.text import counted, cut
from dmconform.core.values import Host, Judgement, Provider, Relation, Severity, sdk_parts
from dmconform.report.answers.answer import HOST_POLICY, SDK_POLICY, answers
from dmconform.report.answers.evidence import severity_words
from dmconform.report.answers.facts import facts_sentences
from dmconform.report.answers.fields import Field, FieldState, fields
from dmconform.report.answers.notices import Notice, notices
from dmconform.report.answers.verdict import GateAnswer, GateVerdict, ReasonKind
from dmconform.report.grid import LANGUAGE_NAMES, Grid, grid, natural
from dmconform.report.modified_builds import compare_builds, modified_alone
from dmconform.report.page.links import filter_link
from dmconform.report.schema import Report
from dmconform.report.unreleased import development_sdks, development_sentences

TIMES = "\N{MULTIPLICATION SIGN}"
REASONS_SHOWN = 8
LONGEST_REASON = 300

STATE_STYLES = {
    FieldState.HOLDS: "good",
    FieldState.KNOWN: "known",
    FieldState.FAILS: "bad",
    FieldState.CHANGED: "bad",
    FieldState.INCOMPLETE: "incomplete",
    FieldState.PARTLY: "incomplete",
    FieldState.NOT_TESTED: "not-run",
    FieldState.ASKS_NOTHING: "none",
    FieldState.UNSUPPORTED: "none",
}
_ANSWERS = {
    GateAnswer.MAY: ("✓", "may be released", "good"),
    GateAnswer.MAY_NOT: ("✗", "may not", "bad"),
    GateAnswer.UNKNOWN: ("■", "cannot be told", "incomplete"),
}


@dataclass(frozen=True)
class FieldView:
    """A field of the table. `note` is its second line, `sentence` all that is known of it."""

    host: str
    glyph: str
    word: str
    style: str
    note: str
    sentence: str
    link: str
    is_supported: bool


@dataclass(frozen=True)
class ReasonView:
    """One reason of an answer: what it is, its text, and a link to its cells where there are any."""

    kind: str
    text: str
    link: str | None


@dataclass(frozen=True)
class AnswerView:
    """Whether an SDK version or a host may be released, and why."""

    subject: str
    anchor: str
    glyph: str
    word: str
    style: str
    note: str  # what the answer rests on, where that is less than a reader expects
    counts: str
    reasons: tuple[ReasonView, ...]
    more: int  # reasons that are not shown
    waived: str
    command: str


@dataclass(frozen=True)
class SdkRow:
    """An SDK version: a field for each host of the table, None where the report has no cells of the pair."""

    id: str
    label: str
    link: str
    fields: tuple[FieldView | None, ...]
    answer: AnswerView | None

    @property
    def is_promised(self) -> bool:
        """Whether anything is promised of it."""
        return any(field is not None and field.is_supported for field in self.fields)


@dataclass(frozen=True)
class HostColumn:
    """A host of the table."""

    id: str
    link: str
    is_modified: bool
    answer: AnswerView | None


@dataclass(frozen=True)
class AnswerTable:
    """The SDK versions of some providers on each host."""

    hosts: tuple[HostColumn, ...]
    rows: tuple[SdkRow, ...]

    @property
    def has_answers(self) -> bool:
        """Whether any of its hosts has an answer."""
        return any(host.answer for host in self.hosts)


@dataclass(frozen=True)
class NoticeView:
    """One line beside the answer, and where there is more."""

    text: str
    link: str


@dataclass(frozen=True)
class AnswerParts:
    """All of the answer: the official SDKs, the control, the answers with their reasons, what to know besides."""

    official: AnswerTable
    control: AnswerTable
    answers: tuple[AnswerView, ...]
    notices: tuple[NoticeView, ...]
    states: Mapping[tuple[str, str], FieldState]  # of each SDK and host


def page_grid(report: Report) -> Grid:
    """Returns the matrix of `report`, the official SDKs first, as they are what users have."""
    layout = grid(report)
    groups = sorted(layout.groups, key=lambda group: (group.language, group.provider != "official", group.provider))
    return replace(layout, groups=tuple(groups))


def answer_parts(report: Report) -> AnswerParts:
    """Returns the answer of a report: the same fields and verdicts as the summary and `dmconform gate` have."""
    found = fields(report)
    records = {cell.id: cell.known_failure for cell in report.cells if cell.known_failure}
    given = answers(report)
    of_sdks = {subject: _answer(subject, SDK_POLICY, "--sdk", verdict, records) for subject, verdict in given.sdks}
    of_hosts = {subject: _answer(subject, HOST_POLICY, "--host", verdict, records) for subject, verdict in given.hosts}
    official = [field for field in found if _is_official(field)]
    control = [field for field in found if not _is_official(field)]
    unreleased = {sdk.id: f"{sdk.version or 'unreleased'} ({sdk.commit[:10]})" for sdk in development_sdks(report)}
    described = {host.id: host for host in report.hosts}
    return AnswerParts(
        official=_table(official, described, of_sdks, of_hosts, unreleased),
        control=_table(control, described, {}, {}, unreleased),
        answers=(*of_sdks.values(), *of_hosts.values()),
        notices=(*_besides(report), *(_notice(one) for one in notices(report, found))),
        states={(field.sdk, field.host): field.state for field in found},
    )


def _is_official(field: Field) -> bool:
    return sdk_parts(field.sdk)[2] == Provider.OFFICIAL.value


def _table(
    found: Iterable[Field],
    described: Mapping[str, Host],
    of_sdks: Mapping[str, AnswerView],
    of_hosts: Mapping[str, AnswerView],
    unreleased: Mapping[str, str],
) -> AnswerTable:
    """Returns a table.

    Args:
        found: its fields.
        described: the hosts of the report, by id.
        of_sdks: the answers of SDKs, by id.
        of_hosts: those of hosts.
        unreleased: the versions of SDKs that are no release, by id.
    """
    by_pair = {(field.sdk, field.host): field for field in found}
    hosts = sorted({host for _, host in by_pair}, key=natural)
    sdks = sorted({sdk for sdk, _ in by_pair}, key=natural)
    several = len({sdk_parts(sdk)[2] for sdk in sdks}) > 1
    rows = []
    for sdk in sdks:
        language, minor, provider = sdk_parts(sdk)
        version = unreleased.get(sdk, minor)
        label = " ".join(filter(None, (LANGUAGE_NAMES.get(language, language), version, provider if several else "")))
        its = tuple(_view(by_pair[sdk, host]) if (sdk, host) in by_pair else None for host in hosts)
        rows.append(SdkRow(sdk, label, filter_link(sdk=sdk), its, of_sdks.get(sdk)))
    columns = (
        HostColumn(host, filter_link(host=host), host in described and described[host].is_modified, of_hosts.get(host))
        for host in hosts
    )
    return AnswerTable(tuple(columns), tuple(rows))


def _view(field: Field) -> FieldView:
    shown, state = field.evidence, field.state
    word, note = state.value, ""
    match state:
        case FieldState.HOLDS:
            note = f"{shown.passed} of {shown.cells}"
        case FieldState.KNOWN:
            word, note = f"{shown.known_failures} known", _worst(shown.known)
        case FieldState.FAILS if shown.new_failures:
            word, note = f"{shown.new_failures} fail", _worst(shown.failed)
        case FieldState.CHANGED:
            note = f"{field.changed} cells"
        case FieldState.FAILS:
            note = f"{shown.against} no longer as recorded"
        case FieldState.INCOMPLETE if shown.ran == shown.cells:
            word, note = "incomplete", f"{shown.ran} so far"
        case FieldState.INCOMPLETE:
            note = f"{shown.cells - shown.ran} of {shown.cells}"
        case FieldState.PARTLY:
            word, note = "partly tested", f"{shown.ran} of {shown.cells}"
        case FieldState.NOT_TESTED:
            note = f"0 of {shown.cells}"
        case FieldState.UNSUPPORTED:
            note = _others(field)
        case FieldState.ASKS_NOTHING:
            pass
    return FieldView(
        host=field.host,
        glyph=state.glyph,
        word=word,
        style=STATE_STYLES[state],
        note=note,
        sentence=_sentence(field),
        link=filter_link(sdk=field.sdk, host=field.host),
        is_supported=field.relation is Relation.SUPPORTED,
    )


def _worst(counts: Mapping[Severity, int]) -> str:
    """Returns the worst of some failures, and how many there are of it."""
    worst = next((one for one in Severity if counts.get(one)), None)
    return f"{counts[worst]} {TIMES} {worst.value}" if worst is not None else ""


def _others(field: Field) -> str:
    """Returns what unsupported cells came to, in a few words."""
    return _worst(field.others) or (f"{field.others_passed} pass" if field.others_passed else "")


def _sentence(field: Field) -> str:
    shown = field.evidence
    said = [f"{field.sdk} on Envoy {field.host}: {field.state.value}"]
    if field.relation is Relation.SUPPORTED:
        said += [
            f"promised by {', '.join(field.promises)}" if field.promises else "",
            f"{shown.ran} of {counted(shown.cells, 'promised cell')} tested, {shown.passed} pass",
            f"new failures: {severity_words(shown.failed)}" if shown.failed else "",
            f"known failures: {severity_words(shown.known)}" if shown.known else "",
            f"{shown.against} not as recorded or as static analysis says" if shown.against else "",
            f"{field.changed} not as on record of the release" if field.changed else "",
            f"{shown.errors} could not run" if shown.errors else "",
            f"{shown.not_tested} not tested" if shown.not_tested else "",
            f"{shown.not_applicable} not applicable" if shown.not_applicable else "",
        ]
    if field.others or field.others_passed:
        also = f"tried without a promise: {field.others_passed} pass"
        said.append(also + (f", fail: {severity_words(field.others)}" if field.others else ""))
    return "; ".join(filter(None, said))


def _answer(subject: str, policy: str, option: str, verdict: GateVerdict, records: Mapping[str, str | None]) -> AnswerView:
    glyph, word, style = _ANSWERS[verdict.answer]
    grouped: dict[tuple[ReasonKind, str], list[str]] = {}
    for reason in verdict.reasons:
        record = records.get(reason.cells[0]) if reason.cells and reason.kind is ReasonKind.KNOWN else None
        grouped.setdefault((reason.kind, record or reason.text), []).extend(reason.cells)
    host = subject if option == "--host" else None
    sdk = None if option == "--host" else subject
    reasons = [
        ReasonView(
            kind.value,
            cut(text, LONGEST_REASON) + (f": {counted(len(cells), 'cell')}" if cells else ""),
            filter_link(sdk=sdk, host=host, record=text if kind is ReasonKind.KNOWN and text in records.values() else None)
            if cells
            else None,
        )
        for (kind, text), cells in grouped.items()
    ]
    waived = "; ".join(f"{one.cells} {TIMES} {one.by}" for one in verdict.waived)
    return AnswerView(
        subject=f"Envoy {subject}" if option == "--host" else subject,
        anchor=f"why-{option.removeprefix('--')}-{subject}",
        glyph=glyph,
        word=word,
        style=style,
        note=verdict.answer_words.removeprefix(verdict.answer.value).strip(" ()"),
        counts=f"{verdict.held} of {counted(verdict.cells, 'cell')} that the policy {policy} asks for hold",
        reasons=tuple(reasons[:REASONS_SHOWN]),
        more=max(0, len(reasons) - REASONS_SHOWN),
        waived=waived,
        command=f"dmconform gate REPORT --policy {policy} {option} {subject}",
    )


def _besides(report: Report) -> Iterator[NoticeView]:
    """Yields what modified builds and unreleased SDKs rest on, so that no result of them is taken for a release's."""
    for text in facts_sentences(report):
        yield NoticeView(text, filter_link(judgement=Judgement.CHANGED.value))
    for sdk, text in zip(development_sdks(report), development_sentences(report), strict=True):
        yield NoticeView(text, filter_link(sdk=sdk.id))
    for compared in compare_builds(report):
        yield NoticeView(compared.sentence, filter_link(host=compared.modified.id))
    for host in modified_alone(report):
        text = (
            f"Envoy {host.label} has no clean host beside it: what is shown of {host.release.minor} rests on a modified build"
        )
        yield NoticeView(text, filter_link(host=host.id))


_PLACES = {"abi": "#abi", "coverage": "#points", "unsupported": filter_link(relation="unsupported")}


def _notice(one: Notice) -> NoticeView:
    return NoticeView(one.text, _PLACES[one.kind.value])

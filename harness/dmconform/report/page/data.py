"""The data that the page's script reads: a report without what it says twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from dmconform.binaries.facts import StaticKind
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.text import plain
from dmconform.core.values import Judgement, Outcome, Relation, Severity
from dmconform.report.answers.fields import FieldState
from dmconform.report.answers.points import module_fields
from dmconform.report.comparison.model import ReportComparison
from dmconform.report.coverage import coverage, releases, whole_sentence
from dmconform.report.grid import LANGUAGE_NAMES, Grid
from dmconform.report.inconsistencies import MEANINGS, inconsistencies_by_kind
from dmconform.report.mismatches import mismatch_groups, static_rows, static_words
from dmconform.report.page.abi_steps import AbiStep, abi_steps
from dmconform.report.page.answer import page_grid
from dmconform.report.page.cells import PackedCells, pack, positions
from dmconform.report.page.changes import Changes, changes
from dmconform.report.page.failures import failures
from dmconform.report.page.links import case_source, web_link
from dmconform.report.page.texts import Texts
from dmconform.report.schema import Report
from dmconform.report.summary import RunVerdict, abi_words, summarise, unrun

LONGEST_TEXT = 4000
SHORT_TEXT = 400
MOST_TEXT = 8 << 20  # characters of details: above it they are cut to `SHORT_TEXT`, so that the page stays one that opens
NAMES_SHOWN = 60


class SdkData(msgspec.Struct, frozen=True, rename="camel"):
    """An SDK version with the hosts that it has columns for."""

    id: str
    language: str
    language_name: str
    provider: str
    minor: str


class PointData(msgspec.Struct, frozen=True, rename="camel"):
    """An extension point, and whether any case is about it."""

    id: str
    has_cases: bool


class ColumnData(msgspec.Struct, frozen=True, rename="camel"):
    """One SDK version on one host. `window` is the best relation of its cells, as in the table of the answer."""

    sdk: int
    host: str
    window: Relation
    state: str  # the word of the answer's field
    abi: str
    static: int  # of `static`; -1 where nothing is known


class CaseData(msgspec.Struct, frozen=True, rename="camel"):
    """A case: a row of the matrix. Requirements are positions."""

    id: str
    title: str
    requirements: list[int]
    source: str  # the address of its source; empty where it is not known


class RequirementData(msgspec.Struct, frozen=True, rename="camel"):
    """A sentence of the documents, and how its cases ended in this run: counts of cells."""

    id: str
    statement: str
    document: str
    section: str
    link: str  # to the document; empty where it is not known
    level: str
    hosts: str
    uncovered: str
    cases: list[str]
    status: str
    passed: int
    failed: int
    xfail: int
    not_run: int
    informational: int


class EnvoyTestData(msgspec.Struct, frozen=True, rename="camel"):
    """A behaviour that Envoy's own tests check, and what shows it on real releases."""

    id: str
    section: str
    asserts: str
    shown: list[str]
    reason: str


class StaticData(msgspec.Struct, frozen=True, rename="camel"):
    """What static analysis says of a probe on some hosts."""

    sdk: str
    hosts: list[str]
    words: str
    kind: str
    reason: str
    fits: bool
    missing: int
    names: list[str]
    notes: list[str]


class CauseData(msgspec.Struct, frozen=True, rename="camel"):
    """Cells that fail for one cause; its text is given by its number."""

    id: str
    judgement: Judgement
    is_loader: bool
    record: str
    text: int
    cells: list[int]
    reruns: str  # how some of them ended when they ran again


class RecordData(msgspec.Struct, frozen=True, rename="camel"):
    """A record of a known failure. `issue` is an address of the web, or says that there is none."""

    id: str
    title: str
    fault: str
    issue: str
    workaround: str
    reason: str
    evidence: str
    cells: int
    xpass: int


class FindingData(msgspec.Struct, frozen=True, rename="camel"):
    """A finding that no supported cell shows."""

    id: str
    title: str
    document: str
    seen: str
    hosts: list[str]
    sdks: list[str]
    fault: str
    command: str
    by_hand: str
    issue: str
    workaround: str


class InconsistencyData(msgspec.Struct, frozen=True, rename="camel"):
    """What is wrong with a record, and the command that fixes it."""

    kind: str
    meaning: str
    record: str
    cells: list[str]
    text: str
    fix: str


class MismatchData(msgspec.Struct, frozen=True, rename="camel"):
    """Cells with the same static/run-time mismatch."""

    sdk: str
    host: str
    text: str
    counts: bool
    cells: list[int]


class UnrunData(msgspec.Struct, frozen=True, rename="camel"):
    """Cells that did not run for the same reason."""

    outcome: Outcome
    judgement: Judgement
    reason: str
    count: int
    example: int


class AbiFindingData(msgspec.Struct, frozen=True, rename="camel"):
    """A change of the ABI that breaks modules already built."""

    old: str
    new: str
    subject: str
    kind: str
    how: str
    points: list[str]
    used_by: list[str]
    detail: str
    certain: bool


class PageData(msgspec.Struct, frozen=True, rename="camel"):
    """The data of the page.

    `point_states` is what an extension point comes to in a column: its place, the column's, the word of the field and why it is
    not applicable or was not tested, as numbers of texts.
    """

    texts: list[str]
    cells: PackedCells
    sdks: list[SdkData]
    columns: list[ColumnData]
    modified_hosts: list[str]
    points: list[PointData]
    point_states: list[tuple[int, int, int, int]]
    cases: list[CaseData]
    requirements: list[RequirementData]
    covered: str
    envoy_tests: list[EnvoyTestData]
    static: list[StaticData]
    causes: list[CauseData]
    records: list[RecordData]
    findings: list[FindingData]
    inconsistencies: list[InconsistencyData]
    mismatches: list[MismatchData]
    unrun: list[UnrunData]
    abi_steps: tuple[AbiStep, ...]
    abi_findings: list[AbiFindingData]
    changes: Changes | None
    severities: list[str]  # the worst first
    calm: bool  # nothing fails the run, and it is complete


def page_data(
    report: Report,
    comparison: ReportComparison | None,
    states: Mapping[tuple[str, str], FieldState],
    beside: Path | None = None,
) -> PageData:
    """Returns the data of `report` that the script needs.

    Args:
        report: of a run.
        comparison: that of an earlier report with it.
        states: of the answer's fields, by SDK and host.
        beside: the folder of the page; evidence that is not there is left out. None: all evidence is taken to be there.
    """
    return _Maker(report, page_grid(report), comparison, states, beside).make()


class _Maker:
    def __init__(
        self,
        report: Report,
        layout: Grid,
        comparison: ReportComparison | None,
        states: Mapping[tuple[str, str], FieldState],
        beside: Path | None,
    ) -> None:
        self.report, self.layout, self.comparison, self.states, self.beside = report, layout, comparison, states, beside
        details = sum(min(len(cell.detail), LONGEST_TEXT) for cell in report.cells)
        self.texts = Texts(LONGEST_TEXT, LONGEST_TEXT if details <= MOST_TEXT else SHORT_TEXT)
        self.at = positions(report)

    def make(self) -> PageData:
        report, texts, safe = self.report, self.texts, self.texts.safe
        static = self._static()
        cells = pack(report, self.layout, texts, self.beside)
        found = self._causes()
        compared = changes(report, self.comparison, texts) if self.comparison is not None else None
        points = _points(report)
        states = self._point_states(points)
        return PageData(
            texts=texts.all,  # after all that adds to it
            cells=cells,
            sdks=[
                SdkData(
                    safe(sdk.sdk),
                    safe(group.language),
                    safe(LANGUAGE_NAMES.get(group.language, group.language)),
                    safe(group.provider),
                    safe(sdk.shown),
                )
                for group in self.layout.groups
                for sdk in group.sdks
            ],
            columns=self._columns(),
            modified_hosts=[safe(host.id) for host in report.hosts if host.is_modified],
            points=points,
            point_states=states,
            cases=self._cases(),
            requirements=self._requirements(),
            covered=whole_sentence(report),
            envoy_tests=[
                EnvoyTestData(
                    safe(it.id),
                    safe(it.section),
                    safe(it.asserts),
                    [safe(name) for name in (*it.cases, *it.measured)],
                    safe(it.reason or ""),
                )
                for it in report.envoy_tests
            ],
            static=static,
            causes=found,
            records=[
                RecordData(
                    id=safe(it.id),
                    title=safe(it.title or it.id),
                    fault=safe(it.fault),
                    issue=_issue(it.issue, it.looked_for),
                    workaround=safe(it.workaround),
                    reason=safe(it.reason),
                    evidence=safe(it.evidence),
                    cells=it.cells,
                    xpass=it.stale_cells,
                )
                for it in report.known_failures
            ],
            findings=[
                FindingData(
                    safe(it.id),
                    safe(it.title),
                    safe(it.document),
                    safe(it.seen),
                    [safe(host) for host in it.hosts],
                    [safe(sdk) for sdk in it.sdks],
                    safe(it.fault),
                    safe(it.reproduce or ""),
                    safe(it.by_hand or ""),
                    _issue(it.issue, it.looked_for),
                    safe(it.workaround),
                )
                for it in report.findings
            ],
            inconsistencies=[
                InconsistencyData(
                    kind.value,
                    MEANINGS[kind],
                    safe(it.record or ""),
                    [safe(cell) for cell in it.cells],
                    safe(it.text),
                    safe(it.fix),
                )
                for kind, found in inconsistencies_by_kind(report).items()
                for it in found
            ],
            mismatches=[
                MismatchData(safe(it.sdk), safe(it.host), safe(it.text), it.counts, [self.at[cell] for cell in it.cells])
                for it in mismatch_groups(report)
            ],
            unrun=[UnrunData(it.outcome, it.judgement, safe(it.reason), it.count, self.at[it.example]) for it in unrun(report)],
            abi_steps=abi_steps(report),
            abi_findings=[
                AbiFindingData(
                    safe(it.sdk_minor),
                    safe(it.host_minor),
                    safe(it.subject),
                    safe(it.kind),
                    safe(it.how),
                    [safe(point) for point in it.points],
                    [safe(sdk) for sdk in it.used_by],
                    safe(it.detail),
                    it.certain,
                )
                for it in report.abi_findings
            ],
            changes=compared,
            severities=[one.value for one in Severity],
            calm=summarise(report).verdict not in (RunVerdict.FAIL, RunVerdict.INCOMPLETE),
        )

    def _columns(self) -> list[ColumnData]:
        rows = static_rows(self.report)
        static = {(row.entry.sdk, host): at for at, row in enumerate(rows) for host in row.hosts}
        sdks = [sdk.sdk for group in self.layout.groups for sdk in group.sdks]
        seen: dict[tuple[str, str], set[Relation]] = {}
        for cell in self.report.cells:
            seen.setdefault((cell.sdk, cell.host), set()).add(cell.relation)
        return [
            ColumnData(
                sdk=sdks.index(sdk.sdk),
                host=self.texts.safe(host),
                window=next(one for one in Relation if one in seen[sdk.sdk, host]),
                state=self.states[sdk.sdk, host].value,
                abi=abi_words(self.layout.column(sdk.sdk, host)),
                static=static.get((sdk.sdk, host), -1),
            )
            for _, sdk, host in self.layout.columns
        ]

    def _point_states(self, points: list[PointData]) -> list[tuple[int, int, int, int]]:
        """Returns what each extension point comes to in each column of an official SDK."""
        places = {one.id: at for at, one in enumerate(points)}
        columns = {(sdk.sdk, host): at for at, (_, sdk, host) in enumerate(self.layout.columns)}
        return [
            (
                places[one.point],
                columns[one.field.sdk, one.field.host],
                self.texts.add(one.state.value),
                self.texts.add(one.reason),
            )
            for one in module_fields(self.report)
            if one.is_official and one.point in places
        ]

    def _cases(self) -> list[CaseData]:
        described = {case.id: case for case in self.report.cases}
        places = {one.id: at for at, one in enumerate(self.report.requirements)}
        found = []
        for name in self.layout.cases:
            case = described.get(name)
            its = [places[one] for one in case.requirements if one in places] if case else []
            source = case_source(self.report.environment, case) or ""
            found.append(CaseData(self.texts.safe(name), self.texts.safe(case.title) if case else "", its, source))
        return found

    def _requirements(self) -> list[RequirementData]:
        safe = self.texts.safe
        return [
            RequirementData(
                id=safe(it.entry.id),
                statement=safe(it.entry.statement),
                document=safe(it.entry.document),
                section=safe(it.entry.section),
                link=web_link(it.entry.link) or "",
                level=it.entry.level.value,
                hosts=safe(releases(it.entry)),
                uncovered=safe(it.entry.uncovered or ""),
                cases=[safe(case) for case in it.entry.cases],
                status=it.status,
                passed=it.held,
                failed=it.broken,
                xfail=it.known,
                not_run=it.not_run,
                informational=it.facts,
            )
            for it in coverage(self.report)
        ]

    def _static(self) -> list[StaticData]:
        safe = self.texts.safe
        return [
            StaticData(
                sdk=safe(row.entry.sdk),
                hosts=[safe(host) for host in row.hosts],
                words=static_words(row.entry),
                kind=row.entry.kind.value,
                reason=safe(row.entry.reason),
                fits=row.entry.kind is StaticKind.LOADS,
                missing=len(row.entry.missing),
                names=[safe(name) for name in row.entry.missing[:NAMES_SHOWN]],
                notes=[safe(note) for note in row.entry.notes],
            )
            for row in static_rows(self.report)
        ]

    def _causes(self) -> list[CauseData]:
        return [
            CauseData(
                id=it.id,
                judgement=it.judgement,
                is_loader=it.is_loader,
                record=self.texts.safe(it.record),
                text=self.texts.add_of_cell(it.text, it.cells[0].id),
                cells=[self.at[cell.id] for cell in it.cells],
                reruns=it.reruns,
            )
            for it in failures(self.report)
        ]


def _issue(issue: str, looked_for: str) -> str:
    """Returns the address of an issue where it is one of the web, and else what is known of it."""
    if web_link(issue) is not None:
        return issue
    return plain(f"{issue}, looked for on {looked_for}" if issue and looked_for else issue)


def _points(report: Report) -> list[PointData]:
    """Returns all extension points. Of an older report it is known only that its cases are about HTTP filters."""
    suite = report.suite
    points = [(name, True) for name in suite.points_with_cases] if suite is not None else []
    points += [(name, False) for name in suite.points_without_cases] if suite is not None else []
    points = points or [(one.value, one is ExtensionPoint.HTTP_FILTER) for one in ExtensionPoint]
    return [PointData(plain(name), has_cases) for name, has_cases in sorted(points, key=lambda one: (not one[1], one[0]))]

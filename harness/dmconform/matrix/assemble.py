"""From a plan and the results of its cells to a report. Every planned cell is in it, whatever happened."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from dmconform.binaries.facts import ModuleFacts
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.trouble import is_full
from dmconform.core.values import AbiVerdict, CellId, Host, Judgement, Outcome, Relation
from dmconform.matrix import environment
from dmconform.matrix.announce import repository_of
from dmconform.matrix.classification import classify
from dmconform.matrix.prepare import EVIDENCE, Prepared
from dmconform.matrix.run_cell import CellResult
from dmconform.report.findings import title_of, whose
from dmconform.report.host_log import log_lines
from dmconform.report.schema import (
    SCHEMA_VERSION,
    CaseEntry,
    CellEntry,
    DocumentPromise,
    EnvoyTestEntry,
    FindingEntry,
    KnownFailureEntry,
    ProbeEntry,
    Report,
    RequirementEntry,
    SdkEntry,
    StaticEntry,
    SuiteCase,
    SuiteEntry,
)
from dmconform.sdks.builder import Built, NotBuilt
from dmconform.sdks.sources import redact as without_credentials
from dmconform.spec.cases import points_with_cases
from dmconform.spec.catalogue import Catalogue
from dmconform.spec.cells import PlannedCell
from dmconform.spec.envoy_tests import SECTIONS, load_envoy_tests
from dmconform.spec.expectations import KnownFailure
from dmconform.spec.inconsistencies import Inconsistency, JudgedCell, inconsistencies_of_cells
from dmconform.spec.judgement import exit_code
from dmconform.spec.promise import known_promises

LOGS = "build-logs"
SHORTEST_WAIT_S = 0.005


@dataclass(frozen=True)
class RunFacts:
    """The facts of a run besides its cells."""

    started_at: datetime
    duration_s: float
    command: str
    incomplete_reason: str | None


class _Redactor:
    """A function that removes this machine's folders from texts that end up in a report."""

    def __init__(self, folder: Path, sdk_source: str) -> None:
        folders = {
            sdk_source if sdk_source.startswith(("/", "file:")) else "": "$SDK_SOURCE",
            str(folder.resolve()): "$REPORT",
            str(paths.cache_folder()): "$CACHE",
            str(paths.CHECKOUT or paths.PACKAGE): "$PROJECT",
            str(Path.home()): "~",
        }
        self._folders = sorted(folders.items(), key=lambda item: -len(item[0]))

    def of_cell(self, text: str, folder: str) -> str:
        """Returns a text about one cell without the cell's folder, so that the same text of many cells is stored once."""
        return self(text).replace(f"$REPORT/{EVIDENCE}/{folder}", "$CELL")

    def __call__(self, text: str) -> str:
        for path, name in self._folders:
            if len(path) > 1:
                text = text.replace(path, name)
        return text


def assemble(
    catalogue: Catalogue, prepared: Prepared, results: Mapping[str, CellResult], facts: RunFacts, folder: Path
) -> Report:
    """Returns the report of a run; writes the build logs that it refers to into its folder.

    Args:
        catalogue: cases, requirements and records.
        prepared: the plan, its selection and its builds.
        results: how cells ended, by the text of their id; a planned cell without a result did not run.
        facts: of the run as a whole: when, how long, by which command, whether to the end.
        folder: the folder of the report.
    """
    redact = _Redactor(folder, prepared.selection.repository)
    plan = prepared.plan
    modules = {str(build.sdk.id): build for build in prepared.builds}
    cells = tuple(_cell(catalogue, prepared, cell, results.get(str(cell.id)), facts, redact, folder) for cell in plan.cells)
    used_cases = {cell.case for cell in cells}
    cases = tuple(case for case in catalogue.cases if case.id in used_cases)
    selection, abi = prepared.selection, prepared.abi
    complete = facts.incomplete_reason is None
    of_records = catalogue.inconsistencies()
    return Report(
        schema_version=SCHEMA_VERSION,
        started_at=facts.started_at.astimezone(UTC).isoformat(timespec="seconds"),
        duration_s=round(facts.duration_s, 3),
        complete=complete,
        incomplete_reason=facts.incomplete_reason,
        command=redact(facts.command),
        selection={
            "host": tuple(redact(spec) for spec in selection.hosts),
            "sdk": selection.sdks,
            "case": selection.cases,
            **({"everywhere": ()} if selection.everywhere else {}),
        },
        environment=environment.describe(prepared.engine_name, prepared.toolchain),
        hosts=tuple(msgspec.structs.replace(one.host, binary=Path(one.host.binary).name) for one in plan.hosts),
        sdks=tuple(
            _sdk(modules[sdk.id], prepared.probes.get(sdk.id), selection.repository, redact, folder) for sdk in plan.sdks
        ),
        cases=tuple(CaseEntry(case.id, case.title, case.declaration.requirements, case.severity, case.line) for case in cases),
        requirements=requirement_entries(catalogue),
        envoy_tests=envoy_test_entries(),
        known_failures=matched_records(catalogue.known_failures, cells),
        inconsistencies=(*seen_inconsistencies(cells), *of_records),
        cells=cells,
        static=tuple(
            StaticEntry(one.sdk, one.host, one.verdict.kind, one.verdict.reason, one.verdict.missing, one.verdict.notes)
            for one in plan.static
        ),
        abi_pairs=abi.pairs,
        abi_findings=abi.findings,
        planned_cells=len(plan.cells),
        exit_code=int(exit_code((cell.judgement for cell in cells), complete, len(of_records))),
        shard=prepared.shard,
        findings=finding_entries(catalogue),
        suite=suite_of(catalogue),
        facts=plan.facts,
        promises=tuple(DocumentPromise(one.id, one.title, one.requirement, one.gates) for one in known_promises()),
    )


def suite_of(catalogue: Catalogue) -> SuiteEntry:
    """Returns what this suite knows, whatever a run selects."""
    with_cases = points_with_cases(catalogue.cases)
    return SuiteEntry(
        hosts=tuple(host.release for host in catalogue.hosts),
        sdks=tuple(str(sdk.id) for sdk in catalogue.sdks),
        cases=tuple(SuiteCase(one.id, tuple(it.value for it in one.declaration.probes)) for one in catalogue.cases),
        records=tuple(record.id for record in catalogue.known_failures),
        points_with_cases=tuple(point.value for point in ExtensionPoint if point in with_cases),
        points_without_cases=tuple(point.value for point in ExtensionPoint if point not in with_cases),
    )


def seen_inconsistencies(cells: Iterable[CellEntry]) -> tuple[Inconsistency, ...]:
    """Returns inconsistencies between the cells of a report and the records of known failures."""
    return inconsistencies_of_cells(
        JudgedCell(cell.id, cell.outcome, cell.detail, cell.judgement, cell.known_failure)
        for cell in cells
        if cell.relation is Relation.SUPPORTED
    )


def matched_records(
    records: Iterable[KnownFailure | KnownFailureEntry], cells: Iterable[CellEntry]
) -> tuple[KnownFailureEntry, ...]:
    """Returns the records of known failures that cells were judged by, with how many cells that are."""
    cells = tuple(cells)
    matched = Counter(cell.known_failure for cell in cells if cell.known_failure)
    stale = Counter(cell.known_failure for cell in cells if cell.known_failure and cell.judgement is Judgement.XPASS)
    return tuple(
        msgspec.structs.replace(_known_failure(one), cells=matched[one.id], stale_cells=stale[one.id])
        for one in records
        if one.id in matched
    )


def _known_failure(record: KnownFailure | KnownFailureEntry) -> KnownFailureEntry:
    """Returns a record as reports have it; that of another report as it is."""
    if isinstance(record, KnownFailureEntry):
        return record
    return KnownFailureEntry(
        id=record.id,
        reason=record.reason,
        evidence=record.evidence,
        cells=0,
        stale_cells=0,
        title=title_of(record),
        fault=record.fault.value if record.fault is not None else "",
        issue=record.issue,
        looked_for=_day(record.looked_for),
        workaround=" ".join((record.workaround or "").split()),
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


def envoy_test_entries() -> tuple[EnvoyTestEntry, ...]:
    """Returns every behaviour that Envoy's own tests check."""
    return tuple(
        EnvoyTestEntry(one.id, SECTIONS[one.section], one.asserts, one.cases, one.measured, one.reason)
        for one in load_envoy_tests(paths.ENVOY_TESTS_FILE)
    )


def finding_entries(catalogue: Catalogue) -> tuple[FindingEntry, ...]:
    """Returns findings that no supported cell shows."""
    return tuple(
        FindingEntry(
            id=one.id,
            title=one.title,
            document=" ".join(one.document.split()),
            seen=" ".join(one.seen.split()),
            hosts=one.hosts,
            sdks=one.sdks,
            fault=whose(one),
            reproduce=one.reproduce,
            by_hand=one.by_hand,
            issue=one.issue,
            looked_for=_day(one.looked_for),
            workaround=" ".join((one.workaround or "").split()),
        )
        for one in catalogue.findings
    )


def requirement_entries(catalogue: Catalogue) -> tuple[RequirementEntry, ...]:
    """Returns every requirement with the cases that show it."""
    cases: dict[str, list[str]] = {}
    for case in catalogue.cases:
        for requirement in case.declaration.requirements:
            cases.setdefault(requirement, []).append(case.id)
    return tuple(
        RequirementEntry(
            id=one.id,
            statement=one.statement,
            document=one.document,
            section=one.section,
            level=one.level,
            since=one.since,
            until=one.until,
            uncovered=one.uncovered,
            cases=tuple(cases.get(one.id, ())),
            link=one.link,
        )
        for one in catalogue.requirements.values()
    )


def _cell(
    catalogue: Catalogue,
    prepared: Prepared,
    planned: PlannedCell,
    result: CellResult | None,
    facts: RunFacts,
    redact: _Redactor,
    folder: Path,
) -> CellEntry:
    if result is None:
        why = facts.incomplete_reason or "its worker ended without one"
        result = CellResult(planned.id, Outcome.ERROR, f"there is no result: {why}")
    classified = classify(prepared.plan, planned, result, catalogue.known_failures)
    probe = prepared.plan.sdk(planned.id.sdk).modules.get("probe")
    log = log_lines(folder / EVIDENCE / result.evidence / "envoy.log") if result.evidence else ()
    return CellEntry(
        id=str(planned.id),
        case=planned.id.case,
        sdk=planned.id.sdk,
        host=planned.id.host,
        relation=planned.relation,
        relation_reason=planned.relation_reason,
        promises=planned.promises,
        outcome=result.outcome,
        judgement=classified.judgement,
        detail=redact.of_cell(result.detail, planned.id.folder),
        abi_verdict=result.abi_verdict if result.outcome.is_verdict else AbiVerdict.NOT_LOADED,
        duration_s=round(result.duration_s, 4),
        facts={name: redact.of_cell(value, planned.id.folder) for name, value in result.facts.items()},
        known_failure=classified.record.id if classified.record else None,
        evidence=f"{EVIDENCE}/{result.evidence}" if result.evidence else None,
        module_sha256=probe.sha256 if probe else None,
        reproduce=reproduce_command(planned.id, prepared.plan.host(planned.id.host).host)
        + _named_commit(prepared, planned, redact),
        probe_load=result.probe_load,
        mismatch=classified.mismatch,
        fact=classified.fact,
        changed=classified.changed,
        chance=classified.chance,
        log=tuple(redact.of_cell(line, planned.id.folder) for line in log),
        waits={what: round(seconds, 3) for what, seconds in result.waits.items() if seconds >= SHORTEST_WAIT_S},
    )


def _named_commit(prepared: Prepared, planned: PlannedCell, redact: _Redactor) -> str:
    """Returns the option without which the cell's SDK would be that of the release; empty where it is."""
    selection = prepared.selection
    if selection.commit is None or planned.id.sdk.endswith(":reference"):
        return ""
    return f" --sdk-source {shlex.quote(redact(without_credentials(f'{selection.repository}#{selection.commit}')))}"


def reproduce_command(cell: CellId, host: Host) -> str:
    """Returns the command that runs a cell again. A host that is not a known release is named by where it came from."""
    kind, _, where = host.origin.partition(" ")
    if "~" not in host.id or kind not in ("image", "file"):
        return f"dmconform reproduce {cell}"
    spec = f"{'path' if kind == 'file' else kind}:{where}"
    return f"dmconform reproduce {cell} --host {shlex.quote(spec)}"


def _sdk(build: Built | NotBuilt, probe: ModuleFacts | None, source: str, redact: _Redactor, folder: Path) -> SdkEntry:
    """Returns the entry of an SDK version; writes its build log.

    Args:
        build: its modules, or why there are none.
        probe: what its probe's file says.
        source: the repository with the official SDKs.
        redact: removes this machine's folders from texts.
        folder: of the report.
    """
    sdk = build.sdk
    log = build.log.read_bytes() if isinstance(build, Built) else build.log
    log_file: str | None = None
    if log:
        log_file = _write_log(folder, f"{LOGS}/{str(sdk.id).replace(':', '+')}.log", redact(log.decode(errors="replace")))
    entry = SdkEntry(
        id=str(sdk.id),
        language=sdk.id.language.value,
        minor=str(sdk.id.minor),
        provider=sdk.id.provider.value,
        release=sdk.release,
        abi_version=sdk.abi_version,
        source="",
        build_log=log_file,
        commit=sdk.commit,
        development=sdk.development is not None,
        version=sdk.development.version if sdk.development else sdk.official.release if sdk.official else "",
    )
    if isinstance(build, NotBuilt):
        return msgspec.structs.replace(entry, problem=redact(build.problem))
    return msgspec.structs.replace(
        entry,
        source=build.stored.source,
        repository=repository_of(build, source),
        modules=tuple(msgspec.structs.replace(one, path=Path(one.path).name) for one in build.stored.modules),
        build_s=round(build.stored.build_s, 3) if build.fresh else None,
        probe=_probe(probe) if probe is not None else None,
    )


def _write_log(folder: Path, name: str, text: str) -> str | None:
    """Writes a build log; returns its name, or None where the disk has no room: the report goes first."""
    file = folder / name
    try:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        if not is_full(error):
            raise
        file.unlink(missing_ok=True)
        return None
    return name


def _probe(facts: ModuleFacts) -> ProbeEntry:
    return ProbeEntry(
        binding=facts.binding,
        nodelete=facts.nodelete,
        stripped=facts.stripped,
        abi_version=facts.abi_version,
        abi_version_known=facts.abi_version_known,
        language=facts.language,
        sdk=facts.sdk,
        language_known=facts.language_known,
        search_paths=facts.search_paths,
        libstdcxx_floor=facts.libstdcxx_floor,
        hooks=facts.hooks,
        callbacks=tuple(one.name for one in facts.callbacks),
    )

"""The report of a run: the shape of `report.json`.

`SCHEMA_VERSION` counts up by one whenever a reader of the older shape could misread the newer one. The JSON Schema published in
`reports/schema/` is generated from these types (`tox -e schema`) and compared with them in the tests.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from dmconform.binaries.facts import Binding, Known, StaticKind
from dmconform.core.values import (
    AT_POINT,
    AbiVerdict,
    ChangedFact,
    FactsLevel,
    FactState,
    Host,
    Judgement,
    ModuleFile,
    Outcome,
    ProbeLoad,
    Relation,
    Severity,
)
from dmconform.sdks.catalogue import development_label
from dmconform.spec.cases import Level
from dmconform.spec.inconsistencies import Inconsistency

SCHEMA_VERSION = 9
_POINT = re.compile(rf"[a-z0-9_]+/[a-z0-9_]+{AT_POINT}([a-z][a-z0-9_]*)")


def point_of_case(case: str) -> str:
    """Returns the extension point that the id of a case names, which may be one of a newer suite; empty: it names none."""
    found = _POINT.fullmatch(case)
    return found[1] if found is not None else ""


class ProbeEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a probe's file, read without running it: the base of the static verdicts."""

    binding: Binding
    nodelete: bool
    stripped: bool
    abi_version: str | None  # None where it cannot be read without running the module
    abi_version_known: Known
    language: str
    sdk: str
    language_known: Known  # of the language and the SDK
    search_paths: tuple[str, ...]
    libstdcxx_floor: str | None
    hooks: tuple[str, ...]  # that it defines
    callbacks: tuple[str, ...]  # that it leaves undefined


class SdkEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An SDK version of the run. `modules` is empty where it was not built; `problem` is then the reason."""

    id: str
    language: str
    minor: str
    provider: str
    release: str
    abi_version: str
    source: str  # where its sources came from, without machine paths
    modules: tuple[ModuleFile, ...] = ()
    build_s: float | None = None  # None: taken from the cache
    problem: str | None = None
    build_log: str | None = None  # relative to the report's folder
    probe: ProbeEntry | None = None
    commit: str = ""  # 40 digits, of an official SDK's sources; empty where it is not recorded, and for the reference SDK
    repository: str = ""  # where these came from, without machine paths; empty where that is not known
    development: bool = False  # the commit is no release's: nothing is promised of it
    version: str = ""  # of its sources: the release, or what a development commit says, such as 1.40.0-dev

    @property
    def label(self) -> str:
        """The name that people read: a development commit never has that of the release."""
        if not self.development:
            return self.id
        return f"{self.language}@{development_label(self.version, self.commit)}:{self.provider}"


class CaseEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case of the run and the document sentence it checks."""

    id: str
    title: str
    requirements: tuple[str, ...]
    severity: Severity = Severity.WRONG  # of an assertion that does not hold
    line: int = 0  # where it begins in the file of its area; 0 in older reports


class DocumentPromise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A promise of the documents about pairs of SDK and host."""

    id: str
    title: str
    requirement: str
    gates: bool


class RequirementEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence of the documents, in this project's words. A report has all of them, whatever was selected."""

    id: str
    statement: str
    document: str
    section: str
    level: Level = Level.MUST
    since: str | None = None  # the first minor of hosts that it holds for
    until: str | None = None  # the last one
    uncovered: str | None = None  # why no case shows it
    cases: tuple[str, ...] = ()  # all that show it, also those that this run did not select
    link: str = ""  # to the document at the commit of a release; empty in reports from before that was noted


class EnvoyTestEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A behaviour that Envoy's own tests check. A report has all of them, whatever was selected."""

    id: str
    section: str  # its title
    asserts: str
    cases: tuple[str, ...] = ()  # that show it, also those that this run did not select
    measured: tuple[str, ...] = ()  # tables of module_faults.json that show it
    reason: str | None = None  # why nothing shows it


class RerunEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of running a cell again, alone. It never takes the place of the first result."""

    outcome: Outcome
    judgement: Judgement
    detail: str


class CellEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One cell: its relation, its outcome, and its judgement."""

    id: str
    case: str
    sdk: str
    host: str
    relation: Relation
    relation_reason: str
    outcome: Outcome
    judgement: Judgement
    detail: str  # what was expected and what was seen, or why it did not run; empty where it passed
    abi_verdict: AbiVerdict
    duration_s: float
    facts: dict[str, str] = {}
    known_failure: str | None = None  # id of the record that matched
    evidence: str | None = None  # folder relative to the report's
    module_sha256: str | None = None
    reproduce: str = ""
    probe_load: ProbeLoad = ProbeLoad()  # the run-time observation; `static` of the report has the static analysis
    mismatch: str | None = None  # how static analysis and run-time observation contradict each other
    log: tuple[str, ...] = ()  # lines of the host's log that matter, of cells that did not pass
    promises: tuple[str, ...] = ()  # ids of those that cover it
    waits: dict[str, float] = {}  # seconds, by what was waited for; from 5 ms on
    reruns: tuple[RerunEntry, ...] = ()  # of a cell that counts as a failure
    fact: FactState = FactState.NOT_COMPARED  # how it compares with what is on record of the release
    changed: tuple[ChangedFact, ...] = ()  # in what it differs from that
    chance: str = ""  # why nothing is ever on record of it: what its end depends on, where that is not the same in every run

    @property
    def point(self) -> str:
        """The extension point that its case names; empty: it names none."""
        return point_of_case(self.case)

    @property
    def beside_record(self) -> str:
        """How it compares with what is on record of the release, in words."""
        return f"{self.fact.value}: {self.chance}" if self.chance else self.fact.value

    @property
    def reason(self) -> str:
        """Why it does not hold: how it ended, how two observations contradict each other, or what is not as on record."""
        if self.judgement is Judgement.MISMATCH:
            return self.mismatch or ""
        if self.judgement is Judgement.CHANGED:
            return "; ".join(one.words for one in self.changed)
        return self.detail


class StaticEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The static analysis of all cells of one SDK version on one host: what the host is expected to make of the probe."""

    sdk: str
    host: str
    kind: StaticKind
    reason: str  # one sentence, which names a few symbols at most
    missing: tuple[str, ...]  # all symbols that make it so
    notes: tuple[str, ...]  # what does not decide


class AbiPairEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A supported pair of minors whose ABI data was compared: how many findings there are, and how much could be compared.

    `functions` are those that both have; of these the signatures are known from the releases' own headers (`exact`), on one
    side from another header only (`nearby`), or not at all (`unknown`: nothing is known of them but the name).
    """

    sdk_minor: str
    host_minor: str
    findings: int
    functions: int
    exact: int
    nearby: int
    unknown: int


class AbiFindingEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of the ABI between the minors of a supported pair that breaks it, whether or not a cell is affected."""

    sdk_minor: str
    host_minor: str
    subject: str  # the function or type
    kind: str  # what happened to it
    how: str  # what that does to a module already built
    points: tuple[str, ...]  # extension points; empty: all, or none in particular
    used_by: tuple[str, ...]  # SDK versions whose modules are concerned, as far as measured
    detail: str
    certain: bool  # false: as far as a header shows that is not the release's own


class KnownFailureEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recorded known failure that matched cells of this run."""

    id: str
    reason: str
    evidence: str
    cells: int
    stale_cells: int
    title: str = ""  # these are empty in reports from before they were noted
    fault: str = ""  # as `Fault` has it
    issue: str = ""  # the address of a report, or "not reported"
    looked_for: str = ""  # the day on which no report was found, as 2026-11-30
    workaround: str = ""


class FindingEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A defect of hosts or SDKs that no supported cell shows: known when the run was made, not found by it."""

    id: str
    title: str
    document: str  # what the documents say of it
    seen: str
    hosts: tuple[str, ...]
    sdks: tuple[str, ...]
    fault: str
    reproduce: str | None  # one command
    by_hand: str | None  # how to see it, where there is no such command
    issue: str = ""  # the address of a report, or "not reported"; empty in reports from before that was noted
    looked_for: str = ""  # the day on which no report was found, as 2026-11-30
    workaround: str = ""


class SuiteCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case that a suite knew, and whose SDKs a whole report has it with: none where its module needs no SDK."""

    id: str
    languages: tuple[str, ...]


class SuiteEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the suite knew when the run was made, whatever was selected: what a whole report would have."""

    hosts: tuple[str, ...]  # known releases
    sdks: tuple[str, ...]  # ids
    cases: tuple[SuiteCase, ...]
    records: tuple[str, ...]  # ids of known failures
    points_with_cases: tuple[str, ...] = ()  # extension points
    points_without_cases: tuple[str, ...] = ()


class Environment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The place of the run."""

    suite_version: str
    suite_commit: str
    python: str
    kernel: str
    distribution: str
    cpus: int
    container_engine: str
    toolchain: dict[str, str]
    toolchain_drift: tuple[str, ...]
    repository: str = ""  # where the suite's commit can be read, an address of the web; empty where its clone names none
    held_by: str = ""  # what an Envoy and all that it starts were held together by; empty in reports from before that was noted


class Shard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of a run that this is, where several machines share one."""

    index: int  # from 1 on
    count: int
    plan_sha256: str  # of the whole plan's cells: parts of one run have it in common
    planned_cells: int  # of the whole plan


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole run, or one shard of it."""

    schema_version: int
    started_at: str  # RFC 3339, UTC
    duration_s: float
    complete: bool
    incomplete_reason: str | None
    command: str
    selection: dict[str, tuple[str, ...]]
    environment: Environment
    hosts: tuple[Host, ...]
    sdks: tuple[SdkEntry, ...]
    cases: tuple[CaseEntry, ...]
    requirements: tuple[RequirementEntry, ...]
    known_failures: tuple[KnownFailureEntry, ...]
    inconsistencies: tuple[Inconsistency, ...]
    cells: tuple[CellEntry, ...]
    static: tuple[StaticEntry, ...]
    abi_pairs: tuple[AbiPairEntry, ...]
    abi_findings: tuple[AbiFindingEntry, ...]
    planned_cells: int  # of the shard, where it is one
    exit_code: int
    shard: Shard | None = None
    findings: tuple[FindingEntry, ...] = ()
    envoy_tests: tuple[EnvoyTestEntry, ...] = ()
    promises: tuple[DocumentPromise, ...] = ()
    suite: SuiteEntry | None = None  # None in reports from before it was noted
    facts: FactsLevel = FactsLevel.IGNORE  # what became of cells that do not behave as is on record


def report_json(report: Report) -> bytes:
    """Returns what `report.json` has, indented."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"


def write_report(report: Report, path: Path) -> None:
    """Writes `report.json`."""
    path.write_bytes(report_json(report))

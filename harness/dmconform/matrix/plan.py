"""A plan: every cell of a run, with what is needed to run it. Written to a file that all workers read."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from dmconform.binaries.facts import StaticVerdict
from dmconform.core.datafile import load_json
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import CellId, FactsLevel, Feature, Host, Language, ModuleFile, Outcome, SdkId
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import AbiCheck, Opens
from dmconform.spec.cells import PlannedCell

PLAN_FILE = "plan.json"


class PlannedSdk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The SDK of a cell, as the cell needs it. `modules` is empty where there are none; then `problem` gives the reason."""

    id: str
    abi_version: str
    panic_guard: bool
    catch_unwind: bool
    unloads: bool
    unloads_reason: str | None
    host_environment: dict[str, str]
    lacks: tuple[Feature, ...] = ()
    points: dict[ExtensionPoint, str] = {}  # at which probes of its language and provider can be used: the first minor of each
    modules: dict[str, ModuleFile] = {}
    problem: str | None = None
    problem_outcome: Outcome | None = None  # blocked or unreachable
    unreleased: bool = False  # it is of a commit that is no release's: no fact is about it

    @property
    def sdk_id(self) -> SdkId:
        """The SDK's id as a value."""
        return SdkId.parse(self.id)

    @property
    def language(self) -> Language:
        """The language of its modules."""
        return self.sdk_id.language

    @property
    def minor(self) -> Minor:
        """The minor of the SDK."""
        return self.sdk_id.minor


class PlannedHost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host and what is known of it, by its file and by the record of the release that it calls itself; None: not known."""

    host: Host
    abi_version: str | None
    abi_check: AbiCheck | None
    problem: str | None = None  # why there is no binary
    known_as: str | None = None  # the known release whose record holds for it: itself, or what a file calls itself
    opens: Opens | None = None
    static_modules: tuple[str, ...] = ()
    program: str | None = None  # of a file: what becomes of it when it is started; another file where it is a script


class PlannedVerdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The static analysis: what a host is expected to make of the probe of an SDK version."""

    sdk: str
    host: str
    verdict: StaticVerdict


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole run."""

    evidence_folder: str
    keep_evidence: bool  # also of cells that pass
    official_named: tuple[str, ...]  # the official SDKs that were asked for by name
    hosts: tuple[PlannedHost, ...]
    sdks: tuple[PlannedSdk, ...]
    cells: tuple[PlannedCell, ...]
    static: tuple[PlannedVerdict, ...] = ()
    companions: tuple[PlannedSdk, ...] = ()  # for cases that load modules of several SDKs
    facts: FactsLevel = FactsLevel.FAIL  # what becomes of a cell that does not behave as is on record

    def sdk(self, sdk_id: str) -> PlannedSdk:
        """Returns the SDK with this id."""
        return next(sdk for sdk in self.sdks if sdk.id == sdk_id)

    def host(self, host_id: str) -> PlannedHost:
        """Returns the host with this id."""
        return next(host for host in self.hosts if host.host.id == host_id)

    def cells_of(self, case: str) -> tuple[PlannedCell, ...]:
        """Returns the cells of a case."""
        return tuple(cell for cell in self.cells if cell.id.case == case)

    def static_verdict(self, sdk_id: str, host_id: str) -> StaticVerdict | None:
        """Returns what a host is expected to make of the probe of an SDK version; None where that is not known."""
        return next((one.verdict for one in self.static if one.sdk == sdk_id and one.host == host_id), None)


def write_plan(plan: Plan, folder: Path) -> Path:
    """Writes the plan below a folder."""
    path = folder / PLAN_FILE
    path.write_bytes(msgspec.json.encode(plan))
    return path


def read_plan(path: Path) -> Plan:
    """Reads what `write_plan` wrote."""
    plan = load_json(path, Plan)
    return msgspec.structs.replace(plan, cells=tuple(_with_shared_texts(cell) for cell in plan.cells))


def _with_shared_texts(cell: PlannedCell) -> PlannedCell:
    """Returns the same cell with texts that it shares with others: a plan has thousands of cells, and each worker has it."""
    case, sdk, host = map(sys.intern, (cell.id.case, cell.id.sdk, cell.id.host))
    return PlannedCell(CellId(case, sdk, host), cell.relation, sys.intern(cell.relation_reason), cell.promises)

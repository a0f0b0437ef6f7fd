"""The report of a run: the shape of `report.json`.

`SCHEMA_VERSION` counts up by one whenever a reader of the older shape could misread the newer one. The JSON Schema published in
`reports/schema/` is generated from these types (`tox -e schema`) and compared with them in the tests.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from harness.datafile import load_json
from harness.errors import DataFileError
from harness.model import AbiVerdict, Host, Judgement, ModuleFile, Outcome, Relation

SCHEMA_VERSION = 1


class SdkEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An SDK version of the run. `modules` is empty where it was not built; `problem` then says why."""

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


class CaseEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case of the run and the document sentence it checks."""

    id: str
    title: str
    requirements: tuple[str, ...]


class RequirementEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence of the documents, in this project's words."""

    id: str
    statement: str
    document: str
    section: str


class CellEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One cell: what was promised, what was seen, and how it counts."""

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


class KnownFailureEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recorded known failure that matched cells of this run."""

    id: str
    reason: str
    evidence: str
    cells: int
    stale_cells: int


class Environment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the run took place."""

    suite_version: str
    suite_commit: str
    python: str
    kernel: str
    distribution: str
    cpus: int
    container_engine: str
    toolchain: dict[str, str]
    toolchain_drift: tuple[str, ...]


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole run."""

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
    cells: tuple[CellEntry, ...]
    planned_cells: int
    exit_code: int


def write_report(report: Report, path: Path) -> None:
    """Writes `report.json`, indented, in one step that others see."""
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    part.replace(path)


def read_report(path: Path) -> Report:
    """Reads a `report.json`.

    Raises:
        DataFileError: it is not one, or of another schema version.
    """

    class _Version(msgspec.Struct):
        schema_version: int

    version = load_json(path, _Version).schema_version
    if version != SCHEMA_VERSION:
        raise DataFileError(path, f"schema version {version}; this suite reads version {SCHEMA_VERSION}")
    return load_json(path, Report)

"""Writes the JSON Schemas of all files that others read or write, from their types: `python -m dmconform.cli.json_schemas`.

`./toxw -e schema` does it; the tests compare the files with the types.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dmconform.abi.fault_reactions import FaultsFile
from dmconform.abi.types import Abi
from dmconform.abi_diff import changes as abi_diff
from dmconform.check import result as check
from dmconform.core import paths
from dmconform.measure.differential import result as differential
from dmconform.report import schema as report
from dmconform.report.answers import verdict as gate
from dmconform.report.comparison import model as compare
from dmconform.spec import listing

_REPORTS = paths.SCHEMAS


@dataclass(frozen=True)
class JsonSchema:
    """A published schema: the type it is made from, and its version; None for data that stays in this repository."""

    name: str
    title: str
    type: type[msgspec.Struct]
    version: int | None
    folder: Path = _REPORTS

    @property
    def file(self) -> Path:
        """The path of the file. An older version's file stays: what was written then is of that shape."""
        version = "" if self.version is None else f"-{self.version}"
        return self.folder / f"{self.name}{version}.schema.json"

    def text(self) -> str:
        """Returns the schema, as the file has to be."""
        version = "" if self.version is None else f", version {self.version}"
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.title + version,
            **msgspec.json.schema(self.type),
        }
        if self.version is not None:
            schema["$defs"][self.type.__name__]["properties"]["schema_version"] = {"const": self.version}
        return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


REPORT = JsonSchema("report", "Report of a dmconform run", report.Report, report.SCHEMA_VERSION)
CHECK = JsonSchema("check", "What dmconform check found", check.Check, check.SCHEMA_VERSION)
ABI = JsonSchema(
    "abi", "The ABI of Envoy's dynamic modules: of one minor, one header or one binary", Abi, None, paths.ABI / "schema"
)
SCHEMAS = (
    REPORT,
    CHECK,
    JsonSchema("checks", "What dmconform check found about several modules", check.CheckSet, check.SCHEMA_VERSION),
    ABI,
    JsonSchema("diff", "What dmconform diff found", compare.ReportComparison, compare.SCHEMA_VERSION),
    JsonSchema("module-faults", "What hosts make of modules with one fault", FaultsFile, None, paths.ABI / "schema"),
    JsonSchema("gate", "The verdict of dmconform gate", gate.GateVerdict, gate.SCHEMA_VERSION),
    JsonSchema("abi-diff", "What dmconform abi diff found", abi_diff.Diff, abi_diff.SCHEMA_VERSION),
    JsonSchema("abi-drift", "What dmconform abi drift found", abi_diff.Drift, abi_diff.SCHEMA_VERSION),
    JsonSchema("abi-findings", "What dmconform abi findings found", abi_diff.AbiBreaks, abi_diff.SCHEMA_VERSION),
    JsonSchema("list", "What dmconform list shows", listing.Listing, listing.SCHEMA_VERSION),
    JsonSchema(
        "differential", "What dmconform differential found", differential.DifferentialResult, differential.SCHEMA_VERSION
    ),
)


def main() -> None:
    """Writes the files."""
    for schema in SCHEMAS:
        schema.file.write_text(schema.text(), encoding="utf-8")


if __name__ == "__main__":
    main()

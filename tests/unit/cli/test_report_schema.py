"""The published JSON Schema is the one of the types, and reports fit it."""

from __future__ import annotations

import json

import jsonschema
import msgspec
import pytest
from dmconform.cli.json_schemas import REPORT as SCHEMA
from dmconform.core.compressed import read_plain_or_compressed
from dmconform.report.schema import SCHEMA_VERSION

from tests.checkout import ROOT
from tests.unit.report_samples import ALL_KINDS, FINDING, KNOWN_FAILURE, report, static

REPORT = report(
    ALL_KINDS,
    known_failures=[KNOWN_FAILURE],
    static=[static("rust@1.39:reference", "1.39.3")],
    abi_findings=[FINDING],
)
PUBLISHED = sorted((ROOT / "reports" / "published").glob("*/report.json.xz"))


def test_a_report_fits_the_schema() -> None:
    schema = json.loads(SCHEMA.file.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(msgspec.json.encode(REPORT)), schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("change", [{"schema_version": SCHEMA_VERSION + 1}, {"surprise": 1}, {"cells": [{}]}, {"hosts": None}])
def test_another_shape_does_not(change: dict[str, object]) -> None:
    schema = json.loads(SCHEMA.file.read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(msgspec.json.encode(REPORT)) | change, schema, cls=jsonschema.Draft202012Validator)


def test_a_published_report_fits_the_schema_apart_version() -> None:
    """A published report is never changed, so the schema of an older version stays."""
    assert PUBLISHED
    for file in PUBLISHED:
        whole = json.loads(read_plain_or_compressed(file))
        schema = json.loads(SCHEMA.file.with_name(f"report-{whole['schema_version']}.schema.json").read_text(encoding="utf-8"))
        whole["cells"] = whole["cells"][::97]  # thousands that are alike take seconds
        jsonschema.validate(whole, schema, cls=jsonschema.Draft202012Validator)

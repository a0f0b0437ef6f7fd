"""The published JSON Schema is the one of the types, and reports fit it."""

from __future__ import annotations

import json

import jsonschema
import msgspec
import pytest

from harness.report.publish_schema import SCHEMA_FILE, schema_text
from tests.unit.report_samples import ALL_KINDS, KNOWN_FAILURE, report

REPORT = report(ALL_KINDS, known_failures=[KNOWN_FAILURE])


def test_the_published_file_is_the_schema_of_the_types() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: python -m harness.report.publish_schema"


def test_a_report_fits_the_schema() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(msgspec.json.encode(REPORT)), schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("change", [{"schema_version": 2}, {"surprise": 1}, {"cells": [{}]}, {"hosts": None}])
def test_another_shape_does_not(change: dict[str, object]) -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(msgspec.json.encode(REPORT)) | change, schema, cls=jsonschema.Draft202012Validator)

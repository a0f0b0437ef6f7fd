"""The published JSON Schema of `check --json` is the one of the types."""

from __future__ import annotations

import json

import jsonschema
import msgspec
import pytest
from dmconform.cli.json_schemas import CHECK as SCHEMA

from tests.unit.check_samples import check

CHECK = check()


def test_a_check_fits_the_schema() -> None:
    schema = json.loads(SCHEMA.file.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(msgspec.json.encode(CHECK)), schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("change", [{"schema_version": 1}, {"surprise": 1}, {"hosts": [{}]}, {"module": None}])
def test_another_shape_does_not(change: dict[str, object]) -> None:
    schema = json.loads(SCHEMA.file.read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(msgspec.json.encode(CHECK)) | change, schema, cls=jsonschema.Draft202012Validator)

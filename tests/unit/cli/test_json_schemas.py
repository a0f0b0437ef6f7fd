"""The published JSON Schemas are those of the types; nothing else stands beside them."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
from dmconform.cli.json_schemas import SCHEMAS, JsonSchema


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_the_published_file_is_the_schema_of_the_types(schema: JsonSchema) -> None:
    assert schema.file.read_text(encoding="utf-8") == schema.text(), "run: ./toxw -e schema"
    jsonschema.Draft202012Validator.check_schema(json.loads(schema.text()))


def test_what_stands_there_is_of_a_known_kind() -> None:
    names = {schema.name for schema in SCHEMAS}
    for folder in {schema.file.parent for schema in SCHEMAS}:
        for file in folder.iterdir():
            found = re.fullmatch(r"(?P<name>[a-z-]+?)(-\d+)?\.schema\.json", file.name)
            assert found, f"expected only schemas in {folder.name}, found {file.name}"
            assert found["name"] in names, f"{file.name} is of nothing that is published"


def test_another_version_is_refused() -> None:
    for schema in SCHEMAS:
        if schema.version is not None:
            whole = json.loads(schema.text())
            version = whole["$defs"][schema.type.__name__]["properties"]["schema_version"]
            jsonschema.validate(schema.version, version)
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(schema.version + 1, version)

"""Writes the JSON Schema of the ABI data from its types: `python -m harness.abi.schema` (`tox -e schema`)."""

from __future__ import annotations

import json
from typing import Final

import msgspec

from harness import paths
from harness.abi.data import Abi

SCHEMA_FILE: Final = paths.ABI / "schema" / "abi.schema.json"


def schema_text() -> str:
    """The schema, as the file has to be."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The ABI of Envoy's dynamic modules: of one minor, one header or one binary",
        **msgspec.json.schema(Abi),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes the file."""
    SCHEMA_FILE.parent.mkdir(parents=True, exist_ok=True)
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()

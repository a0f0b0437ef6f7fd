"""Writes the JSON Schema of `dmconform check --json` from its types: `python -m harness.check.publish_schema`."""

from __future__ import annotations

import json

import msgspec

from harness.check.result import SCHEMA_VERSION, Check
from harness.paths import PROJECT

SCHEMA_FILE = PROJECT / "reports" / "schema" / f"check-{SCHEMA_VERSION}.schema.json"


def schema_text() -> str:
    """The schema, as the file has to be."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"What dmconform check found, version {SCHEMA_VERSION}",
        **msgspec.json.schema(Check),
    }
    schema["$defs"]["Check"]["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes the file."""
    SCHEMA_FILE.parent.mkdir(parents=True, exist_ok=True)
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Paths of this machine in the texts of an archive, replaced by placeholders."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CELL = "{{CELL}}"
ENVOY = "{{ENVOY}}"


@dataclass(frozen=True)
class Rewriter:
    """Replaces paths, the longest first, where no longer name begins with them."""

    places: Mapping[Path, str]

    def _spellings(self) -> list[tuple[str, str]]:
        both = {spelt: name for path, name in self.places.items() for spelt in (str(path), json.dumps(str(path))[1:-1])}
        return sorted(both.items(), key=lambda one: -len(one[0]))

    def text(self, text: str) -> str:
        """Returns a text without the paths."""
        for path, placeholder in self._spellings():
            text = re.sub(re.escape(path) + r"(?![\w-])", lambda _, name=placeholder: name, text)  # type: ignore[misc]
        return text

    def data(self, value: Any) -> Any:  # noqa: ANN401 (JSON)
        """Returns JSON data without the paths."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.data(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(one) for one in value]
        return value

    def is_in(self, content: bytes) -> bool:
        """Returns whether bytes have one of the paths in them."""
        return any(path.encode() in content for path, _ in self._spellings())

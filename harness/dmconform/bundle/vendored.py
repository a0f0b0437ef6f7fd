"""The libraries that a replay speaks HTTP with: plain Python, copied with their licences."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Final

from dmconform.bundle.archive import Content

PACKAGES: Final = ("h11", "h2", "hpack", "hyperframe")
MINIMAL_PYTHON: Final = (3, 10)
"""What they and the modules that travel need; a test compares."""


def libraries() -> dict[str, Content]:
    """Returns the files by name, all below `vendored/` in the archive."""
    found = {}
    for package in PACKAGES:
        for file in importlib.metadata.files(package) or ():
            place = Path(str(file.locate()))
            if file.suffix == ".py" and file.parts[0] == package and "tests" not in file.parts:
                found[f"vendored/{file}"] = Content(place.read_bytes())
            elif "LICENSE" in file.name:
                found[f"vendored/{package}.LICENSE.txt"] = Content(place.read_bytes())
    return found

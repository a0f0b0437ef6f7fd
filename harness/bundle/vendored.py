"""The library that speaks HTTP/2 in a replay: h2 and what it is made of, plain Python, copied with their licences."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from harness.bundle.archive import Content

_PACKAGES = ("h2", "hpack", "hyperframe")
MINIMAL_PYTHON_FOR_HTTP2 = (3, 10)
"""What they say that they need; a test compares."""


def http2_library() -> dict[str, Content]:
    """The files, to be below `vendored/` in the archive."""
    found = {}
    for package in _PACKAGES:
        for file in importlib.metadata.files(package) or ():
            place = Path(str(file.locate()))
            if file.suffix == ".py" and file.parts[0] == package:
                found[f"vendored/{file}"] = Content(place.read_bytes())
            elif "LICENSE" in file.name:
                found[f"vendored/{package}.LICENSE.txt"] = Content(place.read_bytes())
    return found

"""How a host is named where a result of it is shown."""

from __future__ import annotations

from typing import Final

MODIFIED_BUILD: Final = "modified build"
"""What is said of a binary that was built from other sources than those of its commit."""
MODIFIED_NOTE: Final = (
    "built from other sources than those of its commit; what it does unlike other hosts may not be the Envoy project's doing"
)


def host_label(name: str, *, is_modified: bool) -> str:
    """Returns the name of a host, marked where its binary is a modified build: `1.38.3 (modified build)`."""
    return f"{name} ({MODIFIED_BUILD})" if is_modified else name

"""The kinds of pins of this repository that a command can renew."""

from __future__ import annotations

import enum


class Kind(enum.Enum):
    """Where pinned things come from."""

    PYTHON = "python"  # requirements/, and what pyproject.toml builds with
    NPM = "npm"  # tests/page/package.json
    GO = "go"  # tests/workflows/go.mod
    TOOLCHAIN = "toolchain"  # sdks/toolchain/go.lock
    ACTIONS = "actions"  # .github/

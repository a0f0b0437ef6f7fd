"""Where things are: the project's own folders and the cache."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

PROJECT = Path(__file__).resolve().parents[1]
CONFORMANCE = PROJECT / "conformance"
CASES = CONFORMANCE / "cases"
ABI = CONFORMANCE / "abi"
HOSTS_FILE = CONFORMANCE / "hosts.toml"
FINDINGS_DATA = CONFORMANCE / "expectations" / "findings.toml"
KNOWN_FAILURES_FILE = CONFORMANCE / "expectations" / "known_failures.toml"
SPEC_FILE = CONFORMANCE / "spec" / "requirements.toml"
ENVOY_TESTS_FILE = CONFORMANCE / "spec" / "envoy_tests.toml"
SDKS = PROJECT / "sdks"
TOOLCHAIN = SDKS / "toolchain"
REPORT_FILE = "report.json"
"""What a run calls its report, in a folder of its own."""


def cache_folder() -> Path:
    """What survives a run: Envoy releases, built modules, the container engine's images.

    `DMCONFORM_CACHE` names another place than the user's cache folder.
    """
    named = os.environ.get("DMCONFORM_CACHE")
    return Path(named).resolve() if named else Path(platformdirs.user_cache_path("dmconform"))

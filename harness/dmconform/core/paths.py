"""Where things are: the project's data in a checkout or an installation, the cache, and where a run writes."""

from __future__ import annotations

import os
from pathlib import Path

from dmconform.core.errors import UsageError

PACKAGE = Path(__file__).resolve().parents[1]
IMPORT_ROOT = PACKAGE.parent
"""What a Python process needs on its path to import this package."""


def _checkout_of(package: Path) -> Path | None:
    """Returns the checkout that a package folder lies in; None for an installed one, whose data is inside it."""
    root = package.parents[1]
    is_checkout = package.parent.name == "harness" and (root / "conformance" / "hosts.toml").is_file()
    return root if is_checkout else None


CHECKOUT = _checkout_of(PACKAGE)
"""The clone of the repository that this code runs from; None where it is installed."""
DATA = CHECKOUT or PACKAGE / "data"
"""The folder with `conformance/`, `sdks/` and `docs/`; read only."""
CONFORMANCE = DATA / "conformance"
CASES = CONFORMANCE / "cases"
ABI = CONFORMANCE / "abi"
HOSTS_FILE = CONFORMANCE / "hosts.toml"
DEFECTS = CONFORMANCE / "defects"
FINDINGS_DATA = CONFORMANCE / "expectations" / "findings.toml"
MUTATION_SCORE_FILE = CONFORMANCE / "mutation_score.json"
KNOWN_FAILURES_FILE = CONFORMANCE / "expectations" / "known_failures.toml"
STEPS_FILE = CONFORMANCE / "expectations" / "steps.toml"
SPEC_FILE = CONFORMANCE / "spec" / "requirements.toml"
DOCUMENTS_FILE = CONFORMANCE / "spec" / "documents.toml"
PROMISES_FILE = CONFORMANCE / "spec" / "promises.toml"
ENVOY_TESTS_FILE = CONFORMANCE / "spec" / "envoy_tests.toml"
SDKS = DATA / "sdks"
TOOLCHAIN = SDKS / "toolchain"
SCHEMAS = DATA / "reports" / "schema"
LICENSE = DATA / "LICENSE"
RUNS = "reports/local" if CHECKOUT is not None else "dmconform-reports"
"""The folder below which runs write by default, as help texts name it."""
REPORT_FILE = "report.json"
"""What a run calls its report, in a separate folder."""
COMPRESSED_REPORT_FILE = "report.json.xz"
"""The same, compressed: what a published report has."""


def checkout(action: str) -> Path:
    """Returns the root of the checkout.

    Args:
        action: what needs it, as the beginning of a sentence: "expectations record writes known_failures.toml".

    Raises:
        UsageError: this is an installation, whose data is not edited.
    """
    if CHECKOUT is None:
        raise UsageError(
            f"{action}, which needs a checkout of the repository; this dmconform is installed in {PACKAGE}. "
            "Clone the repository and run ./dmconform there"
        )
    return CHECKOUT


def report_in(folder: Path) -> Path:
    """Returns the report of a folder: `report.json`, or the compressed one if that is the only one there."""
    plain, compressed = folder / REPORT_FILE, folder / COMPRESSED_REPORT_FILE
    return compressed if compressed.exists() and not plain.exists() else plain


def runs_folder() -> Path:
    """Returns the folder below which runs write by default: `reports/local` of a checkout, else one in the current folder."""
    return (CHECKOUT or Path.cwd()) / RUNS


def named(file: str) -> str:
    """Returns how a help text names a file below `DATA`: as in the repository, or where it is installed."""
    return file if CHECKOUT is not None else str(DATA / file)


def cache_folder() -> Path:
    """Returns the folder of what survives a run: Envoy releases, built modules, the container engine's images.

    `DMCONFORM_CACHE` names another place than the user's cache folder.
    """
    place = os.environ.get("DMCONFORM_CACHE")
    if place:
        return Path(place).resolve()
    import platformdirs  # slow; `--help` does without

    return Path(platformdirs.user_cache_path("dmconform"))

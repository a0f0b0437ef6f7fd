"""What tests of several folders need built: the probes of every language, had through the harness's own API."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dmconform.matrix.plan import Plan

HOST = "1.39.3"
LANGUAGES = ("cpp", "go", "rust")
SDKS = tuple(f"{language}@1.39:reference" for language in LANGUAGES)


def build_everything(folder: Path, host: str = HOST, sdks: tuple[str, ...] = SDKS) -> Plan:
    """A plan with the probes of every language on one host, in an empty folder; what the cache lacks is downloaded and built.

    Its cells are all cells of that selection.

    Args:
        folder: where the plan goes.
        host: its host.
        sdks: its SDKs.
    """
    from dmconform.matrix.prepare import Selection, prepare  # slow to import; most tests do without
    from dmconform.spec.catalogue import load_catalogue

    plan = prepare(load_catalogue(), Selection(hosts=(host,), sdks=sdks), folder).plan
    problems = [sdk.problem for sdk in plan.sdks if sdk.problem] + [host.problem for host in plan.hosts if host.problem]
    assert not problems, f"expected {sdks} and Envoy {host} to be had: {problems}"
    return plan


def probes_of(plan: Plan) -> Mapping[str, Path]:
    """The probe of each language."""
    return {sdk.language.value: Path(sdk.modules["probe"].path) for sdk in plan.sdks}

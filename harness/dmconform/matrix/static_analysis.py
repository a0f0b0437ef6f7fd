"""The static analysis of the matrix: what each host is expected to make of each SDK version's probe, without running it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dmconform.abi.required import required_by
from dmconform.abi.required_hooks import load_required_hooks
from dmconform.binaries.facts import ModuleFacts
from dmconform.binaries.kept_facts import module_facts
from dmconform.binaries.verdict import static_verdict
from dmconform.core.extension_point import ExtensionPoint
from dmconform.matrix.cell import PROBE
from dmconform.matrix.host_record import offer_of
from dmconform.matrix.plan import PlannedHost, PlannedSdk, PlannedVerdict

POINTS = frozenset((ExtensionPoint.HTTP_FILTER,))
"""Where the matrix uses the probes."""


@dataclass(frozen=True)
class StaticAnalysis:
    """The verdicts, and the content of the probes' files, by SDK.

    There is none of either where there is no module or no host.
    """

    verdicts: tuple[PlannedVerdict, ...]
    probes: dict[str, ModuleFacts]


def analyse_files(sdks: Sequence[PlannedSdk], hosts: Sequence[PlannedHost], cache_folder: Path) -> StaticAnalysis:
    """Reads the files that the cache lacks, and judges each pair.

    Raises:
        DataFileError: a data file is missing or not of its format.
    """
    built = [(sdk.id, sdk.modules[PROBE]) for sdk in sdks if PROBE in sdk.modules]
    facts = module_facts([module for _, module in built], cache_folder)
    probes = {sdk: found for (sdk, _), found in zip(built, facts, strict=True)}
    offers = {one.host.id: offer_of(one, cache_folder) for one in hosts if one.problem is None}
    measured = load_required_hooks()
    required = {host: required_by(offer.release, measured) for host, offer in offers.items() if offer is not None}
    verdicts = tuple(
        PlannedVerdict(sdk, host, static_verdict(probe, offer, points=POINTS, required_hooks=required[host]))
        for sdk, probe in probes.items()
        for host, offer in offers.items()
        if offer is not None
    )
    return StaticAnalysis(verdicts, probes)

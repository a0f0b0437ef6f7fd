"""From the command line to a differential test: which minors on which hosts, with hosts fetched and probes looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.abi.loading import load_every_abi
from dmconform.abi.types import Abi
from dmconform.binaries.read import read_modules
from dmconform.core import paths
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.nearest import unknown
from dmconform.core.progress import say
from dmconform.core.values import Relation
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import newest_patch
from dmconform.hosts.selection import select_hosts
from dmconform.matrix.plan import PlannedHost
from dmconform.matrix.prepare import Selection, build_sdks, fetch_hosts, lazy_engine
from dmconform.measure.differential.calls import MODULE, Target
from dmconform.measure.differential.compare_hosts import COMPILER_FLAGS, DifferentialTest, WantedRuns, compare_hosts
from dmconform.measure.differential.known import load_known_differences
from dmconform.measure.differential.rules import load_rules, short
from dmconform.sdks.builder import Built, NotBuilt, Toolchain
from dmconform.sdks.generated import compile_c
from dmconform.spec.catalogue import Catalogue, load_catalogue
from dmconform.spec.promise import pair_relation

RULES: Final = paths.CONFORMANCE / "differential" / "rules.toml"
KNOWN: Final = paths.CONFORMANCE / "differential" / "known_differences.toml"
_PROBE: Final = "libprobe.so"


@dataclass(frozen=True)
class DifferentialRequest:
    """The request of a command line. Without minors all are compared, without hosts the supported ones."""

    minors: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    probes: bool = True


def run_request(request: DifferentialRequest, folder: Path) -> DifferentialTest:
    """Runs the requested differential test; `folder` is for the Envoys' files.

    Raises:
        UsageError: a minor or host is not known.
        DataFileError: a data file has a mistake.
        HarnessError: a host of a minor's own, or the compiler, is not available.
    """
    abis = load_every_abi()
    absent = [minor for minor in request.minors if minor not in abis]
    if absent:
        raise UsageError(unknown("minor", absent[0], abis, more="there is no ABI data of it"))
    rules = load_rules(RULES, abis.values())
    known = load_known_differences(KNOWN)
    catalogue = load_catalogue()
    cache = paths.cache_folder()
    chosen = [abi for minor, abi in abis.items() if not request.minors or minor in request.minors]
    with lazy_engine(cache) as engine:
        needed = _hosts_needed(catalogue, request, chosen)
        targets = _targets(fetch_hosts(select_hosts(needed, catalogue.hosts), catalogue.hosts, engine, cache))
        builds = build_sdks(catalogue, Selection(), engine, cache) if request.probes else ()
        probes = _probes(builds, [abi.envoy for abi in chosen])

        def build(sources: Mapping[str, bytes]) -> Path:
            toolchain: Callable[[], Toolchain] = engine.toolchain
            return compile_c(MODULE, sources, cache, toolchain, COMPILER_FLAGS)

        wanted = [_wanted(abi, targets, catalogue, request) for abi in chosen]
        return compare_hosts(wanted, rules, known, probes, build, folder, say)


def _own_host(catalogue: Catalogue, minor: Minor) -> str:
    """Returns the release that a minor's modules are compared with."""
    default = next((host.release for host in catalogue.hosts if host.default and host.version.minor == minor), None)
    newest = newest_patch(catalogue.hosts, minor)
    if default is None and newest is None:
        raise UsageError(f"--abi {minor}: no release of it is known to compare with (dmconform list hosts)")
    return default or (newest.release if newest else "")


def _hosts_needed(catalogue: Catalogue, request: DifferentialRequest, chosen: Sequence[Abi]) -> tuple[str, ...]:
    """Returns the specifications of all hosts that are needed."""
    minors = [Minor.parse(abi.envoy) for abi in chosen]
    supported = (
        host.release
        for host in catalogue.hosts
        if host.default and any(pair_relation(minor, host.version.minor) is Relation.SUPPORTED for minor in minors)
    )
    return tuple(dict.fromkeys([*(_own_host(catalogue, minor) for minor in minors), *(request.hosts or supported)]))


def _targets(hosts: Sequence[PlannedHost]) -> dict[str, Target]:
    """Returns the hosts by their ids.

    Raises:
        HarnessError: one was not available.
    """
    targets: dict[str, Target] = {}
    for one in hosts:
        if one.problem:
            raise HarnessError(one.problem)
        targets[one.host.id] = Target(one.host.id, one.host.release.minor, Path(one.host.binary))
    return targets


def _wanted(abi: Abi, targets: Mapping[str, Target], catalogue: Catalogue, request: DifferentialRequest) -> WantedRuns:
    minor = Minor.parse(abi.envoy)
    own = targets[_own_host(catalogue, minor)]
    others = tuple(
        target
        for target in targets.values()
        if target is not own and (request.hosts or pair_relation(minor, target.minor) is Relation.SUPPORTED)
    )
    return WantedRuns(abi, own, others)


def _probes(builds: Sequence[Built | NotBuilt], minors: Sequence[str]) -> dict[str, frozenset[str]]:
    """Returns, by minor, the short names of the callbacks that its probes leave undefined."""
    found: dict[str, set[str]] = defaultdict(set)
    modules: list[tuple[str, Path]] = []
    for build in builds:
        minor = str(build.sdk.id.minor)
        if minor not in minors:
            continue
        if isinstance(build, Built):
            modules += [(minor, Path(one.path)) for one in build.stored.modules if Path(one.path).name == _PROBE]
        else:
            say(f"{build.sdk.id}: no probe to look at: {build.outcome.value}")
    for (minor, _), facts in zip(modules, read_modules([path for _, path in modules]), strict=True):
        found[minor] |= {short(one.name) for one in facts.callbacks}
    return {minor: frozenset(names) for minor, names in found.items()}

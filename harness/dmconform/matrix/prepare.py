"""From a selection to a plan: hosts are fetched, probes are built, and what is not available is noted in its cells."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dmconform.binaries.facts import ModuleFacts
from dmconform.containers.toolchain import ToolchainIdentity, obtain_toolchain
from dmconform.core import paths
from dmconform.core.errors import UsageError
from dmconform.core.limits import raise_limits
from dmconform.core.progress import say
from dmconform.core.values import FactsLevel, Relation
from dmconform.hosts.catalogue import KnownHost
from dmconform.hosts.obtain import obtain_all
from dmconform.hosts.selection import HostChoice, select_hosts
from dmconform.matrix.abi_findings import AbiComparison, compare_abi
from dmconform.matrix.costs import load_costs
from dmconform.matrix.host_record import planned_host
from dmconform.matrix.plan import Plan, PlannedHost, PlannedSdk, write_plan
from dmconform.matrix.split import shard_of
from dmconform.matrix.static_analysis import analyse_files
from dmconform.sdks.builder import Builder, Built, NotBuilt, ToBuild, Toolchain
from dmconform.sdks.inputs import Variant
from dmconform.sdks.named_commit import at_commit, split_commit
from dmconform.sdks.sources import SourceRepository, redact, require_local, resolve_source
from dmconform.spec.catalogue import Catalogue, load_catalogue
from dmconform.spec.cells import plan_cells
from dmconform.spec.promise import pair_relation
from dmconform.spec.selectors import select_cases, select_sdks

if TYPE_CHECKING:
    import docker

    from dmconform.core.versions import Minor
    from dmconform.report.schema import Shard
    from dmconform.sdks.catalogue import Sdk
    from dmconform.spec.cells import PlannedCell

EVIDENCE = "evidence"


@dataclass(frozen=True)
class Selection:
    """The selection of a command line."""

    hosts: tuple[str, ...] = ()
    sdks: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    sdk_source: str | None = None
    everywhere: bool = False
    variant: Variant = Variant.RELEASE
    facts: FactsLevel = FactsLevel.FAIL

    @property
    def repository(self) -> str:
        """The address of the repository with the official SDKs."""
        return split_commit(resolve_source(self.sdk_source))[0]

    @property
    def commit(self) -> str | None:
        """The commit whose SDK takes the place of the recorded one; None for the releases' own."""
        return split_commit(resolve_source(self.sdk_source))[1]


@dataclass(frozen=True)
class Prepared:
    """A plan, and the facts about its preparation for the report."""

    plan: Plan
    plan_file: Path
    builds: tuple[Built | NotBuilt, ...]
    selection: Selection
    engine_name: str
    toolchain: ToolchainIdentity | None
    probes: Mapping[str, ModuleFacts]  # what the probes' files say, by SDK
    abi: AbiComparison
    shard: Shard | None = None


class _LazyEngine:
    """A Docker server that is started when it is first needed, by one of several threads, and stopped at the end."""

    def __init__(self, stack: contextlib.ExitStack, cache: Path) -> None:
        self._stack = stack
        self._cache = cache
        self._client: docker.DockerClient | None = None
        self._starting = threading.Lock()
        self.name = "not needed: everything was in the cache"
        self.identity: ToolchainIdentity | None = None

    def client(self) -> docker.DockerClient:
        with self._starting:
            if self._client is None:
                from dmconform.containers.engine import engine  # slow to import; warm runs do without

                say("no modules in the cache for some SDK versions: a container engine is needed")
                self._client = self._stack.enter_context(engine(self._cache, say))
                self.name = f"Docker {self._client.version().get('Version', 'of unknown version')}"
            return self._client

    def toolchain(self) -> Toolchain:
        client = self.client()
        self.identity = obtain_toolchain(client, paths.TOOLCHAIN, self._cache, say)
        return Toolchain(client, self.identity)


COMPANIONS = ("*:reference",)
"""The SDKs for cases that load modules of several."""


def companions_of(cells: Iterable[PlannedCell], catalogue: Catalogue, minors: Mapping[str, Minor]) -> tuple[Sdk, ...]:
    """Returns the SDKs whose probes the cases of some cells load beside their own: `Cell.companions` picks from these.

    Args:
        cells: the cells that are to run.
        catalogue: with their cases and all SDKs.
        minors: the minor of each host, by its id.
    """
    wanted = {minors[one.id.host] for one in cells if catalogue.case(one.id.case).declaration.companions}
    candidates = select_sdks(COMPANIONS, catalogue.sdks)[0] if wanted else ()
    return tuple(sdk for sdk in candidates if any(pair_relation(sdk.id.minor, one) is Relation.SUPPORTED for one in wanted))


def build_sdks(catalogue: Catalogue, selection: Selection, engine: _LazyEngine, cache: Path) -> tuple[Built | NotBuilt, ...]:
    """Builds what the selection names, or finds it in the cache.

    Args:
        catalogue: the SDK versions.
        selection: which of them, and where the official ones' sources come from.
        engine: starts a container engine where something has to be built.
        cache: where builds are kept.
    """
    return _build(selected_sdks(catalogue, selection)[0], selection, engine, cache)


def plan_builds(catalogue: Catalogue, selection: Selection, cache: Path) -> tuple[Built | NotBuilt | ToBuild, ...]:
    """Returns what `build_sdks` would find in the cache and what it would build, and builds nothing."""
    sdks, repository = selected_sdks(catalogue, selection)[0], SourceRepository(selection.repository, cache, say)
    with lazy_engine(cache) as engine:
        return _builder(selection, engine, cache, repository).plan(sdks)


def selected_sdks(catalogue: Catalogue, selection: Selection) -> tuple[tuple[Sdk, ...], frozenset[str]]:
    """Returns the SDKs of a selection, and the ids of the official ones that were asked for by name.

    Raises:
        UsageError: a spec is none, or the commit that `--sdk-source` names does not fit what is selected.
        EmptySelection: a spec matches nothing.
    """
    sdks, named = select_sdks(selection.sdks, catalogue.sdks)
    if selection.sdk_source:
        _refuse_useless_source(selection.sdk_source, sdks)
    # Named for all runs, by the variable, it need not be of use in each.
    if selection.commit is not None and (selection.sdk_source is not None or any(sdk.official for sdk in sdks)):
        repository = SourceRepository(selection.repository, paths.cache_folder(), say)
        sdks = at_commit(sdks, selection.commit, repository, max(sdk.id.minor for sdk in catalogue.sdks))
    return sdks, named


def _refuse_useless_source(source: str, sdks: Iterable[Sdk]) -> None:
    """Refuses a repository that no selected SDK comes from, and one of this machine that is not there."""
    if not any(sdk.official and not sdk.official.go_module for sdk in sdks):
        names = ", ".join(str(sdk.id) for sdk in sdks)
        raise UsageError(
            f"--sdk-source {redact(source)}: no selected SDK comes from a repository ({names}): reference SDKs are this "
            "project's own, and Go's of 1.37 and 1.38 come from the module proxy; select an official one, or leave it out"
        )
    require_local(split_commit(source)[0])


def _build(sdks: tuple[Sdk, ...], selection: Selection, engine: _LazyEngine, cache: Path) -> tuple[Built | NotBuilt, ...]:
    repository = SourceRepository(selection.repository, cache, say)
    return _builder(selection, engine, cache, repository).build_all(sdks)


def _builder(selection: Selection, engine: _LazyEngine, cache: Path, repository: SourceRepository) -> Builder:
    return Builder(cache, paths.ABI, paths.TOOLCHAIN, repository, engine.toolchain, say, selection.variant)


@contextlib.contextmanager
def lazy_engine(cache: Path) -> Iterator[_LazyEngine]:
    """Yields an engine for the time of the block, started only if it is used."""
    with contextlib.ExitStack() as stack:
        yield _LazyEngine(stack, cache)


def fetch_hosts(
    choices: Iterable[HostChoice], known: tuple[KnownHost, ...], engine: _LazyEngine, cache: Path
) -> tuple[PlannedHost, ...]:
    """Fetches the selected hosts; a known release that is not available says why.

    Args:
        choices: as `select_hosts` gives them.
        known: the known releases.
        engine: is asked only where a host is an image.
        cache: where downloads are kept.

    Raises:
        UsageError: a host that was named is not an Envoy.
    """
    obtained = obtain_all(choices, known, cache, engine.client, say)
    hosts = {one.host.id: planned_host(one.host, one.problem, known, cache) for one in obtained}
    return tuple(hosts.values())


def prepare(
    catalogue: Catalogue,
    selection: Selection,
    folder: Path,
    *,
    keep_evidence: bool = False,
    cell: str | None = None,
    shard: str | None = None,
) -> Prepared:
    """Makes the plan of a selection in a folder that exists.

    Args:
        catalogue: the project's data.
        selection: what the command line asks for.
        folder: of the run.
        keep_evidence: also of cells that pass.
        cell: the id of the only cell to keep.
        shard: `2/4`: keep the second of four parts of equal cost.

    Raises:
        EmptySelection, UsageError: the selection is empty or makes no sense.
        HarnessError: something that every cell needs is not available.
    """
    cache = paths.cache_folder()
    sdks, named = selected_sdks(catalogue, selection)
    cases = select_cases(selection.cases, catalogue.cases)
    choices = select_hosts(selection.hosts, catalogue.hosts)  # a mistake there must show before anything is built
    abi = compare_abi(cache)  # so must one in the ABI data
    raise_limits()
    with lazy_engine(cache) as engine:
        hosts = fetch_hosts(choices, catalogue.hosts, engine, cache)
        pairs = [(one.host.id, one.host.release.minor) for one in hosts]
        cells = plan_cells(cases, sdks, pairs, everywhere=selection.everywhere)
        if cell is not None:
            cells = tuple(one for one in cells if str(one.id) == cell)
        part, cells = shard_of(shard, cells, load_costs()) if shard is not None else (None, cells)
        needed_sdks, needed_cases = {one.id.sdk for one in cells}, {one.id.case for one in cells}
        sdks = tuple(one for one in sdks if str(one.id) in needed_sdks)
        cases = tuple(one for one in cases if one.id in needed_cases)
        further = companions_of(cells, catalogue, dict(pairs))
        builds = _build((*sdks, *(one for one in further if one not in sdks)), selection, engine, cache)
        engine_name, identity = engine.name, engine.identity
    evidence = folder / EVIDENCE
    evidence.mkdir(exist_ok=True)
    companions = tuple(_planned(build) for build in builds if build.sdk in further)
    builds = builds[: len(sdks)]
    planned_sdks = tuple(_planned(build) for build in builds)
    analysed = analyse_files(planned_sdks, hosts, cache)
    plan = Plan(
        evidence_folder=str(evidence.resolve()),
        keep_evidence=keep_evidence,
        official_named=tuple(sorted(named)),
        hosts=hosts,
        sdks=planned_sdks,
        cells=cells,
        static=analysed.verdicts,
        companions=companions,
        facts=selection.facts,
    )
    stored = next((build.stored.toolchain for build in builds if isinstance(build, Built)), None)
    return Prepared(
        plan, write_plan(plan, folder), builds, selection, engine_name, identity or stored, analysed.probes, abi, part
    )


def _planned(build: Built | NotBuilt) -> PlannedSdk:
    sdk = build.sdk
    common = PlannedSdk(
        id=str(sdk.id),
        abi_version=sdk.abi_version,
        panic_guard=sdk.panic_guard,
        catch_unwind=sdk.catch_unwind,
        unloads=sdk.unloads,
        unloads_reason=sdk.unloads_reason,
        host_environment=sdk.host_environment,
        lacks=sdk.lacks,
        points={point: str(minor) for point, minor in sdk.points.items()},
        unreleased=sdk.development is not None,
    )

    if isinstance(build, Built):
        return msgspec.structs.replace(common, modules={module.name: module for module in build.stored.modules})
    return msgspec.structs.replace(common, problem=build.problem, problem_outcome=build.outcome)


def prepare_default(folder: Path) -> Path:
    """Writes the plan file of the default selection, for plain `pytest conformance`; its evidence replaces the last one's."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return prepare(load_catalogue(), Selection(), folder).plan_file

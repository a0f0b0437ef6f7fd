"""Builds the probes of an SDK version in a container, or takes them from the cache.

A build is known by its content: the folder of the language, the SDK's sources, the generated bindings and the definition of the
toolchain. The same key means the same modules, and nothing is asked of the network or of a container engine.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from dmconform.abi.bindings.c_header import c_header
from dmconform.abi.bindings.rust_bindings import rust_bindings
from dmconform.abi.loading import load_abi
from dmconform.containers.files import IGNORED, TarTree, tree_hash, write_files
from dmconform.containers.sandbox import JobResult, Limits, run_job
from dmconform.containers.toolchain import ToolchainIdentity
from dmconform.core.errors import HarnessError
from dmconform.core.timeouts import BUILD_S
from dmconform.core.values import Language, Outcome
from dmconform.sdks import store
from dmconform.sdks.catalogue import Sdk
from dmconform.sdks.sources import SourceRepository, Unreachable
from dmconform.sdks.store import StoredBuild

if TYPE_CHECKING:
    import docker

Progress = Callable[[str], None]
LOG_TAIL_LINES = 30
# Scripts, manifests and lock files. An edit of the code must not download everything anew.
DECIDE_DOWNLOAD = frozenset((".sh", ".toml", ".lock", ".mod", ".sum"))
# What says something of the sources but is none: an edit must not build every version of a language anew.
NOT_SOURCES = frozenset(("README.md", "sdk.toml"))


@dataclass(frozen=True)
class Built:
    """The modules of an SDK version. `fresh` tells a build from a find in the cache."""

    sdk: Sdk
    stored: StoredBuild
    fresh: bool
    log: Path


@dataclass(frozen=True)
class NotBuilt:
    """There are no modules, and why: `blocked`, or `unreachable` where the official SDK's sources cannot be had."""

    sdk: Sdk
    outcome: Outcome
    problem: str
    log: bytes = b""


@dataclass(frozen=True)
class Toolchain:
    """A Docker server and the image on it."""

    client: docker.DockerClient
    identity: ToolchainIdentity


def environment_of(sdk: Sdk) -> dict[str, str]:
    """What the scripts of an SDK's folder are told; see `sdks/README.md`."""
    environment = {
        "DMCONFORM_PROVIDER": sdk.id.provider.value,
        "DMCONFORM_SDK_MINOR": str(sdk.id.minor),
        "DMCONFORM_ABI_VERSION": sdk.abi_version,
    }
    if sdk.official and sdk.official.go_module:
        environment["DMCONFORM_GO_MODULE"] = sdk.official.go_module
    return environment


def inputs_of(sdk: Sdk, abi_folder: Path) -> dict[str, TarTree]:
    """What the scripts find below /work, without the official SDK's sources."""
    abi = load_abi(abi_folder, str(sdk.id.minor))
    bindings = TarTree.from_files({"abi.h": c_header(abi).encode(), "abi.rs": rust_bindings(abi).encode()})
    return {"src": TarTree.from_folder(sdk.folder, IGNORED | NOT_SOURCES), "abi": bindings}


class Builder:
    """Builds SDK versions, several at once.

    `toolchain` is called once, before the first build that the cache has not got.
    """

    def __init__(
        self,
        cache: Path,
        abi_folder: Path,
        toolchain_folder: Path,
        repository: SourceRepository,
        toolchain: Callable[[], Toolchain],
        progress: Progress,
    ) -> None:
        self._cache = cache
        self._abi_folder = abi_folder
        self._toolchain_hash = tree_hash(toolchain_folder)
        self._repository = repository
        self._open_toolchain = toolchain
        self._progress = progress

    def build_all(self, sdks: tuple[Sdk, ...]) -> tuple[Built | NotBuilt, ...]:
        """Builds them; one that fails harms no other. In the order given."""
        prepared = [self._prepare(sdk) for sdk in sdks]
        missing = [one for one in prepared if isinstance(one, _Job)]
        if not missing:
            return tuple(one for one in prepared if not isinstance(one, _Job))
        try:
            toolchain = self._open_toolchain()
        except HarnessError as error:
            problem = f"there is no toolchain to build with: {error}"
            return tuple(NotBuilt(one.sdk, Outcome.ERROR, problem) if isinstance(one, _Job) else one for one in prepared)
        cpus = os.cpu_count() or 1
        total, done = len(missing), 0

        def run(one: Built | NotBuilt | _Job) -> Built | NotBuilt:
            nonlocal done
            if not isinstance(one, _Job):
                return one
            result = self._run(one, toolchain, max(1, cpus // min(cpus, total)))
            done += 1
            what = f"built in {result.stored.build_s:.0f} s" if isinstance(result, Built) else f"{result.outcome.value}"
            self._progress(f"[{done}/{total}] {one.sdk.id}: {what}")
            return result

        # The long ones first: Rust's official SDK takes a minute where the others take seconds.
        order = sorted(range(len(prepared)), key=lambda i: _cost(prepared[i].sdk), reverse=True)
        self._progress(f"building the probes of {total} SDK versions")
        with ThreadPoolExecutor(max_workers=cpus, thread_name_prefix="build") as pool:
            results = dict(zip(order, pool.map(run, [prepared[i] for i in order]), strict=True))
        return tuple(results[i] for i in range(len(prepared)))

    def _prepare(self, sdk: Sdk) -> Built | NotBuilt | _Job:
        """What the cache has, or what has to be done."""
        environment = environment_of(sdk)
        tree: Path | None = None
        source = "the reference SDK of this project"
        if sdk.official and sdk.official.go_module:
            source = f"Go module proxy, {sdk.official.go_module}"
        elif sdk.official:
            source = f"git, {sdk.official.tag} ({(sdk.official.commit or 'commit not recorded')[:12]})"
        try:
            inputs = inputs_of(sdk, self._abi_folder)
            known_commit = sdk.official.commit if sdk.official else None
            parts = [self._toolchain_hash, *(one.digest() for one in inputs.values()), repr(sorted(environment.items()))]
            if sdk.official and not sdk.official.go_module and known_commit is None:
                tree = self._repository.tree(sdk.official)  # without a commit only the sources themselves tell what they are
                parts.append(tree_hash(tree))
            key = hashlib.sha256("\n".join([*parts, known_commit or ""]).encode()).hexdigest()[:32]
            folder = self._cache / "modules" / f"{sdk.id.language.value}-{sdk.id.minor}-{sdk.id.provider.value}-{key}"
            stored = store.find(folder)
            if stored is not None:
                return Built(sdk, stored, False, folder / "build.log")
            if sdk.official and not sdk.official.go_module and tree is None:
                self._progress(f"{sdk.id}: getting the official SDK's sources")
                tree = self._repository.tree(sdk.official)
        except Unreachable as error:
            return NotBuilt(sdk, Outcome.NOT_TESTED, str(error))
        except HarnessError as error:
            return NotBuilt(sdk, Outcome.ERROR, str(error))
        if tree is not None:
            inputs["sdk"] = TarTree.from_folder(tree, ignored=())
        return _Job(sdk, folder, inputs, environment, source)

    def _run(self, job: _Job, toolchain: Toolchain, cpus: int) -> Built | NotBuilt:
        """Builds, or waits for another run that builds the same."""
        job.folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{job.folder}.build", timeout=2 * BUILD_S):
                there = store.find(job.folder)
                if there is not None:
                    return Built(job.sdk, there, False, job.folder / "build.log")
                return self._build(job, toolchain, cpus)
        except (HarnessError, Timeout) as error:
            return NotBuilt(job.sdk, Outcome.ERROR, str(error))

    def _build(self, job: _Job, toolchain: Toolchain, cpus: int) -> Built | NotBuilt:
        inputs = dict(job.inputs)
        environment = job.environment | {"DMCONFORM_JOBS": str(cpus)}
        limits = Limits(timeout_s=BUILD_S)
        image = toolchain.identity.image_id
        if job.sdk.official and (job.sdk.folder / "fetch.sh").exists():
            deps = self._dependencies(job.sdk, job.inputs, job.environment, lambda: toolchain)
            if isinstance(deps, NotBuilt):
                return deps
            inputs["deps"] = TarTree.from_folder(deps, ignored=())
        done = run_job(toolchain.client, image, ["sh", "/work/src/build.sh"], inputs, environment, "out", limits=limits)
        if not done.succeeded:
            return NotBuilt(job.sdk, Outcome.ERROR, _complaint("its build", done), done.log)
        source, took_s = job.source, done.duration_s
        stored = store.keep(job.folder, job.sdk.modules, done.outputs, done.log, source, took_s, toolchain.identity)
        return Built(job.sdk, stored, True, job.folder / "build.log")

    def dependencies(self, sdk: Sdk) -> Path:
        """The folder of what an SDK's `fetch.sh` downloads, such as the official Go SDK; from the cache if it is there.

        It belongs to the cache: copy it before changing anything.

        Raises:
            HarnessError: this SDK downloads nothing, or the download failed.
        """
        if not (sdk.official and (sdk.folder / "fetch.sh").exists()):
            raise HarnessError(f"{sdk.id}: expected an SDK with dependencies to download, it has none")
        inputs = inputs_of(sdk, self._abi_folder)
        if not sdk.official.go_module:
            inputs["sdk"] = TarTree.from_folder(self._repository.tree(sdk.official), ignored=())
        found = self._dependencies(sdk, inputs, environment_of(sdk), self._open_toolchain)
        if isinstance(found, NotBuilt):
            raise HarnessError(f"{sdk.id}: {found.problem}")
        return found

    def _dependencies(
        self, sdk: Sdk, inputs: dict[str, TarTree], environment: dict[str, str], open_toolchain: Callable[[], Toolchain]
    ) -> Path | NotBuilt:
        """What fetch.sh downloads, kept by what it was asked for."""
        source = inputs["src"].entries
        deciding = TarTree({name: source[name] for name in source if PurePosixPath(name).suffix in DECIDE_DOWNLOAD})
        wanted = "\n".join([deciding.digest(), repr(sorted(environment.items()))])
        folder = self._cache / "deps" / hashlib.sha256(wanted.encode()).hexdigest()[:32]
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock", timeout=2 * BUILD_S):
            if not (folder / "complete").exists():
                toolchain = open_toolchain()
                self._progress(f"{sdk.id}: downloading dependencies")
                done = run_job(
                    toolchain.client,
                    toolchain.identity.image_id,
                    ["sh", "/work/src/fetch.sh"],
                    inputs,
                    environment,
                    "deps",
                    network=True,
                    limits=Limits(timeout_s=BUILD_S),
                )
                if not done.succeeded:
                    return NotBuilt(
                        sdk,
                        _outcome_of_fetch(sdk, done),
                        _complaint("the download of its dependencies", done),
                        done.log,
                    )
                write_files(folder / "tree", done.outputs)
                write_files(folder, {"complete": b""})
            (folder / "tree").mkdir(exist_ok=True)
        return folder / "tree"


@dataclass(frozen=True)
class _Job:
    sdk: Sdk
    folder: Path
    inputs: dict[str, TarTree]
    environment: dict[str, str]
    source: str


def _cost(sdk: Sdk) -> int:
    return 2 * (sdk.id.language is Language.RUST and sdk.official is not None) + (sdk.id.language is Language.GO)


def _outcome_of_fetch(sdk: Sdk, done: JobResult) -> Outcome:
    """The official SDK itself comes from the proxy for Go; a wrong hash must not pass for a network that is down."""
    tampered = b"SECURITY ERROR" in done.log or b"checksum" in done.log
    from_proxy = sdk.official is not None and sdk.official.go_module is not None
    return Outcome.NOT_TESTED if from_proxy and not tampered else Outcome.ERROR


def _complaint(what: str, done: JobResult) -> str:
    tail = "\n".join(done.log.decode(errors="replace").splitlines()[-LOG_TAIL_LINES:])
    return f"{what} {done.how}; the end of its log:\n{tail}"

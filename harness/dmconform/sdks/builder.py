"""Builds the probes of an SDK version in a container, or takes them from the cache.

A build is known by its content: what its provider needs of the language's folder (`dmconform.sdks.inputs`), the SDK's sources,
the bindings of a reference SDK, and the definition of the toolchain. The same key means the same modules, and nothing is asked
of the network or of a container engine.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from dmconform.containers.files import TarTree, tree_hash, write_files
from dmconform.containers.sandbox import JobResult, Limits, run_job
from dmconform.containers.toolchain import ToolchainIdentity, definition_tree
from dmconform.core.errors import HarnessError
from dmconform.core.threads import thread_pool
from dmconform.core.timeouts import BUILD_S
from dmconform.core.values import Language, Outcome
from dmconform.sdks import store
from dmconform.sdks.catalogue import Sdk
from dmconform.sdks.inputs import DEBUG, Variant, deciding_download, environment_of, inputs_of
from dmconform.sdks.sources import SourceRepository, Unreachable
from dmconform.sdks.store import StoredBuild

if TYPE_CHECKING:
    import docker

Progress = Callable[[str], None]
LOG_TAIL_LINES = 30
GO_PROXY = "the Go module proxy"
KEY_DIGITS = 32
WHY_FILES = 3
"""How many changed files a reason to build names."""


@dataclass(frozen=True)
class Built:
    """The modules of an SDK version. `fresh` distinguishes a build from a find in the cache."""

    sdk: Sdk
    stored: StoredBuild
    fresh: bool
    log: Path


@dataclass(frozen=True)
class NotBuilt:
    """The reason why there are no modules: an error of the build, or sources of the official SDK that are not available."""

    sdk: Sdk
    outcome: Outcome
    problem: str
    log: bytes = b""


@dataclass(frozen=True)
class Toolchain:
    """A Docker server and the image on it."""

    client: docker.DockerClient
    identity: ToolchainIdentity


@dataclass(frozen=True)
class ToBuild:
    """A build that the cache does not hold, and the reason."""

    sdk: Sdk
    why: str


class Builder:
    """A builder of SDK versions, several at once.

    `toolchain` is called once, before the first build that the cache lacks.
    """

    def __init__(
        self,
        cache: Path,
        abi_folder: Path,
        toolchain_folder: Path,
        repository: SourceRepository,
        toolchain: Callable[[], Toolchain],
        progress: Progress,
        variant: Variant = Variant.RELEASE,
    ) -> None:
        """Prepares building; touches neither network nor container engine.

        Args:
            cache: where builds and downloads are kept.
            abi_folder: the ABI data, from which bindings and headers are generated.
            toolchain_folder: the definition of the toolchain's image, which is part of every build's key.
            repository: where the official SDKs' sources come from.
            toolchain: gives the toolchain; called only where something has to be built.
            progress: called before each step that takes longer.
            variant: as released, or with symbols for a debugger.
        """
        self._cache = cache
        self._abi_folder = abi_folder
        self._variant = variant
        self._toolchain_hash = definition_tree(toolchain_folder).digest()
        self._repository = repository
        self._open_toolchain = toolchain
        self._progress = progress

    def plan(self, sdks: tuple[Sdk, ...]) -> tuple[Built | NotBuilt | ToBuild, ...]:
        """Returns what `build_all` would find and do, in the order given. Builds nothing, and downloads no dependency."""
        return tuple(
            ToBuild(one.sdk, one.why) if isinstance(one, _Job) else one
            for one in (self._prepare(sdk, fetch=False) for sdk in sdks)
        )

    def build_all(self, sdks: tuple[Sdk, ...]) -> tuple[Built | NotBuilt, ...]:
        """Builds SDK versions, in the order given; one that fails does not stop the others."""
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
        total, found = len(missing), sum(isinstance(one, Built) for one in prepared)
        ended = itertools.count(1)  # counts also where two threads end at once

        def run(one: Built | NotBuilt | _Job) -> Built | NotBuilt:
            if not isinstance(one, _Job):
                return one
            result = self._run(one, toolchain, max(1, cpus // min(cpus, total)))
            what = f"built in {result.stored.build_s:.0f} s" if isinstance(result, Built) else f"{result.outcome.value}"
            self._progress(f"[{next(ended)}/{total}] {one.sdk.id}: {what}")
            return result

        # The long ones first: Rust's official SDK takes a minute where the others take seconds.
        order = sorted(range(len(prepared)), key=lambda i: _cost(prepared[i].sdk), reverse=True)
        self._progress(f"building the probes of {total} SDK versions, {min(cpus, total)} at once; the cache holds {found}")
        for one in missing:
            self._progress(f"  {one.sdk.id}: {one.why}")
        with thread_pool(cpus, "build") as pool:
            results = dict(zip(order, pool.map(run, [prepared[i] for i in order]), strict=True))
        return tuple(results[i] for i in range(len(prepared)))

    def _prepare(self, sdk: Sdk, *, fetch: bool = True) -> Built | NotBuilt | _Job:
        """Returns the cached build, or the work to be done; `fetch`: with the official SDK's sources."""
        environment = environment_of(sdk, self._variant)
        tree: Path | None = None
        source = "the reference SDK of this project"
        if sdk.official and sdk.official.go_module:
            source = f"Go module proxy, {sdk.official.go_module}"
        elif sdk.official:
            named = sdk.development.version or "unreleased" if sdk.development else sdk.official.tag
            source = f"git, {named} ({(sdk.official.commit or 'commit not recorded')[:12]})"
        try:
            inputs = inputs_of(sdk, self._abi_folder)
            known_commit = sdk.official.commit if sdk.official else None
            names = [f"{folder} {one.digest()}" for folder, one in sorted(inputs.items())]
            parts = [self._toolchain_hash, *names, repr(sorted(environment.items()))]
            if sdk.official and not sdk.official.go_module and known_commit is None:
                tree = self._repository.tree(sdk.official)  # without a commit only the sources themselves show what they are
                parts.append(tree_hash(tree))
            key = hashlib.sha256("\n".join([*parts, known_commit or ""]).encode()).hexdigest()[:KEY_DIGITS]
            version = f"{sdk.id.language.value}-{sdk.id.minor}-{sdk.id.provider.value}"
            version += f"-{self._variant.value}" if self._variant is not Variant.RELEASE else ""
            folder = self._cache / "modules" / f"{version}-{key}"
            stored = store.find(folder)
            if stored is not None:
                return Built(sdk, stored, False, folder / "build.log")
            made_of = {"toolchain": self._toolchain_hash, "commit": known_commit or "", **_digests(inputs)}
            why = _why(self._cache / "modules", version, made_of)
            if fetch and sdk.official and not sdk.official.go_module and tree is None:
                self._progress(f"{sdk.id}: getting the official SDK's sources")
                tree = self._repository.tree(sdk.official)
        except Unreachable as error:
            return NotBuilt(sdk, Outcome.NOT_TESTED, str(error))
        except HarnessError as error:
            return NotBuilt(sdk, Outcome.ERROR, str(error))
        came_from = GO_PROXY if sdk.official and sdk.official.go_module else ""
        if tree is not None:
            inputs["sdk"] = TarTree.from_folder(tree, ignored=())
            came_from = self._repository.origin(tree)
        return _Job(sdk, folder, inputs, environment, source, made_of, why, came_from)

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
            return NotBuilt(job.sdk, Outcome.ERROR, _error_text("its build", done), done.log)
        source, took_s = job.source, done.duration_s
        outputs = {**done.outputs, MADE_OF: json.dumps(job.made_of, indent=1).encode()}
        stored = store.keep(job.folder, job.sdk.modules, outputs, done.log, source, took_s, toolchain.identity, job.repository)
        return Built(job.sdk, stored, True, job.folder / "build.log")

    def dependencies(self, sdk: Sdk) -> Path:
        """Returns the folder of what an SDK's `fetch.sh` downloads, such as the official Go SDK; from the cache if it is there.

        It belongs to the cache: copy it before changing anything.

        Raises:
            HarnessError: this SDK downloads nothing, or the download failed.
        """
        if not (sdk.official and (sdk.folder / "fetch.sh").exists()):
            raise HarnessError(f"{sdk.id}: expected an SDK with dependencies to download, it has none")
        inputs = inputs_of(sdk, self._abi_folder)
        if not sdk.official.go_module:
            inputs["sdk"] = TarTree.from_folder(self._repository.tree(sdk.official), ignored=())
        found = self._dependencies(sdk, inputs, environment_of(sdk, self._variant), self._open_toolchain)
        if isinstance(found, NotBuilt):
            raise HarnessError(f"{sdk.id}: {found.problem}")
        return found

    def _dependencies(
        self, sdk: Sdk, inputs: dict[str, TarTree], environment: dict[str, str], open_toolchain: Callable[[], Toolchain]
    ) -> Path | NotBuilt:
        """Returns what fetch.sh downloads, kept by what it was asked for."""
        environment = {name: value for name, value in environment.items() if name != DEBUG}
        wanted = "\n".join([deciding_download(inputs["src"]).digest(), repr(sorted(environment.items()))])
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
                        _error_text("the download of its dependencies", done),
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
    made_of: dict[str, str]
    why: str
    repository: str


MADE_OF = "made-of.json"
"""Beside the modules: a hash of each input file, which says what an edit has changed since."""


def _digests(inputs: Mapping[str, TarTree]) -> dict[str, str]:
    """Returns a hash of each input file, by folder and name."""
    return {
        f"{folder}/{name}": TarTree({name: entry}).digest()
        for folder, tree in sorted(inputs.items())
        for name, entry in tree.entries.items()
    }


def _why(modules: Path, version: str, made_of: Mapping[str, str]) -> str:
    """Returns why a version has to be built: what is not as it was when it was built last."""
    pattern = f"{version}-{'[0-9a-f]' * KEY_DIGITS}/{MADE_OF}"
    before = sorted(modules.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not before:
        return "not built here before"
    last: dict[str, str] = json.loads(before[-1].read_bytes())
    changed = [name for name in sorted({*last, *made_of}) if last.get(name) != made_of.get(name)]
    shown = ", ".join(name.removeprefix("src/") for name in changed[:WHY_FILES])
    more = f" and {len(changed) - WHY_FILES} more" if len(changed) > WHY_FILES else ""
    return f"changed since the last build: {shown}{more}" if changed else "its environment or its modules changed"


def _cost(sdk: Sdk) -> int:
    return 2 * (sdk.id.language is Language.RUST and sdk.official is not None) + (sdk.id.language is Language.GO)


def _outcome_of_fetch(sdk: Sdk, done: JobResult) -> Outcome:
    """Returns how a failed fetch counts.

    The official Go SDK comes from a proxy; a wrong hash must not be taken for a network that is down.
    """
    tampered = b"SECURITY ERROR" in done.log or b"checksum" in done.log
    from_proxy = sdk.official is not None and sdk.official.go_module is not None
    return Outcome.NOT_TESTED if from_proxy and not tampered else Outcome.ERROR


def _error_text(what: str, done: JobResult) -> str:
    tail = "\n".join(done.log.decode(errors="replace").splitlines()[-LOG_TAIL_LINES:])
    return f"{what} {done.how}; the end of its log:\n{tail}"

"""What is known of a module before it is run: its file, how it is to be used, and what the project's data say."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dmconform.abi.deprecations import Deprecated, deprecations
from dmconform.abi.loading import load_every_abi
from dmconform.abi.policy import load_policy
from dmconform.abi.required_hooks import RequiredHooks, load_required_hooks
from dmconform.binaries.abi_string import INIT
from dmconform.binaries.facts import ModuleFacts
from dmconform.binaries.kinds import FileKind, ProblemKind
from dmconform.binaries.known import known_hosts
from dmconform.binaries.read import exports_of
from dmconform.binaries.target import target_problems
from dmconform.binaries.target_notes import target_notes
from dmconform.check.deprecated import deprecated_notes
from dmconform.check.result import SdkGuess
from dmconform.check.sdk_minor import KnownSdks, guess_minor
from dmconform.check.settings import Settings, WantedUse
from dmconform.check.uses import UsePlan, plan_uses
from dmconform.core import paths
from dmconform.core.errors import UsageError
from dmconform.core.nearest import unknown
from dmconform.core.versions import Minor
from dmconform.envoy.launch import SEARCH_PATH
from dmconform.hosts.catalogue import KnownHost, load_not_available
from dmconform.sdks.catalogue import Sdk, load_sdks

GODEBUG = "GODEBUG"
GO_ENVIRONMENT = {GODEBUG: "cgocheck=0"}
_PRELOAD = "LD_PRELOAD"


@dataclass(frozen=True)
class CheckRequest:
    """The request of a check.

    Args:
        module: its file.
        hosts: what `--host` names; empty: those that the promise is about, and their neighbours.
        settings: how the module is used.
        run: whether its code is run.
        keep: a folder for the evidence; None: it is removed.
        all_must_work: whether hosts count for the exit code that the promise is not about.
        options: the words of the command line that say how the module is used.
        isolate: whether its code is run in a sandbox.
        readable: files and folders of this machine that it may read there, besides its own and those of the system.
    """

    module: Path
    hosts: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    run: bool = True
    keep: Path | None = None
    all_must_work: bool = False
    options: tuple[str, ...] = ()
    isolate: bool = False
    readable: tuple[Path, ...] = ()


@dataclass(frozen=True)
class KnownData:
    """The project's data that a check needs, loaded once."""

    hosts: tuple[KnownHost, ...]
    not_available: tuple[str, ...]
    catalogue: tuple[Sdk, ...]
    sdks: KnownSdks
    required_hooks: RequiredHooks
    deprecated: Mapping[str, Deprecated]  # by the name of the function or type

    @classmethod
    def load(cls) -> KnownData:
        """Loads it."""
        hosts, catalogue, abis = known_hosts(), load_sdks(paths.SDKS), load_every_abi()
        return cls(
            hosts,
            tuple(map(str, load_not_available(paths.HOSTS_FILE))),
            catalogue,
            KnownSdks.of(hosts, catalogue, list(abis.values())),
            load_required_hooks(),
            deprecations({Minor.parse(minor): abi for minor, abi in abis.items()}, load_policy()),
        )


@dataclass(frozen=True)
class PreparedModule:
    """A module that was read, and how it is to be used."""

    request: CheckRequest
    facts: ModuleFacts
    plan: UsePlan
    environment: Mapping[str, str]
    notes: tuple[str, ...]
    sdk: SdkGuess
    not_here: tuple[str, ...] = ()  # why this machine cannot load it, which says nothing of hosts

    @property
    def is_broken(self) -> bool:
        """Whether no host can load it: the file itself is at fault."""
        return not self.facts.not_read and (self.facts.problem is not None or INIT not in self.facts.hooks)

    @property
    def is_to_run(self) -> bool:
        """Whether its code is run."""
        return self.request.run and bool(self.plan.uses) and not (self.is_broken or self.facts.not_read) and not self.not_here

    @property
    def sdk_minors(self) -> tuple[Minor, ...]:
        """The minors whose SDK it can have been built with."""
        return tuple(map(Minor.parse, self.sdk.minors))


def prepare(request: CheckRequest, facts: ModuleFacts, data: KnownData) -> PreparedModule:
    """Plans the uses of a module; runs nothing of it.

    Args:
        request: the request of the check.
        facts: what was read of the module.
        data: the project's.

    Raises:
        UsageError: it is no shared library, or a setting makes no sense.
    """
    settings = request.settings
    if SEARCH_PATH in _names(settings):
        raise UsageError(f"{SEARCH_PATH}: the check sets it, to where its copy of the module is; expected other variables")
    _must_be_known(settings.sdk_minor, data.sdks)
    if facts.kind is not FileKind.SHARED_LIBRARY or facts.problem_kind is ProblemKind.UNREADABLE:
        raise UsageError(f"{request.module}: {facts.problem}")
    environment, notes = _environment(settings, facts)
    plan = plan_uses(settings, facts)
    prepared = PreparedModule(
        request=request,
        facts=facts,
        plan=plan,
        environment=environment,
        notes=(*target_notes(facts), *notes, *deprecated_notes(facts, data.deprecated)),
        sdk=guess_minor(facts, data.sdks, settings.sdk_minor),
    )
    if not prepared.is_to_run:
        return prepared
    variables = dict(environment)
    for use in plan.uses:
        variables |= use.environment
    return replace(prepared, not_here=tuple(one.sentence for one in target_problems(facts, request.module, variables)))


def preloaded_symbols(environment: Mapping[str, str], uses: Sequence[WantedUse]) -> frozenset[str]:
    """Returns what the libraries of LD_PRELOAD export."""
    values = [environment.get(_PRELOAD, ""), *(use.environment.get(_PRELOAD, "") for use in uses)]
    files = dict.fromkeys(file for value in values for file in value.replace(":", " ").split())
    return frozenset(name for file in files for name in exports_of(Path(file)))


def must_be_readable(module: Path) -> None:
    """Raises UsageError unless it is a file that can be read. Opens nothing that could block."""
    try:
        mode = module.stat().st_mode
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{module}: expected a module's file: {why}") from None
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
        raise UsageError(f"{module}: expected a module's file, it is {kinds.get(stat.S_IFMT(mode), 'a device')}")
    if not os.access(module, os.R_OK):
        raise UsageError(f"{module}: expected a module's file that can be read: {os.strerror(errno.EACCES)}")


def _must_be_known(minor: Minor | None, sdks: KnownSdks) -> None:
    if minor is not None and minor not in sdks.minors:
        raise UsageError(f"--sdk-minor: {unknown('SDK minor', str(minor), map(str, sdks.minors))}")


def _environment(settings: Settings, facts: ModuleFacts) -> tuple[dict[str, str], list[str]]:
    """Returns the environment of the hosts, and what a person should know of it."""
    environment = dict(settings.environment)
    if facts.language != "go" or GODEBUG in _names(settings):
        return environment, []
    return GO_ENVIRONMENT | environment, [
        "GODEBUG=cgocheck=0 is set for the hosts: without it, Go's runtime ends an Envoy over modules of Envoy's Go SDK; "
        "--env GODEBUG= leaves it out"
    ]


def _names(settings: Settings) -> set[str]:
    """Returns all variables that the user sets."""
    return {*settings.environment, *(name for use in settings.uses for name in use.environment)}

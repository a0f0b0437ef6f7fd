"""A check from end to end: read the module, look at each host, run it there, judge."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dmconform import __version__
from dmconform.abi.loading import load_every_abi
from dmconform.abi.required import required_by
from dmconform.abi.required_hooks import RequiredHooks, load_required_hooks
from dmconform.binaries.facts import ModuleFacts, StaticVerdict
from dmconform.binaries.kinds import FileKind
from dmconform.binaries.read import exports_of, read_module
from dmconform.binaries.verdict import static_verdict
from dmconform.check.hosts import Candidate, describe, distinct
from dmconform.check.judge import HostFinding, differing_answers, exit_code, judge_hosts
from dmconform.check.result import SCHEMA_VERSION, Check
from dmconform.check.sdk_minor import KnownSdks, guess_minor, promise_for
from dmconform.check.settings import Settings, WantedUse, choose_uses
from dmconform.check.span import span_of
from dmconform.core import paths
from dmconform.core.errors import UsageError
from dmconform.core.extension_point import ExtensionPoint, point_of
from dmconform.core.versions import Minor
from dmconform.envoy.launch import SEARCH_PATH
from dmconform.hosts.catalogue import KnownHost, load_hosts
from dmconform.hosts.selection import HostChoice, select_hosts
from dmconform.sdks.catalogue import load_sdks

GODEBUG = "GODEBUG"
GO_ENVIRONMENT = {GODEBUG: "cgocheck=0"}
_PRELOAD = "LD_PRELOAD"
_EVERY_POINT = "every point"


@dataclass(frozen=True)
class CheckRequest:
    """The request of a check. `keep` is a folder for the evidence, which is removed where it is None."""

    module: Path
    hosts: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    run: bool = True
    keep: Path | None = None


def check_module(request: CheckRequest) -> Check:
    """Checks a module.

    Raises:
        UsageError: the module or a host is not a file that can be read, or a setting makes no sense.
        HarnessError: the check could not be done at all.
    """
    _must_be_readable(request.module)
    known = load_hosts(paths.HOSTS_FILE)
    choices = select_hosts(request.hosts, known)
    settings = request.settings
    if SEARCH_PATH in _names(settings):
        raise UsageError(f"{SEARCH_PATH}: the check sets it, to where its copy of the module is; expected other variables")
    facts = read_module(request.module)
    if facts.kind is not FileKind.SHARED_LIBRARY:
        raise UsageError(f"{request.module}: {facts.problem}")
    uses, guess = choose_uses(settings, facts.points)
    environment, notes = _environment(settings, facts)
    points = frozenset(use.point for use in uses) if request.run or guess is None else None
    static = _StaticAnalysis(facts, points, load_required_hooks(), _preloaded(environment, uses))
    if request.run:
        seen = _static_and_run(static, request, uses, environment, choices, known)
    else:
        seen = [static.seen(host) for host in distinct(describe(choice, known) for choice in choices)]
    hosts = judge_hosts(seen, guessed=guess is not None)
    abis = list(load_every_abi().values())
    sdk = guess_minor(facts, KnownSdks.of(known, load_sdks(paths.SDKS), abis), settings.sdk_minor)
    return Check(
        schema_version=SCHEMA_VERSION,
        suite_version=__version__,
        module_file=request.module.name,
        module=facts,
        hooks_by_point=_hooks_by_point(facts),
        ran=any(one.runs for one in seen),
        hosts=hosts,
        span=span_of(hosts, [host.release for host in known], request.run),
        sdk=sdk,
        promise=tuple(promise_for(Minor.parse(minor), hosts) for minor in sdk.minors),
        notes=(*([guess] if guess and facts.problem is None else []), *notes, *differing_answers(hosts)),
        exit_code=int(exit_code(hosts)),
    )


@dataclass(frozen=True)
class _StaticAnalysis:
    """The findings of the files. `points` is None where the user did not say what the module is for, and nothing is run."""

    facts: ModuleFacts
    points: frozenset[ExtensionPoint] | None
    required: RequiredHooks
    preloaded: frozenset[str]  # symbols that preloaded libraries bring

    def seen(self, host: Candidate) -> HostFinding:
        """Returns a host as the static analysis sees it."""
        alone = {} if self.points is None else {point.value: self._verdict(host, (point,)) for point in self.points}
        return HostFinding(host.id, host.release, host.origin, self._verdict(host, self.points), alone, run_wanted=False)

    def _verdict(self, host: Candidate, points: Collection[ExtensionPoint] | None) -> StaticVerdict:
        return static_verdict(
            self.facts,
            host.facts,
            points=points,
            required_hooks=required_by(host.release, self.required),
            preloaded=self.preloaded,
        )


def _static_and_run(
    static: _StaticAnalysis,
    request: CheckRequest,
    uses: tuple[WantedUse, ...],
    environment: Mapping[str, str],
    choices: Sequence[HostChoice],
    known: tuple[KnownHost, ...],
) -> list[HostFinding]:
    from dmconform.check.running import CheckJob, run_everywhere  # what only reads does not pay for it

    ran = run_everywhere(CheckJob(request.module, static.facts, uses, environment), choices, known, request.keep)
    return [static.seen(one.host).with_runs(one.runs, one.host.problem) for one in ran]


def _must_be_readable(module: Path) -> None:
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


def _preloaded(environment: Mapping[str, str], uses: Sequence[WantedUse]) -> frozenset[str]:
    """Returns what the libraries of LD_PRELOAD export."""
    values = [environment.get(_PRELOAD, ""), *(use.environment.get(_PRELOAD, "") for use in uses)]
    files = dict.fromkeys(file for value in values for file in value.replace(":", " ").split())
    return frozenset(name for file in files for name in exports_of(Path(file)))


def _hooks_by_point(facts: ModuleFacts) -> dict[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = {}
    for hook in facts.hooks:
        point = point_of(hook)
        grouped.setdefault(point.value if point else _EVERY_POINT, []).append(hook)
    return {point: tuple(grouped[point]) for point in sorted(grouped, key=lambda name: (name == _EVERY_POINT, name))}

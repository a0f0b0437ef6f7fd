"""A check from end to end: read the modules, look at each host, run them there, judge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dmconform import __version__
from dmconform.binaries.facts import Known, ModuleFacts, StaticKind
from dmconform.binaries.read import reading_modules
from dmconform.binaries.verdict import some_names
from dmconform.check.bounds import find_bounds
from dmconform.check.hosts import Candidate, describe, distinct
from dmconform.check.judge import HostFinding, JudgedModule, differing_answers, judge_hosts
from dmconform.check.prepare import CheckRequest, KnownData, PreparedModule, must_be_readable, preloaded_symbols, prepare
from dmconform.check.promise import best_relation, default_hosts, exit_code, exit_codes, promise_for, undecided_by
from dmconform.check.result import SCHEMA_VERSION, Check, CheckSet, HostEntry
from dmconform.check.sdk_minor import guess_minor
from dmconform.check.settings import WantedUse
from dmconform.check.span import Releases, span_of
from dmconform.check.static import ModuleAnalysis
from dmconform.check.surroundings import Surroundings
from dmconform.check.together import as_set, must_all_run, together_entries
from dmconform.check.uses import NO_PURPOSE, module_name, tried_use
from dmconform.core.extension_point import point_of
from dmconform.core.versions import Minor
from dmconform.hosts.selection import HostChoice, HostImage, select_hosts

if TYPE_CHECKING:
    from dmconform.check.isolation import Isolation
    from dmconform.check.run_all import RunOrder
    from dmconform.check.running import RunOutcome

_EVERY_POINT = "every point"


@dataclass(frozen=True)
class RanBy:
    """What confined modules while they ran: a sandbox, or what ends all that they start."""

    isolated: str | None = None
    held: str | None = None


NOTHING = RanBy()


def check_module(request: CheckRequest) -> Check:
    """Checks a module.

    Raises:
        UsageError: the module or a host is not a file that can be read, or a setting makes no sense.
        HarnessError: the check could not be done at all.
    """
    return check_modules([request]).modules[0]


def check_modules(requests: Sequence[CheckRequest], *, together: bool = False) -> CheckSet:
    """Checks several modules on the same hosts.

    Args:
        requests: one per module; of the first, `hosts`, `run`, `keep`, `isolate` and `readable` count for all.
        together: whether they are loaded into one Envoy as well.

    Raises:
        UsageError: a module or a host is not a file that can be read, or a setting makes no sense.
        HarnessError: the check could not be done at all.
    """
    files = [request.module for request in requests]
    for file in files:
        must_be_readable(file)
    with reading_modules(files) as read:
        data = KnownData.load()
        modules = [prepare(request, facts, data) for request, facts in zip(requests, read(), strict=True)]
    choices = _choices(modules, data)
    if together:
        must_all_run(modules)
    to_run = any(module.is_to_run for module in modules)
    in_image = requests[0].run and any(isinstance(choice, HostImage) for choice in choices)
    if not in_image and not to_run:
        hosts = distinct(describe(choice, data.hosts) for choice in choices)
        return as_set([_judged(module, hosts, None, data) for module in modules], ())
    from dmconform.check.run_all import run_all  # what only reads does not pay for it
    from dmconform.check.session import obtain_hosts, place_of
    from dmconform.envoy.process import hold

    isolation = _isolation(requests[0]) if to_run else None
    with place_of(requests[0].keep) as folder:
        found = obtain_hosts(choices, data.hosts)
        order = _order(modules, found, folder, together=together)
        order.announce(isolation)
        results = run_all(order) if isolation is None else isolation.run_all(order)
    runs = list(zip(modules, results.outcomes, strict=True))
    by = RanBy(held=hold() if to_run else None) if isolation is None else RanBy(isolated=str(isolation))
    checks = [_judged(module, found, outcome, data, by) for module, outcome in runs]
    return as_set(checks, together_entries(found, results.together) if together else ())


def _isolation(request: CheckRequest) -> Isolation | None:
    """Returns what isolates modules, where that was asked for.

    Raises:
        HarnessError: it was, and this machine cannot do it.
    """
    if not request.isolate:
        return None
    from dmconform.check.isolation import Isolation

    return Isolation.here(request.readable)


def _order(modules: Sequence[PreparedModule], hosts: tuple[Candidate, ...], folder: Path, *, together: bool) -> RunOrder:
    from dmconform.check.run_all import RunOrder
    from dmconform.check.running import CheckJob

    folders = _folders(modules, folder)
    jobs = [
        CheckJob(module.request.module, module.facts, module.plan, module.environment, place) if module.is_to_run else None
        for module, place in zip(modules, folders, strict=True)
    ]
    return RunOrder(tuple(jobs), hosts, folder, kept=modules[0].request.keep is not None, together=together)


def _choices(modules: Sequence[PreparedModule], data: KnownData) -> tuple[HostChoice, ...]:
    """Returns the hosts that were asked for, or those that the promises of the modules are about."""
    asked = modules[0].request.hosts
    if asked:
        return select_hosts(asked, data.hosts)
    chosen = {host for module in modules for host in default_hosts(data.hosts, module.sdk_minors, module.facts.abi_version)}
    return tuple(host for host in data.hosts if host in chosen)


def _folders(modules: Sequence[PreparedModule], folder: Path) -> list[Path]:
    """Returns a folder for each module: the whole one for a single module."""
    if len(modules) == 1:
        return [folder]
    return [folder / f"{number}-{module_name(module.request.module)}" for number, module in enumerate(modules, 1)]


def _judged(
    module: PreparedModule,
    hosts: Sequence[Candidate],
    outcome: RunOutcome | None,
    data: KnownData,
    by: RanBy = NOTHING,
) -> Check:
    """Judges a module.

    Args:
        module: the module.
        hosts: those that were asked for.
        outcome: what running it showed; None where it was not run.
        data: the project's.
        by: what confined it while it ran.
    """
    request, facts, plan, sdk = module.request, module.facts, module.plan, module.sdk
    notes = list(module.notes)
    uses = plan.uses
    if outcome is not None:
        facts, contradiction = with_reported_abi(facts, [run.abi_version for one in outcome.ran for run in one.runs])
        sdk = guess_minor(facts, data.sdks, request.settings.sdk_minor)
        uses = outcome.uses
        notes += [*contradiction, *_refusals(outcome.refused, outcome.uses)]
    points = frozenset(use.point for use in uses) if request.run or plan.note is None else None
    static = ModuleAnalysis(facts, points, data.required_hooks, preloaded_symbols(module.environment, uses))
    seen: list[HostFinding] = [static.seen(host) for host in hosts]
    if outcome is not None:
        seen = [one.with_runs(ran.runs, ran.host.problem) for one, ran in zip(seen, outcome.ran, strict=True)]
    elif module.not_here:
        seen = [one.with_runs((), f"not judged here: {'; '.join(module.not_here)}") for one in seen]
    tried = tuple(tried_use(use, module_name(request.module), dict(module.environment)) for use in uses)
    purpose = NO_PURPOSE if not facts.points and facts.problem is None else None
    around = Surroundings.of(data.required_hooks, data.catalogue, points, static.preloaded)
    foreign = _foreign(facts, around)
    judged = JudgedModule({one.extension_point: one for one in tried}, module.is_broken, purpose, foreign)
    entries = judge_hosts(seen, judged)
    promise = tuple(promise_for(Minor.parse(minor), entries) for minor in (() if purpose else sdk.minors))
    ran = any(one.runs for one in seen)
    bounds = () if module.is_broken or purpose else find_bounds(request.module, facts, around, sdk)
    codes = exit_codes(entries, promise, all_must_work=request.all_must_work)
    return Check(
        schema_version=SCHEMA_VERSION,
        suite_version=__version__,
        module_file=request.module.name,
        module=facts,
        hooks_by_point=_hooks_by_point(facts),
        ran=ran,
        hosts=tuple(msgspec.structs.replace(host, relation=best_relation(host.id, promise)) for host in entries),
        span=span_of(entries, _releases(facts, entries, around, data), ran),
        sdk=sdk,
        promise=promise,
        bounds=bounds,
        tried=tried,
        options=request.options,
        notes=(
            *([plan.note] if plan.note and not module.is_broken else []),
            *notes,
            *_of_no_release(foreign, entries),
            *differing_answers(entries),
            *undecided_by(codes),
        ),
        exit_code=int(exit_code(codes)),
        isolated_by=by.isolated if ran else None,
        held_by=by.held if ran else None,
    )


def _releases(facts: ModuleFacts, hosts: Sequence[HostEntry], around: Surroundings, data: KnownData) -> Releases:
    """Returns the known releases, and those that are expected to load the module where no host asked for is."""
    wanted = bool(facts.points) and not any(host.static.kind is StaticKind.LOADS for host in hosts)
    expected = around.loads_on(facts) if wanted else ()
    return Releases(tuple(host.release for host in data.hosts), data.not_available, expected)


def _foreign(facts: ModuleFacts, around: Surroundings) -> frozenset[str]:
    """Returns the symbols that a module leaves undefined and that no known release has; libraries may bring some of them."""
    known = [host.facts for host in around.hosts]
    offered = around.preloaded.union(*(host.callbacks for host in known), *(host.other_exports for host in known))
    return frozenset(one.name for one in facts.undefined if not one.weak and one.name not in offered)


def with_reported_abi(facts: ModuleFacts, reported: Iterable[str | None]) -> tuple[ModuleFacts, list[str]]:
    """Returns the facts with the ABI string that hosts report, and a note where the file shows another for certain."""
    strings = {one for one in reported if one is not None}
    if len(strings) != 1:
        return facts, []
    string = strings.pop()
    if string == facts.abi_version:
        return msgspec.structs.replace(facts, abi_version_known=Known.READ), []
    notes = []
    if facts.abi_version is not None and facts.abi_version_known is Known.READ:
        notes = [f"its file shows the ABI string {facts.abi_version}, and hosts report {string}, which counts"]
    return msgspec.structs.replace(facts, abi_version=string, abi_version_known=Known.REPORTED), notes


def _of_no_release(foreign: frozenset[str], hosts: Iterable[HostEntry]) -> list[str]:
    missing = sorted({name for host in hosts for name in host.static.missing if name in foreign})
    if not missing:
        return []
    names = some_names(missing)
    return [f"no known release of Envoy has {names}: it is made for another host, or needs a library (LD_PRELOAD)"]


def _refusals(refused: Sequence[WantedUse], uses: Sequence[WantedUse]) -> list[str]:
    """Returns what was tried besides, in words."""
    if not refused:
        return []
    names = ", ".join(use.point.value for use in refused)
    if any(use in refused for use in uses):
        return [f"it refuses all extension points that it has hooks of: {names}; the results are those of the likeliest"]
    return [f"it refuses {names}; taken as {uses[0].point.value}, the next one that it takes"]


def _hooks_by_point(facts: ModuleFacts) -> dict[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = {}
    for hook in facts.hooks:
        point = point_of(hook)
        grouped.setdefault(point.value if point else _EVERY_POINT, []).append(hook)
    return {point: tuple(grouped[point]) for point in sorted(grouped, key=lambda name: (name == _EVERY_POINT, name))}

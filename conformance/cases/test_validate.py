"""Configurations that are only validated: the verdict is that of a start, at every extension point, and nothing else happens.

No document promises it: what each release does is on record.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from dmconform.casekit import (
    MODULE_SOURCE,
    Cell,
    Draft,
    ExtensionPoint,
    HostCrashed,
    Language,
    Listener,
    Minor,
    Mode,
    ModuleRef,
    ModuleUse,
    RemoteSource,
    Took,
    case,
    is_in_listeners,
    listeners_at,
    reachable_points,
    refusing_port,
    verdict_of,
)

CPP = (Language.CPP,)
"""The build that leaves modules in C; they use no SDK."""
WORKS = "fails_to_configure"
"""A module that works at every extension point, unless its environment says otherwise."""


@case("configuration.forms", languages=CPP, supported_for=(), own_minor=True)
def test_good(cell: Cell) -> None:
    """A module that is right is accepted at every extension point, by validation as by a start."""
    cell.install(WORKS)
    assert_same_verdicts(cell, ModuleRef(WORKS), expected=Took.ACCEPTED)


@case("loading.failure_rejects", languages=CPP, supported_for=(), own_minor=True)
def test_missing(cell: Cell) -> None:
    """A module that is not there has the same verdict at every extension point, by validation as by a start."""
    assert_same_verdicts(cell, ModuleRef("nowhere"))


@case("loading.failure_rejects", languages=CPP, supported_for=(), own_minor=True)
def test_refused(cell: Cell) -> None:
    """A configuration that its module refuses has the same verdict at every extension point, by validation as by a start."""
    cell.install(WORKS)
    assert_same_verdicts(cell, ModuleRef(WORKS), {"DMCONFORM_FAIL": "refuse"})


@case("loading.failure_rejects", languages=CPP, supported_for=(), own_minor=True)
def test_other_abi(cell: Cell) -> None:
    """A module of another version of the ABI has the same verdict at every extension point, by validation as by a start."""
    cell.install("other_abi")
    assert_same_verdicts(cell, ModuleRef("other_abi"))


@case("configuration.forms", languages=CPP, supported_for=(), own_minor=True)
def test_crashing(cell: Cell) -> None:
    """A module that crashes when it is configured ends a validation where it ends a start, and nowhere else."""
    cell.install(WORKS)
    assert_same_verdicts(cell, ModuleRef(WORKS), {"DMCONFORM_FAIL": "crash"})


def assert_same_verdicts(
    cell: Cell, module: ModuleRef, environment: Mapping[str, str] | None = None, expected: Took | None = None
) -> None:
    """Asserts that a validation says of a module what a start says, at every extension point.

    Args:
        cell: whose host is asked.
        module: what is configured.
        environment: the module's.
        expected: what both must say; None where each extension point may say something else.
    """
    found: dict[str, list[str]] = {}
    different = []
    for point in reachable_points(cell):
        use = ModuleUse(point, module, "any")
        started, validated = (verdict_of(cell, mode, use, environment=environment) for mode in (Mode.START, Mode.VALIDATE))
        if started.words == validated.words:
            found.setdefault(started.words, []).append(point.value)
        else:
            words = f"start: {started.words}, validate: {validated.words}"
            found.setdefault(words, []).append(point.value)
            different.append(f"{point.value} ({words})")
    cell.facts.update({words: ", ".join(points) for words, points in found.items()})
    assert not different, f"expected the same verdicts, saw others for {'; '.join(different)}"
    if expected is not None:
        assert set(found) == {expected.value}, f"expected all to be {expected.value}, saw {sorted(found)}"


@case("configuration.forms", languages=CPP, supported_for=(), own_minor=True)
def test_mode(cell: Cell) -> None:
    """A module that is only validated can know it, and none of its hooks is called that belongs to a server that runs."""
    hooks = assert_mode(cell, {})
    running = [hook for hook in hooks[Mode.VALIDATE] if hook.endswith("_initialized")]
    assert not running, f"expected no hooks of a server that runs, saw {running}"


@case("configuration.forms", languages=CPP, supported_for=(), own_minor=True)
def test_mode_at_the_end(cell: Cell) -> None:
    """A module that asks when its configuration goes gets the same answer as when it came: whether it was only validated."""
    assert_mode(cell, {"DMCONFORM_AT_END": "yes"})


def assert_mode(cell: Cell, environment: Mapping[str, str]) -> dict[Mode, list[str]]:
    """Asserts that a module gets the mode wherever it asks, and returns the hooks that were called in each mode."""
    cell.needs(cell.host_minor >= Minor(1, 38), "this host has no callback that says whether it only validates")
    cell.install("validation_mode")
    module = ModuleRef("validation_mode")
    uses = [ModuleUse(point, module, "any") for point in (ExtensionPoint.HTTP_FILTER, ExtensionPoint.BOOTSTRAP_EXTENSION)]
    hooks, told = {}, {}
    for mode in Mode:
        verdict = verdict_of(cell, mode, *uses, environment=environment)
        lines = [line.removeprefix("dmconform: ") for line in verdict.log.splitlines() if line.startswith("dmconform: ")]
        hooks[mode] = [line.partition(", told ")[0] for line in lines]
        told[mode] = {line.partition(", told ")[2] for line in lines} - {"not asked"}
        cell.facts[f"hooks of a {mode.value}"] = ", ".join(hooks[mode])
        cell.facts[f"told by a {mode.value}"] = ", ".join(sorted(told[mode])) or "nothing"
        if verdict.took is Took.CRASHED and verdict.exit_code is not None:
            raise HostCrashed.with_code(verdict.exit_code, f"in a {mode.value}, after it called {hooks[mode][-1]}")
        assert verdict.took is Took.ACCEPTED, f"expected {mode.value} to accept the module: {verdict.words}, {verdict.message}"
    for mode, expected in ((Mode.START, "no validation"), (Mode.VALIDATE, "validation")):
        assert told[mode] == {expected}, f"expected a {mode.value} to tell the module {expected}, saw {sorted(told[mode])}"
    return hooks


@case("configuration.sources", languages=CPP, supported_for=(), own_minor=True)
def test_remote_source(cell: Cell) -> None:
    """A module from a remote source that cannot be reached is refused or fetched later in order, at every extension point."""
    with refusing_port() as port:
        try_remote_source(cell, port)


def try_remote_source(cell: Cell, port: int) -> None:
    """Asserts it; no server listens on the port of the source."""
    crashed = []

    def with_source(draft: Draft) -> None:
        """Adds the cluster of the source; no server listens there."""
        source = copy.deepcopy(draft.bootstrap["static_resources"]["clusters"][0]) | {"name": MODULE_SOURCE}
        for each in ("cluster_type", "load_balancing_policy", "health_checks", "upstream_config"):
            source.pop(each, None)
        address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
        endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
        source |= {"load_assignment": {"cluster_name": MODULE_SOURCE, "endpoints": endpoints}, "lb_policy": "ROUND_ROBIN"}
        draft.bootstrap["static_resources"]["clusters"].insert(0, source)

    for nack in (False, True):
        module = ModuleRef("remote", remote=RemoteSource("/module", "0" * 64, timeout_s=0.05, nack_on_cache_miss=nack))
        for point in reachable_points(cell):
            for mode in Mode:
                verdict = verdict_of(cell, mode, ModuleUse(point, module, "any"), alter=with_source)
                words = f"{mode.value}{', nack_on_cache_miss' if nack else ''}: {verdict.words}"
                cell.facts[words] = ", ".join(filter(None, (cell.facts.get(words), point.value)))
                if verdict.took in (Took.CRASHED, Took.HUNG):
                    crashed.append(f"{point.value} ({words})")
    assert not crashed, f"expected an orderly answer everywhere, saw {'; '.join(crashed)}"


@case("configuration.sources", languages=CPP, supported_for=(), own_minor=True)
def test_remote_source_by_update(cell: Cell) -> None:
    """A listener whose module comes from a remote source that cannot be reached is refused or waits, wherever it may be."""
    cell.needs(cell.host_minor >= Minor(1, 38), "this host takes no module from a remote source")
    points = [point for point in reachable_points(cell) if is_in_listeners(point)]
    with refusing_port() as port, cell.start_anyhow(Listener("main"), clusters={MODULE_SOURCE: port}) as envoy:
        for nack in (False, True):
            source = RemoteSource("/module", "0" * 64, timeout_s=0.05, nack_on_cache_miss=nack)
            for point in points:
                update = envoy.update(*listeners_at(cell, ModuleUse(point, ModuleRef("remote", remote=source), "any")))
                envoy.check_survived(f"after {point.value} came with a remote source")
                words = f"{'accepted' if update.accepted else 'refused'}{', nack_on_cache_miss' if nack else ''}"
                cell.facts[words] = ", ".join(filter(None, (cell.facts.get(words), point.value)))
        cell.assert_still_serves(envoy)

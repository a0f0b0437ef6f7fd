"""Predicts what a host does with a module, from the facts about both; nothing is run.

Every missing symbol follows from what the dynamic linker does. With BIND_NOW in the module, with RTLD_NOW from the host, or
where something else than a call needs it, a missing symbol makes the load fail; otherwise it waits for the first
call, which then ends the host.
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from dmconform.binaries.facts import Binding, HostFacts, Known, ModuleFacts, StaticKind, StaticVerdict, Undefined
from dmconform.binaries.system import glibc_lacks, is_other_libc, is_system_library, system_brings
from dmconform.binaries.target_notes import other_libc_sentence
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX, ExtensionPoint, point_of

INIT: Final = f"{HOOK_PREFIX}program_init"
NAMES_IN_A_REASON: Final = 3
LONGEST_ABI_STRING: Final = 20
RequiredHooks = Mapping[ExtensionPoint, Collection[str]]


def static_verdict(
    module: ModuleFacts,
    host: HostFacts,
    *,
    points: Collection[ExtensionPoint] | None = None,
    required_hooks: RequiredHooks | None = None,
    preloaded: Collection[str] = frozenset(),
) -> StaticVerdict:
    """Predicts what a host does with a module.

    Args:
        module: the module.
        host: the host.
        points: the extension points it is to be used at; None where that is not known. Then every point counts that it
            has the hook for a configuration of, and it is refused only if all of these refuse it.
        required_hooks: the hooks that this host requires at each point, as measured; a point that is not in it requires none.
        preloaded: symbols that libraries bring which the user preloads into the host.
    """
    if module.not_read:
        return StaticVerdict(StaticKind.UNKNOWN, f"the file was not read: {module.problem}")
    if module.problem is not None:
        return StaticVerdict(StaticKind.REFUSED, f"no module: {module.problem}")
    if INIT not in module.hooks:
        return StaticVerdict(StaticKind.REFUSED, f"it does not define {INIT}, which every module must", (INIT,))
    missing = _Missing.of(module, host, preloaded)
    at_points = _AtPoints.of(module, host, points, required_hooks or {})
    abi = _abi(module, host)
    notes = (*missing.notes, *abi.notes, *at_points.notes)
    # What comes first at run time decides: the dynamic linker, the ABI string, the configuration, a call.
    found = (
        _kind(StaticKind.REFUSED, missing.at_load and missing.refusal(module, host), missing.names),
        abi if abi.kind is StaticKind.REFUSED else None,
        _kind(StaticKind.REFUSED, "; ".join(at_points.refused), at_points.missing),
        abi if abi.kind is StaticKind.UNKNOWN else None,
        _kind(StaticKind.UNRESOLVED, missing.at_call and missing.at_a_call(), missing.at_call),
        StaticVerdict(StaticKind.LOADS, "all symbols it needs are there"),
    )
    verdict = next(one for one in found if one is not None)
    if missing.at_call and not verdict.missing:
        notes = (*notes, missing.at_a_call())
    if missing.at_call and host.opens_now is None:
        notes = (*notes, "how this host opens modules is not known; with RTLD_NOW it refuses this one at load")
    if any(map(is_other_libc, module.needed)):
        # What it would be otherwise is one more thing to know.
        notes = (*notes, verdict.reason) if verdict.kind is not StaticKind.LOADS else notes
        reason = other_libc_sentence(module)
        return StaticVerdict(StaticKind.UNKNOWN, reason, verdict.missing, notes, other_target=True)
    return msgspec.structs.replace(verdict, notes=notes)


@dataclass(frozen=True)
class Obstacles:
    """All that keeps a module from working on a host; a verdict names only what comes first at run time."""

    at_load: tuple[str, ...]  # symbols that nothing brings, and whose lack makes the load fail
    at_call: tuple[str, ...]  # the same, and a call fails
    hooks: tuple[str, ...]  # that the host requires and the module lacks
    absent_points: tuple[ExtensionPoint, ...]  # in use, and the host has none such
    refused_abi: str  # why the host refuses its ABI string, empty where it does not

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return bool(self.at_load or self.at_call or self.hooks or self.absent_points or self.refused_abi)


def obstacles(
    module: ModuleFacts,
    host: HostFacts,
    *,
    points: Collection[ExtensionPoint] | None = None,
    required_hooks: RequiredHooks | None = None,
    preloaded: Collection[str] = frozenset(),
) -> Obstacles:
    """Returns all that keeps a module from working on a host.

    Args:
        module: the module; a file that is none has no obstacles.
        host: the host.
        points: as for `static_verdict`.
        required_hooks: as for `static_verdict`.
        preloaded: as for `static_verdict`.
    """
    if module.problem is not None or INIT not in module.hooks:
        return Obstacles((), (), (), (), "")
    missing = _Missing.of(module, host, preloaded)
    at_points = _AtPoints.of(module, host, points, required_hooks or {})
    abi = _abi(module, host)
    return Obstacles(
        missing.at_load,
        missing.at_call,
        at_points.missing,
        at_points.absent,
        abi.reason if abi.kind is StaticKind.REFUSED else "",
    )


def _kind(kind: StaticKind, reason: str | tuple[str, ...], missing: tuple[str, ...]) -> StaticVerdict | None:
    """Returns a verdict, if there is a reason for it."""
    return StaticVerdict(kind, str(reason), missing) if reason else None


class _Missing:
    """The symbols that neither host nor libraries bring."""

    def __init__(self, at_load: Sequence[str], at_call: Sequence[str], notes: Sequence[str]) -> None:
        self.at_load = tuple(at_load)  # a load fails for their lack
        self.at_call = tuple(at_call)  # a call does
        self.notes = tuple(notes)

    @classmethod
    def of(cls, module: ModuleFacts, host: HostFacts, preloaded: Collection[str]) -> _Missing:
        of_host, of_others = _wanted(module.undefined, module.needed, _is_native(module))
        here, there, besides = host.callbacks, host.other_exports, frozenset(preloaded)

        def absent(symbols: Sequence[Undefined]) -> list[Undefined]:
            return [one for one in symbols if not (one.name in here or one.name in there or one.name in besides)]

        # Symbols of musl have glibc's names.
        strangers = [one for one in module.needed if not is_system_library(one) and not is_other_libc(one)]
        # Callbacks first: they say most about the host.
        lacking = absent(of_host)
        elsewhere: list[str] = []
        if strangers:
            elsewhere = [one.name for one in absent(of_others)]
        else:
            lacking += absent(of_others)
        strong = [one for one in lacking if not one.weak]
        weak = [one.name for one in lacking if one.weak]
        at_once = module.binding is Binding.NOW or host.opens_now is True
        at_load = [one.name for one in strong if one.at_load or at_once]
        met = frozenset(at_load)
        at_call = [one.name for one in strong if one.name not in met]
        others = [one.name for one in strong if not one.name.startswith(CALLBACK_PREFIX)]
        return cls(at_load, at_call, list(_notes_of_symbols(strangers, elsewhere, weak, others)))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({*self.at_load, *self.at_call}))

    def refusal(self, module: ModuleFacts, host: HostFacts) -> str:
        """Returns why the dynamic linker refuses it."""
        how = "BIND_NOW" if module.binding is Binding.NOW else "more than calls need them"
        if host.opens_now and module.binding is Binding.LAZY:
            how = "this host opens modules with RTLD_NOW"
        names = self.at_load
        return f"{_symbols(names)} looked for at load ({how}), and missing: {some_names(names)}"

    def at_a_call(self) -> str:
        """Returns what its calls do."""
        names = self.at_call
        return f"{_symbols(names)} looked for at the first call, which ends the host, and missing: {some_names(names)}"


def _is_native(module: ModuleFacts) -> bool:
    return module.architecture == platform.machine().replace("_", "-")


@functools.lru_cache(maxsize=4)
def _wanted(
    undefined: tuple[Undefined, ...], needed: tuple[str, ...], native: bool
) -> tuple[tuple[Undefined, ...], tuple[Undefined, ...]]:
    """Returns the callbacks, and what neither glibc nor a library that brings its version has: what hosts are asked for.

    `native`: whether the module is for this machine, whose glibc can say which symbols a version has.
    """
    callbacks, others = [], []
    for one in undefined:
        if one.name.startswith(CALLBACK_PREFIX):
            callbacks.append(one)
        elif one.weak:
            continue
        elif one.library is None:
            if not system_brings(one.name, needed):
                others.append(one)
        elif native and glibc_lacks(one.library, one.name, one.version):
            others.append(one)
    return tuple(callbacks), tuple(others)


def _notes_of_symbols(
    strangers: Sequence[str], elsewhere: Sequence[str], weak: Sequence[str], others: Sequence[str]
) -> Iterator[str]:
    if weak:
        yield f"{_symbols(weak)} that it can do without (weak) {_are(weak)} not there: {some_names(weak)}"
    if elsewhere:
        yield f"{_symbols(elsewhere)} must come from a library that it needs ({some_names(strangers)}): {some_names(elsewhere)}"
    if others:
        printed = f"{_symbols(others)} of what is missing {_are(others)} no Envoy's to bring: {some_names(others)}"
        yield f"{printed}; a library that is preloaded into the host may (LD_PRELOAD)"


def _abi(module: ModuleFacts, host: HostFacts) -> StaticVerdict:
    """Returns what follows from the ABI string alone."""
    if module.abi_version is not None and module.abi_version == host.abi_version:
        return StaticVerdict(StaticKind.LOADS, "")
    own = shortened(host.abi_version)
    if module.abi_version is None:
        seen = f"its ABI string cannot be read from the file, the host's is {own}"
    else:
        sure = " (inferred)" if module.abi_version_known is Known.INFERRED else ""
        seen = f"its ABI string is {shortened(module.abi_version)}{sure}, the host's is {own}"
    if host.refuses_other_abi is False:
        return StaticVerdict(StaticKind.LOADS, "", notes=(f"{seen}; this host only warns of another",))
    if host.refuses_other_abi is None:
        return StaticVerdict(StaticKind.UNKNOWN, f"{seen}; whether this host refuses another is not known")
    known = module.abi_version is not None and host.abi_version is not None
    return StaticVerdict(StaticKind.REFUSED if known else StaticKind.UNKNOWN, f"{seen}; this host refuses any other")


def shortened(abi_version: str | None) -> str:
    """Returns an ABI string for a sentence; of a hash the beginning stays."""
    if abi_version is None:
        return "not known"
    return abi_version if len(abi_version) <= LONGEST_ABI_STRING else f"{abi_version[:12]}…"


class _AtPoints:
    """The verdicts on the hooks that extension points require."""

    def __init__(
        self, refused: Sequence[str], missing: Collection[str], notes: Sequence[str], absent: Sequence[ExtensionPoint] = ()
    ) -> None:
        self.refused = tuple(refused)
        self.missing = tuple(sorted(missing))
        self.absent = tuple(absent)
        self.notes = tuple(notes)

    @classmethod
    def of(
        cls, module: ModuleFacts, host: HostFacts, points: Collection[ExtensionPoint] | None, required: RequiredHooks
    ) -> _AtPoints:
        asked = sorted(_served(module) if points is None else points, key=lambda one: one.value)
        there = {point_of(hook) for hook in host.hooks}
        unknown = [point for point in asked if point not in there]
        absent = {point: sorted(set(required.get(point, ())) - set(module.hooks)) for point in asked if point in there}
        refusals = [f"refused when configured at {point.value}: {_hooks(names)}" for point, names in absent.items() if names]
        if unknown:
            refusals.append(f"this host has no extension point {', '.join(point.value for point in unknown)} for modules")
        fails = len(unknown) + sum(bool(names) for names in absent.values())
        if fails and (points is not None or fails == len(asked)):
            return cls(refusals, {name for names in absent.values() for name in names}, (), unknown)
        return cls((), (), refusals)


def _served(module: ModuleFacts) -> frozenset[ExtensionPoint]:
    """Returns the points that a module clearly means to serve: those for which it has the hook for a configuration."""
    return frozenset(
        point
        for point in module.points
        if {f"{HOOK_PREFIX}{point.value}_config_new", f"{HOOK_PREFIX}{point.value}_factory_config_new"} & set(module.hooks)
    )


def _symbols(names: Sequence[str]) -> str:
    return "1 symbol" if len(names) == 1 else f"{len(names)} symbols"


def _hooks(names: Sequence[str]) -> str:
    return f"{'hook' if len(names) == 1 else f'{len(names)} hooks'} missing: {some_names(names)}"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def some_names(names: Sequence[str]) -> str:
    """Returns a few of them."""
    shown = ", ".join(names[:NAMES_IN_A_REASON])
    return f"{shown} and {len(names) - NAMES_IN_A_REASON} more" if len(names) > NAMES_IN_A_REASON else shown

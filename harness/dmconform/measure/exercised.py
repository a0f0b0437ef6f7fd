"""Which callbacks and hooks of each minor each method exercises: from data and sources of this repository, without a run."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.abi.loading import load_every_abi
from dmconform.abi.types import Abi, FunctionKind
from dmconform.abi_diff.uses import load_sdk_uses
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint, point_of
from dmconform.core.values import Provider
from dmconform.core.versions import Minor, Release
from dmconform.measure.differential.generate import plan_calls
from dmconform.measure.differential.request import RULES
from dmconform.measure.differential.rules import Rules, load_rules, short
from dmconform.measure.pairs.plan import VIEWS, PairPlan, plan_pairs, why_not
from dmconform.measure.pairs.record import PairRecord, load_record
from dmconform.measure.pairs.request import PAIR_RULES, PAIRS
from dmconform.measure.pairs.rules import PairRules, load_pair_rules
from dmconform.measure.storm.run import SOURCE as STORM_SOURCE
from dmconform.sdks.catalogue import reproducers_of
from dmconform.spec.facts import Facts, known_facts

RECORDER_AREA: Final = "hooks/"
"""The cases that keep as facts which hooks the recorder was called by."""
_FILTERS: Final = {
    "hooks/http_": ExtensionPoint.HTTP_FILTER,
    "hooks/listener": ExtensionPoint.LISTENER_FILTER,
    "hooks/network": ExtensionPoint.NETWORK_FILTER,
    "hooks/udp_listener": ExtensionPoint.UDP_LISTENER_FILTER,
}
"""The extension point that a case's facts are about; those of other cases are named by their extension point."""
_MACRO: Final = re.compile(r"^#define (\w+)\((\w+)\) (envoy_dynamic_module_(?:on|callback)_\w*?)##\2\b", re.MULTILINE)
_INCLUDE: Final = re.compile(r'^#include "(\w+\.h)"$', re.MULTILINE)
_NAME: Final = re.compile(r"\benvoy_dynamic_module_(?:on|callback)_\w+")
_CALLED: Final = re.compile(r"\b([a-z_]+)\(")


@dataclass(frozen=True)
class Used:
    """The names that a method exercises; None where it does not look at functions of the kind."""

    callbacks: frozenset[str] | None
    hooks: frozenset[str] | None


@dataclass(frozen=True)
class Exercised:
    """A minor: its functions (short names), and those that each method exercises."""

    minor: str
    callbacks: frozenset[str]
    hooks: frozenset[str]
    methods: Mapping[str, Used]

    def by_none(self, kind: FunctionKind) -> tuple[str, ...]:
        """Returns the functions of a kind that no method exercises, in the order of the alphabet."""
        its = self.callbacks if kind is FunctionKind.CALLBACK else self.hooks
        used = [one.callbacks if kind is FunctionKind.CALLBACK else one.hooks for one in self.methods.values()]
        return tuple(sorted(its.difference(*(names for names in used if names is not None))))


def names_in(source: Path) -> frozenset[str]:
    """Returns the callbacks and hooks that a module in C names, whole, those included that it writes by a macro."""
    text = _with_included(source, set())
    macros, text = _MACRO.findall(text), _MACRO.sub("", text)
    found = set(_NAME.findall(text))
    for macro, _, prefix in macros:
        found |= {prefix + name for name in re.findall(rf"\b{macro}\((\w+)[,)]", text)}
    return frozenset(found)


def _with_included(source: Path, seen: set[Path]) -> str:
    """Returns the text of a source, and of the headers beside it that it includes, each once."""
    if source in seen or not source.is_file():
        return ""
    seen.add(source)
    text = source.read_text(encoding="utf-8")
    return text + "".join(_with_included(source.with_name(name), seen) for name in _INCLUDE.findall(text))


def modules_of_cases() -> tuple[Path, ...]:
    """Returns the sources of the modules in C that cases use."""
    folders = (paths.CASES, Path(__file__).parents[1] / "casekit")
    text = "".join(file.read_text(encoding="utf-8") for folder in folders for file in sorted(folder.glob("*.py")))
    return tuple(file for name, file in sorted(reproducers_of(paths.SDKS / "cpp").items()) if f'"{name}"' in text)


def recorded_hooks(abi: Abi, facts: Facts) -> frozenset[str]:
    """Returns the hooks by which the recorder was called on releases of a minor, as its cases have on record."""
    hooks: dict[str, set[str]] = {}
    for name in abi.names(FunctionKind.HOOK):
        point = point_of(name)
        if point is not None:
            hooks.setdefault(point.value, set()).add(short(name))
    found: set[str] = set()
    for where, text in _recorded(abi.envoy, facts):
        its = hooks.get(where, set())
        found |= {f"{_stem(its)}_{called}" for called in _CALLED.findall(text)} & its
    return frozenset(found)


def _stem(names: Collection[str]) -> str:
    """Returns the words that all names begin with."""
    ends = zip(min(names, default=""), max(names, default=""), strict=False)
    return "".join(one for one, _ in itertools.takewhile(lambda both: both[0] == both[1], ends)).rpartition("_")[0]


def _recorded(minor: str, facts: Facts) -> Iterator[tuple[str, str]]:
    """Yields what the recorder's cases have on record of a minor: an extension point, and the calls in words."""
    for case in facts.cases:
        if case.startswith(RECORDER_AREA):
            own = next((point.value for prefix, point in _FILTERS.items() if case.startswith(prefix)), None)
            for (_, release), fact in facts.of_case(case).items():
                if str(Release.parse(release).minor) == minor:
                    yield from ((own or name, text) for name, text in fact.behaviour.facts.items())


def exercised() -> tuple[Exercised, ...]:
    """Returns what each method exercises of each minor whose ABI is known.

    Raises:
        DataFileError: a data file has a mistake.
    """
    abis = load_every_abi()
    arguments, rules = load_rules(RULES, abis.values()), load_pair_rules(PAIR_RULES, abis.values())
    records = [found for file in sorted(PAIRS.glob("*.json")) if (found := load_record(file)) is not None]
    modules = frozenset(name for file in modules_of_cases() for name in names_in(file))
    storm = names_in(STORM_SOURCE)
    return tuple(
        _minor(abi, arguments, rules, [one for one in records if one.abi == abi.envoy], modules, storm)
        for _, abi in sorted(abis.items(), key=lambda one: Minor.parse(one[0]))
    )


def _minor(
    abi: Abi, arguments: Rules, rules: PairRules, records: list[PairRecord], modules: frozenset[str], storm: frozenset[str]
) -> Exercised:
    """Returns what is exercised of a minor.

    Args:
        abi: of the minor.
        arguments: the rules of the differential test.
        rules: those of pairs.
        records: what is on record of the pairs of its releases.
        modules: whole names that the modules in C of cases use.
        storm: those that the module of storms uses.
    """
    callbacks, hooks = (frozenset(map(short, abi.names(kind))) for kind in (FunctionKind.CALLBACK, FunctionKind.HOOK))

    def used(names: frozenset[str]) -> Used:
        if not abi.types:  # no module is compiled against it
            return Used(frozenset(), frozenset())
        calls = {short(one) for one in names if one in abi.names(FunctionKind.CALLBACK)}
        own = {short(one) for one in names if one in abi.names(FunctionKind.HOOK)}
        return Used(frozenset(calls), frozenset(own))

    its = [one for one in load_sdk_uses().sdks if one.provider is Provider.REFERENCE and one.minor == abi.envoy]
    probes = frozenset(name for one in its for name in (*one.every, *one.some, *one.hooks))
    plan = plan_pairs(abi, arguments, rules)
    calls = plan_calls(abi, arguments)
    reached = list(_reached(plan, records))
    views = {hook for hook, first, _ in reached if first == VIEWS}
    threads = frozenset(hook for one in records for hook in one.threads)
    methods = {
        "probes": used(probes),
        "modules in C": used(modules),
        "recorder": Used(None, recorded_hooks(abi, known_facts())),
        "differential test": Used(frozenset(one.callback for one in calls.calls), frozenset(one.hook for one in calls.calls)),
        "pairs": Used(
            frozenset(name for _, first, then in reached for name in (first, then) if name in callbacks),
            frozenset(hook for hook, _, _ in reached),
        ),
        "views": Used(frozenset(name for hook in views for name in plan.view_getters(hook)), frozenset(views)),
        "threads": Used(None, threads & hooks),
        "storm": used(storm),
    }
    return Exercised(abi.envoy, callbacks, hooks, methods)


def _reached(plan: PairPlan, records: list[PairRecord]) -> Iterator[tuple[str, str, str]]:
    """Yields hook, first and second call of the pairs whose hook was reached on a release of the minor."""
    minor = Minor.parse(plan.abi.envoy)
    due = [pair for pair in plan.pairs if (point := plan.point(pair.hook)) is not None and why_not(point, minor) is None]
    for one in records:
        for pair in due:
            if pair.hook not in one.not_reached:
                yield pair.hook, pair.first, pair.then


_HEAD: Final = """\
# What exercises which callbacks and hooks

Generated from the data and sources of this repository, without a run: `dmconform coverage --exercised --write`. A test compares
this page with them. Of each minor: how many callbacks and hooks there are, and how many of them each method exercises.

| method | callbacks | hooks |
|---|---|---|
| probes (of cases) | that the probes of the reference SDK leave undefined: `conformance/abi/sdk_use.json` | that they define |
| modules in C (of cases) | that their sources name, in `sdks/cpp/reproducers` | that they define |
| recorder (of the cases `hooks/*`) | | on record as called: `conformance/facts/hooks.json` |
| differential test | in its plan; [differential.md](differential.md) has what its runs reached | in which it calls |
| pairs | in a pair whose hook was reached: `conformance/pairs`; a few lack a handle | of these pairs |
| views | whose views are read again in such a hook | of these pairs |
| threads | | whose thread is on record: `conformance/pairs` |
| storm | that its module names | that it defines |

The signatures of 1.36 are not known, so that no module is compiled against it. Official SDKs are not counted: their probes name
callbacks that they do not call.
"""


def exercised_page(minors: Sequence[Exercised]) -> str:
    """Returns the text of `docs/exercised.md`."""
    names = list(minors[0].methods)
    heads = [
        "minor",
        "**callbacks**",
        *(name for name in names if minors[0].methods[name].callbacks is not None),
        "any",
        "**hooks**",
        *names,
        "any",
    ]
    lines = [_HEAD, f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for one in minors:
        callbacks = [len(used.callbacks) for used in one.methods.values() if used.callbacks is not None]
        hooks = [len(used.hooks) for used in one.methods.values() if used.hooks is not None]
        cells = [one.minor, f"**{len(one.callbacks)}**", *callbacks, _any(one, FunctionKind.CALLBACK)]
        cells += [f"**{len(one.hooks)}**", *hooks, _any(one, FunctionKind.HOOK)]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    lines += ["", "## What nothing exercises", ""]
    for one in minors:
        for kind in FunctionKind:
            left = one.by_none(kind)
            if left and one.methods["pairs"].hooks:
                lines.append(f"- {one.minor}, {kind.value}s: {', '.join(f'`{name}`' for name in left)}")
    return "\n".join(lines) + "\n"


def _any(one: Exercised, kind: FunctionKind) -> str:
    """Returns how many of a kind some method exercises, and the share."""
    every = len(one.callbacks if kind is FunctionKind.CALLBACK else one.hooks)
    used = every - len(one.by_none(kind))
    return f"{used} ({100 * used // every} %)"

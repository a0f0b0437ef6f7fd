"""Decides which pairs of calls there are for the module of a minor: in each hook, what it has handles for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from dmconform.abi.types import Abi, Function, FunctionKind
from dmconform.core.extension_point import ExtensionPoint, point_of
from dmconform.core.versions import Minor
from dmconform.envoy.extension_points.shapes import SHAPES, available, why_unreachable
from dmconform.measure.differential.arguments import Argument, Arguments, NoArgument, is_handle
from dmconform.measure.differential.generate import gives_of, plan_calls
from dmconform.measure.differential.rules import Rules, fits, short
from dmconform.measure.pairs.rules import PairRules, Scene, enum_value

VIEWS: Final = "(views)"
"""Takes the place of the first call where all getters that give views come first."""
INSIDE: Final = "(inside "
"""How the first call begins, before the name of an iterator, where the other is called by what it iterates with."""
ENVOY, MODULE = "_envoy_ptr", "_module_ptr"


@dataclass(frozen=True)
class PairCallback:
    """A callback that the module can call in any hook that has its handles."""

    number: int
    name: str  # short
    function: Function = field(repr=False)
    arguments: tuple[Argument, ...] = field(repr=False)
    needs: frozenset[str]  # handles
    gives: frozenset[str]

    @property
    def views(self) -> tuple[tuple[str, str], ...]:
        """The parameters through which it gives views: their names and short item types."""
        params = [(param.name, short(param.type)) for param in self.function.params or ()]
        return tuple((name, type_[:-1]) for name, type_ in params if type_ in ("envoy_buffer*", "envoy_http_header*"))

    @property
    def iterates(self) -> bool:
        """Whether it calls a function of the module, before it returns."""
        return any(short(param.type).endswith(("_iterator_fn", "_name_fn")) for param in self.function.params or ())

    @property
    def point(self) -> ExtensionPoint | None:
        """Its extension point; None where all share it."""
        return point_of(self.function.name)


@dataclass(frozen=True, order=True)
class Pair:
    """A callback in a hook (short names), and what is called before it there; `first` is empty where nothing is."""

    hook: str
    first: str
    then: str
    scene: str = ""  # the name of a further way to reach the hook

    @property
    def calls(self) -> tuple[str, ...]:
        """The callbacks, in order."""
        return (self.first, self.then) if self.first and not self.first.startswith("(") else (self.then,)

    @property
    def iterator(self) -> str | None:
        """The callback inside whose iteration the other is called."""
        return self.first.removeprefix(INSIDE).removesuffix(")") if self.first.startswith(INSIDE) else None

    def __str__(self) -> str:
        scene = f" ({self.scene})" if self.scene else ""
        return f"{self.first or '-'} {self.then} {self.hook}{scene}"


@dataclass(frozen=True)
class PairPlan:
    """All pairs of a minor, and the callbacks that are in none, with the reason."""

    abi: Abi
    rules: PairRules
    callbacks: dict[str, PairCallback]
    hooks: dict[str, Function]
    always: dict[str, tuple[str, ...]]  # by hook, what is called there each time
    not_called: dict[str, str]
    pairs: tuple[Pair, ...]

    def ends(self, pair: Pair) -> bool:
        """Returns whether a pair has a call after which nothing goes on as it would: then it gets a separate Envoy."""
        return any(self.rules.ends(one) for one in pair.calls)

    def reads(self, pair: Pair) -> bool:
        """Returns whether a pair leaves all as it was: another in the same run of the hook finds what it would find alone."""
        return not self.ends(pair) and self.rules.reads_only(pair.then) and not any(self._before(pair))

    def point(self, hook: str) -> ExtensionPoint | None:
        """Returns the extension point of a hook."""
        return point_of(self.hooks[hook].name)

    def script(self, scene: Scene, packs: Sequence[Sequence[Pair]]) -> str:
        """Returns what the module is to do, as it reads it from its environment: see `dmconform.measure.pairs.generate`.

        Args:
            scene: how the hook is reached.
            packs: the pairs, those of one run of the hook together.
        """
        entries = []
        for sign, prepared in (("*", self.always), ("%", scene.prepare)):
            for hook, names in prepared.items():
                numbers = [
                    self.callbacks[name].number for name in names if name in self.callbacks and name not in scene.without
                ]
                if hook in self.hooks:
                    entries.append(self._entry(f"{sign}{hook}", numbers, scene.returns.get(hook) if sign == "%" else None))
        for pack in packs:
            entries += [self._pair_entry(pair, scene, joins=pair is not pack[0], closes=pair is pack[-1]) for pair in pack]
        closing = [self.callbacks[name].number for name in scene.close if name in self.callbacks]
        if closing:
            hooks = dict.fromkeys(pair.hook for pack in packs for pair in pack)
            entries += [self._entry(f"+{hook}", closing, None) for hook in hooks]
        return ";".join(entries)

    def _pair_entry(self, pair: Pair, scene: Scene, *, joins: bool, closes: bool) -> str:
        """Returns the entry of a pair; `joins`: after another in the same run of the hook, `closes`: the last one there."""
        sign = "&" if joins else ""
        if pair.iterator is not None:
            inside = f"{self.callbacks[pair.iterator].number}@{self.callbacks[pair.then].number}"
            return self._entry(f"{sign}{pair.hook}", [inside], self.rules.stops(pair.hook, pair.calls))
        called = [*self._before(pair), *(self.view_getters(pair.hook) if pair.first == VIEWS else ()), *pair.calls]
        if closes and not self.ends(pair):
            called += [one for one in scene.close if one in self.callbacks]
        numbers = [self.callbacks[name].number for name in called]
        return self._entry(f"{sign}{pair.hook}", numbers, self.rules.stops(pair.hook, pair.calls))

    def view_getters(self, hook: str) -> tuple[str, ...]:
        """Returns the callbacks that give views in a hook."""
        have = set(handles_in(self.hooks[hook], self.rules))
        there = [one for one in self.callbacks.values() if one.views and one.needs and one.needs <= have]
        return tuple(one.name for one in there if self.rules.not_in_hook(one.name, hook) is None)

    def _entry(self, hook: str, numbers: Sequence[int | str], returns: str | int | None) -> str:
        value = enum_value(self.abi, returns) if isinstance(returns, str) else returns
        return f"{hook}={','.join(map(str, numbers))}" + ("" if value is None else f":{value}")

    def _before(self, pair: Pair) -> Iterator[str]:
        """Yields the callbacks that give the handles that a pair's calls need and their hook does not have."""
        have = set(handles_in(self.hooks[pair.hook], self.rules)) | self._given_always()
        for need in sorted({need for one in pair.calls for need in self.callbacks[one].needs} - have):
            yield from self._giving(need, have)

    def _giving(self, need: str, have: set[str]) -> tuple[str, ...]:
        """Returns the callbacks that give a handle, where that takes one or two; none where it takes more."""
        for giver in self._givers(need, have):
            return (giver.name,)
        for one in self.callbacks.values():
            missing = one.needs - have
            if need in one.gives and len(missing) == 1:
                for giver in self._givers(next(iter(missing)), have):
                    return (giver.name, one.name)
        return ()

    def _given_always(self) -> set[str]:
        return {
            give
            for names in self.always.values()
            for name in names
            if name in self.callbacks
            for give in self.callbacks[name].gives
            if fits(give, *self.rules.stays)
        }

    def _given_in(self, have: set[str]) -> set[str]:
        """Returns handles, and what callbacks give that need no others."""
        able = (one for one in self.callbacks.values() if one.needs <= have and not self.rules.is_first(one.name))
        return have | {give for one in able for give in one.gives}

    def _givers(self, handle: str, have: set[str]) -> Iterator[PairCallback]:
        for one in self.callbacks.values():
            if handle in one.gives and not self.rules.is_first(one.name) and one.needs <= have:
                yield one


def why_not(point: ExtensionPoint, minor: Minor) -> str | None:
    """Returns why no configuration of the hosts of a minor reaches an extension point; None where one does."""
    if not available(point, minor):
        return f"hosts have it from {SHAPES[point].since} on"
    return why_unreachable(point)


def handles_in(hook: Function, rules: PairRules) -> tuple[str, ...]:
    """Returns the types of the handles that a hook has: its parameters, and what its objects were made with.

    An object that is being made goes with no other: `http_filter_new` has the handle of the filter, and no more.
    """
    params = [short(param.type) for param in hook.params or ()]
    given = [type_ for type_ in params if is_handle(type_) and type_.endswith(ENVOY)]
    if short(hook.name).endswith("_new"):
        return tuple(given)
    point = point_of(hook.name)
    given += [one for one in rules.stays if one.endswith(ENVOY) and point is not None and point_of(one) is point]
    own = [f"{type_.removesuffix(MODULE)}{ENVOY}" for type_ in params if type_.endswith(MODULE)]
    return tuple(dict.fromkeys([*given, *(type_ for type_ in own if not fits(type_, *rules.within))]))


def plan_pairs(abi: Abi, arguments: Rules, rules: PairRules) -> PairPlan:
    """Returns the pairs of a minor.

    Args:
        abi: the ABI of the minor.
        arguments: the rules of the differential test, for the arguments and for what is not called.
        rules: which calls come first, and how hooks are reached.
    """
    maker = Arguments(abi, arguments)
    hooks = {short(each.name): each for each in abi.functions if each.kind is FunctionKind.HOOK and each.has_signature}
    callbacks: dict[str, PairCallback] = {}
    not_called: dict[str, str] = {}
    for function in abi.functions:
        if function.kind is not FunctionKind.CALLBACK:
            continue
        name = short(function.name)
        excluded = arguments.excluded(name)
        made = [maker.make(function, param) for param in function.params or ()]
        problem = next((each.reason for each in made if isinstance(each, NoArgument)), None)
        if excluded is not None and excluded.category == "works past Envoy":
            not_called[name] = f"{excluded.category}: {excluded.reason}"
        elif not function.has_signature:
            not_called[name] = "its signature is not known"
        elif problem is not None:
            not_called[name] = problem
        else:
            given = [each for each in made if isinstance(each, Argument)]
            needs = frozenset(each.needs for each in given if each.needs)
            gives = frozenset(gives_of(function, given))
            callbacks[name] = PairCallback(len(callbacks) + 1, name, function, tuple(given), needs, gives)
    always: dict[str, list[str]] = {}
    for call in plan_calls(abi, arguments).calls:
        if call.always and call.callback in callbacks:
            always.setdefault(call.hook, []).append(call.callback)
    for name, one in callbacks.items():
        if fits(name, *rules.define):
            for hook, function in hooks.items():
                if hook.endswith("config_new") and one.needs and one.needs <= set(handles_in(function, rules)):
                    always.setdefault(hook, []).insert(0, name)
    plan = PairPlan(abi, rules, callbacks, hooks, {hook: tuple(names) for hook, names in always.items()}, not_called, ())
    pairs = tuple(sorted(_pairs(plan)))
    placed = {pair.then for pair in pairs}
    not_called |= {name: "no hook has the handles that it needs" for name in callbacks if name not in placed}
    return PairPlan(abi, rules, callbacks, hooks, plan.always, not_called, pairs)


def _pairs(plan: PairPlan) -> Iterator[Pair]:
    for hook, function in plan.hooks.items():
        point = plan.point(hook)
        if point is None:
            continue
        have = set(handles_in(function, plan.rules)) | plan._given_always()
        reachable = plan._given_in(plan._given_in(have))
        able = [one for one in plan.callbacks.values() if one.point in (point, None) and one.needs <= reachable]
        there = [one for one in able if plan.rules.not_in_hook(one.name, hook) is None]
        firsts = ["", *(one.name for one in there if hook in plan.rules.first_hooks(one.name))]
        for first in firsts:
            # Callbacks that all extension points share, such as `log`, do not depend on what has ended.
            yield from (Pair(hook, first, one.name) for one in there if not first or one.point is not None)
        for scene in plan.rules.extra_scenes(hook):
            here = [one for one in able if fits(one.name, *scene.then)]
            here = [one for one in here if plan.rules.not_in_hook(one.name, hook, scene.name) is None]
            for first in firsts if scene.after_first else [""]:
                yield from (Pair(hook, first, one.name, scene.name) for one in here)
        for iterator in (one for one in there if one.iterates and fits(hook, *plan.rules.inside_in)):
            yield from (Pair(hook, f"{INSIDE}{iterator.name})", one.name) for one in there)
        if fits(hook, *plan.rules.views_in) and plan.view_getters(hook):
            yield from (Pair(hook, VIEWS, one.name) for one in there if one.point is not None and not one.iterates)

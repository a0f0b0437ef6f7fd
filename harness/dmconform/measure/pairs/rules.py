"""Loads `conformance/pairs/rules.toml`: which calls come first, where, and how hooks are reached."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from dmconform.abi.types import Abi, Enum, FunctionKind
from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.measure.differential.rules import TYPE_PREFIX, fits, short


class PairDrive(enum.Enum):
    """What is sent through an Envoy besides what its extension point needs."""

    USUAL = "usual"
    TRAILERS = "trailers"  # requests and answers with trailers
    ADMIN = "admin"  # the admin handler of the module is asked
    GONE = "gone"  # clients begin a request and go away
    SLOW = "slow"  # clients ask for a large answer, and read it when the connection is held
    CLOSED = "closed"  # clients connect and close, and send nothing
    TIMER = "timer"  # each time, what a timer does is waited for
    FILE = "file"  # the file that the module watches is replaced
    DRAIN = "drain"  # the listeners are drained
    UPDATE = "update"  # a cluster and a listener are added, and taken away again


class ClusterBehind(enum.Enum):
    """What the cluster behind an Envoy is like."""

    SERVES = "serves"
    EMPTY = "no endpoints"  # what is sent there fails at once
    REFUSES = "refuses"  # its only endpoint refuses connections
    TRAILERS = "trailers"  # it answers all with trailers


class First(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Callbacks that end or redirect, and the hooks where they come first."""

    callbacks: tuple[str, ...]
    hooks: tuple[str, ...]


class Stop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value that a hook returns after a call that ends or redirects."""

    hook: str
    returns: str


class GoOn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Callbacks that come first, after which the hook returns what it always does."""

    callbacks: tuple[str, ...]


class Invalidates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Callbacks after which what some getters gave need not be intact, with the reason."""

    callbacks: tuple[str, ...]
    views: tuple[str, ...]
    reason: str


class NotIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Callbacks that are not called in some hooks, with the reason: the documents forbid it, or nothing gives a handle."""

    callbacks: tuple[str, ...]
    reason: str
    hooks: tuple[str, ...] = ("*",)
    except_hooks: tuple[str, ...] = ()
    except_scenes: tuple[str, ...] = ()


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How hooks are reached that need more than requests: see the file."""

    name: str
    hooks: tuple[str, ...] = ()
    prepare: Mapping[str, tuple[str, ...]] = {}
    returns: Mapping[str, str | int] = {}
    close: tuple[str, ...] = ()
    drive: PairDrive = PairDrive.USUAL
    cluster: ClusterBehind = ClusterBehind.SERVES
    tracer: bool = False  # one is configured, so that streams have spans
    without: tuple[str, ...] = ()  # callbacks that are not made, though they are each time elsewhere
    soon: bool = False  # timers expire in a few milliseconds
    buffer_bytes: int = 0  # of the listener's connections, if not 0: what they hold at most
    delta: bool = False  # discovery tells what has changed, and no more
    also: tuple[str, ...] = ()  # further extension points at which the module is used
    extra: bool = False
    then: tuple[str, ...] = ()
    after_first: bool = False  # `then` is called alone and after each call that ends or redirects


PLAIN = Scene("plain")
"""The scene of hooks that requests alone reach."""


class PairRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of the file."""

    within: tuple[str, ...]
    define: tuple[str, ...]
    first: tuple[First, ...]
    stop: tuple[Stop, ...]
    go_on: tuple[GoOn, ...]
    scene: tuple[Scene, ...]
    not_in: tuple[NotIn, ...] = ()
    invalidates: tuple[Invalidates, ...] = ()
    views_in: tuple[str, ...] = ()
    inside_in: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    def reads_only(self, callback: str) -> bool:
        """Returns whether a callback (short name) reads, counts or logs, and no more."""
        return fits(callback, *self.reads)

    def not_in_hook(self, callback: str, hook: str, scene: str = "") -> str | None:
        """Returns why a callback is not called in a hook (short names) that is reached by a scene; None if it is."""
        for rule in self.not_in:
            if scene in rule.except_scenes or not fits(callback, *rule.callbacks):
                continue
            if fits(hook, *rule.hooks) and not fits(hook, *rule.except_hooks):
                return rule.reason
        return None

    def may_change(self, callback: str, view: str) -> bool:
        """Returns whether a callback may change what a getter gave."""
        return any(fits(callback, *rule.callbacks) and fits(view, *rule.views) for rule in self.invalidates)

    def is_first(self, callback: str) -> bool:
        """Returns whether a callback (short name) ends or redirects anything."""
        return any(fits(callback, *rule.callbacks) for rule in self.first)

    def ends(self, callback: str) -> bool:
        """Returns whether nothing goes on after a callback (short name) as it would without it."""
        return self.is_first(callback) and not any(fits(callback, *rule.callbacks) for rule in self.go_on)

    def first_hooks(self, callback: str) -> tuple[str, ...]:
        """Returns the hooks in which a callback comes first."""
        return tuple(hook for rule in self.first if fits(callback, *rule.callbacks) for hook in rule.hooks)

    def scene_of(self, hook: str) -> Scene:
        """Returns how a hook is reached."""
        return next((scene for scene in self.scene if not scene.extra and fits(hook, *scene.hooks)), PLAIN)

    def extra_scenes(self, hook: str) -> tuple[Scene, ...]:
        """Returns the further ways in which a hook is reached, each with pairs of its rule."""
        return tuple(scene for scene in self.scene if scene.extra and fits(hook, *scene.hooks))

    def scene_named(self, name: str, hook: str) -> Scene:
        """Returns a scene by its name; without one, that of a hook."""
        return next((scene for scene in self.scene if name and scene.name == name), None) or self.scene_of(hook)

    def stops(self, hook: str, callbacks: Iterable[str]) -> str | None:
        """Returns what a hook returns after these calls; None: what it always does."""
        if not any(map(self.ends, callbacks)):
            return None
        return next((rule.returns for rule in self.stop if rule.hook == hook), None)


def enum_value(abi: Abi, name: str) -> int | None:
    """Returns the number of an enum's constant given by its short name."""
    wanted = f"{TYPE_PREFIX}{name}"
    values = (value for type_ in abi.types if isinstance(type_, Enum) for value in type_.values)
    return next((value.value for value in values if value.name == wanted), None)


def load_pair_rules(path: Path, abis: Iterable[Abi]) -> PairRules:
    """Loads the rules, and checks them against the ABI data of all minors.

    Raises:
        DataFileError: the file is not of its format, or a rule fits nothing.
    """
    rules = load_toml(path, PairRules)
    for problem in _fits_nothing(rules, tuple(abis)):
        raise DataFileError(path, problem)
    return rules


def _fits_nothing(rules: PairRules, abis: tuple[Abi, ...]) -> Iterator[str]:
    names = {kind: {short(name) for abi in abis for name in abi.names(kind)} for kind in FunctionKind}
    callbacks = [glob for first in rules.first for glob in first.callbacks]
    callbacks += [glob for go_on in rules.go_on for glob in go_on.callbacks]
    callbacks += [
        name
        for scene in rules.scene
        for name in (*scene.close, *scene.without, *(one for all_ in scene.prepare.values() for one in all_))
    ]
    for glob in [*rules.define, *rules.reads, *callbacks]:
        if not any(fits(name, glob) for name in names[FunctionKind.CALLBACK]):
            yield f"{glob!r} fits no callback of any minor"
    for point in (point for scene in rules.scene for point in scene.also):
        if point not in {each.value for each in ExtensionPoint}:
            yield f"{point!r} is not an extension point"
    scenes = {scene.name for scene in rules.scene}
    for name in (name for rule in rules.not_in for name in rule.except_scenes):
        if name not in scenes:
            yield f"{name!r} is not a scene"
    hooks = [hook for first in rules.first for hook in first.hooks] + [stop.hook for stop in rules.stop]
    hooks += [hook for scene in rules.scene for hook in (*scene.hooks, *scene.prepare, *scene.returns)]
    for glob in hooks:
        if not any(fits(name, glob) for name in names[FunctionKind.HOOK]):
            yield f"{glob!r} is not a hook of any minor"
    returned = [stop.returns for stop in rules.stop]
    returned += [name for scene in rules.scene for name in scene.returns.values() if isinstance(name, str)]
    for name in returned:
        if all(enum_value(abi, name) is None for abi in abis):
            yield f"{name!r} is not a value of any minor"

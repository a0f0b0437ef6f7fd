"""Loads `conformance/differential/rules.toml`: which callbacks are called, where, and with which arguments."""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from dmconform.abi.types import Abi, Function, FunctionKind
from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX

_CALLBACK = re.compile(rf"\b{CALLBACK_PREFIX}\w+")
TYPE_PREFIX = "envoy_dynamic_module_type_"


def short(name: str) -> str:
    """Returns a name of the ABI, or a C type, without the prefixes that all of them have."""
    return name.removeprefix(CALLBACK_PREFIX).removeprefix(HOOK_PREFIX).replace(TYPE_PREFIX, "")


@functools.cache  # that of `fnmatch` is too small for as many globs
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(glob))


def fits(name: str, *globs: str) -> bool:
    """Returns whether a name fits one of the globs."""
    return any(_pattern(glob).match(name) for glob in globs)


_WAYS: Final = ("text", "texts", "number", "numbers", "every", "headers", "capacity", "metric", "keep", "null", "own")


class Exclude(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Callbacks that are not called, with the reason; `category` is what the coverage counts them under."""

    callbacks: tuple[str, ...]
    category: str
    reason: str


class Alone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Callbacks that change the course of things: each is called in a separate run.

    `hook` is where, `returns` the value that the hook of that value's enum returns in this run, and `with_` are calls made
    besides (callback, or callback@hook).
    """

    callbacks: tuple[str, ...]
    hook: str
    returns: str | None = None
    with_: tuple[str, ...] = msgspec.field(default=(), name="with")


class Where(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hooks that callbacks are called in, by their name and the type of the first handle they take."""

    hooks: tuple[str, ...]
    callbacks: tuple[str, ...] = ("*",)
    handle: str | None = None


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value of a parameter; its kinds are described in the file."""

    param: str
    type: str
    callbacks: tuple[str, ...] = ("*",)
    text: str | None = None
    texts: tuple[str, ...] = ()
    number: int | None = None
    numbers: tuple[int, ...] = ()
    every: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    capacity: int | None = None
    metric: bool = False
    keep: str | None = None
    null: bool = False
    own: bool = False

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways to make the argument, by the names of its keys; one is right."""
        given = {key: getattr(self, key) for key in _WAYS}
        return tuple(key for key, value in given.items() if value is not None and value is not False and value != ())


class Tail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of a hook, in C, where a harmless return value is not enough."""

    hook: str
    c: str


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of the file."""

    keep: tuple[str, ...]
    always: tuple[str, ...]
    varying: tuple[str, ...]
    order: tuple[str, ...]
    where: tuple[Where, ...]
    argument: tuple[Value, ...]
    exclude: tuple[Exclude, ...] = ()
    alone: tuple[Alone, ...] = ()
    tail: tuple[Tail, ...] = ()

    def tail_of(self, hook: str, callbacks: Container[str]) -> str | None:
        """Returns what a hook (short name) does at its end; `callbacks` are the full names of those that can be used."""
        for rule in self.tail:
            if rule.hook == hook and all(name in callbacks for name in _CALLBACK.findall(rule.c)):
                return rule.c
        return None

    def excluded(self, callback: str) -> Exclude | None:
        """Returns the rule that forbids a callback (short name)."""
        return next((rule for rule in self.exclude if fits(callback, *rule.callbacks)), None)

    def called_alone(self, callback: str) -> Alone | None:
        """Returns the rule that gives a callback a separate run."""
        return next((rule for rule in self.alone if fits(callback, *rule.callbacks)), None)

    def hooks_for(self, callback: str, handle: str | None) -> tuple[str, ...] | None:
        """Returns the hooks to call a callback in; `handle` is the short type of the first handle it takes."""
        for rule in self.where:
            if rule.handle is not None and (handle is None or not fits(handle, rule.handle)):
                continue
            if fits(callback, *rule.callbacks):
                return rule.hooks
        return None

    def value_for(self, callback: str, param: str, type_: str) -> Value | None:
        """Returns the rule for a parameter."""
        for rule in self.argument:
            if fits(param, rule.param) and fits(type_, rule.type) and fits(callback, *rule.callbacks):
                return rule
        return None

    def rank(self, callback: str) -> int:
        """Returns the place of a callback among the calls of a hook."""
        rest = self.order.index("")
        return next((at for at, glob in enumerate(self.order) if glob and fits(callback, glob)), rest)


def load_rules(path: Path, abis: Iterable[Abi]) -> Rules:
    """Loads the rules, and checks them against the ABI data of all minors.

    Raises:
        DataFileError: the file is not of its format, a rule fits nothing, or an argument is given in no way or in two.
    """
    rules = load_toml(path, Rules)
    known = tuple(abis)
    if "" not in rules.order:
        raise DataFileError(path, 'order: has no "" for the callbacks that no glob fits')
    for value in rules.argument:
        if len(value.ways) != 1:
            given = " and ".join(value.ways) or "no way"
            raise DataFileError(path, f"argument {value.param!r} of type {value.type!r}: is given by {given}; expected one")
    for problem in _fits_nothing(rules, known):
        raise DataFileError(path, problem)
    return rules


def _fits_nothing(rules: Rules, abis: tuple[Abi, ...]) -> Iterator[str]:
    callbacks: dict[str, list[Function]] = {}
    hooks: set[str] = set()
    for abi in abis:
        hooks |= {short(name) for name in abi.names(FunctionKind.HOOK)}
        for function in abi.functions:
            if function.kind is FunctionKind.CALLBACK:
                callbacks.setdefault(short(function.name), []).append(function)
    globs = [glob for exclude in rules.exclude for glob in exclude.callbacks]
    globs += [glob for alone in rules.alone for glob in alone.callbacks]
    globs += [glob for where in rules.where for glob in where.callbacks]
    for glob in [*globs, *rules.always, *rules.varying, *(glob for glob in rules.order if glob)]:
        if not any(fits(name, glob) for name in callbacks):
            yield f"{glob!r} fits no callback of any minor"
    named = [alone.hook for alone in rules.alone] + [tail.hook for tail in rules.tail]
    for hook in [*named, *(hook for where in rules.where for hook in where.hooks)]:
        if hook not in hooks:
            yield f"{hook!r} is not a hook of any minor"
    for value in rules.argument:
        fitting = (
            param
            for name, functions in callbacks.items()
            if fits(name, *value.callbacks)
            for function in functions
            for param in function.params or ()
            if fits(param.name, value.param) and fits(short(param.type), value.type)
        )
        if next(fitting, None) is None:
            yield f"argument {value.param!r} of type {value.type!r} for {list(value.callbacks)} fits no parameter of any minor"

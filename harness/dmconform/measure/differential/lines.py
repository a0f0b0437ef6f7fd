"""Reads what a differential test's module printed into an Envoy's log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dmconform.measure.differential.generate import MARK

_BUG = "envoy bug failure"


@dataclass(frozen=True, order=True)
class Key:
    """The identity of a call: where, what, with which of the values that arguments take in turn, and which time it was made."""

    hook: str
    callback: str
    arguments: str  # such as `index=0 header_type=1`, mostly empty
    time: int


@dataclass(frozen=True)
class ModuleOutput:
    """The output of a module about its calls.

    `results` are what came back by call, in the words `NAME=VALUE`; a call without any is the word `called`. `missing` are
    callbacks that the host does not export, `without` calls that were not made for want of a handle. `unfinished` is the
    call that began and never came back, per thread at most one; the last of them counts.
    """

    results: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    without: dict[tuple[str, str], str] = field(default_factory=dict)  # (hook, callback): the handle
    hooks: frozenset[str] = frozenset()
    unfinished: Key | None = None


def read_log(log: str) -> ModuleOutput:
    """Reads the lines of a differential test out of a log. A line that is cut or garbled is passed over."""
    return read_lines(log.splitlines())


def read_lines(lines: Iterable[str]) -> ModuleOutput:
    """Reads lines; the same as `read_log`."""
    results: dict[Key, tuple[str, ...]] = {}
    missing: set[str] = set()
    without: dict[tuple[str, str], str] = {}
    hooks: set[str] = set()
    open_calls: dict[Key, list[str]] = {}
    for line in lines:
        words = line.split()
        if not words or words[0] != MARK:
            if _BUG in line and open_calls:
                next(reversed(open_calls.values())).append("says=envoy-bug")
            continue
        if len(words) < 5 or not words[4].isdigit():
            continue
        what, hook, callback, time, rest = words[1], words[2], words[3], int(words[4]), words[5:]
        match what:
            case "hook":
                hooks.add(hook)
            case "missing":
                missing.add(callback)
            case "without":
                without[hook, callback] = " ".join(rest)
            case "begin":
                open_calls[Key(hook, callback, " ".join(rest), time)] = []
            case "result" if "=" in rest:
                at = rest.index("=")
                key = Key(hook, callback, " ".join(rest[:at]), time)
                printed = open_calls.pop(key, [])
                results.setdefault(key, (*rest[at + 1 :], *sorted(set(printed))) or ("called",))
            case _:
                pass
    return ModuleOutput(results, frozenset(missing), without, frozenset(hooks), next(reversed(open_calls), None))

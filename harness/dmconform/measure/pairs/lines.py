"""Reads what the module of pairs printed into an Envoy's log: hooks that were entered, calls that were made."""

from __future__ import annotations

from dataclasses import dataclass, field

from dmconform.measure.differential.generate import MARK
from dmconform.measure.differential.lines import ModuleOutput, read_log
from dmconform.measure.pairs.generate import PAIRS_MARK

BUG = "envoy bug failure"
ASSERTION = "assert failure"
NOTHING = "-"


@dataclass(frozen=True, order=True)
class Nested:
    """A hook that ran inside a callback that another hook had called (short names)."""

    hook: str
    callback: str
    inner: str


@dataclass(frozen=True)
class Seen:
    """What was seen in the log of one Envoy.

    `begun` and `done` are numbers of pairs, from 0 on. `gone` are the hooks that got an object after its destruction, with the
    callback inside which they ran, or `-`. `alarms` are the host's own lines, such as an "envoy bug failure", with the call
    during which they came, or after which.
    """

    threads: dict[str, frozenset[str]] = field(default_factory=dict)
    entered: dict[str, int] = field(default_factory=dict)
    begun: tuple[int, ...] = ()
    done: frozenset[int] = frozenset()
    nested: frozenset[Nested] = frozenset()
    gone: frozenset[tuple[str, str]] = frozenset()
    alarms: tuple[tuple[str, str], ...] = ()  # (where, what)
    changed: frozenset[tuple[str, str, str]] = frozenset()  # (hook, callback, the getter whose view it changed)
    open_hook: str = ""  # the hook that was entered last and not left, at the end
    calls: ModuleOutput = field(default_factory=ModuleOutput)


def read_pairs(log: str) -> Seen:
    """Reads a log. A line that is cut or garbled is passed over."""
    threads: dict[str, set[str]] = {}
    entered: dict[str, int] = {}
    begun: list[int] = []
    done: set[int] = set()
    nested: set[Nested] = set()
    gone: set[tuple[str, str]] = set()
    alarms: list[tuple[str, str]] = []
    open_hooks: list[str] = []
    changed: set[tuple[str, str, str]] = set()
    where, last = "before any call", NOTHING
    for line in log.splitlines():
        words = line.split()
        if len(words) >= 4 and words[0] == MARK and words[1] in ("begin", "result"):
            where = f"{'in' if words[1] == 'begin' else 'after'} {words[3]} in {words[2]}"
            last = words[3]
        if not words or words[0] != PAIRS_MARK:
            alarms += [(where, _alarm(line, sign)) for sign in (BUG, ASSERTION) if sign in line]
            continue
        match words[1:]:
            case ["enter", hook, thread, outer, call, is_gone]:
                threads.setdefault(hook, set()).add(thread)
                entered[hook] = entered.get(hook, 0) + 1
                open_hooks.append(hook)
                if call != NOTHING:
                    nested.add(Nested(outer, call, hook))
                if is_gone == "gone":
                    gone.add((hook, call))
            case ["leave", hook] if hook in open_hooks:
                open_hooks.reverse()
                open_hooks.remove(hook)
                open_hooks.reverse()
            case ["pair", _, number] if number.isdigit():
                begun.append(int(number))
            case ["changed", hook, getter]:
                changed.add((hook, last, getter))
            case ["done", _, number] if number.isdigit():
                done.add(int(number))
            case _:
                pass
    return Seen(
        {hook: frozenset(names) for hook, names in threads.items()},
        entered,
        tuple(begun),
        frozenset(done),
        frozenset(nested),
        frozenset(gone),
        tuple(dict.fromkeys(alarms)),
        frozenset(changed),
        open_hooks[-1] if open_hooks else "",
        read_log(log),
    )


def _alarm(line: str, sign: str) -> str:
    """Returns what follows the sign, which names the source and the condition."""
    return line[line.index(sign) :].strip()[:300]

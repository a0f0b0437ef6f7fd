"""Reads what the module `recorder` printed: which hooks a host called, on which threads, with what, and what they returned."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from dmconform.abi.bindings.recorder_runtime import MARK

RECORDER: Final = "recorder"
"""The module: `cell.install(RECORDER)`. Its configuration has rules, such as `http_filter_new=null`, apart by spaces."""
_LINE = re.compile(rf"^{MARK} (?P<label>\S*) (?P<thread>\S+) (?P<depth>\d+) (?P<way>[<>]) (?P<hook>\w+)(?P<rest>.*)$", re.M)
_FIRST = ("main", "worker")
_ANY_THREAD = "any"
_OBJECT = re.compile(r" (\w+#\d+)")
# How often a host calls these, and with what, is a matter of time.
_ANY_TIMES = frozenset(
    (
        "health_checker_session_on_interval",
        "listener_filter_get_max_read_bytes",
        "stat_sink_flush",
        "stat_sink_on_histogram_complete",
        "tls_handshaker_handshake",
        "transport_socket_do_read",
        "transport_socket_do_write",
    )
)
_VARYING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
)
_USUAL = re.compile(r" (?:own|given|\w+=(?:false|given))(?= |$)")
_WRONG = re.compile(r"\S*(?:destroyed\)|:unknown|=unknown|\(as_)\S*|(?<= )(?!\w+_ptr:)\w+:null")
_DESTROYS = re.compile(r"_destroy$")


@dataclass(frozen=True)
class RecordedLine:
    """A call of a hook (`enters`), or its end."""

    label: str  # of the configuration that its object came of, such as `get/a`
    thread: str  # `main`, `worker` or its name
    enters: bool
    hook: str
    rest: str


def recorded(log: str) -> Iterator[RecordedLine]:
    """Yields the lines of a log that the module printed, in their order."""
    for one in _LINE.finditer(log):
        yield RecordedLine(one["label"], one["thread"], one["way"] == ">", one["hook"], one["rest"])


def calls_of(log: str, scenario: str, prefix: str = "", *, apart: bool = False, anywhere: Collection[str] = ()) -> str:
    """Returns the calls that concern a scenario as one text: thread after thread, each in its order.

    A call reads `LABEL.HOOK(ARGUMENTS)=RESULT`; what is called inside another stands in braces behind its arguments. What is as
    usual is left out: the host's object that belongs to the module's, flags that are false, results that let things go on.

    Args:
        log: what the hosts printed.
        scenario: what labels begin with, up to their first `/`; what follows is printed.
        prefix: what the names of hooks begin with, and is left out.
        apart: whether the calls of one object come after those of another, where the order among objects is a matter of time.
        anywhere: hooks that are called on one thread or another, by chance: their calls stand last, as of the thread `any`.
    """
    lines: dict[str, list[RecordedLine]] = defaultdict(list)
    for line in recorded(log):
        if line.label == scenario or line.label.startswith(f"{scenario}/"):
            lines[_ANY_THREAD if line.hook in anywhere else line.thread].append(line)
    threads = sorted(lines, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    return " | ".join(f"{thread}: {_text(lines[thread], scenario, prefix, apart)}" for thread in threads)


def wrong_in(log: str) -> tuple[str, ...]:
    """Returns what no host may do, of what it did.

    That is: a hook is called with an object that is none of the module's, of another kind, null where the module gave none, or
    destroyed; or an object is never destroyed.
    """
    lines = list(recorded(log))
    gave_null = any(not line.enters and line.rest.endswith("= null") for line in lines)
    found = [
        f"{line.hook} with {one}"
        for line in lines
        if line.enters
        for one in _WRONG.findall(line.rest)
        if not (gave_null and one.endswith(":null"))
    ]
    made = [f"{line.label} {one}" for line in lines if not line.enters for one in _OBJECT.findall(line.rest)]
    gone = {f"{line.label} {one}" for line in lines if line.enters and _DESTROYS.search(line.hook) for one in _object_of(line)}
    found += [f"{one} never destroyed" for one in made if one not in gone]
    return tuple(dict.fromkeys(found))


def _object_of(line: RecordedLine) -> list[str]:
    return _OBJECT.findall(line.rest)[:1]


def _text(lines: list[RecordedLine], scenario: str, prefix: str, apart: bool) -> str:
    calls = _outer_calls(lines)
    if apart:
        order = dict.fromkeys(_object(call) for call in calls)
        calls = [call for each in order for call in calls if _object(call) == each]
    texts: list[str] = []
    for call in calls:
        any_times = call[0].hook in _ANY_TIMES
        text = f"{call[0].hook.removeprefix(prefix)}…" if any_times else _call(call, scenario, prefix)
        if not (any_times and text in texts):
            texts.append(text)
    return "; ".join(texts)


def _outer_calls(lines: list[RecordedLine]) -> list[list[RecordedLine]]:
    """Returns the calls of one thread that are not inside another, each with what is inside it."""
    calls: list[list[RecordedLine]] = []
    depth = 0
    for line in lines:
        if depth == 0:
            calls.append([])
        calls[-1].append(line)
        depth = max(0, depth + (1 if line.enters else -1))
    return calls


def _object(call: list[RecordedLine]) -> str:
    """Returns the object that a call is about: the one that it makes, or else the first that it is given."""
    made = _OBJECT.findall(call[-1].rest)
    given = _OBJECT.findall(call[0].rest)
    return f"{call[0].label} {(made or given or [''])[0]}"


def _call(lines: list[RecordedLine], scenario: str, prefix: str) -> str:
    parts: list[str] = []
    last_entered = False
    for line in lines:
        rest = _compact(line.rest, prefix)
        if line.enters:
            label = line.label.removeprefix(scenario).removeprefix("/")
            name = f"{label}.{line.hook.removeprefix(prefix)}" if label else line.hook.removeprefix(prefix)
            parts.append(f"{' { ' if last_entered else '; ' if parts else ''}{name}({rest})")
        else:
            parts.append(f"{'' if last_entered else ' }'}{rest.replace('= ', '=').removesuffix('=Continue')}")
        last_entered = line.enters
    return "".join(parts)


def _compact(rest: str, prefix: str) -> str:
    """Returns what follows the name of a hook; objects of the extension point's own kinds lose what all of them begin with."""
    for pattern, word in _VARYING:
        rest = pattern.sub(word, rest)
    rest = _USUAL.sub("", rest).replace(f" {prefix}", " ") if prefix else _USUAL.sub("", rest)
    return rest.replace(f" {prefix.removesuffix('_')}#", " #").replace("=true", "").strip()

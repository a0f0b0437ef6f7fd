"""Brings the JSON of an older report to today's shape: lists that came later are empty, words are today's.

Versions up to 6 had other words for the same things, such as `upstream` for the official SDK and `host crashed` for a crash.
What is not of the expected type is left as it is: the reader refuses it where it is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_CAME_WITH: Final[dict[int, tuple[str, ...]]] = {2: ("static", "abi_pairs", "abi_findings"), 3: ("complaints",)}
"""By schema version: the lists that came with it, which an older report lacks and an empty one stands for."""

_LAST_WITH_OLD_WORDS: Final = 6

_LAST_WITH_ONE_PROMISE: Final = 7
_ONLY_PROMISES: Final = {"supported": "window", "legacy": "exact"}

_RELATIONS: Final = {"promised": "supported", "pre-promise": "legacy", "beyond": "unsupported"}
_OUTCOMES: Final = {
    "passed": "pass",
    "failed": "fail",
    "host crashed": "crash",
    "host hung": "hang",
    "module rejected": "rejected",
    "blocked": "error",
    "unreachable": "not tested",
}
_JUDGEMENTS: Final = {
    "as promised": "pass",
    "broken": "fail",
    "known failure": "xfail",
    "stale record": "xpass",
    "verdicts disagree": "static/run-time mismatch",
    "fact": "informational",
    "incomplete": "error",
    "not run": "skip",
}
_LOADS: Final = {
    "loaded, and a call of a missing symbol ended the host": "loaded, and the call of an unresolved symbol ended the host"
}
_STATIC_KINDS: Final = {
    "loads, but a call is a bomb": "loads, but a call meets an unresolved symbol",
    "cannot be told": "unknown",
}
_INCONSISTENCIES: Final = {"stale record": "record no longer applies"}
_PROVIDERS: Final = {"upstream": "official"}

_UPSTREAM: Final = re.compile(r"(?<=[\w*.]):upstream\b")

Fields = dict[str, Any]


def migrated(report: Fields, version: int) -> Fields:
    """Returns the report in today's shape, but for its `schema_version`.

    Args:
        report: the decoded JSON of a report; changed in place.
        version: its schema version, from 1 on.
    """
    for newer, names in _CAME_WITH.items():
        if version < newer:
            for name in names:
                report.setdefault(name, [])
    if version <= _LAST_WITH_OLD_WORDS:
        _renew_words(report)
    if version <= _LAST_WITH_ONE_PROMISE:
        _name_promises(report)
    return report


def _renew_words(report: Fields) -> None:
    _rename(report, "complaints", "inconsistencies")
    for sdk in _objects(report, "sdks"):
        _change(sdk, _sdk_id, "id")
        _change(sdk, _word(_PROVIDERS), "provider")
    for cell in _objects(report, "cells"):
        _renew_cell(cell)
    for entry in _objects(report, "static"):
        _change(entry, _sdk_id, "sdk")
        _change(entry, _word(_STATIC_KINDS), "kind")
    for finding in _objects(report, "abi_findings"):
        _change(finding, _each(_sdk_id), "used_by")
    for finding in _objects(report, "findings"):
        _change(finding, _each(_sdk_id), "sdks")
        _change(finding, _command, "reproduce")
    for one in _objects(report, "inconsistencies"):
        _rename(one, "mend", "fix")
        _change(one, _word(_INCONSISTENCIES), "kind")
        _change(one, _each(_sdk_id), "cells")
        _change(one, _command, "fix")
    selection = report.get("selection")
    if isinstance(selection, dict):
        _change(selection, _each(_sdk_id), *selection)


def _name_promises(report: Fields) -> None:
    """Names the promise that the relation of a cell came from, when a pair had one at most."""
    for cell in _objects(report, "cells"):
        relation = cell.get("relation")
        if isinstance(relation, str) and relation in _ONLY_PROMISES:
            cell.setdefault("promises", [_ONLY_PROMISES[relation]])


def _renew_cell(cell: Fields) -> None:
    _rename(cell, "disagreement", "mismatch")
    _change(cell, _sdk_id, "id", "sdk")
    _change(cell, _command, "reproduce")
    _change(cell, _word(_RELATIONS), "relation")
    for one in (cell, *_objects(cell, "reruns")):
        _change(one, _word(_OUTCOMES), "outcome")
        _change(one, _word(_JUDGEMENTS), "judgement")
    probe_load = cell.get("probe_load")
    if isinstance(probe_load, dict):
        _change(probe_load, _word(_LOADS), "load")


def _objects(holder: Fields, name: str) -> Iterator[Fields]:
    found = holder.get(name)
    return (one for one in found if isinstance(one, dict)) if isinstance(found, list) else iter(())


def _rename(holder: Fields, old: str, new: str) -> None:
    if old in holder and new not in holder:
        holder[new] = holder.pop(old)


def _change(holder: Fields, how: Callable[[Any], Any], *names: str) -> None:
    for name in names:
        if name in holder:
            holder[name] = how(holder[name])


def _word(words: Mapping[str, str]) -> Callable[[Any], Any]:
    return lambda value: words.get(value, value) if isinstance(value, str) else value


def _each(how: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda values: [how(one) for one in values] if isinstance(values, list) else values


def _sdk_id(text: Any) -> Any:  # noqa: ANN401 - JSON of any origin
    return _UPSTREAM.sub(":official", text) if isinstance(text, str) else text


def _command(text: Any) -> Any:  # noqa: ANN401 - JSON of any origin
    return _sdk_id(text).replace(" --upstream ", " --sdk-source ") if isinstance(text, str) else text

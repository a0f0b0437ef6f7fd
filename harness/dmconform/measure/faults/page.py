"""The page of the documentation about modules with a fault: `docs/faults.md`."""

from __future__ import annotations

from collections.abc import Iterable

from dmconform.abi.fault_reactions import Counted, Fate, Faults, NullFact
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.labels import MODIFIED_BUILD
from dmconform.core.versions import Minor, Release
from dmconform.hosts.catalogue import modified_releases

COUNTED_SINCE = Minor(1, 39)
"""Hosts have the counters from here on."""
_HEAD = """\
# Faulty modules: what hosts make of them

Generated from `conformance/abi/module_faults.json`, which `dmconform abi faults` measures on real Envoys; a test compares this
page with it. A generated module that has every hook of the host's minor, each doing no harm, is used at each extension point.
Then it gets one fault at a time.
"""
_NULL = """\
## A hook returns null

For each hook that returns a pointer to something of the module's making (but `program_init`, without which no module is taken).
The other hooks look at what they are given, as those of real modules do: where the host calls them with the null, it ends.
*No difference*: clients see what they see with a module that returns something; where they see no success, it is because the
module has no hosts to offer (cluster), or closes connections (transport socket). In brackets: Envoy's response code details.
"""
_LACKS = """\
## Which counter a missing hook moves

Hosts count such failures from 1.39 on. *none*: the configuration is refused, and nothing is counted. *not seen*: Envoy ends, as
for all that is wrong in its bootstrap configuration, and cannot be asked. Clusters came by discovery, so that Envoy lives on.
A name after *of* is the tag `config_name`, where it is not the name that the extension was given.
"""


def faults_page(faults: Faults) -> str:
    """Returns the text of `docs/faults.md`."""
    lines = [_HEAD, *_sentence(faults), _NULL, "| extension point | hook | effect |", "| --- | --- | --- |"]
    for point in _points(faults):
        for hook in sorted({hook for facts in faults.points if facts.point is point for hook in facts.null} - {"program_init"}):
            by_release = {
                release: null_words(facts.null[hook], release)
                for release in faults.releases
                if (facts := faults.of(release, point)) is not None and hook in facts.null
            }
            lines.append(f"| {_name(point)} | `{hook}` | {_by_release(by_release)} |")
    lines += ["", _LACKS, "| extension point | releases | counter | for lack of |", "| --- | --- | --- | --- |"]
    for point in _points(faults):
        lines += _counter_rows(faults, point)
    for name, why in {_name(one.point): one.problem for one in faults.points if one.problem}.items():
        lines += ["", f"Not measured: {name}: {why}."]
    return "\n".join(lines) + "\n"


def _sentence(faults: Faults) -> list[str]:
    nulls = sum(len(facts.null) * len(facts.releases) for facts in faults.points)
    lacks = sum(len(facts.lacks) * len(facts.releases) for facts in faults.points)
    whole = f"{len(faults.releases)} releases, {len(_points(faults))} extension points"
    counts = f"{whole}; {nulls} modules with a hook that returns null, {lacks} refused for a hook that is missing."
    return [counts, *_modified(faults), ""]


def _modified(faults: Faults) -> list[str]:
    """Returns which releases were measured on binaries that are not the Envoy project's."""
    named = [one for one in faults.releases if one in modified_releases()]
    lines = [f"{one} is a {MODIFIED_BUILD}: what it alone does may not be the Envoy project's doing." for one in named]
    return ["", *lines] if lines else []


def _points(faults: Faults) -> tuple[ExtensionPoint, ...]:
    return tuple(point for point in ExtensionPoint if any(one.point is point and not one.problem for one in faults.points))


def _name(point: ExtensionPoint) -> str:
    return point.value.replace("_", " ") if point is not ExtensionPoint.LOAD_BALANCER else "load balancer"


def _has_counters(release: str) -> bool:
    return Release.parse(release).minor >= COUNTED_SINCE


def counted_words(counted: Counted) -> str:
    """Returns the counters that moved, in words."""
    if counted.unseen:
        return "not seen"
    return ", ".join(_counter(name, times) for name, times in counted.counters.items()) or "none"


def _counter(name: str, times: int) -> str:
    kind, _, tag = name.partition(".config_name.")
    return f"`{kind}`" + (f" of `{tag}`" if tag != "name" else "") + (f" {times} times" if times > 1 else "")


def null_words(fact: NullFact, release: str) -> str:
    """Describes what a hook that returns null causes on a release."""
    match fact.fate:
        case Fate.REFUSED:
            words = "accepted; refused when it is first needed" if fact.late else "configuration refused"
        case Fate.CRASHES | Fate.HANGS:
            return f"**{fact.message}**"
        case Fate.SAME:
            words = "no difference"
        case Fate.DIFFERS:
            words = ""
    seen = _seen(fact.seen if fact.fate is not Fate.SAME else tuple(line for line in fact.seen if ": 200" not in line))
    words = f"{words}: {seen}" if words and seen else words or seen
    if fact.logged:
        words += "; logged: " + "; ".join(f"“{line}”" for line in fact.logged)
    if _has_counters(release) and (fact.counted.counters or fact.fate is Fate.REFUSED):
        words += f"; counted: {counted_words(fact.counted)}"
    return words


def _seen(lines: tuple[str, ...]) -> str:
    """Returns what clients saw: one word where all saw the same."""
    pairs = [line.partition(": ")[::2] for line in lines]
    if len({what for _, what in pairs}) == 1 and len(pairs) > 1:
        return f"all see {_bracketed(pairs[0][1])}"
    return "; ".join(f"{request}: {_bracketed(what)}" for request, what in pairs)


def _bracketed(what: str) -> str:
    answer, _, details = what.partition(", ")
    return f"{answer} ({details})" if details else answer


def _counter_rows(faults: Faults, point: ExtensionPoint) -> list[str]:
    """Returns a row for each counter at a point, for the releases that agree on it."""
    by_release: dict[str, str] = {}
    for release in faults.releases:
        facts = faults.of(release, point)
        if facts is None or not _has_counters(release):
            continue
        hooks: dict[str, list[str]] = {}
        for hook, counted in sorted(facts.lacks.items()):
            hooks.setdefault(counted_words(counted), []).append(f"`{hook}`")
        by_release[release] = "\n".join(f"{counter} | {', '.join(names)}" for counter, names in sorted(hooks.items()))
    return [
        f"| {_name(point)} | {releases} | {row} |" for releases, rows in runs(by_release.items()) for row in rows.splitlines()
    ]


def _by_release(words: dict[str, str]) -> str:
    groups = list(runs(words.items()))
    if len(groups) == 1:
        return _cell(groups[0][1])
    return "<br>".join(f"*{releases}*: {_cell(text)}" for releases, text in groups)


def runs(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Returns neighbours with the same text, each with `FIRST` or `FIRST to LAST`."""
    found: list[tuple[list[str], str]] = []
    for release, text in pairs:
        if found and found[-1][1] == text:
            found[-1][0].append(release)
        else:
            found.append(([release], text))
    return [(its[0] if len(its) == 1 else f"{its[0]} to {its[-1]}", text) for its, text in found]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

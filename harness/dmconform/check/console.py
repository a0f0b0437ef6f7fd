"""What a check found, on a terminal: the module, a row per host, what is missing, the range, the promise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dmconform.binaries.facts import Known, ModuleFacts, StaticKind
from dmconform.check.result import Check, HostEntry, HostVerdict, PointRun, PromiseEntry, RunKind, Span, TriedUse
from dmconform.check.show_bounds import print_bounds
from dmconform.core.labels import MODIFIED_NOTE
from dmconform.core.terminal import SafeOutput
from dmconform.core.text import counted
from dmconform.core.values import Relation

LONGEST_TEXT = 900
_STATIC_WORDS = {
    StaticKind.LOADS: ("loads", "green"),
    StaticKind.REFUSED: ("refused", "red"),
    StaticKind.UNRESOLVED: ("unresolved", "yellow"),
    StaticKind.UNKNOWN: ("?", "magenta"),
}
_RUN_WORDS = {
    RunKind.WORKS: ("works", "green"),
    RunKind.WORKS_WITH_ERRORS: ("errors", "red"),
    RunKind.CONFIGURATION_REFUSED: ("refuses config", "magenta"),
    RunKind.CONFIGURATION_CRASHED: ("config crashes", "magenta"),
    RunKind.HOST_REFUSES_CONFIGURATION: ("config refused", "magenta"),
    RunKind.REFUSED: ("refused", "red"),
    RunKind.NO_SUCH_POINT: ("no such point", "red"),
    RunKind.SYMBOL_LOOKUP: ("symbol lookup", "red"),
    RunKind.NO_ANSWER: ("no answer", "magenta"),
    RunKind.NOT_READY: ("not ready", "magenta"),
    RunKind.CRASHED: ("crashed", "red"),
    RunKind.HUNG: ("hung", "red"),
    RunKind.NO_VERDICT: ("could not run", "magenta"),
}
VERDICT_WORDS = {
    HostVerdict.WORKS: ("✓ works", "bold green"),
    HostVerdict.ERRORS: ("✗ works with errors", "bold red"),
    HostVerdict.BREAKS: ("✗ does not work", "bold red"),
    HostVerdict.UNDECIDED: ("? not judged", "bold magenta"),
}


def print_check(check: Check, console: Console) -> None:
    """Prints a check. Text of modules and hosts is printed as text: markup and terminal sequences in it do nothing."""
    out = SafeOutput(console, LONGEST_TEXT, "with --json")
    out.line(f"{check.module_file}  {check.module.size_bytes} bytes  sha256:{check.module.sha256}", style="bold")
    for label, text in _module_lines(check):
        out.line(text, before=f"  {label:<11}")
    for note in check.notes:
        out.line(note, before=f"  {'note':<11}")
    console.print(_table(check, out))
    modified = [host.id for host in check.hosts if host.label != host.id]
    if modified:
        out.line(f"* {', '.join(modified)}: {MODIFIED_NOTE}")
    _print_groups(out, "Why", check, [(host.reason, host) for host in check.hosts])
    _print_groups(out, "Static", check, [(_static_reason(host), host) for host in check.hosts])
    _print_groups(out, "Notes", check, [(note, host) for host in check.hosts for note in host.static.notes])
    print_bounds(out, check.bounds)
    _print_groups(out, "Answers", check, [(_answers(run), host) for host in check.hosts for run in host.runs])
    for text, hosts in _grouped((host.mismatch or "", host) for host in check.hosts).items():
        out.line(f"!! {', '.join(hosts)}: static/run-time mismatch: {text}", style="bold white on red")
    out.line("")
    for line in span_lines(check.span):
        out.line(line, style="bold" if "EnvoyVersion" in line else "")
    out.line("")
    for line in _promise_lines(check):
        out.line(line)


def _sure(known: Known) -> str:
    return {Known.INFERRED: " (inferred)", Known.REPORTED: " (reported by a host)"}.get(known, "")


def _module_lines(check: Check) -> Iterator[tuple[str, str]]:
    facts = check.module
    if facts.problem:
        yield "not read" if facts.not_read else "no module", facts.problem
        return
    built_with = facts.sdk or facts.language or "not known"
    if facts.language and facts.sdk and facts.language not in facts.sdk.lower():
        built_with = f"{facts.language}, {facts.sdk}"
    yield "built with", f"{built_with}{_sure(facts.language_known)}; {facts.architecture}"
    yield "ABI", f"{facts.abi_version or 'cannot be read'}{_sure(facts.abi_version_known)}"
    yield "SDK", _sdk_words(check)
    yield "needs", _needs(facts)
    more = [word for word, holds in (("never unloaded (NODELETE)", facts.nodelete), ("stripped", facts.stripped)) if holds]
    yield "binding", "; ".join([facts.binding.value, *more])
    hooks = ", ".join(f"{point} {len(names)}" for point, names in check.hooks_by_point.items())
    yield "hooks", f"{hooks or 'none'}; callbacks it names: {len(facts.callbacks)}"
    for use in check.tried:
        yield "used" if check.ran else "to be used", _use_words(use)
    if check.isolated_by is not None:
        yield "isolated", isolated_words(check.isolated_by)


def isolated_words(by: str) -> str:
    """Returns how modules were isolated."""
    return f"by {by}: no network, no variable or process of yours; of this machine's files its own and the system's, to read"


def _use_words(use: TriedUse) -> str:
    name = f"filter name {use.filter_name!r}" + ("" if use.name_given else " (of the file; --filter-name gives another)")
    config = f"a configuration of {counted(use.config_bytes, 'byte')}" if use.config_given else "no configuration"
    variables = f"; variables set: {', '.join(use.environment)}" if use.environment else ""
    return f"as {use.extension_point} ({use.basis.value}), {name}, {config}{variables}"


def _sdk_words(check: Check) -> str:
    if not check.sdk.minors:
        return f"of which minor is not known: {check.sdk.reason}"
    return f"of {' or '.join(check.sdk.minors)}{_sure(check.sdk.known)}: {check.sdk.reason}"


def _needs(facts: ModuleFacts) -> str:
    floors = [one for one in (facts.glibc_floor, facts.libstdcxx_floor) if one]
    paths = f"; searched in {', '.join(facts.search_paths)}" if facts.search_paths else ""
    return ", ".join([*floors, *facts.needed]) + paths or "nothing"


def _table(check: Check, out: SafeOutput) -> Table:
    """Returns a row per host and extension point."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for heading in ("Host", "promise", "static", "run at", "run", "ABI string", "verdict"):
        table.add_column(heading, overflow="fold")
    for host in check.hosts:
        word, style = VERDICT_WORDS[host.verdict]
        if not check.ran and host.verdict is not HostVerdict.UNDECIDED:
            word += " (expected)"
        if host.mismatch:
            word += " !!"
        promise = host.relation.value if host.relation else "?"
        static = ("other target", "magenta") if host.static.other_target else _STATIC_WORDS[host.static.kind]
        mark = "" if host.label == host.id else "*"  # explained below the table, which is to fit in a terminal
        head = [out.text(host.id + mark), out.text(promise), out.text(*static)]
        tail = [out.text(word, style)]
        if not host.runs:
            table.add_row(*head, "-", out.text("not run", "dim"), "", *tail)
        for run in host.runs:
            seen = [out.text(run.extension_point), out.text(*_RUN_WORDS[run.kind]), out.text(run.abi_verdict.value)]
            table.add_row(*head, *seen, *tail)
            head, tail = [Text("")] * 3, []
    return table


def _grouped(texts: Iterable[tuple[str, HostEntry]]) -> dict[str, list[str]]:
    """Returns each text once, with the names of the hosts it holds for; without empty ones."""
    grouped: dict[str, list[str]] = {}
    for text, host in texts:
        if text:
            grouped.setdefault(text, []).append(host.label)
    return grouped


def _on(hosts: list[str], check: Check) -> str:
    """Returns the hosts of a remark, in words."""
    return "all hosts" if len(hosts) == len(check.hosts) > 1 else ", ".join(hosts)


def _print_groups(out: SafeOutput, title: str, check: Check, texts: Iterable[tuple[str, HostEntry]]) -> None:
    grouped = _grouped(texts)
    if grouped:
        out.line(f"{title}:", style="bold")
    for text, hosts in grouped.items():
        out.line(f"{_on(hosts, check)}: {text}", before="  ")


def _answers(run: PointRun) -> str:
    return f"{run.extension_point}: {', '.join(run.answers)}" if run.answers else ""


def _static_reason(host: HostEntry) -> str:
    """Returns what the file alone shows against a host, where the reason of its verdict does not have it already."""
    static = host.static
    return "" if static.kind is StaticKind.LOADS or static.reason in host.reason else static.reason


def span_lines(span: Span) -> Iterator[str]:
    """Yields the range in words, and as it is pasted."""
    how = "measured" if span.measured else "expected, nothing was run"
    if not span.works:
        yield f"Works on no host that could be judged ({how})." if span.undecided else f"Works on none of the hosts ({how})."
        if span.expected:
            yield f"Expected to load it, and not asked for: Envoy {', '.join(span.expected)} (--host takes them)."
        return
    yield f"Works on {', '.join(span.works)} ({how})."
    if span.unresolved:
        yield (
            f"On {', '.join(span.unresolved)} only as far as it was driven: a call that the host lacks would end it. "
            + (
                "The range counts these, as there are no others."
                if set(span.unresolved) == set(span.works)
                else "The range leaves these out."
            )
        )
    if span.min_envoy_version is None:
        parts = ", ".join(first if first == last else f"{first} to {last}" for first, last in span.islands)
        yield f"There is no single range: it works on {parts}, and not on what lies between."
        return
    yield f'minEnvoyVersion: "{span.min_envoy_version}"'
    yield f'maxEnvoyVersion: "{span.max_envoy_version}"'
    if span.between:
        yield f"Not asked for, though in this range: {', '.join(span.between)} (--host all takes them in)."
    if span.not_available:
        yield f"Not tried, as no package registry has them: {', '.join(span.not_available)}."


def _promise_lines(check: Check) -> Iterator[str]:
    if not check.module.points and check.module.problem is None:
        yield "Promise: not judged, as nothing says what the module is for."
    elif not check.promise and check.module.problem is None:
        yield "Promise: not known, as the SDK's minor is not known; give it with --sdk-minor."
    several = len(check.promise) > 1
    for entry in check.promise:
        yield _promise_line(check, entry, several=several)


def _named(hosts: Iterable[str], labels: Mapping[str, str]) -> str:
    return ", ".join(labels[one] for one in hosts)


def _by_promise(entry: PromiseEntry, hosts: Iterable[str], labels: Mapping[str, str]) -> str:
    """Returns hosts, each with the promises that cover it."""
    return ", ".join(f"{labels[host]} ({', '.join(entry.promises[host])})" for host in hosts)


def _promise_line(check: Check, entry: PromiseEntry, *, several: bool) -> str:
    head = f"Promise, {'if it is of' if several else 'for'} SDK {entry.sdk}: "
    if entry.supported:
        head += f"works on Envoy {entry.supported}. "
    else:
        head += f"none; before 1.38 the documents demanded the same ABI string, so Envoy {entry.sdk} at most. "
    parts = []
    labels = {host.id: host.label for host in check.hosts}
    works = [host.id for host in check.hosts if host.verdict is HostVerdict.WORKS]
    counts = [host for host in check.hosts if entry.relations[host.id] is not Relation.UNSUPPORTED]
    undecided = [host.id for host in counts if host.verdict is HostVerdict.UNDECIDED]
    own = [host.id for host in counts if host.own_doing and host.id not in undecided]
    if entry.broken:
        on = _by_promise(entry, entry.broken, labels)
        parts.append(f"{'BROKEN' if check.span.measured else 'expected to break'} on {on}")
    if entry.kept:
        parts.append(f"{'kept' if check.span.measured else 'expected to hold'} on {_named(entry.kept, labels)}")
    if own:
        parts.append(f"not broken on {_named(own, labels)}, where it fails by itself: it does so on every host")
    if undecided:
        parts.append(f"not judged on {_named(undecided, labels)}")
    if entry.same_minor:
        parts.append(f"it works there: {_named(entry.same_minor, labels)}")
    if entry.unsupported:
        parts.append(f"it also works where nothing is promised: {_named(entry.unsupported, labels)}")
    elif works and entry.supported:
        parts.append("it works nowhere else")
    return head + ("; ".join(parts) + "." if parts else "")

"""From static verdicts and runs to a verdict per host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dmconform.binaries.facts import StaticKind, StaticVerdict
from dmconform.check.result import HostEntry, HostVerdict, PointBasis, PointRun, RunKind, TriedUse

_LOADED = frozenset(
    (
        RunKind.WORKS,
        RunKind.WORKS_WITH_ERRORS,
        RunKind.CONFIGURATION_REFUSED,
        RunKind.NO_ANSWER,
        RunKind.NOT_READY,
        RunKind.SYMBOL_LOOKUP,
    )
)
WHILE_CONFIGURED = frozenset((RunKind.CONFIGURATION_REFUSED, RunKind.CONFIGURATION_CRASHED, RunKind.HOST_REFUSES_CONFIGURATION))
"""The same failure of a module is one or the other, by whether its SDK has a guard."""

# What a failure is called where another host shows that it need not be.
_UNLIKE_OTHERS = {
    RunKind.CONFIGURATION_REFUSED: "a configuration is refused here that works on another host",
    RunKind.CONFIGURATION_CRASHED: "a configuration ends the host here that works on another host",
    RunKind.HOST_REFUSES_CONFIGURATION: "a configuration is refused here that works on another host",
    RunKind.NO_ANSWER: "requests stay unanswered here that are answered on another host",
    RunKind.NOT_READY: "the host does not become ready, as another one does",
}
_SEVERITY = (HostVerdict.WORKS, HostVerdict.UNDECIDED, HostVerdict.ERRORS, HostVerdict.BREAKS)
_OF_STATIC = {
    StaticKind.LOADS: HostVerdict.WORKS,
    StaticKind.REFUSED: HostVerdict.BREAKS,
    StaticKind.UNRESOLVED: HostVerdict.BREAKS,
    StaticKind.UNKNOWN: HostVerdict.UNDECIDED,
}


@dataclass(frozen=True)
class JudgedModule:
    """What holds for the module on every host.

    Args:
        uses: how it is used, by extension point.
        broken: the file itself is at fault: no host can load it.
        purpose: why nothing says what the module is for; None where something does.
        foreign: symbols that it needs and that no known host has: no host is to blame for their lack.
    """

    uses: Mapping[str, TriedUse] = field(default_factory=dict)
    broken: bool = False
    purpose: str | None = None
    foreign: frozenset[str] = frozenset()


@dataclass(frozen=True)
class HostFinding:
    """A host with all findings about the module there; `not_run` gives the reason if there is no run."""

    id: str
    release: str
    origin: str
    static: StaticVerdict
    alone: Mapping[str, StaticVerdict] = field(default_factory=dict)  # by extension point, as if it were the only one
    runs: tuple[PointRun, ...] = ()
    not_run: str | None = None
    run_wanted: bool = True
    build: str = ""  # what its `--version` prints, as far as known

    def with_runs(self, runs: tuple[PointRun, ...], not_run: str | None) -> HostFinding:
        """Returns the same with the results of running the module."""
        return replace(self, runs=runs, not_run=not_run, run_wanted=True)


def judge_hosts(seen: Sequence[HostFinding], module: JudgedModule) -> tuple[HostEntry, ...]:
    """Judges all hosts together: success on one shows what a failure on another means.

    A module that fails while it is configured, or lets requests wait, may be right to: that is a verdict only where it works
    with the same one on another host, or where the user gave both name and configuration. The same holds for a crash where the
    extension point is a guess: a module that is driven as what it is not may well crash. A failure that no host is spared is
    the module's own, and shows no difference of hosts.
    """
    works = {_use(run) for one in seen for run in one.runs if run.kind is RunKind.WORKS}
    return tuple(_judge(one, works, module) for one in seen)


def worst(verdicts: Iterable[HostVerdict]) -> HostVerdict:
    """Returns the worst of some verdicts; without any, that nothing is judged."""
    return max(verdicts, key=_SEVERITY.index, default=HostVerdict.UNDECIDED)


def differing_answers(hosts: Iterable[HostEntry]) -> list[str]:
    """Returns the extension points at which hosts that it works on answered in different ways, in words.

    That need not be the module's doing, but no symbol and no log shows it.
    """
    seen: dict[str, set[tuple[str, ...]]] = {}
    for run in (run for host in hosts for run in host.runs if run.kind is RunKind.WORKS):
        seen.setdefault(run.extension_point, set()).add(run.answers)
    return [f"{point}: not all hosts on which it works gave the same answers" for point, ways in seen.items() if len(ways) > 1]


def _use(run: PointRun) -> tuple[str, str]:
    return run.extension_point, run.filter_name


@dataclass(frozen=True)
class _Judged:
    """A run and what it means. `own_doing`: nothing shows that the host has to do with it."""

    run: PointRun
    verdict: HostVerdict
    reason: str = ""
    own_doing: bool = False


def _judge(seen: HostFinding, works: set[tuple[str, str]], module: JudgedModule) -> HostEntry:
    judged = [_of_run(run, seen.alone.get(run.extension_point, seen.static), _use(run) in works, module) for run in seen.runs]
    own_doing = False
    if judged:
        decisive = max(_that_count(judged, module), key=lambda one: (_SEVERITY.index(one.verdict), not one.own_doing))
        verdict, reason, own_doing = decisive.verdict, decisive.reason, decisive.own_doing
        if verdict is HostVerdict.WORKS and seen.static.kind is StaticKind.UNRESOLVED:
            reason = f"works as far as it was driven; but {seen.static.reason}"
    elif module.broken:
        verdict, reason, own_doing = HostVerdict.BREAKS, seen.static.reason, True
    elif module.purpose is not None:
        verdict, reason = HostVerdict.UNDECIDED, module.purpose
    elif seen.run_wanted:
        verdict, reason = HostVerdict.UNDECIDED, seen.not_run or "it was not run"
    else:
        verdict, reason = _OF_STATIC[seen.static.kind], seen.static.reason
    if verdict is HostVerdict.BREAKS and not module.foreign.isdisjoint(seen.static.missing):
        own_doing = True
    return HostEntry(
        id=seen.id,
        release=seen.release,
        origin=seen.origin,
        static=seen.static,
        runs=seen.runs,
        verdict=verdict,
        reason=reason,
        own_doing=own_doing,
        not_run=seen.not_run,
        mismatch=_disagreement(seen, judged),
        build=seen.build,
    )


def _that_count(judged: Sequence[_Judged], module: JudgedModule) -> Sequence[_Judged]:
    """Leaves out refusals at points that are tried in case, if the module works at another one."""
    in_case = [one for one in judged if _basis(one.run, module) is PointBasis.ALL]
    if any(one.verdict is HostVerdict.WORKS for one in in_case):
        return [one for one in judged if one not in in_case or one.verdict is not HostVerdict.UNDECIDED]
    return judged


def _basis(run: PointRun, module: JudgedModule) -> PointBasis | None:
    use = module.uses.get(run.extension_point)
    return use.basis if use is not None else None


def _of_run(run: PointRun, static: StaticVerdict, works_elsewhere: bool, module: JudgedModule) -> _Judged:  # noqa: PLR0911 - the first rule that fits
    use = module.uses.get(run.extension_point)
    guess = use is not None and use.basis.is_guess
    text = in_words(run, static=static)
    if run.kind is RunKind.WORKS:
        return _Judged(run, HostVerdict.WORKS)
    if run.kind is RunKind.WORKS_WITH_ERRORS:
        return _Judged(run, HostVerdict.ERRORS, text, own_doing=not works_elsewhere)
    if run.kind is RunKind.NO_VERDICT or (run.kind is RunKind.NO_SUCH_POINT and guess):
        return _Judged(run, HostVerdict.UNDECIDED, text)
    if run.kind in _ENDS and works_elsewhere:
        return _Judged(run, HostVerdict.BREAKS, in_words(run, _UNLIKE_OTHERS.get(run.kind)))
    if run.kind not in _ENDS or run.kind is RunKind.SYMBOL_LOOKUP:
        return _Judged(run, HostVerdict.BREAKS, text)
    if run.kind is RunKind.CONFIGURATION_CRASHED and static.kind is StaticKind.REFUSED:
        return _Judged(run, HostVerdict.BREAKS, f"{text}; {_EVERYWHERE}", own_doing=True)  # it never came to the configuration
    if run.kind in WHILE_CONFIGURED and use is not None and (guess or not (use.name_given and use.config_given)):
        return _Judged(run, HostVerdict.UNDECIDED, f"{text}; {_ask_for(use)}", own_doing=True)
    if guess:
        hint = f"that it is for {run.extension_point} is a guess: give --extension-point"
        return _Judged(run, HostVerdict.UNDECIDED, f"{text}; {hint}", own_doing=True)
    verdict = HostVerdict.UNDECIDED if run.kind in (RunKind.NO_ANSWER, RunKind.NOT_READY) else HostVerdict.BREAKS
    return _Judged(run, verdict, f"{text}; {_HINTS.get(run.kind, _EVERYWHERE)}", own_doing=True)


def in_words(run: PointRun, kind: str | None = None, static: StaticVerdict | None = None) -> str:
    """Returns what a run showed, as one sentence, with the reason that the file shows before the host's.

    Args:
        run: the run.
        kind: replaces the words for its kind.
        static: the static verdict for the extension point.
    """
    reason = run.reason
    if run.kind is RunKind.REFUSED:
        unspecific = _NOT_FOUND in reason
        if unspecific:
            reason = f"the host reports any failure to load so: {reason}"
        if static is not None and static.kind is StaticKind.REFUSED:
            reason = f"{static.reason}; " + (reason if unspecific else f"the host reports: {reason}")
    text = ": ".join([f"{run.extension_point}: {kind or run.kind.value}", *([reason] if reason else [])])
    if run.frame:
        text += f"; top of the stack: {run.frame}"
    if run.log_lines:
        text += f"; its log: {' | '.join(run.log_lines)}"
    return text


def _ask_for(use: TriedUse) -> str:
    """Returns what was tried, and what to give."""
    name = f"filter name {use.filter_name!r}" + ("" if use.name_given else " (the file's)")
    size = f"a configuration of {use.config_bytes} bytes" if use.config_given else "no configuration"
    missing = [
        option
        for option, given in (
            ("--extension-point", not use.basis.is_guess),
            ("--filter-name", use.name_given),
            ("--filter-config", use.config_given),
        )
        if not given
    ]
    return f"tried with {name} and {size}; give {', '.join(missing)} (or --settings)"


def _disagreement(seen: HostFinding, judged: Iterable[_Judged]) -> str | None:
    """Returns where the static analysis and a run contradict each other.

    This shows a break that is not visible in the symbols.
    """
    for one in judged:
        run, static = one.run, seen.alone.get(one.run.extension_point, seen.static)
        observed = f"{run.extension_point}: {run.reason or run.kind.value}"
        if static.kind is StaticKind.REFUSED and run.kind in _LOADED:
            return f"expected to be refused at load ({static.reason}), and yet it is loaded; {observed}"
        if static.kind in (StaticKind.LOADS, StaticKind.UNRESOLVED) and run.kind is RunKind.REFUSED:
            return f"expected to load, and yet it is refused; {observed}"
        if static.kind is StaticKind.LOADS and run.kind in _ENDS and not one.own_doing:
            return f"nothing is missing, and yet {_ENDS[run.kind]}; {observed}"
    return None


_ENDS = {
    RunKind.SYMBOL_LOOKUP: "a symbol is not found",
    RunKind.CRASHED: "the host ends, as another does not",
    RunKind.HUNG: "the host hangs, as another does not",
    RunKind.CONFIGURATION_REFUSED: "a configuration is refused that works elsewhere",
    RunKind.CONFIGURATION_CRASHED: "a configuration ends the host that works elsewhere",
    RunKind.HOST_REFUSES_CONFIGURATION: "a configuration is refused that works elsewhere",
    RunKind.NO_ANSWER: "requests stay unanswered that are answered elsewhere",
    RunKind.NOT_READY: "the host does not become ready, as another does",
}
_NOT_FOUND = "not found in any search path"  # Envoy 1.37.0 says so of every file that it cannot open, for whatever reason
_EVERYWHERE = "it is so on every host asked for: this need not be the host's doing"
# What to say of a failure that no other host shows to be one of the host; each can be just what the module is made to do.
_HINTS = {
    RunKind.NO_ANSWER: "that may be what this configuration is for: try one that lets requests pass",
    RunKind.NOT_READY: "that may be what this configuration is for, or it waits for something",
}

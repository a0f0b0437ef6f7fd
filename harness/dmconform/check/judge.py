"""From static verdicts and runs to a verdict per host, and to the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dmconform.binaries.facts import StaticKind, StaticVerdict
from dmconform.check.result import HostEntry, HostVerdict, PointRun, RunKind
from dmconform.core.errors import ExitCode

_LOADED = frozenset((RunKind.WORKS, RunKind.CONFIGURATION_REFUSED, RunKind.NO_ANSWER, RunKind.NOT_READY, RunKind.SYMBOL_LOOKUP))
# What a failure is called where another host shows that it need not be.
_UNLIKE_OTHERS = {
    RunKind.CONFIGURATION_REFUSED: "a configuration is refused here that works on another host",
    RunKind.HOST_REFUSES_CONFIGURATION: "a configuration is refused here that works on another host",
    RunKind.NO_ANSWER: "requests stay unanswered here that are answered on another host",
    RunKind.NOT_READY: "the host does not become ready, as another one does",
}
_SEVERITY = (HostVerdict.WORKS, HostVerdict.UNDECIDED, HostVerdict.BREAKS)
_OF_STATIC = {
    StaticKind.LOADS: HostVerdict.WORKS,
    StaticKind.REFUSED: HostVerdict.BREAKS,
    StaticKind.UNRESOLVED: HostVerdict.BREAKS,
    StaticKind.UNKNOWN: HostVerdict.UNDECIDED,
}


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

    def with_runs(self, runs: tuple[PointRun, ...], not_run: str | None) -> HostFinding:
        """Returns the same with the results of running the module."""
        return replace(self, runs=runs, not_run=not_run, run_wanted=True)


def judge_hosts(seen: Sequence[HostFinding], *, guessed: bool) -> tuple[HostEntry, ...]:
    """Judges all hosts together: success on one shows what a failure on another means.

    A module that refuses a configuration, or lets requests wait, may be right to: that is a verdict only where it works with
    the same one on another host. The same holds for a crash where the extension point is a guess (`guessed`): a module that
    is driven as what it is not may well crash. A crash that no host is spared is a crash, but shows no difference of hosts.
    """
    works = {_use(run) for one in seen for run in one.runs if run.kind is RunKind.WORKS}
    return tuple(_judge(one, works, guessed) for one in seen)


def exit_code(hosts: Iterable[HostEntry]) -> ExitCode:
    """Returns the exit code: 0 works on all hosts, 1 does not work on some, 4 could not be judged on some."""
    worst = max((host.verdict for host in hosts), key=_SEVERITY.index, default=HostVerdict.UNDECIDED)
    return {HostVerdict.WORKS: ExitCode.OK, HostVerdict.BREAKS: ExitCode.FAIL}.get(worst, ExitCode.ERROR)


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


def _judge(seen: HostFinding, works: set[tuple[str, str]], guessed: bool) -> HostEntry:
    judged = [_of_run(run, _use(run) in works, guessed) for run in seen.runs]
    own_doing = False
    if judged:
        worst = max(judged, key=lambda one: (_SEVERITY.index(one.verdict), not one.own_doing))
        verdict, reason, own_doing = worst.verdict, worst.reason, worst.own_doing
        if verdict is HostVerdict.WORKS and seen.static.kind is StaticKind.UNRESOLVED:
            reason = f"works as far as it was driven; but {seen.static.reason}"
    elif seen.run_wanted:
        verdict, reason = HostVerdict.UNDECIDED, seen.not_run or "it was not run"
    else:
        verdict, reason = _OF_STATIC[seen.static.kind], seen.static.reason
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
    )


def _of_run(run: PointRun, works_elsewhere: bool, guessed: bool) -> _Judged:
    where = f"{run.extension_point}: "
    printed = f": {run.reason}" if run.reason else ""
    text = f"{where}{run.kind.value}{printed}"
    if run.kind is RunKind.WORKS:
        return _Judged(run, HostVerdict.WORKS)
    if run.kind is RunKind.NO_VERDICT:
        return _Judged(run, HostVerdict.UNDECIDED, text)
    if run.kind in _ENDS and works_elsewhere:
        return _Judged(run, HostVerdict.BREAKS, f"{where}{_UNLIKE_OTHERS.get(run.kind, run.kind.value)}{printed}")
    if run.kind in _HINTS:
        ends = run.kind in (RunKind.CRASHED, RunKind.HUNG)
        hint = _GUESSED.format(run.extension_point) if guessed else _HINTS[run.kind]
        if guessed and not ends:
            hint = f"{_HINTS[run.kind]}; {hint}"
        verdict = HostVerdict.BREAKS if ends and not guessed else HostVerdict.UNDECIDED
        return _Judged(run, verdict, f"{text}; {hint}", own_doing=True)
    return _Judged(run, HostVerdict.BREAKS, text)


def _disagreement(seen: HostFinding, judged: Iterable[_Judged]) -> str | None:
    """Returns where the static analysis and a run contradict each other.

    This shows a break that is not visible in the symbols.
    """
    for one in judged:
        run, static = one.run, seen.alone.get(one.run.extension_point, seen.static)
        printed = f"{run.extension_point}: {run.reason or run.kind.value}"
        if static.kind is StaticKind.REFUSED and run.kind in _LOADED:
            return f"expected to be refused at load ({static.reason}), and yet it is loaded; {printed}"
        if static.kind in (StaticKind.LOADS, StaticKind.UNRESOLVED) and run.kind is RunKind.REFUSED:
            return f"expected to load, and yet it is refused; {printed}"
        if static.kind is StaticKind.LOADS and run.kind in _ENDS and not one.own_doing:
            return f"nothing is missing, and yet {_ENDS[run.kind]}; {printed}"
    return None


_ENDS = {
    RunKind.SYMBOL_LOOKUP: "a symbol is not found",
    RunKind.CRASHED: "the host ends, as another does not",
    RunKind.HUNG: "the host hangs, as another does not",
    RunKind.CONFIGURATION_REFUSED: "a configuration is refused that works elsewhere",
    RunKind.HOST_REFUSES_CONFIGURATION: "a configuration is refused that works elsewhere",
    RunKind.NO_ANSWER: "requests stay unanswered that are answered elsewhere",
    RunKind.NOT_READY: "the host does not become ready, as another does",
}
_SAY_WHICH = "say which it takes with --filter-name and --filter-config, or --settings"
_GUESSED = "that it is for {} is a guess: say with --extension-point"
_EVERYWHERE = "it works so on no host asked for: this need not be the host's doing"
# What to say of a failure that no other host shows to be one of the host; each can be just what the module is made to do.
_HINTS = {
    RunKind.CONFIGURATION_REFUSED: _SAY_WHICH,
    RunKind.HOST_REFUSES_CONFIGURATION: _SAY_WHICH,
    RunKind.NO_ANSWER: "that may be what this configuration is for: try one that lets requests pass",
    RunKind.NOT_READY: "that may be what this configuration is for, or it waits for something",
    RunKind.CRASHED: _EVERYWHERE,
    RunKind.HUNG: _EVERYWHERE,
}

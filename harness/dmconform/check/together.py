"""Several modules on the same hosts: loaded into one Envoy, and the range in which all work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from dmconform.check.judge import in_words, worst
from dmconform.check.promise import CODES
from dmconform.check.result import SCHEMA_VERSION, Check, CheckSet, HostVerdict, PointRun, RunKind, TogetherEntry
from dmconform.check.span import islands, release_order
from dmconform.core.errors import ExitCode, UsageError
from dmconform.core.progress import say

if TYPE_CHECKING:
    from dmconform.check.hosts import Candidate
    from dmconform.check.prepare import PreparedModule
    from dmconform.check.running import CheckJob, RunOutcome
    from dmconform.check.session import Session

_FOLDER = "together"


def must_all_run(modules: Sequence[PreparedModule]) -> None:
    """Raises UsageError unless all modules can be run."""
    for module in modules:
        if not module.is_to_run:
            raise UsageError(f"--together: {module.request.module} cannot be run; a check of it alone says why")


def run_together(jobs: Sequence[CheckJob], outcomes: Sequence[RunOutcome], session: Session) -> tuple[PointRun | None, ...]:
    """Loads all modules into one Envoy on each host, each as it was used alone.

    Returns:
        What was observed on each host; None where it is not available.

    Raises:
        HarnessError: there is no room for copies of the modules.
    """
    from dmconform.check.observation import InstalledUse, run_uses  # what only reads does not pay for it
    from dmconform.check.running import COPIES, copied

    environment = {name: value for job in jobs for name, value in job.environment.items()}
    say(f"loading {len(jobs)} modules into one Envoy on each of {len(session.hosts)} hosts")

    def on(host: Candidate) -> PointRun | None:
        if host.binary is None or session.pool.given_up.is_set():
            return None
        folder = session.folder / _FOLDER / host.id
        with copied(jobs, host, session.folder / _FOLDER / COPIES, session) as installed:
            pairs = zip(installed, outcomes, strict=True)
            uses = [InstalledUse(copy, wanted) for copy, outcome in pairs for wanted in outcome.uses]
            run = run_uses(host.binary, uses, folder, environment=environment, upstream_port=session.upstream_port)
        return msgspec.structs.replace(run, evidence=str(folder)) if session.kept else run

    return tuple(session.pool.all(on, session.hosts))


def together_entries(hosts: Sequence[Candidate], runs: Sequence[PointRun | None]) -> tuple[TogetherEntry, ...]:
    """Judges what was observed where all modules were loaded into one Envoy."""
    return tuple(_entry(host, run) for host, run in zip(hosts, runs, strict=True))


def _entry(host: Candidate, run: PointRun | None) -> TogetherEntry:
    if run is None:
        return TogetherEntry(host.id, host.release, None, HostVerdict.UNDECIDED, host.problem or "it was not run")
    verdict = {
        RunKind.WORKS: HostVerdict.WORKS,
        RunKind.WORKS_WITH_ERRORS: HostVerdict.ERRORS,
        RunKind.NO_VERDICT: HostVerdict.UNDECIDED,
    }.get(run.kind, HostVerdict.BREAKS)
    return TogetherEntry(host.id, host.release, run, verdict, "" if verdict is HostVerdict.WORKS else in_words(run))


def as_set(checks: Sequence[Check], together: Sequence[TogetherEntry]) -> CheckSet:
    """Returns the findings about several modules, with the range in which all work and the exit code.

    A release in which they do not work together, though each works alone, counts as one in which they do not work.
    """
    verdicts = [(host.release, host.verdict) for check in checks for host in check.hosts]
    verdicts += [(entry.release, entry.verdict) for entry in together]
    by_release: dict[str, list[HostVerdict]] = {}
    for release, verdict in verdicts:
        by_release.setdefault(release, []).append(verdict)
    ordered = sorted(by_release, key=release_order)
    works = [release for release in ordered if worst(by_release[release]) is HostVerdict.WORKS]
    ranges = islands(ordered, works)
    first, last = ranges[0] if len(ranges) == 1 else (None, None)
    codes = {ExitCode(check.exit_code) for check in checks} | _codes_together(checks, together)
    code = next((one for one in (ExitCode.FAIL, ExitCode.ERROR) if one in codes), ExitCode.OK)
    return CheckSet(SCHEMA_VERSION, tuple(checks), tuple(together), tuple(works), first, last, int(code))


def _codes_together(checks: Sequence[Check], together: Sequence[TogetherEntry]) -> set[ExitCode]:
    """Returns what loading them together adds: where each works alone, they must work together."""
    alone = {host.id: worst(one.verdict for check in checks for one in check.hosts if one.id == host.id) for host in together}
    return {CODES[host.verdict] for host in together if alone[host.id] is HostVerdict.WORKS}

"""Judges a report by a policy: every supported cell that it asks for must be there and hold, or be named by the policy."""

from __future__ import annotations

import fnmatch
import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from dmconform.core.errors import EmptySelection, UsageError
from dmconform.core.nearest import unknown
from dmconform.core.text import first_line
from dmconform.core.values import Host, Judgement, Outcome, Relation, SdkId
from dmconform.core.versions import Minor
from dmconform.release.gate.policy import Policy, RelativeMinor, Subject
from dmconform.release.gate.verdict import SCHEMA_VERSION, GateAnswer, GateVerdict, Reason, ReasonKind, Waived
from dmconform.report.schema import CellEntry, Report
from dmconform.report.stability import reruns_in_words
from dmconform.report.summary import SEEN_IN_CELLS
from dmconform.sdks.catalogue import Sdk
from dmconform.spec.catalogue import Catalogue
from dmconform.spec.cells import PlannedCell, plan_cells
from dmconform.spec.expectations import KnownFailure
from dmconform.spec.inconsistencies import Inconsistency
from dmconform.spec.promise import pair_relation
from dmconform.spec.selectors import SdkSpec, select_cases

_BY_JUDGEMENT = {
    Judgement.FAIL: ReasonKind.BROKEN,
    Judgement.XFAIL: ReasonKind.KNOWN,
    Judgement.XPASS: ReasonKind.RECORDS,
    Judgement.MISMATCH: ReasonKind.MISMATCH,
}


@dataclass(frozen=True)
class Asked:
    """The request of a policy: the subject in words, its cells, its hosts, the missing ones, the run that has it all."""

    subject: str
    cells: tuple[PlannedCell, ...]
    hosts: tuple[Host, ...]
    absent: tuple[Reason, ...]
    command: str
    host_minor: Minor | None = None  # where a host is the subject

    def step_of(self, cell: PlannedCell) -> RelativeMinor | None:
        """Returns where its SDK is, as seen from a host that is the subject."""
        if self.host_minor is None:
            return None
        return step_back(SdkId.parse(cell.id.sdk).minor, self.host_minor)


def gate_report(report: Report, policy: Policy, name: str, subject: str, catalogue: Catalogue, suite: str) -> GateVerdict:
    """Judges a report.

    Args:
        report: of a run.
        policy: of the subject SDK or HOST.
        name: the policy's.
        subject: the SDK (`rust@1.39:official`) or the host (`1.40.0`) that is to be released.
        catalogue: the cases, SDKs and hosts that this suite knows: what a whole report has.
        suite: the commit of this suite.

    Raises:
        UsageError: the subject is not in the report, or a glob of the policy matches nothing.
        EmptySelection: the policy asks for no cell.
    """
    ask = _of_sdk if policy.subject is Subject.SDK else _of_host
    _refuse_useless_cases(policy, name, catalogue)
    asked = ask(report, policy, subject, catalogue)
    if not asked.cells and not asked.absent:
        raise EmptySelection(f"--policy {name}: it asks for no supported cell of {subject}")
    _refuse_useless(policy, name, asked, report, catalogue)
    entries = {cell.id: cell for cell in report.cells}
    tally = _Tally(policy, catalogue.known_failures, asked.command)
    for planned in asked.cells:
        tally.count(str(planned.id), entries.get(str(planned.id)), asked.step_of(planned))
    reasons = [*_of_whole_report(report, policy, suite, asked.command), *asked.absent, *tally.reasons(report.inconsistencies)]
    if not reasons and not tally.held:
        text = f"none of the {len(asked.cells)} cells that the policy asks for holds: all of them are let pass"
        reasons.append(Reason(ReasonKind.REPORT, text, reproduce=asked.command))
    on = ", ".join(f"{host.id} (sha256:{host.sha256[:12]})" for host in asked.hosts) or "none"
    judged = f"the run of {report.started_at}, suite {report.environment.suite_commit}, on Envoy {on}"
    return verdict(policy, name, asked.subject, len(asked.cells), tally.held, reasons, tally.waived(), judged)


def verdict(
    policy: Policy,
    name: str,
    subject: str,
    cells: int,
    held: int,
    reasons: Iterable[Reason],
    waived: Iterable[Waived] = (),
    judged: str = "",
) -> GateVerdict:
    """Builds a verdict from reasons: one that is certain is against the release, the others leave it open.

    Args:
        policy: the policy that was applied.
        name: its name.
        subject: the release that is judged, in words.
        cells: how many cells count.
        held: how many of them are as the policy demands.
        reasons: what is against the release, or open.
        waived: what the policy let pass.
        judged: which report was judged, in words.
    """
    kinds = list(ReasonKind)
    ordered = tuple(sorted(reasons, key=lambda one: (kinds.index(one.kind), -len(one.cells))))
    answer = (
        GateAnswer.MAY_NOT if any(one.kind.is_certain for one in ordered) else GateAnswer.UNKNOWN if ordered else GateAnswer.MAY
    )
    return GateVerdict(SCHEMA_VERSION, name, policy.question, subject, answer, cells, held, ordered, tuple(waived), judged)


def _of_sdk(report: Report, policy: Policy, subject: str, catalogue: Catalogue) -> Asked:
    spec = SdkSpec.parse(subject)
    sdks = [sdk for sdk in catalogue.sdks if spec.matches(sdk)]
    if not sdks:
        raise UsageError(unknown("SDK", subject, [str(sdk.id) for sdk in catalogue.sdks], more="dmconform list sdks shows all"))
    minors = {sdk.id.minor for sdk in sdks}
    if len(minors) != 1:
        raise UsageError(f"--sdk {subject}: expected SDKs of one minor, such as rust@1.39, found {len(minors)} minors")
    own = minors.pop()
    if pair_relation(own, own) is not Relation.SUPPORTED:
        raise EmptySelection(f"--sdk {subject}: the documents promise nothing of SDKs of {own}")
    wanted = hosts_of_steps(policy, own, catalogue)
    hosts = [host for host in report.hosts if host.release.minor in wanted]
    without = minors_without_host(policy, wanted, {host.release.minor for host in hosts}, own, catalogue)
    command = _run((subject,), [str(minor) for minor in wanted if minor <= catalogue.newest_minor] or ["path:FILE"])
    absent = tuple(
        Reason(ReasonKind.NO_HOST, f"the policy asks for Envoy {minor}, and there is none of it in the report", (), command)
        for minor in without
    )
    return Asked(subject, _promised(policy, catalogue, sdks, hosts), tuple(hosts), absent, command)


def _of_host(report: Report, policy: Policy, subject: str, catalogue: Catalogue) -> Asked:
    host = next((host for host in report.hosts if host.id == subject), None)
    if host is None:
        raise UsageError(unknown("host", subject, [host.id for host in report.hosts], more="only hosts of the report count"))
    own = host.release.minor
    known = {sdk.id.minor for sdk in catalogue.sdks}
    near = {step: minor for minor in (own, Minor(own.major, own.minor - 1)) if (step := step_back(minor, own)) in policy.sdks}
    older = {minor for minor in known if step_back(minor, own) is RelativeMinor.OLDER and RelativeMinor.OLDER in policy.sdks}
    minors = [*near.values(), *(minor for minor in sorted(older, reverse=True) if policy.counts(minor, own))]
    sdks = [sdk for sdk in catalogue.sdks if sdk.id.minor in minors and sdk.id.provider in policy.providers]
    cells = _promised(policy, catalogue, sdks, [host])
    there = {sdk.id.minor for sdk in sdks}
    command = _run([f"*@{minor}" for minor in minors if minor in there], ["path:FILE" if "~" in subject else subject])
    newer = policy.own_may_be_unknown and own > catalogue.newest_minor
    absent = tuple(
        Reason(ReasonKind.NO_SDK, f"the policy asks for SDKs of {minor}, and this suite has none")
        for minor in minors
        if cells and minor not in there and not (newer and minor == own)
    )
    return Asked(f"Envoy {subject}", cells, (host,), absent, command, own)


def _run(sdks: Iterable[str], hosts: Iterable[str]) -> str:
    """Returns the command whose report has all that is asked for."""
    words = [word for option, values in (("--sdk", sdks), ("--host", hosts)) for one in values for word in (option, one)]
    return shlex.join(["dmconform", "run", *words])


def _refuse_useless_cases(policy: Policy, name: str, catalogue: Catalogue) -> None:
    _refuse_glob(name, "cases", policy.cases, [case.id for case in catalogue.cases])


def _refuse_useless(policy: Policy, name: str, asked: Asked, report: Report, catalogue: Catalogue) -> None:
    """Refuses a glob that matches nothing, which is mistaken or outdated."""
    records = {record.id for record in catalogue.known_failures} | {cell.known_failure or "" for cell in report.cells}
    _refuse_glob(name, "known_failures", policy.known_failures, records - {""})
    own = {str(cell.id) for cell in asked.cells}
    _refuse_glob(name, "[[allow]] cells", [one.cells for one in policy.allow], own | catalogue.supported.keys())


def _refuse_glob(name: str, key: str, globs: Iterable[str], values: Collection[str]) -> None:
    for glob in globs:
        if not any(fnmatch.fnmatchcase(value, glob) for value in values):
            raise UsageError(f"--policy {name}: {key} = {glob!r} matches nothing that this suite knows: fix or remove it")


def step_back(sdk: Minor, host: Minor) -> RelativeMinor:
    """Returns where an SDK is, as seen from a host that is not older."""
    if sdk == host:
        return RelativeMinor.OWN
    return RelativeMinor.PREVIOUS if sdk.next() == host else RelativeMinor.OLDER


def hosts_of_steps(policy: Policy, own: Minor, catalogue: Catalogue) -> tuple[Minor, ...]:
    """Returns the minors of hosts that a policy asks for, as seen from an SDK's own, where a promise counts."""
    later = sorted({host.version.minor for host in catalogue.hosts if host.version.minor > own.next()})
    steps = {RelativeMinor.OWN: [own], RelativeMinor.NEXT: [own.next()], RelativeMinor.LATER: later}
    return tuple(minor for step in policy.hosts for minor in steps[step] if policy.counts(own, minor))


def minors_without_host(
    policy: Policy, wanted: Iterable[Minor], there: Iterable[Minor], own: Minor, catalogue: Catalogue
) -> tuple[Minor, ...]:
    """Returns those of the wanted minors that no host has, without the next one where the policy lets that be unknown.

    Args:
        policy: says whether a next minor that does not exist yet may be missing.
        wanted: the minors of hosts that the policy demands.
        there: the minors of the hosts in the report.
        own: the minor of the release that is judged.
        catalogue: knows the newest minor there is.
    """
    there = set(there)
    unknown = policy.next_may_be_unknown and own.next() > catalogue.newest_minor
    return tuple(minor for minor in wanted if minor not in there and not (unknown and minor == own.next()))


def _promised(policy: Policy, catalogue: Catalogue, sdks: Iterable[Sdk], hosts: Iterable[Host]) -> tuple[PlannedCell, ...]:
    pairs = [(host.id, host.release.minor) for host in hosts]
    sdks = list(sdks)
    if not pairs or not sdks:
        return ()
    cells = plan_cells(select_cases(policy.cases, catalogue.cases), sdks, pairs)
    return tuple(cell for cell in cells if cell.relation is Relation.SUPPORTED and policy.counts_promises(cell.promises))


class _Tally:
    """A count of the cells of a policy, and why some do not hold."""

    def __init__(self, policy: Policy, records: Iterable[KnownFailure], command: str) -> None:
        self._policy = policy
        self._command = command
        self._used: set[str] = set()
        self._faults = {record.id: record.fault for record in records}
        self._against: dict[tuple[ReasonKind, str], list[CellEntry | str]] = {}
        self._waived: Counter[str] = Counter()
        self.held = 0

    def count(self, cell_id: str, cell: CellEntry | None, sdk: RelativeMinor | None = None) -> None:
        """Counts a cell; None: it is not in the report. `sdk`: where its SDK is, as seen from the host."""
        if cell is None:
            self._note(ReasonKind.MISSING, "the suite plans cells that its run did not have", cell_id)
        elif cell.judgement is Judgement.PASS and cell.outcome is Outcome.PASS:
            self.held += 1
        elif cell.outcome.is_verdict or cell.judgement is Judgement.XPASS:
            self._count_failure(cell)
        else:
            self._count_without_answer(cell, sdk)

    def _count_failure(self, cell: CellEntry) -> None:
        fault = self._faults.get(cell.known_failure or "")
        if cell.judgement is Judgement.XFAIL and self._policy.allows_record(cell.known_failure, fault):
            self._used.add(cell.known_failure or "")
            self._waived[f"known failure {cell.known_failure}" + (f", the {fault.value}'s" if fault else "")] += 1
            return
        # A fact in the place of a promise: the report is of a suite that did not know the promise.
        kind = _BY_JUDGEMENT.get(cell.judgement, ReasonKind.BROKEN)
        record = f" ({cell.known_failure})" if cell.known_failure else ""
        printed = first_line(cell.mismatch or "" if kind is ReasonKind.MISMATCH else cell.detail)
        self._note(kind, f"{cell.case}: {cell.outcome.value}{record}" + (f": {printed}" if printed else ""), cell)

    def _count_without_answer(self, cell: CellEntry, sdk: RelativeMinor | None) -> None:
        allowed = self._policy.allowance(cell.id, cell.outcome, sdk)
        if allowed is not None:
            self._waived[f"{cell.outcome.value}: {allowed.reason}"] += 1
            return
        self._note(ReasonKind.BLOCKED, f"{cell.outcome.value}: {first_line(cell.detail)}", cell)

    def _note(self, kind: ReasonKind, text: str, cell: CellEntry | str) -> None:
        self._against.setdefault((kind, text), []).append(cell)

    def reasons(self, inconsistencies: Iterable[Inconsistency]) -> tuple[Reason, ...]:
        """Returns why some cells do not hold, grouped; then what is wrong with the records that let others pass."""
        cells = tuple(
            Reason(
                kind,
                "; ".join(filter(None, [text, reruns_in_words(cell for cell in cells if not isinstance(cell, str))])),
                tuple(cell if isinstance(cell, str) else cell.id for cell in cells),
                self._command if isinstance(cells[0], str) else cells[0].reproduce,
            )
            for (kind, text), cells in self._against.items()
        )
        records = tuple(
            Reason(ReasonKind.RECORDS, f"{one.record}: {one.kind.value}: {one.text}", one.cells, one.fix)
            for one in inconsistencies
            if one.kind not in SEEN_IN_CELLS and one.record in self._used
        )
        return (*cells, *records)

    def waived(self) -> tuple[Waived, ...]:
        """Returns what the policy let pass."""
        return tuple(Waived(by, count) for by, count in sorted(self._waived.items()))


def _of_whole_report(report: Report, policy: Policy, suite: str, command: str) -> Iterator[Reason]:
    """Yields what makes a report unfit for judging a release, whatever its cells are."""
    made_by, own = (one.removesuffix("+changes") for one in (report.environment.suite_commit, suite))
    if made_by != own and not policy.any_suite:
        text = f"it was made by the suite of commit {made_by}, and this one is {own}: a case may ask something else by now"
        yield Reason(
            ReasonKind.REPORT,
            text,
            reproduce=f"git checkout {made_by}" if re.fullmatch(r"[0-9a-f]{7,64}", made_by) else command,
        )
    if not report.complete:
        text = f"its run did not end: {report.incomplete_reason or 'no reason was given'}"
        yield Reason(ReasonKind.REPORT, text, reproduce=command)
    if report.planned_cells != len(report.cells):
        text = f"{report.planned_cells} cells were planned, and {len(report.cells)} are there"
        yield Reason(ReasonKind.REPORT, text, reproduce=command)
    if report.shard is not None:
        text = f"it is shard {report.shard.index} of {report.shard.count}"
        yield Reason(ReasonKind.REPORT, text, reproduce="dmconform merge SHARD… --out whole")

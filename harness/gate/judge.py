"""Judges a report by a policy: every promised cell that it asks for must be there and hold, or be named by the policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness.app.catalogue import Catalogue
from harness.errors import EmptySelection, UsageError
from harness.gate.policy import Policy, Step, Subject
from harness.gate.verdict import SCHEMA_VERSION, Answer, GateVerdict, Reason, ReasonKind, Waived
from harness.model import Host, Judgement, Outcome, Relation
from harness.plan.expectations import KnownFailure
from harness.plan.plan import PlannedCell, plan_cells
from harness.plan.selectors import SdkSpec, select_cases
from harness.promise import window
from harness.report.schema import CellEntry, Report
from harness.report.text import first_line
from harness.sdks.catalogue import Sdk
from harness.versions import Minor

_BY_JUDGEMENT = {
    Judgement.BROKEN: ReasonKind.BROKEN,
    Judgement.KNOWN: ReasonKind.KNOWN,
    Judgement.STALE: ReasonKind.RECORDS,
    Judgement.DISPUTED: ReasonKind.DISAGREE,
}


@dataclass(frozen=True)
class Asked:
    """What a policy asks for: the subject in words, its cells, and the minors that no host of the report is of."""

    subject: str
    cells: tuple[PlannedCell, ...]
    without_host: tuple[Minor, ...]


def gate_report(report: Report, policy: Policy, name: str, subject: str, catalogue: Catalogue) -> GateVerdict:
    """Judges a report.

    Args:
        report: of a run.
        policy: of the subject SDK or HOST.
        name: the policy's.
        subject: the SDK (`rust@1.39:upstream`) or the host (`1.40.0`) that is to be released.
        catalogue: the cases, SDKs and hosts that this suite knows: what a whole report has.

    Raises:
        UsageError: the subject is not in the report.
        EmptySelection: the policy asks for no cell.
    """
    ask = _of_sdk if policy.subject is Subject.SDK else _of_host
    asked = ask(report, policy, subject, catalogue)
    if not asked.cells and not asked.without_host:
        raise EmptySelection(f"--policy {name}: it asks for no promised cell of {subject}")
    entries = {cell.id: cell for cell in report.cells}
    tally = _Tally(policy, catalogue.known_failures)
    for planned in asked.cells:
        tally.count(str(planned.id), entries.get(str(planned.id)))
    reasons = (*_of_whole_report(report), *(_no_host(minor) for minor in asked.without_host), *tally.reasons())
    return verdict(policy, name, asked.subject, len(asked.cells), tally.held, reasons, tally.waived())


def verdict(
    policy: Policy, name: str, subject: str, cells: int, held: int, reasons: Iterable[Reason], waived: Iterable[Waived] = ()
) -> GateVerdict:
    """Reasons make the answer: one that is certain is against the release, the others leave it open."""
    kinds = list(ReasonKind)
    ordered = tuple(sorted(reasons, key=lambda one: (kinds.index(one.kind), -len(one.cells))))
    answer = Answer.MAY_NOT if any(one.kind.is_certain for one in ordered) else Answer.CANNOT_TELL if ordered else Answer.MAY
    return GateVerdict(SCHEMA_VERSION, name, policy.question, subject, answer, cells, held, ordered, tuple(waived))


def _of_sdk(report: Report, policy: Policy, subject: str, catalogue: Catalogue) -> Asked:
    spec = SdkSpec.parse(subject)
    sdks = [sdk for sdk in catalogue.sdks if spec.matches(sdk)]
    minors = {sdk.id.minor for sdk in sdks}
    if len(minors) != 1:
        raise UsageError(f"--sdk {subject}: expected SDKs of one minor, such as rust@1.39, found {len(minors)} minors")
    own = minors.pop()
    if window(own, own) is not Relation.PROMISED:
        raise EmptySelection(f"--sdk {subject}: the documents promise nothing of SDKs of {own}")
    wanted = hosts_of_steps(policy, own)
    hosts = [host for host in report.hosts if host.release.minor in wanted]
    without = minors_without_host(policy, wanted, {host.release.minor for host in hosts}, own, catalogue)
    return Asked(subject, _promised(policy, catalogue, sdks, hosts), without)


def _of_host(report: Report, policy: Policy, subject: str, catalogue: Catalogue) -> Asked:
    host = next((host for host in report.hosts if host.id == subject), None)
    if host is None:
        raise UsageError(
            f"--host {subject}: not in the report, which has {', '.join(host.id for host in report.hosts) or 'none'}"
        )
    own = host.release.minor
    minors = {own if step is Step.OWN else Minor(own.major, own.minor - 1) for step in policy.sdks}
    sdks = [sdk for sdk in catalogue.sdks if sdk.id.minor in minors and sdk.id.provider in policy.providers]
    return Asked(f"Envoy {subject}", _promised(policy, catalogue, sdks, [host]), ())


def hosts_of_steps(policy: Policy, own: Minor) -> tuple[Minor, ...]:
    """The minors of hosts that a policy asks for, as seen from an SDK's own."""
    return tuple(own if step is Step.OWN else own.next() for step in policy.hosts)


def minors_without_host(
    policy: Policy, wanted: Iterable[Minor], there: Iterable[Minor], own: Minor, catalogue: Catalogue
) -> tuple[Minor, ...]:
    """Those of the wanted minors that no host is of, without the next one where the policy lets that be unknown."""
    there = set(there)
    unknown = policy.next_may_be_unknown and own.next() > catalogue.newest_minor
    return tuple(minor for minor in wanted if minor not in there and not (unknown and minor == own.next()))


def _promised(policy: Policy, catalogue: Catalogue, sdks: Iterable[Sdk], hosts: Iterable[Host]) -> tuple[PlannedCell, ...]:
    pairs = [(host.id, host.release.minor) for host in hosts]
    sdks = list(sdks)
    if not pairs or not sdks:
        return ()
    cells = plan_cells(select_cases(policy.cases, catalogue.cases), sdks, pairs)
    return tuple(cell for cell in cells if cell.relation is Relation.PROMISED)


class _Tally:
    """Counts the cells of a policy, and why some do not hold."""

    def __init__(self, policy: Policy, records: Iterable[KnownFailure]) -> None:
        self._policy = policy
        self._faults = {record.id: record.fault for record in records}
        self._against: dict[tuple[ReasonKind, str], list[CellEntry | str]] = {}
        self._waived: Counter[str] = Counter()
        self.held = 0

    def count(self, cell_id: str, cell: CellEntry | None) -> None:
        """Counts a cell; None: the report has not got it."""
        if cell is None:
            self._note(ReasonKind.MISSING, "the suite plans cells that its run did not have: run the whole selection", cell_id)
        elif cell.judgement is Judgement.AS_PROMISED and cell.outcome is Outcome.PASSED:
            self.held += 1
        elif cell.outcome.is_verdict:
            self._count_failure(cell)
        else:
            self._count_without_answer(cell)

    def _count_failure(self, cell: CellEntry) -> None:
        fault = self._faults.get(cell.known_failure or "")
        if cell.judgement is Judgement.KNOWN and self._policy.allows_record(cell.known_failure, fault):
            self._waived[f"known failure {cell.known_failure}" + (f", the {fault.value}'s" if fault else "")] += 1
            return
        # A fact in the place of a promise: the report is of a suite that did not know the promise.
        kind = _BY_JUDGEMENT.get(cell.judgement, ReasonKind.BROKEN)
        record = f" ({cell.known_failure})" if cell.known_failure else ""
        self._note(kind, f"{cell.case}: {cell.outcome.value}{record}: {first_line(cell.detail)}", cell)

    def _count_without_answer(self, cell: CellEntry) -> None:
        allowed = self._policy.allowance(cell.id, cell.outcome)
        if allowed is not None:
            self._waived[f"{cell.outcome.value}: {allowed.reason}"] += 1
            return
        self._note(ReasonKind.BLOCKED, f"{cell.outcome.value}: {first_line(cell.detail)}", cell)

    def _note(self, kind: ReasonKind, text: str, cell: CellEntry | str) -> None:
        self._against.setdefault((kind, text), []).append(cell)

    def reasons(self) -> tuple[Reason, ...]:
        """Why some cells do not hold, grouped."""
        return tuple(
            Reason(
                kind,
                text,
                tuple(cell if isinstance(cell, str) else cell.id for cell in cells),
                "" if isinstance(cells[0], str) else cells[0].reproduce,
            )
            for (kind, text), cells in self._against.items()
        )

    def waived(self) -> tuple[Waived, ...]:
        """What the policy let pass."""
        return tuple(Waived(by, count) for by, count in sorted(self._waived.items()))


def _of_whole_report(report: Report) -> tuple[Reason, ...]:
    """What makes a report no base for a release, whatever its cells say."""
    found = []
    if not report.complete:
        found.append(f"its run did not end: {report.incomplete_reason or 'no reason was given'}")
    if report.planned_cells > len(report.cells):
        found.append(f"{report.planned_cells - len(report.cells)} cells were planned and are not there")
    if report.shard is not None:
        found.append(f"it is shard {report.shard.index} of {report.shard.count}; dmconform merge joins them")
    return tuple(Reason(ReasonKind.REPORT, text) for text in found)


def _no_host(minor: Minor) -> Reason:
    return Reason(ReasonKind.NO_HOST, f"the policy asks for Envoy {minor}, and there is none of it")

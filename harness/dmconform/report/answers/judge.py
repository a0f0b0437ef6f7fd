"""Judges a report by a policy: may an SDK or a host be released? The page, the summary and `dmconform gate` ask the same."""

from __future__ import annotations

import fnmatch
import shlex
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from dmconform.core.errors import EmptySelection, UsageError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.nearest import unknown
from dmconform.core.text import counted, first_line
from dmconform.core.values import AT_POINT, Host, Judgement, Outcome, Relation, SdkId, Severity, sdk_parts
from dmconform.core.versions import Minor
from dmconform.report.answers.evidence import Severities, is_official
from dmconform.report.answers.policy import Policy, RelativeMinor, Subject
from dmconform.report.answers.suite import KnownSuite, known_suite
from dmconform.report.answers.tally import Tally
from dmconform.report.answers.verdict import SCHEMA_VERSION, GateAnswer, GateVerdict, Reason, ReasonKind, Waived
from dmconform.report.schema import CellEntry, Report, point_of_case
from dmconform.spec.promise import pair_relation
from dmconform.spec.selectors import SdkSpec


@dataclass(frozen=True)
class _Asked:
    """The request of a policy: the subject in words, its SDKs and hosts, the missing ones, the run that has it all."""

    subject: str
    sdks: frozenset[str]
    hosts: tuple[Host, ...]
    absent: tuple[Reason, ...]
    command: str
    host_minor: Minor | None = None  # where a host is the subject

    def step_of(self, cell: CellEntry) -> RelativeMinor | None:
        """Returns where its SDK is, as seen from a host that is the subject."""
        if self.host_minor is None:
            return None
        return step_back(SdkId.parse(cell.sdk).minor, self.host_minor)


def gate_report(
    report: Report,
    policy: Policy,
    name: str,
    subject: str,
    own_suite: str | None = None,
    point: ExtensionPoint | None = None,
) -> GateVerdict:
    """Judges a report by the promises, cases and SDKs that its own suite knew.

    Args:
        report: of a run.
        policy: of the subject SDK or HOST.
        name: the policy's.
        subject: the SDK (`rust@1.39:official`) or the host (`1.40.0`) that is to be released.
        own_suite: the commit of the suite that judges, which is named where it is another one than the report's.
        point: the only extension point whose cells count; None: all cells do.

    Raises:
        UsageError: the subject is not in the report, or a glob of the policy matches nothing.
        EmptySelection: the policy asks for no cell, or for none that is applicable to the extension point.
    """
    suite = known_suite(report)
    _refuse_glob(name, "cases", policy.cases, suite.cases)
    named = _named_cases(policy, suite, point)
    if point is not None and not named:
        raise EmptySelection(f"--extension-point {point.value}: no case of the report's suite is about it")
    asked = (_of_sdk if policy.subject is Subject.SDK else _of_host)(report, policy, subject, suite, point)
    hosts = {host.id for host in asked.hosts}
    cells = [cell for cell in report.cells if cell.sdk in asked.sdks and cell.host in hosts and _counts(cell, policy, named)]
    if not cells and not asked.absent:
        raise EmptySelection(f"--policy {name}: it asks for no supported cell of {subject}")
    _refuse_useless(policy, name, cells, report, suite)
    if point is not None and cells and not asked.absent and all(one.outcome is Outcome.NOT_APPLICABLE for one in cells):
        raise EmptySelection(f"--extension-point {point.value}: not applicable to {subject}: {first_line(cells[0].detail)}")
    tally = Tally(policy, suite.faults, Severities(report), asked.command)
    for cell in cells:
        tally.count(cell, asked.step_of(cell))
    for cell in _changed_beyond(report, policy, hosts, {cell.id for cell in cells}):
        if point is None or cell.point == point.value:
            tally.count_changed(cell)
    reasons = [
        *_of_whole_report(report, asked.command),
        *_unselected(report, asked, named, suite),
        *asked.absent,
        *tally.reasons(report.inconsistencies),
    ]
    if not reasons and not tally.held:
        text = f"none of the {len(cells)} cells that the policy asks for holds: all of them are let pass"
        reasons.append(Reason(ReasonKind.REPORT, text, reproduce=asked.command))
    official = [cell for cell in cells if is_official(cell)]
    if not reasons and official and not any(cell.outcome.is_verdict for cell in official):
        text = f"none of the {len(official)} cells of the official SDKs was tested, and the reference SDK is the control only"
        reasons.append(Reason(ReasonKind.BLOCKED, text, reproduce=asked.command))
    judged = _judged(report, asked.hosts, own_suite)
    found = verdict(policy, name, asked.subject, len(cells), tally.held, reasons, tally.waived(), judged)
    return msgspec.structs.replace(found, not_tested=sum(cell.outcome is Outcome.NOT_TESTED for cell in cells))


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
    ordered = tuple(sorted(reasons, key=_weight))
    answer = (
        GateAnswer.MAY_NOT if any(one.kind.is_certain for one in ordered) else GateAnswer.UNKNOWN if ordered else GateAnswer.MAY
    )
    return GateVerdict(SCHEMA_VERSION, name, policy.question, subject, answer, cells, held, ordered, tuple(waived), judged)


def _weight(reason: Reason) -> tuple[int, int, int]:
    """Returns a key that sorts reasons: by kind, by the worst that happened, then by the number of cells."""
    rank = reason.severity.rank if reason.severity is not None else len(Severity)
    return list(ReasonKind).index(reason.kind), rank, -len(reason.cells)


def _judged(report: Report, hosts: Iterable[Host], own_suite: str | None) -> str:
    on = ", ".join(f"{host.label} (sha256:{host.sha256[:12]})" for host in hosts) or "none"
    made_by = report.environment.suite_commit
    other = own_suite is not None and made_by.removesuffix("+changes") != own_suite.removesuffix("+changes")
    note = f" (by what that suite asked; this one is {own_suite}, whose cases may ask more)" if other else ""
    return f"the run of {report.started_at}, suite {made_by}{note}, on Envoy {on}"


def _named_cases(policy: Policy, suite: KnownSuite, point: ExtensionPoint | None) -> frozenset[str]:
    """Returns the cases that a policy asks for; with an extension point only those that name it."""
    named = (case for case in suite.cases if any(fnmatch.fnmatchcase(case, glob) for glob in policy.cases))
    return frozenset(case for case in named if point is None or point_of_case(case) == point.value)


def _counts(cell: CellEntry, policy: Policy, named: Collection[str]) -> bool:
    return cell.case in named and cell.relation is Relation.SUPPORTED and policy.counts_promises(cell.promises)


def _changed_beyond(report: Report, policy: Policy, hosts: Collection[str], asked: Collection[str]) -> Iterator[CellEntry]:
    """Yields the cells of a host to be released that no promise is about, and that are not as on record of that release."""
    if policy.subject is Subject.HOST:
        for cell in report.cells:
            if cell.host in hosts and cell.id not in asked and cell.judgement is Judgement.CHANGED:
                yield cell


def _of_sdk(report: Report, policy: Policy, subject: str, suite: KnownSuite, point: ExtensionPoint | None) -> _Asked:
    spec = SdkSpec.parse(subject)
    sdks = [sdk for sdk in suite.sdks if spec.matches_id(sdk)]
    if not sdks:
        raise UsageError(unknown("SDK", subject, map(str, suite.sdks), more="only SDKs that the report's suite knows count"))
    minors = {sdk.minor for sdk in sdks}
    if len(minors) != 1:
        raise UsageError(f"--sdk {subject}: expected SDKs of one minor, such as rust@1.39, found {len(minors)} minors")
    own = minors.pop()
    if pair_relation(own, own) is not Relation.SUPPORTED:
        raise EmptySelection(f"--sdk {subject}: the documents promise nothing of SDKs of {own}")
    wanted = hosts_of_steps(policy, own, suite.host_minors)
    hosts = tuple(host for host in report.hosts if host.release.minor in wanted)
    command = _run((subject,), [str(minor) for minor in wanted if minor <= suite.newest_minor] or ["path:FILE"], point)
    without = minors_without_host(policy, wanted, {host.release.minor for host in hosts}, own, suite.newest_minor)
    absent = [
        Reason(ReasonKind.NO_HOST, f"the policy asks for Envoy {minor}, and there is none of it in the report", (), command)
        for minor in without
    ]
    absent += _pairs_without_cells(report, sdks, hosts, policy, _named_cases(policy, suite, point), command)
    return _Asked(_at(subject, point), frozenset(map(str, sdks)), hosts, tuple(absent), command)


def _of_host(report: Report, policy: Policy, subject: str, suite: KnownSuite, point: ExtensionPoint | None) -> _Asked:
    host = next((host for host in report.hosts if host.id == subject), None)
    if host is None:
        raise UsageError(unknown("host", subject, [host.id for host in report.hosts], more="only hosts of the report count"))
    own = host.release.minor
    known = {sdk.minor for sdk in suite.sdks}
    near = {minor for minor in (own, Minor(own.major, own.minor - 1)) if step_back(minor, own) in policy.sdks}
    older = {minor for minor in known if minor < own and step_back(minor, own) in policy.sdks}
    covered = [minor for minor in near | older if pair_relation(minor, own) is Relation.SUPPORTED and policy.counts(minor, own)]
    if not covered:
        raise EmptySelection(f"--host {subject}: the documents promise nothing of Envoy {own}")
    minors = sorted(covered, reverse=True)
    sdks = [sdk for sdk in suite.sdks if sdk.minor in minors and sdk.provider in policy.providers]
    there = {sdk.minor for sdk in sdks}
    command = _run([f"*@{minor}" for minor in minors if minor in there], ["path:FILE" if "~" in subject else subject], point)
    newer = policy.own_may_be_unknown and own > max(known)
    absent = [
        Reason(ReasonKind.NO_SDK, f"the policy asks for SDKs of {minor}, and this suite has none")
        for minor in minors
        if sdks and minor not in there and not (newer and minor == own)
    ]
    absent += _pairs_without_cells(report, sdks, (host,), policy, _named_cases(policy, suite, point), command)
    return _Asked(_at(f"Envoy {host.label}", point), frozenset(map(str, sdks)), (host,), tuple(absent), command, own)


def _pairs_without_cells(
    report: Report, sdks: Iterable[SdkId], hosts: Iterable[Host], policy: Policy, named: Collection[str], command: str
) -> Iterator[Reason]:
    """Yields why pairs that the policy asks for have no supported cell in the report, which was then made without them."""
    there = {(cell.sdk, cell.host) for cell in report.cells if _counts(cell, policy, named)}
    without: dict[str, list[str]] = {}
    for sdk in sdks:
        asked = [host.id for host in hosts if policy.counts(sdk.minor, host.release.minor)]
        names = ", ".join(host for host in asked if (str(sdk), host) not in there)
        if names:
            without.setdefault(names, []).append(str(sdk))
    for names, its in without.items():
        text = f"the report has no supported cell of {', '.join(its)} on Envoy {names}: it was made without"
        yield Reason(ReasonKind.MISSING, f"{text}, or knew no such promise", (), command)


def _at(subject: str, point: ExtensionPoint | None) -> str:
    return subject if point is None else f"{subject}, {point.plural}"


def _run(sdks: Iterable[str], hosts: Iterable[str], point: ExtensionPoint | None) -> str:
    """Returns the command whose report has all that is asked for."""
    cases = () if point is None else (f"*{AT_POINT}{point.value}",)
    options = (("--sdk", sdks), ("--host", hosts), ("--case", cases))
    words = [word for option, values in options for one in values for word in (option, one)]
    return shlex.join(["dmconform", "run", *words])


def _refuse_useless(policy: Policy, name: str, cells: Iterable[CellEntry], report: Report, suite: KnownSuite) -> None:
    """Refuses a glob that matches nothing, which is mistaken or outdated."""
    _refuse_glob(name, "known_failures", policy.known_failures, suite.records, may_be_all=True)
    own = {cell.id for cell in cells}
    hosts = [host.id for host in report.hosts]
    for glob in dict.fromkeys(one.cells for one in policy.allow):
        everything = (f"{case}/{sdk}/{host}" for case in suite.cases for sdk in suite.sdks for host in hosts)
        if not any(fnmatch.fnmatchcase(cell, glob) for cell in own):
            _refuse_glob(name, "[[allow]] cells", [glob], everything)


def _refuse_glob(name: str, key: str, globs: Iterable[str], values: Iterable[str], *, may_be_all: bool = False) -> None:
    for glob in globs:
        if not (may_be_all and glob == "*") and not any(fnmatch.fnmatchcase(value, glob) for value in values):
            raise UsageError(f"--policy {name}: {key} = {glob!r} matches nothing that this suite knows: fix or remove it")


def step_back(sdk: Minor, host: Minor) -> RelativeMinor:
    """Returns where an SDK is, as seen from a host that is not older."""
    if sdk == host:
        return RelativeMinor.OWN
    return RelativeMinor.PREVIOUS if sdk.next() == host else RelativeMinor.OLDER


def hosts_of_steps(policy: Policy, own: Minor, known: Iterable[Minor]) -> tuple[Minor, ...]:
    """Returns the minors of hosts that a policy asks for, as seen from an SDK's own, where a promise counts."""
    later = sorted({minor for minor in known if minor > own.next()})
    steps = {RelativeMinor.OWN: [own], RelativeMinor.NEXT: [own.next()], RelativeMinor.LATER: later}
    return tuple(minor for step in policy.hosts for minor in steps[step] if policy.counts(own, minor))


def minors_without_host(
    policy: Policy, wanted: Iterable[Minor], there: Collection[Minor], own: Minor, newest: Minor
) -> tuple[Minor, ...]:
    """Returns those of the wanted minors that no host has, without the next one where the policy lets that be unknown.

    Args:
        policy: says whether a next minor that does not exist yet may be missing.
        wanted: the minors of hosts that the policy demands.
        there: the minors of the hosts in the report.
        own: the minor of the release that is judged.
        newest: the newest minor that has a known host.
    """
    may_be_unknown = policy.next_may_be_unknown and own.next() > newest
    return tuple(minor for minor in wanted if minor not in there and not (may_be_unknown and minor == own.next()))


def _of_whole_report(report: Report, command: str) -> Iterator[Reason]:
    """Yields what makes a report unfit for judging a release, whatever its cells are."""
    if not report.complete:
        text = f"its run did not end: {report.incomplete_reason or 'no reason was given'}"
        yield Reason(ReasonKind.REPORT, text, reproduce=command)
    if report.planned_cells != len(report.cells):
        text = f"{report.planned_cells} cells were planned, and {len(report.cells)} are there"
        yield Reason(ReasonKind.REPORT, text, reproduce=command)
    if report.shard is not None:
        text = f"it is shard {report.shard.index} of {report.shard.count}"
        yield Reason(ReasonKind.REPORT, text, reproduce="dmconform merge SHARD… --out whole")


def _absent_points(report: Report, asked: _Asked) -> frozenset[str]:
    """Returns the extension points at which nothing ran, though the report has a cell: it says why, and need not have more."""
    hosts = {host.id for host in asked.hosts}
    there: dict[str, bool] = {}
    for cell in report.cells:
        if cell.point and cell.sdk in asked.sdks and cell.host in hosts:
            there[cell.point] = there.get(cell.point, False) or cell.outcome.is_verdict
    return frozenset(point for point, found in there.items() if not found)


def _unselected(report: Report, asked: _Asked, named: Collection[str], suite: KnownSuite) -> Iterator[Reason]:
    """Yields that cases are missing that the policy asks for, such as in a run that selected others."""
    there = {cell.case for cell in report.cells if cell.sdk in asked.sdks}
    languages = {sdk_parts(sdk)[0] for sdk in asked.sdks}
    absent = _absent_points(report, asked)
    missing = [
        case
        for case in suite.cases
        if case in named
        and case not in there
        and (suite.cases[case] or set()) & languages
        and point_of_case(case) not in absent
    ]
    if missing and there:  # without any, the pairs are missing, which has a reason already
        selected = report.selection.get("case")
        how = f"the run selected {', '.join(selected)}" if selected else "the report is not whole"
        text = f"{how}: {counted(len(missing), 'case')} of its suite {'is' if len(missing) == 1 else 'are'} missing"
        yield Reason(ReasonKind.MISSING, text, reproduce=asked.command)

"""Judges what `dmconform check` found out about a module by a policy."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from dmconform.binaries.facts import Known, StaticKind
from dmconform.check.result import SCHEMA_VERSION, Check, HostEntry, HostVerdict, RunKind
from dmconform.core.datafile import decode_json, read_bounded
from dmconform.core.errors import DataFileError, EmptySelection, UsageError
from dmconform.core.memory import bounded_memory
from dmconform.core.versions import Minor, Release
from dmconform.report.answers.judge import hosts_of_steps, minors_without_host, verdict
from dmconform.report.answers.policy import Policy
from dmconform.report.answers.verdict import GateAnswer, GateVerdict, Reason, ReasonKind
from dmconform.spec.catalogue import Catalogue


class _Version(msgspec.Struct):
    schema_version: int


def read_check(path: Path) -> Check:
    """Reads what `dmconform check --json` wrote.

    Raises:
        DataFileError: it is nothing of the kind, is damaged, or is of another schema version.
        HarnessError: what it holds takes too much memory.
    """
    data = read_bounded(path)
    version = decode_json(path, data, _Version).schema_version
    if version != SCHEMA_VERSION:
        raise DataFileError(path, f"schema version {version}; this suite reads {SCHEMA_VERSION} of dmconform check --json")
    with bounded_memory(path):
        check = decode_json(path, data, Check)
    try:
        for host in check.hosts:
            Release.parse(host.release)
        for minor in check.sdk.minors:
            Minor.parse(minor)
    except ValueError as error:
        raise DataFileError(path, str(error)) from None
    for name, count in Counter(host.id for host in check.hosts).items():
        if count > 1:
            raise DataFileError(path, f"host {name!r} is there {count} times")
    return check


def gate_module(check: Check, policy: Policy, name: str, built_with: str | None, catalogue: Catalogue) -> GateVerdict:
    """Judges a module.

    Args:
        check: what was found out about it; it must have been run.
        policy: of the subject MODULE.
        name: the policy's.
        built_with: the minor of its SDK, such as `1.39`; None: what the check could find. Where that is several minors, the
            answer counts that is the same for all.
        catalogue: the hosts that this suite knows.

    Raises:
        UsageError: the minor is none, or the file shows another.
        EmptySelection: nothing shows which minor it is of.
    """
    verdicts = [_gate_as(own, check, policy, name, catalogue) for own in _own_minors(check, built_with)]
    if len({one.answer for one in verdicts}) == 1:
        return verdicts[-1]
    answers = "; ".join(f"{own}: {one.answer.value}" for own, one in zip(check.sdk.minors, verdicts, strict=True))
    text = f"the answer depends on which SDK it was built with ({answers}): give it with --built-with"
    reasons = [Reason(ReasonKind.OPEN, text), *verdicts[-1].reasons]
    subject = f"{check.module_file} (sha256:{check.module.sha256}), built with the SDK of {' or '.join(check.sdk.minors)}"
    return msgspec.structs.replace(verdicts[-1], subject=subject, answer=GateAnswer.UNKNOWN, reasons=tuple(reasons))


def _gate_as(own: Minor, check: Check, policy: Policy, name: str, catalogue: Catalogue) -> GateVerdict:
    """Judges a module as one that was built with the SDK of a minor."""
    wanted = hosts_of_steps(policy, own, [host.version.minor for host in catalogue.hosts])
    hosts = [host for host in check.hosts if Release.parse(host.release).minor in wanted]
    there = {Release.parse(host.release).minor for host in hosts}
    known = [str(minor) for minor in wanted if minor <= catalogue.newest_minor] or ["path:FILE"]
    command = _check(check, known)
    reasons = [
        Reason(ReasonKind.NO_HOST, f"the policy asks for Envoy {minor}, and the module was not tried on any", (), command)
        for minor in minors_without_host(policy, wanted, there, own, catalogue.newest_minor)
    ]
    if not check.ran:
        text = "the module was not run, so nothing was measured: check it without --no-run"
        reasons.append(Reason(ReasonKind.REPORT, text, reproduce=command))
    reasons += [reason for host in hosts for reason in _of_host(host, policy, check)]
    held = sum(host.verdict is HostVerdict.WORKS and bool(host.runs) for host in hosts)
    subject = f"{check.module_file} (sha256:{check.module.sha256}), built with the SDK of {own}"
    on = ", ".join(host.id for host in hosts) or "none"
    judged = f"a check by suite {check.suite_version}, on Envoy {on}"
    return verdict(policy, name, subject, len(hosts), held, reasons, judged=judged)


def _own_minors(check: Check, built_with: str | None) -> tuple[Minor, ...]:
    if built_with is not None:
        try:
            stated = Minor.parse(built_with)
        except ValueError as error:
            raise UsageError(f"--built-with {built_with}: {error}") from None
        if check.sdk.known is Known.READ and check.sdk.minors and str(stated) not in check.sdk.minors:
            raise UsageError(
                f"--built-with {built_with}: the check says {' or '.join(check.sdk.minors)} ({check.sdk.reason}); "
                "leave the option out, or check the module anew"
            )
        return (stated,)
    if not check.sdk.minors:
        raise EmptySelection(
            f"{check.module_file}: nothing shows which SDK it was built with ({check.sdk.reason}), so nothing is promised that "
            "could be judged; give --built-with 1.39, or the like"
        )
    return tuple(map(Minor.parse, check.sdk.minors))


def _check(check: Check, hosts: list[str]) -> str:
    words = [word for one in hosts for word in ("--host", one)]
    return shlex.join(["dmconform", "check", check.module_file, *check.options, *words, "--json", "check.json"])


def _of_host(host: HostEntry, policy: Policy, check: Check) -> Iterator[Reason]:
    command = _check(check, ["path:FILE" if "~" in host.id else host.id])
    if host.mismatch is not None:
        yield Reason(ReasonKind.MISMATCH, f"Envoy {host.id}: {host.mismatch}", (), command)
    if host.verdict in (HostVerdict.BREAKS, HostVerdict.ERRORS):
        kind = ReasonKind.OWN if host.own_doing else ReasonKind.BROKEN
        yield Reason(kind, f"Envoy {host.id}: {host.reason}", (), command)
    elif host.verdict is HostVerdict.UNDECIDED:
        text = host.reason or host.not_run or "no reason was given"
        ran = any(run.kind is not RunKind.NO_VERDICT for run in host.runs)
        yield Reason(ReasonKind.OPEN if ran else ReasonKind.BLOCKED, f"Envoy {host.id}: {text}", (), command)
    elif check.ran and not host.runs:
        yield Reason(
            ReasonKind.BLOCKED, f"Envoy {host.id}: it was not run there: {host.not_run or 'no reason was given'}", (), command
        )
    elif host.static.kind is StaticKind.UNRESOLVED and not policy.uncalled_allowed:
        yield Reason(ReasonKind.UNCALLED, f"Envoy {host.id}: {host.static.reason}", (), command)

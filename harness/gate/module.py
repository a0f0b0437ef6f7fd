"""Judges what `dmconform check` found out about a module by a policy."""

from __future__ import annotations

from collections.abc import Iterator

from harness.app.catalogue import Catalogue
from harness.check.result import Check, HostEntry, Verdict
from harness.errors import UsageError
from harness.gate.judge import hosts_of_steps, minors_without_host, verdict
from harness.gate.policy import Policy
from harness.gate.verdict import GateVerdict, Reason, ReasonKind
from harness.versions import Minor, Release


def gate_module(check: Check, policy: Policy, name: str, built_with: str | None, catalogue: Catalogue) -> GateVerdict:
    """Judges a module.

    Args:
        check: what was found out about it; it must have been run.
        policy: of the subject MODULE.
        name: the policy's.
        built_with: the minor of its SDK, such as `1.39`; None: what the check could tell.
        catalogue: the hosts that this suite knows.

    Raises:
        UsageError: the minor is none, or nothing tells it.
    """
    own = _own_minor(check, built_with)
    wanted = hosts_of_steps(policy, own)
    hosts = [host for host in check.hosts if Release.parse(host.release).minor in wanted]
    there = {Release.parse(host.release).minor for host in hosts}
    reasons = [
        Reason(ReasonKind.NO_HOST, f"the policy asks for Envoy {minor}, and the module was not tried on any")
        for minor in minors_without_host(policy, wanted, there, own, catalogue)
    ]
    if not check.ran:
        reasons.append(Reason(ReasonKind.REPORT, "the module was not run, so nothing was measured: check it without --no-run"))
    reasons += [reason for host in hosts for reason in _of_host(host)]
    held = sum(host.verdict is Verdict.WORKS for host in hosts)
    subject = f"{check.module_file} (sha256:{check.module.sha256}), built with the SDK of {own}"
    return verdict(policy, name, subject, len(hosts), held, reasons)


def _own_minor(check: Check, built_with: str | None) -> Minor:
    if built_with is not None:
        try:
            return Minor.parse(built_with)
        except ValueError as error:
            raise UsageError(f"--built-with {built_with}: {error}") from None
    if len(check.sdk.minors) != 1:
        known = f"one of {', '.join(check.sdk.minors)}" if check.sdk.minors else "nothing tells"
        raise UsageError(
            f"{check.module_file}: which SDK it was built with is not certain ({known}); say it with --built-with 1.39"
        )
    return Minor.parse(check.sdk.minors[0])


def _of_host(host: HostEntry) -> Iterator[Reason]:
    if host.disagreement is not None:
        yield Reason(ReasonKind.DISAGREE, f"Envoy {host.id}: {host.disagreement}")
    if host.verdict is Verdict.BREAKS:
        yield Reason(ReasonKind.BROKEN, f"Envoy {host.id}: {host.reason}")
    elif host.verdict is Verdict.UNDECIDED:
        yield Reason(ReasonKind.BLOCKED, f"Envoy {host.id}: {host.reason or host.not_run or 'no reason was given'}")

"""What came and went in the ABI from one minor to the next, as far as a report's supported pairs show."""

from __future__ import annotations

import msgspec

from dmconform.report.schema import Report

_GONE = ("removed",)  # how the kinds of findings about a lost function end


class AbiStep(msgspec.Struct, frozen=True, rename="camel"):
    """The functions of the ABI from `old` to `new`. None: the report does not have them."""

    old: str
    new: str
    before: int | None
    after: int | None
    kept: int
    removed: int | None
    added: int | None
    changed: int  # functions and types that are there still, and break modules already built
    exact: int  # of the kept ones: signatures compared with the releases' own headers
    nearby: int  # with another header on one side
    unknown: int  # by name only


def abi_steps(report: Report) -> tuple[AbiStep, ...]:
    """Returns a step for each supported pair of two minors. Sizes come from the pairs of a minor with itself."""
    sizes = {pair.sdk_minor: pair.functions for pair in report.abi_pairs if pair.sdk_minor == pair.host_minor}
    steps = []
    for pair in report.abi_pairs:
        if pair.sdk_minor == pair.host_minor:
            continue
        before, after = sizes.get(pair.sdk_minor), sizes.get(pair.host_minor)
        changed = {
            finding.subject
            for finding in report.abi_findings
            if (finding.sdk_minor, finding.host_minor) == (pair.sdk_minor, pair.host_minor) and not finding.kind.endswith(_GONE)
        }
        steps.append(
            AbiStep(
                old=pair.sdk_minor,
                new=pair.host_minor,
                before=before,
                after=after,
                kept=pair.functions,
                removed=max(0, before - pair.functions) if before is not None else None,
                added=max(0, after - pair.functions) if after is not None else None,
                changed=len(changed),
                exact=pair.exact,
                nearby=pair.nearby,
                unknown=pair.unknown,
            )
        )
    return tuple(steps)

"""The drift watch: what a newer header or binary changed since a known minor, and whether the ABI string moved with it."""

from __future__ import annotations

from collections.abc import Iterator

from dmconform.abi_diff import words
from dmconform.abi_diff.assemble import diff
from dmconform.abi_diff.changes import AbiChangeKind, Diff, Drift, Impact, StringVerdict
from dmconform.abi_diff.operands import Operand
from dmconform.abi_diff.requirements import Needs
from dmconform.abi_diff.uses import SdkUses

# Differences that are not known are not changes; the diff counts them.
_NO_CHANGES = (AbiChangeKind.ABI_STRING, AbiChangeKind.SIGNATURE_UNKNOWN)
_VERDICTS = {
    (False, False): StringVerdict.STAYED_RIGHTLY,
    (True, True): StringVerdict.MOVED_RIGHTLY,
    (True, False): StringVerdict.STAYED,
    (False, True): StringVerdict.MOVED,
}


def drift(known: Operand, newer: Operand, uses: SdkUses, needs: Needs) -> Drift:
    """Compares `newer` with the newest minor that is known. Errors as `assemble.diff`.

    Args:
        known: the newest minor with ABI data.
        newer: a later state of the ABI, such as a header of the main branch.
        uses: as for `assemble.diff`.
        needs: as for `assemble.diff`.

    Raises:
        HarnessError: see `compare_types.compare`.
    """
    found = diff(known, newer, uses, needs)
    changed = [change for change in found.changes if change.kind not in _NO_CHANGES]
    breaking = [change for change in changed if change.impact is Impact.BUILT]
    return Drift(_verdict(found, bool(changed)), len(changed), len(breaking), found)


def _verdict(found: Diff, changed: bool) -> StringVerdict:
    before, after = found.old.abi_version, found.new.abi_version
    if before is None or after is None:
        return StringVerdict.UNKNOWN
    return _VERDICTS[changed, before != after]


def headline(found: Drift) -> Iterator[str]:
    """Summarises a drift in sentences; the first is the finding."""
    strings = f"{_string(found.diff.old.abi_version)} before, {_string(found.diff.new.abi_version)} now"
    changes = "change" if found.changed == 1 else "changes"
    yield f"{_MARKS[found.verdict]}: {found.verdict.value} ({strings})."
    if found.changed:
        breaking = f"{found.breaking} of them" if found.breaking else "none of them"
        yield f"{found.changed} {changes} since {found.diff.old.label}; {breaking} break modules already built."
    if found.diff.compared.unknown:
        yield f"Of {found.diff.compared.unknown} functions only the names could be compared."


_MARKS = {
    StringVerdict.STAYED_RIGHTLY: "In order",
    StringVerdict.MOVED_RIGHTLY: "In order",
    StringVerdict.STAYED: "Finding",
    StringVerdict.MOVED: "Note",
    StringVerdict.UNKNOWN: "Note",
}


def _string(abi_version: str | None) -> str:
    return words.shortened(abi_version) if abi_version else "not known"

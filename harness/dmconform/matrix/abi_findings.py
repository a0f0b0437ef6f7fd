"""What the ABI data says of the promise, for the report: every supported pair of minors, and what breaks it by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dmconform.core import kept, paths
from dmconform.core.values import Relation
from dmconform.report.schema import AbiFindingEntry, AbiPairEntry

if TYPE_CHECKING:
    from dmconform.abi_diff.changes import AbiBreak, MinorPair

FOLDER = "findings"
# What decides the result: the code that compares, and the data.
_CODE = tuple(
    paths.PACKAGE / name for name in ("abi", "abi_diff", "spec/abi_breaks.py", "spec/promise.py", "matrix/abi_findings.py")
)


class AbiComparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pairs that were compared, and the changes in them that break the promise."""

    pairs: tuple[AbiPairEntry, ...]
    findings: tuple[AbiFindingEntry, ...]


def compare_abi(cache_folder: Path) -> AbiComparison:
    """Compares the ABI data of every supported pair, or takes the result for the same data from the cache.

    Raises:
        DataFileError: a data file is missing or not of its format.
    """
    decides = (*_CODE, paths.ABI, paths.HOSTS_FILE, paths.PROMISES_FILE)
    file = cache_folder / FOLDER / f"{kept.digest(decides, '.py', '.json', '.toml')}.json"
    compared = kept.find(file, AbiComparison)
    if compared is None:
        compared = _compare()
        kept.keep(file, compared)
    return compared


def _compare() -> AbiComparison:
    from dmconform.spec.abi_breaks import compare_pairs  # slow to import; warm runs do without

    found = compare_pairs(paths.ABI)
    return AbiComparison(
        tuple(_pair(one) for one in found.pairs if one.relation is Relation.SUPPORTED),
        tuple(_finding(one) for one in found.broken),
    )


def _pair(one: MinorPair) -> AbiPairEntry:
    reported = one.compared
    return AbiPairEntry(
        one.sdk_minor, one.host_minor, one.built, reported.functions, reported.exact, reported.nearby, reported.unknown
    )


def _finding(one: AbiBreak) -> AbiFindingEntry:
    from dmconform.abi_diff.changes import Extent

    return AbiFindingEntry(
        sdk_minor=one.sdk_minor,
        host_minor=one.host_minor,
        subject=one.subject,
        kind=one.kind.value,
        how=one.how.value,
        points=one.points,
        used_by=tuple(use.sdk if use.extent is Extent.SOME else f"{use.sdk} ({use.extent.value})" for use in one.used_by),
        detail=one.detail,
        certain=one.certain,
    )

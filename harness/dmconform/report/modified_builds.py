"""What a modified build of Envoy does unlike the clean one of its minor: the same cells of a report, compared.

A modified build was made from other sources than those of the commit that it reports. Where it and a clean host of its minor
were in the same run, each case with each SDK version has a cell on both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dmconform.core.text import counted, first_line
from dmconform.core.values import Host
from dmconform.report.schema import CellEntry, Report

_NUMBER = re.compile(r"\b(?:0x[0-9a-f]+|\d+)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Difference:
    """A case with an SDK version that ended in another way on a modified build than on a clean host of its minor."""

    case: str
    sdk: str
    modified: CellEntry
    clean: CellEntry


@dataclass(frozen=True)
class ComparedBuilds:
    """A modified build and a clean host of its minor: how many cells both have a verdict of, and which differ."""

    modified: Host
    clean: Host
    cells: int
    differences: tuple[Difference, ...]

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        head = f"Envoy {self.modified.label} and {self.clean.id} (clean build): "
        if not self.cells:
            return f"{head}no cell ran on both, so nothing shows what the modification changes"
        if not self.differences:
            return f"{head}{counted(self.cells, 'cell')} ran on both and ended alike"
        by_case = Counter(one.case for one in self.differences)
        cases = ", ".join(f"{case} ({count})" for case, count in by_case.most_common())
        return f"{head}{len(self.differences)} of {counted(self.cells, 'cell')} that ran on both ended differently: {cases}"


def compare_builds(report: Report) -> tuple[ComparedBuilds, ...]:
    """Returns each modified build of a report beside the newest clean host of its minor, if there is one."""
    return tuple(_compare(report, modified, clean) for modified, clean in _pairs(report))


def modified_alone(report: Report) -> tuple[Host, ...]:
    """Returns the modified builds of a report whose minor has no clean host in it: a statement about it would rest on them."""
    paired = {modified.id for modified, _ in _pairs(report)}
    return tuple(host for host in report.hosts if host.is_modified and host.id not in paired)


def modified_build_sentences(report: Report) -> tuple[str, ...]:
    """Returns what is to be said of the modified builds of a report, a sentence for each."""
    alone = (
        f"Envoy {host.label} has no clean host of its minor beside it: what is shown of "
        f"{host.release.minor} rests on a modified build alone"
        for host in modified_alone(report)
    )
    return (*(one.sentence for one in compare_builds(report)), *alone)


def host_labels(report: Report) -> dict[str, str]:
    """Returns how each host is named where a result of it is shown, by its id."""
    return {host.id: host.label for host in report.hosts}


def _pairs(report: Report) -> Iterator[tuple[Host, Host]]:
    for host in report.hosts:
        if not host.is_modified:
            continue
        clean = [one for one in report.hosts if not one.is_modified and one.build and one.release.minor == host.release.minor]
        if clean:
            yield host, max(clean, key=lambda one: one.release)


def _compare(report: Report, modified: Host, clean: Host) -> ComparedBuilds:
    of_clean = {(cell.case, cell.sdk): cell for cell in report.cells if cell.host == clean.id}
    both = [
        (cell, other)
        for cell in report.cells
        if cell.host == modified.id
        and (other := of_clean.get((cell.case, cell.sdk))) is not None
        and cell.outcome.is_verdict
        and other.outcome.is_verdict
    ]
    differences = tuple(
        Difference(cell.case, cell.sdk, cell, other) for cell, other in both if _ending(cell, modified) != _ending(other, clean)
    )
    return ComparedBuilds(modified, clean, len(both), differences)


def _ending(cell: CellEntry, host: Host) -> tuple[object, ...]:
    """Returns how a cell ended, without what differs from run to run and from host to host: names of the host, numbers."""
    text = first_line(cell.detail).replace(host.id, "HOST").replace(host.release_text, "HOST")
    return cell.outcome, cell.abi_verdict, cell.known_failure, _NUMBER.sub("N", text)

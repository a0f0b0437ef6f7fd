"""The page of findings, `docs/findings.md`: known failures of supported cells, and what else was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dmconform.core.values import CellId
from dmconform.core.versions import Release
from dmconform.hosts.catalogue import release_label
from dmconform.spec.cases import Case, Requirement
from dmconform.spec.expectations import FAULT, KnownFailure
from dmconform.spec.findings import Fault, Finding, FindingsFile
from dmconform.spec.inconsistencies import CellIndex
from dmconform.spec.issues import NOT_REPORTED, short_issue

_SENTENCE = re.compile(r"(?<=[.:])\s")

_HEAD = """\
# Findings

Generated from `known_failures.toml` and `findings.toml` in `conformance/expectations`: `dmconform findings --write`. A test
compares this page with them. The statements of the documents are in this project's words. The comparison of the official SDK
with the reference SDK shows whose fault it is ([how](../sdks/README.md#how-to-find-the-party-at-fault)). Commands are for the
root of the repository. Where official SDKs are needed, they come from
[where you choose](../README.md#commands-and-exit-codes).
*Reported* is a public page about it, such as an issue or the change that brought or fixed it. `dmconform findings --issue ID`
prints the text of a report for what has none. Defects that people reported, or that a method found, of what nothing promises:
[defects.md](defects.md), by release.
"""


@dataclass(frozen=True)
class FindingRow:
    """A finding as the page shows it."""

    id: str
    title: str
    document: str
    seen: str
    hosts: tuple[str, ...]
    sdks: tuple[str, ...]
    fault: str
    how: str  # to see it, in Markdown
    reported: str  # where, or on which day no report was found, in Markdown
    workaround: str  # empty where none is known


def of_known_failure(
    record: KnownFailure, index: CellIndex, cases: Iterable[Case], requirements: Mapping[str, Requirement]
) -> FindingRow:
    """Returns a record of a known failure as a finding; hosts and SDKs are those of the cells that it covers.

    Args:
        record: the known failure; without a title, the first sentence of its reason is the finding's title.
        index: finds the cells that a glob matches.
        cases: all cases, for the requirements they show.
        requirements: by id, for the documents' statements.
    """
    cells = cells_of(record, index)
    names = {cell.case for cell in cells}
    ids = dict.fromkeys(one for case in cases if case.id in names for one in case.declaration.requirements)
    example = max(cells, key=lambda cell: Release.parse(cell.host), default=None)
    return FindingRow(
        id=record.id,
        title=title_of(record),
        document=" ".join(f"{requirements[one].statement} ({_linked(requirements[one])})" for one in ids),
        seen=" ".join(record.evidence.split()),
        hosts=tuple(dict.fromkeys(cell.host for cell in sorted(cells, key=lambda cell: Release.parse(cell.host)))),
        sdks=tuple(dict.fromkeys(cell.sdk for cell in cells)),
        fault=" ".join(record.reason.split()),
        how=f"`dmconform reproduce {example}`" if example else "",
        reported=reported(record.issue, record.looked_for),
        workaround=record.workaround or "",
    )


def cells_of(record: KnownFailure, index: CellIndex) -> list[CellId]:
    """Returns all cells that a record covers, in the order of its globs."""
    return [CellId.parse(cell) for cell in dict.fromkeys(cell for glob in record.cells for cell in index.match(glob))]


def title_of(record: KnownFailure) -> str:
    """Returns the title of a record; where it has none, the first sentence of its reason, without whose fault it is."""
    reason = " ".join(record.reason.split())
    found = FAULT.match(reason)
    rest = reason[found.end() :].lstrip(": ,") if found else reason
    title = _SENTENCE.split(rest, maxsplit=1)[0].rstrip(".:")
    return record.title or title[:1].upper() + title[1:]


def reported(issue: str, looked_for: date | None) -> str:
    """Returns where something is reported, in Markdown, or the day on which no report was found."""
    if issue != NOT_REPORTED:
        return f"[{short_issue(issue)}]({issue})"
    return f"no report was found on {looked_for}" if looked_for is not None else NOT_REPORTED


def _linked(requirement: Requirement) -> str:
    """Returns the id of a requirement, in Markdown, with the link to its document if it has one."""
    return f"[`{requirement.id}`]({requirement.link})" if requirement.link else f"`{requirement.id}`"


def findings_page(known: Sequence[FindingRow], findings: FindingsFile, requirements: Mapping[str, Requirement]) -> str:
    """Returns the text of `docs/findings.md`; `requirements` are by id."""
    others = [
        FindingRow(
            id=one.id,
            title=one.title,
            document=" ".join([one.document, *_in_brackets(requirements[name] for name in one.requirements)]),
            seen=one.seen,
            hosts=one.hosts,
            sdks=one.sdks,
            fault=whose(one),
            how=f"`{one.reproduce}`" if one.reproduce is not None else f"by hand: {_text(one.by_hand or '')}",
            reported=reported(one.issue, one.looked_for),
            workaround=one.workaround or "",
        )
        for one in findings.finding
    ]
    titles = {one.id: one.title for one in (*known, *others)}
    lines = [_HEAD, f"## The {len(findings.most_important)} most important ones", ""]
    lines += [f"{place}. [{_text(titles[name])}](#{name})" for place, name in enumerate(findings.most_important, 1)]
    lines += ["", f"## Promised, and on record not to hold ({len(known)})", ""]
    for one in known:
        lines += _section(one)
    lines += [f"## Other findings ({len(others)})", "", "No supported cell shows these; they gate nothing.", ""]
    for one in others:
        lines += _section(one)
    return "\n".join(lines).rstrip("\n") + "\n"


def _in_brackets(requirements: Iterable[Requirement]) -> list[str]:
    links = ", ".join(_linked(one) for one in requirements)
    return [f"({links})"] if links else []


def _section(one: FindingRow) -> list[str]:
    return [
        f'<a id="{one.id}"></a>',
        "",
        f"### {_text(one.title)}",
        "",
        f"`{one.id}`",
        "",
        f"- **The documents say:** {_text(one.document)}",
        f"- **Seen:** {_text(one.seen)}",
        f"- **Hosts:** {', '.join(map(release_label, one.hosts))}",
        f"- **SDKs:** {', '.join(one.sdks)}",
        f"- **Whose fault:** {_text(one.fault)}",
        f"- **To see it:** {one.how}",
        *([f"- **Workaround:** {_text(one.workaround)}"] if one.workaround else []),
        f"- **Reported:** {one.reported}",
        "",
    ]


def whose(finding: Finding) -> str:
    """Returns whose fault a finding is, and why."""
    owner = {
        Fault.HOST: "the host's",
        Fault.SDK: "the SDK's",
        Fault.LANGUAGE: "the language's",
        Fault.DOCUMENTS: "the documents'",
        Fault.NONE: "none",
    }[finding.fault]
    return f"{owner}: {finding.fault_reason}"


def _text(text: str) -> str:
    """Returns text of the data files on one line, with HTML escaped."""
    return " ".join(text.split()).replace("<", "&lt;")

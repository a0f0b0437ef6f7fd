"""Requirements and the cases that show them: counts of a run, and the table of `docs/coverage.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Judgement, Relation
from dmconform.core.versions import Minor, Release
from dmconform.report.schema import EnvoyTestEntry, Report, RequirementEntry, point_of_case
from dmconform.spec.cases import Level
from dmconform.spec.documents import Document

HELD = (Judgement.PASS,)
BROKEN = (Judgement.FAIL, Judgement.XPASS, Judgement.MISMATCH, Judgement.CHANGED)
NOT_RUN = (Judgement.ERROR, Judgement.SKIP)

_HEAD = """\
# Coverage: what the documents say, and which cases show it

Generated from `conformance/spec/` and the cases: `dmconform coverage --write`. A test compares this page with them.
Statements are in this project's words. The results of the cases on each host are in every report.

- **must** is promised, **should** is recommended, a **note** describes or warns and needs no case.
- *hosts*: where the sentence came with a release, or was replaced by another document's.
- `AREA/NAME@*`: a case at each of so many extension points, which [a table](#extension-points) has.
- Below each heading is the link to it, in the newest document that was read and is about the hosts of the sentences, at the
  commit of its release. A sentence about other hosts has a separate link.
"""


_POINTS = """\
## Extension points

The sentences that speak of all extension points, and how many cases `AREA/NAME@POINT` show each of them at each one. What they
come to is in [points.md](points.md).
"""
_ENVOY_TESTS = """\
## What Envoy's own tests check

Envoy tests dynamic modules in its own process, most of it over mocks. These are the behaviours that its tests assert, of the
areas that this suite is about. What shows each of them on real releases: cases, or the tables of [faulty modules](faults.md).
"""


@dataclass(frozen=True)
class RequirementCoverage:
    """A requirement in a run. The counts are of supported cells of its cases; `facts` are those of the others that ran."""

    entry: RequirementEntry
    held: int
    broken: int
    known: int
    not_run: int
    facts: int

    @property
    def status(self) -> str:
        """The status of the requirement in the run, in a word; in capitals where it counts as a failure."""
        if self.broken:
            return "FAIL"
        if self.known:
            return "xfail"
        if self.held:
            return "pass"
        if self.entry.cases:
            return "informational" if self.facts else "not run"
        return "no case needed" if self.entry.level is Level.NOTE else "uncovered"


def coverage(report: Report) -> tuple[RequirementCoverage, ...]:
    """Returns every requirement with the results of its cases in a run, on the hosts that it is about."""
    supported: dict[tuple[str, str], Counter[Judgement]] = {}
    facts: Counter[tuple[str, str]] = Counter()
    for cell in report.cells:
        if cell.relation is Relation.SUPPORTED:
            supported.setdefault((cell.case, cell.host), Counter())[cell.judgement] += 1
        elif cell.outcome.is_verdict:
            facts[cell.case, cell.host] += 1
    hosts = dict.fromkeys(cell.host for cell in report.cells)
    found = []
    for entry in report.requirements:
        about = [host for host in hosts if _is_about(entry, host)]
        its: Counter[Judgement] = Counter()
        for case in entry.cases:
            for host in about:
                its += supported.get((case, host), Counter())
        found.append(
            RequirementCoverage(
                entry,
                held=sum(its[one] for one in HELD),
                broken=sum(its[one] for one in BROKEN),
                known=its[Judgement.XFAIL],
                not_run=sum(its[one] for one in NOT_RUN),
                facts=sum(facts[case, host] for case in entry.cases for host in about),
            )
        )
    return tuple(found)


def _is_about(entry: RequirementEntry, host: str) -> bool:
    """Returns whether a requirement holds for a host, which is named by its id."""
    try:
        minor = Release.parse(host.partition("~")[0]).minor
        after = entry.since is None or Minor.parse(entry.since) <= minor
        return after and (entry.until is None or minor <= Minor.parse(entry.until))
    except ValueError:  # of another make than this suite's
        return True


def coverage_sentence(entries: Sequence[RequirementEntry]) -> str:
    """Returns how many requirements there are, and how many of them cases show."""
    binding = [one for one in entries if one.level is not Level.NOTE]
    shown = sum(bool(one.cases) for one in binding)
    return (
        f"{len(entries)} sentences of the documents; {len(binding)} bind, of which cases show {shown} and "
        f"{len(binding) - shown} have a reason why none does; {len(entries) - len(binding)} are notes"
    )


def releases(entry: RequirementEntry) -> str:
    """Returns the hosts a requirement holds for; empty where the documents set no bound."""
    if entry.since is not None and entry.until is not None:
        return f"{entry.since} to {entry.until}"
    return f"from {entry.since} on" if entry.since is not None else f"up to {entry.until}" if entry.until is not None else ""


def envoy_tests_sentence(entries: Sequence[EnvoyTestEntry]) -> str:
    """Returns how many behaviours of Envoy's own tests there are, and how many of them are shown."""
    by_cases = sum(bool(one.cases) for one in entries)
    measured = sum(bool(one.measured) and not one.cases for one in entries)
    return (
        f"{len(entries)} behaviours that Envoy's own tests check; cases show {by_cases} of them, "
        f"measured tables {measured} more, and {len(entries) - by_cases - measured} have a reason why nothing does"
    )


def whole_sentence(report: Report) -> str:
    """Returns how much is shown of both, the documents and Envoy's own tests."""
    documents = coverage_sentence(report.requirements)
    return f"{documents}. {envoy_tests_sentence(report.envoy_tests)}" if report.envoy_tests else documents


def envoy_test_counts(entries: Iterable[EnvoyTestEntry]) -> tuple[tuple[str, int, int, int, int], ...]:
    """Returns, by section, its title, behaviours, those that cases show, those that only tables show, those with a reason."""
    sections: dict[str, list[EnvoyTestEntry]] = {}
    for one in entries:
        sections.setdefault(one.section, []).append(one)
    return tuple(
        (
            title,
            len(its),
            sum(bool(one.cases) for one in its),
            sum(bool(one.measured) and not one.cases for one in its),
            sum(one.reason is not None for one in its),
        )
        for title, its in sections.items()
    )


def coverage_page(
    entries: Sequence[RequirementEntry], documents: Iterable[Document], envoy_tests: Sequence[EnvoyTestEntry] = ()
) -> str:
    """Returns the text of `docs/coverage.md`: the documents with their requirements, in the order of the documents."""
    lines = [_HEAD, f"{coverage_sentence(entries)}.", ""]
    for document in documents:
        its = [one for one in entries if one.document == document.id]
        if its:
            lines += [f"## {document.title}", "", *_versions(document), *_table(its)]
    lines += _points_table(entries)
    if envoy_tests:
        lines += [_ENVOY_TESTS, f"{envoy_tests_sentence(envoy_tests)}.", "", *_envoy_tests_tables(envoy_tests)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _envoy_tests_tables(entries: Sequence[EnvoyTestEntry]) -> list[str]:
    """Returns the counts by section, then a table for each."""
    lines = ["| section | behaviours | shown by cases | by tables alone | with a reason |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(map(str, counts))} |" for counts in envoy_test_counts(entries)]
    for title in dict.fromkeys(one.section for one in entries):
        lines += ["", f"### {title}", "", "| test | asserts | shown by |", "| --- | --- | --- |"]
        for one in entries:
            if one.section == title:
                shown = ", ".join([*_names(one.cases), *(f"[{name}](faults.md)" for name in one.measured)])
                lines.append(f"| `{one.id}` | {_cell(one.asserts)} | {shown or f'*nothing: {_cell(one.reason or str())}*'} |")
    return lines


def _versions(document: Document) -> list[str]:
    """Returns the releases at whose commits the document can be read, and why it was not read at some."""
    links = ", ".join(f"[{one.release}]({one.link})" for one in document.version)
    unread = [f"Not read at {one.release}: {_cell(one.unread)}" for one in document.version if one.unread]
    return [" ".join([f"The document of {links}.", *unread]), ""]


def _table(entries: Iterable[RequirementEntry]) -> list[str]:
    """Returns a table in Markdown, sentences of a section together."""
    sections: dict[str, list[RequirementEntry]] = {}
    for entry in entries:
        sections.setdefault(entry.section, []).append(entry)
    lines: list[str] = []
    for section, its in sections.items():
        link = Counter(one.link for one in its).most_common(1)[0][0]
        lines += [
            f"### {section}",
            "",
            *([f"[{'The section' if '#' in link else 'The document'}]({link})", ""] if link else []),
            "| requirement | level | statement | hosts | cases |",
            "| --- | --- | --- | --- | --- |",
        ]
        for one in its:
            cases = ", ".join(_names(one.cases))
            if not cases:
                cases = f"*none: {_cell(one.uncovered)}*" if one.uncovered else "-"
            other = f" ([the document]({one.link}))" if one.link not in ("", link) else ""
            lines.append(f"| `{one.id}` | {one.level.value} | {_cell(one.statement)}{other} | {releases(one)} | {cases} |")
        lines.append("")
    return lines


def collapsed(cases: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Returns case ids, each with 1; those that differ only in the extension point as `AREA/NAME@*`, with their number."""
    groups: dict[str, list[str]] = {}
    for case in cases:
        groups.setdefault(case.removesuffix(point_of_case(case)), []).append(case)
    return tuple((its[0] if len(its) == 1 else f"{stem}*", len(its)) for stem, its in groups.items())


def _names(cases: Iterable[str]) -> list[str]:
    """Returns case ids as code."""
    return [f"`{name}`" + (f" ({count})" if count > 1 else "") for name, count in collapsed(cases)]


def _points_table(entries: Sequence[RequirementEntry]) -> list[str]:
    """Returns a row per extension point, a column per requirement that has cases at some: the number of cases."""
    counts = Counter((point_of_case(case), one.id) for one in entries for case in one.cases)
    columns = [one.id for one in entries if any(point_of_case(case) for case in one.cases)]
    if not columns:
        return []
    lines = [
        _POINTS,
        f"| extension point | {' | '.join(f'`{name}`' for name in columns)} |",
        f"|{' --- |' * (len(columns) + 1)}",
    ]
    for point in ExtensionPoint:
        shown = (str(counts[point.value, name] or "-") for name in columns)
        lines.append(f"| `{point.value}` | {' | '.join(shown)} |")
    return [*lines, ""]


def _cell(text: str) -> str:
    """Returns text of the data files in a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")

"""The text of a report to the project that is at fault, made of a record of a known failure or of a finding.

It says what the record has and no more: what is missing is asked for by name, in square brackets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dmconform import __version__
from dmconform.core.versions import Release
from dmconform.hosts.catalogue import KnownHost
from dmconform.report.findings import cells_of, title_of, whose
from dmconform.report.grid import LANGUAGE_NAMES
from dmconform.sdks.catalogue import Sdk
from dmconform.spec.cases import Case, Requirement
from dmconform.spec.expectations import KnownFailure
from dmconform.spec.findings import Finding
from dmconform.spec.inconsistencies import CellIndex
from dmconform.spec.selectors import select_sdks
from dmconform.spec.steps import Steps

EVERY_HOST = "all"


@dataclass(frozen=True)
class Reportable:
    """What a report is made of, of a known failure or a finding.

    Attributes:
        id: of the record.
        title: what is wrong, in one sentence.
        issue: where it is reported; `issues.NOT_REPORTED` where no report was found.
        looked_for: the day on which none was found.
        document: what the documents say, in this project's words; empty where only `requirements` say it.
        requirements: the sentences of the documents.
        seen: what was seen.
        fault: whose fault it is, and why.
        workaround: what users can do; empty where nothing is known.
        hosts: the releases that it was seen on, or `EVERY_HOST`.
        sdks: SDK versions, or what modules it is about.
    """

    id: str
    title: str
    issue: str
    looked_for: date | None
    document: str
    requirements: tuple[Requirement, ...]
    seen: str
    fault: str
    workaround: str
    hosts: tuple[str, ...]
    sdks: tuple[str, ...]


@dataclass(frozen=True)
class IssueText:
    """A text ready to be filed, and what it lacks."""

    text: str
    lacks: tuple[str, ...]


def of_record(
    record: KnownFailure, index: CellIndex, cases: Iterable[Case], requirements: Mapping[str, Requirement]
) -> Reportable:
    """Returns what a report of a known failure is made of.

    Args:
        record: the known failure.
        index: finds the cells that a glob matches.
        cases: all cases, for the requirements that they show.
        requirements: by id.
    """
    cells = cells_of(record, index)
    names = {cell.case for cell in cells}
    ids = dict.fromkeys(one for case in cases if case.id in names for one in case.declaration.requirements)
    hosts = sorted({cell.host for cell in cells}, key=Release.parse)
    return Reportable(
        id=record.id,
        title=title_of(record),
        issue=record.issue,
        looked_for=record.looked_for,
        document="",
        requirements=tuple(requirements[one] for one in ids),
        seen=_line(record.evidence),
        fault=_line(record.reason),
        workaround=_line(record.workaround or ""),
        hosts=tuple(hosts),
        sdks=tuple(dict.fromkeys(cell.sdk for cell in cells)),
    )


def of_finding(finding: Finding, requirements: Mapping[str, Requirement]) -> Reportable:
    """Returns what a report of a finding is made of; `requirements` are by id."""
    return Reportable(
        id=finding.id,
        title=finding.title,
        issue=finding.issue,
        looked_for=finding.looked_for,
        document=_line(finding.document),
        requirements=tuple(requirements[one] for one in finding.requirements),
        seen=_line(finding.seen),
        fault=f"{whose(finding)}.",
        workaround=_line(finding.workaround or ""),
        hosts=finding.hosts,
        sdks=finding.sdks,
    )


def issue_text(one: Reportable, steps: Steps | None, hosts: Sequence[KnownHost], sdks: tuple[Sdk, ...]) -> IssueText:
    """Returns the text of a report, in Markdown.

    Args:
        one: what it is made of.
        steps: how to see it with nothing but an Envoy, if that is on record.
        hosts: all known hosts, for their commits and builds.
        sdks: all SDK versions, for the releases and commits of official ones.
    """
    lacks: list[str] = []

    def missing(what: str) -> str:
        lacks.append(what)
        return f"[to add: {what}]"

    parts = [
        f"**Title**: dynamic modules: {one.title}",
        "**Description**",
        one.seen,
        "**Versions**",
        "The record covers these; where it was seen is said above.",
        _versions(one, hosts, sdks),
        "**Expected**",
        _expected(one) or missing("what the documents say of it"),
        "**Observed**",
    ]
    if steps is not None:
        (host,) = (known for known in hosts if known.release == steps.host)
        parts += [f"The steps below, with Envoy {host.release} (`{host.build}`), print:", _block("", "\n".join(steps.output))]
        parts += ["**Steps and configuration**", _how_to_run(steps), _block("sh", steps.script)]
    else:
        parts += [missing("what Envoy prints, and the lines of its log")]
        parts += ["**Steps and configuration**", missing("steps and a minimal configuration that need nothing but Envoy")]
    parts += ["**Assessment**", one.fault]
    if one.workaround:
        parts += ["**Workaround**", one.workaround]
    if one.looked_for is not None:
        parts.append(f"A report of this was looked for on {one.looked_for}, and none was found.")
    parts.append(
        f"This is `{one.id}` of a conformance suite for dynamic modules, whose cases have names such as `area/name`: "
        f"suite {__version__}."
    )
    return IssueText("\n\n".join(parts) + "\n", tuple(lacks))


def _line(text: str) -> str:
    return " ".join(text.split())


def _block(language: str, text: str) -> str:
    body = text.strip("\n")
    return f"```{language}\n{body}\n```"


def _how_to_run(steps: Steps) -> str:
    return (
        "`sh steps.sh /path/to/envoy` runs them on Linux, with all files in a new folder. They have the configuration: "
        f"`envoy.yaml`, and `listeners.yaml` where there are listeners. Needed: {', '.join(steps.needs)}."
    )


def _versions(one: Reportable, hosts: Sequence[KnownHost], sdks: tuple[Sdk, ...]) -> str:
    """Returns a list of the Envoys and SDKs that it was seen with."""
    seen_on = [host for host in hosts if host.release in one.hosts or EVERY_HOST in one.hosts]
    lines = [f"- Envoy {host.release}: `{host.build}`{_modified(host)}" for host in seen_on]
    for name in one.sdks:
        lines += [_sdk(sdk) for sdk in select_sdks([name], sdks)[0]] if "@" in name else [f"- modules: {name}"]
    return "\n".join(dict.fromkeys(lines))


def _sdk(sdk: Sdk) -> str:
    if sdk.official is None:
        return f"- a module in {LANGUAGE_NAMES[sdk.id.language.value]} without an SDK, for the ABI of {sdk.id.minor}"
    commit = f" (commit {sdk.official.commit})" if sdk.official.commit else ""
    return f"- the SDK for {LANGUAGE_NAMES[sdk.id.language.value]} of Envoy {sdk.release}{commit}"


def _modified(host: KnownHost) -> str:
    return ", a build with changes to the sources of that commit" if host.is_modified else ""


def _expected(one: Reportable) -> str:
    """Returns what the documents say, with the links to them; empty where the record has nothing of it."""
    lines = [f"- {it.statement} ([{it.section}]({it.link}))" for it in one.requirements]
    return "\n\n".join(part for part in (one.document, "\n".join(lines)) if part)

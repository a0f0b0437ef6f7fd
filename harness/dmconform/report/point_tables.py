"""Tables of extension points: a row for each, a column for each SDK version and host, one table per language and provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dmconform.core.values import Provider, sdk_parts
from dmconform.report.answers.fields import FieldState
from dmconform.report.answers.points import PointField, modules_at, points_of
from dmconform.report.grid import LANGUAGE_NAMES, natural
from dmconform.report.modified_builds import host_labels
from dmconform.report.schema import Report
from dmconform.report.unreleased import development_sdks
from dmconform.sdks.catalogue import development_label

SIGNS = (
    "Cells that pass, of those that are promised: ✓ all, ! known failures, ✗ new failures, ≢ changed facts, ◐ tested in part, "
    "○ not tested, ■ could not run. · is not promised: those that pass, of those that ran. - is not applicable"
)


@dataclass(frozen=True)
class PointColumn:
    """A column: an SDK version on a host."""

    sdk: str
    host: str
    version: str  # the SDK's minor; of a development commit, its version and the commit
    host_label: str


@dataclass(frozen=True)
class PointRow:
    """An extension point, with a field for each column; None where it has no cell."""

    point: str
    fields: tuple[PointField | None, ...]


@dataclass(frozen=True)
class PointTable:
    """The extension points of one language and provider, without those that are not applicable to any of its versions."""

    title: str
    columns: tuple[PointColumn, ...]
    rows: tuple[PointRow, ...]


@dataclass(frozen=True)
class PointSentence:
    """The answer for an extension point and SDK version, on the hosts on which it is the same."""

    point: str
    state: FieldState
    text: str


@dataclass(frozen=True)
class PointNames:
    """How SDK versions and hosts are named, by their ids; those that are missing are named by their ids."""

    versions: Mapping[str, str]
    hosts: Mapping[str, str]

    def version(self, sdk: str) -> str:
        """Returns the version of an SDK, without its language."""
        return self.versions.get(sdk) or sdk_parts(sdk)[1]

    def host(self, host: str) -> str:
        """Returns how a host is named."""
        return self.hosts.get(host, host)


def names_of(report: Report) -> PointNames:
    """Returns how the SDK versions and hosts of a report are named."""
    commits = {sdk.id: development_label(sdk.version, sdk.commit) for sdk in development_sdks(report)}
    return PointNames(commits, host_labels(report))


def point_tables(found: Iterable[PointField], names: PointNames) -> tuple[PointTable, ...]:
    """Returns the tables: of the official SDKs first, the languages in the order of the alphabet, older versions first."""
    groups: dict[tuple[bool, str], list[PointField]] = {}
    for one in found:
        language, _, provider = sdk_parts(one.field.sdk)
        groups.setdefault((provider != Provider.OFFICIAL.value, language), []).append(one)
    tables = []
    for (_, language), its in sorted(groups.items()):
        shown = [one for one in its if one.state is not FieldState.ASKS_NOTHING]
        columns = sorted({(one.field.sdk, one.field.host) for one in its}, key=lambda pair: tuple(map(natural, pair)))
        by_place = {(one.point, one.field.sdk, one.field.host): one for one in its}
        if shown:
            tables.append(
                PointTable(
                    f"{LANGUAGE_NAMES.get(language, language)} · {sdk_parts(columns[0][0])[2]}",
                    tuple(PointColumn(*pair, names.version(pair[0]), names.host(pair[1])) for pair in columns),
                    tuple(
                        PointRow(point, tuple(by_place.get((point, *pair)) for pair in columns))
                        for point in sorted({one.point for one in shown})
                    ),
                )
            )
    return tuple(tables)


def point_sentence(one: PointField, names: PointNames) -> str:
    """Returns the answer of a field: `Rust 1.39 access loggers on Envoy 1.40.0: yes (9 of 9)`."""
    return f"{_versions([one.field.sdk], names)} {modules_at(one.point)} on Envoy {names.host(one.field.host)}: {one.answer}"


def point_sentences(found: Iterable[PointField], names: PointNames) -> tuple[PointSentence, ...]:
    """Returns the answers of fields, in the order of the extension points; the same answer on several hosts is given once.

    What is not applicable is given once for all versions of a language and provider that have the same reason.
    """
    groups: dict[tuple[str, bool, str, str, str], list[PointField]] = {}
    for one in sorted(found, key=lambda it: (it.point, natural(it.field.sdk), natural(it.field.host))):
        language, _, provider = sdk_parts(one.field.sdk)
        nothing = one.state is FieldState.ASKS_NOTHING
        of = f"{language}:{provider}" if nothing else one.field.sdk
        groups.setdefault((one.point, provider != Provider.OFFICIAL.value, language, of, one.answer), []).append(one)
    sentences = []
    for (point, *_, answer), its in sorted(groups.items(), key=lambda group: group[0][:2]):
        first = its[0]
        subject = f"{_versions(dict.fromkeys(one.field.sdk for one in its), names)} {modules_at(point)}"
        if first.state is not FieldState.ASKS_NOTHING:
            subject += f" on Envoy {', '.join(names.host(one.field.host) for one in its)}"
        sentences.append(PointSentence(point, first.state, f"{subject}: {answer}"))
    return tuple(sentences)


def _versions(sdks: Iterable[str], names: PointNames) -> str:
    """Returns SDK versions of one language and provider in words: `Rust 1.38, 1.39`, `Go 1.40 (reference)`."""
    sdks = list(sdks)
    language, _, provider = sdk_parts(sdks[0])
    control = "" if provider == Provider.OFFICIAL.value else f" ({provider})"
    return f"{LANGUAGE_NAMES.get(language, language)} {', '.join(map(names.version, sdks))}{control}"


def tables_of(report: Report) -> tuple[PointTable, ...]:
    """Returns the tables of a report; none where no case names an extension point."""
    return point_tables(points_of(report), names_of(report))


def sentences_of(report: Report) -> tuple[PointSentence, ...]:
    """Returns the answers of a report."""
    return point_sentences(points_of(report), names_of(report))

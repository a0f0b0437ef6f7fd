"""The text of `docs/points.md`: extension points by SDK version and default host, from records, without a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from dmconform.abi.loading import load_every_abi
from dmconform.abi.required_hooks import RequiredHooks, load_required_hooks
from dmconform.abi.types import FunctionKind
from dmconform.core.extension_point import ExtensionPoint, point_of
from dmconform.core.values import AbiVerdict, CellId, Language, Outcome, Provider
from dmconform.core.versions import Minor
from dmconform.report.answers.evidence import Severities
from dmconform.report.answers.fields import FieldState
from dmconform.report.answers.points import PointField, point_fields
from dmconform.report.grid import LANGUAGE_NAMES
from dmconform.report.point_tables import SIGNS, PointNames, PointTable, point_tables
from dmconform.report.schema import CellEntry, point_of_case
from dmconform.sdks.catalogue import Sdk
from dmconform.spec.catalogue import Catalogue
from dmconform.spec.cells import PlannedCell, plan_cells
from dmconform.spec.facts import Facts, chance_of
from dmconform.spec.judgement import judge

NOTHING_ON_RECORD: Final = "nothing is on record of it"
BY_CHANCE: Final = "not the same in every run"
_HEAD: Final = """\
# Extension points

Generated from the data of this repository, without a run: `dmconform coverage --points --write`. A test compares this page with
them. [coverage.md](coverage.md) has which sentence of the documents has cases at which extension point, and every report has
these tables with the results of its run.

## Who has which

From which minor on there is an extension point in hosts, by the hooks of their ABI, and in SDKs, whose probe uses it. The
reference SDK, the control, has those of the official SDK of its language; what it has alone, as no official SDK with it could
be obtained, is in a separate column. Modules in C, generated from the ABI, need no SDK: on the hosts named, which are default
ones, it was measured with them which hooks are required there.
"""
_TABLES: Final = f"""\
## What is on record

The cases `AREA/NAME@POINT` with each SDK version, on each default host that the documents say something about, as
[on record](../conformance/README.md#facts-on-record) of the release. Nothing on record is not tested here.

{SIGNS}.
"""


def points_page(catalogue: Catalogue, facts: Facts) -> str:
    """Returns the text of `docs/points.md`.

    Args:
        catalogue: hosts, SDKs, cases and known failures.
        facts: those on record.

    Raises:
        DataFileError: the ABI data or the measured hooks have a mistake.
    """
    hosts = {host.release: f"{host.release}{'*' if host.is_modified else ''}" for host in catalogue.hosts}
    found = point_fields(recorded_cells(catalogue, facts), Severities(catalogue))
    tables = point_tables(found, PointNames({}, hosts))
    lines = [_HEAD, *_who(catalogue, load_required_hooks()), "", _TABLES]
    for table in tables:
        lines += [f"### {table.title}", "", *_table(table, catalogue), ""]
    if any("*" in column.host_label for table in tables for column in table.columns):
        lines += ["\\* a modified build, not the Envoy project's binary.", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def recorded_cells(catalogue: Catalogue, facts: Facts) -> tuple[CellEntry, ...]:
    """Returns the cells of all cases at extension points on the default hosts, as they are on record.

    Cells of which nothing is on record are not tested; they are not applicable where the SDK lacks the extension point.
    """
    cases = [case for case in catalogue.cases if case.declaration.points]
    hosts = [(host.release, host.version.minor) for host in catalogue.hosts if host.default]
    sdks = {str(sdk.id): sdk for sdk in catalogue.sdks}
    planned = plan_cells(cases, catalogue.sdks, hosts) if cases else ()
    return tuple(_recorded(one, sdks[one.id.sdk], catalogue, facts) for one in planned)


def _recorded(planned: PlannedCell, sdk: Sdk, catalogue: Catalogue, facts: Facts) -> CellEntry:
    its, point = planned.id, planned.id.point
    fact = facts.of(its.case, its.sdk, its.host)
    outcome = fact.behaviour.outcome if fact is not None else Outcome.NOT_TESTED
    detail = fact.behaviour.detail if fact is not None else _why_none(its)
    if point is not None and not _has(sdk, point):
        outcome, detail = Outcome.NOT_APPLICABLE, ""
    judgement, record = judge(planned, outcome, detail, catalogue.known_failures, ())
    return CellEntry(
        id=str(its),
        case=its.case,
        sdk=its.sdk,
        host=its.host,
        relation=planned.relation,
        relation_reason=planned.relation_reason,
        outcome=outcome,
        judgement=judgement,
        detail=detail,
        abi_verdict=fact.behaviour.abi if fact is not None else AbiVerdict.NOT_LOADED,
        duration_s=0.0,
        known_failure=record.id if record is not None else None,
        promises=planned.promises,
    )


def _why_none(cell: CellId) -> str:
    return NOTHING_ON_RECORD if chance_of(str(cell)) is None else BY_CHANCE


def _has(sdk: Sdk, point: ExtensionPoint) -> bool:
    return point in sdk.points and sdk.points[point] <= sdk.id.minor


def hosts_since() -> Mapping[ExtensionPoint, Minor]:
    """Returns the first minor of hosts with hooks of each extension point.

    Raises:
        DataFileError: the ABI data has a mistake.
    """
    since: dict[ExtensionPoint, Minor] = {}
    for name, abi in sorted(load_every_abi().items(), key=lambda one: Minor.parse(one[0]), reverse=True):
        for hook in abi.names(FunctionKind.HOOK):
            point = point_of(hook)
            if point is not None:
                since[point] = Minor.parse(name)
    return since


def _who(catalogue: Catalogue, measured: RequiredHooks) -> Iterator[str]:
    """Yields the table of the minors that bring each extension point."""
    since = hosts_since()
    cases = Counter(point_of_case(case.id) for case in catalogue.cases)
    languages = [language for language in Language if any(sdk.id.language is language for sdk in catalogue.sdks)]
    heads = [
        "extension point",
        "modules there",
        "hosts",
        *(LANGUAGE_NAMES[one.value] for one in languages),
        "reference SDK alone",
        "modules in C on",
        "cases",
    ]
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for point in ExtensionPoint:
        official = [_first(catalogue.sdks, language, Provider.OFFICIAL, point) for language in languages]
        alone = [
            f"{LANGUAGE_NAMES[language.value]} {_from(first)}"
            for language, of_official in zip(languages, official, strict=True)
            if of_official is None and (first := _first(catalogue.sdks, language, Provider.REFERENCE, point)) is not None
        ]
        on = [host.release for host in catalogue.hosts if host.default and measured.facts(host.release, point) is not None]
        row = [f"`{point.value}`", point.plural, _from(since.get(point)), *map(_from, official), ", ".join(alone) or "-"]
        row += [", ".join(on) or "-", str(cases[point.value] or "none")]
        yield f"| {' | '.join(row)} |"


def _first(sdks: Iterable[Sdk], language: Language, provider: Provider, point: ExtensionPoint) -> Minor | None:
    """Returns the first minor at which SDKs of a language and provider can be used at an extension point; None: no SDK can."""
    its = (sdk.id.minor for sdk in sdks if sdk.id.language is language and sdk.id.provider is provider and _has(sdk, point))
    return min(its, default=None)


def _from(minor: Minor | None) -> str:
    return "-" if minor is None else f"from {minor} on"


def _table(table: PointTable, catalogue: Catalogue) -> Iterator[str]:
    """Yields the table of one language and provider, with the release that brings an extension point where it is missing."""
    points = {str(sdk.id): sdk.points for sdk in catalogue.sdks}
    heads = ["extension point", *(f"{one.version} on {one.host_label}" for one in table.columns)]
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in table.rows:
        point = ExtensionPoint(row.point)
        shown = [_field(one, points[column.sdk].get(point)) for one, column in zip(row.fields, table.columns, strict=True)]
        yield f"| `{row.point}` | {' | '.join(shown)} |"


def _field(one: PointField | None, since: Minor | None) -> str:
    if one is None:
        return ""
    return _from(since) if one.state is FieldState.ASKS_NOTHING and since is not None else one.short

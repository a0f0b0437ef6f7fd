"""The answer: whether the supported window passes, for each language and each of its SDK versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.grid import LANGUAGE_NAMES, Grid, SdkColumns, grid
from dmconform.report.schema import CellEntry, Report

PROVIDER_NAMES = {"official": "official SDK", "reference": "reference SDK"}


@dataclass(frozen=True)
class Standing:
    """The result of the supported window of some cells. `style` is one of the looks of cells; no two differ by it alone."""

    glyph: str
    word: str
    style: str
    note: str = ""  # the numbers behind the word
    brief: str = ""  # the one of them that matters


@dataclass(frozen=True)
class SdkAnswer:
    """One SDK version: its window, and the results of all of its cells. The last four make up `planned`."""

    id: str
    minor: str
    provider: str
    standing: Standing
    planned: int
    ran: int
    errors: int
    not_tested: int
    not_applicable: int


@dataclass(frozen=True)
class ProviderAnswer:
    """The SDK versions of one provider, oldest first."""

    title: str
    sdks: tuple[SdkAnswer, ...]


@dataclass(frozen=True)
class LanguageAnswer:
    """One language."""

    name: str
    language: str
    standing: Standing
    providers: tuple[ProviderAnswer, ...]


def page_grid(report: Report) -> Grid:
    """Returns the matrix of `report`, the official SDKs first, as they are what users have."""
    layout = grid(report)
    groups = sorted(layout.groups, key=lambda group: (group.language, group.provider != "official", group.provider))
    return replace(layout, groups=tuple(groups))


def answers(report: Report) -> tuple[LanguageAnswer, ...]:
    """Returns every language of the report's cells."""
    layout = page_grid(report)
    whole = report.complete and report.planned_cells <= len(report.cells)
    by_sdk: dict[str, list[CellEntry]] = {}
    for cell in report.cells:
        by_sdk.setdefault(cell.sdk, []).append(cell)
    found = []
    for language in dict.fromkeys(group.language for group in layout.groups):
        groups = [group for group in layout.groups if group.language == language]
        its = [cell for group in groups for sdk in group.sdks for cell in by_sdk[sdk.sdk]]
        providers = tuple(
            ProviderAnswer(
                PROVIDER_NAMES.get(group.provider, group.provider),
                tuple(_sdk(sdk, group.provider, by_sdk[sdk.sdk], whole=whole) for sdk in group.sdks),
            )
            for group in groups
        )
        found.append(LanguageAnswer(LANGUAGE_NAMES.get(language, language), language, standing(its, whole=whole), providers))
    return tuple(found)


def standing(cells: Sequence[CellEntry], *, whole: bool = True) -> Standing:
    """Returns the result of the supported window: never better than the worst of `cells`, or than a run that is not `whole`."""
    promised = [cell for cell in cells if cell.relation is Relation.SUPPORTED]
    judged = Counter(cell.judgement for cell in promised)
    ran = sum(cell.outcome.is_verdict for cell in promised)
    against = sum(judged[one] for one in Judgement if one.is_red)
    if against:
        return Standing("✗", "FAIL", "bad", f"{against} of {ran} fail", f"{against} of {ran}")
    stuck = judged[Judgement.ERROR]
    if stuck or (promised and not whole):
        brief = f"{stuck} error" if stuck else f"{judged[Judgement.PASS]}/{ran} so far"
        note = f"{stuck} could not run" if stuck else f"the run is incomplete, {brief}"
        return Standing("■", "INCOMPLETE", "incomplete", note, brief)
    not_tested = sum(cell.outcome is Outcome.NOT_TESTED for cell in promised)
    lacking = f", {not_tested} not tested" if not_tested else ""
    if known := judged[Judgement.XFAIL]:
        note = f"{judged[Judgement.PASS]}/{ran}, {known} xfail{lacking}"
        return Standing("✓", "pass", "known", note, f"{known} xfail")
    if judged[Judgement.PASS]:
        return Standing("✓", "pass", "good", f"{ran}/{ran}{lacking}", f"{ran}/{ran}")
    if promised:
        return Standing("○", "not run", "not-run", "not tested" if not_tested else "not applicable")
    return Standing("·", "unsupported", "none")


def _sdk(sdk: SdkColumns, provider: str, cells: Sequence[CellEntry], *, whole: bool) -> SdkAnswer:
    outcomes = Counter(cell.outcome for cell in cells)
    return SdkAnswer(
        id=sdk.sdk,
        minor=sdk.minor,
        provider=provider,
        standing=standing(cells, whole=whole),
        planned=len(cells),
        ran=sum(cell.outcome.is_verdict for cell in cells),
        errors=outcomes[Outcome.ERROR],
        not_tested=outcomes[Outcome.NOT_TESTED],
        not_applicable=outcomes[Outcome.NOT_APPLICABLE],
    )

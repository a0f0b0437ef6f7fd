"""What a reader of the answer has to know besides: ABI breaks of the promise, gaps, and ways that nothing is promised of."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dmconform.core.text import counted
from dmconform.core.values import Relation, Severity
from dmconform.report.answers.evidence import severity_words
from dmconform.report.answers.fields import Field
from dmconform.report.schema import Report


class NoticeKind(enum.Enum):
    """What a notice is about; the value is the part of the page that has more."""

    ABI_BREAKS = "abi"
    WITHOUT_CASES = "coverage"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class Notice:
    """One line beside the answer."""

    kind: NoticeKind
    text: str


def notices(report: Report, table: tuple[Field, ...]) -> tuple[Notice, ...]:
    """Returns the notices of a report; `table` are its fields."""
    return tuple(_notices(report, table))


def _notices(report: Report, table: tuple[Field, ...]) -> Iterator[Notice]:
    breaks = Counter(f"{one.sdk_minor} → {one.host_minor}" for one in report.abi_findings)
    if breaks:
        pairs = ", ".join(f"{pair}: {count}" if len(breaks) > 1 else pair for pair, count in breaks.items())
        text = f"{counted(sum(breaks.values()), 'ABI change')} between supported releases breaks built modules ({pairs})"
        yield Notice(NoticeKind.ABI_BREAKS, text if sum(breaks.values()) == 1 else text.replace(" breaks ", " break ", 1))
    if report.suite is not None and report.suite.points_without_cases:
        without, known = report.suite.points_without_cases, report.suite.points_with_cases
        have, them = ("has", "it") if len(without) == 1 else ("have", "them")
        of_all = f"{len(without)} of {len(without) + len(known)} extension points"
        text = f"{of_all} {have} no case: nothing here is about {them}"
        yield Notice(NoticeKind.WITHOUT_CASES, text)
    others = [field for field in table if field.relation is not Relation.SUPPORTED and (field.others or field.others_passed)]
    if others:
        failing = [field for field in others if field.others]
        worst = Counter[Severity]()
        for field in failing:
            worst.update(field.others)
        text = f"{counted(len(others), 'pair')} of SDK and host that nothing is promised of {_were(len(others))} tried"
        result = f"; {len(failing)} fail: {severity_words(worst)}" if failing else "; all pass"
        yield Notice(NoticeKind.UNSUPPORTED, text + result)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"

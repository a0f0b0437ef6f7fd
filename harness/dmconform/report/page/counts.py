"""The figures of the first screen. Each names what it counts, so that no two differ under one word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dmconform.core.text import counted
from dmconform.core.values import Judgement, Severity
from dmconform.report.answers.evidence import Evidence, severity_words
from dmconform.report.summary import Summary


@dataclass(frozen=True)
class Shown:
    """A figure: its name in the tests, the number, what it counts, and how it should strike the eye."""

    name: str
    number: str
    text: str
    is_loud: bool = False
    is_open: bool = False  # something is not known


def figures(summary: Summary) -> tuple[Shown, ...]:
    """Returns the figures of a run: the promise with the official SDKs first, then all ends of Envoy, then the control."""
    return tuple(_figures(summary))


def _figures(summary: Summary) -> Iterator[Shown]:
    official, control = summary.official, summary.control
    changed = summary.by_judgement[Judgement.CHANGED]
    if changed:
        yield Shown("changed", str(changed), "changed facts, of all cells: not as on record of the release", is_loud=True)
    yield _tested(summary)
    yield Shown("new", str(official.new_failures), _by_severity("new failures", official.failed), official.new_failures > 0)
    yield Shown("known", str(official.known_failures), _by_severity("known failures", official.known))
    if official.against:
        yield Shown("against", str(official.against), "not as recorded, or not as static analysis says", is_loud=True)
    if official.errors:
        yield Shown("errors", str(official.errors), "promised, and could not run", is_open=True)
    if summary.missing:
        yield Shown("missing", str(summary.missing), "of all cells planned and never begun", is_open=True)
    if summary.crashes:
        parts = (
            (_ends(official), "promised of the official SDKs"),
            (_ends(control), "of the control"),
            (summary.crashes - _ends(official) - _ends(control), "not promised"),
        )
        words = ", ".join(f"{count} {what}" for count, what in parts if count)
        yield Shown("crashes", str(summary.crashes), f"times Envoy ended, in all cells: {words}", is_loud=True)
    else:
        yield Shown("crashes", "0", "times Envoy ended, in all cells")
    if control.cells:
        more = [
            f"{control.known_failures} known failures" if control.known_failures else "",
            f"{control.new_failures} new failures" if control.new_failures else "",
            f"{control.cells - control.ran} without an answer" if control.cells > control.ran else "",
        ]
        text = f"of {control.cells} cells of the control, the reference SDK, pass"
        yield Shown("control", str(control.passed), "; ".join([text, *filter(None, more)]), control.new_failures > 0)


def _tested(summary: Summary) -> Shown:
    """Returns how much of the promise was tested: of a run that did not come to its end, that is not known."""
    official = summary.official
    if not official.cells:
        return Shown("tested", "-", "of the promise tested: no official SDK was run", is_open=True)
    if summary.missing:
        text = f"of the promise tested: {counted(official.ran, 'cell')} of the official SDKs so far, of an unknown number"
        return Shown("tested", "?", text, is_open=True)
    text = f"of the promise tested: {official.ran} of {counted(official.cells, 'cell')} of the official SDKs"
    return Shown("tested", f"{official.tested_percent} %", text, is_open=not official.is_whole)


def _ends(shown: Evidence) -> int:
    return shown.failed.get(Severity.ENDS, 0) + shown.known.get(Severity.ENDS, 0)


def _by_severity(name: str, counts: Mapping[Severity, int]) -> str:
    words = severity_words(counts)
    return f"{name}: {words}" if words else name


def control_words(control: Evidence) -> str:
    """Returns what the reference SDK shows, in a few words."""
    if not control.cells:
        return "of which nothing is promised here"
    known = f", known failures: {severity_words(control.known)}" if control.known else ""
    failed = f", new failures: {severity_words(control.failed)}" if control.failed else ""
    return f"{control.passed} of {counted(control.cells, 'promised cell')} pass{failed}{known}"

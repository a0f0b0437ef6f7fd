"""Renders a `Diff` as text for a terminal, as Markdown, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from dmconform.abi_diff import words
from dmconform.abi_diff.changes import AbiBreaks, AbiChange, Diff, Drift, Impact, StringVerdict
from dmconform.abi_diff.drift import headline
from dmconform.core.values import Relation

_STYLES = {Impact.BUILT: "bold red", Impact.UNKNOWN: "yellow", Impact.REBUILD: "cyan", Impact.HARMLESS: "green"}
_SUMMARISED = (Impact.UNKNOWN, Impact.HARMLESS)  # too many to read, and none that requires an action


@dataclass(frozen=True)
class Line:
    """A line for a terminal, and how it is drawn there (a style of rich)."""

    text: str
    style: str = ""


def text_lines(diff: Diff, *, everything: bool = False) -> Iterator[Line]:
    """Renders the diff as text.

    Without `everything`, changes that are harmless or cannot be judged are only counted by extension point.
    """
    yield Line(f"{words.side(diff.old)} → {words.side(diff.new)}", "bold")
    yield Line("A module built against the first, loaded by the second:")
    yield Line("")
    for impact, number, kinds in words.counts(diff):
        yield Line(f"{number:5}  {impact.value}{f' ({kinds})' if kinds else ''}", _STYLES[impact] if number else "dim")
    yield Line("")
    yield Line(words.comparison(diff.compared))
    for note in diff.notes:
        yield Line(f"Note: {note}.")
    for impact in Impact:
        changes = diff.of(impact)
        if not changes:
            continue
        yield Line("")
        yield Line(impact.value.capitalize(), _STYLES[impact])
        if impact in _SUMMARISED and not everything:
            for heading, members in words.grouped(changes):
                yield Line(f"  {heading}: {words.kinds(members)}")
        else:
            yield from _in_full(changes)
    if not everything and diff.of(*_SUMMARISED):
        yield Line("")
        yield Line("--all shows each of them.", "dim")


def _in_full(changes: tuple[AbiChange, ...]) -> Iterator[Line]:
    for heading, members in words.grouped(changes):
        yield Line(f"  {heading}", "bold")
        for bundle in words.bundled(members):
            yield from _bundle(bundle, "    ")


def _bundle(bundle: words.GroupedChanges, indent: str) -> Iterator[Line]:
    """Puts one subject on the line of its kind; several go below, a line each."""
    single = len(bundle.subjects) == 1
    yield Line(f"{indent}{bundle.kind.value}{f': {bundle.subjects[0]}' if single else f' ({len(bundle.subjects)})'}")
    for reported in bundle.lines:
        yield Line(f"{indent}  {reported}")
    if not single:
        for subject in bundle.subjects:
            yield Line(f"{indent}  · {subject}")


def markdown(diff: Diff, *, everything: bool = False) -> str:
    """Renders the diff as Markdown, with headings from the second level on."""
    return "\n".join(_markdown(diff, everything)) + "\n"


def _markdown(diff: Diff, everything: bool) -> Iterator[str]:
    yield f"## {words.side(diff.old)} → {words.side(diff.new)}"
    yield ""
    yield "| a module built against the first, loaded by the second | changes | of which kinds |"
    yield "|---|---:|---|"
    for impact, number, kinds in words.counts(diff):
        yield f"| {impact.value} | {number} | {kinds} |"
    yield ""
    yield words.comparison(diff.compared)
    for note in diff.notes:
        yield ""
        yield f"Note: {note}."
    for impact in Impact:
        changes = diff.of(impact)
        if not changes:
            continue
        yield ""
        yield f"### {impact.value.capitalize()}"
        yield ""
        for heading, members in words.grouped(changes):
            if impact in _SUMMARISED and not everything:
                yield f"- {heading}: {words.kinds(members)}"
                continue
            yield f"- **{heading}**"
            for bundle in words.bundled(members):
                yield from _bundle_markdown(bundle, "  ")


def _bundle_markdown(bundle: words.GroupedChanges, indent: str) -> Iterator[str]:
    yield f"{indent}- {bundle.kind.value}: {', '.join(f'`{subject}`' for subject in bundle.subjects)}"
    for reported in bundle.lines:
        yield f"{indent}  - {reported}"


def as_json(value: msgspec.Struct) -> str:
    """Renders any of the values of `model.py` as JSON."""
    return msgspec.json.format(msgspec.json.encode(value)).decode() + "\n"


def show(lines: Iterator[Line]) -> None:
    """Prints lines to standard output, with colours on a terminal only."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text(line.text, style=line.style))


def drift_lines(found: Drift, *, everything: bool = False) -> Iterator[Line]:
    """Renders a drift as text: the finding, then the diff."""
    style = "bold red" if found.verdict is StringVerdict.STAYED and found.breaking else "bold"
    for sentence in headline(found):
        yield Line(sentence, style)
        style = ""
    yield Line("")
    yield from text_lines(found.diff, everything=everything)


def drift_markdown(found: Drift, *, everything: bool = False) -> str:
    """Renders a drift as Markdown."""
    return "\n\n".join([*headline(found), markdown(found.diff, everything=everything)])


def findings_lines(found: AbiBreaks) -> Iterator[Line]:
    """Renders findings as text: a line for each pair, then its findings."""
    for pair in found.pairs:
        yield Line(words.pair(pair), "bold red" if pair.built and pair.relation is Relation.SUPPORTED else "bold")
        yield Line(f"  {words.of_pair(pair)}")
        for bundle in words.bundled(words.findings_of(found, pair)):
            yield from _bundle(bundle, "  ")
    yield Line("")
    yield Line(words.findings_summary(found), "bold red" if found.broken else "bold green")


def findings_markdown(found: AbiBreaks) -> str:
    """Renders findings as Markdown."""
    return "\n".join(_findings_markdown(found)) + "\n"


def _findings_markdown(found: AbiBreaks) -> Iterator[str]:
    yield words.findings_summary(found)
    for pair in found.pairs:
        yield ""
        yield f"### {words.pair(pair)}"
        yield ""
        yield words.of_pair(pair)
        findings = words.findings_of(found, pair)
        if findings:
            yield ""
        for bundle in words.bundled(findings):
            yield from _bundle_markdown(bundle, "")

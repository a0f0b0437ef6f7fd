"""Renders a `Diff` as text for a terminal, as Markdown, or as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import msgspec

from dmconform.abi.policy_rule import PolicyRule
from dmconform.abi_diff import words
from dmconform.abi_diff.changes import AbiBreaks, AbiChange, Diff, Drift, Impact, RuleStatus, RuleVerdict, StringVerdict
from dmconform.abi_diff.drift import headline
from dmconform.core.values import Relation

_STYLES = {Impact.BUILT: "bold red", Impact.UNKNOWN: "yellow", Impact.REBUILD: "cyan", Impact.HARMLESS: "green"}
_RULE_MARKS = {RuleStatus.HELD: "✓", RuleStatus.BROKEN: "✗", RuleStatus.UNKNOWN: "?"}
_RULE_STYLES = {RuleStatus.HELD: "green", RuleStatus.BROKEN: "bold red", RuleStatus.UNKNOWN: "yellow"}
_SUMMARISED = (Impact.UNKNOWN, Impact.HARMLESS)  # too many to read, and none that requires an action


@dataclass(frozen=True)
class Line:
    """A line for a terminal, and how it is drawn there (a style of rich)."""

    text: str
    style: str = ""


def text_lines(diff: Diff, *, everything: bool = False, allowed: Collection[PolicyRule] = ()) -> Iterator[Line]:
    """Renders the diff as text.

    Without `everything`, changes that are harmless or cannot be judged are only counted by extension point. `allowed` are the
    rules that may be broken.
    """
    yield Line(f"{words.side(diff.old)} → {words.side(diff.new)}", "bold")
    yield Line("A module built against the first, loaded by the second:")
    yield Line("")
    for impact, number, kinds in words.counts(diff):
        yield Line(f"{number:5}  {impact.value}{f' ({kinds})' if kinds else ''}", _STYLES[impact] if number else "dim")
    yield Line("")
    yield Line(words.policy_heading(diff.binds, diff.new.label))
    yield from _rules(diff.policy, "  ", everything=everything)
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
    yield Line("")
    yield answer_line(diff, allowed)


def _rules(verdicts: tuple[RuleVerdict, ...], indent: str, *, everything: bool = False) -> Iterator[Line]:
    """Puts a rule on a line."""
    for one in verdicts:
        text = f"{indent}{_RULE_MARKS[one.status]} {one.rule.value:14}  {words.verdict(one, everything=everything)}"
        yield Line(text, _RULE_STYLES[one.status])


def _rules_markdown(verdicts: tuple[RuleVerdict, ...], *, everything: bool = False) -> Iterator[str]:
    yield "| rule | |"
    yield "|---|---|"
    for one in verdicts:
        yield f"| `{one.rule.value}` | {_RULE_MARKS[one.status]} {words.verdict(one, everything=everything)} |"


def answer_line(diff: Diff, allowed: Collection[PolicyRule] = ()) -> Line:
    """Returns the line that ends a diff: whether something must not be that is not allowed."""
    offending = len(diff.offending(allowed))
    text = words.answer(diff.policy, len(diff.offending()), offending, allowed)
    return Line(text, "bold red" if offending else "bold yellow" if text.startswith("?") else "bold green")


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


def markdown(diff: Diff, *, everything: bool = False, allowed: Collection[PolicyRule] = ()) -> str:
    """Renders the diff as Markdown, with headings from the second level on."""
    return "\n".join(_markdown(diff, everything, allowed)) + "\n"


def _markdown(diff: Diff, everything: bool, allowed: Collection[PolicyRule]) -> Iterator[str]:
    yield f"## {words.side(diff.old)} → {words.side(diff.new)}"
    yield ""
    yield answer_line(diff, allowed).text
    yield ""
    yield "| a module built against the first, loaded by the second | changes | of which kinds |"
    yield "|---|---:|---|"
    for impact, number, kinds in words.counts(diff):
        yield f"| {impact.value} | {number} | {kinds} |"
    yield ""
    yield words.policy_heading(diff.binds, diff.new.label)
    yield ""
    yield from _rules_markdown(diff.policy, everything=everything)
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


def drift_lines(found: Drift, *, everything: bool = False, allowed: Collection[PolicyRule] = ()) -> Iterator[Line]:
    """Renders a drift as text: the finding, then the diff."""
    style = "bold red" if found.verdict is StringVerdict.STAYED and found.breaking else "bold"
    for sentence in headline(found):
        yield Line(sentence, style)
        style = ""
    yield Line("")
    yield from text_lines(found.diff, everything=everything, allowed=allowed)


def drift_markdown(found: Drift, *, everything: bool = False, allowed: Collection[PolicyRule] = ()) -> str:
    """Renders a drift as Markdown."""
    return "\n\n".join([*headline(found), markdown(found.diff, everything=everything, allowed=allowed)])


def findings_lines(found: AbiBreaks, allowed: Collection[PolicyRule] = ()) -> Iterator[Line]:
    """Renders findings as text: a line for each pair, then its findings; `allowed` are the rules that may be broken."""
    for pair in found.pairs:
        yield Line(words.pair(pair), "bold red" if pair.built and pair.relation is Relation.SUPPORTED else "bold")
        yield Line(f"  {words.of_pair(pair)}")
        yield Line(f"  {words.policy_heading(pair.binds, pair.host_minor)}")
        yield from _rules(pair.policy, "    ")
        for bundle in words.bundled(words.findings_of(found, pair)):
            yield from _bundle(bundle, "  ")
    yield Line("")
    yield Line(words.findings_summary(found, allowed), "bold red" if found.offending(allowed) else "bold green")


def findings_markdown(found: AbiBreaks, allowed: Collection[PolicyRule] = ()) -> str:
    """Renders findings as Markdown; `allowed` are the rules that may be broken."""
    return "\n".join(_findings_markdown(found, allowed)) + "\n"


def _findings_markdown(found: AbiBreaks, allowed: Collection[PolicyRule]) -> Iterator[str]:
    yield words.findings_summary(found, allowed)
    for pair in found.pairs:
        yield ""
        yield f"### {words.pair(pair)}"
        yield ""
        yield words.of_pair(pair)
        yield ""
        yield words.policy_heading(pair.binds, pair.host_minor)
        yield ""
        yield from _rules_markdown(pair.policy)
        findings = words.findings_of(found, pair)
        if findings:
            yield ""
        for bundle in words.bundled(findings):
            yield from _bundle_markdown(bundle, "")

"""What `abi diff`, `drift` and `findings` share: `--allow`, `--format`, and the annotations for GitHub."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from dmconform.abi.policy_rule import PolicyRule

if TYPE_CHECKING:
    from dmconform.abi_diff.changes import AbiBreak, AbiChange, Diff, RuleVerdict
    from dmconform.abi_diff.places import HeaderPlaces
    from dmconform.report.github import Annotation


def add_form(parser: argparse.ArgumentParser) -> None:
    """Adds `--format`, for `output.print_result`."""
    parser.add_argument(
        "--format",
        choices=("text", "markdown", "json", "github"),
        default="text",
        metavar="FORM",
        help="text (default), markdown, json, or github: annotations beside the lines of the newer header, and the Markdown in "
        "the summary of the job",
    )


def add_allow(parser: argparse.ArgumentParser) -> None:
    """Adds `--allow`."""
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        choices=[rule.value for rule in PolicyRule],
        metavar="RULE",
        help="a rule of the compatibility policy that may be broken: "
        f"{', '.join(rule.value for rule in PolicyRule)}; may be repeated. What breaks several rules needs each",
    )


def allowed_rules(arguments: argparse.Namespace) -> tuple[PolicyRule, ...]:
    """Returns the rules that `--allow` names."""
    return tuple(PolicyRule(one) for one in arguments.allow)


def diff_annotations(diff: Diff, allowed: Collection[PolicyRule], places: HeaderPlaces) -> Iterator[Annotation]:
    """Yields what must not be, beside its line of the newer header; then what could not be judged, then the answer.

    Args:
        diff: the comparison.
        allowed: the rules that may be broken.
        places: where the newer header has its declarations.
    """
    from dmconform.abi_diff.render import answer_line
    from dmconform.report.github import Annotation, AnnotationLevel

    for change in diff.offending(allowed):
        yield Annotation(AnnotationLevel.ERROR, _title(change), _text(change), places.file, places.line(change.subject))
    yield from _unknown(diff.policy)
    answer = answer_line(diff, allowed).text
    level = {"✗": AnnotationLevel.ERROR, "?": AnnotationLevel.WARNING}.get(answer[0], AnnotationLevel.NOTICE)
    yield Annotation(level, "dmconform abi", answer)


def break_annotation(one: AbiBreak) -> Annotation:
    """Returns what a finding about a pair of minors is to GitHub."""
    from dmconform.report.github import Annotation, AnnotationLevel

    return Annotation(AnnotationLevel.ERROR, f"{one.sdk_minor} on {one.host_minor}: {_title(one)}", _text(one))


def _unknown(policy: Collection[RuleVerdict]) -> Iterator[Annotation]:
    from dmconform.abi_diff.words import verdict
    from dmconform.report.github import Annotation, AnnotationLevel

    for one in policy:
        if one.unknown:
            yield Annotation(AnnotationLevel.WARNING, f"rule {one.rule.value}", verdict(one, everything=True))


def _title(one: AbiChange | AbiBreak) -> str:
    rules = ", ".join(rule.value for rule in one.rules)
    return f"{one.kind.value}{f' (breaks {rules})' if rules else ''}"


def _text(one: AbiChange | AbiBreak) -> str:
    from dmconform.abi_diff.words import users

    how = one.how.value if one.how is not None else ""
    return "\n".join(filter(None, [one.subject, one.detail, how, f"used by: {users(one)}"]))

"""`dmconform gate`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_result_format, extension_point, report_file
from dmconform.core import paths
from dmconform.core.errors import UsageError

if TYPE_CHECKING:
    from dmconform.report.answers.policy import Policy
    from dmconform.report.answers.verdict import GateVerdict


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=report_file, metavar="FILE", help="folder of a run, or its report.json; for a module the JSON of check"
    )
    parser.add_argument("--policy", required=True, metavar="NAME", help="sdk-release, host-release, module-release or a file")
    parser.add_argument("--sdk", metavar="SPEC", help="the SDK to be released, such as rust@1.39 or go@1.40:official")
    parser.add_argument("--host", metavar="ID", help="the Envoy to be released, as the report names it, such as 1.40.0")
    parser.add_argument(
        "--built-with",
        metavar="MINOR",
        help="the SDK of the module (default: what check found; needed only where that is nothing)",
    )
    parser.add_argument(
        "--extension-point",
        type=extension_point,
        metavar="POINT",
        help="only the cells at this extension point, such as access_logger (default: all cells)",
    )
    add_result_format(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.output import print_result
    from dmconform.core.terminal import result_console
    from dmconform.release.gate.show import annotations_of_verdict, print_verdict, render_verdict
    from dmconform.report.answers.policy import find_policy, load_policy

    path = find_policy(arguments.policy)
    policy = load_policy(path)
    _refuse_other_options(policy, arguments)
    verdict = _judge(policy, path.stem, arguments)
    print_result(
        arguments.format,
        verdict,
        lambda: print_verdict(verdict, result_console()),
        lambda: render_verdict(verdict),
        lambda: annotations_of_verdict(verdict),
    )
    return verdict.answer.exit_code


def _refuse_other_options(policy: Policy, arguments: argparse.Namespace) -> None:
    """Refuses options that have no effect with the policy, and asks for the one that it needs."""
    from dmconform.report.answers.policy import Subject

    wanted = {Subject.SDK: "sdk", Subject.HOST: "host", Subject.MODULE: "built_with"}[policy.subject]
    for name in ("sdk", "host", "built_with"):
        option, value = f"--{name.replace('_', '-')}", getattr(arguments, name)
        if name != wanted and value is not None:
            raise UsageError(f"{option} {value}: this policy is about {policy.subject.value} releases and does not look at it")
        if name == wanted and value is None and policy.subject is not Subject.MODULE:
            raise UsageError(f"this policy is about {policy.subject.value} releases: say which with {option}")
    point = arguments.extension_point
    if policy.subject is Subject.MODULE and point is not None:
        raise UsageError(f"--extension-point {point.value}: this policy is about module releases and does not look at it")


def _judge(policy: Policy, name: str, arguments: argparse.Namespace) -> GateVerdict:
    from dmconform.matrix.environment import suite_commit
    from dmconform.release.gate.module import gate_module, read_check
    from dmconform.report.answers.judge import gate_report
    from dmconform.report.answers.policy import Subject
    from dmconform.report.reading import read_report
    from dmconform.spec.catalogue import load_catalogue

    if policy.subject is Subject.MODULE:
        return gate_module(read_check(arguments.file), policy, name, arguments.built_with, load_catalogue())
    subject = arguments.sdk or arguments.host
    return gate_report(read_report(arguments.file), policy, name, subject, suite_commit(), arguments.extension_point)


COMMAND = Command(
    name="gate",
    group=Group.RELEASE_MANAGERS,
    summary="Say whether something may be released: judge a report, or what check found, by a policy. Nothing is run.",
    examples=f"""
dmconform gate {paths.RUNS}/TIME --policy sdk-release --sdk rust@1.39
dmconform gate report.json --policy host-release --host 1.40.0 --format github
dmconform gate . --policy sdk-release --sdk rust@1.39 --extension-point tracer
dmconform check libmy_filter.so --json check.json
dmconform gate check.json --policy module-release
""",
    notes=f"""
Policies: {paths.named("conformance/policies/README.md")}. --policy also takes the path of a file of yours. Only
supported cells count. A cell that the policy asks for and that is an error, not tested, or not in the report prevents
the release unless the policy names it. So does a shard, and a run that did not end. A report is judged by what the
suite that made it asked; where that is another commit than this one, the verdict says so.
""",
    exit_codes={
        0: "it may be released: the policy is met",
        1: "it may not: a supported cell fails, a record does not apply, or static analysis and run-time observation "
        "contradict each other",
        2: "wrong usage, or a file with a mistake, such as a policy with a glob that matches nothing",
        3: "the policy asks for nothing: the documents promise nothing of the subject, nothing shows the SDK of a module, "
        "or the extension point is not applicable to it",
        4: "it cannot be decided: something is missing, an error or incomplete; or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)

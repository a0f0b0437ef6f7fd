"""`dmconform gate`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from dmconform.cli.report_options import add_result_format, print_result, report_file
from dmconform.core import paths
from dmconform.core.errors import UsageError

if TYPE_CHECKING:
    from dmconform.release.gate.policy import Policy
    from dmconform.release.gate.verdict import GateVerdict

_EPILOG = f"""\
examples:
  dmconform gate {paths.RUNS}/TIME/report.json --policy sdk-release --sdk rust@1.39
  dmconform gate report.json --policy host-release --host 1.40.0 --format github
  dmconform check libmy_filter.so --json check.json; dmconform gate check.json --policy module-release --built-with 1.39

policies: {paths.named("conformance/policies/README.md")}
--policy also takes the path of a file of your own. Only promised cells count. A cell that it asks for
and that is blocked, unreachable or not in the report is against the release unless the policy names it. So is a report of
another commit of this suite, a shard, and a run that did not end.

exit codes:
  0  it may be released
  1  it may not: a promise is broken, a record does not apply, or two verdicts disagree
  2  wrong usage, or a file with a mistake, such as a policy with a glob that matches nothing
  3  the policy asks for nothing: the documents promise nothing of the subject
  4  cannot be told: something is missing, blocked or incomplete
"""


def add_gate_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `gate` to the command line."""
    text = "Say whether something may be released: judge a report, or what check found, by a policy. Nothing is run."
    parser = commands.add_parser(
        "gate", help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_EPILOG
    )
    parser.add_argument(
        "file",
        type=report_file,
        metavar="FILE",
        help="folder of a run, or its report.json; for a module the JSON of check",
    )
    parser.add_argument("--policy", required=True, metavar="NAME", help="sdk-release, host-release, module-release or a file")
    parser.add_argument("--sdk", metavar="SPEC", help="the SDK to be released, such as rust@1.39 or go@1.40:official")
    parser.add_argument("--host", metavar="ID", help="the Envoy to be released, as the report names it, such as 1.40.0")
    parser.add_argument("--built-with", metavar="MINOR", help="the SDK of the module (default: what check could tell)")
    add_result_format(parser)
    parser.set_defaults(run=run_gate)


def run_gate(arguments: argparse.Namespace) -> int:
    """Judges a file by a policy."""
    from rich.console import Console

    from dmconform.release.gate.policy import find_policy, load_policy
    from dmconform.release.gate.show import annotations_of_verdict, print_verdict, render_verdict

    path = find_policy(arguments.policy)
    policy = load_policy(path)
    _refuse_other_options(policy, arguments)
    verdict = _judge(policy, path.stem, arguments)
    print_result(
        arguments.format,
        verdict,
        lambda: print_verdict(verdict, Console()),
        lambda: render_verdict(verdict),
        lambda: annotations_of_verdict(verdict),
    )
    return verdict.answer.exit_code


def _refuse_other_options(policy: Policy, arguments: argparse.Namespace) -> None:
    """An option that the policy does not look at would be a question that is not answered."""
    from dmconform.release.gate.policy import Subject

    wanted = {Subject.SDK: "sdk", Subject.HOST: "host", Subject.MODULE: "built_with"}[policy.subject]
    for name in ("sdk", "host", "built_with"):
        option, value = f"--{name.replace('_', '-')}", getattr(arguments, name)
        if name != wanted and value is not None:
            raise UsageError(f"{option} {value}: this policy is about {policy.subject.value} releases and does not look at it")
        if name == wanted and value is None and policy.subject is not Subject.MODULE:
            raise UsageError(f"this policy is about {policy.subject.value} releases: say which with {option}")


def _judge(policy: Policy, name: str, arguments: argparse.Namespace) -> GateVerdict:
    from dmconform.matrix.environment import suite_commit
    from dmconform.release.gate.judge import gate_report
    from dmconform.release.gate.module import gate_module, read_check
    from dmconform.release.gate.policy import Subject
    from dmconform.report.reading import read_report
    from dmconform.spec.catalogue import load_catalogue

    catalogue = load_catalogue()
    if policy.subject is Subject.MODULE:
        return gate_module(read_check(arguments.file), policy, name, arguments.built_with, catalogue)
    report = read_report(arguments.file)
    return gate_report(report, policy, name, arguments.sdk or arguments.host, catalogue, suite_commit())

"""The answer of a report for each official SDK version and each host: may it be released?"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from dmconform.core.errors import EmptySelection, UsageError
from dmconform.core.values import Provider
from dmconform.report.answers.judge import gate_report
from dmconform.report.answers.policy import FOLDER, Policy, load_policy
from dmconform.report.answers.verdict import GateAnswer, GateVerdict
from dmconform.report.schema import Report

SDK_POLICY, HOST_POLICY = "sdk-release", "host-release"


@dataclass(frozen=True)
class ReleaseAnswers:
    """The verdicts by this project's policies, in the order of the report. What nothing is promised of has none."""

    sdks: tuple[tuple[str, GateVerdict], ...]  # of each official SDK version, by its id
    hosts: tuple[tuple[str, GateVerdict], ...]  # by the id of the host


@functools.cache
def _policy(name: str) -> Policy:
    return load_policy(FOLDER / f"{name}.toml")


def answers(report: Report) -> ReleaseAnswers:
    """Returns what `dmconform gate` answers of a report, for all that it could be asked about."""
    official = [sdk.id for sdk in report.sdks if sdk.provider == Provider.OFFICIAL.value]
    return ReleaseAnswers(
        _verdicts(report, SDK_POLICY, official),
        _verdicts(report, HOST_POLICY, [host.id for host in report.hosts]),
    )


def answer_sentences(found: ReleaseAnswers) -> tuple[str, ...]:
    """Returns what may be released, what may not, and what stays open: a line for each answer that there is."""
    lines = []
    for answer in GateAnswer:
        sdks = [
            _named(name.removesuffix(f":{Provider.OFFICIAL.value}"), one) for name, one in found.sdks if one.answer is answer
        ]
        hosts = [_named(one.subject.removeprefix("Envoy "), one) for _, one in found.hosts if one.answer is answer]
        subjects = "; ".join(filter(None, [", ".join(sdks), f"Envoy {', '.join(hosts)}" if hosts else ""]))
        if subjects:
            lines.append(f"{answer.glyph} {answer.value}: {subjects}")
    return tuple(lines)


def _named(name: str, verdict: GateVerdict) -> str:
    return name + verdict.answer_words.removeprefix(verdict.answer.value)


def _verdicts(report: Report, policy: str, subjects: list[str]) -> tuple[tuple[str, GateVerdict], ...]:
    found = []
    for subject in subjects:
        try:
            found.append((subject, gate_report(report, _policy(policy), policy, subject)))
        except EmptySelection:  # nothing is promised of it
            continue
        except (UsageError, ValueError):  # of a suite that knows more than this one: its ids cannot be read
            continue
    return tuple(found)

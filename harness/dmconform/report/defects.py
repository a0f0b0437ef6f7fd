"""The page of defects, `docs/defects.md`: defect by release, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence

from dmconform.core.versions import Release
from dmconform.hosts.catalogue import release_label
from dmconform.spec.defects import Defect, ReportedAnswer, command_of
from dmconform.spec.issues import NOT_REPORTED, short_issue
from dmconform.spec.mutation_score import MutationScore

_HEAD = """\
# Defects by release

Generated from `conformance/defects`: `dmconform findings --defects --write`. A test compares this page with the data. These
are defects that people reported of modules on released Envoys, or that a method of this suite found: nothing promises that
they are not there. What the documents promise and hosts or SDKs do not do is in [findings.md](findings.md).

**has it**: seen on this release, each time that it was tried unless the text says otherwise; no: tried, and not seen;
nothing: not tried, or the release lacks what it takes.

**See it** is a command that shows a defect on a release that has it, the newest one as a rule. It fetches the Envoy, and builds
what it takes; official SDKs from the sources of their release (`--sdk-source` can name another place of these). An example is a
filter of a probe, or a configuration that needs nothing but an Envoy: its first lines say what to run.
"""


def defects_page(
    defects: Sequence[Defect], answers: Sequence[ReportedAnswer], releases: Sequence[str], score: MutationScore
) -> str:
    """Returns the text of `docs/defects.md`.

    Args:
        defects: all of them, those included that nothing here shows.
        answers: reports that ask for an answer.
        releases: those of the columns.
        score: how many mutant hosts the cases notice.
    """
    shown = sorted((one for one in defects if one.found_by), key=lambda one: (one.severity.rank, one.kind.value, one.id))
    unshown = sorted((one for one in defects if not one.found_by), key=lambda one: one.id)
    columns = sorted(releases, key=Release.parse)
    lines = [_HEAD, f"## Shown here ({len(shown)})", "", *_table(shown, columns), ""]
    lines += [f"## Reported, and not shown here ({len(unshown)})", "", "| report | right | why not |", "|---|---|---|"]
    lines += [f"| {_title(one)} ({_reported(one)}) | {_text(one.right)} | {_text(one.why or '')} |" for one in unshown]
    if answers:
        lines += ["", f"## Reports that ask for an answer ({len(answers)})", ""]
    lines += [f"- {_text(one.title)} ([report]({one.report})): {_link(one.answer)}" for one in answers]
    lines += ["", "## What the cases notice", "", *_noticed(score)]
    lines += ["", "## What is known of each", ""]
    for one in shown:
        lines += _section(one)
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(defects: Sequence[Defect], columns: Sequence[str]) -> list[str]:
    heads = ["defect", "severity", "kind", *map(release_label, columns)]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for one in defects:
        cells = ["**has it**" if each in one.releases else "no" if each in one.clean else "" for each in columns]
        lines.append(f"| [{_title(one)}](#{one.id}) | {one.severity.value} | {one.kind.value} | {' | '.join(cells)} |")
    return lines


def _noticed(score: MutationScore) -> list[str]:
    if not score.areas:
        return ["No complete run of the [mutant hosts](mutants.md) is on record: `./toxw -e mutants -- --write` makes one."]
    total, noticed = (sum(getattr(one, name) for one in score.areas) for name in ("total", "noticed"))
    lines = [
        f"Of {total} [mutant hosts](mutants.md) the cases notice {noticed}. Each is a real Envoy ({', '.join(score.hosts)}) "
        f"that a preloaded library makes misbehave in one way. ({score.trials} trials; `./toxw -e mutants`)",
        "",
        "| area | noticed | of |",
        "|---|---|---|",
    ]
    return [*lines, *(f"| {one.area} | {one.noticed} | {one.total} |" for one in score.areas)]


def _section(one: Defect) -> list[str]:
    points = ", ".join(f"`{point.value}`" for point in one.points) or "all"
    listed = "from a public report" if one.listed else "here first"
    module = [f"- **Module:** [{one.reproducer}.c](../sdks/cpp/reproducers/{one.reproducer}.c)"] if one.reproducer else []
    example = [f"- **Example:** [{one.example}](../{one.example})"] if one.example else []
    return [
        f'<a id="{one.id}"></a>',
        "",
        f"### {_title(one)}",
        "",
        f"`{one.id}`: {one.severity.value}; {one.kind.value}; extension points: {points}; fault: {one.fault.value}",
        "",
        f"- **Seen:** {_text(one.seen)}",
        f"- **Right:** {_text(one.right)}",
        f"- **Found by:** `{one.found_by}`; known {listed}",
        f"- **See it:** `{command_of(one)}`",
        f"- **Reported:** {_reported(one)}",
        *module,
        *example,
        "",
    ]


def _title(one: Defect) -> str:
    return _text(one.title).removesuffix(".")


def _reported(one: Defect) -> str:
    if one.report == NOT_REPORTED:
        return NOT_REPORTED
    name = "release notes" if "/version_history/" in one.report else short_issue(one.report)
    return f"[{name}]({one.report})"


def _link(answer: str) -> str:
    page = answer.partition("#")[0]
    return f"[{page}]({answer})"


def _text(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")

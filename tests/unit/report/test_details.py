"""All that a report has for a terminal."""

from __future__ import annotations

import io
import re

import msgspec
import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.details import print_details
from dmconform.report.inconsistencies import MEANINGS
from dmconform.report.schema import Report
from rich.console import Console

from tests.unit.report_samples import (
    ALL_KINDS,
    FINDING,
    INCONSISTENCIES,
    broken,
    cell,
    contradicted,
    hostile_report,
    matrix,
    report,
    sdk,
    static,
)


def printed(whole: Report, *, width: int = 120, terminal: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=terminal, color_system="truecolor" if terminal else None)
    print_details(whole, console)
    return stream.getvalue()


def row(output: str, sdk: str) -> str:
    """The two lines of an SDK, blanks made one."""
    lines = output.splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip().startswith(sdk))
    return " ".join(" ".join(lines[at : at + 2]).split())


def test_a_row_counts_and_names_the_abi_verdict() -> None:
    output = printed(matrix())
    assert row(output, "cpp@1.39:official") == (
        "cpp@1.39:official 17 rejected 17 rejected 17/17 pass ★ 16 pass 1 FAIL ★ 16 pass 1 FAIL "
        "ABI refused ABI refused deprecated matched deprecated"
    )
    assert "★ 16 pass 1 xfail" in row(output, "rust@1.38:official")
    assert "★ 17 not tested" in row(output, "go@1.40:official")


def test_a_static_verdict_is_reported_where_the_probe_is_not_expected_to_load() -> None:
    entries = [
        static("rust@1.39:reference", "1.38.3", StaticKind.UNRESOLVED, 7),
        static("rust@1.39:reference", "1.39.3"),
        static("rust@1.39:reference", "1.40.0", StaticKind.UNKNOWN),
    ]
    output = printed(report([cell(host=entry.host) for entry in entries], static=entries))
    assert "Third line: what the probe's file says" in output
    lines = output.splitlines()
    third = lines[next(number for number, line in enumerate(lines) if line.strip().startswith("rust@1.39")) + 2]
    assert third.split() == ["unresolved", "(7)", "unknown"]
    assert "Third line" not in printed(report([cell()], static=entries[1:2]))


def test_a_disagreement_comes_before_everything_else_that_is_listed() -> None:
    luck = cell(
        "load/luck", host="1.36.4", relation=Relation.UNSUPPORTED, judgement=Judgement.INFORMATIONAL, mismatch="they differ"
    )
    cells = [broken("a/bad"), luck, contradicted("load/hidden")]
    output = printed(report(cells, static=[static("rust@1.39:reference", "1.39.3", StaticKind.REFUSED, 2)]))
    start = output.index("≠ Static/run-time mismatch: 2 cells, 1 failing")
    assert start < output.index("New failures")
    assert output.index("1x rust@1.39:reference on 1.39.3", start) < output.index("1x rust@1.39:reference on 1.36.4", start)
    assert "first: load/hidden/rust@1.39:reference/1.39.3" in output
    assert "1 MISMATCH" in output
    assert "≠ refused (2)" in output
    assert "disagree" not in printed(report([cell()]))


def test_many_disagreements_are_bounded() -> None:
    output = printed(report([contradicted(host=f"1.39.{patch}") for patch in range(15)]))
    assert output.count("first: ") == 10
    assert "and 5 more pairs of SDK and host" in output


def test_findings_of_the_abi_are_counted_with_a_few_names() -> None:
    many = [msgspec.structs.replace(FINDING, subject=f"name_{number}") for number in range(8)]
    output = printed(report([cell()], abi_findings=many))
    assert "ABI changes that break modules already built: 8 (informational)" in output
    assert "1.38 → 1.39: 8: name_0, name_1, name_2, name_3, name_4, name_5 and 2 more" in output
    assert "ABI itself" not in printed(report([cell()]))


def test_it_fits_120_columns() -> None:
    table, _, _ = printed(matrix()).partition("Second line")
    assert max(len(line.rstrip()) for line in table.splitlines()[:-1]) <= 120


def test_hosts_that_do_not_fit_go_into_another_table() -> None:
    hosts = [f"1.39.{patch}" for patch in range(12)]
    output = printed(report([cell(host=host) for host in hosts]), width=80)
    heads = [line.split() for line in output.splitlines() if "SDK \\ host" in line]
    assert len(heads) > 1
    assert [name for line in heads for name in line if name.startswith("1.39")] == hosts


def test_new_failures_come_before_known_ones_each_with_its_command() -> None:
    output = printed(report(ALL_KINDS))
    new, old, unrun = (
        output.index(title) for title in ("New failures: 1 cell,", "Known failures: 1 cell,", "Did not run: 3 cells")
    )
    stale = output.index("Known failures that no longer apply (xpass): 1 cell,")
    assert new < stale < old < unrun
    assert "again: dmconform run --cell window/proxied_traffic/rust@1.39:reference/1.40.0" in output[new:old]
    assert "SIGABRT" in output[old:unrun]
    assert "1x ERROR: the build failed" in output[unrun:]
    assert "1x not tested: tag v1.40.0 cannot be fetched" in output[unrun:]
    assert "1x not applicable: Go never unloads" in output[unrun:]


def test_a_command_stays_on_one_line() -> None:
    entry = broken("area/" + "long_" * 30 + "name")
    assert f"again: {entry.reproduce}\n" in printed(report([entry]), width=80)


def test_it_counts_what_was_never_begun() -> None:
    assert "2 never begun" in printed(report([cell()], planned=3, complete=False, incomplete_reason="interrupted"))


def test_colours_only_on_a_terminal() -> None:
    assert "\x1b[" in printed(report(ALL_KINDS), terminal=True)
    assert "\x1b" not in printed(report(ALL_KINDS))


def test_hostile_text_is_only_text() -> None:
    output = printed(hostile_report())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", output)
    assert "[bold]rich[/bold]" in output
    on_terminal = printed(hostile_report(), terminal=True)
    assert not re.search(r"\x1b(?!\[[0-9;]*m)", on_terminal)  # rich's own colours and nothing else
    assert "rust@1.39:reference" in row(output, "rust@1.39:reference")
    assert "1 ERROR" in row(output, "rust@1.39:reference")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_poor_terminal_gets_escapes_instead_of_an_error(encoding: str) -> None:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding=encoding), width=120, color_system=None)
    print_details(report(ALL_KINDS), console)
    console.file.flush()
    assert b"1 FAIL" in raw.getvalue()


def test_each_kind_of_complaint_has_its_command() -> None:
    output = printed(report([cell()], inconsistencies=INCONSISTENCIES, exit_code=1))
    assert "Expectations to fix: 6 inconsistencies." in output
    for it in INCONSISTENCIES:
        assert f"  {it.kind.value} (1): {MEANINGS[it.kind]}" in output
        assert f"      fix: {it.fix}\n" in output
    assert "Expectations to fix" not in printed(report([cell()]))


def test_many_complaints_of_a_kind_are_bounded() -> None:
    output = printed(report([cell()], inconsistencies=INCONSISTENCIES[:1] * 8, exit_code=1))
    assert output.count("      fix: ") == 5
    assert "and 3 more of this kind" in output


COMMANDS = ["::error::made up", "  ::set-output name=a::b", "\n::add-mask::1", "made ##[error]up", "::stop-commands::x"]


@pytest.mark.parametrize("text", COMMANDS)
def test_no_text_is_a_command_to_a_ci_system(text: str) -> None:
    """GitHub takes commands from the log of any program: the newer form where a line begins, the older one anywhere."""
    problem = msgspec.structs.replace(sdk("rust@1.39:reference", problem=text), build_log="build-logs/a.log")
    blocked = cell("b/blocked", outcome=Outcome.ERROR, judgement=Judgement.ERROR, detail=text)
    whole = report([broken("a/bad", text), blocked], sdks=[problem], incomplete_reason=text, complete=False)
    output = printed(whole)
    assert re.split("::|##.error.", text)[-1].strip() in output
    assert "##[" not in output
    assert not [line for line in output.splitlines() if line.lstrip().startswith("::")]

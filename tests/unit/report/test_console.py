"""The answer of a report on a terminal: the same as the page's first screen, and never longer than a screen."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from dmconform.core.values import Judgement, Outcome, Relation, Severity
from dmconform.report.answer_lines import MOST_COLUMNS, MOST_LINES
from dmconform.report.console import print_answer
from dmconform.report.reading import read_report
from dmconform.report.schema import Report
from dmconform.spec.inconsistencies import InconsistencyKind
from rich.cells import cell_len
from rich.console import Console

from tests.checkout import ROOT
from tests.unit.report_samples import (
    ALL_KINDS,
    FINDING,
    HOSTILE,
    INCONSISTENCIES,
    KNOWN_FAILURE,
    broken,
    cell,
    contradicted,
    hostile_report,
    known,
    matrix,
    report,
    sdk,
    unreachable,
)

PUBLISHED = sorted((ROOT / "reports" / "published").glob("*/report.json.xz"))
OFFICIAL = "rust@1.39:official"


def printed(whole: Report, *, width: int = 80, terminal: bool = False, where: Path | None = None) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=terminal, color_system="truecolor" if terminal else None)
    print_answer(whole, console, where)
    return stream.getvalue()


def rows(output: str, width: int = 80) -> int:
    """How many rows a terminal of this width shows."""
    return sum(max(1, -(-cell_len(line) // width)) for line in output.splitlines())


def many_of_everything() -> Report:
    """More SDKs, hosts, causes, records and sources than fit, each with hostile text."""
    cells = [
        one
        for number in range(60)
        for one in (
            broken(f"a/c{number}", f"{number} {HOSTILE}", sdk=f"rust@1.{38 + number}:official", host=f"1.{39 + number}.0"),
            msgspec.structs.replace(known(f"a/k{number}", sdk=OFFICIAL), known_failure=f"record {number} {HOSTILE}"),
            unreachable(f"a/u{number}", sdk=f"go@1.{40 + number}:official", host="1.99.0"),
            cell(f"a/e{number}", outcome=Outcome.ERROR, judgement=Judgement.ERROR, detail=f"{number} {HOSTILE}"),
        )
    ]
    sdks = [
        msgspec.structs.replace(sdk(f"rust@1.{38 + number}:official"), source=f"{number} {HOSTILE}") for number in range(60)
    ]
    whole = report(cells, sdks=sdks, inconsistencies=INCONSISTENCIES * 20, abi_findings=[FINDING] * 50, complete=False)
    return msgspec.structs.replace(whole, incomplete_reason=HOSTILE * 20)


SAMPLES: dict[str, Callable[[], Report]] = {
    "every judgement": lambda: report(ALL_KINDS),
    "hostile": hostile_report,
    "the default matrix": matrix,
    "many cases": lambda: matrix(cases=60),
    "many hosts": lambda: matrix(hosts=[f"1.{minor}.{patch}" for minor in range(38, 44) for patch in range(4)]),
    "many of everything": many_of_everything,
    "nothing": lambda: report([]),
    **{path.parent.name: lambda path=path: read_report(path) for path in PUBLISHED},  # type: ignore[misc]
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("width", [80, 200])
def test_it_is_one_screen(name: str, width: int) -> None:
    whole = SAMPLES[name]()
    output = printed(whole, width=width, where=Path("reports/local/20261130T115805.123456Z/index.html"))
    assert (MOST_LINES, MOST_COLUMNS) == (40, 80)
    assert 3 <= rows(output, width) <= MOST_LINES
    commands = ("    ", "Every cause: ", "Report: ")  # these stay on one line, to be copied
    assert not [line for line in output.splitlines() if cell_len(line) > width and not line.startswith(commands)]


def test_a_field_shows_the_worst_and_what_was_not_tested_is_no_tick() -> None:
    lines = printed(matrix()).splitlines()
    assert lines[0].split() == ["SDK", "\\", "Envoy", "1.38.3", "1.39.3", "1.40.0"]
    table = {line[:11].strip(): line[11:] for line in lines[1:11]}
    assert re.split(r" {2,}", table["cpp@1.38"].strip()) == ["✓ 17", "✓ 17", "✓ 17"]
    assert re.split(r" {2,}", table["cpp@1.39"].strip()) == ["·", "✗ 1 wrong", "✗ 1 wrong"]
    assert re.split(r" {2,}", table["rust@1.38"].strip()) == ["! 1 ends"] * 3
    assert re.split(r" {2,}", table["rust@1.40"].strip()) == ["·", "·", "○ 0/17"]
    assert re.split(r" {2,}", table["control"].strip()) == ["! 1 ends"] * 3
    assert lines[11] == "✓ pass, ! known, ✗ new failures, ○ not tested, · not promised"


def test_the_control_is_beside_the_official_sdks_and_in_no_tick() -> None:
    output = printed(report([cell(), cell("a/b"), unreachable(sdk=OFFICIAL, host="1.39.3")]))
    assert "rust@1.39   ○ 0/1\n" in output
    assert "control     ✓ 2\n" in output
    assert re.search(r"^official SDKs +1 +0 +0 +0 +0 +1$", output, re.MULTILINE)
    assert re.search(r"^control +2 +2 +2 +0 +0 +0$", output, re.MULTILINE)
    assert output.splitlines()[-2:] == [
        "◐ Not tested: 1 of 1 supported cells of the official SDKs; 0 % of what is",
        "  promised was tested",
    ]


def test_crashes_count_whether_or_not_they_are_promised() -> None:
    crash = {"outcome": Outcome.CRASH, "judgement": Judgement.INFORMATIONAL, "relation": Relation.UNSUPPORTED}
    cells = [known(sdk=OFFICIAL), known("a/b"), cell("a/c", sdk=OFFICIAL, **crash), cell("a/d", **crash)]  # type: ignore[arg-type]
    assert "4 crashes of Envoy in 4 cells: 1 official, 1 control, 2 not promised\n" in printed(report(cells))
    assert "No crash of Envoy in 1 cell\n" in printed(report([cell()]))


def test_what_may_be_released_is_the_answer_of_the_gate() -> None:
    output = printed(matrix())
    assert "✗ may not be released: cpp@1.39, rust@1.38; Envoy 1.39.3, 1.40.0\n" in output
    assert "✓ may be released: cpp@1.38, go@1.38, go@1.39, rust@1.39; Envoy 1.38.3\n" in output


def test_new_failures_come_first_the_worst_of_them_at_their_head_each_with_its_command() -> None:
    crash = msgspec.structs.replace(broken("a/crash", "SIGSEGV", sdk=OFFICIAL), outcome=Outcome.CRASH)
    same = [broken(f"a/same_{number}", "the loader says no", sdk=OFFICIAL) for number in range(3)]
    lines = printed(report([*same, known("a/known", sdk=OFFICIAL), crash], known_failures=[KNOWN_FAILURE])).splitlines()
    start = lines.index("New failures: 4 official, 2 causes")
    assert lines[start + 1 : start + 5] == [
        "✗ 1 ends Envoy: a/crash: SIGSEGV",
        f"    {crash.reproduce}",
        "✗ 3 answers wrongly: a/same_0 and 2 more cases: the loader says no",
        f"    {same[0].reproduce}",
    ]
    assert lines.index("Known failures, worst first: 1 official, 1 record") > start
    assert "! 1 ends Envoy: known-1" in lines


def test_known_failures_are_one_line_per_record_by_severity_not_number() -> None:
    many = [
        msgspec.structs.replace(known(f"a/m{number}", sdk=OFFICIAL), known_failure="a-message", outcome=Outcome.FAIL)
        for number in range(9)
    ]
    whole = report([*many, known("a/one", sdk=OFFICIAL)])
    cases = tuple(
        msgspec.structs.replace(one, severity=Severity.MESSAGE) if one.id.startswith("a/m") else one for one in whole.cases
    )
    output = printed(msgspec.structs.replace(whole, cases=cases))
    assert "! 1 ends Envoy: known-1\n! 9 message or counter wrong: a-message\n" in output


def test_what_does_not_fit_is_counted() -> None:
    output = printed(many_of_everything())
    assert re.search(r"^New failures: 60 official, 60 causes \(\d+ shown\)$", output, re.MULTILINE)
    assert re.search(r"^Known failures, worst first: 60 official, 60 records \(\d+ shown\)$", output, re.MULTILINE)
    assert re.search(r"^and \d+ more SDK versions and \d+ older hosts$", output, re.MULTILINE)


def test_the_answer_and_the_path_come_last() -> None:
    lines = printed(report([cell(sdk=OFFICIAL)]), where=Path("out/report/index.html")).splitlines()
    assert lines[-3:] == [
        "✓ What is promised of the official SDKs holds: all 1 supported cells pass",
        "Report: out/report/index.html",
        "Every cause: dmconform show out/report --details",
    ]


def test_it_says_why_a_run_is_incomplete() -> None:
    output = printed(report([cell(sdk=OFFICIAL)], planned=3, complete=False, incomplete_reason="interrupted"))
    assert "2 cells planned and never begun" in output
    assert "because: interrupted" in output
    assert "holds" not in output


def test_what_could_not_run_has_its_reason_and_the_end_of_a_build() -> None:
    reason = "wheel of Envoy 1.36.2: expected the SHA-256 hash " + "0" * 64
    log = "\n".join(f"line {number}" for number in range(20))
    failed = msgspec.structs.replace(sdk("cpp@1.39:official", problem=log), build_log="build-logs/cpp.log")
    blocked = cell("a/b", "cpp@1.39:official", outcome=Outcome.ERROR, judgement=Judgement.ERROR, detail=reason)
    output = printed(report([blocked, cell()], sdks=[failed, sdk("rust@1.39:reference")]))
    assert f"Could not run: 1 cell\n1x {reason[:48]}" in output
    assert "0" * 64 in output
    assert "  cpp@1.39:official: the whole log is build-logs/cpp.log; its end:\n    line 16\n" in output
    assert "    line 19\n" in output
    assert "line 15" not in output


def test_it_says_where_the_official_sdks_came_from_that_ran() -> None:
    first = msgspec.structs.replace(sdk(OFFICIAL), repository="https://example.invalid/envoy", commit="ab12" * 10)
    second = msgspec.structs.replace(sdk("go@1.39:official"), source="Go module proxy, v0.0.0-1")
    sdks = [first, second, sdk("cpp@1.40:official")]
    output = printed(report([cell(sdk=OFFICIAL), cell(sdk="go@1.39:official")], sdks=sdks))
    assert (
        "Official SDKs: rust@1.39 ab12ab12ab of https://example.invalid/envoy; go@1.39 Go\n  module proxy, v0.0.0-1\n" in output
    )


def test_a_development_commit_is_named_as_one() -> None:
    development = msgspec.structs.replace(sdk(OFFICIAL), development=True, version="1.40.0-dev", commit="ab12" * 10)
    unpromised = cell(sdk=OFFICIAL, relation=Relation.UNSUPPORTED, judgement=Judgement.INFORMATIONAL)
    output = printed(report([unpromised, cell()], sdks=[development, sdk("rust@1.39:reference")]))
    assert re.search(r"^rust@1\.40\.0-dev \(ab12ab12ab\) +· 1/1 pass$", output, re.MULTILINE)
    assert "rust@1.39:official is not the release" in output


def test_records_to_fix_have_their_command() -> None:
    overdue = [it for it in INCONSISTENCIES if it.kind is InconsistencyKind.OVERDUE]
    output = printed(report([cell()], inconsistencies=overdue, exit_code=1))
    assert f"Records to fix: 1\n  known-1: {overdue[0].kind.value}: text of OVERDUE\n" in output
    assert "\n    fix: dmconform mend OVERDUE\n" in output
    assert output.splitlines()[-1] == "✗ Expectations have to be fixed (1 record to fix)"


def test_a_mismatch_is_a_new_failure() -> None:
    output = printed(report([contradicted("load/hidden", sdk=OFFICIAL)]))
    assert "✗ 1x static/run-time mismatch: load/hidden: static analysis: refused" in output


def test_a_command_stays_on_one_line() -> None:
    entry = broken("area/" + "long_" * 15 + "name")
    assert f"    {entry.reproduce}\n" in printed(report([entry]))


def test_colours_only_on_a_terminal() -> None:
    assert "\x1b[" in printed(report(ALL_KINDS), terminal=True)
    assert "\x1b" not in printed(report(ALL_KINDS))


def test_hostile_text_is_only_text() -> None:
    for whole in (hostile_report(), many_of_everything()):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", printed(whole))
        on_terminal = printed(whole, terminal=True)
        assert not re.search(r"\x1b(?!\[[0-9;]*m)", on_terminal)  # rich's own colours and nothing else


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_poor_terminal_gets_escapes_instead_of_an_error(encoding: str) -> None:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding=encoding), width=120, color_system=None)
    print_answer(report(ALL_KINDS), console)
    console.file.flush()
    assert b"\\u2717 1 answers wrongly" in raw.getvalue()


COMMANDS = ["::error::made up", "  ::set-output name=a::b", "\n::add-mask::1", "made ##[error]up", "::stop-commands::x"]


@pytest.mark.parametrize("text", COMMANDS)
def test_no_text_is_a_command_to_a_ci_system(text: str) -> None:
    """GitHub takes commands from the log of any program: the newer form where a line begins, the older one anywhere."""
    blocked = [cell(f"b/{name}", outcome=Outcome.ERROR, judgement=Judgement.ERROR, detail=f"{text}{name}") for name in "ab"]
    whole = report([broken("a/bad", text, sdk=text), *blocked], sdks=[], incomplete_reason=text, complete=False)
    output = printed(whole)
    assert re.split("::|##.error.", text)[-1].strip() in output
    assert "##[" not in output
    assert not [line for line in output.splitlines() if line.lstrip().startswith("::")]

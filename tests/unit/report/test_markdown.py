"""The report as Markdown; read back with a parser, as what counts is what a reader sees."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import msgspec
import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.core.text import one_line
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.markdown import LIMIT, code, escape, render_markdown
from dmconform.report.schema import Report
from dmconform.report.summary import summarise
from markdown_it import MarkdownIt

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
    matrix,
    report,
    sdk,
    static,
)

FOLDING = {"details", "summary"}


def html(markdown: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


def text(markdown: str) -> str:
    """What a reader sees, without the tags."""
    return (
        re.sub(r"<[^>]*>", "", html(markdown))
        .replace("&quot;", '"')
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
    )


def test_the_answer_comes_first() -> None:
    official = render_markdown(report([cell(sdk="rust@1.39:official")])).splitlines()[0]
    assert official == "# ✓ What is promised of the official SDKs holds: all 1 supported cells pass"
    control = render_markdown(report([cell()])).splitlines()[0]
    assert control == "# ○ Only the reference SDK was run, the control: this says nothing of the official SDKs"


def test_each_language_and_provider_has_a_table_of_minor_and_host() -> None:
    page = render_markdown(report(ALL_KINDS))
    assert "### Rust · reference\n\n| SDK | Envoy 1.36.4 | Envoy 1.39.3 | Envoy 1.40.0 |" in page
    assert "| 1.39 | 0 of 1 | ★✗ 1 XPASS, 1 MISMATCH, 1 CHANGED, 1 ERROR, 1 pass, 1 xfail | ★✗ 1 FAIL |" in page
    assert "### Rust · official\n\n| SDK | Envoy 1.40.0 |\n| --- | --- |\n| 1.40 | ? not tested |\n" in page
    folded = page[page.index("<summary>Rust · reference: every case</summary>") :]
    assert "\n\n| case | 1.39 → 1.36.4 | 1.39 → 1.39.3 | 1.39 → 1.40.0 |" in folded
    assert "| window/proxied_traffic |  | ★✓ pass | ★✗ FAIL |" in page
    assert "| load/refuse | ∞ hang |  |  |" in page
    assert "| ABI string | matched | matched | deprecated |" in page
    assert "| static analysis | not known | not known | not known |" in page


def test_the_static_half_stands_in_the_matrix_and_what_does_not_load_in_a_table() -> None:
    entries = [static("rust@1.39:reference", "1.38.3", StaticKind.REFUSED, 7), static("rust@1.39:reference", "1.39.3")]
    page = render_markdown(report([cell(host="1.38.3"), cell()], static=entries))
    assert "| static analysis | refused (7) | loads |" in page
    (row,) = [line for line in page.splitlines() if line.startswith("| rust@1.39:reference | 1.38.3 | refused at load |")]
    assert "callback_new_4</code> and 2 more" in row
    assert "Static verdicts other" not in render_markdown(report([cell()], static=entries[1:]))


def test_a_disagreement_has_its_section_before_the_matrix() -> None:
    luck = cell("load/luck", relation=Relation.UNSUPPORTED, judgement=Judgement.INFORMATIONAL, mismatch="halves differ")
    page = render_markdown(report([luck, contradicted("load/hidden")]))
    section = page[page.index("## ≠ Static/run-time mismatch") : page.index("## Matrix")]
    rows = [line for line in section.splitlines() if line.startswith("| 1 |")]
    assert ["FAILS the run" in row for row in rows] == [True, False]
    assert "| load/hidden | ★✓ MISMATCH ≠ |" in page
    assert "| load/luck | ✓ pass ≠ |" in page
    assert "≠ Static" not in render_markdown(report([cell()]))


def test_findings_of_the_abi_have_a_section_with_names() -> None:
    page = render_markdown(report([cell()], abi_findings=[FINDING, msgspec.structs.replace(FINDING, certain=False)]))
    rows = [line for line in page.splitlines() if line.startswith("| 1.38 → 1.39 |")]
    assert all(f"<code>{FINDING.subject}</code>" in row and "http_filter, network_filter" in row for row in rows)
    assert ["not the release" in row for row in rows] == [False, True]
    assert "ABI changes that break modules" not in render_markdown(report([cell()]))


def test_it_says_why_cells_did_not_run_and_what_is_known() -> None:
    page = render_markdown(report(ALL_KINDS, known_failures=[KNOWN_FAILURE]))
    assert "| 1 | ■ error | error | <code>the build failed</code> |" in page
    assert "| 1 | ? not tested | skip | <code>tag v1.40.0 cannot be fetched</code> |" in page
    assert "| known-1 | 1 | 0 | The SDK of 1.38 does not guard this callback. | evidence/known.md |" in page
    new, _, rest = page.partition("<summary>Known failures</summary>")
    assert "expected 200, seen 503" in new
    assert "SIGABRT" in rest
    assert "SIGABRT" not in new


def test_hosts_and_modules_have_their_hashes_and_glibc_floor() -> None:
    whole = report([cell()], sdks=[sdk("rust@1.39:reference"), sdk("go@1.39:official", problem="go build failed\nmore")])
    page = render_markdown(whole)
    assert f"<code>{whole.hosts[0].sha256}</code>" in page
    assert f"probe | <code>{'ab' * 32}</code> | GLIBC_2.34" in page
    assert "not built: <code>go build failed</code>" in page


def test_hostile_text_is_shown_and_is_nothing_else() -> None:
    page = html(render_markdown(hostile_report()))
    tags = set(re.findall(r"</?([a-zA-Z!][a-zA-Z0-9-]*)", page))
    assert tags <= {"h1", "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "ul", "li", *FOLDING}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)


def test_hostile_text_adds_no_column_and_no_row() -> None:
    page = render_markdown(hostile_report())
    widths: list[int] = []
    for line in page.splitlines():
        if line.startswith("| "):
            widths.append(line.count("|"))
        elif widths and not line.startswith("|"):
            assert len(set(widths)) == 1, f"rows of different width before {line!r}"
            widths = []
    assert page.count("## Matrix") == 1


def test_escaped_text_reads_as_it_was() -> None:
    assert text(escape(HOSTILE)).strip() == one_line(HOSTILE)
    assert text(code(HOSTILE)).strip() == one_line(HOSTILE)
    assert escape("rust@1.39:official snake_case") == "rust@1.39:official snake_case"
    assert "@" not in escape("@everyone")
    assert "@" not in escape("write to nobody@evil.example"), "GitHub makes a link of an address"
    assert "://" not in escape("https://evil.example")
    assert "_a" not in escape("_a_")


def test_a_large_matrix_has_all_its_cells() -> None:
    page = render_markdown(matrix())
    rows = [line for line in page.splitlines() if re.match(r"\| [a-z]+/case_number_\d+ \| ★?[✓✗†∞⊘■?○] ", line)]
    assert sum(row.count(" | ") for row in rows) == 2040


def test_each_kind_of_complaint_has_its_command() -> None:
    page = render_markdown(report([cell()], inconsistencies=INCONSISTENCIES, exit_code=1))
    for it in INCONSISTENCIES:
        start = f"| {it.kind.value} | {it.record or ''} | 1 | a/b/c/d |"
        assert f"{start} text of {it.kind.name} | <code>{it.fix}</code> |" in page
    assert "Expectations to fix" not in render_markdown(report([cell()]))


def test_requirements_have_their_counts() -> None:
    page = render_markdown(report([cell("a/one"), broken("a/two")]))
    assert "| REQ-0 | must | 1 | pass | 1 |  |  |  |" in page
    assert "| REQ-1 | must | 1 | FAIL |  | 1 |  |  |" in page


MANY_CASES = 8 * 21
"""Of 24 SDK versions on 5 hosts: 20,160 cells."""


@functools.cache
def worst() -> Report:
    """A report of 20,000 cells in which every text is long and hostile, and no two failures say the same."""
    long = HOSTILE * 3
    whole = matrix(cases=MANY_CASES)
    cells = [
        msgspec.structs.replace(
            it,
            detail=f"{number} {long}",
            reproduce=long,
            outcome=Outcome.FAIL,
            judgement=(Judgement.FAIL, Judgement.XFAIL, Judgement.INFORMATIONAL, Judgement.MISMATCH)[number % 4],
            mismatch=f"{number} {long}" if number % 4 == 3 else None,
        )
        for number, it in enumerate(whole.cells)
    ]
    return msgspec.structs.replace(
        whole,
        cells=tuple(cells),
        command=long,
        incomplete_reason=long,
        inconsistencies=INCONSISTENCIES * 1000,
        abi_findings=tuple(msgspec.structs.replace(FINDING, subject=f"{long}{number}") for number in range(1000)),
        hosts=tuple(msgspec.structs.replace(it, build=long, origin=long, sha256=long) for it in whole.hosts),
    )


@functools.cache
def page_of(make: Callable[[], Report]) -> str:
    """The page of what a function makes. Of the longest report it takes seconds."""
    return render_markdown(make())


def hosts_without_number() -> Report:
    """One case on 2,000 hosts, with SDKs of 500 languages."""
    return report([cell(sdk=f"language{number % 500}@1.39:reference", host=f"1.39.{number}") for number in range(2000)])


@pytest.mark.parametrize("make", [worst, hosts_without_number, lambda: matrix(cases=MANY_CASES), hostile_report])
def test_it_fits_into_a_comment_of_a_pull_request(make: Callable[[], Report]) -> None:
    page = page_of(make)
    assert len(page) <= LIMIT == 60_000
    assert page.startswith(f"# {summarise(make()).verdict.glyph} ")
    assert page.count("<details>") == page.count("</details>") == html(page).count("<details>")
    tables = [len(table) for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)]
    assert min(tables) > 20


def test_of_the_longest_report_each_part_is_there_and_what_is_left_out_is_reported() -> None:
    page = page_of(worst)
    new = page[page.index("## New failures") : page.index("## ≠ Static/run-time mismatch")]
    assert re.search(r"\n\| 1 \| [a-z]+/case_number_\d+ \| ✗ fail \| <code>\d+ &#60;script", new), "one failure at least"
    assert "| in `report.json` |" in new, "a command that is cut would do something else"
    shown = len(re.findall(r"^\| 1 \|", new, re.MULTILINE))
    total = sum(it.judgement is Judgement.FAIL for it in worst().cells)
    assert f"{total - shown} of {total} rows are left out here; `report.json` and the page have them all." in new
    places = [page.index(it) for it in ("## New failures", "## Matrix", "### C++ · official", "<summary>Known failures")]
    assert places == sorted(places)
    assert re.search(r"\n\nLeft out here: .*C\+\+ · official: every case, ", page)
    assert page.endswith("`report.json` and the page have them.\n")

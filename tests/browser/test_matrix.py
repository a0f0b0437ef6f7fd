"""The matrix in a real browser: every cell as the report has it, rows that open, the frame, headers that stay."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.reading import read_report
from dmconform.report.schema import write_report

from tests.browser.conftest import Open, chromium
from tests.browser.pages import Seen, expected_cells
from tests.unit.report_samples import ALL_KINDS, broken, cell, contradicted, known, matrix, report, static, unreachable

pytestmark = pytest.mark.browser

# Whether the head of each row in the area is at the area's left side; there have to be some.
_HEADS_STAY = """
(area) => {
  const boxes = [...document.querySelectorAll(".row:not(.header) .head")].map((it) => it.getBoundingClientRect());
  const seen = boxes.filter((box) => box.top < area.y + area.height && box.bottom > area.y);
  return seen.length > 5 && seen.every((box) => Math.abs(box.left - area.x) < 3);
}
"""


def test_a_page_of_2000_cells_shows_each_as_the_report_has_it(open_page: Open, tmp_path: Path) -> None:
    write_report(matrix(), tmp_path / "report.json")
    whole = read_report(tmp_path / "report.json")
    seen = open_page(whole)
    seen.open_all_rows()
    assert sorted(seen.all_cells()) == sorted(expected_cells(whole))
    assert len(whole.cells) == 2040


def test_of_20000_cells_only_those_near_the_view_are_in_the_document(open_page: Open) -> None:
    whole = matrix(cases=167)
    seen = open_page(whole)
    seen.open_all_rows()
    reported = seen.collected()
    assert len(reported["found"]) == len(whole.cells) == 20040
    assert reported["most"] < 2000


def test_the_keyboard_reaches_columns_that_were_not_near_the_view(open_page: Open) -> None:
    seen = open_page(matrix(cases=2))
    seen.open_all_rows()
    seen.page.locator(".level-3 .head").first.click()
    seen.page.keyboard.press("End")
    last = seen.page.locator(":focus")
    assert last.get_attribute("aria-colindex") == "121"
    assert last.evaluate("it => it.getBoundingClientRect().right <= innerWidth")
    seen.page.keyboard.press("ArrowDown")
    assert seen.page.locator(":focus").get_attribute("aria-colindex") == "121"
    seen.page.keyboard.press("Home")
    assert seen.page.locator(":focus").get_attribute("role") == "rowheader"


def test_the_cell_that_tab_comes_to_stays_however_far_the_matrix_is_scrolled(open_page: Open) -> None:
    seen = open_page(matrix(cases=60))
    seen.open_all_rows()
    seen.page.locator(".level-3 .cell").first.click()
    seen.page.keyboard.press("Escape")
    name = seen.focused()
    seen.page.locator(".step").last.focus()
    for left, top in ((3000, 0), (3000, 900), (0, 1800)):
        seen.page.locator(".scroll").evaluate("(it, to) => it.scrollTo(...to)", [left, top])
        seen.settle()
    seen.page.keyboard.press("Tab")
    assert seen.focused() == name


def test_a_row_sums_up_its_cases_and_opens(open_page: Open) -> None:
    cells = [cell("a/one"), known("a/two"), cell("b/one", relation=Relation.UNSUPPORTED, judgement=Judgement.INFORMATIONAL)]
    seen = open_page(report(cells))
    row = seen.page.get_by_role("row").filter(has=seen.page.get_by_role("rowheader", name="a 2 cases", exact=True))
    assert row.get_by_role("gridcell").inner_text().split() == ["!", "1", "xfail"]
    assert (
        row.get_by_role("gridcell").get_attribute("title") == "1 of 2 supported pass, 1 xfail; click to see these cells alone"
    )
    head = row.get_by_role("rowheader")
    assert head.get_attribute("aria-expanded") == "false"
    head.click()
    assert head.get_attribute("aria-expanded") == "true", "the cell with the focus does not say that its row is open"
    assert seen.page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    inner = seen.page.locator(".level-2 .head")
    assert inner.all_inner_texts() == [
        "REQ-0 · 1 case\nStatement 0: a/one works.",
        "REQ-1 · 1 case\nStatement 1: a/two works.",
    ]
    inner.nth(1).click()
    assert seen.page.locator(".level-3 .head").all_inner_texts() == ["two"]
    row.get_by_role("rowheader").click()
    assert seen.page.locator(".level-2, .level-3").count() == 0


def test_what_fails_the_run_is_open_from_the_start(open_page: Open) -> None:
    seen = open_page(report([cell("calm/one"), broken("loud/two"), cell("loud/three")]))
    assert seen.page.locator(".level-3 .head").all_inner_texts() == ["two"]
    expanded = seen.page.locator(".level-1 .head").evaluate_all("all => all.map(it => it.getAttribute('aria-expanded'))")
    assert expanded == [None, "false", "true"]
    assert seen.page.locator(".level-1 .cell").nth(2).inner_text().split() == ["✗", "1", "FAIL"]


def test_the_frame_runs_around_the_supported_columns_only(open_page: Open) -> None:
    cells = [
        cell(
            f"a/{name}",
            host=host,
            relation=relation,
            judgement=Judgement.INFORMATIONAL if relation is Relation.UNSUPPORTED else Judgement.PASS,
        )
        for name in ("one", "two")
        for host, relation in (
            ("1.38.3", Relation.UNSUPPORTED),
            ("1.39.3", Relation.SUPPORTED),
            ("1.40.0", Relation.SUPPORTED),
            ("1.41.0", Relation.UNSUPPORTED),
        )
    ]
    seen = open_page(report(cells))
    seen.open_all_rows()
    sides = seen.page.locator(".level-3:last-child .cell").evaluate_all(
        "all => all.map(it => { const s = getComputedStyle(it, '::after');"
        " const width = (side) => s.getPropertyValue(`border-${side}-width`);"
        " return s.content === 'none' ? null : [width('left'), width('right'), width('bottom'), s.borderLeftStyle] })"
    )
    assert sides == [None, ["3px", "0px", "3px", "solid"], ["0px", "3px", "3px", "solid"], None]
    heads = seen.page.locator(".header .cell.top").all_inner_texts()
    assert [text.replace("\n", "") for text in heads] == ["1.38.3", "★1.39.3", "★1.40.0", "1.41.0"]


def test_a_wide_matrix_opens_on_the_first_supported_window(open_page: Open) -> None:
    whole = report(
        [
            cell("a/one", f"rust@1.{minor}:official", host, relation=relation, judgement=judgement)
            for minor, relation, judgement in (
                (37, Relation.UNSUPPORTED, Judgement.INFORMATIONAL),
                (39, Relation.SUPPORTED, Judgement.PASS),
            )
            for host in ("1.39.0", "1.39.1", "1.39.3", "1.40.0")
        ]
    )
    for width, left in ((1280, False), (420, True)):
        seen = open_page(whole, width=width)
        area, star = seen.page.locator(".scroll").bounding_box(), seen.page.locator(".top .star").first.bounding_box()
        assert area is not None
        assert star is not None
        assert star["x"] < area["x"] + area["width"], "the window is out of view"
        assert (seen.page.locator(".scroll").evaluate("it => it.scrollLeft") > 0) is left


def in_view(seen: Seen) -> list[str]:
    """The columns whose heads can be seen whole: SDK and host, by any of their cells."""
    seen.settle()
    visible: list[str] = seen.page.evaluate(
        """() => {
          const scroll = document.querySelector(".scroll").getBoundingClientRect();
          const from = document.querySelector(".header .head").getBoundingClientRect().right;
          const heads = [...document.querySelectorAll(".header .cell.top")].filter((it) => {
            const box = it.getBoundingClientRect();
            return box.left >= from - 1 && box.right <= scroll.right + 1;
          });
          const label = (it) => document.querySelector(`.level-1 [aria-colindex="${it.getAttribute("aria-colindex")}"]`);
          return heads.map((it) => label(it)?.getAttribute("aria-label").split(": ")[0].replace("all cases, ", "") ?? "");
        }"""
    )
    return visible


def test_the_matrix_opens_at_the_worst_column(open_page: Open) -> None:
    whole = matrix(cases=8)
    assert "cpp@1.39:official on 1.39.3" in in_view(open_page(whole, width=900)), "the new failure is of cpp@1.39"
    crash = {"outcome": Outcome.CRASH, "judgement": Judgement.FAIL}
    failing = [
        msgspec.structs.replace(it, **crash) if (it.sdk, it.host) == ("rust@1.39:official", "1.40.0") else it
        for it in whole.cells
    ]
    seen = open_page(msgspec.structs.replace(whole, cells=tuple(failing)), width=900)
    assert "rust@1.39:official on 1.40.0" in in_view(seen)


def test_where_nothing_fails_the_matrix_opens_at_the_first_supported_column_that_was_tested(open_page: Open) -> None:
    cells = [unreachable("a/one", "cpp@1.40:official", host=f"1.40.{patch}") for patch in range(12)]
    seen = open_page(report([*cells, cell("a/one", "go@1.40:official", "1.40.0")]), width=900)
    assert in_view(seen)[-1] == "go@1.40:official on 1.40.0"


def test_areas_come_in_the_order_of_their_importance(open_page: Open) -> None:
    names = ("identity/one", "rtld/one", "panics/one", "discovery/one", "window/one", "chains/one", "error_handling/one")
    seen = open_page(report([cell(name) for name in names]))
    assert seen.page.locator(".level-1 .head .name").all_inner_texts() == [
        "all cases",
        "window",
        "panics",
        "error handling",
        "discovery",
        "rtld",
        "identity",
        "chains",
    ]


def test_white_is_not_planned_and_what_is_filtered_out_looks_otherwise(open_page: Open) -> None:
    seen = open_page(report([cell("a/one"), cell("a/two"), broken("a/two", host="1.40.0")]))
    seen.open_all_rows()
    gap = seen.page.locator(".level-3 .cell.gap")
    assert gap.evaluate_all("all => all.map(it => it.getAttribute('aria-label'))") == ["not planned"]
    page_colour = seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert gap.evaluate("it => getComputedStyle(it).backgroundImage") == "none"
    assert page_colour == "rgb(255, 255, 255)"
    other = open_page(report([cell("a/one"), broken("a/two"), broken("a/one", host="1.40.0")]), fragment="#outcome=fail")
    other.open_all_rows()
    out = other.page.locator(".level-3 .cell.filtered")
    assert out.evaluate_all("all => all.map(it => it.getAttribute('aria-label'))") == ["filtered out"]
    assert "gradient" in out.evaluate("it => getComputedStyle(it).backgroundImage")


def test_a_sum_leads_to_its_cells_alone(open_page: Open) -> None:
    seen = open_page(matrix(cases=10))
    row = seen.page.locator('.row.level-1:has(.head[title="guard"])')
    row.locator(".cell.sum").first.click()
    assert "area=guard" in seen.fragment
    assert seen.page.locator(".header .cell.top").count() == 1
    cases = seen.page.locator(".level-3 .head").all_inner_texts()
    assert cases == ["case_number_2", "case_number_7"]
    seen.page.go_back()
    assert seen.page.locator("#shown").inner_text() == "1,200 of 1,200 cells"
    seen.open_all_rows()
    seen.page.locator(".row.level-2 .cell.sum").first.focus()
    seen.page.keyboard.press("Enter")
    assert "requirement=REQ-" in seen.fragment
    assert seen.page.locator(".level-3").count() == 1


def test_keys_and_buttons_go_to_the_next_and_the_previous_failing_cell(open_page: Open) -> None:
    cells = [cell("a/one"), broken("a/two"), known("a/two", host="1.40.0"), cell("b/one"), broken("b/two", host="1.40.0")]
    seen = open_page(report(cells))
    seen.page.get_by_role("button", name="next failing cell").click()
    places = [seen.focused().partition(":")[0]]
    for key in ("n", "n", "n", "p", "p"):
        seen.page.keyboard.press(key)
        places.append(seen.focused())
    words = [place.split(": ")[0].replace("rust@1.39:reference on ", "") for place in places]
    assert [word.split(", ")[0] + " " + word.split()[-1] for word in words[1:]] == [
        "a/two 1.40.0",
        "b/two 1.40.0",
        "a/two 1.39.3",
        "b/two 1.40.0",
        "a/two 1.40.0",
    ]
    assert places[0].startswith("a/two")
    seen.page.locator("#search").focus()
    seen.page.keyboard.press("n")
    assert seen.page.locator("#search").input_value() == "n"
    assert open_page(report([cell()])).page.get_by_role("button", name="next failing cell").is_disabled()


def test_what_has_no_room_in_a_head_is_in_its_title(open_page: Open) -> None:
    seen = open_page(report([cell("a/one")]))
    seen.open_all_rows()
    titles = seen.page.locator(".row:not(.header) .head").evaluate_all("all => all.map(it => it.title)")
    assert titles == ["all cases", "a", "REQ-0: Statement 0: a/one works.", "one: Title of a/one"]
    assert seen.page.locator(".wide-head").first.get_attribute("title") == "Rust · reference"


def test_headers_stay_in_view(open_page: Open) -> None:
    seen = open_page(matrix(cases=60))
    seen.open_all_rows()
    box = seen.page.locator(".scroll")
    box.evaluate("it => it.scrollTo(4000, 900)")
    seen.settle()
    area, corner = box.bounding_box(), seen.page.locator(".heads .head").first.bounding_box()
    assert area is not None
    assert corner is not None
    assert abs(corner["x"] - area["x"]) < 3
    assert abs(corner["y"] - area["y"]) < 3
    assert seen.page.evaluate(_HEADS_STAY, area)
    labels = seen.page.locator(".stay").evaluate_all(
        "(all, from) => all.filter(it => { const r = it.getBoundingClientRect();"
        " return r.left >= from && r.right <= innerWidth && r.width > 0 }).map(it => it.textContent)",
        area["x"] + corner["width"] - 2,
    )
    assert any("·" in text for text in labels), "no language and provider is readable"
    assert any(text.startswith("SDK 1.") for text in labels), "no SDK version is readable"


def test_each_column_says_what_host_and_file_say(open_page: Open) -> None:
    entries = [static("rust@1.39:reference", "1.39.3"), static("rust@1.39:reference", "1.40.0", StaticKind.UNRESOLVED, 70)]
    seen = open_page(report([cell(), cell(host="1.40.0")], static=entries))
    rows = seen.page.locator(".row.info")
    assert rows.nth(0).locator(".cell").all_inner_texts() == ["matched", "matched"]
    assert rows.nth(1).locator(".cell").all_inner_texts() == ["loads", "unresolved (70)"]


def test_a_flag_is_seen_in_the_matrix_and_above_it(open_page: Open) -> None:
    flagged, calm = contradicted("load/hidden"), cell("load/calm")
    seen = open_page(report([flagged, calm]))
    seen.open_all_rows()
    assert seen.cell(flagged).inner_text().split() == ["✓", "MISMATCH", "≠"]
    assert seen.cell(flagged).evaluate("it => it.scrollWidth <= it.clientWidth"), "the words do not fit into their cell"
    assert "≠" not in seen.cell(calm).inner_text()
    without = open_page(report([calm]))
    without.open_all_rows()
    widths = [its.cell(calm).evaluate("it => it.offsetWidth") for its in (seen, without)]
    assert widths[0] > widths[1], "columns are as wide as for the longest mark where no cell has it"
    assert seen.page.locator("#mismatches").get_by_text("FAILS the run").is_visible()


@pytest.mark.parametrize("fragment", ["", "#compact=1"])
def test_a_build_that_is_no_release_is_named_whole(open_page: Open, fragment: str) -> None:
    seen = open_page(report([cell("a/one"), cell("a/one", host="1.40.0~f61b9241")]), fragment=fragment)
    head = seen.page.locator(".header .cell.top").nth(1)
    assert head.inner_text().split()[-2:] == ["1.40.0", "~f61b9241"]
    assert head.evaluate("it => it.scrollWidth <= it.clientWidth && it.scrollHeight <= it.clientHeight")
    parts = head.locator("span, small").evaluate_all(
        "(all) => all.map(it => it.getBoundingClientRect()).filter(it => it.width).map(it => [it.left, it.right])"
    )
    box = head.bounding_box()
    assert box is not None
    assert all(left >= box["x"] and right <= box["x"] + box["width"] for left, right in parts)


def test_words_fit_into_their_cells(open_page: Open) -> None:
    seen = open_page(report(ALL_KINDS))
    seen.open_all_rows()
    wide = seen.page.locator(".cell").evaluate_all(
        "all => all.filter(it => it.scrollWidth > it.clientWidth).map(it => it.textContent)"
    )
    assert wide == []


def test_a_cell_of_a_case_without_a_description_is_shown(open_page: Open) -> None:
    whole = msgspec.structs.replace(report([cell("odd/case")]), cases=(), requirements=(), hosts=(), sdks=())
    seen = open_page(whole)
    seen.open_all_rows()
    assert seen.all_cells() == expected_cells(whole)


def test_without_chromium_they_fail_and_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(pytest.fail.Exception, match="apt-get install -y chromium"):
        chromium()

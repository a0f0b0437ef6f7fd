"""A cell's story: all that is known of it, its permalink, and the way there and back from the keyboard."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.core.values import Judgement, Outcome
from dmconform.report.html import cell_fragment
from dmconform.report.schema import FindingEntry, Report, RerunEntry

from tests.browser.conftest import Open
from tests.browser.pages import label
from tests.unit.report_samples import (
    ALL_KINDS,
    FINDING,
    KNOWN_FAILURE,
    broken,
    cell,
    contradicted,
    known,
    matrix,
    report,
    static,
    unreachable,
)

pytestmark = pytest.mark.browser


def test_a_permalink_opens_its_cell_and_shows_its_story(open_page: Open) -> None:
    entry = msgspec.structs.replace(
        known("guard/panic"),
        detail="expected 200, seen 503\n[warning] last line\n[error] very last",
        facts={"client saw": "a reset"},
        evidence="evidence/guard/panic/rust@1.39+reference/1.39.3",
        module_sha256="cd" * 32,
    )
    half = static(entry.sdk, entry.host, StaticKind.UNRESOLVED, 70)
    whole = report([cell(), entry], known_failures=[KNOWN_FAILURE], static=[half])
    seen = open_page(whole, fragment=f"#{cell_fragment(entry.id)}")
    assert seen.story.is_visible()
    assert seen.story.get_by_role("heading", level=2).inner_text().split() == ["†", "xfail", "guard/panic"]
    assert "Statement 1: guard/panic works." in seen.field("requirement").inner_text()
    assert seen.field("outcome").inner_text() == "crash"
    assert seen.field("judgement").inner_text().startswith("xfail: ")
    assert seen.field("relation").inner_text() == f"supported: {entry.relation_reason}"
    assert seen.field("detail").locator("pre").all_inner_texts() == [
        "expected 200, seen 503",
        "[warning] last line\n[error] very last",
    ]
    assert seen.field("static").inner_text().startswith(f"{StaticKind.UNRESOLVED.value}: a call to envoy")
    assert seen.field("probe").inner_text().startswith("not observed")
    assert seen.field("record").inner_text() == "known-1"
    assert KNOWN_FAILURE.reason in seen.story.inner_text()
    assert "a reset" in seen.story.inner_text()
    assert "cd" * 32 in seen.story.inner_text()
    assert seen.field("reproduce").locator("code").inner_text() == entry.reproduce
    links = seen.field("evidence").locator("a").evaluate_all("all => all.map(it => it.getAttribute('href'))")
    assert links[0] == "./evidence/guard/panic/rust%401.39%2Breference/1.39.3/"
    assert links[1].endswith("/1.39.3/envoy.log")
    assert not seen.story.get_by_text("callback_new_59").is_visible()
    seen.story.get_by_text("70 symbols missing").click()
    seen.story.get_by_text("callback_new_59").wait_for()
    assert "and 10 more, in report.json" in seen.story.inner_text()


def test_every_cell_has_a_permalink_that_is_its_own(open_page: Open) -> None:
    whole = report(ALL_KINDS, known_failures=[KNOWN_FAILURE])
    seen = open_page(whole)
    for entry in whole.cells:
        seen.page.evaluate("to => { location.hash = to }", cell_fragment(entry.id))
        heading = seen.story.get_by_role("heading", level=2)
        heading.filter(has_text=entry.case).wait_for()
        assert f"{entry.sdk} → Envoy {entry.host}" in seen.story.inner_text()
        assert seen.field("outcome").inner_text() == entry.outcome.value


def test_a_permalink_into_a_filtered_matrix_keeps_the_filter(open_page: Open) -> None:
    whole = matrix(cases=9)
    entry = next(its for its in whole.cells if its.sdk == "go@1.39:reference")
    seen = open_page(whole, fragment=f"#language=go&{cell_fragment(entry.id)}")
    assert seen.story.is_visible()
    seen.page.keyboard.press("Escape")
    assert not seen.story.is_visible()
    assert seen.fragment == "language=go"
    assert seen.page.locator("#shown").inner_text().startswith(f"{len(whole.cells) // 3} of")


def test_opening_and_closing_by_mouse_and_the_ways_back(open_page: Open) -> None:
    entry = broken()
    seen = open_page(report([entry, cell("a/two")]))
    seen.cell(entry).click()
    assert seen.fragment == cell_fragment(entry.id)
    seen.page.go_back()
    seen.story.wait_for(state="hidden")
    seen.page.wait_for_url(seen.address)
    seen.page.go_forward()
    seen.story.wait_for(state="visible")
    seen.story.get_by_role("button", name="Close").click()
    seen.story.wait_for(state="hidden")
    assert seen.fragment == ""
    assert seen.focused().startswith(label(entry))
    seen.cell(entry).click()
    seen.story.wait_for(state="visible")
    seen.page.mouse.click(10, 500)
    seen.story.wait_for(state="hidden")


def test_a_click_on_the_storys_own_edge_leaves_it_open_and_so_does_a_selection_that_ends_there(open_page: Open) -> None:
    seen = open_page(report([broken()]), fragment=f"#{cell_fragment(broken().id)}")
    story, line = seen.story.bounding_box(), seen.story.locator(".lead").bounding_box()
    assert story is not None
    assert line is not None
    seen.page.mouse.click(story["x"] + 5, story["y"] + story["height"] - 5)
    assert seen.story.is_visible()
    mouse, right = seen.page.mouse, line["x"] + line["width"]
    for end in (right + 8, story["x"] - 20):
        mouse.move(line["x"] + 5, line["y"] + 5)
        mouse.down()
        mouse.move(end, line["y"] + 8, steps=4)
        mouse.up()
        assert seen.story.is_visible(), "a selection of text closed the story"


def test_the_story_leads_to_the_same_case_on_other_hosts(open_page: Open) -> None:
    first, second = cell(host="1.39.3"), broken(host="1.40.0")
    seen = open_page(report([first, second]), fragment=f"#{cell_fragment(first.id)}")
    links = seen.story.locator(".strip a")
    assert links.all_inner_texts() == ["1.39.3 ✓ pass", "1.40.0 ✗ FAIL"]
    links.nth(1).click()
    seen.story.get_by_text("→ Envoy 1.40.0").wait_for()
    assert seen.fragment == cell_fragment(second.id)
    seen.page.keyboard.press("Escape")
    assert seen.focused().startswith(label(second))


def grid() -> Report:
    """Two areas of two cases on two hosts."""
    return report(
        [cell(f"{area}/{name}", host=host) for area in ("a", "b") for name in ("one", "two") for host in ("1.39.3", "1.40.0")]
    )


def test_the_matrix_works_from_the_keyboard(open_page: Open) -> None:
    seen = open_page(grid())
    press = seen.page.keyboard.press
    seen.page.locator("#unfold").focus()
    press("Tab")  # the buttons of the previous and the next failing cell are off where none fails
    assert seen.focused() == "all cases4 cases"
    press("ArrowDown")
    assert seen.focused() == "a2 cases"
    press("Enter")
    press("ArrowDown")
    assert seen.focused().startswith("REQ-0")
    press("Space")
    press("ArrowDown")
    assert seen.focused() == "one"
    press("ArrowRight")
    press("ArrowRight")
    assert seen.focused().startswith("a/one, rust@1.39:reference on 1.40.0: ")
    press("ArrowRight")
    assert seen.focused().startswith("a/one, rust@1.39:reference on 1.40.0: "), "the last cell is the last"
    press("Enter")
    assert seen.story.is_visible()
    assert "a/one" in seen.focused()
    press("Escape")
    assert not seen.story.is_visible()
    assert seen.focused().startswith("a/one, rust@1.39:reference on 1.40.0: ")
    press("ArrowLeft")
    assert " on 1.39.3: " in seen.focused()
    press("ArrowUp")
    assert seen.focused() == "REQ-0, rust@1.39:reference on 1.39.3: 1 of 1 supported pass"
    press("Home")
    assert seen.focused().startswith("REQ-0")
    press("Control+End")
    assert seen.focused() == "b, rust@1.39:reference on 1.40.0: 2 of 2 supported pass"
    press("Home")
    assert seen.focused() == "b2 cases"
    press("End")
    assert seen.focused() == "b, rust@1.39:reference on 1.40.0: 2 of 2 supported pass"
    press("Control+Home")
    assert seen.focused() == "all cases4 cases"
    press("Tab")
    assert seen.page.evaluate("!document.activeElement.closest('.grid')"), "the matrix is one stop of Tab"


def test_the_focus_stays_in_an_open_story(open_page: Open) -> None:
    seen = open_page(report([broken()]), fragment=f"#{cell_fragment(broken().id)}")
    for _ in range(12):
        seen.page.keyboard.press("Tab")
        inside = seen.page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('#story')")
        assert inside, seen.focused()


def test_findings_lead_to_one_of_their_cells(open_page: Open) -> None:
    whole = report([cell(), broken("a/two"), broken("a/two", host="1.40.0")])
    seen = open_page(whole)
    assert "No new failure" not in seen.page.locator("#failures").inner_text()
    card = seen.page.locator("#fail .finding")
    assert card.count() == 1
    assert card.get_by_role("heading").inner_text().split()[2][:-1] == "2"
    assert card.locator("code").inner_text() == whole.cells[1].reproduce
    card.locator("h4").get_by_role("link").click()
    assert seen.fragment == cell_fragment(whole.cells[1].id)
    assert seen.story.is_visible()
    seen.page.keyboard.press("Escape")
    assert seen.focused() == "a/two"
    assert seen.page.evaluate("!!document.activeElement.closest('#failures')"), "closing a story leads away from its failure"


def test_a_run_that_nothing_fails_says_so(open_page: Open) -> None:
    seen = open_page(report([cell(), known("a/two")]))
    assert seen.page.locator("#failures .calm").inner_text() == "✓ No new failure."


def test_a_disagreement_is_explained(open_page: Open) -> None:
    entry = contradicted("load/hidden")
    seen = open_page(report([entry]), fragment=f"#{cell_fragment(entry.id)}")
    assert seen.field("mismatch").inner_text() == entry.mismatch


def test_a_cell_that_ended_otherwise_when_it_was_run_again_says_so_with_its_finding_and_in_its_story(open_page: Open) -> None:
    entry = broken(reruns=(RerunEntry(Outcome.PASS, Judgement.PASS, ""),))
    printed = "FLAKY: run again alone, it ended otherwise (1x pass); look for a race first"
    seen = open_page(report([entry]), fragment=f"#{cell_fragment(entry.id)}")
    assert seen.field("reruns").inner_text() == printed
    assert printed in seen.page.locator("#fail .finding").inner_text()
    assert seen.field("judgement").inner_text().startswith("fail")


def test_a_run_that_is_not_whole_is_never_calm(open_page: Open) -> None:
    seen = open_page(report([cell()], planned=3, complete=False, incomplete_reason="interrupted"))
    failures = seen.page.locator("#failures").inner_text()
    assert "✓" not in failures
    assert "the run is incomplete" in failures
    assert seen.page.locator("h1").inner_text().split()[:4] == ["■", "The", "run", "is"]
    assert seen.page.locator('#answers [data-count="missing"]').inner_text() == "2"


def test_the_abi_has_its_figures_and_its_names(open_page: Open) -> None:
    seen = open_page(report([cell()], abi_findings=[FINDING]))
    section = seen.page.locator("#abi")
    assert section.get_by_role("img").count() == 2
    assert FINDING.subject in section.get_by_role("region", name="ABI changes that break modules").inner_text().replace(
        "\n", ""
    )


def test_a_permalink_to_no_cell_opens_nothing_and_says_so(open_page: Open) -> None:
    seen = open_page(grid(), fragment="#cell=a/b/c/<d>")
    assert not seen.story.is_visible()
    assert seen.page.locator("#shown").inner_text() == "8 of 8 cells"
    notice = seen.page.get_by_role("alert")
    assert notice.inner_text().startswith("This report has no cell a/b/c/<d>. ")
    seen.page.get_by_label("signs only").check()
    assert seen.fragment == "compact=1", "an id that leads nowhere stays in the address"
    assert not notice.is_visible()


def test_what_was_found_before_is_reported_with_its_command(open_page: Open) -> None:
    found = FindingEntry(
        "f-1", "It ends", "nothing", "seen so", ("1.38.3",), ("cpp@*",), "the host's: so", "dmconform run -x", None
    )
    seen = open_page(msgspec.structs.replace(report([cell()]), findings=(found,)))
    box = seen.page.locator("#found")
    assert not box.get_by_text("seen so").is_visible()
    box.locator("summary").click()
    box.get_by_text("seen so").wait_for()
    assert "It ends" in box.inner_text()
    assert box.locator("code").inner_text() == "dmconform run -x"


def test_the_story_of_an_untested_cell_claims_nothing_of_a_run(open_page: Open) -> None:
    entry = unreachable("a/one", host="1.40.0")
    seen = open_page(report([cell(), entry]), fragment=f"#{cell_fragment(entry.id)}")
    assert seen.field("outcome").inner_text() == "not tested"
    assert seen.field("judgement").inner_text() == "skip: not tested, as the SDK or the host could not be had; never a pass"
    assert seen.field("probe").inner_text() == "none: the cell did not run (not tested)"
    printed = seen.story.inner_text()
    assert "tag v1.40.0 cannot be fetched" in printed
    for words in ("ABI string", "not loaded", "not observed", "not to be run", "not applicable"):
        assert words not in printed, words
    quiet = cell("a/go", outcome=Outcome.NOT_APPLICABLE, judgement=Judgement.SKIP, detail="Go never unloads")
    seen = open_page(report([quiet]), fragment=f"#{cell_fragment(quiet.id)}")
    assert seen.field("judgement").inner_text() == "skip: not applicable, as the case says nothing about this cell"


def test_evidence_that_is_not_beside_the_page_is_no_link(open_page: Open, tmp_path: Path) -> None:
    entry = broken()
    whole = report([entry])
    seen = open_page(whole, fragment=f"#{cell_fragment(entry.id)}", beside=tmp_path)
    assert seen.field("evidence").count() == 0
    (tmp_path / str(entry.evidence)).mkdir(parents=True)
    seen = open_page(whole, fragment=f"#{cell_fragment(entry.id)}", beside=tmp_path)
    assert seen.field("evidence").locator("a").count() == 2


def test_the_document_of_a_requirement_is_a_link_where_it_is_known(open_page: Open) -> None:
    whole = report([cell()])
    address = "https://github.com/envoyproxy/envoy/blob/v1.40.0/docs/overview.rst"
    linked = msgspec.structs.replace(whole.requirements[0], link=address)
    for requirements, links in (((linked,), [address]), (whole.requirements, [])):
        its = msgspec.structs.replace(whole, requirements=requirements)
        seen = open_page(its, fragment=f"#{cell_fragment(whole.cells[0].id)}")
        found = seen.field("requirement").locator("a").evaluate_all("all => all.map(it => it.getAttribute('href'))")
        assert found == links


def test_the_glossary_is_one_click_away(open_page: Open) -> None:
    seen = open_page(report([cell()]))
    seen.page.get_by_role("link", name="Glossary").click()
    box = seen.page.locator("#glossary").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 900
    assert "a module that this suite builds" in seen.page.locator("#glossary").inner_text()

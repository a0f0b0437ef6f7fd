"""The part called My module: what the run says of one way from host to host."""

from __future__ import annotations

import pytest
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.schema import SuiteEntry

from tests.browser.conftest import Open
from tests.browser.pages import Seen
from tests.unit.report_samples import FINDING, KNOWN_FAILURE, broken, cell, known, report, unreachable

pytestmark = pytest.mark.browser

RUST, GO, CPP = "rust@1.39:official", "go@1.39:official", "cpp@1.38:official"
SUITE = SuiteEntry((), (), (), (), ("http_filter", "network_filter"), ("tracer",))


def opened(open_page: Open) -> Seen:
    return open_page(
        report(
            [
                cell("a/one", RUST),
                cell("a/one", RUST, "1.40.0"),
                cell("a/two", RUST),
                known("a/two", sdk=RUST, host="1.40.0"),
                cell("a/one", GO),
                broken("a/one", sdk=GO, host="1.40.0"),
                cell("a/one", CPP, "1.38.2"),
                cell("a/one", CPP, "1.39.3"),
                cell(
                    "a/one",
                    CPP,
                    "1.36.4",
                    relation=Relation.UNSUPPORTED,
                    outcome=Outcome.CRASH,
                    judgement=Judgement.INFORMATIONAL,
                ),
                unreachable("a/one", host="1.40.0"),
            ],
            known_failures=[KNOWN_FAILURE],
            abi_findings=[FINDING],
            suite=SUITE,
        )
    )


def ask(seen: Seen, **chosen: str) -> tuple[str, str]:
    """Chooses, and returns the answer and all that is said with it."""
    for name, value in chosen.items():
        seen.page.locator(f"#my-{name}").select_option(value)
    answer = seen.page.locator("#my-module-answer")
    return answer.locator(".chip").inner_text(), answer.inner_text()


def test_what_works_what_is_known_and_what_fails(open_page: Open) -> None:
    seen = opened(open_page)
    word, said = ask(seen, language="rust", minor="1.39", **{"from": "1.39.3"}, to="1.40.0")
    assert word == "! works, with these known failures"
    assert "known-1 (1 case, at worst: ends Envoy) not on Envoy 1.39.3" in said
    word, said = ask(seen, to="1.39.3")
    assert word == "✓ works"
    word, said = ask(seen, language="go", minor="1.39", to="1.40.0")
    assert word == "✗ does not work"
    assert "at worst: answers wrongly" in said


def test_what_was_not_tested_is_never_a_tick(open_page: Open) -> None:
    seen = opened(open_page)
    assert ask(seen, language="rust", minor="1.40", to="1.40.0")[0] == "○ not tested"
    word, said = ask(seen, minor="1.39", to="1.39.3", point="tracer")
    assert word == "○ not tested at this extension point"
    assert "No case is about tracer" in said
    word, said = ask(seen, language="cpp", minor="1.38", to="1.36.4", point="http_filter")
    assert word == "· not promised"
    assert "tried, and 1 of 1 case fail, at worst: ends Envoy" in said


def test_a_break_of_the_abi_is_told_where_it_concerns_the_extension_point(open_page: Open) -> None:
    seen = opened(open_page)
    word, said = ask(seen, language="cpp", minor="1.38", **{"from": "1.38.2"}, to="1.39.3", point="http_filter")
    assert word == "✓ works"
    assert "1 change of the ABI on this way may break a module: envoy_dynamic_module_callback_moved" in said
    assert "change of the ABI" not in ask(seen, to="1.38.2")[1]


def test_the_line_for_check_names_all_that_was_chosen(open_page: Open) -> None:
    seen = opened(open_page)
    ask(seen, language="rust", minor="1.39", **{"from": "1.39.3"}, to="1.40.0", point="network_filter")
    assert seen.page.locator("#my-module-answer code").inner_text() == (
        "dmconform check MODULE.so --host 1.39.3 --host 1.40.0 --extension-point network_filter --sdk-minor 1.39"
    )


def test_without_an_official_sdk_there_is_nothing_to_ask(open_page: Open) -> None:
    assert not open_page(report([cell()])).page.locator("#my-module").is_visible()


def test_a_known_failure_leads_to_its_cells(open_page: Open) -> None:
    seen = opened(open_page)
    ask(seen, language="rust", minor="1.39", to="1.40.0")
    seen.page.locator("#my-module-answer a").first.click()
    assert seen.fragment == f"sdk={RUST}&host=1.40.0&record=known-1"
    assert seen.page.locator("#shown").inner_text() == "1 of 10 cells"

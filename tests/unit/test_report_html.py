"""The page: what is in it. What a browser makes of it is in tests/browser."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import msgspec
import pytest

from harness.binaries.model import StaticKind
from harness.model import Judgement, Load, Outcome, ProbeLoad, Relation
from harness.report.html import cell_anchor, relative_link, render_html
from harness.report.schema import Report
from tests.unit.report_samples import (
    ALL_KINDS,
    COMPLAINTS,
    FINDING,
    KNOWN_FAILURE,
    broken,
    cell,
    disputed,
    hostile_report,
    matrix,
    report,
    sdk,
    static,
)


class Page(HTMLParser):
    """The elements of a page, and the text of each."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(whole: Report) -> str:
    """The source of the page, without the places where a long name may be broken."""
    return render_html(whole).replace("<wbr>", "")


def test_every_cell_links_to_its_own_section() -> None:
    whole = matrix()
    page = Page(render_html(whole))
    sections = [it["id"] for it in page.all("section")]
    assert len(sections) == len(set(sections)) == len(whole.cells)
    links = {it["id"]: it["href"] for it in page.all("a") if it.get("id", "").startswith("at-")}
    assert set(links.values()) == {f"#{name}" for name in sections}
    assert sections[0] == cell_anchor(whole.cells[0].id)


def test_all_ids_are_unique_and_every_inner_link_leads_somewhere() -> None:
    page = Page(render_html(report(ALL_KINDS, known_failures=[KNOWN_FAILURE])))
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(names) == len(set(names))
    inner = {it["href"][1:] for it in page.all("a") if it["href"].startswith("#")}
    assert inner <= set(names)


def test_a_cell_shows_a_word_and_its_meaning_in_a_label() -> None:
    source = render_html(report(ALL_KINDS))
    (link,) = [
        it for it in Page(source).all("a") if it.get("id", "").endswith("rust@1.39%3Areference/1.40.0") and "bad" in it["class"]
    ]
    assert link["aria-label"] == "window/proxied_traffic, rust@1.39:reference on 1.40.0: failed, promised, broken"
    assert '<span aria-hidden="true">✗</span>FAIL</a>' in source


def test_the_frame_runs_around_the_window_and_nowhere_else() -> None:
    cells = [
        cell(
            case,
            host=host,
            relation=relation,
            judgement=Judgement.FACT if relation is Relation.BEYOND else Judgement.AS_PROMISED,
        )
        for case in ("a/one", "a/two")
        for host, relation in (("1.38.3", Relation.BEYOND), ("1.39.3", Relation.PROMISED), ("1.40.0", Relation.PROMISED))
    ]
    page = Page(render_html(report(cells)))
    classes = [it["class"].split()[1:] for it in page.all("a") if it.get("id", "").startswith("at-")]
    assert classes == [
        [],
        ["promised", "edge-t", "edge-l"],
        ["promised", "edge-t", "edge-r"],
        [],
        ["promised", "edge-b", "edge-l"],
        ["promised", "edge-b", "edge-r"],
    ]


def test_detail_says_everything_about_a_cell() -> None:
    entry = broken(
        detail="expected 200\nseen 503",
        facts={"latency": "12 ms"},
        module_sha256="cd" * 32,
        known_failure="known-1",
    )
    text = Page(render_html(report([entry], known_failures=[KNOWN_FAILURE]))).text
    for said in (
        "Statement 0: window/proxied_traffic works.",
        "expected 200\nseen 503",
        "latency",
        "12 ms",
        "cd" * 32,
        "known-1: The SDK of 1.38 does not guard this callback.",
        entry.relation_reason,
        entry.reproduce,
    ):
        assert said in text


def test_evidence_is_a_link_below_the_report() -> None:
    source = render_html(report([broken(evidence="evidence/a b/rust@1.39:reference")]))
    assert 'href="./evidence/a%20b/rust@1.39%3Areference/"' in source


@pytest.mark.parametrize("path", ["/etc/passwd", "//host/share", "../up", "a/../../up", "", None, "..\\up"])
def test_a_path_that_leads_elsewhere_is_no_link(path: str | None) -> None:
    assert relative_link(path) is None


def test_a_scheme_is_taken_for_a_file_name() -> None:
    assert relative_link("javascript:alert(1)") == "./javascript%3Aalert%281%29"


def test_the_policy_allows_the_page_its_own_style_and_nothing_else() -> None:
    source = render_html(report([cell()]))
    (policy,) = [it["content"] for it in Page(source).all("meta") if it.get("http-equiv") == "Content-Security-Policy"]
    found = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    assert found
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    assert source.index("Content-Security-Policy") < source.index("<style>")


def test_hostile_text_makes_no_element_and_no_attribute() -> None:
    source = render_html(hostile_report())
    page = Page(source)
    assert not page.all("script")
    assert not page.all("img")
    assert not any(name.startswith("on") or name == "style" for _, attributes in page.elements for name in attributes)
    for tag in ("a", "link"):
        assert all(re.match(r"#|\./|data:,$", it["href"]) for it in page.all(tag))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", source)
    assert "{{ 7*7 }}" in page.text
    assert '<script>alert("x")</script>' in page.text


def test_the_header_counts_and_answers() -> None:
    source = render_html(report(ALL_KINDS))
    counts = dict(re.findall(r'<li data-count="([^"]+)"[^>]*><b>([^<]+)</b>', source))
    assert counts["planned"] == "10"
    assert counts["promised"] == "1 / 5"
    assert counts["verdicts disagree"] == "1"
    assert {name: counts[name] for name in ("blocked", "unreachable", "not applicable")} == {
        "blocked": "1",
        "unreachable": "1",
        "not applicable": "1",
    }
    assert '<h1 id="answer">✗ The promised window does not hold: 1 of 5' in source


def test_an_incomplete_run_says_so_first() -> None:
    source = render_html(report([cell()], planned=2, complete=False, incomplete_reason="interrupted"))
    assert "✓ The promised" not in source
    assert "The run is incomplete: interrupted" in source
    assert '<li data-count="never begun"><b>1</b>' in source


def test_a_very_long_detail_is_cut_and_says_so() -> None:
    source = render_html(report([broken(detail="x" * 100_000)]))
    assert "(96000 more characters in report.json)" in source
    assert len(source) < 60_000


def test_only_cases_with_trouble_stay_when_asked() -> None:
    source = render_html(
        report([cell("a/calm"), broken("a/bad"), cell("a/fact", judgement=Judgement.FACT, outcome=Outcome.FAILED)])
    )
    calm = re.findall(r'<tr( class="calm")?><th class="case" scope="row" title="[^"]*">([^<]*)<', source)
    assert calm == [(' class="calm"', "a/calm"), ("", "a/bad"), (' class="calm"', "a/fact")]


def test_each_column_has_its_static_verdict_and_a_link_to_all_of_it() -> None:
    entries = [
        static("rust@1.39:reference", "1.38.3", StaticKind.BOMB, 70),
        static("rust@1.39:reference", "1.39.3"),
        static("rust@1.39:reference", "1.40.0"),
    ]
    source = page_of(report([cell(host=it) for it in ("1.38.3", "1.39.3", "1.40.0", "1.41.0")], static=entries))
    row = source[source.index('id="static-row"') :].partition("</tr>")[0]
    assert re.findall(r">([^<>]+)</(?:a|td)>", row) == ["bomb (70)", "loads", "loads", "not known"]
    links = re.findall(r'href="#(static-[0-9a-f]+)"', row)
    assert len(links) == 3
    assert links[1] == links[2] != links[0]
    told = source[source.index(f'<tr id="{links[0]}"') :].partition("</tr>")[0]
    assert "envoy_dynamic_module_callback_new_59" in told
    assert "envoy_dynamic_module_callback_new_60" not in told
    assert "and 10 more, in report.json" in told
    both = source[source.index(f'<tr id="{links[1]}"') :].partition("</tr>")[0]
    assert "1.39.3, 1.40.0" in both


def test_a_cell_shows_both_halves() -> None:
    entry = cell(probe_load=ProbeLoad(Load.REFUSED, "envoy_dynamic_module_callback_new_0"))
    half = static("rust@1.39:reference", "1.39.3", StaticKind.REFUSED, 2)
    source = page_of(report([entry], static=[half]))
    assert re.search(
        r'data-field="static"><a href="#static-[0-9a-f]+">refused at load: symbols [^<]*_new_0, [^<]* missing', source
    )
    assert '<dd data-field="probe">refused at load: envoy_dynamic_module_callback_new_0</dd>' in source
    assert 'data-field="disagreement"' not in source


def test_a_long_name_may_be_broken_after_what_all_begin_with() -> None:
    source = render_html(report([cell()], abi_findings=[FINDING]))
    assert '<td class="mono say">envoy_dynamic_module_callback_<wbr>moved</td>' in source


def test_a_disagreement_is_loud_where_it_counts_and_flagged_where_it_does_not() -> None:
    beyond = cell(
        "load/luck", host="1.36.4", relation=Relation.BEYOND, judgement=Judgement.FACT, disagreement="halves <differ>"
    )
    source = render_html(report([disputed("load/hidden"), beyond]))
    assert '<h1 id="answer">✗ Static and run-time verdicts of promised cells disagree (1 cell whose' in source
    section = source[source.index('<details open id="disputes">') :].partition("</details>")[0]
    assert "verdicts disagree: 2 cells" in section
    assert section.index("AGAINST the run") < section.index("gates nothing")
    assert "halves &lt;differ&gt;" in section
    links = [it for it in Page(source).all("a") if it.get("id", "").startswith("at-")]
    assert [("bad" in it["class"], it["aria-label"].endswith("verdicts disagree")) for it in links] == [
        (True, True),
        (False, True),
    ]
    assert '<span aria-hidden="true">✓</span>DISPUTED <b>≠</b></a>' in source
    assert '<span aria-hidden="true">✓</span>ok <b>≠</b></a>' in source
    assert '<pre class="dispute" data-field="disagreement">halves &lt;differ&gt;</pre>' in source
    calm = re.findall(r'<tr( class="calm")?><th class="case" scope="row" title="[^"]*">([^<]*)<', source)
    assert calm == [("", "load/hidden"), ("", "load/luck")]


def test_without_a_disagreement_there_is_no_word_of_one() -> None:
    source = render_html(report([cell()], static=[static("rust@1.39:reference", "1.39.3")]))
    assert 'id="disputes"' not in source
    assert 'data-count="verdicts disagree"' not in source


def test_findings_of_the_abi_have_their_section_with_names() -> None:
    nearby = msgspec.structs.replace(FINDING, sdk_minor="1.39", host_minor="1.40", subject="other_name", certain=False)
    source = page_of(report([cell()], abi_findings=[FINDING, nearby]))
    section = source[source.index('id="findings"') :].partition("</table>")[0]
    first, second = section.partition("<tbody>")[2].split("</tr>")[:2]
    for said in ("1.38 → 1.39", "envoy_dynamic_module_callback_moved", "http_filter, network_filter", "rust@1.38:upstream"):
        assert said in first
    assert "not the release" not in first
    assert "other_name" in second
    assert "as far as a header tells that is not the release&#39;s own" in second
    assert 'id="findings"' not in render_html(report([cell()]))


def test_what_the_probes_file_says_stands_with_its_sdk() -> None:
    source = render_html(report([cell()], sdks=[sdk("rust@1.39:reference"), sdk("go@1.39:reference", problem="no")]))
    table = source[source.index('id="probes"') :].partition("</table>")[0]
    assert [row.count("at load (BIND_NOW)") for row in table.split("</tr>")[1:-1]] == [1]
    assert '<td class="nowrap">rust@1.39:reference</td><td class="count">1</td>' in table
    assert 'id="probes"' not in render_html(report([cell()], sdks=[sdk("go@1.39:reference", problem="no")]))


def test_a_report_without_cells_still_is_a_page() -> None:
    empty = msgspec.structs.replace(report([]), exit_code=3)
    assert "<h1" in render_html(empty)


def test_each_kind_of_complaint_has_its_command() -> None:
    source = page_of(report([cell()], complaints=COMPLAINTS, exit_code=1))
    section = source[source.index('<details open id="complaints">') :].partition("</details>")[0]
    for it in COMPLAINTS:
        assert f">{it.kind.value}</td><td>{it.record or ''}</td>" in section
        assert f"<td>text of {it.kind.name}</td><td><code>{it.mend}</code></td>" in section
    assert 'id="complaints"' not in page_of(report([cell()]))


def test_requirements_have_their_counts() -> None:
    source = page_of(report([cell("a/one"), broken("a/two")]))
    section = source[source.index('<details id="coverage">') :].partition("</table>")[0]
    first, second = section.partition("<tbody>")[2].split("</tr>")[:2]
    assert (
        '<td class="nowrap">REQ-0</td><td class="nowrap">holds</td>\n<td class="count">1</td><td class="count"></td>' in first
    )
    assert (
        '<td class="nowrap">REQ-1</td><td class="nowrap">BROKEN</td>\n<td class="count"></td><td class="count">1</td>' in second
    )
    assert "<div>a/two</div>" in second

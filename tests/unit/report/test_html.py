"""The page without its script, and the data that the script gets. What a browser makes of it is in tests/browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dmconform.cli.main import main
from dmconform.core.text import plain
from dmconform.core.values import Judgement, Load, Outcome, ProbeLoad, Relation
from dmconform.report.answers.answer import answers
from dmconform.report.answers.verdict import GateAnswer
from dmconform.report.comparison.compare import compare
from dmconform.report.html import render_html
from dmconform.report.marks import OUTCOME_MARKS
from dmconform.report.page.abi_steps import abi_steps
from dmconform.report.page.answer import TIMES, answer_parts
from dmconform.report.page.counts import figures
from dmconform.report.page.data import MOST_TEXT
from dmconform.report.page.document import embedded
from dmconform.report.page.failures import failures, loader_error
from dmconform.report.page.glossary import glossary
from dmconform.report.page.links import case_source, relative_link, web_link
from dmconform.report.page.older import missing_parts
from dmconform.report.schema import AbiPairEntry, CellEntry, EnvoyTestEntry, FindingEntry, Report, Shard, write_report
from dmconform.report.summary import summarise

from tests.unit.report_samples import (
    ALL_KINDS,
    FINDING,
    HOSTILE,
    INCONSISTENCIES,
    KNOWN_FAILURE,
    broken,
    cell,
    hostile_report,
    known,
    matrix,
    report,
    sdk,
    static,
    unreachable,
)


class Page(HTMLParser):
    """The elements of a page, its text, and what its two scripts hold."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._in_script = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def data_of(whole: Report, previous: Report | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        Page(render_html(whole, compare(previous, whole) if previous is not None else None)).scripts[0]
    )
    return found


def looks(data: dict[str, Any]) -> list[dict[str, str]]:
    """What the data says of each cell, with its own name put back in as the script does."""
    packed, texts, reported = data["cells"], data["texts"], []
    for at, number in enumerate(packed["look"]):
        column = data["columns"][packed["column"][at]]
        case = data["cases"][packed["case"][at]]["id"]
        name = packed["otherIds"].get(str(at)) or f"{case}/{data['sdks'][column['sdk']]['id']}/{column['host']}"
        values = (texts[it] for it in packed["looks"][number])
        its = {
            field: value.replace("\x01", name.replace(":", "+")).replace("\x02", name)
            for field, value in zip(packed["lookFields"], values, strict=True)
        }
        reported.append(its | {"id": name})
    return reported


def test_the_data_has_every_cell_as_the_report_has_it() -> None:
    whole = matrix()
    reported = looks(data_of(whole))
    assert len(reported) == 2040
    for seen, its in zip(reported, whole.cells, strict=True):
        expected = {
            "id": its.id,
            "outcome": its.outcome.value,
            "judgement": its.judgement.value,
            "relation": its.relation.value,
            "detail": its.detail,
            "reproduce": its.reproduce,
            "evidence": its.evidence or "",
            "record": its.known_failure or "",
        }
        assert {name: seen[name] for name in expected} == expected


def test_a_text_comes_back_whole_whatever_the_cell_is_called() -> None:
    names = ("a/b", "a:b/c", "\x1b[1:2mred/x", "\x01/\x02", "$&/$1")
    cells = [
        broken(name, f"{name}/rust@1.39:reference/1.39.3 and {name}/rust@1.39+reference/1.39.3 \x01 \x02") for name in names
    ]
    assert [its["detail"] for its in looks(data_of(report(cells)))] == [plain(its.detail) for its in cells]


def test_cells_that_say_the_same_cost_little() -> None:
    small, large = matrix(cases=10), matrix(cases=100)
    each = (len(render_html(large)) - len(render_html(small))) / (len(large.cells) - len(small.cells))
    assert each < 60, f"expected less than 60 bytes for one more cell, seen {each:.0f}"


def test_the_policy_allows_the_page_its_own_style_and_script_and_nothing_else() -> None:
    source = render_html(report([cell()]))
    (policy,) = [it["content"] for it in Page(source).all("meta") if it.get("http-equiv") == "Content-Security-Policy"]
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", source, re.DOTALL)
    assert style
    assert script
    digests = [base64.b64encode(hashlib.sha256(it[1].encode()).digest()).decode() for it in (script, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digests[0]}'; style-src 'sha256-{digests[1]}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert source.index("Content-Security-Policy") < source.index("<style>")


def test_the_script_never_takes_a_string_for_html() -> None:
    script = Page(render_html(report([cell()]))).scripts[1]
    for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "fetch("):
        assert name not in script


def test_nothing_ends_the_element_of_the_data() -> None:
    escaped = embedded('{"a": "</script><!-- <script> \u2028 & ]]>"}')
    assert not re.search("[<>&\u2028]", escaped)
    assert json.loads(escaped)["a"] == "</script><!-- <script> \u2028 & ]]>"


def test_hostile_text_makes_no_element_and_no_attribute() -> None:
    source = render_html(hostile_report(), compare(hostile_report(), hostile_report()))
    page = Page(source)
    assert [it.get("type", "") for it in page.all("script")] == ["application/json", ""]
    assert not page.all("img")
    assert not any(name.startswith("on") or name == "style" for _, attributes in page.elements for name in attributes)
    for tag in ("a", "link"):
        assert all(re.match(r"#|\./|data:,$", it["href"]) or it["href"] == DOCUMENTATION for it in page.all(tag))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", source)
    assert '<script>alert("x")</script>' in page.text
    assert looks(json.loads(page.scripts[0]))[0]["detail"].startswith(plain(HOSTILE)[:20])


@pytest.mark.parametrize("path", ["/etc/passwd", "//host/share", "../up", "a/../../up", "", None, "..\\up"])
def test_a_path_that_leads_elsewhere_is_no_link(path: str | None) -> None:
    assert relative_link(path) is None


def test_a_scheme_is_taken_for_a_file_name() -> None:
    assert relative_link("javascript:alert(1)") == "./javascript%3Aalert%281%29"


DOCUMENTATION = "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/dynamic_modules"


@pytest.mark.parametrize(
    "address",
    [
        "",
        None,
        "not reported",
        "http://github.com/a/b/issues/1",
        "javascript:alert(1)",
        "https://user@example.com/",
        "https://[bad/",
        "https://a.example/<script>",
        'https://a.example/"onclick',
        "https://a.example/ b",
        "https://a.example/\u202e",
        "//a.example/b",
    ],
)
def test_an_address_that_is_none_of_the_web_is_no_link(address: str | None) -> None:
    assert web_link(address) is None


def test_an_address_of_the_web_is_kept_as_it_is() -> None:
    address = "https://github.com/envoyproxy/envoy/issues/1?a=b#c"
    assert web_link(address) == address


COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "https://example.org/team/suite"


@pytest.mark.parametrize(
    ("repository", "commit", "line", "link"),
    [
        (REPOSITORY, COMMIT, 12, f"{REPOSITORY}/blob/{COMMIT}/conformance/cases/test_window.py#L12"),
        ("", COMMIT, 12, None),
        (REPOSITORY, f"{COMMIT}+changes", 12, None),
        (REPOSITORY, "installed-0.1.0", 12, None),
        (REPOSITORY, COMMIT, 0, None),
        ("javascript:alert(1)//", COMMIT, 12, None),
    ],
)
def test_a_case_links_to_its_source_where_the_report_shows_it(
    repository: str, commit: str, line: int, link: str | None
) -> None:
    environment = msgspec.structs.replace(report([cell()]).environment, repository=repository, suite_commit=commit)
    case = msgspec.structs.replace(report([cell()]).cases[0], line=line)
    assert case_source(environment, case) == link
    whole = msgspec.structs.replace(report([cell()]), environment=environment, cases=(case,))
    page = render_html(whole)
    assert (link is not None and link in page) is (link is not None)
    assert (f'<a href="{repository}"' in page) is (repository == REPOSITORY)


def test_the_header_counts_and_answers_without_a_script() -> None:
    source = render_html(report([*ALL_KINDS, known("a/two", sdk=OFFICIAL)]))
    counts = dict(re.findall(r'<b data-count="([^"]+)">([^<]+)</b>', source))
    assert counts == {
        "changed": "1",
        "tested": "50 %",
        "new": "0",
        "known": "1",
        "crashes": "2",
        "control": "1",
        "planned": "12",
        "ran": "9",
        "error": "1",
        "all not tested": "1",
        "not applicable": "1",
        "legacy and unsupported": "1 / 2",
        "static/run-time mismatch": "1",
    }
    assert "</span> The control does not hold</h1>" in source
    assert "not tested: 1 of 2 supported cells of the official SDKs" in source.partition("</header>")[0]


def test_crashes_count_whether_or_not_they_are_promised() -> None:
    fact = cell("a/x", OFFICIAL, relation=Relation.UNSUPPORTED, outcome=Outcome.CRASH, judgement=Judgement.INFORMATIONAL)
    (crashes,) = [it for it in figures(summarise(report([known(sdk=OFFICIAL), known("a/y"), fact]))) if it.name == "crashes"]
    assert (crashes.number, crashes.is_loud) == ("3", True)
    assert crashes.text.endswith("1 promised of the official SDKs, 1 of the control, 1 not promised")
    (none,) = [it for it in figures(summarise(report([cell()]))) if it.name == "crashes"]
    assert (none.number, none.is_loud) == ("0", False)


OFFICIAL = "rust@1.39:official"


def test_what_needs_the_script_is_hidden_until_it_runs() -> None:
    page = Page(render_html(report(ALL_KINDS)))
    hidden = {it["id"] for it in page.all("section") if "hidden" in it}
    assert hidden == {"filter-bar", "failures", "matrix", "findings", "abi", "requirements"}
    assert "Without JavaScript this page has the answer" in page.text


def test_an_incomplete_run_says_so_first() -> None:
    source = render_html(report([cell()], planned=2, complete=False, incomplete_reason="interrupted"))
    assert "✓</span>" not in source.partition("</header>")[0]
    assert "The run is incomplete: interrupted" in source
    assert '<li class="open"><b data-count="missing">1</b>' in source


def test_each_field_of_the_table_says_what_is_known() -> None:
    cells = [
        cell("a/one", OFFICIAL),
        known("a/two", sdk=OFFICIAL),
        broken("a/two", sdk=OFFICIAL, host="1.40.0"),
        cell("a/one", "rust@1.38:official", host="1.38.2"),
        cell("a/one", "rust@1.38:official", outcome=Outcome.ERROR, judgement=Judgement.ERROR),
        cell("a/one", "go@1.39:official"),
        unreachable("a/two", "go@1.39:official"),
        unreachable("a/one", "go@1.40:official", host="1.40.0"),
        cell("a/one", "go@1.37:official", relation=Relation.UNSUPPORTED, **CRASHED),
    ]
    table = answer_parts(report(cells)).official
    assert [host.id for host in table.hosts] == ["1.38.2", "1.39.3", "1.40.0"]
    seen = {
        (row.label, it.host): (it.glyph, it.word, it.note, it.is_supported) for row in table.rows for it in row.fields if it
    }
    assert seen == {
        ("Go 1.37", "1.39.3"): ("·", "not promised", f"1 {TIMES} ends Envoy", False),
        ("Go 1.39", "1.39.3"): ("◐", "partly tested", "1 of 2", True),
        ("Go 1.40", "1.40.0"): ("○", "not tested", "0 of 1", True),
        ("Rust 1.38", "1.38.2"): ("✓", "holds", "1 of 1", True),
        ("Rust 1.38", "1.39.3"): ("■", "could not run", "1 of 1", True),
        ("Rust 1.39", "1.39.3"): ("!", "1 known", f"1 {TIMES} ends Envoy", True),
        ("Rust 1.39", "1.40.0"): ("✗", "1 fail", f"1 {TIMES} answers wrongly", True),
    }
    (row,) = [it for it in table.rows if it.label == "Go 1.39"]
    assert [it and it.link for it in row.fields] == [None, "#sdk=go@1.39:official&host=1.39.3", None]


CRASHED: dict[str, Any] = {"outcome": Outcome.CRASH, "judgement": Judgement.INFORMATIONAL}


def test_the_reference_sdk_is_beside_the_answer_and_never_in_it() -> None:
    parts = answer_parts(report([broken(), cell("a/one", OFFICIAL)]))
    assert [row.id for row in parts.official.rows] == [OFFICIAL]
    assert [row.id for row in parts.control.rows] == ["rust@1.39:reference"]
    source = render_html(report([broken()]))
    assert "No official SDK was part of this run" in source
    assert '<details id="control" open>' in source


def test_the_answers_of_the_page_are_those_of_the_gate() -> None:
    whole = matrix()
    shown = {(it.subject.removeprefix("Envoy "), it.word) for it in answer_parts(whole).answers}
    words = {GateAnswer.MAY: "may be released", GateAnswer.MAY_NOT: "may not", GateAnswer.UNKNOWN: "cannot be told"}
    given = answers(whole)
    assert shown == {(subject, words[verdict.answer]) for subject, verdict in (*given.sdks, *given.hosts)}
    assert {word for _, word in shown} >= {"may be released", "may not"}


def test_the_reasons_of_an_answer_name_a_record_once() -> None:
    policy_fails = [known(f"a/{name}", sdk=OFFICIAL) for name in ("one", "two", "three")]
    (its,) = [it for it in answer_parts(report(policy_fails)).answers if it.subject == OFFICIAL]
    known_reasons = [one for one in its.reasons if one.kind.startswith("known failure")]
    assert [(one.text, one.link) for one in known_reasons] == [("known-1: 3 cells", "#sdk=rust@1.39:official&record=known-1")]


def test_one_error_of_the_loader_is_one_cause_whatever_the_case() -> None:
    def refused(case: str, folder: str, symbol: str = "envoy_dynamic_module_callback_gone") -> CellEntry:
        detail = (
            "Error adding/updating listener(s) main: Failed to load dynamic module: Failed to load dynamic module: "
            f"{folder}/libprobe.so : {folder}/libprobe.so: undefined symbol: {symbol}"
        )
        return msgspec.structs.replace(broken(case, detail, sdk=OFFICIAL), outcome=Outcome.REJECTED)

    cells = [refused("a/one", "/tmp/x"), refused("b/two", "$CELL/modules"), refused("a/one", "/tmp/x", "other_symbol")]
    cells[2] = msgspec.structs.replace(cells[2], host="1.40.0", id="a/one/rust@1.39:official/1.40.0")
    found = failures(report([*cells, broken("a/three", "seen 503"), broken("a/four", "seen 503")]))
    assert sorted((len(it.cells), it.is_loader) for it in found) == [(1, False), (1, False), (1, True), (2, True)]
    assert loader_error(cells[0].detail) == loader_error(cells[1].detail)
    assert loader_error("expected 200, seen 503") is None
    assert len({it.id for it in found}) == 4
    assert [it.id for it in failures(report(cells))] == [it.id for it in found if it.is_loader], "a link would lead elsewhere"


def test_known_failures_are_one_cause_for_each_record_and_the_worst_comes_first() -> None:
    wrong = cell("a/w", outcome=Outcome.FAIL, judgement=Judgement.XFAIL, known_failure="known-2", detail="seen 503")
    found = failures(report([wrong, known("a/one"), known("b/two"), broken("c/three")]))
    assert [(it.judgement.value, it.record, len(it.cells)) for it in found] == [
        ("fail", "", 1),
        ("xfail", "known-1", 2),
        ("xfail", "known-2", 1),
    ]


def test_the_page_links_to_no_file_that_is_not_there(tmp_path: Path) -> None:
    kept, gone = broken("a/kept"), broken("a/gone")
    whole = report([kept, gone])
    (tmp_path / str(kept.evidence)).mkdir(parents=True)
    source = render_html(whole, None, tmp_path)
    assert {its["id"]: its["evidence"] for its in looks(json.loads(Page(source).scripts[0]))} == {
        kept.id: kept.evidence,
        gone.id: "",
    }
    assert not [it for it in Page(source).all("a") if it["href"].startswith("./")]
    (tmp_path / "report.json").touch()
    assert {it["href"] for it in Page(render_html(whole, None, tmp_path)).all("a") if it["href"].startswith("./")} == {
        "./report.json"
    }
    everything = looks(data_of(whole))
    assert [its["evidence"] for its in everything] == [kept.evidence, gone.evidence], "a run's own page links to all it kept"


def test_the_command_links_to_what_lies_beside_the_page(tmp_path: Path) -> None:
    whole = report([broken()])
    write_report(whole, tmp_path / "report.json")
    (tmp_path / str(whole.cells[0].evidence)).mkdir(parents=True)
    other = tmp_path / "other"
    other.mkdir()
    for folder, is_linked in ((tmp_path, True), (other, False)):
        assert main(["page", str(tmp_path / "report.json"), "--out", str(folder / "page.html")]) == 0
        (its,) = looks(json.loads(Page((folder / "page.html").read_text(encoding="utf-8")).scripts[0]))
        assert bool(its["evidence"]) is is_linked


def test_a_link_to_the_page_shows_its_answer() -> None:
    page = Page(render_html(report([broken(sdk=OFFICIAL), unreachable()])))
    metas = {it.get("property") or it.get("name"): it.get("content") for it in page.all("meta")}
    assert metas["og:title"] == "✗ What is promised does not hold"
    assert str(metas["og:description"]).startswith("1 of 1 supported cells of the official SDKs that ran fail")
    assert "not tested: 1 of 2" in str(metas["description"])


def test_the_glossary_has_the_words_of_its_document() -> None:
    words = {it.term: it.meaning for it in glossary()}
    assert words["probe"] == "a module that this suite builds"
    assert words["crash"] == "the host died of a signal, or ended by itself"
    assert not any("`" in text or "---" in text for it in words.items() for text in it)
    assert "a module that this suite builds" in Page(render_html(report([cell()]))).text


def test_a_requirement_and_a_record_have_their_links_in_the_data() -> None:
    record = msgspec.structs.replace(
        KNOWN_FAILURE, title="A panic ends Envoy", issue="https://github.com/envoyproxy/envoy/issues/1", workaround="catch it"
    )
    silent = msgspec.structs.replace(KNOWN_FAILURE, id="known-2", issue="not reported", looked_for="2026-11-30")
    evil = msgspec.structs.replace(KNOWN_FAILURE, id="known-3", issue="javascript:alert(1)")
    whole = report([known()], known_failures=[record, silent, evil])
    linked = msgspec.structs.replace(whole.requirements[0], link="https://github.com/envoyproxy/envoy/blob/v1.40.0/a.rst")
    data = data_of(msgspec.structs.replace(whole, requirements=(linked,)))
    assert data["requirements"][0]["link"] == linked.link
    assert [(it["title"], it["issue"]) for it in data["records"]] == [
        ("A panic ends Envoy", record.issue),
        ("known-2", "not reported, looked for on 2026-11-30"),
        ("known-3", "javascript:alert(1)"),
    ]


def test_a_very_long_detail_is_cut_and_says_so() -> None:
    source = render_html(report([broken(detail="x" * 100_000)]))
    assert "(96000 more characters in report.json)" in source
    assert source.count("x" * 1000) <= 8


def test_details_are_cut_shorter_where_there_are_too_many() -> None:
    many = 1 + MOST_TEXT // 4000
    cells = [broken(f"a/case_{number}", f"{number} " + "y" * 5000) for number in range(many)]
    reported = looks(data_of(report(cells)))
    assert max(len(its["detail"]) for its in reported) < 500
    assert "more characters in report.json" in reported[0]["detail"]


def test_the_abi_from_minor_to_minor_follows_from_the_pairs() -> None:
    pairs = (
        AbiPairEntry("1.38", "1.38", 0, 676, 676, 0, 0),
        AbiPairEntry("1.38", "1.39", 2, 669, 660, 5, 4),
        AbiPairEntry("1.39", "1.39", 0, 782, 782, 0, 0),
        AbiPairEntry("1.39", "1.40", 0, 780, 0, 780, 0),
    )
    moved = msgspec.structs.replace(FINDING, subject="other", kind="parameters moved")
    whole = msgspec.structs.replace(report([cell()], abi_findings=[FINDING, moved]), abi_pairs=pairs)
    first, second = abi_steps(whole)
    assert (first.old, first.new, first.before, first.removed, first.added, first.changed) == ("1.38", "1.39", 676, 7, 113, 1)
    assert (second.before, second.removed, second.after, second.added) == (782, 2, None, None)


def test_what_changed_since_an_earlier_report_is_reported_by_identity() -> None:
    before = report([cell("a/same"), cell("a/worse"), cell("a/gone")])
    after = report([broken("a/worse"), cell("a/same"), cell("a/new")])
    data = data_of(after, before)
    texts = data["texts"]
    assert {at: [texts[it] for it in was] for at, was in data["changes"]["was"].items()} == {
        "0": ["pass", "pass", "regression: supported, passed before, fails now", "the same host binary"]
    }
    assert data["changes"]["new"] == [2]
    assert data["changes"]["gone"] == 1
    assert data_of(after)["changes"] is None


def test_an_older_report_says_what_it_cannot_tell() -> None:
    whole = report([cell()], static=[static("rust@1.39:reference", "1.39.3")])
    assert missing_parts(whole) is None
    bare = msgspec.structs.replace(
        whole,
        static=(),
        abi_pairs=(),
        requirements=tuple(msgspec.structs.replace(one, cases=()) for one in whole.requirements),
    )
    source = render_html(bare)
    assert "This report has an older schema version and lacks: static analysis" in source
    assert "inconsistencies of records (version 3)" in source


def test_the_legend_explains_every_look_and_sign() -> None:
    legend = Page(render_html(report([cell()]))).text.partition("★ framed")[2].partition("Findings")[0]
    for words in (
        "✗ FAIL",
        "✓ XPASS",
        "MISMATCH ≠",
        "✗ xfail",
        "■ ERROR",
        "white",
        "not planned",
        "dotted",
        "dots",
        "filtered out",
    ):
        assert words in legend, words
    for sign, word in OUTCOME_MARKS.values():
        assert f"{sign} " in legend, word


def test_prediction_and_observation_of_a_cell_are_in_the_data() -> None:
    entry = cell(probe_load=ProbeLoad(Load.REFUSED, "envoy_dynamic_module_callback_new_0"), mismatch="they differ")
    data = data_of(report([entry], static=[static("rust@1.39:reference", "1.39.3", missing=70)]))
    (its,) = looks(data)
    assert (its["load"], its["symbol"]) == ("refused at load", "envoy_dynamic_module_callback_new_0")
    assert (its["mismatch"], its["flag"]) == ("they differ", "≠")
    (half,) = data["static"]
    assert (half["missing"], len(half["names"])) == (70, 60)
    assert data["columns"][0]["static"] == 0


def test_lines_of_the_hosts_log_are_in_the_data_of_reports_that_have_them() -> None:
    class WithLog(CellEntry, frozen=True):
        log: tuple[str, ...] = ()

    entry = WithLog(**msgspec.structs.asdict(cell()) | {"log": ("first", f"in {cell().id}")})
    assert looks(data_of(report([entry])))[0]["log"] == f"first\nin {cell().id}"
    assert looks(data_of(report([cell()])))[0]["log"] == ""


def test_a_part_of_a_run_says_so() -> None:
    whole = msgspec.structs.replace(report([cell()]), shard=Shard(index=2, count=5, plan_sha256="ab", planned_cells=9))
    assert "part 2 of 5" in render_html(whole)
    assert "part 2 of 5" not in render_html(report([cell()]))


def test_each_kind_of_complaint_has_its_command_in_the_data() -> None:
    reported = data_of(report([cell()], inconsistencies=INCONSISTENCIES, exit_code=1))["inconsistencies"]
    assert {(it["kind"], it["fix"]) for it in reported} == {(it.kind.value, it.fix) for it in INCONSISTENCIES}


def test_known_failures_have_their_records_in_the_data() -> None:
    data = data_of(report(ALL_KINDS, known_failures=[KNOWN_FAILURE]))
    (record,) = data["records"]
    assert (record["id"], record["reason"]) == ("known-1", "The SDK of 1.38 does not guard this callback.")
    assert {cause["judgement"] for cause in data["causes"]} == {
        *("changed fact", "fail", "xpass", "xfail", "error", "informational")
    }


FOUND = FindingEntry(
    "found",
    f"Title {HOSTILE}",
    "nothing",
    "it ends",
    ("1.38.3",),
    ("cpp@*",),
    "the host's: so",
    "dmconform run --host 1.38",
    None,
)


def test_findings_from_before_are_in_the_data() -> None:
    (it,) = data_of(msgspec.structs.replace(report([cell()]), findings=(FOUND,)))["findings"]
    assert (it["id"], it["seen"], it["hosts"], it["command"]) == ("found", "it ends", ["1.38.3"], "dmconform run --host 1.38")
    assert "\x1b" not in it["title"]


def test_the_command_writes_the_page_with_what_changed(tmp_path: Path) -> None:
    old, new, out = tmp_path / "old.json", tmp_path / "new.json", tmp_path / "page.html"
    write_report(report([cell()]), old)
    write_report(report([broken()]), new)
    assert main(["page", str(new), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == render_html(report([broken()]), None, tmp_path)
    assert main(["page", str(new), "--previous", str(old), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == render_html(
        report([broken()]), compare(report([cell()]), report([broken()])), tmp_path
    )
    assert main(["page", str(tmp_path / "none.json"), "--out", str(out)]) == 2
    assert main(["page", str(new), "--out", str(tmp_path / "none" / "page.html")]) == 4


def test_requirements_have_their_counts() -> None:
    first, second = data_of(report([cell("a/one"), broken("a/two")]))["requirements"][:2]
    assert (first["id"], first["status"], first["passed"], first["failed"]) == ("REQ-0", "pass", 1, 0)
    assert (second["id"], second["status"], second["passed"], second["failed"]) == ("REQ-1", "FAIL", 0, 1)
    assert second["cases"] == ["a/two"]


def test_what_envoys_own_tests_check_is_in_the_data() -> None:
    shown = EnvoyTestEntry("a_test", "Loading", "it loads", ("a/one",), ("table",), None)
    whole = msgspec.structs.replace(report([cell()]), envoy_tests=(shown,))
    (its,) = data_of(whole)["envoyTests"]
    assert (its["id"], its["asserts"], its["shown"], its["reason"]) == ("a_test", "it loads", ["a/one", "table"], "")


def test_what_the_probes_file_says_stands_with_its_sdk() -> None:
    source = render_html(report([cell()], sdks=[sdk("rust@1.39:reference"), sdk("go@1.39:reference", problem="no compiler")]))
    rows = source[source.index('aria-label="SDK versions"') :].partition("</table>")[0].split("</tr>")[1:-1]
    assert ["bound at load (BIND_NOW)" in row for row in rows] == [True, False]
    assert ["not built: no compiler" in row for row in rows] == [False, True]


def test_a_report_without_cells_still_is_a_page() -> None:
    empty = msgspec.structs.replace(report([]), exit_code=3)
    assert "<h1" in render_html(empty)

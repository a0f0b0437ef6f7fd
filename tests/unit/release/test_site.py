"""A site says what its reports say and no more: the answer, since when what fails, what became worse."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from dmconform.cli.main import main
from dmconform.core.compressed import compress, read_plain_or_compressed
from dmconform.core.errors import DataFileError, EmptySelection, ExitCode, HarnessError, UsageError
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.release.site import folder as folder_module
from dmconform.release.site.badges import badge
from dmconform.release.site.build import build_site
from dmconform.release.site.folder import MARKER, site_folder
from dmconform.release.site.ledger import Ledger
from dmconform.release.site.model import AnswerWord
from dmconform.release.site.sources import find
from dmconform.release.site.trends import trends
from dmconform.report.reading import read_report
from dmconform.report.schema import CellEntry, Shard, report_json

from tests.checkout import ROOT
from tests.unit.report_samples import report, unreachable
from tests.unit.site_samples import (
    EVIL,
    HELD,
    OTHER,
    SDK,
    THIRD,
    broken_links,
    fails,
    holds,
    hostile_night,
    keep,
    night,
    own_pages,
    seen,
    two_nights,
)

ATOM = {"atom": "http://www.w3.org/2005/Atom"}
PUBLISHED = ROOT / "reports" / "published"
# The words of schema versions 1 to 6, and those since.
PROMISED = ("promised", "supported")
ENDED = ("host crashed", "crash")
NOT_RUN = ("unreachable", "not tested", "blocked", "error")
KNOWN = ("known failure", "xfail")
FILES = {"index.html", "trends.html", "failures.html", "feed.xml", MARKER}


def entries(out: Path) -> list[ElementTree.Element]:
    return ElementTree.parse(out / "feed.xml").getroot().findall("atom:entry", ATOM)


def text_of(element: ElementTree.Element, name: str) -> str:
    found = element.findtext(f"atom:{name}", namespaces=ATOM)
    assert found is not None, f"expected {name} in {ElementTree.tostring(element)[:200]!r}"
    return found


def href(element: ElementTree.Element, relation: str = "alternate") -> str:
    link = element.find(f"atom:link[@rel='{relation}']", ATOM)
    assert link is not None
    return link.attrib["href"]


# What it says


def test_two_nights_of_which_the_second_is_worse(tmp_path: Path) -> None:
    two_nights(tmp_path / "nights")
    out = tmp_path / "out"
    site = build_site(out, [tmp_path / "nights"])
    assert {path.name for path in out.iterdir()} == FILES | {"badges", "runs"}
    index, failures = seen(out / "index.html").text, seen(out / "failures.html").text
    assert "✗ What is promised does not hold" in index
    assert "66 % of what is promised of the official SDKs was tested (2 of 3 cells)" in index
    assert "1 new failures: 1 answers wrongly" in index
    assert "1 known failures: 1 ends Envoy" in index
    assert "1 cells in which Envoy ended, of all 3 that ran" in index
    assert "failing since night-1 of 2026-11-02; held last in night-0 of 2026-11-01" in failures
    assert failures.index("new window/loads") < failures.index("known known-1")
    assert "https://x.example/known?a=1" in seen(out / "failures.html").links
    assert "Workaround: Catch it." in failures
    assert [(one.number, one.turns.regressions != (), one.turns.lost != ()) for one in site.runs] == [
        (0, False, False),
        (1, True, True),
    ]
    titles = sorted(text_of(one, "title") for one in entries(out))
    assert titles == [
        "1 supported cell held and fail now: known failure known-1",
        "1 supported cell held and fail now: window/loads",
        "1 supported cell lost their answer (1 held): not tested: tag v1.40.0 cannot be fetched",
    ]


def test_what_was_failing_before_or_was_never_promised_is_no_regression(tmp_path: Path) -> None:
    held, failed = (
        msgspec.structs.replace(one, relation=Relation.UNSUPPORTED, judgement=Judgement.INFORMATIONAL)
        for one in (holds(OTHER), fails(OTHER))
    )
    keep(tmp_path / "nights", 0, night(fails(HELD), held))
    keep(tmp_path / "nights", 1, night(fails(HELD), failed))
    site = build_site(tmp_path / "out", [tmp_path / "nights"])
    assert entries(tmp_path / "out") == []
    assert [one.title for one in site.failures] == [HELD]
    assert "no run has seen it hold" in seen(tmp_path / "out" / "failures.html").text


def histories(*nights: tuple[CellEntry, ...]) -> tuple[Ledger, list[tuple[int, int]]]:
    """A ledger of some nights, and how many regressions and lost answers each has."""
    ledger, turns = Ledger(), []
    for number, cells in enumerate(nights):
        found = ledger.add(number, report(cells))
        turns.append((len(found.regressions), len(found.lost)))
    return ledger, turns


def test_since_when_a_cell_fails_is_the_first_of_the_runs_since_it_held() -> None:
    gone = unreachable(HELD, SDK, host="1.39.3")
    ledger, turns = histories(
        (fails(),), (holds(),), (fails(),), (holds(),), (holds(OTHER),), (fails(),), (gone,), (gone,), (fails(),)
    )
    assert turns == [(0, 0), (0, 0), (1, 0), (0, 0), (0, 0), (1, 0), (0, 1), (0, 0), (0, 0)]
    (one,) = ledger.since([fails()])
    assert (one.first, one.last_held, one.earlier) == (5, 3, 2)
    assert ledger.since([holds(OTHER)]) == ()


def test_what_held_before_a_gap_and_fails_after_it_is_a_regression() -> None:
    gone = unreachable(HELD, SDK, host="1.39.3")
    ledger, turns = histories((holds(),), (gone,), (fails(),))
    assert turns == [(0, 0), (0, 1), (1, 0)]
    (one,) = ledger.since([fails()])
    assert (one.first, one.last_held) == (2, 0)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"selection": {"sdk": ("rust@1.39",), "host": (), "case": ()}}, "it selected --sdk rust@1.39"),
        ({"selection": {"case": ("window/*",)}}, "it selected --case window/*"),
        ({"selection": {"host": ("1.39",)}}, "it selected --host 1.39"),
        ({"complete": False, "incomplete_reason": "interrupted"}, "it did not end: interrupted"),
        ({"planned_cells": 7}, "it did not end: cells that were planned are missing"),
    ],
)
def test_the_newest_whole_run_decides(tmp_path: Path, more: dict[str, object], why: str) -> None:
    keep(tmp_path / "nights", 0, night(holds()), selection={"host": ("all",), "sdk": (), "case": ()})
    keep(tmp_path / "nights", 1, night(fails()), **more)  # type: ignore[arg-type]
    site = build_site(tmp_path / "out", [tmp_path / "nights"])
    text = seen(tmp_path / "out" / "index.html").text
    assert site.newest.source.name == "night-0"
    assert site.failures == ()
    assert f"A newer run does not decide: night-1 of 2026-11-02 ; {why}." in text
    assert len(entries(tmp_path / "out")) == 1, "expected what became worse in it all the same"


def test_without_a_whole_run_the_newest_decides_and_the_page_says_so(tmp_path: Path) -> None:
    keep(tmp_path, 0, night(holds()), complete=False, incomplete_reason="interrupted")
    build_site(tmp_path / "out", [tmp_path / "night-0"])
    assert (
        "No run here is whole. This is the newest: it did not end: interrupted." in seen(tmp_path / "out" / "index.html").text
    )


def test_what_was_not_tested_is_never_a_tick(tmp_path: Path) -> None:
    first = night(unreachable(HELD, SDK, host="1.39.3"), holds(OTHER))
    keep(tmp_path, 0, first)
    second = night(unreachable(HELD, SDK, host="1.39.3"), unreachable(OTHER, SDK, host="1.39.3"))
    keep(tmp_path, 1, second, sdks=first.sdks, hosts=first.hosts)
    site = build_site(tmp_path / "out", [tmp_path / "night-0", tmp_path / "night-1"])
    (trend,) = trends(site.runs)
    assert [point.words for point in trend.points] == ["○ 0 of 2 hold; 2 not tested", "◐ 1 of 2 hold; 1 not tested"]
    assert "1 of 2, not tested" in trend.chart
    assert {one.answer for one in (*site.newest.sdk_answers, *site.newest.host_answers)} == {AnswerWord.NOT_TESTED}
    for file in (tmp_path / "out" / "badges").iterdir():
        assert "○ not tested" in file.read_text()
    assert "✓" not in seen(tmp_path / "out" / "index.html").text


def test_the_counts_are_those_of_the_report(tmp_path: Path) -> None:
    """Counted from `report.json` without any code of the reports."""
    out = tmp_path / "out"
    build_site(out, [PUBLISHED])
    newest = max(PUBLISHED.glob("*/report.json.xz"), key=lambda file: json.loads(read_plain_or_compressed(file))["started_at"])
    found = json.loads(read_plain_or_compressed(newest))
    supported = [one for one in found["cells"] if one["relation"] in PROMISED and one["outcome"] != "not applicable"]
    official = [one for one in supported if one["sdk"].endswith((":official", ":upstream"))]
    ended = [one for one in found["cells"] if one["outcome"] in ENDED]
    ran = [one for one in official if one["outcome"] not in NOT_RUN]
    known = [one for one in official if one["judgement"] in KNOWN]
    text = seen(out / "index.html").text
    assert ran
    assert known
    assert f"({len(ran)} of {len(official)} cells)" in text
    assert f"{len(known)} known failures" in text
    assert f"{len(ended)} cells in which Envoy ended" in text
    by_record = Counter(one["known_failure"] for one in supported if one["judgement"] in KNOWN)
    failures = seen(out / "failures.html").text
    for record, count in by_record.items():
        assert f"{record} {count} cell" in failures, record


def test_a_modified_build_is_marked_wherever_a_result_of_it_is_shown(tmp_path: Path) -> None:
    two_nights(tmp_path / "nights")
    first, second = (read_report(tmp_path / "nights" / f"night-{day}" / "report.json") for day in (0, 1))
    built = tuple(msgspec.structs.replace(one, build="0ebfcfe5b0/1.39.3/Modified/RELEASE/BoringSSL") for one in first.hosts)
    for day, made in ((0, first), (1, second)):
        keep(tmp_path / "modified", day, made, hosts=built)
    out = tmp_path / "out"
    build_site(out, [tmp_path / "modified"])
    for page in own_pages(out):
        assert "1.39.3 (modified build)" in seen(page).text, page.name
        assert not re.search(r"1\.39\.3(?! \(modified build\))", seen(page).text), page.name
    assert "rests on a modified build alone" in seen(out / "index.html").text
    assert all("/1.39.3 (modified build)" in text_of(one, "summary") for one in entries(out))
    assert "(modified build)" in (out / "badges" / "host-1.39.3.svg").read_text()


# Reports of all kinds


def test_published_reports_of_older_schema_versions_make_a_site_in_which_every_link_leads_somewhere(tmp_path: Path) -> None:
    versions = {json.loads(read_plain_or_compressed(file))["schema_version"] for file in PUBLISHED.glob("*/report.json.xz")}
    assert min(versions) < 8, "expected an older report among the published ones"
    out = tmp_path / "out"
    site = build_site(out, [PUBLISHED])
    assert {one.source.name for one in site.runs} == {path.name for path in PUBLISHED.iterdir() if path.is_dir()}
    assert broken_links(out, own_pages(out)) == []
    for run in site.runs:
        page = (out / run.page).read_text()
        assert '"evidence/' not in page, "expected no link to what a site does not have"
    trend = next(one for one in trends(site.runs) if (one.sdk, one.host) == ("go@1.39:official", "1.40.0"))
    assert trend.points[-1].words == "✓ 10 of 10 hold"


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    keep(tmp_path / "nights", 0, hostile_night(), name="<script>alert(1)<script>")
    out = tmp_path / "out"
    site = build_site(out, [tmp_path / "nights"])
    for page in own_pages(out):
        found = seen(page)
        assert not {"script", "img", "iframe", "object", "form", "base"} & set(found.tags), page.name
        assert found.events == []
        assert "\x1b" not in page.read_text()
        assert "\u202e" not in page.read_text()
        assert "{{ 7*7 }}" in page.read_text(), "expected the text to be there"
        assert not any(link.startswith(("javascript:", "http:")) for link in found.links)
    assert broken_links(out, own_pages(out)) == []
    assert 'href="https://x.example/' not in (out / "failures.html").read_text(), "expected no link to what is no clean address"
    names = {path.relative_to(out).as_posix() for path in out.rglob("*")}
    assert all(re.fullmatch(r"[a-z0-9/.~-]+", name) for name in names), names
    assert site.newest.source.name.startswith("<script>")
    assert all(one.badge is None for one in site.newest.host_answers)


def test_a_feed_of_hostile_text_is_well_formed(tmp_path: Path) -> None:
    first = hostile_night()
    held = msgspec.structs.replace(
        first, cells=tuple(msgspec.structs.replace(one, outcome=Outcome.PASS, detail="") for one in first.cells)
    )
    keep(tmp_path / "nights", 0, held)
    keep(tmp_path / "nights", 1, first)
    build_site(tmp_path / "out", [tmp_path / "nights"])
    assert len(entries(tmp_path / "out")) == 2
    assert "<script" not in (tmp_path / "out" / "feed.xml").read_text()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no report", "is not"),
        (
            report_json(msgspec.structs.replace(night(holds()), started_at="yesterday")),
            "started_at is 'yesterday', expected a time",
        ),
        (report_json(msgspec.structs.replace(night(holds()), shard=Shard(1, 2, "a" * 64, 2))), "it is a shard"),
        (report_json(msgspec.structs.replace(night(holds()), cells=(holds(), holds()))), "is there 2 times"),
    ],
    ids=["no JSON", "no time", "a shard", "two cells with one id"],
)
def test_a_report_that_cannot_be_shown_is_named(tmp_path: Path, data: bytes, why: str) -> None:
    keep(tmp_path / "nights", 0, night(holds()))
    (tmp_path / "nights" / "bad").mkdir()
    (tmp_path / "nights" / "bad" / "report.json").write_bytes(data)
    with pytest.raises(DataFileError) as raised:
        build_site(tmp_path / "out", [tmp_path / "nights" / "bad"])
    assert why in str(raised.value) or why == "is not"
    assert not (tmp_path / "out").exists()
    site = build_site(tmp_path / "out", [tmp_path / "nights"])
    (left_out,) = site.left_out
    assert left_out.name == "bad"
    text = seen(tmp_path / "out" / "index.html").text
    assert "Left out: 1 report" in text
    assert "bad: report.json: " in text
    assert str(tmp_path) not in text, "expected no path of this machine"
    assert [one.source.name for one in site.runs] == ["night-0"]


def test_the_same_report_is_shown_once_plain_or_compressed(tmp_path: Path) -> None:
    place = keep(tmp_path / "nights", 0, night(holds()))
    copy = tmp_path / "copy" / "again"
    copy.mkdir(parents=True)
    (copy / "report.json.xz").write_bytes(compress((place / "report.json").read_bytes()))
    found = find([tmp_path / "nights", copy, place, copy.parent])
    assert [one.name for one in found.sources] == ["night-0"]


def test_only_so_many_of_the_newest_runs_have_a_page(tmp_path: Path) -> None:
    for day in range(4):
        keep(tmp_path / "nights", day, night(holds()))
    found = find([tmp_path / "nights"], most=2)
    assert [one.name for one in found.sources] == ["night-2", "night-3"]
    assert [(one.name, one.why) for one in found.left_out] == [
        ("night-0", "only the newest 2 runs have a page"),
        ("night-1", "only the newest 2 runs have a page"),
    ]


def test_a_report_that_is_written_while_the_site_is_made_is_an_error(tmp_path: Path) -> None:
    place = keep(tmp_path, 0, night(holds()))
    (source,) = find([place]).sources
    (place / "report.json").write_bytes(report_json(night(fails())))
    with pytest.raises(HarnessError, match="written anew while the site was made"):
        source.read()


# The feed and the badges


def test_the_feed_is_atom_and_its_ids_stay(tmp_path: Path) -> None:
    two_nights(tmp_path / "nights")
    out = tmp_path / "out"
    build_site(out, [tmp_path / "nights"], "https://envoy.example/c/")
    feed = ElementTree.parse(out / "feed.xml").getroot()
    assert feed.tag == f"{{{ATOM['atom']}}}feed"
    assert text_of(feed, "title")
    assert feed.findtext("atom:author/atom:name", namespaces=ATOM)
    assert href(feed, "self") == text_of(feed, "id") == "https://envoy.example/c/feed.xml"
    ids = [text_of(one, "id") for one in entries(out)]
    assert len({*ids}) == len(ids) == 3
    for one in (feed, *entries(out)):
        assert datetime.fromisoformat(text_of(one, "updated")).utcoffset() is not None
        assert text_of(one, "id").startswith(("urn:uuid:", "https://"))
    for one in entries(out):
        address = href(one).partition("#")[0]
        assert address.startswith("https://envoy.example/c/runs/")
        assert (out / address.removeprefix("https://envoy.example/c/")).is_file()
        assert text_of(one, "summary").startswith("Run night-1 of 2026-11-02; the answer before is that of night-0.")
    keep(tmp_path / "nights", 2, night(holds(HELD)))
    build_site(out, [tmp_path / "nights"])
    assert [text_of(one, "id") for one in entries(out)] == ids, "expected a later run to leave the ids as they were"
    assert all((out / href(one).partition("#")[0]).is_file() for one in entries(out)), "expected relative links without --url"


@pytest.mark.parametrize("answer", AnswerWord)
def test_a_badge_says_it_in_words(answer: AnswerWord) -> None:
    image = ElementTree.fromstring(badge(f"Envoy {EVIL}", answer))
    name = {"svg": "http://www.w3.org/2000/svg"}
    title = image.findtext("svg:title", namespaces=name)
    assert title is not None
    assert title.endswith(f": {answer.value}")
    assert image.attrib["aria-label"] == title
    texts = [one.text or "" for one in image.findall(".//svg:text", name)]
    assert texts[1] == f"{answer.glyph} {answer.brief}"
    assert {one.tag.partition("}")[2] for one in image.iter()} == {"svg", "title", "rect", "path", "g", "text"}
    assert len({one.glyph for one in AnswerWord}) == len(AnswerWord)


def test_badges_have_the_answer_of_the_gate(tmp_path: Path) -> None:
    out = tmp_path / "out"
    site = build_site(out, [PUBLISHED])
    texts = {path.name: path.read_text() for path in (out / "badges").iterdir()}
    answers = {one.id: one.answer for one in (*site.newest.sdk_answers, *site.newest.host_answers)}
    assert answers["rust@1.39:official"] is AnswerWord.MAY_NOT
    assert "✗ may not<" in texts["sdk-rust-1.39.svg"]
    assert "○ not tested<" in texts["sdk-rust-1.40.svg"]
    assert "✓ may be released<" in texts["sdk-go-1.39.svg"]
    assert "(modified build)" in texts["host-1.38.3.svg"]
    assert len(texts) == len(answers)


# Its folder


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("exchanges", [True, False], ids=["at once", "where the file system cannot exchange"])
def test_a_former_site_is_replaced_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanges: bool
) -> None:
    if not exchanges:
        monkeypatch.setattr(folder_module, "_exchanged", lambda *_: False)
    keep(tmp_path / "nights", 0, night(holds()))
    out = tmp_path / "place" / "out"
    build_site(out, [tmp_path / "nights"])
    before = tree(out)
    keep(tmp_path / "nights", 1, night(fails()))
    build_site(out, [tmp_path / "nights"])
    assert tree(out).keys() > before.keys()
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert out.stat().st_mode & 0o777 == 0o755


def test_an_error_leaves_the_former_site_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "place" / "out"
    build_site(out, [keep(tmp_path, 0, night(holds()))])
    before = tree(out)
    with pytest.raises(KeyboardInterrupt), site_folder(out) as part:
        (part / "index.html").write_text("half")
        raise KeyboardInterrupt
    assert tree(out) == before
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_what_is_no_site_is_not_replaced(tmp_path: Path) -> None:
    place = keep(tmp_path, 0, night(holds()))
    site = tmp_path / "site"
    build_site(site, [place])
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(site)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").write_text("mine")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / MARKER).write_text("something else\n")
    (tmp_path / "folders" / "inner").mkdir(parents=True)
    for name, why in (
        ("file", "this is a link or a file"),
        ("link", "this is a link or a file"),
        ("mine", f"there is no {MARKER} (it has thesis)"),
        ("folders", f"there is no {MARKER} (it has folders)"),
        ("other", f"{MARKER} begins with 'something else', expected 'dmconform site 1'"),
    ):
        with pytest.raises(UsageError) as raised:
            build_site(tmp_path / name, [place])
        assert why in str(raised.value)
    (site / "CNAME").write_text("envoy.example")
    with pytest.raises(UsageError, match="has CNAME, which the site did not have when it was made"):
        build_site(site, [place])
    assert (site / "CNAME").read_text() == "envoy.example"
    assert (tmp_path / "mine" / "thesis").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    build_site(tmp_path / "empty", [place])
    assert (tmp_path / "empty" / "index.html").is_file()


def test_what_comes_between_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(UsageError, match="it has mine"), site_folder(out):
        out.mkdir()
        (out / "mine").write_text("mine")
    assert tree(out) == {"mine": b"mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


# The command


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two_nights(tmp_path / "nights")
    out = tmp_path / "out"
    assert (
        main(["site", str(out), str(tmp_path / "nights"), "--without-published", "--url", "https://x.example/c"]) == ExitCode.OK
    )
    printed = capsys.readouterr()
    assert "✗ What is promised does not hold" in printed.out
    assert "2 runs; since the first: 2 regressions, 1 answers lost" in printed.out
    assert "run 2 of 2: night-1" in printed.err
    assert '<meta property="og:url" content="https://x.example/c/index.html">' in (out / "index.html").read_text()
    assert main(["site", str(out), str(tmp_path / "nights")]) == ExitCode.OK
    assert "2026-11-21-all-hosts" in (out / "index.html").read_text(), "expected the published reports besides"


def test_mistakes_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    place = keep(tmp_path, 0, night(holds()))
    out = str(tmp_path / "out")
    for words, code, why in (
        (["nothing"], ExitCode.USAGE, "there is no such folder or file"),
        ([], ExitCode.USAGE, "--without-published"),
        ([str(tmp_path / "empty")], ExitCode.EMPTY, "no report to make a site of"),
        ([str(place), "--url", "ftp://x.example"], ExitCode.USAGE, "expected an address such as"),
        ([str(place), "--url", "https://x.example/?a=1"], ExitCode.USAGE, "expected an address such as"),
        ([str(place), "--url", 'https://x.example/">'], ExitCode.USAGE, "expected an address such as"),
    ):
        assert main(["site", out, *words, "--without-published"]) == code, words
        assert why in capsys.readouterr().err
    assert not Path(out).exists()
    with pytest.raises(EmptySelection):
        find([])


def test_a_cell_that_was_lost_is_not_lost_again(tmp_path: Path) -> None:
    for day in range(3):
        cells = holds(THIRD) if day == 0 else unreachable(THIRD, SDK, host="1.39.3")
        keep(tmp_path / "nights", day, night(cells))
    build_site(tmp_path / "out", [tmp_path / "nights"])
    (one,) = entries(tmp_path / "out")
    assert "lost their answer (1 held)" in text_of(one, "title")

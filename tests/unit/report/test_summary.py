"""Counts, the answer in one sentence, and causes."""

from __future__ import annotations

import msgspec
import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.core.text import cut, first_line, one_line, plain
from dmconform.core.values import AbiVerdict, Judgement, Load, Outcome, Relation
from dmconform.report.grid import grid, natural
from dmconform.report.marks import ABI_WORDS, JUDGEMENT_MEANINGS, LOAD_WORDS, OUTCOME_MARKS, STATIC_WORDS, mark
from dmconform.report.mismatches import mismatch_groups, static_rows, static_sentence, static_words
from dmconform.report.schema import CellEntry
from dmconform.report.summary import RunVerdict, abi_words, causes, summarise, unrun

from tests.unit.report_samples import ALL_KINDS, broken, cell, contradicted, known, matrix, report, static, unreachable

INAPPLICABLE = cell("a/unload", outcome=Outcome.NOT_APPLICABLE, judgement=Judgement.SKIP, detail="Go never unloads")
BLOCKED = cell("a/blocked", outcome=Outcome.ERROR, judgement=Judgement.ERROR, detail="no build")
FACT_MISMATCH = cell("a/luck", relation=Relation.UNSUPPORTED, judgement=Judgement.INFORMATIONAL, mismatch="halves differ")
FACT = cell("a/fact", relation=Relation.UNSUPPORTED, judgement=Judgement.INFORMATIONAL)


def test_counts_have_every_value_and_add_up() -> None:
    summary = summarise(report(ALL_KINDS))
    assert summary.by_outcome == {
        Outcome.PASS: 5,
        Outcome.FAIL: 1,
        Outcome.CRASH: 1,
        Outcome.HANG: 1,
        Outcome.REJECTED: 0,
        Outcome.ERROR: 1,
        Outcome.NOT_TESTED: 1,
        Outcome.NOT_APPLICABLE: 1,
    }
    assert summary.by_relation == {Relation.SUPPORTED: 9, Relation.LEGACY: 1, Relation.UNSUPPORTED: 1}
    assert sum(summary.by_judgement.values()) == summary.cells == 11
    assert (summary.ran, summary.supported_ran, summary.supported_passed, summary.supported_failed) == (8, 6, 1, 1)
    assert summary.disagreeing == 1
    assert (summary.supported_xfailed, summary.supported_not_run) == (1, 3)
    assert (summary.other_passed, summary.other_ran) == (1, 2)


OFFICIAL = "rust@1.39:official"


@pytest.mark.parametrize(
    ("cells", "verdict", "says"),
    [
        ([cell(sdk=OFFICIAL)], RunVerdict.PASS, "official SDKs holds: all 1 supported cells pass"),
        (
            [cell(sdk=OFFICIAL), known("a/b", sdk=OFFICIAL)],
            RunVerdict.KNOWN,
            "does not hold everywhere: 1 of 2 supported cells of the official SDKs fail as is known, none is new: 1 ends Envoy",
        ),
        ([cell(sdk=OFFICIAL), INAPPLICABLE], RunVerdict.PASS, "all 1 supported cells pass"),
        ([cell()], RunVerdict.CONTROL, "Only the reference SDK was run, the control"),
        ([cell(), FACT_MISMATCH], RunVerdict.CONTROL, "says nothing of the official SDKs"),
        ([cell(), unreachable()], RunVerdict.NOT_TESTED, "Not tested: 1 of 1 supported cells of the official SDKs; 0 % of"),
        (
            [cell(sdk=OFFICIAL), unreachable()],
            RunVerdict.NOT_TESTED,
            "Not tested in part: 1 of 2 supported cells of the official",
        ),
        ([unreachable()], RunVerdict.NOT_TESTED, "0 % of what is promised was tested"),
        ([cell(), broken("a/b")], RunVerdict.FAIL, "The control does not hold: 1 of 2 supported"),
        (
            [cell(), broken("a/b", sdk=OFFICIAL), unreachable()],
            RunVerdict.FAIL,
            "1 of 1 supported cells of the official SDKs that ran fail: 1 answers wrongly (not tested: 1 of 2 supported",
        ),
        ([cell(), broken("a/b"), BLOCKED], RunVerdict.FAIL, "1 cell could not run"),
        ([cell(), cell("a/b", judgement=Judgement.XPASS)], RunVerdict.FAIL, "Known failures no longer apply"),
        ([cell(), contradicted("a/b")], RunVerdict.FAIL, "contradict each other (1 cell with a static/run-time mismatch)"),
        (
            [broken(), contradicted("a/b")],
            RunVerdict.FAIL,
            "that ran fail: 1 answers wrongly (1 cell with a static/run-time mismatch)",
        ),
        ([cell(sdk=OFFICIAL), BLOCKED], RunVerdict.INCOMPLETE, "no answer (1 cell could not run)"),
        ([FACT], RunVerdict.NOTHING, "No supported cell ran"),
        ([], RunVerdict.NOTHING, "No supported cell ran"),
    ],
)
def test_verdict_and_headline(cells: list[object], verdict: RunVerdict, says: str) -> None:
    summary = summarise(report(cells))  # type: ignore[arg-type]
    assert summary.verdict is verdict
    assert says in summary.headline


def test_a_run_that_stopped_early_never_holds() -> None:
    missing = summarise(report([cell()], planned=3))
    assert (missing.verdict, missing.missing) == (RunVerdict.INCOMPLETE, 2)
    assert "2 cells planned and never begun" in missing.headline
    assert summarise(report([cell()], complete=False)).verdict is RunVerdict.INCOMPLETE


@pytest.mark.parametrize(
    ("exit_code", "verdict"), [(1, RunVerdict.FAIL), (2, RunVerdict.INCOMPLETE), (4, RunVerdict.INCOMPLETE)]
)
def test_the_page_is_never_greener_than_the_exit_code(exit_code: int, verdict: RunVerdict) -> None:
    assert summarise(report([cell()], exit_code=exit_code)).verdict is verdict


def test_causes_group_by_case_and_first_line_and_put_new_failures_first() -> None:
    found = causes(
        report(
            [
                known("k/one"),
                broken("a/one", "same\nport 1", host="1.39.3"),
                broken("a/one", "same\nport 2", host="1.40.0"),
                broken("a/one", "other", host="1.41.0"),
                broken("a/two", "same"),
                cell(),
                FACT,
                unreachable(),
                BLOCKED,
            ]
        )
    )
    assert [(it.case, it.text, it.count) for it in found[:3]] == [
        ("a/one", "same", 2),
        ("a/one", "other", 1),
        ("a/two", "same", 1),
    ]
    assert [it.judgement for it in found[3:]] == [Judgement.ERROR, Judgement.XFAIL]
    assert found[0].cells == ("a/one/rust@1.39:reference/1.39.3", "a/one/rust@1.39:reference/1.40.0")
    assert found[0].reproduce == "dmconform run --cell a/one/rust@1.39:reference/1.39.3"


def test_a_failed_fact_is_a_cause_and_a_passed_one_is_not() -> None:
    failed = msgspec.structs.replace(FACT, outcome=Outcome.CRASH)
    assert [it.judgement for it in causes(report([failed]))] == [Judgement.INFORMATIONAL]
    assert causes(report([FACT])) == ()


def test_cells_that_did_not_run_are_grouped_by_reason() -> None:
    found = unrun(report([unreachable("a/b"), unreachable("a/c"), BLOCKED, cell()]))
    assert [(it.outcome, it.reason, it.count) for it in found] == [
        (Outcome.ERROR, "no build", 1),
        (Outcome.NOT_TESTED, "tag v1.40.0 cannot be fetched", 2),
    ]
    assert unrun(report([msgspec.structs.replace(BLOCKED, detail="")]))[0].reason == "no reason was given"


def test_the_abi_word_is_that_of_the_windows_own_cases() -> None:
    deprecated = cell(abi_verdict=AbiVerdict.DEPRECATED)
    wrong_on_purpose = cell("load/bad", abi_verdict=AbiVerdict.REJECTED)
    assert abi_words([deprecated, wrong_on_purpose]) == "deprecated"
    assert abi_words([wrong_on_purpose]) == "ABI refused"
    assert abi_words([deprecated, cell()]) == "matched/deprecated"
    assert abi_words([unreachable()]) == ""


def test_every_value_has_a_mark_apart() -> None:
    assert set(OUTCOME_MARKS) == set(Outcome)
    assert len({glyph for glyph, _ in OUTCOME_MARKS.values()}) == len(Outcome)
    assert len({word for _, word in OUTCOME_MARKS.values()}) == len(Outcome)
    assert set(ABI_WORDS) == set(AbiVerdict)
    assert set(JUDGEMENT_MEANINGS) == set(Judgement)


def test_capitals_are_kept_for_what_counts() -> None:
    loud = {it.judgement for it in ALL_KINDS if mark(it).word.isupper()}
    assert loud == {Judgement.FAIL, Judgement.XPASS, Judgement.MISMATCH, Judgement.CHANGED, Judgement.ERROR}
    assert set(STATIC_WORDS) == set(StaticKind)
    assert set(LOAD_WORDS) == set(Load)


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        (contradicted(), "✓ MISMATCH ≠"),
        (FACT_MISMATCH, "✓ pass ≠"),
        (known(mismatch="halves differ"), "† xfail ≠"),
        (broken(mismatch="halves differ"), "✗ FAIL ≠"),
        (cell(), "✓ pass"),
    ],
)
def test_a_disagreement_is_flagged_whatever_the_judgement(entry: CellEntry, shown: str) -> None:
    assert str(mark(entry)) == shown


def test_disputes_are_grouped_and_those_that_count_come_first() -> None:
    found = mismatch_groups(
        report([FACT_MISMATCH, contradicted("a/one"), contradicted("a/two"), contradicted("a/one", host="1.40.0"), cell()])
    )
    assert [(it.sdk, it.host, it.counts, it.count) for it in found] == [
        ("rust@1.39:reference", "1.39.3", True, 2),
        ("rust@1.39:reference", "1.40.0", True, 1),
        ("rust@1.39:reference", "1.39.3", False, 1),
    ]
    assert mismatch_groups(report([cell()])) == ()
    assert causes(report([contradicted()])) == ()


def test_static_rows_join_hosts_that_the_same_is_reported_of() -> None:
    entries = [static("a", "1"), static("a", "2", StaticKind.UNRESOLVED, 3), static("a", "3"), static("b", "1")]
    rows = [(it.entry.sdk, it.entry.kind, it.hosts) for it in static_rows(report([], static=entries))]
    assert rows == [
        ("a", StaticKind.LOADS, ("1", "3")),
        ("a", StaticKind.UNRESOLVED, ("2",)),
        ("b", StaticKind.LOADS, ("1",)),
    ]
    assert [static_words(it) for it in (entries[0], entries[1], None)] == ["loads", "unresolved (3)", "not known"]
    assert static_sentence(entries[0]) == "expected to load"
    assert static_sentence(entries[1]).startswith("loads, but a call meets an unresolved symbol: a call to envoy")


def test_grid_orders_hosts_by_number_and_shows_what_is_described_nowhere() -> None:
    layout = grid(report([cell(host="1.9.0"), cell(host="1.10.0"), unreachable(host="1.8.0")], sdks=[]))
    assert layout.hosts == ("1.8.0", "1.9.0", "1.10.0")
    assert [(group.title, group.width) for group in layout.groups] == [("Rust · official", 1), ("Rust · reference", 2)]
    assert natural("1.39.0") < natural("1.39.0~abc")


def test_grid_has_every_cell_of_a_large_matrix() -> None:
    whole = matrix()
    layout = grid(whole)
    columns = [(sdk.sdk, host) for _, sdk, host in layout.columns]
    assert len(columns) == 120
    assert sum(len(layout.column(*column)) for column in columns) == len(whole.cells) == 2040


def test_plain_text_has_no_sequence_and_no_character_that_cannot_be_seen() -> None:
    assert plain("\x1b[1;31mred\x1b[0m") == "red"
    assert plain("\x1b]8;;http://x\x1b\\link\x1b]8;;\x07") == "link"
    assert plain("a\x00b\x9bc\u202ed\ufffe\ud800") == "a\\x00b\\x9bc\\u202ed\\ufffe\\ud800"
    assert plain("tab\tline\r\nnext ü 漢") == "tab\tline\nnext ü 漢"
    assert plain("over\rwritten") == "over\\x0dwritten"


def test_lines_and_lengths() -> None:
    assert first_line("\n \x1b[0m\n  said  \nmore") == "said"
    assert first_line("") == ""
    assert one_line("a\n\n b\tc") == "a b c"
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcdef… (1 more characters in report.json)"

"""The six inconsistencies about expectations, one by one: when each is made, and that its command fixes it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from dmconform.cli.expectations import narrowed
from dmconform.cli.main import parse
from dmconform.core import paths
from dmconform.core.errors import ExitCode, HarnessError
from dmconform.core.values import Judgement, Outcome
from dmconform.core.versions import Minor
from dmconform.spec import catalogue as catalogue_module
from dmconform.spec.catalogue import Catalogue, load_catalogue
from dmconform.spec.expectations import KnownFailure, load_known_failures
from dmconform.spec.inconsistencies import (
    CellIndex,
    Inconsistency,
    InconsistencyKind,
    JudgedCell,
    inconsistencies_of_cells,
    inconsistencies_of_records,
    pattern_of,
)

ONE, TWO = "a/b/rust@1.39:official/1.39.3", "a/b/rust@1.39:official/1.40.0"
FACT = "a/b/rust@1.39:official/1.38.3"
CELLS = {FACT: False, ONE: True, TWO: True}
RECORD = KnownFailure("r", ("a/b/*/1.39.3", "a/b/*/1.40.0"), Outcome.FAIL, "expected 200", "reason", "evidence")


def of_records(*records: KnownFailure, cells: Mapping[str, bool] = CELLS, newest: str = "1.40") -> tuple[Inconsistency, ...]:
    """What the records' own data tells."""
    return inconsistencies_of_records(records, cells, Minor.parse(newest))


def seen(cell: str, judgement: Judgement, outcome: Outcome = Outcome.FAIL, detail: str = "expected 200, saw 503") -> JudgedCell:
    """A cell that the record `r` is about, unless it is a new failure."""
    return JudgedCell(cell, outcome, detail, judgement, None if judgement is Judgement.FAIL else "r")


def only(inconsistencies: tuple[Inconsistency, ...]) -> Inconsistency:
    """The one inconsistency there is."""
    (found,) = inconsistencies
    return found


def test_without_anything_wrong_there_is_no_complaint() -> None:
    assert of_records(RECORD) == ()
    assert inconsistencies_of_cells([seen(ONE, Judgement.XFAIL), JudgedCell(TWO, Outcome.PASS, "", Judgement.PASS, None)]) == ()


def test_stale_all_cells_that_ran_pass() -> None:
    found = only(inconsistencies_of_cells([seen(ONE, Judgement.XPASS, Outcome.PASS), seen(TWO, Judgement.XPASS, Outcome.PASS)]))
    assert (found.kind, found.record, found.cells) == (InconsistencyKind.STALE, "r", (ONE, TWO))
    assert found.fix == "dmconform expectations remove r"


def test_a_glob_that_matches_nothing() -> None:
    some = msgspec.structs.replace(RECORD, cells=("a/b/*/1.39.3", "a/b/*/1.41.*"))
    found = only(of_records(some))
    assert (found.kind, found.record) == (InconsistencyKind.NOTHING, "r")
    assert "a/b/*/1.41.*" in found.text
    assert "1.39.3" not in found.text
    assert found.fix == "dmconform expectations narrow r"
    every = msgspec.structs.replace(RECORD, cells=("a/c/*",))
    assert only(of_records(every)).fix == "dmconform expectations remove r"


def test_another_failure_than_recorded() -> None:
    crash = seen(ONE, Judgement.XPASS, Outcome.CRASH, "SIGSEGV after 4.9 s (core)\nmore")
    found = only(inconsistencies_of_cells([crash]))
    assert (found.kind, found.cells) == (InconsistencyKind.OTHER, (ONE,))
    assert "crash: SIGSEGV after 4.9 s" in found.text
    wanted = [
        "dmconform",
        "expectations",
        "correct",
        "r",
        "--outcome",
        "crash",
        "--detail",
        r"SIGSEGV after \S+ s \(core\)",
    ]
    assert shlex.split(found.fix) == wanted
    beside = only(inconsistencies_of_cells([crash, seen(TWO, Judgement.XFAIL)]))
    assert beside.kind is InconsistencyKind.OTHER
    assert beside.fix == f"dmconform expectations narrow r {ONE}", "the record is right for the other cell"


def test_too_much_a_cell_that_passes_beside_one_that_fails() -> None:
    found = only(inconsistencies_of_cells([seen(ONE, Judgement.XPASS, Outcome.PASS), seen(TWO, Judgement.XFAIL)]))
    assert (found.kind, found.cells) == (InconsistencyKind.TOO_MUCH, (ONE,))
    assert found.fix == f"dmconform expectations narrow r {ONE}"


def test_too_much_a_cell_of_which_its_case_says_nothing() -> None:
    found = only(inconsistencies_of_cells([seen(ONE, Judgement.XPASS, Outcome.NOT_APPLICABLE), seen(TWO, Judgement.XFAIL)]))
    assert (found.kind, found.fix) == (InconsistencyKind.TOO_MUCH, f"dmconform expectations narrow r {ONE}")


def test_too_much_a_cell_that_is_unsupported() -> None:
    found = only(of_records(msgspec.structs.replace(RECORD, cells=("a/b/*",))))
    assert (found.kind, found.cells) == (InconsistencyKind.TOO_MUCH, (FACT,))
    assert found.fix == "dmconform expectations narrow r --supported"


def test_too_much_two_records_for_one_cell() -> None:
    found = only(of_records(RECORD, msgspec.structs.replace(RECORD, id="other", cells=(TWO,))))
    assert (found.kind, found.record, found.cells) == (InconsistencyKind.TOO_MUCH, "other", (TWO,))
    assert found.text == "covers cells that r covers too"


def test_a_new_failure_is_one_for_each_case_sdk_and_way() -> None:
    same = [seen(ONE, Judgement.FAIL), seen(TWO, Judgement.FAIL)]
    other = [seen(TWO.replace("rust", "cpp"), Judgement.FAIL), seen(TWO, Judgement.FAIL, detail="something else")]
    found = inconsistencies_of_cells([*same, *other])
    assert [it.kind for it in found] == [InconsistencyKind.NEW] * 3
    assert (found[0].record, found[0].cells) == (None, (ONE, TWO))
    assert shlex.split(found[0].fix)[:6] == ["dmconform", "expectations", "record", "NEW-ID", ONE, TWO]


def test_past_its_until() -> None:
    record = msgspec.structs.replace(RECORD, until="1.41")
    assert of_records(record, newest="1.40") == ()
    found = only(of_records(record, newest="1.41"))
    assert (found.kind, found.fix) == (InconsistencyKind.OVERDUE, "dmconform expectations extend r --until 1.42")


def test_a_pattern_leaves_out_what_changes_and_matches_its_detail() -> None:
    detail = "expected (200) at $REPORT/evidence/x on port 45123, saw 0x7f12 after 4.93 s"
    assert pattern_of(detail) == r"expected \(200\) at \S+ on port \S+, saw \S+ after \S+ s"
    raw = detail.replace("$REPORT", "/somewhere/else").replace("45123", "33221")
    assert RECORD.__class__("x", (ONE,), Outcome.FAIL, pattern_of(detail), "r", "e").fits(Outcome.FAIL, raw)


def test_narrowing_leaves_what_it_is_not_asked_to_take() -> None:
    record = msgspec.structs.replace(RECORD, cells=("a/b/*/1.39.*", "a/b/*/1.4*", "a/z/*"))
    assert narrowed(record, set(), CellIndex(CELLS)) == ("a/b/*/1.39.*", "a/b/*/1.4*")
    assert narrowed(record, {TWO}, CellIndex(CELLS)) == ("a/b/*/1.39.*",)


def main(words: list[str]) -> int:
    """Runs a command as the tool does."""
    arguments = parse(words)
    try:
        code: int = arguments.run(arguments)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return code


FILE = """\
# Words at the top.

[[known]]
id = "first"
cells = [
    "a/b/*/1.39.3",
]
outcome = "fail"
detail = "expected 200"
reason = "The host is at fault: r"
evidence = "e"
issue = "https://example.com/1"

# Words about the second.
[[known]]
id = "r"
cells = ["a/b/*/1.40.0", "a/b/*/1.38.3", "a/q/*"]
outcome = "fail"
detail = "expected 200"
until = "1.40"
reason = \"\"\"\\
The host is at fault: two lines \\
[[known]] as text\"\"\"
evidence = "e"
issue = "https://example.com/1"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of records in the place of the project's, over the cells above."""
    path = tmp_path / "known.toml"
    path.write_text(FILE)
    monkeypatch.setattr(paths, "KNOWN_FAILURES_FILE", path)
    whole = load_catalogue()

    def small() -> Catalogue:
        records = load_known_failures(path)
        return Catalogue(whole.hosts, whole.sdks, whole.cases, whole.requirements, records, whole.findings, CELLS)

    monkeypatch.setattr(catalogue_module, "load_catalogue", small)
    return path


def record(path: Path, name: str) -> KnownFailure | None:
    """A record of a file."""
    return next((one for one in load_known_failures(path) if one.id == name), None)


def test_each_complaint_of_the_data_is_listed_and_ends_with_its_command(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["expectations"]) == ExitCode.FAIL
    reported = capsys.readouterr().out
    for kind in (InconsistencyKind.NOTHING, InconsistencyKind.TOO_MUCH, InconsistencyKind.OVERDUE):
        assert kind.value.upper() in reported
    commands = [line.partition("fix: ")[2] for line in reported.splitlines() if "fix: " in line]
    assert len(commands) == 3
    for command in commands:
        assert main(shlex.split(command)[1:]) == ExitCode.OK
    capsys.readouterr()
    assert main(["expectations"]) == ExitCode.OK
    assert "fix: " not in capsys.readouterr().out
    changed = record(file, "r")
    assert changed is not None
    assert (changed.cells, changed.until) == (("a/b/*/1.40.0",), "1.41")
    assert "# Words about the second." in file.read_text()


def test_removing_leaves_the_others_and_their_comments(file: Path) -> None:
    assert main(["expectations", "remove", "first"]) == ExitCode.OK
    assert record(file, "first") is None
    assert record(file, "r") is not None
    assert "# Words at the top." in file.read_text()
    assert "# Words about the second." in file.read_text()
    assert main(["expectations", "remove", "first"]) == ExitCode.USAGE


def test_correcting_changes_how_cells_end(file: Path) -> None:
    assert main(["expectations", "correct", "r", "--outcome", "crash", "--detail", r"SIG\w+ '"]) == ExitCode.OK
    changed = record(file, "r")
    assert changed is not None
    assert (changed.outcome, changed.detail) == (Outcome.CRASH, r"SIG\w+ '")
    assert main(["expectations", "correct", "r", "--outcome", "fail", "--detail", "("]) == ExitCode.USAGE
    assert record(file, "r") == changed, "what cannot be read is not written"


def test_a_new_failure_goes_on_record_only_with_words(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = shlex.split(only(inconsistencies_of_cells([seen(TWO, Judgement.FAIL)])).fix)[1:]
    assert main(command) == ExitCode.USAGE
    assert "capitals" in capsys.readouterr().err
    words = {"NEW-ID": "new", "WHOSE FAULT": "The host is at fault.", "WHERE IT WAS SEEN": 'Seen on 1.40.0: "x".'}
    assert main([words.get(word, word) for word in command]) == ExitCode.USAGE
    assert "where it was seen and is reported" in capsys.readouterr().err
    words["WHERE IT IS REPORTED"] = "somewhere"
    assert main([words.get(word, word) for word in command]) == ExitCode.USAGE
    assert 'new: expected issue = "https://…" or issue = "not reported", found \'somewhere\'' in capsys.readouterr().err
    words["WHERE IT IS REPORTED"] = "not reported"
    before = datetime.now(UTC).date()
    assert main([words.get(word, word) for word in command]) == ExitCode.OK
    added = record(file, "new")
    assert added is not None
    assert (added.issue, added.workaround) == ("not reported", None)
    assert added.looked_for in (before, datetime.now(UTC).date())
    assert (added.cells, added.evidence) == ((TWO,), 'Seen on 1.40.0: "x".')
    assert added.fits(Outcome.FAIL, "expected 200, saw 503")


def test_the_records_of_the_project_give_no_cause_for_complaint() -> None:
    assert load_catalogue().inconsistencies() == ()

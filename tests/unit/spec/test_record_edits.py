"""Records of known failures are changed as text that a person has written: what is not changed stays as it was."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest
from dmconform.core import paths
from dmconform.core.errors import DataFileError, UsageError
from dmconform.core.values import Outcome
from dmconform.spec import record_edits
from dmconform.spec.expectations import KnownFailure, load_known_failures

TOP = "# About the file.\n\n"
FIRST = """\
[[known]]
id = "first"
cells = [
    "a/b/*/1.39.3",  # why this one
]
outcome = "fail"  # seen twice
detail = 'expected \\w+'
reason = \"\"\"\\
The host is at fault: two lines, \\
[[known]] and # as text\"\"\"
evidence = "e"
issue = "not reported"  # not yet
looked_for = 2026-11-30
workaround = "Use another one."
"""
SECOND_COMMENT = "# About the second.\n"
SECOND = FIRST.replace("first", "second").replace("1.39.3", "1.40.0").replace("evidence", 'until = "1.40"\nevidence')
LAST = "\n# About the last,\n#   with an indent.\n" + FIRST.replace("first", "last")
WHOLE = TOP + FIRST + "\n" + SECOND_COMMENT + SECOND + LAST
RECORD = KnownFailure("new", ("x/y/*",), Outcome.FAIL, "d", "The host is at fault: r", "e", issue="https://example.com/1")
HOSTILE = "it's \"\"\"\n[[known]]\nid = 'first' # \\ \t\x00\x7f\u2028 ü"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three records with comments wherever they can be."""
    path = tmp_path / "known.toml"
    path.write_text(WHOLE)
    return path


@pytest.mark.parametrize(
    ("record", "left"),
    [
        ("first", TOP + SECOND_COMMENT + SECOND + LAST),
        ("second", TOP + FIRST + LAST),
        ("last", TOP + FIRST + "\n" + SECOND_COMMENT + SECOND),
    ],
)
def test_a_removed_record_goes_with_its_comments_and_nothing_else_does(file: Path, record: str, left: str) -> None:
    record_edits.remove(file, record)
    assert file.read_text() == left


def test_all_can_be_removed_and_one_added_again(file: Path) -> None:
    for record in ("second", "last", "first"):
        record_edits.remove(file, record)
    assert file.read_text() == TOP.rstrip("\n") + "\n"
    record_edits.add(file, RECORD)
    assert file.read_text().startswith(TOP + "[[known]]\n")
    assert load_known_failures(file) == (RECORD,)


def test_a_change_leaves_every_other_line(file: Path) -> None:
    record_edits.set_cells(file, "second", ["p/q/*", "r/s/[!t]*"])
    record_edits.set_until(file, "second", "1.42")
    record_edits.set_way(file, "first", Outcome.CRASH, r"SIG\w+")
    first = FIRST.replace('"fail"', '"crash"').replace(r"expected \w+", r"SIG\w+")
    second = SECOND.replace('    "a/b/*/1.40.0",  # why this one\n', '    "p/q/*",\n    "r/s/[!t]*",\n')
    second = second.replace('until = "1.40"', 'until = "1.42"')
    assert file.read_text() == TOP + first + "\n" + SECOND_COMMENT + second + LAST


def test_an_added_record_is_the_last_and_reads_as_it_was_given(file: Path) -> None:
    hostile = msgspec.structs.replace(
        RECORD, id=HOSTILE, detail=r"\Aa'\w", reason=RECORD.reason + HOSTILE, evidence=HOSTILE, until="1.42"
    )
    hostile = msgspec.structs.replace(
        hostile, title=HOSTILE, issue="not reported", looked_for=date(2026, 11, 30), workaround=HOSTILE
    )
    before = file.read_text()
    record_edits.add(file, hostile)
    assert file.read_text().startswith(before + "\n[[known]]\nid = ")
    assert load_known_failures(file)[-1] == hostile
    record_edits.set_way(file, HOSTILE, Outcome.CRASH, r"\w'")
    record_edits.set_cells(file, HOSTILE, [HOSTILE])
    changed = msgspec.structs.replace(hostile, outcome=Outcome.CRASH, detail=r"\w'", cells=(HOSTILE,))
    assert load_known_failures(file)[-1] == changed
    record_edits.remove(file, HOSTILE)
    assert file.read_text() == before


def test_what_does_not_fit_leaves_the_file(file: Path) -> None:
    with pytest.raises(UsageError, match="there is no record 'none'"):
        record_edits.set_until(file, "none", "1.42")
    with pytest.raises(UsageError, match="first: cannot be changed: expected it to have 'until'"):
        record_edits.set_until(file, "first", "1.42")
    with pytest.raises(DataFileError, match="stays as it is: duplicate id 'first'"):
        record_edits.add(file, msgspec.structs.replace(RECORD, id="first"))
    with pytest.raises(DataFileError, match="stays as it is: first: detail is not a regular expression"):
        record_edits.set_way(file, "first", Outcome.FAIL, "(")
    assert file.read_text() == WHOLE
    assert list(file.parent.iterdir()) == [file]


def test_records_in_another_form_are_left_to_people(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    record = '{id = "a", cells = ["x"], outcome = "fail", detail = "d", reason = "The host is at fault", evidence = "e", '
    record += 'issue = "https://example.com/1"}'
    inline = f"known = [{record}]\n"
    file.write_text(inline)
    with pytest.raises(UsageError, match=r"expected records that begin with \[\[known\]\]"):
        record_edits.remove(file, "a")
    assert file.read_text() == inline


def test_the_records_of_the_project_stay_byte_by_byte_but_for_the_change(tmp_path: Path) -> None:
    text = paths.KNOWN_FAILURES_FILE.read_text()
    file = tmp_path / "known.toml"
    for record in load_known_failures(paths.KNOWN_FAILURES_FILE):
        file.write_text(text)
        record_edits.set_way(file, record.id, record.outcome, "x")
        old, new = text.splitlines(), file.read_text().splitlines()
        assert [line for line in new if line not in old] == ['detail = "x"']
        assert len(old) == len(new)

"""Steps that need nothing but an Envoy: whole scripts, of records that are not reported, on hosts that these are about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.process import run_program
from dmconform.report.findings import cells_of
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.inconsistencies import CellIndex
from dmconform.spec.issues import NOT_REPORTED
from dmconform.spec.steps import FOLDER, Steps, load_steps

CATALOGUE = load_catalogue()
STEPS = load_steps(paths.STEPS_FILE)
SH_S = 10.0


def test_what_is_not_reported_has_steps() -> None:
    issues = {one.id: one.issue for one in CATALOGUE.known_failures} | {one.id: one.issue for one in CATALOGUE.findings}
    assert {name for name, issue in issues.items() if issue == NOT_REPORTED} <= set(STEPS)
    assert set(STEPS) <= set(issues)


def test_steps_are_run_on_a_host_that_the_record_is_about() -> None:
    index = CellIndex(CATALOGUE.supported)
    for one in CATALOGUE.known_failures:
        if one.id in STEPS:
            assert STEPS[one.id].host in {cell.host for cell in cells_of(one, index)}, one.id
    for finding in CATALOGUE.findings:
        if finding.id in STEPS:
            assert {STEPS[finding.id].host, "all"} & set(finding.hosts), finding.id


def test_every_script_belongs_to_a_record_or_is_included() -> None:
    names = {file.stem for file in (paths.STEPS_FILE.parent / FOLDER).iterdir()}
    assert names == {*STEPS, "clusters", "common", "module", "rust"}


@pytest.mark.parametrize("record", STEPS)
def test_a_script_is_whole_and_a_shell_can_read_it(record: str, tmp_path: Path) -> None:
    script = STEPS[record].script
    assert "$steps" not in script
    assert script.startswith("# Usage: sh steps.sh /path/to/envoy\n")
    assert not re.search(r"/(root|work|home|tmp)/|dmconform", script)
    file = tmp_path / "steps.sh"
    file.write_text(script)
    done = run_program(["sh", "-n", file], timeout_s=SH_S)
    assert (done.exit_code, done.output) == (0, "")


def test_the_first_line_that_is_not_printed_in_its_place_is_named() -> None:
    steps = Steps("r", "", "1.40.0", ("one", "two"), ())
    assert steps.missing_from("zero\none and more\nother\ntwo\n") is None
    assert steps.missing_from("two\none\n") == "two"
    assert steps.missing_from("not one\ntwo\n") == "one"
    assert steps.missing_from("") == "one"


ENTRY = '[[steps]]\nrecord = "r"\nhost = "1.40.0"\noutput = ["x"]\n'


@pytest.mark.parametrize(
    ("text", "script", "fault"),
    [
        (ENTRY + ENTRY, "", "duplicate record 'r'"),
        (ENTRY.replace('"x"', ""), "", "r: expected lines that the steps print"),
        (ENTRY.replace('"x"', '" "'), "", "r: expected lines that the steps print"),
        (ENTRY.replace("1.40.0", "1.40"), "", "r: '1.40' is not a release"),
        (ENTRY.replace('"r"', '"other"'), "", "other.sh"),
        (ENTRY, '. "$steps/none.sh"\n', "none.sh"),
    ],
)
def test_bad_steps_are_refused(tmp_path: Path, text: str, script: str, fault: str) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "r.sh").write_text(script)
    file = tmp_path / "steps.toml"
    file.write_text(text)
    with pytest.raises(DataFileError) as raised:
        load_steps(file)
    assert fault in str(raised.value)


def test_a_file_takes_the_place_of_the_line_that_includes_it(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "r.sh").write_text('. "$steps/part.sh"\necho two\n')
    (tmp_path / FOLDER / "part.sh").write_text("echo one \\\\1\n")
    file = tmp_path / "steps.toml"
    file.write_text(ENTRY + 'needs = ["python3"]\n')
    one = load_steps(file)["r"]
    assert one.script == "echo one \\\\1\necho two\n"
    assert one.needs == ("cc", "curl", "sh", "python3")

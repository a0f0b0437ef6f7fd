"""The folder of a report, and its forms where there is little room."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from dmconform.cli.main import main
from dmconform.core.errors import ExitCode, HarnessError, UsageError
from dmconform.matrix.execute import FORMS, report_folder, write_reports
from dmconform.matrix.pytest_plugin import read_results
from dmconform.report.reading import read_report

from tests.unit.report_samples import cell, report


@contextlib.contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Makes a file that grows larger end as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_all_forms_are_there(tmp_path: Path) -> None:
    write_reports(report([cell()]), tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(FORMS)
    assert read_report(tmp_path / "report.json").cells == (cell(),)


def test_what_fits_is_written_and_the_rest_is_named(tmp_path: Path) -> None:
    with (
        largest_file(8 << 10),
        pytest.raises(HarnessError, match=r"junit\.xml, matrix\.md.* could be written, and not .*index") as caught,
    ):
        write_reports(report([cell()]), tmp_path)
    assert not isinstance(caught.value, UsageError)
    there = {one.name for one in tmp_path.iterdir()}
    assert {"junit.xml", "matrix.md"} <= there <= set(FORMS) - {"index.html"}


def test_a_form_that_does_not_fit_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("before", encoding="utf-8")
    with largest_file(8 << 10), pytest.raises(HarnessError):
        write_reports(report([cell()]), tmp_path)
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "before"


def test_modules_give_way_to_the_report(tmp_path: Path) -> None:
    kept = tmp_path / "evidence" / "cell" / "libprobe.so"
    kept.parent.mkdir(parents=True)
    kept.touch()
    kept.with_name("envoy.log").touch()
    with largest_file(8 << 10), pytest.raises(HarnessError):
        write_reports(report([cell()]), tmp_path)
    assert not kept.exists()
    assert kept.with_name("envoy.log").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, HarnessError("x"), OSError("x")])
def test_a_folder_without_a_report_does_not_block_its_name(error: BaseException, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with contextlib.suppress(KeyboardInterrupt, HarnessError, OSError), report_folder(out) as folder:
        (folder / "plan.json").touch()
        raise error
    assert not out.exists()


def test_a_folder_with_part_of_a_report_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with contextlib.suppress(HarnessError), report_folder(out) as folder:
        (folder / "junit.xml").touch()
        raise HarnessError("x")
    assert (out / "junit.xml").exists()


def test_a_folder_that_exists_is_refused_and_stays(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exists already"), report_folder(tmp_path):
        pass
    assert tmp_path.is_dir()


@pytest.mark.parametrize("place", ["file/out", "file/folder/out"])
def test_a_file_in_the_place_of_a_folder_is_named(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["run", "--out", str(tmp_path / place)]) == ExitCode.USAGE
    printed = capsys.readouterr().err
    assert printed == f"dmconform: --out {tmp_path / place}: cannot be made: Not a directory\n"


def test_results_that_did_not_fit_are_not_lost(tmp_path: Path) -> None:
    line = b'{"id":{"case":"window/loads","sdk":"cpp@1.39:reference","host":"1.39.3"},"outcome":"error","detail":"no room"}'
    (tmp_path / "results.jsonl").write_bytes(line[:20])
    assert list(read_results(tmp_path)) == []
    assert list(read_results(tmp_path, [line])) == ["window/loads/cpp@1.39:reference/1.39.3"]

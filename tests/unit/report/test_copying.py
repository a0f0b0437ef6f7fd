"""What a report names is copied, and nothing that leads elsewhere: a shard's folder comes from another machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import msgspec
import pytest
from dmconform.cli.main import main
from dmconform.core.errors import HarnessError
from dmconform.matrix.split import hash_of
from dmconform.report.copying import copy_named
from dmconform.report.schema import Report, Shard, write_report

from tests.unit.report_samples import cell, report


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with a secret, which nothing may read or write."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "key").write_text("secret")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A report's folder."""
    folder = tmp_path / "source"
    (folder / "evidence" / "a" / "deep").mkdir(parents=True)
    (folder / "evidence" / "a" / "deep" / "envoy.log").write_text("log")
    return folder


def files(folder: Path) -> list[str]:
    """Everything below a folder that is no folder, links too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _shard(whole: Report, shard: Shard) -> Report:
    """A report as a shard, with all cases, hosts and requirements alike."""
    return msgspec.structs.replace(whole, shard=shard, requirements=())


def test_files_and_folders_are_copied(source: Path, tmp_path: Path) -> None:
    assert copy_named(source, ["evidence/a", "not/there"], tmp_path / "target") == ()
    assert files(tmp_path / "target") == ["evidence/a/deep/envoy.log"]


def test_links_pipes_and_sockets_are_left_out_and_named(source: Path, tmp_path: Path, outside: Path) -> None:
    a = source / "evidence" / "a"
    (a / "file").symlink_to(outside / "key")
    (a / "folder").symlink_to(outside)
    (a / "relative").symlink_to("../../../outside")
    (a / "inside").symlink_to("deep")
    os.mkfifo(a / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        try:
            os.chdir(a)  # a socket's path must be short
            listening.bind("socket")
        finally:
            os.chdir(here)
        left_out = copy_named(source, ["evidence/a"], tmp_path / "target")
    assert left_out == tuple(f"evidence/a/{name}" for name in ("file", "folder", "inside", "pipe", "relative", "socket"))
    assert files(tmp_path / "target") == ["evidence/a/deep/envoy.log"]


@pytest.mark.parametrize("place", ["evidence/link", "evidence/link/key", "link"])
def test_a_place_below_a_link_is_left_out(source: Path, tmp_path: Path, outside: Path, place: str) -> None:
    (source / "evidence" / "link").symlink_to(outside)
    (source / "link").symlink_to(outside / "key")
    assert copy_named(source, [place], tmp_path / "target") == (place,)
    assert files(tmp_path) == ["outside/key", "source/evidence/a/deep/envoy.log", "source/evidence/link", "source/link"]


def test_names_that_do_not_fit_together_are_an_error(source: Path, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "evidence").write_text("a file")
    with pytest.raises(HarnessError, match="evidence/a: cannot be copied from"):
        copy_named(source, ["evidence/a"], tmp_path / "target")


def test_a_shard_cannot_write_outside(tmp_path: Path, outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A link that one shard brings is not there for the files of the next; neither is one in the place of a report."""
    cells = [cell("a/one", evidence="evidence/x"), cell("a/two", evidence="evidence/x/y")]
    plan = hash_of((one.id, one.relation) for one in cells)
    folders = [tmp_path / "shard-1", tmp_path / "shard-2"]
    for index, (folder, one) in enumerate(zip(folders, cells, strict=True), 1):
        whole = report([one])
        folder.mkdir()
        write_report(_shard(whole, Shard(index, 2, plan, 2)), folder / "report.json")
    (folders[0] / "evidence" / "x").mkdir(parents=True)
    (folders[0] / "evidence" / "x" / "y").symlink_to(outside)
    (folders[1] / "evidence" / "x" / "y").mkdir(parents=True)
    (folders[1] / "evidence" / "x" / "y" / "key").write_text("written by a shard")
    assert main(["merge", *map(str, folders), "--out", str(tmp_path / "whole")]) == 0
    assert (outside / "key").read_text() == "secret"
    assert "'evidence/x/y' is a link, or no file: not copied" in capsys.readouterr().err
    assert not [name for name in files(tmp_path / "whole") if (tmp_path / "whole" / name).is_symlink()]


def test_a_merge_that_fails_leaves_nothing(tmp_path: Path) -> None:
    one = cell(evidence="evidence/x")
    folder = tmp_path / "shard-1"
    plan = hash_of([(one.id, one.relation)])
    (folder / "evidence" / "x").mkdir(parents=True)
    (folder / "index.html").mkdir()
    named = _shard(report([cell(evidence="index.html")]), Shard(1, 1, plan, 1))
    (folder / "index.html" / "a").write_text("a folder in the place of the page")
    write_report(named, folder / "report.json")
    assert main(["merge", str(folder), "--out", str(tmp_path / "whole")]) == 4
    assert not (tmp_path / "whole").exists()

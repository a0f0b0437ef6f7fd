"""The command line as a whole: mistakes are named with what was most likely meant, and a reader may leave at any time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dmconform.cli.main import main
from dmconform.core.errors import ExitCode

from tests.unit.elf_samples import Sample, write

TIMEOUT_S = 120.0

MISTAKES = [
    ("lits", "unknown command lits: did you mean list?"),
    ("abi dif", "unknown command dif: did you mean diff?"),
    ("expectations remov r", "unknown command remov: did you mean remove?"),
    ("run --hots 1.39", "unknown option --hots: did you mean --host?"),
    ("run --sdk-sorce=x", "unknown option --sdk-sorce: did you mean --sdk-source?"),
    ("merge a --ot x", "unknown option --ot: did you mean --out?"),
    ("--versoin", "unknown option --versoin: did you mean --version?"),
    ("run --hos 1.39", "unknown option --hos: did you mean --host?"),
    ("run -x", "unknown option -x: expected one of --help, --host"),
    ("run --format txt", "unknown value of --format txt: did you mean text?"),
    ("list host", "unknown value of WHAT host: did you mean hosts?"),
    ("list hosts --host 1.93", "unknown host 1.93: did you mean 1.39?"),
    ("list hosts --host 1.39.33", "unknown host 1.39.33: did you mean 1.39.3?"),
    ("list hosts --host pth:./envoy", "unknown host pth:./envoy: did you mean path:./envoy?"),
    ("list hosts --host 7", "unknown host 7: expected one of 1.36.2,"),
    ("list sdks --sdk rsut@1.39", "--sdk rsut@1.39: unknown language rsut: did you mean rust?"),
    ("list sdks --sdk cobol@1.39", "--sdk cobol@1.39: unknown language cobol: expected one of cpp, go, rust"),
    ("list sdks --sdk rust@1.93", "unknown SDK version rust@1.93: did you mean rust@1.39?"),
    ("list sdks --sdk rust@1.39:offical", "unknown provider offical: did you mean official?"),
    ("list cases --case window/local_reploy", "unknown case window/local_reploy: did you mean window/local_reply?"),
    ("list cases --sdk go@1.39", "--sdk has no effect on list cases"),
    ("bundle window/lods/go@1.39:reference/1.39.3", "unknown case window/lods: did you mean window/loads?"),
    ("bundle window/loads/go@1.39:refrence/1.39.3", "did you mean go@1.39:reference?"),
    ("bundle window/loads/go@1.39:reference/1.39.33", "unknown host 1.39.33: did you mean 1.39.3?"),
    ("abi diff 1.93 1.40", "unknown minor 1.93: did you mean 1.39?"),
    ("abi diff 1.39.33 1.40", "unknown release 1.39.33: did you mean 1.39.3?"),
    ("differential --abi 1.93", "unknown minor 1.93: did you mean 1.39?"),
    ("gate x --policy sdk-relase", "unknown policy sdk-relase: did you mean sdk-release?"),
    ("check x --extension-point http_filtr", "unknown extension point http_filtr: did you mean http_filter?"),
    ("expectations extend rust-sdk-1.38-has-no-gard --until 1.42", "did you mean rust-sdk-1.38-has-no-guard?"),
]


@pytest.mark.parametrize(("words", "printed"), MISTAKES)
def test_a_mistake_is_named_with_the_nearest_name(words: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(words.split())
    except SystemExit as end:  # argparse
        code = int(end.code or 0)
    seen = capsys.readouterr()
    assert (code, seen.out) == (ExitCode.USAGE, "")
    assert printed in seen.err
    assert len(seen.err.splitlines()) <= 2


def test_a_value_that_looks_like_an_option_is_taken_where_it_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """A negative number, a dash alone, and words with blanks are no options."""
    code = main(["check", "/nonexistent.so", "--json", "-", "--filter-config", "-- a text", "--no-run"])
    assert code == ExitCode.USAGE
    assert "unknown option" not in capsys.readouterr().err


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module's file."""
    file = tmp_path_factory.mktemp("module") / "libm.so"
    file.write_bytes(write(Sample()))
    return file


PRINTING = {
    "help": ("--help", 0),
    "list": ("list cells --everywhere", 0),
    "list --json": ("list cells --json", 0),
    "abi diff": ("abi diff 1.38 1.39", 1),
    "coverage": ("coverage", 0),
    "findings": ("findings", 0),
    "expectations": ("expectations", 0),
    "check": ("check MODULE --no-run", 4),
    "check --json": ("check MODULE --no-run --json -", 4),
}


def start(words: str, module: Path, stdout: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dmconform", *words.replace("MODULE", str(module)).split()]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE)


@pytest.mark.parametrize("name", PRINTING)
@pytest.mark.parametrize("lines", [0, 1])
def test_a_reader_that_has_seen_enough_changes_nothing(name: str, lines: int, module: Path) -> None:
    """As with `| head -1`: the exit code is the command's, and nothing is said of it, at shutdown neither."""
    words, code = PRINTING[name]
    reads, writes = os.pipe()
    reader = open(reads, "rb")  # noqa: PTH123, SIM115
    if not lines:
        reader.close()  # before the first line, so that every command meets it, however little it prints
    process = start(words, module, writes)
    os.close(writes)
    if lines:
        assert reader.readline().strip()
        reader.close()
    _, printed = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, printed.decode()) == (code, "")


@pytest.mark.parametrize("words", ["list hosts", "list cells --everywhere"])
def test_an_output_that_cannot_be_written_is_an_error(words: str, module: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        process = start(words, module, full)
        _, printed = process.communicate(timeout=TIMEOUT_S)
    finally:
        os.close(full)
    assert (process.returncode, printed.decode()) == (
        4,
        "dmconform: standard output cannot be written: No space left on device\n",
    )

"""`dmconform abi extract` and `from-binary`: results on standard output or in a file, everything else on standard error."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.abi.loading import load_abi_file
from dmconform.abi_diff.extract import BadHeader
from dmconform.cli.main import parse
from dmconform.core.errors import ExitCode, UsageError

HOOK = "void envoy_dynamic_module_on_one(void);\n"


def dmconform_abi(*words: str | Path) -> int:
    chosen = parse(["abi", *map(str, words)])
    code: int = chosen.run(chosen)
    return code


@pytest.fixture
def header(tmp_path: Path) -> Path:
    path = tmp_path / "abi.h"
    path.write_text(f"#define LIMIT 16\n{HOOK}")
    return path


def test_the_result_is_all_that_is_on_standard_output(header: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out.json"
    assert dmconform_abi("extract", header, "-o", output) == ExitCode.OK
    to_file = capsys.readouterr()
    assert to_file.out == ""
    assert "macro LIMIT" in to_file.err
    assert dmconform_abi("extract", header) == ExitCode.OK
    assert capsys.readouterr().out == output.read_text()


def test_what_the_user_says_of_a_header_is_in_the_result(header: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    options = ("--release", "1.41.0-dev", "--nearby", "--source", "1.41d", "--describe", "my header")
    dmconform_abi("extract", header, *options, "-o", output)
    abi = load_abi_file(output)
    assert (abi.envoy, abi.measured_on) == ("1.41", "1.41.0-dev")
    assert {name: (source.description, source.exact) for name, source in abi.sources.items()} == {"1.41d": ("my header", False)}
    assert {one.source for one in abi.functions} == {"1.41d"}


def test_a_header_with_a_mistake_writes_nothing(header: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header.write_text(HOOK + "union u { int a; };\n")
    with pytest.raises(BadHeader, match=r"abi\.h:2:7: union u") as caught:
        dmconform_abi("extract", header, "-o", tmp_path / "out.json")
    assert caught.value.exit_code == ExitCode.USAGE
    assert not (tmp_path / "out.json").exists()
    assert capsys.readouterr().out == ""


def test_a_place_that_cannot_be_written_is_named(header: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone/out\.json: the result cannot be written there: No such file"):
        dmconform_abi("extract", header, "-o", tmp_path / "gone" / "out.json")


@pytest.mark.parametrize("subcommand", ["extract", "from-binary"])
def test_help_has_examples_and_exit_codes(subcommand: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        dmconform_abi(subcommand, "--help")
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert f"dmconform abi {subcommand} ./" in text or f"dmconform abi {subcommand} abi.h" in text
    assert "exit codes:" in text

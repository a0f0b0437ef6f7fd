"""Help texts of all commands and subcommands: as wide as the terminal, with examples that work and exit codes of their own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dmconform.cli
import pytest
from dmconform.cli.command import WIDEST, Command, Group, Parser
from dmconform.cli.main import DMCONFORM, main, parse

HEAVY = ("msgspec", "rich", "jinja2", "docker", "requests", "pytest", "h2", "platformdirs", "clang")
HELPERS = {"policy_options", "__init__", "main", "command", "last_resort", "options", "output", "pages", "json_schemas"}
IN_ONE_FILE = "dmconform expectations "
TIMEOUT_S = 60.0


def walk(command: Command, prog: str) -> Iterator[tuple[str, Command]]:
    """A command and all below it, each with the words that call it."""
    yield prog, command
    for one in command.subcommands:
        yield from walk(one, f"{prog} {one.name}")


ALL = dict(walk(DMCONFORM, "dmconform"))
each = pytest.mark.parametrize("prog", ALL)


def help_of(prog: str, monkeypatch: pytest.MonkeyPatch, columns: int) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    return Parser(ALL[prog], prog).format_help()


def section(text: str, name: str) -> list[str]:
    """The lines below a heading."""
    found = re.search(rf"^{name}:\n((?:  .*\n)+)", text, re.MULTILINE)
    assert found, f"expected a section {name!r} in:\n{text}"
    return found[1].splitlines()


@each
@pytest.mark.parametrize(("columns", "widest"), [(80, 80), (60, 60), (40, 60), (300, WIDEST)])
def test_lines_are_at_most_as_long_as_the_terminal_is_wide(
    prog: str, columns: int, widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = help_of(prog, monkeypatch, columns)
    examples = section(text, "examples")
    assert [line for line in examples if len(line) > 80] == []
    assert [line for line in text.splitlines() if len(line) > widest and line not in examples] == []
    paragraphs = [line for line in text.splitlines() if line not in examples]
    assert columns < 300 or max(map(len, paragraphs)) > 70, "expected a wide terminal to be used"


@each
def test_exit_codes_are_those_of_the_command_and_0_is_explained(prog: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ALL[prog]
    codes = [int(line[2]) for line in section(help_of(prog, monkeypatch, 80), "exit codes") if line[2] != " "]
    assert codes == list(command.all_exit_codes)
    assert {0, 2, 4} <= set(codes) <= {0, 1, 2, 3, 4}
    assert 0 in command.exit_codes, "expected the command's own words for exit code 0"


def test_commands_that_judge_nothing_have_no_exit_code_1() -> None:
    judging = {prog for prog, command in ALL.items() if 1 in command.exit_codes}
    assert judging == {
        *("dmconform", "dmconform check", "dmconform run", "dmconform reproduce", "dmconform merge", "dmconform nightly"),
        *("dmconform gate", "dmconform diff", "dmconform differential", "dmconform published", "dmconform expectations"),
        *("dmconform findings", "dmconform facts", "dmconform pairs"),
        *("dmconform abi", "dmconform abi diff", "dmconform abi drift", "dmconform abi findings"),
    }


def examples_of(command: Command) -> list[list[str]]:
    """The words of each example that calls this tool."""
    text = command.examples.replace("\\\n", " ")
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [[word for word in line if not word.startswith(">")] for line in lines if line and line[0] == "dmconform"]


@each
def test_examples_are_understood(prog: str) -> None:
    examples = examples_of(ALL[prog])
    assert [words for words in examples if " ".join(words).startswith(prog)], "expected an example of the command itself"
    for words in examples:
        parse(words[1:])


@each
def test_every_option_and_operand_is_explained(prog: str) -> None:
    parser = Parser(ALL[prog], prog)
    operands = [action for action in parser._actions if action.dest not in ("command", "subcommand")]
    assert [action.dest for action in operands if not (action.help or "").strip(" =SUPRE")] == []


def test_commands_are_grouped_by_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    text = help_of("dmconform", monkeypatch, 80)
    groups = [section(text, f"for {group.value}") for group in Group]
    listed = [[line.split()[0] for line in lines if line[2] != " "] for lines in groups]
    assert sorted(name for names in listed for name in names) == sorted(one.name for one in DMCONFORM.subcommands)
    assert listed[0] == ["check"]
    assert len(ALL) > len(DMCONFORM.subcommands) + 8


def test_each_command_has_a_file_that_is_called_as_it_is() -> None:
    folder = Path(dmconform.cli.__file__).parent
    expected = {
        prog.removeprefix("dmconform ").replace(" ", "_").replace("-", "_")
        for prog in ALL
        if prog != "dmconform" and not prog.startswith(IN_ONE_FILE)
    }
    assert {path.stem for path in folder.glob("*.py")} - HELPERS == expected


def test_help_is_printed_by_the_tool_and_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["abi", "sdk-use", "--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith("usage: dmconform abi sdk-use")
    assert "exit codes:" in printed


def test_help_needs_no_heavy_imports() -> None:
    code = (
        "import sys\n"
        "from dmconform.cli.main import DMCONFORM, Parser\n"
        "def show(command):\n"
        "    Parser(command, command.name).format_help()\n"
        "    for one in command.subcommands: show(one)\n"
        "show(DMCONFORM)\n"
        f"print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    assert done.stdout.strip() == ""

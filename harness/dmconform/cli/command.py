"""How a command is declared, and the parser and the help text that are made of a declaration.

A file of this folder declares one command: `COMMAND = Command(…)`. What a command needs to run is imported by the function that
runs it, so that help texts and mistakes in words cost no heavy imports.
"""

from __future__ import annotations

import argparse
import enum
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from dmconform.core.errors import ExitCode
from dmconform.core.nearest import unknown

NARROWEST: Final = 60
WIDEST: Final = 100
"""Help texts are as wide as the terminal, within these."""
NAME_COLUMN: Final = 15
ALWAYS: Final[Mapping[int, str]] = {
    ExitCode.USAGE: "wrong usage, or a data file with a mistake",
    ExitCode.ERROR: "the command could not do its work, or was interrupted",
}
"""Exit codes that every command has, in these words unless it has its own."""
_NEGATIVE_NUMBER: Final = re.compile(r"-\d+|-\d*\.\d+")

Run = Callable[[argparse.Namespace], int]
AddArguments = Callable[[argparse.ArgumentParser], None]


class Group(enum.Enum):
    """The readers that a command is for, in the order of `dmconform --help`."""

    MODULE_AUTHORS = "module authors"
    SDK_MAINTAINERS = "SDK maintainers"
    DISTRIBUTORS = "distributors and maintainers of Envoy"
    RELEASE_MANAGERS = "release managers"
    CONTRIBUTORS = "contributors to this suite"
    EVERYBODY = "everybody"


def no_arguments(_: argparse.ArgumentParser) -> None:
    """Adds nothing."""


@dataclass(frozen=True)
class Command:
    """A command, or a subcommand of one.

    Attributes:
        name: the word of the command line.
        summary: one line for the list of commands.
        exit_codes: what each code means for this command; those of `ALWAYS` are added.
        group: whom it is for; None for a subcommand.
        description: paragraphs, separated by empty lines; they are wrapped. Without it, the summary.
        examples: lines of a shell, printed as they are; at most 78 columns each.
        notes: paragraphs below the examples.
        add_arguments: adds its own options and operands to a parser.
        run: does it; returns the exit code. None where a subcommand is required.
        subcommands: the words that may follow.
    """

    name: str
    summary: str
    exit_codes: Mapping[int, str] = field(default_factory=dict)
    group: Group | None = None
    description: str = ""
    examples: str = ""
    notes: str = ""
    add_arguments: AddArguments = no_arguments
    run: Run | None = None
    subcommands: tuple[Command, ...] = ()

    @property
    def all_exit_codes(self) -> dict[int, str]:
        """The meaning of each exit code, in their order."""
        return dict(sorted({**ALWAYS, **self.exit_codes}.items()))


def width() -> int:
    """Returns the width of help texts: that of the terminal, or the value of COLUMNS."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns - 1))


class _Formatter(argparse.HelpFormatter):
    """A formatter that wraps paragraphs one by one."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=width())

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        filled = ("\n".join(self._split_lines(one, width)) for one in text.split("\n\n"))
        return textwrap.indent("\n\n".join(filled), indent)

    def _split_lines(self, text: str, width: int) -> list[str]:
        # A path or an option stays whole, so that it can be copied.
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False, break_long_words=False)


def _usage(command: Command) -> str | None:
    """Returns the usage of a command with subcommands; that of others is made of their options."""
    follows = "[COMMAND ...]" if command.run is not None else "COMMAND ..."
    return f"%(prog)s [OPTION] {follows}" if command.subcommands else None


class Parser(argparse.ArgumentParser):
    """The parser of one command. It names an unknown option or command, with the nearest known one."""

    def __init__(self, command: Command, prog: str) -> None:
        super().__init__(
            prog=prog,
            usage=_usage(command),
            description=command.description or command.summary,
            formatter_class=_Formatter,
            allow_abbrev=False,  # an abbreviation ends to work when an option is added
        )
        self._command = command
        command.add_arguments(self)
        if command.subcommands:
            self.add_argument(
                "command" if command.group is None else "subcommand",
                action=_Descend,
                commands=command.subcommands,
                must_follow=command.run is None,
            )
        self.set_defaults(run=command.run)

    def parse_known_args(  # type: ignore[override]  # argparse has overloads for namespaces of other types
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parses, after a look at the options: a misspelt one goes before what is missing because of it."""
        words = list(sys.argv[1:] if args is None else args)
        self._refuse_unknown_options(words)
        return super().parse_known_args(words, namespace)

    def _refuse_unknown_options(self, words: Sequence[str]) -> None:
        known = self._option_string_actions
        for word in words:
            is_option = word.startswith("-") and word != "-" and " " not in word and not _NEGATIVE_NUMBER.fullmatch(word)
            if word == "--" or (self._command.subcommands and not is_option):
                return
            name = word.partition("=")[0] if word.startswith("--") else word[:2]
            if is_option and name not in known:
                self.error(unknown("option", word.partition("=")[0], [one for one in known if one.startswith("--")]))

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Refuses a value that is not among an action's choices, or a command that does not exist."""
        if action.choices is not None and value not in action.choices:
            kind = (
                "command"
                if isinstance(action, _Descend)
                else f"value of {'/'.join(action.option_strings) or action.dest.upper()}"
            )
            self.error(unknown(kind, str(value), [str(one) for one in action.choices]))

    def error(self, message: str) -> NoReturn:
        """Ends with exit code 2."""
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\nSee {self.prog} --help\n")

    def format_help(self) -> str:
        """Returns usage, description, commands, options, examples, notes, exit codes."""
        command = self._command
        parts = [super().format_help().rstrip("\n")]
        if command.subcommands:
            parts += _listed(command.subcommands)
        if command.examples:
            parts.append("examples:\n" + textwrap.indent(command.examples.strip("\n"), "  "))
        if command.notes:
            parts.append(_Formatter(self.prog)._fill_text(command.notes.strip(), width(), ""))
        codes = (_entry(str(code), meaning, 3) for code, meaning in command.all_exit_codes.items())
        parts.append("exit codes:\n" + "\n".join(codes))
        return "\n\n".join(parts) + "\n"


def _listed(commands: Iterable[Command]) -> list[str]:
    """Returns the commands with their summaries, below a heading for each group."""
    commands = tuple(commands)
    paragraphs = []
    for group in (None, *Group):
        entries = [_entry(one.name, one.summary, NAME_COLUMN) for one in commands if one.group is group]
        if entries:
            paragraphs.append("\n".join([f"for {group.value}:" if group else "commands:", *entries]))
    return paragraphs


def _entry(name: str, text: str, column: int) -> str:
    head = f"  {name:{column}}"
    return textwrap.fill(
        text, width(), initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False, break_long_words=False
    )


class _Descend(argparse.Action):
    """An action that hands the words behind a command's name to the parser of that command, which is made only then."""

    def __init__(
        self, option_strings: Sequence[str], dest: str, *, commands: Iterable[Command], must_follow: bool, **_: object
    ) -> None:
        self._commands = {one.name: one for one in commands}
        super().__init__(
            option_strings,
            dest,
            nargs=argparse.PARSER if must_follow else argparse.REMAINDER,
            choices=tuple(self._commands),
            required=must_follow,
            metavar="COMMAND",
            help=argparse.SUPPRESS,
        )

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        words = [] if values is None else [str(one) for one in values]
        if not words:
            return
        name, *rest = words
        parser._check_value(self, name)
        setattr(namespace, self.dest, name)
        chosen = self._commands[name]
        namespace.run = chosen.run
        Parser(chosen, f"{parser.prog} {name}").parse_args(rest, namespace)

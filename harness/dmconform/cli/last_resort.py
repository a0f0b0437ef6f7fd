"""What ends a command that nothing else has caught: one sentence and an exit code, never a traceback unless it is asked for."""

from __future__ import annotations

import shlex
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dmconform.core.errors import ExitCode, HarnessError
from dmconform.core.interrupts import interrupt_again
from dmconform.core.text import cut, no_command, one_line
from dmconform.core.trouble import machine_trouble

DEBUG: Final = "--debug"
_LONGEST: Final = 300  # of an error's own words, and of a command


def explain(error: Exception, words: Sequence[str]) -> int:
    """Prints why a command ended, on standard error; returns its exit code.

    Args:
        error: what it ended with.
        words: of the command line. With `--debug` before the command, the traceback is printed too.
    """
    from dmconform.core.terminal import safe_message

    if _wants_traceback(words):
        print(safe_message("".join(traceback.format_exception(error))), end="", file=sys.stderr)
    print(safe_message(f"dmconform: {_sentence(error, words)}"), file=sys.stderr)  # it may quote a file or a host
    return error.exit_code if isinstance(error, HarnessError) else ExitCode.ERROR


def shorten_side_effects(words: Sequence[str]) -> None:
    """Makes an error that ends no command, in a thread or at the interpreter's end, one line as well.

    An interrupt that comes where none can end anything, such as in a destructor, comes again a little later.
    """
    unraisable = sys.unraisablehook

    def say_unraisable(found: sys.UnraisableHookArgs) -> None:
        if issubclass(found.exc_type, KeyboardInterrupt):
            interrupt_again()
        else:
            (unraisable if _wants_traceback(words) else say_short)(found)

    def say_short(found: sys.UnraisableHookArgs | threading.ExceptHookArgs) -> None:
        words = str(found.exc_value) if found.exc_value is not None else ""
        line = one_line(f"dmconform: besides: {found.exc_type.__name__}: {cut(words, _LONGEST, 'of it')}")
        print(no_command(line), file=sys.stderr)

    sys.unraisablehook = say_unraisable
    if not _wants_traceback(words):
        threading.excepthook = say_short


def _wants_traceback(words: Sequence[str]) -> bool:
    """Returns whether `--debug` is among the words before the command; those behind it are the command's own."""
    return any(word == DEBUG for word in words[: _options_before(words)])


def _options_before(words: Sequence[str]) -> int:
    return next((place for place, word in enumerate(words) if not word.startswith("-")), len(words))


def _sentence(error: Exception, words: Sequence[str]) -> str:
    if isinstance(error, HarnessError):
        return str(error)
    trouble = machine_trouble(error)
    if trouble is not None:
        return trouble
    asked = () if _wants_traceback(words) else (DEBUG,)
    again = cut(shlex.join(["dmconform", *asked, *words]), _LONGEST, "of it")
    return (
        f"internal error: {_short(error)}: a defect of dmconform. Report it as a new issue, or as SECURITY.md says if a "
        f"file of somebody else causes it, with the traceback that this prints: {again}"
    )


def _short(error: Exception) -> str:
    """Returns an error in a few words, with the place in the source that it comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}: {cut(one_line(str(error)), _LONGEST, 'of it')}"

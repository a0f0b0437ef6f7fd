"""The harness in a sandbox: reads what is to be run from standard input, runs it, and writes what was observed."""

from __future__ import annotations

import os
import pickle
import sys

from dmconform.check.isolation import InsideOrder
from dmconform.check.run_all import run_all
from dmconform.check.sandbox_answers import Ready, SandboxAnswer, SandboxTrouble, answer_of, write_files, write_line
from dmconform.core import progress
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.trouble import machine_trouble


def main() -> None:
    """Runs it to its end."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing that is printed gets among the answers
    with answers:
        write_line(answers, Ready())
        answers.flush()
        try:
            asked: InsideOrder = pickle.load(sys.stdin.buffer)  # of the harness outside, and read before any module runs
        except EOFError:
            return  # that one has ended
        progress.count_from(asked.started_s)
        result = _answer(asked)
        if asked.order.kept:
            write_files(answers, asked.order.folder)
        write_line(answers, result)


def _answer(asked: InsideOrder) -> SandboxAnswer | SandboxTrouble:
    try:
        return answer_of(asked.order, run_all(asked.order))
    except HarnessError as error:
        return SandboxTrouble(str(error), usage=isinstance(error, UsageError))
    except Exception as error:
        return SandboxTrouble(machine_trouble(error) or f"internal error in the sandbox: {type(error).__name__}: {error}")

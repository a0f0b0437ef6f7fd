"""Runs the cells of a plan with pytest and pytest-xdist, and prints how far they are."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from dmconform.core import paths
from dmconform.core.progress import say
from dmconform.core.streams import errors_of_children_into
from dmconform.core.trouble import machine_trouble
from dmconform.envoy.observer import UNOBSERVED, Observer
from dmconform.matrix.prepare import Prepared
from dmconform.matrix.pytest_plugin import RESULTS_FILE, Observed, ResultWriter, read_results
from dmconform.matrix.run_cell import CellResult

PROGRESS_EVERY_S = 2.0
LOGGED_PROGRESS_EVERY_S = 10.0  # where it is no terminal: a log is read afterwards
PYTEST_LOG = "pytest.log"
# Of workers: threads share one heap, and what is freed at its end goes back to the system at once. It makes no cell slower.
SMALL_HEAP = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": str(128 << 10)}
_UNUSED = ("doctest", "unittest", "junitxml", "pastebin", "stepwise", "setuponly", "setupplan")  # plugins that take memory
PYTEST_TROUBLE = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED)


class _Progress:
    """A pytest plugin that prints every few seconds how far the cells are."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._red = 0
        self._every_s = PROGRESS_EVERY_S if sys.stderr.isatty() else LOGGED_PROGRESS_EVERY_S
        self._next = time.monotonic() + self._every_s

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        self._done += 1
        self._red += report.failed
        if time.monotonic() >= self._next or self._done == self._total:
            self._next = time.monotonic() + self._every_s
            say(f"{self._done}/{self._total} cells, {self._red} failing")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Keeps pytest and its workers from what the caller's environment and current folder have for another pytest.

    Nothing is written beside the cases, no plugin is loaded because it is installed, and a file of the current folder that has
    the name of a module is not imported.
    """
    before = dict(os.environ), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    os.environ |= dict.fromkeys(("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH"), "1")
    os.environ |= SMALL_HEAP
    try:
        yield
    finally:
        environment, sys.dont_write_bytecode = before
        os.environ.clear()
        os.environ |= environment


@dataclass(frozen=True)
class CellsRun:
    """The results of a run by cell id, and why it is incomplete; None if it is not."""

    results: Mapping[str, CellResult]
    trouble: str | None


class _Log(io.TextIOWrapper):
    """A text file that loses what the disk has no room for: what pytest prints must not end a run."""

    def write(self, text: str, /) -> int:
        with contextlib.suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            super().close()


def run_cells(prepared: Prepared, folder: Path, workers: str, observer: Observer = UNOBSERVED) -> CellsRun:
    """Runs all cells.

    Args:
        prepared: with the plan.
        folder: for results and the log of pytest.
        workers: how many processes, or `auto`; `0`: this one.
        observer: is notified of what cases do; needs `0`, as it is in this process.
    """
    assert observer is UNOBSERVED or workers == "0", f"expected observed cells to run in this process, not in {workers} workers"
    arguments = [
        str(paths.CASES),
        f"--dm-plan={prepared.plan_file}",
        *("-c", os.devnull),  # no pytest.ini or pyproject.toml above the cases, where a project's .venv may be
        f"--rootdir={paths.DATA}",
        f"--confcutdir={paths.CASES}",
        "--import-mode=importlib",
        "--strict-markers",
        "--quiet",
        "--tb=short",
        *("-p", "dmconform.matrix.pytest_plugin"),
        *("-p", "no:cacheprovider"),
        *("-p", "no:tmpdir"),  # it leaves a folder in the temporary one
        *(word for name in _UNUSED for word in ("-p", f"no:{name}")),
        *(() if workers == "0" else ("-p", "xdist.plugin", f"--numprocesses={workers}")),
    ]
    if observer.is_interactive:
        arguments.append("--capture=no")  # it reads from standard input
    log = folder / PYTEST_LOG
    writer = ResultWriter(folder / RESULTS_FILE)
    plugins: list[object] = [writer, *([] if observer is UNOBSERVED else [Observed(observer)])]
    if not observer.is_interactive:
        plugins.append(_Progress(len(prepared.plan.cells)))
    with (
        _Log(log.open("wb", buffering=0), encoding="utf-8", write_through=True) as sink,
        contextlib.redirect_stdout(sink),
        errors_of_children_into(sink.fileno()) if workers != "0" else contextlib.nullcontext(),
        _undisturbed(),
    ):
        trouble: str | None = None
        code: int = pytest.ExitCode.OK
        try:
            code = pytest.main(arguments, plugins=plugins)
        except KeyboardInterrupt:
            code = pytest.ExitCode.INTERRUPTED
        except Exception as error:  # of xdist where the machine lacks something: what the cells have shown so far stays
            trouble = machine_trouble(error)
            if trouble is None:
                raise
    return CellsRun(read_results(folder, writer.unwritten), trouble or _trouble(code, log))


def _trouble(code: int, log: Path) -> str | None:
    """Returns why a run of pytest that ended with a code is incomplete; None if it is not."""
    if code == pytest.ExitCode.INTERRUPTED:
        return "the run was interrupted"
    if code in PYTEST_TROUBLE:
        tail = "\n".join(log.read_text(errors="replace", encoding="utf-8").splitlines()[-20:])
        return f"pytest ended with {pytest.ExitCode(code).name}; the end of {PYTEST_LOG}:\n{tail}"
    return None

"""Whether published reports are what they were when they were published: whole, and never edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness import paths
from harness.errors import HarnessError
from harness.process import find_program, run_program
from harness.publish.publish import FOLDER, REPRODUCE, SUMS, refuse_unfit, sums_of
from harness.report.reading import read_report
from harness.timeouts import GIT_S


def published(folder: Path = FOLDER) -> tuple[Path, ...]:
    """The folders of published reports, oldest first."""
    return tuple(sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")))


def problems(folder: Path = FOLDER) -> Iterator[str]:
    """What is wrong with the published reports, a line each."""
    for report in published(folder):
        for problem in _of_report(report):
            yield f"{report.name}: {problem}"


def _of_report(folder: Path) -> Iterator[str]:
    sums = folder / SUMS
    if not sums.is_file():
        yield f"has no {SUMS}: only dmconform publish makes a published report"
        return
    listed = dict(line.split("  ", 1)[::-1] for line in sums.read_text(encoding="utf-8").splitlines() if "  " in line)
    there = dict(line.split("  ", 1)[::-1] for line in sums_of(folder).splitlines())
    for name in sorted(listed.keys() | there.keys()):
        if name not in there:
            yield f"{name} is missing"
        elif name not in listed:
            yield f"{name} was added"
        elif listed[name] != there[name]:
            yield f"{name} was edited: sha256 {there[name]}, expected {listed[name]}"
    yield from (f"{name} was never there" for name in ("report.json", REPRODUCE) if name not in listed)
    try:
        refuse_unfit(read_report(folder / "report.json"), "report.json")
    except HarnessError as error:
        yield str(error)


def edited_since(folder: Path = FOLDER) -> tuple[str, ...] | None:
    """Published files that a commit changed after the one that added them; None where git cannot tell.

    Hashes can be edited together with what they are of; history tells that too.
    """
    git = find_program("git")
    if git is None:
        return None
    command = [git, "-C", str(paths.PROJECT), "log", "--diff-filter=MDRT", "--format=", "--name-only", "--", str(folder)]
    done = run_program(command, timeout_s=GIT_S)
    if done.exit_code != 0:
        return None
    names = {line for line in done.output.splitlines() if line.strip()}
    reports = {path.name for path in published(folder)}
    return tuple(sorted(name for name in names if len(Path(name).parts) > 3 and Path(name).parts[2] in reports))

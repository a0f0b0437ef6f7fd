"""Whether published reports are what they were when they were published: whole, and never edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dmconform.core import paths
from dmconform.core.datafile import read_bounded
from dmconform.core.errors import HarnessError
from dmconform.core.paths import REPORT_FILE
from dmconform.core.process import find_program, run_program
from dmconform.core.timeouts import GIT_S
from dmconform.release.publish.publish import FOLDER, PAGE, REPRODUCE, SUMS, named_files, refuse_unfit, sums_of
from dmconform.report.reading import read_report


def published(folder: Path = FOLDER) -> tuple[Path, ...]:
    """The folders of published reports, oldest first."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink() and path.name[0] != "."))


def problems(folder: Path = FOLDER) -> Iterator[str]:
    """What is wrong with the published reports, a line each."""
    for report in published(folder):
        for problem in _of_report(report):
            yield f"{report.name}: {problem}"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path not in published(folder) and path.name != PAGE:
            yield f"{path.name}: is no published report; only dmconform publish makes one"


def _of_report(folder: Path) -> Iterator[str]:
    sums = folder / SUMS
    if not sums.is_file() or sums.is_symlink():
        yield f"has no {SUMS}: only dmconform publish makes a published report"
        return
    try:
        text = read_bounded(sums).decode()
    except (HarnessError, UnicodeDecodeError) as error:
        yield f"{SUMS} cannot be read: {error}"
        return
    listed = dict(line.split("  ", 1)[::-1] for line in text.splitlines() if "  " in line)
    there = dict(line.split("  ", 1)[::-1] for line in sums_of(folder).splitlines())
    for name in sorted(listed.keys() | there.keys()):
        if name not in there:
            yield f"{name} is missing"
        elif name not in listed:
            yield f"{name} was added"
        elif listed[name] != there[name]:
            yield f"{name} was edited: sha256 {there[name]}, expected {listed[name]}"
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            yield f"{path.relative_to(folder).as_posix()} is a link, or no file"
    try:
        report = read_report(folder / REPORT_FILE)
        refuse_unfit(report, REPORT_FILE)
        needed = (*named_files(report), REPRODUCE)
    except HarnessError as error:
        yield str(error)
        needed = (REPORT_FILE, REPRODUCE)
    yield from (f"{name} was never there" for name in needed if name not in listed)


def edited_since(folder: Path = FOLDER, project: Path = paths.DATA) -> tuple[str, ...] | None:
    """Published files that were changed or removed after the commit that added them; None where git cannot tell.

    Hashes can be edited together with what they are of; history tells that too, and so does what is not committed yet. A clone
    without its history cannot tell.
    """
    git = find_program("git")
    if git is None:
        return None

    def ask(*words: str) -> str | None:
        done = run_program([git, "-C", str(project), *words], timeout_s=GIT_S)
        return done.output if done.exit_code == 0 else None

    if ask("rev-parse", "--is-shallow-repository") != "false\n":
        return None
    asked = ("--diff-filter=MDT", "--no-renames", "--name-only", "-z")
    past = ask("log", "-c", "--format=", *asked, "--", str(folder))  # -c: merges too, where they differ from all parents
    present = ask("diff", *asked, "HEAD", "--", str(folder))
    if past is None or present is None:
        return None
    names = {name for name in (past + present).replace("\n", "\0").split("\0") if name}
    depth = len(folder.resolve().relative_to(project.resolve()).parts)
    return tuple(sorted(name for name in names if len(Path(name).parts) > depth + 1))

"""Whether published reports were edited after they were published, by git's history.

Hashes can be edited together with what they are of. History shows that too, and so does what is not committed yet.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from dmconform.core import paths
from dmconform.core.compressed import read_plain_or_compressed
from dmconform.core.errors import HarnessError
from dmconform.core.paths import COMPRESSED_REPORT_FILE, REPORT_FILE
from dmconform.core.process import find_program, run_program
from dmconform.core.timeouts import GIT_S
from dmconform.release.publish.publish import FILES, FOLDER, SUMS

_WHAT: Final = ("--diff-filter=MDT", "--no-renames", "--name-status", "-z")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

Ask = Callable[..., str | None]
"""Asks git; None where it has no answer."""


@dataclass(frozen=True)
class _Step:
    """The changes of one commit, or of the uncommitted work, to the files of one published report."""

    before: str  # the commit before it
    run: PurePosixPath  # the report's folder in the repository
    changes: Mapping[str, str]  # by the file's path in the repository: M, D or T; of a merge a letter per parent


def edited_since(folder: Path = FOLDER, project: Path = paths.DATA) -> tuple[str, ...] | None:
    """Returns published files that were changed or removed after the commit that added them; None where git cannot show it.

    A clone without its history cannot show it. The first reports were published as plain files, with their pages. Replacing
    them by the compressed form is not an edit, as long as it holds the removed `report.json` byte for byte.
    """
    git = find_program("git")
    if git is None:
        return None

    def ask(*words: str) -> str | None:
        done = run_program([git, "-C", str(project), *words], timeout_s=GIT_S)
        return done.output if done.exit_code == 0 else None

    if ask("rev-parse", "--is-shallow-repository") != "false\n":
        return None
    past = ask("log", "-c", "--format=%H", *_WHAT, "--", str(folder))  # -c: merges too, where they differ from all parents
    present = ask("diff", *_WHAT, "HEAD", "--", str(folder))
    if past is None or present is None:
        return None
    place = PurePosixPath(folder.resolve().relative_to(project.resolve()).as_posix())
    edited: set[str] = set()
    for step in _steps(past, present, place):
        edited |= step.changes.keys() - _converted(step, ask, project)
    return tuple(sorted(edited))


def _steps(past: str, present: str, place: PurePosixPath) -> list[_Step]:
    """Returns the steps that changed published reports; files directly in `place`, the folder of all of them, are generated."""
    changes: defaultdict[tuple[str, PurePosixPath], dict[str, str]] = defaultdict(dict)
    before, status = "HEAD", ""
    for word in filter(None, [*present.split("\0"), *past.replace("\n", "\0").split("\0")]):
        if _COMMIT.fullmatch(word):
            before = f"{word}^"
        elif not status:
            status = word
        else:
            parts = PurePosixPath(word).parts
            if len(parts) > len(place.parts) + 1:
                changes[before, place / parts[len(place.parts)]][word] = status
            status = ""
    return [_Step(before, run, files) for (before, run), files in changes.items()]


def _converted(step: _Step, ask: Ask, project: Path) -> set[str]:
    """Returns the files that a step changed because it replaced the plain form of a report by the compressed one.

    The compressed one must hold what was removed. Each later change of it is a separate step.
    """
    plain = str(step.run / REPORT_FILE)
    if not _only(step.changes.get(plain, ""), "D"):
        return set()
    removed = (ask("rev-parse", "--verify", "--quiet", f"{step.before}:{plain}") or "").strip()
    try:
        data = read_plain_or_compressed(project / step.run / COMPRESSED_REPORT_FILE)
    except HarnessError:
        return set()
    if _blob_id(data, len(removed)) != removed:
        return set()
    kept, sums = {str(step.run / name) for name in FILES}, str(step.run / SUMS)
    changes = step.changes.items()
    gone = {name for name, status in changes if _only(status, "D") and name not in kept}
    return gone | {name for name, status in changes if _only(status, "M") and name == sums}


def _only(status: str, letter: str) -> bool:
    return {*status} == {letter}


def _blob_id(data: bytes, length: int) -> str:
    """Returns the id of a file's content in git, of so many hexadecimal digits."""
    digest = hashlib.sha1(usedforsecurity=False) if length == 40 else hashlib.sha256()
    digest.update(b"blob %d\0" % len(data))
    digest.update(data)
    return digest.hexdigest()

"""Renews the actions that workflows use: the commit of their newest release, by its tag, which stands behind it."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.core.errors import HarnessError
from dmconform.core.process import run_program, tail

from tests.renew.pins import USES, github_files

TIMEOUT_S: Final = 60.0
FORGE: Final = "https://github.com"
_TAG: Final = re.compile(
    r"^(?P<commit>[0-9a-f]{40})\trefs/tags/(?P<tag>v(\d+)\.(\d+)\.(\d+))(?P<peeled>\^\{\})?$", re.MULTILINE
)


@dataclass(frozen=True)
class Release:
    """A tag, and the commit that it names."""

    tag: str
    commit: str


def renew_actions(root: Path) -> None:
    """Renews them in the workflows and actions of a checkout.

    Raises:
        HarnessError: a repository does not answer, or has no release. All files are as they were then.
    """
    texts = {root / file: (root / file).read_text(encoding="utf-8") for file in github_files(root)}
    renewed = {path: USES.sub(_renewed, text) for path, text in texts.items()}
    for path, text in renewed.items():
        path.write_text(text, encoding="utf-8")


def _renewed(found: re.Match[str]) -> str:
    newest = newest_release(found["repository"])
    return f"uses: {found['action']}@{newest.commit} # {newest.tag}"


@functools.cache
def newest_release(repository: str) -> Release:
    """Returns the release with the greatest number; a tag such as v4, which moves, is none.

    Raises:
        HarnessError: the repository does not answer, or has no release.
    """
    words = ["git", "ls-remote", "--tags", f"{FORGE}/{repository}"]
    done = run_program(words, timeout_s=TIMEOUT_S, env={"GIT_TERMINAL_PROMPT": "0"})
    if done.exit_code != 0:
        raise HarnessError(f"{repository}: the actions' repositories do not answer. {tail(done.output)}")
    # A tag with a text of its own comes twice, the second time with the commit that it is about.
    found = [*_TAG.finditer(done.output)]
    if not found:
        raise HarnessError(f"{repository}: expected tags such as v1.2.3, there are none")
    newest = max(found, key=lambda one: (int(one[3]), int(one[4]), int(one[5]), bool(one["peeled"])))
    return Release(newest["tag"], newest["commit"])

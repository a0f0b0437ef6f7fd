"""Stands for GitHub's command line: answers from the runs and artifacts of the rehearsal, and keeps the issues it is given."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import sys
from pathlib import Path

LONGEST_ISSUE = 65_536


def main(words: list[str]) -> int:
    """Returns an exit code."""
    forge = Path(os.environ["FORGE"])
    assert os.environ["GH_TOKEN"], "expected a token"
    options = dict(itertools.pairwise(words))
    match words[:2]:
        case ["api", "repos/me/suite"]:
            assert options["--jq"] == ".default_branch", words
            print("main")
        case ["run", "list"]:
            assert options["--workflow"] == "nightly.yml", words
            events = re.findall(r'\.event == "(\w+)"', options["--jq"])
            for run in json.loads(os.environ["FORGE_RUNS"])[: int(options["--limit"])]:
                if (run["headBranch"], run["status"]) == (options["--branch"], options["--status"]) and run["event"] in events:
                    print(run["databaseId"])
        case ["run", "download"]:
            artifact = forge / "artifacts" / words[2] / options["--name"]
            if not artifact.is_dir():
                print("no valid artifacts found to download", file=sys.stderr)
                return 1
            shutil.copytree(artifact, options["--dir"])
        case ["issue", "create"]:
            text = Path(options["--body-file"]).read_text(encoding="utf-8")
            assert len(text) <= LONGEST_ISSUE, f"{len(text)} characters, and GitHub takes {LONGEST_ISSUE}"
            (forge / "issues").mkdir(exist_ok=True)
            (forge / "issues" / options["--title"]).write_text(text, encoding="utf-8")
        case _:
            print(f"the rehearsal does not know: gh {' '.join(words)}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))

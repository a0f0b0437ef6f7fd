"""Fuzzes the readers of strangers' files: ELF; JSON of reports and checks; TOML of records, hosts and policies.

    python -m tests.fuzz --minutes 10
    python -m tests.fuzz --minutes 1 --target elf --seed 7

What is found is kept, with the command that shows it again. Once it is fixed, its file goes to tests/fuzz/corpus/TARGET.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from dmconform.core.paths import IMPORT_ROOT

from tests.checkout import ROOT
from tests.fuzz.targets import PLANTED, TARGETS, Target

FOUND: Final = ROOT / "reports" / "local" / "fuzz"
MORE_S: Final = 60  # to start and to end


def fuzzed(target: str, seconds: int, seed: int, folder: Path, *, planted: bool = False) -> int:
    """Fuzzes a target in a process of its own; returns its exit code, which is not 0 where a defect was found.

    Args:
        target: its name.
        seconds: how long.
        seed: of the chance.
        folder: for the files of the process.
        planted: whether the readers have a defect, to see that it is found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "tests.fuzz.driver", target, str(seconds), str(seed), str(folder)]
    path = os.pathsep.join(filter(None, (str(IMPORT_ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, **({PLANTED: "1"} if planted else {})}
    try:
        return subprocess.run(words, cwd=ROOT, env=environment, timeout=seconds + MORE_S, check=False).returncode
    except subprocess.TimeoutExpired:
        print(f"{target}: not done {MORE_S} s after its time", file=sys.stderr)
        return 1


def _shown(target: Target, file: Path) -> int:
    target.run(file)
    print("no defect")
    return 0


def main() -> int:
    """Returns 0 if nothing was found."""
    summary, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=summary, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10, help="all targets together (default: 10)")
    parser.add_argument("--target", choices=TARGETS, action="append", help="may be repeated (default: all)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of the chance (default: a new one)")
    parser.add_argument("--planted", action="store_true", help="plant a defect, and fail unless it is found")
    parser.add_argument("--file", type=Path, help="read this file only, with the readers of --target")
    arguments = parser.parse_args()
    targets = arguments.target or list(TARGETS)
    if arguments.file is not None:
        return max(_shown(TARGETS[name], arguments.file) for name in targets)
    seconds = max(1, round(arguments.minutes * 60 / len(targets)))
    folder = FOUND / str(arguments.seed)
    bad = []
    for name in targets:
        code = fuzzed(name, seconds, arguments.seed, folder / name, planted=arguments.planted)
        if (code == 0) is arguments.planted:
            bad.append(name)
    if not bad:
        print(f"fuzzed {', '.join(targets)}: {'each planted defect was found' if arguments.planted else 'nothing was found'}")
        return 0
    if arguments.planted:
        print(f"the planted defect was not found: {', '.join(bad)}", file=sys.stderr)
        return 1
    for name in bad:
        for file in sorted((folder / name).glob("found-*")):
            print(f"again: python -m tests.fuzz --target {name} --file {file}", file=sys.stderr)
    print(f"found something: {', '.join(bad)}; seed {arguments.seed}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

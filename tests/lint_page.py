"""Checks the types of the report page's script with TypeScript, and its style with Biome: `python -m tests.lint_page`.

Both are programs of npm, pinned by hash in tests/page/package-lock.json. Biome is one program without dependencies, and it
formats as well; ESLint would bring many packages and no formatter.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.core.errors import ExitCode, HarnessError
from dmconform.core.process import find_program, run_ok, run_program
from filelock import FileLock

from tests.checkout import ROOT
from tests.ensure_packages import main as ensure_packages

SETTINGS: Final = Path("tests", "page")  # below the root of a checkout
SOURCES: Final = Path("harness", "dmconform", "report", "page", "assets")
TOOLS: Final = ROOT / ".tox" / "page-tools"
INSTALL_TIMEOUT_S: Final = 600.0
CHECK_TIMEOUT_S: Final = 120.0
_INSTALLED_FROM: Final = ("package.json", "package-lock.json", ".npmrc")


@dataclass(frozen=True)
class Tools:
    """The two programs."""

    type_checker: Path
    linter: Path

    @classmethod
    def below(cls, folder: Path) -> Tools:
        """Returns the programs that npm has installed in `folder`."""
        programs = folder / "node_modules" / ".bin"
        return cls(programs / "tsc", programs / "biome")


def installed_tools(folder: Path = TOOLS) -> Tools:
    """Returns the tools; installs them in `folder` where they are not there in the pinned versions.

    Raises:
        HarnessError: Node.js or npm is missing, or npm fails.
    """
    npm = find_program("npm")
    if npm is None or find_program("node") is None:
        raise HarnessError(
            "checking the report page's script needs the programs node and npm on PATH, and they are missing: "
            "run ./toxw -e lint, which installs Debian's nodejs and npm, or install Node.js 18 or newer"
        )
    sources = [ROOT / SETTINGS / name for name in _INSTALLED_FROM]
    version = hashlib.sha256(b"\0".join(file.read_bytes() for file in sources)).hexdigest()
    stamp = folder / "installed-from"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):  # several workers of pytest may come at once
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != version:
            stamp.unlink(missing_ok=True)
            for file in sources:
                shutil.copy(file, folder)
            # No package's own script is run: neither tool has one.
            words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"]
            run_ok(words, INSTALL_TIMEOUT_S, "install the tools that check the report page's script", folder)
            stamp.write_text(version, encoding="utf-8")
    return Tools.below(folder)


def problems(tools: Tools, root: Path = ROOT) -> list[str]:
    """Returns what the tools have to say of the script in a checkout, one text for each tool that is not content.

    Args:
        tools: The programs.
        root: The folder of the checkout, or of a copy that has `SETTINGS` and `SOURCES`.
    """
    settings, sources = root / SETTINGS, root / SOURCES
    # Biome takes the folder that it is started in for the project's, and reads all of that.
    commands: tuple[tuple[Path, list[str | Path]], ...] = (
        (root, [tools.type_checker, "--project", settings, "--pretty", "false"]),
        (sources, [tools.linter, "ci", f"--config-path={settings}", "--colors=off", "--error-on-warnings", "."]),
    )
    ran = [(words, run_program(words, timeout_s=CHECK_TIMEOUT_S, cwd=folder)) for folder, words in commands]
    return [f"{Path(words[0]).name}: {done.output.strip()}" for words, done in ran if done.exit_code != 0]


def main() -> int:
    """Returns an exit code."""
    code = ensure_packages(["page"])
    if code != 0:
        return code
    try:
        found = problems(installed_tools())
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("\n".join(found) if found else "the report page's script: no wrong type, nothing for the linter to say")
    return ExitCode.FAIL if found else ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())

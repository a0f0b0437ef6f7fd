"""Stands for `./toxw -e ENVIRONMENT -- WORDS`: what tox.ini has for that environment, with the Python of the tests.

tox itself would make an environment first, which takes a minute and a registry. What it does with folders, variables and words
is done here too. Called with the path of toxw, then its arguments.
"""

from __future__ import annotations

import configparser
import fnmatch
import os
import shlex
import sys
from pathlib import Path


def main() -> None:
    """Becomes the command."""
    toxw, *arguments = sys.argv[1:]
    assert "--" in arguments, f"expected words for the command behind --: {arguments}"
    folder = Path(toxw).resolve().parent
    options, words = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    name = options[options.index("-e") + 1]
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(folder / "tox.ini")
    assert f"testenv:{name}" in ini, f"tox.ini has no environment {name}"
    section, common = ini[f"testenv:{name}"], ini["testenv"]
    program, *rest = shlex.split(section["commands"])
    assert program == "dmconform", section["commands"]
    assert rest[-1].startswith("{posargs"), section["commands"]
    assert "CALLED_FROM" in ini["testenv:dmconform"]["change_dir"], "expected the command to run where it was called"
    passed = [*common["pass_env"].split(), "PATH", "HOME", "LANG", "TMPDIR"]  # tox passes the last ones always
    environment = {key: value for key, value in os.environ.items() if any(fnmatch.fnmatch(key, one) for one in passed)}
    environment |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    os.execve(sys.executable, [sys.executable, "-m", "dmconform", *rest[:-1], *words], environment)


if __name__ == "__main__":
    main()

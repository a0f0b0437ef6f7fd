"""Attacks by what is around a command: signals, full disks, limits, locales and clocks. The modules and files are all good.

So every command ends with 0, or with 4 where it could not do its work; never with 1, which would say that a module does not
work, and never with a traceback. Nothing is left of it.
"""

from __future__ import annotations

import contextlib
import random
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from dmconform.abi.bindings.c_header import c_header
from dmconform.abi.loading import load_abi
from dmconform.core import paths
from dmconform.core.errors import ExitCode

from tests.attack.attack import Attack, Try
from tests.attack.watched import Ended, Watched, remaining, start, traceback_in
from tests.checkout import ROOT
from tests.corpus.making import Module, Workplace
from tests.hosts.full_disk import small_disk
from tests.hosts.jumping_clock import JumpingClock

END_S: Final = 120.0
"""How long a command may take, whatever happens to it."""
_CELLS: Final = ("--host", "1.39.3", "--sdk", "cpp@1.39:reference", "--case", "window/*", "-n", "2")
_CELL: Final = "window/proxied_traffic/cpp@1.39:reference/1.39.3"
_REPORTS: Final = ROOT / "reports" / "published"
_OUT: Final = "out"
_DISTURBING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL)
_BY_THE_KERNEL: Final = (-signal.SIGKILL, -signal.SIGXCPU)  # where the processor's time is used up


@dataclass(frozen=True)
class Command:
    """A command on good files. `words` gives what follows `dmconform`, for a folder; `usual_s` is how long it takes about."""

    name: str
    words: Callable[[Path], list[str | Path]]
    usual_s: float


def _module(folder: Path) -> Path:
    """Makes a module that works on all hosts of its promise."""
    target = folder / "libgood.so"
    if not target.exists():
        Module().make(Workplace(folder / "work", dict), target)
    return target


def _header(folder: Path) -> Path:
    target = folder / "abi.h"
    target.write_text(c_header(load_abi(paths.ABI, "1.39")), encoding="utf-8")
    return target


def _check(folder: Path) -> list[str | Path]:
    given = ("--extension-point", "http_filter", "--filter-name", "n", "--filter-config", "")
    return ["check", _module(folder), "--host", "1.39", "--host", "1.40", *given]


def _read(folder: Path) -> list[str | Path]:
    return ["check", _module(folder), "--no-run", "--host", "all"]


def _run(folder: Path) -> list[str | Path]:
    return ["run", *_CELLS, "--out", folder / _OUT]


def _bundle(folder: Path) -> list[str | Path]:
    (folder / _OUT).mkdir(exist_ok=True)
    return ["bundle", _CELL, "--out", folder / _OUT / "cell.tar.gz"]


def _diff(folder: Path) -> list[str | Path]:
    old, new = sorted(one for one in _REPORTS.iterdir() if one.is_dir())[:2]
    return ["diff", old, new]


def _extract(folder: Path) -> list[str | Path]:
    return ["abi", "extract", _header(folder)]


CHECK: Final = Command("check", _check, 1.5)
READ: Final = Command("check --no-run", _read, 0.8)
RUN: Final = Command("run", _run, 8.0)
BUNDLE: Final = Command("bundle", _bundle, 5.0)
DIFF: Final = Command("diff", _diff, 1.2)
EXTRACT: Final = Command("abi extract", _extract, 1.5)
COMMANDS: Final = (CHECK, READ, RUN, BUNDLE, DIFF, EXTRACT)


def _tried(what: str, ended: Ended, folder: Path, codes: tuple[int, ...], *, cleans: bool = True) -> Try:
    """Returns the try that a command was.

    Args:
        what: what was done to it, for the failure.
        ended: how it ended.
        folder: of the try.
        codes: the exit codes that it may have.
        cleans: whether it could remove its files.
    """
    failures = list(_wrong(ended, codes))
    left = remaining([str(folder)])
    if left:
        failures.append(f"{len(left)} processes are left, such as {next(iter(left.values()))!r}")
    if cleans:
        failures += _left_files(folder)
    return ended.after(f"{what}: {'; '.join(failures)}" if failures else None)


def _wrong(ended: Ended, codes: tuple[int, ...]) -> Iterator[str]:
    if ended.exit_code is None:
        yield f"it has not ended after {END_S:g} s"
        return
    wrong = traceback_in(ended)
    if wrong:
        yield wrong
    if ended.exit_code not in codes:
        yield f"expected the exit code {' or '.join(str(int(code)) for code in codes)}"


def _left_files(folder: Path) -> Iterator[str]:
    left = [path.name for path in (folder / "scratch").iterdir()]
    if left:
        yield f"the temporary folder has {len(left)} entries, such as {left[0]!r}"
    out = folder / _OUT
    if out.is_dir() and not (out / paths.REPORT_FILE).exists():
        found = sorted(path.name for path in out.iterdir())
        if found not in ([], ["cell.tar.gz"]):
            yield f"the output folder has no report, but {', '.join(found[:5])}"


def _interrupted(chance: random.Random, folder: Path) -> Try:
    """A signal at a random moment, to the process or, as a terminal does, to its group; sometimes another one soon after it."""
    command, number, group = chance.choice(COMMANDS), chance.choice(_DISTURBING), chance.random() < 0.5
    after_s, again_s = chance.uniform(0, command.usual_s), chance.choice([None, None, 0.01, 0.2])
    with _running(command, folder) as running:
        running.until(lambda: False, after_s)
        begun = _has_begun(running, folder)
        running.signal(number, group=group)
        if again_s is not None and number is not signal.SIGKILL:
            running.until(lambda: False, again_s)
            running.signal(number, group=group)
        ended = running.end(END_S)
    # Before its code has begun, a signal ends Python as it ends any program; SIGINT in Python's own start prints a traceback.
    codes: tuple[int, ...] = (ExitCode.OK, ExitCode.ERROR)
    quits = number is signal.SIGQUIT and again_s is not None  # the second one ends it at once
    if number is signal.SIGKILL or quits or not begun:
        codes = (*codes, -number)
    if not begun and ended.exit_code in (-number, 1) and "dmconform" not in ended.errors:
        codes, ended = (-number, 1), _without_errors(ended)
    again = "" if again_s is None else " twice"
    what = f"{command.name}: {number.name}{again} to {'the group' if group else 'the process'} after {after_s:.2f} s"
    return _tried(what, ended, folder, codes, cleans=ended.exit_code != -number)


def _without_errors(ended: Ended) -> Ended:
    return Ended(ended.exit_code, ended.output, "", ended.processor_s, ended.wall_s, ended.memory_bytes)


def _has_begun(running: Watched, folder: Path) -> bool:
    """Returns whether the tool's own code has begun its work: it has said something, made a folder, or takes SIGTERM itself."""
    with contextlib.suppress(OSError):
        if running.complained.stat().st_size or any((folder / "scratch").iterdir()):
            return True
        for line in Path(f"/proc/{running.pid}/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
    return False


@contextlib.contextmanager
def _running(
    command: Command, folder: Path, environment: Mapping[str, str] | None = None, *, prefix: tuple[str, ...] = ()
) -> Iterator[Watched]:
    yield start(command.words(folder), folder, environment or {}, prefix=prefix)


def _on_full_disk(chance: random.Random, folder: Path) -> Try:
    """Too little room where a command writes: its output folder, the cache, the temporary folder, or an output."""
    where = chance.choice(["output", "cache", "temporary folder", "standard output", "standard error"])
    size = 4096 << chance.randrange(11)
    if where.startswith("standard"):
        command = chance.choice(COMMANDS)
        full = Path("/dev/full")
        words = command.words(folder)
        out, errors = (full, None) if where == "standard output" else (None, full)
        running = start(words, folder, {}, stdout=out, stderr=errors)
        return _tried(f"{command.name}: {where} is full", running.end(END_S), folder, (ExitCode.OK, ExitCode.ERROR))
    command = chance.choice([RUN, BUNDLE]) if where == "output" else chance.choice(COMMANDS)
    words = command.words(folder)
    try:
        with small_disk(folder / "small", size) as disk:
            environment = {}
            if where == "output":
                words[-1] = disk / _OUT
                if command is BUNDLE:
                    words[-1] = disk / "cell.tar.gz"
            elif where == "temporary folder":
                environment["TMPDIR"] = str(disk)
            else:
                environment["DMCONFORM_CACHE"] = str(_nearly_full_cache(disk))
            ended = start(words, folder, environment).end(END_S)
            what = f"{command.name}: {size >> 10} KiB of room for the {where}"
            done = _tried(what, ended, folder, (ExitCode.OK, ExitCode.ERROR))
            left = [path.name for path in disk.iterdir()] if where == "temporary folder" else []
            if left and done.failure is None:
                done = ended.after(f"{what}: the temporary folder has {len(left)} entries, such as {left[0]!r}")
            return done
    except pytest.skip.Exception as reason:  # of a test; here nothing was tried
        return Try(str(reason), 0.0, 0.0, 0)


def _nearly_full_cache(disk: Path) -> Path:
    """Makes a cache that has the hosts and modules of the real one, and no room."""
    real = paths.cache_folder()
    for entry in ("hosts", "modules", "downloads", "generated"):
        (disk / entry).symlink_to(real / entry)
    with (disk / "fill").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while filler.write(bytes(4096)):
            pass
    return disk


def _limited(chance: random.Random, folder: Path) -> Try:
    """The caller's own limits, some of them far too low. Python itself needs 64 MiB, 8 files and a second to start."""
    limit, least, most = chance.choice(
        [
            ("as", 64 << 20, 4 << 30),
            ("cpu", 1, 8),
            ("nproc", 1, 200),  # which does not hold for root
            ("nofile", 8, 256),
            ("fsize", 1, 1 << 20),
            ("stack", 1 << 20, 16 << 20),
        ]
    )
    value = int(least * (most / least) ** chance.random())
    command = chance.choice(COMMANDS)
    ended = start(command.words(folder), folder, {}, prefix=("prlimit", f"--{limit}={value}:{value}")).end(END_S)
    codes: tuple[int, ...] = (ExitCode.OK, ExitCode.ERROR)
    if limit == "cpu":
        codes = (*codes, *_BY_THE_KERNEL)
    killed = ended.exit_code is not None and ended.exit_code < 0
    return _tried(f"{command.name}: {limit} limited to {value}", ended, folder, codes, cleans=not killed)


def _elsewhere(chance: random.Random, folder: Path) -> Try:
    """Another language, time zone, or clock, which may jump at any moment."""
    command = chance.choice(COMMANDS)
    environment = {
        chance.choice(["LC_ALL", "LANG", "LC_CTYPE"]): chance.choice(_LOCALES),
        "TZ": chance.choice(_ZONES),
    }
    jump_s = 0
    if chance.random() < 0.5:
        clock = JumpingClock.made_in(folder)
        environment |= clock.environment
        jump_s = chance.choice([-1, 1]) * int(10 ** chance.uniform(0, 9.5))
    with _running(command, folder, environment) as running:
        if jump_s:
            running.until(lambda: False, chance.uniform(0, command.usual_s))
            clock.jump(jump_s)
        ended = running.end(END_S)
    what = f"{command.name} with {environment}, and a clock that jumps by {jump_s} s"
    return _tried(what, ended, folder, (ExitCode.OK,))


_LOCALES: Final = (
    "C",
    "POSIX",
    "C.UTF-8",
    "en_US.ISO-8859-1",
    "de_DE.UTF-8",
    "tr_TR",
    "xx_YY.none",
    "",
    "../../x",
    "\udcff",
    "x" * 5000,
)
_ZONES: Final = ("UTC", "Asia/Kolkata", "Nowhere/None", "", "<+99>-99", ":/dev/null", "../../../etc/passwd", "x" * 5000)

ATTACKS: Final = (
    Attack("kills and interrupts", aim=60, share=4, attempt=_interrupted),
    Attack("full disks", aim=30, share=2, attempt=_on_full_disk),
    Attack("limits", aim=20, share=2, attempt=_limited),
    Attack("locales and clocks", aim=20, share=1, attempt=_elsewhere),
)

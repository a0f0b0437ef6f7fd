"""Runs a module in hosts: each use in a separate Envoy, and classifies how it ended.

This runs the module's code. Everything is bounded by `dmconform.envoy.launch` and the named time-outs.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from dmconform.binaries.facts import ModuleFacts
from dmconform.check.result import PointRun, RunKind
from dmconform.check.settings import WantedUse
from dmconform.core.errors import HarnessError
from dmconform.core.text import one_line
from dmconform.core.values import AbiVerdict
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, ModuleUse, Phase, SentExchange
from dmconform.envoy.outcomes import linker_error
from dmconform.matrix.cell import abi_verdict

LIBRARY_PATH = "LD_LIBRARY_PATH"
_REASON_CHARACTERS = 1000
# What hosts of 1.36 to 1.40 say; the first group that matches counts.
_NO_SUCH_POINT = re.compile(
    r"could not find @type '[^']*dynamic_modules?\.|Didn't find a registered implementation for [^\n]*dynamic_modules?\b"
    r"|unknown type: [^\n]*dynamic_modules?\.",
    re.IGNORECASE,
)
_MODULE_SAYS_NO = re.compile(
    r"failed to initialize (?:per-route )?dynamic module(?!:)|failed to create in-module ",
    re.IGNORECASE,
)
_NOT_LOADED = re.compile(
    r"failed to load dynamic module|failed to resolve symbol|ABI version mismatch|undefined symbol"
    r"|cannot open shared object",
    re.IGNORECASE,
)
_RUST_PANIC = "panicked at"  # what it says of itself is on the next line
# The first of these that the log has says most of the trouble. The last is what a module logs as an error.
_TROUBLE = (
    _RUST_PANIC,
    "panic: ",
    "terminate called",
    "Assertion `",
    "libc++abi: ",
    "fatal error: ",
    "[error][dynamic_modules]",
)
_THREAD = re.compile(r"(thread '[^']*') \(\d+\)")  # how Rust names the one that panics: with a number that differs
# Time, process, level, logger and place in the source, as hosts begin a line of their log.
_LOG_HEAD = re.compile(r"^\[[^\]]*\]\[\d+\]\[\w+\]\[\w+\] \[[^\]]*\] ")


@dataclass(frozen=True)
class Installed:
    """A copy of the module where hosts find it by name; `environment` is what the copy needs besides."""

    name: str
    folder: Path
    environment: Mapping[str, str]


def install(module: Path, facts: ModuleFacts, folder: Path, reserved: Collection[str] = ()) -> Installed:
    """Copies the module to `FOLDER/libNAME.so`, NAME being what its file is called.

    `reserved` are names that hosts have modules for already. Libraries that it wants from beside itself (`$ORIGIN`) are
    found through LD_LIBRARY_PATH, as the copy lies elsewhere.

    Args:
        module: the user's shared library; it is only read.
        facts: what its file says, among it its search paths.
        folder: where the copy goes; made if it is missing.
        reserved: names that hosts have modules for already; the copy gets another one, by underscores at the end.

    Raises:
        HarnessError: it cannot be copied.
    """
    name = module_name(module)
    while name in reserved:
        name += "_"
    target = folder / f"lib{name}.so"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, target)
    except OSError as error:
        raise HarnessError(
            f"{module}: cannot be copied to {folder}: {error.strerror}; make room there, or set TMPDIR"
        ) from error
    home = str(module.resolve().parent)
    paths = [part for written in facts.search_paths for part in written.split(":") if "ORIGIN" in part]
    beside = [part.replace("${ORIGIN}", home).replace("$ORIGIN", home) for part in paths]
    return Installed(name, folder, {LIBRARY_PATH: ":".join(beside)} if beside else {})


def module_name(module: Path) -> str:
    """Returns the name that an Envoy configuration would use for the file.

    It is without `lib` and `.so`, and has only safe letters.
    """
    stem = module.name.removeprefix("lib").removesuffix(".so")
    return re.sub(r"[^A-Za-z0-9_.-]", "_", stem)[:100].lstrip(".-") or "module"


def run_use(
    binary: Path,
    installed: Installed,
    wanted: WantedUse,
    folder: Path,
    *,
    environment: Mapping[str, str],
    upstream_port: int,
) -> PointRun:
    """Runs the module in one host at one extension point; never raises for what module or host do.

    Args:
        binary: the host.
        installed: the copy of the module, and the variables it needs.
        wanted: extension point, filter name, configuration and variables; an empty name means the module's own.
        folder: for the host's files.
        environment: variables of all uses; those of `wanted` win.
        upstream_port: a loopback port with an upstream that answers.
    """
    name = wanted.name or installed.name
    answers: tuple[str, ...] = ()
    use = ModuleUse(wanted.point, ModuleRef(installed.name), name, wanted.config)
    variables = _merged(installed.environment, environment, wanted.environment)
    started = time.monotonic()
    try:
        seen = attempt(binary, use, folder, search_path=installed.folder, environment=variables, upstream_port=upstream_port)
        kind, reason = classify(seen, binary)
        answers = tuple(_in_words(exchange) for exchange in seen.answers)
        printed = abi_verdict(seen.log, kind not in (RunKind.REFUSED, RunKind.NO_SUCH_POINT, RunKind.NO_VERDICT))
    except (HarnessError, OSError) as error:
        kind, reason, printed = RunKind.NO_VERDICT, str(error), AbiVerdict.NOT_LOADED
    return PointRun(
        extension_point=wanted.point.value,
        filter_name=name,
        kind=kind,
        reason=_tidy(reason, installed.folder),
        abi_verdict=printed,
        duration_s=round(time.monotonic() - started, 3),
        answers=answers,
    )


def classify(seen: Attempt, binary: Path) -> tuple[RunKind, str]:
    """Returns what an attempt means for the question whether the module works there, and why; empty where it works."""
    match seen.ended:
        case AttemptEnd.WORKED | AttemptEnd.NOT_DRIVEN:
            return RunKind.WORKS, ""
        case AttemptEnd.HUNG:
            return _standstill(seen.message), seen.message
        case AttemptEnd.NO_WAY | AttemptEnd.BLOCKED:
            return RunKind.NO_VERDICT, seen.message
        case AttemptEnd.CRASHED:
            linker = linker_error(seen.log, binary)
            if linker is not None:
                return RunKind.SYMBOL_LOOKUP, linker
            during = {Phase.LOADING: "with this configuration", Phase.DRIVING: "under traffic", Phase.STOPPING: "at its end"}
            return RunKind.CRASHED, f"{during[seen.phase]}: {seen.message}{_last_words(seen.log)}"
        case AttemptEnd.REFUSED:
            kind = _refusal(seen.message)
            return kind, seen.message + (_last_words(seen.log) if kind is RunKind.CONFIGURATION_REFUSED else "")


def _standstill(message: str) -> RunKind:
    """Returns what hangs, by the harness's message: requests, the start, or the host itself."""
    if "no complete answer" in message and "admin interface" not in message:
        return RunKind.NO_ANSWER
    return RunKind.NOT_READY if "is not ready" in message else RunKind.HUNG


def _refusal(message: str) -> RunKind:
    if _NO_SUCH_POINT.search(message):
        return RunKind.NO_SUCH_POINT
    if _MODULE_SAYS_NO.search(message):
        return RunKind.CONFIGURATION_REFUSED
    if _NOT_LOADED.search(message):
        return RunKind.REFUSED
    return RunKind.HOST_REFUSES_CONFIGURATION


def _last_words(log: str) -> str:
    """Returns the message of a panic, of the C++ runtime or of the module itself; empty where none is recognised."""
    lines = log.splitlines()
    for mark in _TROUBLE:
        for number, line in enumerate(lines):
            if mark in line:
                more = lines[number + 1] if mark == _RUST_PANIC and number + 1 < len(lines) else ""
                printed = _THREAD.sub(r"\1", _LOG_HEAD.sub("", line.strip()))
                return f"; it said: {printed} {more.strip()}".rstrip()
    return ""


def _in_words(exchange: SentExchange) -> str:
    answer = exchange.answer
    return f"{exchange.request} {answer.status if answer.status is not None else f'({answer.problem})'}"


def _merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Merges variables: later ones win, but for library folders, which add up."""
    merged: dict[str, str] = {}
    for part in parts:
        for name, value in part.items():
            both = name == LIBRARY_PATH and merged.get(name)
            merged[name] = f"{value}:{merged[name]}" if both else value
    return merged


def _tidy(text: str, folder: Path) -> str:
    """Returns one safe line, without the folder of this run in it."""
    line = one_line(text).replace(f"{folder}/", "")
    return line if len(line) <= _REASON_CHARACTERS else f"{line[:_REASON_CHARACTERS]}…"

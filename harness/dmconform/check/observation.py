"""Runs a module in hosts: each use in a separate Envoy, and classifies how it ended.

This runs the module's code. Everything is bounded by `dmconform.envoy.launch` and the named time-outs.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dmconform.binaries.facts import ModuleFacts
from dmconform.check.log import caught_panic, crash_frame, crashed_while_loading, error_lines, module_lines, reported_abi_string
from dmconform.check.result import PointRun, RunKind
from dmconform.check.settings import WantedUse
from dmconform.check.uses import module_name
from dmconform.core.errors import HarnessError
from dmconform.core.text import one_line
from dmconform.core.trouble import has_no_room
from dmconform.core.values import AbiVerdict
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, ModuleUse, Phase, SentExchange
from dmconform.envoy.outcomes import linker_error
from dmconform.matrix.cell import abi_verdict

LIBRARY_PATH = "LD_LIBRARY_PATH"
TOGETHER = " + "
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
_WHOLE_CONFIGURATION = re.compile(r"\{\s*\"?\w+\"?\s*:.{200,}", re.DOTALL)
_SERVER_ERROR = 500
_NOT_THE_MODULES = (RunKind.WORKS, RunKind.NO_SUCH_POINT, RunKind.NO_VERDICT)  # its log does not explain them


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


@dataclass(frozen=True)
class InstalledUse:
    """A module's copy, and how it is used."""

    installed: Installed
    wanted: WantedUse

    @property
    def name(self) -> str:
        """The name that the host hands to the module: the one that was given, or the module's own."""
        return self.wanted.name or self.installed.name

    @property
    def module_use(self) -> ModuleUse:
        """The same, as a configuration takes it."""
        config = self.wanted.config if self.wanted.config is not None else ""
        return ModuleUse(self.wanted.point, ModuleRef(self.installed.name), self.name, config)


def run_uses(
    binary: Path,
    uses: Sequence[InstalledUse],
    folder: Path,
    *,
    environment: Mapping[str, str],
    upstream_port: int,
    logs_abi: bool = False,
) -> PointRun:
    """Runs modules together in one host; never raises for what module or host do.

    Args:
        binary: the host.
        uses: mostly one; the copies of several are in one folder.
        folder: for the host's files.
        environment: variables of all uses; those of each one win.
        upstream_port: a loopback port with an upstream that answers.
        logs_abi: whether the host logs the ABI string of each module that it has loaded, before it configures it.
    """
    modules = uses[0].installed.folder
    wanted = (part for one in uses for part in (one.installed.environment, one.wanted.environment))
    variables = _merged(environment, *wanted)
    started = time.monotonic()
    try:
        seen = attempt(
            binary,
            uses[0].module_use,
            folder,
            others=[one.module_use for one in uses[1:]],
            search_path=modules,
            environment=variables,
            upstream_port=upstream_port,
        )
        kind, reason = classify(seen, binary, logs_abi=logs_abi)
        loaded = kind not in (RunKind.REFUSED, RunKind.NO_SUCH_POINT, RunKind.NO_VERDICT)
        verdict = abi_verdict(seen.log, loaded)
        if kind is not RunKind.WORKS and has_no_room(folder):  # what fails there may fail for want of it
            kind, reason = RunKind.NO_VERDICT, f"there is no room left in {folder}; make some, or set TMPDIR ({reason})"
    except (HarnessError, OSError) as error:
        seen, kind, reason, verdict = Attempt(AttemptEnd.BLOCKED), RunKind.NO_VERDICT, str(error), AbiVerdict.NOT_LOADED
    lines = () if kind in _NOT_THE_MODULES else module_lines(seen.log, seen.message)
    return PointRun(
        extension_point=TOGETHER.join(one.wanted.point.value for one in uses),
        filter_name=TOGETHER.join(one.name for one in uses),
        kind=kind,
        reason=_tidy(reason, modules),
        abi_verdict=verdict,
        duration_s=round(time.monotonic() - started, 3),
        answers=tuple(_in_words(exchange) for exchange in seen.answers),
        log_lines=tuple(_tidy(line, modules) for line in lines),
        frame=_tidy(crash_frame(seen.log), modules) if seen.ended is AttemptEnd.CRASHED else "",
        abi_version=reported_abi_string(seen.log) if len(uses) == 1 else None,
    )


def classify(seen: Attempt, binary: Path, *, logs_abi: bool = False) -> tuple[RunKind, str]:  # noqa: PLR0911 - a line per end
    """Returns what an attempt means for the question whether the module works there, and why; empty where it works."""
    match seen.ended:
        case AttemptEnd.WORKED | AttemptEnd.NOT_DRIVEN:
            errors = _errors(seen)
            return (RunKind.WORKS_WITH_ERRORS, errors) if errors else (RunKind.WORKS, "")
        case AttemptEnd.HUNG:
            return _standstill(seen.message), seen.message
        case AttemptEnd.NO_WAY | AttemptEnd.BLOCKED:
            return RunKind.NO_VERDICT, seen.message
        case AttemptEnd.CRASHED:
            linker = linker_error(seen.log, binary)
            if linker is not None:
                return RunKind.SYMBOL_LOOKUP, linker
            loaded = not crashed_while_loading(seen.log) and (reported_abi_string(seen.log) is not None or not logs_abi)
            if seen.phase is Phase.LOADING and loaded:
                return RunKind.CONFIGURATION_CRASHED, seen.message
            during = {Phase.LOADING: "at load", Phase.DRIVING: "under traffic", Phase.STOPPING: "at its end"}
            return RunKind.CRASHED, f"{during[seen.phase]}: {seen.message}"
        case AttemptEnd.REFUSED:
            return _refusal(seen.message), seen.message


def _errors(seen: Attempt) -> str:
    """Returns why a module that was driven does not serve all the same; empty where nothing shows that.

    It is so where each answer is a server error, where its SDK caught a panic, or where it reports an error for each request.
    """
    statuses = [exchange.answer.status for exchange in seen.answers if exchange.answer.status is not None]
    caught = caught_panic(seen.log)
    if statuses and all(status >= _SERVER_ERROR for status in statuses):
        return f"each of its {len(statuses)} answers is a server error"
    if caught is not None:
        return f"its SDK caught a panic: {caught}"
    errors = error_lines(seen.log)
    if statuses and len(errors) >= len(statuses):
        return f"it reports an error for each of {len(statuses)} requests: {errors[-1]}"
    return ""


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
    short = _WHOLE_CONFIGURATION.sub("{…}", text)
    line = one_line(short).replace(f"{folder}/", "")
    return line if len(line) <= _REASON_CHARACTERS else f"{line[:_REASON_CHARACTERS]}…"

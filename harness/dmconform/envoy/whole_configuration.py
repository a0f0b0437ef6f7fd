"""Has an Envoy start with, or only validate, a configuration that is whole from the beginning, listeners included."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmconform.core.timeouts import ADMIN_REQUEST_S, HOST_START_S, HOST_STOP_S
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.driver import Driver
from dmconform.envoy.launch import BOOTSTRAP_FILE, Launch, bounds

_MESSAGES = (
    re.compile(r"\] error initializing configuration '[^']*': (?P<message>.*?)(?:\n\[|\n*\Z)", re.DOTALL),  # when it validates
    re.compile(r"\] error `(?P<message>.*?)` initializing config ", re.DOTALL),  # when it starts
)


class Mode(enum.Enum):
    """What an Envoy does with a configuration."""

    START = "start"
    VALIDATE = "validate"


class Took(enum.Enum):
    """What an Envoy made of a configuration."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # it ended in order, and said why
    CRASHED = "crashed"
    HUNG = "hung"


@dataclass(frozen=True)
class ConfigurationVerdict:
    """What an Envoy made of a configuration; `exit_code` as of `subprocess`, None where it was killed for taking too long."""

    took: Took
    exit_code: int | None
    log: str
    seen: dict[str, str] = field(default_factory=dict)  # what the admin interface answered, by path, where it was asked

    @property
    def message(self) -> str:
        """The text of a refusal; empty where there is none."""
        found = next(filter(None, (pattern.search(self.log) for pattern in _MESSAGES)), None)
        return " ".join(found["message"].split()) if found else ""

    @property
    def words(self) -> str:
        """The verdict in words, with the end of the process where that is a crash."""
        return self.took.value if self.took is not Took.CRASHED else f"{self.took.value} with {self.exit_code}"


def try_configuration(
    launch: Launch, mode: Mode, bootstrap: Mapping[str, Any], folder: Path, ask: tuple[str, ...] = ()
) -> ConfigurationVerdict:
    """Has an Envoy take a configuration, in a process with the harness's bounds, and ends it.

    Args:
        launch: how it is started.
        mode: whether it starts with it or only validates it.
        bootstrap: the configuration.
        folder: for its files; exists, and no other Envoy uses it.
        ask: paths of its admin interface that are asked once it is ready.
    """

    def asked(path: str) -> Answer:
        try:
            return driver.admin(path, "GET", ADMIN_REQUEST_S)
        except NoAnswer:
            return Answer(None)

    driver = Driver(folder, asked)
    driver.write_bootstrap(json.dumps(bootstrap, indent=1))
    driver.start(_command(launch, mode, folder), launch.full_environment(folder), launch.working_folder or folder)
    seen = {}
    try:
        if mode is Mode.START and driver.await_admin(HOST_START_S) and driver.await_ready(HOST_START_S):
            seen = {path: asked(path).body for path in ask}
            code = driver.stop(HOST_STOP_S)
        else:
            poll(lambda: not driver.lives or None, HOST_START_S)
            code = driver.exit_code
    finally:
        driver.end(HOST_STOP_S)
    verdict = ConfigurationVerdict(Took.ACCEPTED, code, driver.printed(), seen)
    return dataclasses.replace(verdict, took=_took(verdict))


def _command(launch: Launch, mode: Mode, folder: Path) -> list[str]:
    if mode is Mode.START:
        return launch.command(folder)
    return [
        *bounds(),
        *launch.prefix,
        str(launch.binary),
        *("--mode", "validate", "--config-path", str(folder / BOOTSTRAP_FILE), "--disable-hot-restart"),
        *("--log-level", "warning", "--component-log-level", "dynamic_modules:info"),
    ]


def _took(verdict: ConfigurationVerdict) -> Took:
    match verdict.exit_code:
        case None:
            return Took.HUNG
        case 0:
            return Took.ACCEPTED
        case 1 if verdict.message:
            return Took.REFUSED
    return Took.CRASHED

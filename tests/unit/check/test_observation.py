"""What an attempt means, and how a module is put where hosts find it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from dmconform.binaries.facts import ModuleFacts
from dmconform.check.observation import LIBRARY_PATH, InstalledUse, classify, install, run_uses
from dmconform.check.result import RunKind
from dmconform.check.settings import WantedUse
from dmconform.core.extension_point import ExtensionPoint
from dmconform.envoy.client import Answer
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, Phase, SentExchange

ENVOY = Path("/envoys/envoy")
FACTS = ModuleFacts("00", 1)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        # As hosts of 1.36 to 1.40 say it.
        ("Failed to load dynamic module: ABI version mismatch: got v0.1.0, but expected 7ee559", RunKind.REFUSED),
        ("Failed to load dynamic module: libm.so not found in any search path: /x/libm.so or …", RunKind.REFUSED),
        ("Failed to load dynamic module: /x/libm.so : /x/libm.so: undefined symbol: callback", RunKind.REFUSED),
        ("Failed to load dynamic module: Failed to initialize dynamic module: /x/libm.so", RunKind.REFUSED),
        ("Failed to create filter config: Failed to resolve symbol envoy_dynamic_module_on_x", RunKind.REFUSED),
        ("Failed to create filter config: Failed to initialize dynamic module", RunKind.CONFIGURATION_REFUSED),
        ("Failed to initialize dynamic module tracer config", RunKind.CONFIGURATION_REFUSED),
        (
            "failed to create bridge config: failed to initialize dynamic module bridge configuration",
            RunKind.CONFIGURATION_REFUSED,
        ),
        ("Failed to create in-module cluster configuration", RunKind.CONFIGURATION_REFUSED),
        (
            "failed to load dynamic module TLS handshaker: Failed to initialize dynamic module TLS handshaker config",
            RunKind.CONFIGURATION_REFUSED,
        ),
        ("could not find @type 'type.googleapis.com/envoy.extensions.x.dynamic_modules.v3.Y'", RunKind.NO_SUCH_POINT),
        (
            "Didn't find a registered implementation for 'x' with type URL: 'envoy.extensions.x.dynamic_modules.v3.Y'",
            RunKind.NO_SUCH_POINT,
        ),
        ("could not find @type 'type.googleapis.com/my.own.Message'", RunKind.HOST_REFUSES_CONFIGURATION),
        ("Proto constraint validation failed: value length must be at least 1", RunKind.HOST_REFUSES_CONFIGURATION),
    ],
)
def test_a_refusal(message: str, kind: RunKind) -> None:
    seen, reason = classify(Attempt(AttemptEnd.REFUSED, message=f"Error adding/updating listener(s) main: {message}"), ENVOY)
    assert (seen, message in reason) == (kind, True)


@pytest.mark.parametrize(
    ("attempt", "kind"),
    [
        (Attempt(AttemptEnd.WORKED, Phase.STOPPING), RunKind.WORKS),
        (Attempt(AttemptEnd.NOT_DRIVEN, Phase.STOPPING), RunKind.WORKS),
        (Attempt(AttemptEnd.CRASHED, Phase.DRIVING, "SIGSEGV"), RunKind.CRASHED),
        (
            Attempt(AttemptEnd.CRASHED, Phase.DRIVING, "127", f"{ENVOY}: symbol lookup error: x: undefined symbol: y"),
            RunKind.SYMBOL_LOOKUP,
        ),
        (
            Attempt(AttemptEnd.CRASHED, Phase.DRIVING, "127", "/other: symbol lookup error: x: undefined symbol: y"),
            RunKind.CRASHED,
        ),
        (Attempt(AttemptEnd.HUNG, Phase.DRIVING, "GET /: no complete answer in time"), RunKind.NO_ANSWER),
        (Attempt(AttemptEnd.HUNG, Phase.LOADING, "Envoy is not ready after 20 s"), RunKind.NOT_READY),
        (Attempt(AttemptEnd.HUNG, Phase.LOADING, "admin interface: no complete answer in time"), RunKind.HUNG),
        (Attempt(AttemptEnd.HUNG, Phase.STOPPING, "Envoy has not ended within 10 s of SIGTERM"), RunKind.HUNG),
        (Attempt(AttemptEnd.BLOCKED, message="no prlimit"), RunKind.NO_VERDICT),
        (Attempt(AttemptEnd.NO_WAY, message="built in only"), RunKind.NO_VERDICT),
    ],
)
def test_an_end(attempt: Attempt, kind: RunKind) -> None:
    seen, reason = classify(attempt, ENVOY)
    assert seen is kind
    assert bool(reason) is (kind is not RunKind.WORKS)


LINE = "[2026-01-01 00:00:00.000][1][{}][dynamic_modules] [source/x.cc:60] {}\n"
PROGRAM_INIT = "#0: envoy_dynamic_module_on_program_init [0x1]"


def served(*statuses: int, log: str = "") -> Attempt:
    answers = tuple(SentExchange("GET /", Answer(status)) for status in statuses)
    return Attempt(AttemptEnd.WORKED, Phase.STOPPING, log=log, answers=answers)


@pytest.mark.parametrize(
    ("attempt", "kind"),
    [
        (served(200, 503), RunKind.WORKS),
        (served(500, 503), RunKind.WORKS_WITH_ERRORS),
        (served(404, 404), RunKind.WORKS),
        (served(200, 200, log=LINE.format("error", "x: caught panic at FFI boundary: y")), RunKind.WORKS_WITH_ERRORS),
        (served(200, 200, log=LINE.format("error", "no token")), RunKind.WORKS),
        (served(200, 200, log=LINE.format("error", "no token") * 2), RunKind.WORKS_WITH_ERRORS),
        (served(200, 200, log=LINE.format("warning", "no token") * 2), RunKind.WORKS),
        (served(), RunKind.WORKS),
    ],
)
def test_what_serves_no_one_works_with_errors(attempt: Attempt, kind: RunKind) -> None:
    assert classify(attempt, ENVOY)[0] is kind


@pytest.mark.parametrize(
    ("phase", "frames", "kind"),
    [
        (Phase.LOADING, "", RunKind.CONFIGURATION_CRASHED),
        (Phase.LOADING, "#0: envoy_dynamic_module_on_http_filter_config_new [0x1]", RunKind.CONFIGURATION_CRASHED),
        (Phase.LOADING, PROGRAM_INIT, RunKind.CRASHED),
        (Phase.DRIVING, "", RunKind.CRASHED),
    ],
)
def test_a_crash_while_it_is_configured_is_one_of_its_own(phase: Phase, frames: str, kind: RunKind) -> None:
    head = "[2026-01-01 00:00:00.000][1][critical][backtrace] [x.h:1] "
    log = f"{head}Caught Segmentation fault\n{head}{frames}\n"
    crash = Attempt(AttemptEnd.CRASHED, phase, "SIGSEGV", log)
    assert classify(crash, ENVOY)[0] is kind
    assert classify(crash, ENVOY, logs_abi=True)[0] is RunKind.CRASHED, "it has not even logged the ABI string"
    matched = dataclasses.replace(
        crash, log=LINE.format("info", "ABI version v0.1.0 matched.").replace("source/x.cc", "source/dynamic_modules.cc") + log
    )
    assert classify(matched, ENVOY, logs_abi=True)[0] is kind


def test_a_name_that_hosts_have_a_module_for_is_not_taken(tmp_path: Path) -> None:
    module = tmp_path / "libbuilt_in.so"
    module.write_bytes(b"bytes")
    installed = install(module, FACTS, tmp_path / "modules", {"built_in"})
    assert (installed.name, (tmp_path / "modules" / "libbuilt_in_.so").read_bytes()) == ("built_in_", b"bytes")


def test_libraries_beside_the_module_are_found_from_its_copy(tmp_path: Path) -> None:
    module = tmp_path / "libmodule.so"
    module.write_bytes(b"")
    facts = ModuleFacts("00", 1, search_paths=("$ORIGIN/../module.libs:/opt/lib", "${ORIGIN}"))
    assert install(module, facts, tmp_path / "modules").environment == {LIBRARY_PATH: f"{tmp_path}/../module.libs:{tmp_path}"}
    assert install(module, FACTS, tmp_path / "modules").environment == {}


@pytest.mark.parametrize(("room", "kind"), [(True, RunKind.CONFIGURATION_CRASHED), (False, RunKind.NO_VERDICT)])
def test_what_fails_in_a_folder_without_room_is_not_the_modules_fault(
    room: bool, kind: RunKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = Attempt(AttemptEnd.CRASHED, message="SIGSEGV")
    monkeypatch.setattr("dmconform.check.observation.attempt", lambda *_, **__: crashed)
    monkeypatch.setattr("dmconform.check.observation.has_no_room", lambda _: not room)
    module = tmp_path / "libm.so"
    module.touch()
    use = InstalledUse(install(module, FACTS, tmp_path / "installed"), WantedUse(ExtensionPoint.HTTP_FILTER))
    found = run_uses(ENVOY, [use], tmp_path, environment={}, upstream_port=1)
    assert found.kind is kind
    assert ("no room left" in found.reason) is not room

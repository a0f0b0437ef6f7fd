"""What an attempt means, and how a module is put where hosts find it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.binaries.facts import ModuleFacts
from dmconform.check.observation import LIBRARY_PATH, classify, install, module_name
from dmconform.check.result import RunKind
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, Phase

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


@pytest.mark.parametrize(
    ("log", "printed"),
    [
        (
            "thread '<unnamed>' (4711) panicked at src/lib.rs:1:2:\nno such app\nnote: …",
            "thread '<unnamed>' panicked at src/lib.rs:1:2: no such app",
        ),
        ("noise\npanic: index out of range [1] with length 1\n\ngoroutine 1", "panic: index out of range [1] with length 1"),
        ("[2026-01-01 00:00:00.0][1][error][dynamic_modules] [a/b.cc:60] config is empty", "config is empty"),
        ("envoy: http.cc:27: f(): Assertion `false' failed.", "envoy: http.cc:27: f(): Assertion `false' failed."),
    ],
)
def test_what_the_module_reported_of_its_trouble(log: str, printed: str) -> None:
    _, reason = classify(Attempt(AttemptEnd.CRASHED, Phase.LOADING, "SIGABRT", log), ENVOY)
    assert reason == f"with this configuration: SIGABRT; it said: {printed}"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("libmy_filter.so", "my_filter"),
        ("my_filter.so", "my_filter"),
        ("_native.abi3.so", "_native.abi3"),
        ("lib.so", "module"),
        ("..", "module"),
        ("lib a:b\n.so", "_a_b_"),
    ],
)
def test_the_name_of_a_module(file: str, name: str) -> None:
    assert module_name(Path(file)) == name


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

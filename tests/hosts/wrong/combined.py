"""Ways to make the cases of `combined` wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Language
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.matrix.cell import Cell

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.wrong import Wrong

STDOUT = {
    "name": "stdout",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"},
}
RUST = Language.RUST


def nothing(*_: Any, **__: Any) -> Callable[[dict[str, Any]], None]:  # noqa: ANN401 - as they come
    """Changes nothing of a bootstrap configuration."""
    return lambda _: None


def other_text(real: Callable[..., Any], name: str, *_: Any, **more: Any) -> Any:  # noqa: ANN401 - as they come
    """Has another configuration."""
    return real(name, "other", **more)


def of_a_copy(real: Callable[..., ModuleUse], point: ExtensionPoint, module: ModuleRef, *more: str) -> ModuleUse:
    """The access logger is of another file."""
    return real(point, ModuleRef("copied") if point is ExtensionPoint.ACCESS_LOGGER else module, *more)


def idle_tracer(real: Callable[..., ModuleUse], point: ExtensionPoint, module: ModuleRef, *more: str) -> ModuleUse:
    """The tracer does no work."""
    return real(point, module, "panic", "none") if point is ExtensionPoint.TRACER else real(point, module, *more)


def with_copy(cell: Cell, _: dict[str, Any]) -> None:
    """Installs a copy of the probe."""
    cell.install(name="copied")


def without_an_end(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """One of the things that began does not end."""
    read = Cell.read_logs
    ended = re.compile(r"^dmconform life lb configuration .* ends .*$", re.MULTILINE)
    patch.setattr(Cell, "read_logs", lambda cell: ended.sub("", read(cell)))
    return bench


TABLE = (
    Wrong(
        "combined/every_point",
        "the access logger is of another file",
        sabotage.both(sabotage.in_case("ModuleUse", of_a_copy), sabotage.start_with(with_copy)),
        "expected one file to be used everywhere, saw .'libcopied.so', 'libprobe.so'",
        language=RUST,
    ),
    Wrong(
        "combined/every_point",
        "a tracer without work",
        sabotage.impatient(sabotage.in_case("ModuleUse", idle_tracer)),
        "expected the module to be used at each extension point, it was not at .'tracer'",
        language=RUST,
    ),
    Wrong(
        "combined/every_point",
        "one does not end",
        without_an_end,
        "expected all that began to end, each once, saw .'lb configuration': 1",
        language=RUST,
    ),
    Wrong(
        "combined/shared_state",
        "another extension",
        sabotage.in_case("bootstrap_extension", other_text),
        "expected the filter to see of all uses .*from the bootstrap: 1 sockets.*, it saw .*other: 1 sockets",
    ),
    Wrong(
        "combined/shared_state",
        "the filter is of another file",
        sabotage.other_copy("shared_state"),
        "expected the filter to see of all uses .*, it saw .*nothing: 0 sockets, 0 connections, 1 requests",
    ),
    Wrong("combined/shared_state", "twice", sabotage.filters_twice, "expected the filter to see of all uses .*, 2 requests"),
    Wrong(
        "combined/one_probe",
        "the filter is of another file",
        sabotage.other_copy("probe"),
        "expected the access logger to share file and count|expected the filters of both sides to count together",
        language=RUST,
    ),
    Wrong(
        "combined/one_probe",
        "no extension",
        sabotage.impatient(sabotage.in_case("bootstrap_extension", nothing)),
        "expected the bootstrap extension to look at counters",
        language=RUST,
    ),
    Wrong(
        "combined/one_probe",
        "another logger",
        sabotage.in_case("module_access_log", other_text),
        "expected the access logger to share file and count",
        language=RUST,
    ),
    Wrong(
        "combined/sdks_at_several_points",
        "no filter in the cluster",
        sabotage.in_case("on_the_upstream_side", nothing),
        r"expected res\[res\[",
    ),
    Wrong(
        "combined/sdks_at_several_points",
        "another logger",
        sabotage.impatient(sabotage.in_case("module_access_log", lambda *_, **__: STDOUT)),
        "expected the access loggers .* to be used, saw ..",
    ),
    Wrong(
        "combined/sdks_at_several_points",
        "each filter twice",
        sabotage.filters_twice,
        "expected an answer of the upstream server, saw 'res.",
    ),
)

"""How cases that extension points share use the probe at each: what it is called there, and what shows that it works."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dmconform.casekit.access_lines import access_told, assert_access_ended, assert_access_logged, count_seen_by_logger
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Feature
from dmconform.envoy.client import Answer
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.use import Config, ModuleUse
from dmconform.matrix.cell import PROBE, Cell


class When(enum.Enum):
    """When a hook of an extension point is called."""

    CREATION = "while what is configured is made"
    TRAFFIC = "for traffic"
    END = "when its configuration goes"


@dataclass(frozen=True)
class ProbedPoint:
    """The probe at an extension point, where `sdks/PROBES.md` says what it does; `panic` and `refuse` are names at each point.

    Each function but `ask` is given the cell and its Envoy.
    """

    feature: Feature
    name: str
    """Of what does its work, and takes any text as its configuration."""
    hooks: Mapping[str, When]
    """Those in which `panic` can panic, besides the one that is given the configuration."""
    assert_works: Callable[[Cell, Envoy, str], None]
    """Makes it work, with this text, and looks from outside at what it does."""
    told: Callable[[Cell, Envoy, str], bytes]
    """Uses it once, and returns the configuration that it was given, as it says; the text has not been used before."""
    count_seen: Callable[[Cell, Envoy, str], int]
    """Uses it once, with this text, and returns how many responses the filter `identity` of its library has had, as it says."""
    ask: Callable[[Envoy, Mapping[str, str]], Answer]
    """Returns what somebody sees who uses it, with these headers."""
    assert_ended: Callable[[Cell, Envoy, str], None]
    """Looks at how what was configured with this text has ended."""


def _ask(envoy: Envoy, headers: Mapping[str, str]) -> Answer:
    return envoy.request("/asked", headers=dict(headers))


PROBED: Mapping[ExtensionPoint, ProbedPoint] = {
    ExtensionPoint.ACCESS_LOGGER: ProbedPoint(
        feature=Feature.ACCESS_LOGGER,
        name="lines",
        hooks={"creation": When.CREATION, "log": When.TRAFFIC, "flush": When.END, "destroy": When.END},
        assert_works=assert_access_logged,
        told=access_told,
        count_seen=count_seen_by_logger,
        ask=_ask,
        assert_ended=assert_access_ended,
    ),
}
"""The extension points that have shared cases."""


def probed(cell: Cell) -> ProbedPoint:
    """Returns how the probe is used at the cell's extension point; ends the cell as not applicable where its SDK lacks it."""
    found = PROBED[cell.point]
    cell.needs_feature(found.feature)
    return found


def probe_at(cell: Cell, config: Config = "", name: str | None = None, module: ModuleRef | None = None) -> ModuleUse:
    """Returns the use of a module at the cell's extension point.

    Args:
        cell: with the extension point.
        config: its configuration.
        name: what the host hands to it to choose by; that of what does its work if None.
        module: the probe if None.
    """
    return ModuleUse(cell.point, module or ModuleRef(PROBE), name or PROBED[cell.point].name, config)

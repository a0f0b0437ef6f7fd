"""How cases that extension points share use the probe at each."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell

PANIC = {"x-dmconform-panic": "now"}
"""The headers of a request for which `panic` panics."""


class When(enum.Enum):
    """When a hook of an extension point is called."""

    CREATION = "while what is configured is made"
    TRAFFIC = "for traffic"
    END = "when its configuration goes"


@dataclass(frozen=True)
class Asked:
    """What somebody saw who used an extension point: whether they were served as if nothing were wrong, and in words."""

    served: bool
    summary: str


def ask_over_http(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    """Sends a request, as the user of most extension points does."""
    answer = envoy.request("/asked", headers=PANIC if panic else {})
    return Asked(answer.status == 200, answer.summary)


@dataclass(frozen=True)
class ProbedPoint:
    """The probe at an extension point, where `sdks/PROBES.md` says what it does; `panic` and `refuse` are names at each point.

    The functions are given the cell and its Envoy.
    """

    name: str
    """Of what does its work, and takes any text as its configuration."""
    hooks: Mapping[str, When]
    """Those in which `panic` can panic, besides the one that is given the configuration."""
    assert_works: Callable[[Cell, Envoy, str], None]
    """Makes it work, with this text as its configuration, and looks from outside at what it does."""
    ask: Callable[[Cell, Envoy, bool], Asked]
    """Uses it once, as its user does; if the last argument is true, so that `panic` panics."""
    always_kept: str = ""
    """Why the host never unloads a module that was used there; empty where it does."""
    may_stay: bool = False
    """Whether some releases never unload it though they should, so that it is not waited for long."""
    discovers_endpoints: bool = False
    """Whether the endpoints of its cluster come by discovery, so that `assert_works` can bring others."""

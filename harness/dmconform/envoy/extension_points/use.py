"""The use of a module at an extension point, and its result."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmconform.core.extension_point import ExtensionPoint
from dmconform.envoy.client import Answer
from dmconform.envoy.config import ModuleRef

Config = str | Mapping[str, Any]
"""A module's configuration: text, or a JSON object; with `@type` any message, without one a `google.protobuf.Struct`."""
_TYPES = "type.googleapis.com"


@dataclass(frozen=True)
class ModuleUse:
    """A module at an extension point.

    `name` is what Envoy hands to the module to choose by (the filter's, logger's, … name). Several points refuse an empty one.
    `per_route` makes sense for HTTP filters only: the configuration of the same filter on the route to the upstream server.
    `endpoints` makes sense for load-balancing policies and health checkers: the file by which the endpoints of the cluster
    come by discovery; None where they are in the cluster's own configuration.
    """

    point: ExtensionPoint
    module: ModuleRef
    name: str
    config: Config = ""
    per_route: Config | None = None
    endpoints: Path | None = None


class AttemptEnd(enum.Enum):
    """The result of an attempt."""

    WORKED = "worked"  # accepted, driven, and the Envoy ended as it should
    NOT_DRIVEN = "accepted"  # the same, but nothing was sent through it
    REFUSED = "refused"  # the Envoy refused the configuration, or (phase DRIVING) the module when it first needed it
    CRASHED = "crashed"  # the Envoy ended by itself in another way
    HUNG = "hung"  # the Envoy did not start, answer or end in time
    NO_WAY = "no way"  # no configuration reaches this point
    BLOCKED = "blocked"  # the machine did not let the Envoy start: no verdict


class Phase(enum.Enum):
    """How far an attempt came."""

    LOADING = "loading"
    DRIVING = "driving"
    STOPPING = "stopping"


@dataclass(frozen=True)
class SentExchange:
    """Something sent through an Envoy, in words such as `GET /`, and what came back."""

    request: str
    answer: Answer

    @property
    def finding(self) -> str:
        """What was found out where there is no status. The part of a body that came before a cut is none: it varies."""
        return "" if self.answer.status or self.answer.status_so_far else self.answer.body


@dataclass(frozen=True)
class Attempt:
    """The result of the use of a module at an extension point of an Envoy.

    `message` is the Envoy's own text of a refusal, or what went wrong; empty where nothing did. `exit_code` is that of the
    process, negative for a signal; None where it was killed or never ran.
    """

    ended: AttemptEnd
    phase: Phase = Phase.LOADING
    message: str = ""
    log: str = ""
    answers: tuple[SentExchange, ...] = ()
    exit_code: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether the Envoy took the configuration, whatever came later."""
        return self.ended in (AttemptEnd.WORKED, AttemptEnd.NOT_DRIVEN) or self.phase is not Phase.LOADING


def any_message(config: Config) -> dict[str, Any]:
    """Returns a configuration as the JSON form of `google.protobuf.Any`."""
    if isinstance(config, str):
        return {"@type": f"{_TYPES}/google.protobuf.StringValue", "value": config}
    if "@type" in config:
        return dict(config)
    return {"@type": f"{_TYPES}/google.protobuf.Struct", "value": dict(config)}

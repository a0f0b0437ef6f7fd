"""The extension points that have shared cases."""

from __future__ import annotations

from collections.abc import Mapping

from dmconform.casekit.at_points import access_logger
from dmconform.casekit.at_points.model import ProbedPoint
from dmconform.core.extension_point import ExtensionPoint

PROBED: Mapping[ExtensionPoint, ProbedPoint] = {
    ExtensionPoint.ACCESS_LOGGER: access_logger.POINT,
}

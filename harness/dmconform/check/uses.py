"""At which extension points a module is used: as the user says, or as its hooks suggest."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from dmconform.binaries.facts import ModuleFacts
from dmconform.check.result import PointBasis, TriedUse
from dmconform.check.settings import Settings, WantedUse
from dmconform.core.errors import UsageError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.envoy.extension_points.shapes import why_unreachable

# The likeliest first; the rest follows in the order of the enumeration.
LIKELIHOOD = (
    ExtensionPoint.HTTP_FILTER,
    ExtensionPoint.NETWORK_FILTER,
    ExtensionPoint.LISTENER_FILTER,
    ExtensionPoint.UDP_LISTENER_FILTER,
    ExtensionPoint.ACCESS_LOGGER,
    ExtensionPoint.BOOTSTRAP_EXTENSION,
)
NO_PURPOSE = "it has no hook of any extension point: nothing says what it is for"


@dataclass(frozen=True)
class UsePlan:
    """The uses of a module: `uses` on every host; where it refuses the only one, the first of `next` that it takes."""

    uses: tuple[WantedUse, ...] = ()
    next: tuple[WantedUse, ...] = ()
    note: str | None = None


def plan_uses(settings: Settings, facts: ModuleFacts) -> UsePlan:
    """Returns at which extension points a module is used, and a note where that is a guess.

    Raises:
        UsageError: an extension point was given that the module has no hook of.
    """
    points = frozenset(point for point in facts.points if why_unreachable(point) is None)
    if settings.uses:
        if facts.problem is None:
            _must_have_hooks(settings.uses, facts)
        return UsePlan(settings.uses)
    likeliest, *others = [point for point in _by_likelihood() if point in points] or (None,)
    if likeliest is None:
        return UsePlan(note=NO_PURPOSE if facts.problem is None else None)
    use = WantedUse(likeliest, settings.name, settings.config, basis=PointBasis.ONLY)
    if settings.all_points:
        return UsePlan(tuple(replace(use, point=point, basis=PointBasis.ALL) for point in (likeliest, *others)))
    if not others:
        return UsePlan((use,))
    note = (
        f"it has hooks of {len(points)} extension points, and nothing says which it is for: {likeliest.value} is tried first, "
        "and if it refuses that, the others (--extension-point names one, --all-points tries all, --settings some)"
    )
    later = tuple(replace(use, point=point, basis=PointBasis.NEXT) for point in others)
    return UsePlan((replace(use, basis=PointBasis.LIKELIEST),), later, note)


def module_name(module: Path) -> str:
    """Returns the name that an Envoy configuration would use for the file.

    It is without `lib`, `.so` and the version after it, and has only safe letters.
    """
    stem = re.sub(r"\.so(?:\.\d+)*$", "", module.name.removeprefix("lib"))
    return re.sub(r"[^A-Za-z0-9_.-]", "_", stem)[:100].lstrip(".-") or "module"


def tried_use(use: WantedUse, default_name: str, environment: dict[str, str]) -> TriedUse:
    """Returns a use as the result shows it. `default_name` is the name that it has without a given one."""
    config = use.config if use.config is not None else ""
    text = config if isinstance(config, str) else msgspec.json.encode(config).decode()
    return TriedUse(
        extension_point=use.point.value,
        basis=use.basis,
        filter_name=use.name or default_name,
        name_given=bool(use.name),
        config_bytes=len(text.encode(errors="surrogateescape")),
        config_given=use.config is not None,
        environment=tuple(sorted({*environment, *use.environment})),
    )


def _by_likelihood() -> list[ExtensionPoint]:
    return [*LIKELIHOOD, *(point for point in ExtensionPoint if point not in LIKELIHOOD)]


def _must_have_hooks(uses: tuple[WantedUse, ...], facts: ModuleFacts) -> None:
    wrong = [use.point.value for use in uses if use.point not in facts.points]
    if wrong:
        has = ", ".join(sorted(point.value for point in facts.points)) or "no extension point"
        raise UsageError(f"extension point {', '.join(wrong)}: the module has no hook of it; it has hooks of {has}")

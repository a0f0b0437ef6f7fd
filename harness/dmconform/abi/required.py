"""The hooks that a host requires of a module, in the shape in which the static analysis takes them."""

from __future__ import annotations

from dmconform.abi.required_hooks import RequiredHooks
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint


def required_by(release: str, measured: RequiredHooks) -> dict[ExtensionPoint, frozenset[str]]:
    """Returns full names of required hooks by point, as measured on this release or the nearest measured one."""
    nearest = measured.nearest(release)
    if nearest is None:
        return {}
    hooks = {point: measured.required(nearest, point) for point in ExtensionPoint}
    return {point: frozenset(f"{HOOK_PREFIX}{name}" for name in names) for point, names in hooks.items() if names}

"""What each host does with a module that lacks a hook, as measured, in the shape that a comparison needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dmconform.abi.required_hooks import FILE, RequiredHooks, Without, load_required_hooks
from dmconform.abi_diff.compare_types import Need, not_measured
from dmconform.core.extension_point import HOOK_PREFIX, point_of
from dmconform.core.versions import Release

Needs = Callable[[str | None], Need]
"""From a release to what it needs of a module; None is a host whose release is not known."""


def measured_needs(path: Path = FILE) -> Needs:
    """Returns the needs that the data records. For a release that was not measured, another patch of its minor is used.

    Raises:
        DataFileError: the data is not of its format.
    """
    if not path.exists():
        return nothing_measured
    hooks = load_required_hooks(path)

    def of_release(release: str | None) -> Need:
        near = _near(hooks, release)
        return not_measured if near is None else _need(hooks, near)

    return of_release


def nothing_measured(release: str | None) -> Need:
    """Returns the needs where there is no data."""
    del release
    return not_measured


def _near(hooks: RequiredHooks, release: str | None) -> str | None:
    try:
        wanted = Release.parse(release or "")
    except ValueError:
        return None  # a user's own build may call itself anything
    near = hooks.nearest(str(wanted))
    return near if near is not None and Release.parse(near).minor == wanted.minor else None


def _need(hooks: RequiredHooks, release: str) -> Need:
    def of_hook(hook: str) -> Without | None:
        point = point_of(hook)
        facts = hooks.facts(release, point) if point is not None else None
        fact = facts.hooks.get(hook.removeprefix(HOOK_PREFIX)) if facts else None
        return fact.without if fact else None

    return of_hook

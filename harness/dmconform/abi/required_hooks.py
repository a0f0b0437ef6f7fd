"""What a host does with a module that lacks a hook, as measured: `conformance/abi/required_hooks.json`, as typed values."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from dmconform.abi.host_groups import grouped, load_points, renewed
from dmconform.core import paths
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint
from dmconform.core.versions import Release

SCHEMA = 1
FILE = paths.ABI / "required_hooks.json"


class Without(enum.Enum):
    """The effect of a missing hook on a host."""

    REFUSED = "refused"  # it says so when it is configured: the hook is required
    WORKS = "works"  # it works as with the hook
    CRASHES = "crashes"  # it takes the module, and ends when it would call the hook
    HANGS = "hangs"  # it takes the module, and then does not answer or end in time
    DIFFERS = "differs"  # it goes on, but answers are others than with the hook


class HookFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A hook at an extension point.

    `message` is the host's refusal, or what went wrong, without paths and addresses. `called` says whether the host called the
    hook of a complete module during the measurement: `works` of a hook that is never called says little.
    """

    without: Without
    called: bool = False
    late: bool = False  # the refusal comes only when the module is first needed; the configuration is accepted
    per_route: bool = False  # measured with a per-route configuration, and of no matter without one
    unless: tuple[str, ...] = ()  # not refused where these hooks are lacking too
    message: str = ""


class PointFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An extension point on the releases that are alike there.

    `hooks` by name, without `envoy_dynamic_module_on_`; empty where `problem` says why nothing could be measured.
    """

    point: ExtensionPoint
    releases: tuple[str, ...]
    hooks: dict[str, HookFact]
    problem: str = ""


class HooksFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as a whole."""

    schema: int
    points: tuple[PointFacts, ...]


Measured = Mapping[tuple[str, ExtensionPoint], PointFacts]
"""Facts by release and point."""


@dataclass(frozen=True)
class RequiredHooks:
    """The facts of all releases that were measured. Hooks go by their names without `envoy_dynamic_module_on_`."""

    points: tuple[PointFacts, ...]

    @cached_property
    def _by_key(self) -> Measured:
        return {(release, facts.point): facts for facts in self.points for release in facts.releases}

    @cached_property
    def releases(self) -> tuple[str, ...]:
        """What was measured, oldest first."""
        return tuple(sorted({release for release, _ in self._by_key}, key=Release.parse))

    def facts(self, release: str, point: ExtensionPoint) -> PointFacts | None:
        """Returns what was measured of a point on a release.

        None for a release that was not measured, or that lacks the point.
        """
        return self._by_key.get((release, point))

    def required(self, release: str, point: ExtensionPoint, *, per_route: bool = False) -> frozenset[str]:
        """Returns the hooks without which the release refuses every module at the point; `program_init` is one.

        Empty if it was not measured. With `per_route`, those of per-route configurations too.
        """
        facts = self.facts(release, point)
        hooks = facts.hooks if facts else {}
        return frozenset(name for name, fact in hooks.items() if _counts(fact, per_route) and not fact.unless)

    def lacking(
        self, release: str, point: ExtensionPoint, defined: Collection[str], *, per_route: bool = False
    ) -> dict[str, str]:
        """Returns the hooks for whose absence the release refuses a module, each with the host's message.

        More than `required`: some hooks are required only beside others.

        Args:
            release: the host, such as `1.39.3`; of one that was not measured, no hook is known to be lacking.
            point: where the module is used.
            defined: full names of the hooks that the module defines; other symbols do no harm.
            per_route: whether the module is also used by a per-route configuration, which needs further hooks.

        Returns:
            The host's message by the hook's name without its common prefix, sorted by name; empty if nothing is lacking.
        """
        facts = self.facts(release, point)
        hooks = facts.hooks if facts else {}
        have = {name.removeprefix(HOOK_PREFIX) for name in defined}
        return {
            name: fact.message
            for name, fact in sorted(hooks.items())
            if name not in have and _counts(fact, per_route) and (not fact.unless or have & set(fact.unless))
        }

    def message(self, release: str, point: ExtensionPoint, hook: str) -> str:
        """Returns what the release says, or what goes wrong, when a module lacks the hook; empty if nothing does."""
        facts = self.facts(release, point)
        fact = facts.hooks.get(hook) if facts else None
        return fact.message if fact else ""

    def nearest(self, release: str) -> str | None:
        """Returns the measured release that is nearest to another one.

        That is the release itself, else the newest patch of its minor, else the newest that is older; None where there is none
        of these.
        """
        if release in self.releases:
            return release
        wanted = Release.parse(release)
        same = [one for one in self.releases if Release.parse(one).minor == wanted.minor]
        older = [one for one in self.releases if Release.parse(one) < wanted]
        return next(iter(same[-1:] or older[-1:]), None)

    def replaced(self, fresh: Iterable[PointFacts]) -> RequiredHooks:
        """Returns these facts with all facts of the releases in `fresh` taken from there."""
        return RequiredHooks(renewed(self.points, fresh))


def _counts(fact: HookFact, per_route: bool) -> bool:
    return fact.without is Without.REFUSED and (per_route or not fact.per_route)


def merged(points: Iterable[PointFacts]) -> RequiredHooks:
    """Returns facts with the releases that are alike in one entry; in the order of points and releases."""
    return RequiredHooks(grouped(points))


def load_required_hooks(path: Path | None = None) -> RequiredHooks:
    """Reads a file; None is the repository's.

    Raises:
        DataFileError: it is missing or not of its format, or says two things of one release and point.
    """
    return RequiredHooks(load_points(path or FILE, HooksFile, SCHEMA))


def hooks_json(hooks: RequiredHooks) -> str:
    """Returns the text of the file: a hook a line, so that a change shows as the lines that it is about."""
    import json

    def compact(value: Any) -> str:  # noqa: ANN401 - JSON
        return json.dumps(value, ensure_ascii=False)

    entries = []
    for facts in hooks.points:
        raw = msgspec.to_builtins(facts)
        lines = ",\n".join(f"    {compact(name)}: {compact(fact)}" for name, fact in sorted(raw.pop("hooks").items()))
        inside = f"{{\n{lines}\n   }}" if lines else "{}"
        head = compact(raw)[1:-1]
        entries.append(f'  {{{head},\n   "hooks": {inside}}}')
    body = ",\n".join(entries)
    return f'{{\n "schema": {SCHEMA},\n "points": [\n{body}\n ]\n}}\n'

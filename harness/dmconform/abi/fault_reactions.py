"""What hosts make of modules with one fault, as measured: `conformance/abi/module_faults.json`, as typed values."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from dmconform.abi.host_groups import grouped, load_points, renewed
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.versions import Release

SCHEMA = 1
FILE = paths.ABI / "module_faults.json"


class Fate(enum.Enum):
    """The effect of a hook that returns null on a host."""

    REFUSED = "refused"  # it says so when it is configured, or (`late`) when it first needs the module
    SAME = "same"  # clients see what they see with a module that returns something
    CRASHES = "crashes"
    HANGS = "hangs"
    DIFFERS = "differs"  # clients see something else


class Counted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The counters that a fault has moved: by their names after `dynamic_modules.`, the tag `config_name` included.

    `unseen`: the host ended before it could be asked.
    """

    counters: dict[str, int] = {}
    unseen: bool = False


class NullFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The measured effect of a hook that returns null.

    `seen` is what clients saw: a request or the like, what came back, and after a comma Envoy's response code details. `said`
    are warnings and errors in the log that a module as it should be does not cause; `message` is the refusal, or how the host
    ended. Both are without paths and addresses.
    """

    fate: Fate
    late: bool = False
    counted: Counted = Counted()
    seen: tuple[str, ...] = ()
    logged: tuple[str, ...] = ()
    message: str = ""


class PointFaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An extension point on the releases that are alike there.

    Hooks go by their names without `envoy_dynamic_module_on_`. `lacks` has those without which a module is refused, `null`
    those that return a pointer to something of the module's making. Both are empty where `problem` says why nothing could be
    measured.
    """

    point: ExtensionPoint
    releases: tuple[str, ...]
    lacks: dict[str, Counted] = {}
    null: dict[str, NullFact] = {}
    problem: str = ""


class FaultsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as a whole."""

    schema: int
    points: tuple[PointFaults, ...]


@dataclass(frozen=True)
class Faults:
    """The facts of all releases that were measured."""

    points: tuple[PointFaults, ...]

    @cached_property
    def _by_key(self) -> dict[tuple[str, ExtensionPoint], PointFaults]:
        return {(release, facts.point): facts for facts in self.points for release in facts.releases}

    @cached_property
    def releases(self) -> tuple[str, ...]:
        """The measured releases, oldest first."""
        return tuple(sorted({release for release, _ in self._by_key}, key=Release.parse))

    def of(self, release: str, point: ExtensionPoint) -> PointFaults | None:
        """Returns what was measured of a point on a release.

        None for a release that was not measured, or that lacks the point.
        """
        return self._by_key.get((release, point))

    def replaced(self, fresh: Iterable[PointFaults]) -> Faults:
        """Returns these facts with all facts of the releases in `fresh` taken from there."""
        return Faults(renewed(self.points, fresh))


def merged(points: Iterable[PointFaults]) -> Faults:
    """Returns facts with the releases that are alike in one entry; in the order of points and releases."""
    return Faults(grouped(points))


def load_faults(path: Path | None = None) -> Faults:
    """Reads a file; None is the repository's.

    Raises:
        DataFileError: it is missing or not of its format, or says two things of one release and point.
    """
    return Faults(load_points(path or FILE, FaultsFile, SCHEMA))


def faults_json(faults: Faults) -> str:
    """Returns the text of the file: a hook a line, so that a change shows as the lines that it is about."""

    def compact(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    def hooks(found: dict[str, object]) -> str:
        lines = ",\n".join(f"    {compact(name)}: {compact(fact)}" for name, fact in sorted(found.items()))
        return f"{{\n{lines}\n   }}" if lines else "{}"

    entries = []
    for facts in faults.points:
        raw = msgspec.to_builtins(facts)
        parts = [f'   "{key}": {hooks(raw.pop(key))}' for key in ("lacks", "null") if key in raw]
        entries.append("  {" + ",\n".join([compact(raw)[1:-1], *parts]) + "}")
    body = ",\n".join(entries)
    return f'{{\n "schema": {SCHEMA},\n "points": [\n{body}\n ]\n}}\n'

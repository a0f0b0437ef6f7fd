"""Starts an Envoy that uses a module at an extension point, drives it, stops it, and returns the result."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec

from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.drive import run_drive
from dmconform.envoy.extension_points.refusal import late_refusals, refused_at_start
from dmconform.envoy.extension_points.shapes import SHAPES, Drive
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, ModuleUse, Phase, SentExchange
from dmconform.envoy.launch import SEARCH_PATH, Launch
from dmconform.envoy.outcomes import Blocked, HostCrashed, HostHung

_NOTHING: Mapping[str, str] = MappingProxyType({})
# What comes by discovery may have fields that an older Envoy does not know: it warns, goes on, and never looks at the module.
_UNKNOWN_FIELD = re.compile(r"\]\[warning\]\[config\] \[[^\]]*\] (?P<message>Unknown field: .*)")


def attempt(
    binary: Path,
    use: ModuleUse,
    folder: Path,
    *,
    others: Sequence[ModuleUse] = (),
    search_path: Path,
    environment: Mapping[str, str] = _NOTHING,
    upstream_port: int,
    drive: bool = True,
    driven_by: Drive | None = None,
    alter: Callable[[Draft], None] | None = None,
    look: Callable[[Envoy], None] | None = None,
) -> Attempt:
    """Uses a module at an extension point of an Envoy, in a separate process with the harness's bounds.

    Args:
        binary: the Envoy.
        use: the module, at an extension point.
        folder: where configuration, log and evidence go; made if it is not there. Each attempt needs a separate one.
        others: further modules in the same Envoy.
        search_path: the folder that holds the module as `libNAME.so`.
        environment: what the Envoy's environment has besides.
        upstream_port: a server on loopback that answers HTTP; see `dmconform.envoy.upstream`.
        drive: whether requests are sent through it once it is accepted.
        driven_by: what is sent, where that is not what its extension point needs.
        alter: changes the configuration once the module is in it.
        look: gets the Envoy before it is stopped, whatever it made of the configuration; not where it ended by itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draft = Draft.plain(folder, upstream_port)
    shapes = [SHAPES[one.point] for one in (use, *others)]
    for one, shape in zip((use, *others), shapes, strict=True):
        if shape.apply is None:
            return Attempt(AttemptEnd.NO_WAY, message=shape.reason)
        shape.apply(draft, one)
    hidden = _hidden(draft, (use, *others))
    if hidden:
        return Attempt(AttemptEnd.NO_WAY, message=f"one configuration cannot hold all: it has none of {', '.join(hidden)}")
    if alter is not None:
        alter(draft)
    launch = Launch(binary, {SEARCH_PATH: str(search_path), **environment})
    envoy = Envoy(folder, launch, upstream_port, draft.written(), draft.bootstrap)
    tried = _Tried(envoy)
    try:
        with envoy:
            tried.use(dict.fromkeys(driven_by or shape.drive for shape in shapes) if drive else ())
            if look is not None:
                look(envoy)
        ended, message = tried.ended([shape.late_refusal for shape in shapes], drive)
    except Blocked as problem:
        ended, message = AttemptEnd.BLOCKED, str(problem)
    except HostHung as problem:
        ended, message = AttemptEnd.HUNG, str(problem)
    except HostCrashed as problem:
        ended, message = tried.after_its_end(problem)
    finally:
        envoy.reap()
    return Attempt(ended, tried.phase, message, envoy.printed(), tuple(tried.answers), envoy.exit_code)


def _hidden(draft: Draft, uses: Sequence[ModuleUse]) -> list[str]:
    """Returns the modules of several that a later one has replaced: there is room for one at some extension points."""
    text = msgspec.json.encode((draft.bootstrap, draft.listeners)).decode()
    return [use.module.name for use in uses if len(uses) > 1 and f'"{use.module.name}"' not in text]


class _Tried:
    """The state of an attempt: how far its Envoy has come."""

    def __init__(self, envoy: Envoy) -> None:
        self._envoy = envoy
        self.phase = Phase.LOADING
        self.answers: list[SentExchange] = []

    def use(self, drives: Iterable[Drive]) -> None:
        """Drives it, if it accepted the configuration."""
        if self._refusal() is None:
            self.phase = Phase.DRIVING
            for drive in drives:
                run_drive(drive, self._envoy, self.answers.append)
            self.phase = Phase.STOPPING

    def _refusal(self) -> str | None:
        update = self._envoy.first_update
        if not update.accepted:
            return update.message
        unknown = _UNKNOWN_FIELD.search(self._envoy.printed())
        return unknown["message"] if unknown else None

    def ended(self, patterns: Iterable[str], driven: bool) -> tuple[AttemptEnd, str]:
        """Returns the result of the attempt, where the Envoy ended as it should."""
        refusal = self._refusal()
        if refusal is not None:
            return AttemptEnd.REFUSED, refusal
        late = [text for pattern in patterns for text in late_refusals(self._envoy, pattern)]
        if late:
            self.phase = Phase.DRIVING
            return AttemptEnd.REFUSED, late[0]
        return (AttemptEnd.WORKED if driven else AttemptEnd.NOT_DRIVEN), ""

    def after_its_end(self, problem: HostCrashed) -> tuple[AttemptEnd, str]:
        """Returns the result, where the Envoy ended by itself: it also does so to refuse a bootstrap configuration."""
        refusal = refused_at_start(self._envoy) if self.phase is Phase.LOADING else None
        return (AttemptEnd.CRASHED, str(problem)) if refusal is None else (AttemptEnd.REFUSED, refusal)

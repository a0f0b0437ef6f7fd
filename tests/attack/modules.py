"""Modules that attack their host, the tool, its files and the machine: what they do has an effect on their host alone.

The kinds are in `tests/corpus/sources/hostile/kinds`. Each attacks one of two hosts, at one moment, and behaves in the other.
"""

from __future__ import annotations

import argparse
import enum
import functools
import random
import re
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from dmconform.check.result import Check, HostVerdict
from dmconform.core.removal import remove_tree
from dmconform.envoy.temporary import temporary_folder
from dmconform.envoy.warden import HOLD_VARIABLE, Hold

from tests.attack.attack import Attack, Chance, Try
from tests.attack.watched import MOST_BYTES, Ended, remaining, start, traceback_in
from tests.corpus.making import NOW, SOURCES, Module, Workplace

HOSTS: Final = ("1.39", "1.40")
OTHER_S: Final = 20.0
"""How long the host that is not attacked may take."""
ALL_S: Final = 60.0
"""How long the whole check may take."""
_DOCUMENTED: Final = (0, 1, 4)
_KIND: Final = re.compile(r"^(ATTACK|ENDS|ANSWERS|HARNESS)\((\w+)\)", re.MULTILINE)
_MARK: Final = "DMCONFORM_ATTACK"


class Moment(enum.Enum):
    """When a module attacks."""

    LOAD = "LOAD"
    INIT = "INIT"
    CONFIGURATION = "CONFIGURATION"
    REQUEST = "REQUEST"
    UNLOAD = "UNLOAD"
    EXIT = "EXIT"


class Effect(enum.Enum):
    """What an attack can lead to."""

    ATTACK = "ATTACK"  # anything in its host
    ENDS = "ENDS"  # the end of its host
    ANSWERS = "ANSWERS"  # anything in its host; at a request only
    HARNESS = "HARNESS"  # the end of the harness


@dataclass(frozen=True)
class Kind:
    """A kind of attack."""

    name: str
    effect: Effect

    @property
    def moments(self) -> tuple[Moment, ...]:
        """When it can attack."""
        return (Moment.REQUEST,) if self.effect is Effect.ANSWERS else tuple(Moment)


@dataclass(frozen=True)
class Hostile:
    """A module: a kind, when it attacks, and the minor of the host that it attacks. `hosts` in the order of the command."""

    kind: Kind
    moment: Moment
    attacked: str
    hosts: tuple[str, str] = HOSTS
    hold: Hold | None = None  # the strongest of this machine

    def __str__(self) -> str:
        held = f", held by a {self.hold.value}" if self.hold is not None else ""
        return f"{self.kind.name} at {self.moment.name} on {self.attacked}{held}"

    @property
    def other(self) -> str:
        """The minor of the host that it does not attack."""
        return next(host for host in self.hosts if host != self.attacked)


@functools.cache
def kinds() -> tuple[Kind, ...]:
    """Returns all kinds, as their sources name them."""
    sources = sorted((SOURCES / "hostile" / "kinds").glob("*.h"))
    found = [match for source in sources for match in _KIND.findall(source.read_text(encoding="utf-8"))]
    return tuple(Kind(name, Effect(effect)) for effect, name in found)


def kind_named(name: str) -> Kind:
    """Returns the kind of a name.

    Raises:
        KeyError: there is none.
    """
    return {kind.name: kind for kind in kinds()}[name]


def attack_by(hostile: Hostile, folder: Path) -> Try:
    """Checks a hostile module on two hosts, and returns what went wrong."""
    mark = f"dmx{secrets.token_hex(6)}"
    stop = folder / "stop"
    module = folder / "libhostile.so"
    (folder / "precious").mkdir()
    (folder / "precious" / "file").touch()
    defines = {
        "KIND": hostile.kind.name,
        "MOMENT": hostile.moment.value,
        "HOST": f'"/envoy-{hostile.attacked}."',
        "MARK": f'"{mark}"',
        "FOLDER": f'"{folder}"',
        "STOP_FILE": f'"{stop}"',
    }
    flags = (NOW, *(f"-D{name}={value}" for name, value in defines.items()))
    Module(source="hostile/attacks.c", flags=flags).make(Workplace(folder / "work", dict), module)
    words: list[str | Path] = [
        "check",
        module,
        *(word for host in hostile.hosts for word in ("--host", host)),
        "--all-must-work",
    ]
    words += ["--extension-point", "http_filter", "--filter-name", "n", "--filter-config", "", "--json", folder / "check.json"]
    held = {HOLD_VARIABLE: hostile.hold.value} if hostile.hold is not None else {}
    ended = start(words, folder, {_MARK: mark, **held}).end(ALL_S)
    try:
        failures = list(_failures(hostile, ended, folder))
        left = remaining([mark, str(folder)])
        if left:
            failures.append(f"{len(left)} processes outlive it, such as {next(iter(left.values()))!r}")
        failures += _left_files(ended, folder)
    finally:
        stop.touch()
        remove_tree(folder / "scratch")  # which `shutil` cannot always do
    return ended.after(f"{hostile}: {'; '.join(failures)}" if failures else None)


def _failures(hostile: Hostile, ended: Ended, folder: Path) -> Iterator[str]:
    if not (folder / "attacked").exists():
        yield "it has not attacked"
    if ended.exit_code is None:
        yield f"it has not ended after {ALL_S:g} s"
        return
    wrong = traceback_in(ended)
    if wrong:
        yield wrong
    if ended.memory_bytes > MOST_BYTES:
        yield f"the tool needs {ended.memory_bytes >> 20} MiB"
    if hostile.kind.effect is Effect.HARNESS and ended.exit_code < 0:
        return
    if ended.exit_code not in _documented(hostile):
        yield f"expected the exit code {' or '.join(map(str, _documented(hostile)))}"
    if not (hostile.kind.effect is Effect.HARNESS and ended.exit_code == _DOCUMENTED[-1]):
        yield from _other_is_there(hostile, folder)


def _documented(hostile: Hostile) -> tuple[int, ...]:
    """Returns the exit codes that it may end with. A module that ends its host does not work, unless it ends it at its end."""
    if hostile.kind.effect is Effect.ENDS:
        return (1,) if hostile.moment not in (Moment.UNLOAD, Moment.EXIT) else (0, 1)
    return _DOCUMENTED


def _other_is_there(hostile: Hostile, folder: Path) -> Iterator[str]:
    try:
        check = msgspec.json.decode((folder / "check.json").read_bytes(), type=Check)
    except (OSError, msgspec.MsgspecError) as error:
        yield f"there is no result: {error}"
        return
    others = [host for host in check.hosts if host.id.startswith(hostile.other)]
    if [host.verdict for host in others] != [HostVerdict.WORKS]:
        yield f"the other host's result is lost: {[(host.id, host.verdict.value, host.reason) for host in others]}"
    if any(run.duration_s > OTHER_S for host in others for run in host.runs):
        yield f"the other host's result is there after {[run.duration_s for host in others for run in host.runs]} s"


def _left_files(ended: Ended, folder: Path) -> Iterator[str]:
    left = [str(path.relative_to(folder)) for path in (folder / "scratch").iterdir()]
    if left and (ended.exit_code is None or ended.exit_code >= 0):
        yield f"{len(left)} entries are left in the temporary folder, such as {left[0]!r}"
    if not (folder / "precious" / "file").exists():
        yield "it removes what is behind a link"


def _attempt(chance: Chance, folder: Path) -> Try:
    """Tries the next kind: so a few tries, night by night, come to all."""
    hosts = (HOSTS[0], HOSTS[1]) if chance.random() < 0.5 else (HOSTS[1], HOSTS[0])
    kind = kinds()[chance.number % len(kinds())]
    hold = chance.choice((None, *Hold))
    return attack_by(Hostile(kind, chance.choice(kind.moments), chance.choice(hosts), hosts, hold), folder)


ATTACK: Final = Attack("hostile modules", aim=40, share=4, attempt=_attempt)


def main() -> int:
    """Tries kinds by name, or all of them: the way to try again what failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack.modules", description=main.__doc__)
    parser.add_argument("kind", nargs="*", help="their names (default: all)")
    parser.add_argument("--moment", choices=[one.name for one in Moment], help="default: by chance")
    parser.add_argument("--host", choices=HOSTS, help="the one that is attacked (default: by chance)")
    parser.add_argument("--seed", type=int, default=1, help="of the chance (default: 1)")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    failures = 0
    for kind in [kind_named(name) for name in given.kind] or kinds():
        moment = Moment[given.moment] if given.moment else chance.choice(kind.moments)
        hostile = Hostile(kind, moment, given.host or chance.choice(HOSTS))
        with temporary_folder("hostile") as folder:
            done = attack_by(hostile, folder)
        failures += done.failure is not None
        print(f"{done.wall_s:5.1f} s {done.memory_bytes >> 20:4} MiB  {hostile}: {done.failure or 'nothing'}", flush=True)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())

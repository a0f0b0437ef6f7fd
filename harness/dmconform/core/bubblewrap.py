"""Runs a program in a sandbox of bubblewrap: without network, home folder, environment, rights, or a place to write to.

What it may read is named, path by path; all else is not there. It sees no process but its own, and all of them end with it.
There is no other way to make a sandbox here: a second one, of our own, would be one more thing to trust.
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dmconform.core import paths
from dmconform.core.errors import HarnessError
from dmconform.core.process import run_program
from dmconform.core.timeouts import SANDBOX_PROBE_S

PROGRAM: Final = "bwrap"
ENVIRONMENT: Final[Mapping[str, str]] = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
"""All that a program in the sandbox has, besides HOME."""
TEMPORARY: Final = {Path("/dev/shm"): 64 << 20, Path("/tmp"): 256 << 20, Path("/var/tmp"): 64 << 20, Path("/run"): 16 << 20}
"""Folders that are empty and can be written to, with their sizes in bytes."""
# Programs and libraries of the system. Those of Nix and Guix lie in one folder each.
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
# What the C library and TLS libraries read; nothing in it is secret.
_SETTINGS: Final = (
    *(
        "ld.so.cache",
        "ld.so.conf",
        "ld.so.conf.d",
        "alternatives",
        "localtime",
        "nsswitch.conf",
        "hosts",
        "host.conf",
        "gai.conf",
    ),
    *(
        "passwd",
        "group",
        "protocols",
        "services",
        "mime.types",
        "ssl/certs",
        "ssl/openssl.cnf",
        "pki/tls/certs",
        "ca-certificates",
    ),
)
_PROGRAM_FOLDERS: Final = frozenset(
    ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/games", "/")
)  # homes of users of the system
_NAMESPACES: Final = ("user", "ipc", "pid", "net", "uts")
_MOST_LINKS: Final = 40  # as the kernel has it, in one path
_USER_NAMESPACES: Final = (
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor keeps it from user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1): give {program} a profile "
        "with 'userns,' ({documents} has it), or set that to 0 by sysctl",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "user namespaces are off: set kernel.unprivileged_userns_clone to 1 by sysctl",
    ),
    ("/proc/sys/user/max_user_namespaces", "0", "user namespaces are off: set user.max_user_namespaces to 1000 by sysctl"),
)
_CONTAINER: Final = (
    "in a container, it needs one that was started with --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined (Docker, Podman), or the command runs outside of it"
)


@dataclass(frozen=True)
class Bubblewrap:
    """The bubblewrap of this machine, which was seen to work. `options` are the words of the help that it prints."""

    program: str
    version: str
    options: frozenset[str]

    def __str__(self) -> str:
        return f"bubblewrap {self.version}"

    def words(self, room: Room) -> list[str]:
        """Returns the options that make a sandbox."""
        words = [f"--unshare-{name}" for name in _NAMESPACES]
        words += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
        words += ["--cap-drop", "ALL", *self._if_known("--disable-userns")]
        for name, value in {**ENVIRONMENT, "HOME": str(room.folder)}.items():
            words += ["--setenv", name, value]
        words += ["--proc", "/proc", "--dev", "/dev"]
        for place, size in TEMPORARY.items():
            words += self._empty(place, size, "1777")
        shown = _Shown(room.readable)
        words += [word for one in shown.system for word in ("--ro-bind", str(one), str(one))]
        words += [word for one in shown.hidden for word in self._empty(one, 1 << 20, "0755")]
        words += [word for one in shown.named for word in ("--ro-bind", str(one), str(one))]
        words += self._empty(_real(room.folder), room.size_bytes, "0755")
        for link, target in {**shown.links, **_links(room.folder)}.items():
            if not shown.has(link):
                words += ["--symlink", target, str(link)]
        for read_only in (*map(str, shown.hidden), "/dev", "/"):  # what is mounted below stays as it is
            words += ["--remount-ro", read_only]
        return [*words, "--chdir", str(room.folder)]

    def _empty(self, place: Path, size: int, mode: str) -> list[str]:
        """Returns the words for an empty folder, whose size is bounded if this bubblewrap can do that (0.6.3 and newer)."""
        sized = ["--size", str(size)] if "--size" in self.options else []
        return ["--perms", mode, *sized, "--tmpfs", str(place)]

    def _if_known(self, option: str) -> list[str]:
        return [option] if option in self.options else []


@dataclass(frozen=True)
class Room:
    """What there is in a sandbox besides the system: files to read, and a folder that is empty and can be written to.

    Args:
        folder: where a program begins, and its home; at the same place as outside, where it stays empty.
        size_bytes: what the folder can hold.
        readable: files and folders that are there at their own places.
    """

    folder: Path
    size_bytes: int
    readable: tuple[Path, ...] = ()


@dataclass
class _Shown:
    """The paths of a sandbox that are those of the machine.

    A path with links in it is there with its links. A home folder that lies in a folder of the system is hidden, but for what
    is named in it.
    """

    readable: Iterable[Path]
    system: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    named: list[Path] = field(default_factory=list)
    links: dict[Path, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in (*map(Path, _SYSTEM), *(Path("/etc", name) for name in _SETTINGS)):
            if path.exists():
                self._add(path, self.system)
        home = Path(os.path.realpath(Path.home()))
        if any(one in home.parents for one in self.system) and str(home) not in _PROGRAM_FOLDERS:
            self.hidden.append(home)
        for path in self.readable:
            if path.exists():
                self._add(path, self.named)

    def _add(self, path: Path, to: list[Path]) -> None:
        self.links.update(_links(path))
        real = _real(path)
        if not self.has(real):
            to.append(real)

    def has(self, path: Path) -> bool:
        """Returns whether a path is there with a folder around it, or as it is."""
        if any(_within(path, one) for one in self.named):
            return True
        return any(_within(path, one) for one in self.system) and not any(_within(path, one) for one in self.hidden)


def _within(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _links(path: Path) -> dict[Path, str]:
    """Returns the symbolic links on the way to a path and to where it leads, with their targets."""
    found: dict[Path, str] = {}
    place, ahead = Path("/"), list(reversed(Path(os.path.abspath(path)).parts[1:]))  # noqa: PTH100 - without following links
    while ahead and len(found) <= _MOST_LINKS:
        part = ahead.pop()
        if part == "..":
            place = place.parent
            continue
        here = place / part
        if not here.is_symlink():
            place = here
            continue
        found[here] = target = os.readlink(here)  # noqa: PTH115 - as it is written
        ahead += [part for part in reversed(Path(target).parts) if part != "/"]
        place = Path("/") if target.startswith("/") else place
    return found


def find_bubblewrap() -> Bubblewrap:
    """Returns the bubblewrap of this machine.

    Raises:
        HarnessError: there is none, or the system does not let it make a sandbox; the message says what to do.
    """
    return _found(shutil.which(PROGRAM))


@functools.cache
def _found(program: str | None) -> Bubblewrap:
    if program is None:
        raise HarnessError(
            "--isolate needs bubblewrap, and there is no bwrap on the PATH: install it (apt-get install bubblewrap), or leave "
            "--isolate out, which runs the module's code with your rights"
        )
    version = run_program([program, "--version"], timeout_s=SANDBOX_PROBE_S).output.split()
    words = frozenset(run_program([program, "--help"], timeout_s=SANDBOX_PROBE_S).output.split())
    found = Bubblewrap(program, version[-1] if version else "of no version", words)
    room = Room(Path("/tmp/sandbox"), 1 << 20)
    done = run_program([program, *found.words(room), "--", shutil.which("true") or "/bin/true"], timeout_s=SANDBOX_PROBE_S)
    if done.exit_code != 0:
        raise HarnessError(f"--isolate: {found} cannot make a sandbox here: {_why(program, done.output)}")
    return found


def _why(program: str, output: str) -> str:
    """Returns what bubblewrap says, and what may be done about it."""
    lines = output.strip().splitlines()
    said = lines[-1] if lines else "it says nothing"
    return f"{said}; {'; '.join(_remedies(program)) or _CONTAINER}"


def _remedies(program: str) -> Iterator[str]:
    for file, refusing, remedy in _USER_NAMESPACES:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except OSError:
            continue  # this kernel has no such setting
        if value == refusing:
            yield remedy.format(program=program, documents=paths.named("docs/check.md"))


def sandboxed(bubblewrap: Bubblewrap, room: Room, command: Sequence[str], arguments: int) -> list[str]:
    """Returns the words that run a command in a sandbox; its options go through a file.

    Whoever is in the sandbox can read the words of bubblewrap's own process, and these would name paths of the machine. The
    environment of that process can be read as well: start it with an empty one.

    Args:
        bubblewrap: what makes the sandbox.
        room: what is in there.
        command: the words of the command.
        arguments: an open file, which the process inherits; the options are written to it.
    """
    os.write(arguments, b"".join(os.fsencode(word) + b"\0" for word in bubblewrap.words(room)))
    os.lseek(arguments, 0, os.SEEK_SET)
    return [bubblewrap.program, "--args", str(arguments), "--", *command]

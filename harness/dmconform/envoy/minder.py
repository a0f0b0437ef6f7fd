"""The process between the warden and one Envoy: all that the Envoy starts falls to it, and ends with it.

It is a subreaper, or the first process of a PID namespace. It runs in a fork of the warden (`dmconform.envoy.warden`), and
reports to it in lines: `first PID` of itself in a namespace, `started PID` or `failed NUMBER FILE`, `ended STATUS`, and `done`
at its end, which comes once the warden closes the other pipe. Each PID is that of the warden's view.

It travels in archives of cells: it imports nothing that does not.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from dmconform.envoy.cgroups import ControlGroup
from dmconform.envoy.descendants import end_descendants

_PR_SET_CHILD_SUBREAPER: Final = 36
_CLONE_NEWNS: Final = 0x00020000
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWPID: Final = 0x20000000
_MS_REC_PRIVATE: Final = 0x44000
_REAPED_S: Final = 5.0
_LOOK_S: Final = 0.001
_ERROR_BYTES: Final = 4096


@dataclass(frozen=True)
class Job:
    """What a minder starts, in which group and with which file as its output; `namespace`: as the first of a namespace."""

    command: Sequence[str]
    environment: Mapping[str, str]
    working_folder: str
    output: int
    group: ControlGroup | None
    namespace: bool


def become_subreaper() -> None:
    """Makes orphans among the descendants of this process its children."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def mind(job: Job, control: int, report: int) -> NoReturn:
    """Does a job and ends this process.

    Args:
        job: what it is.
        control: a pipe that the warden closes when all is to end.
        report: the pipe to the warden.
    """
    try:
        os.setsid()
        if job.namespace:
            processes = _enter_namespace(report)
        else:
            become_subreaper()
            processes = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
        _mind(job, processes, control, report)
    except OSError as error:
        _say(report, f"failed {error.errno or 0} {error.filename or ''}")
    finally:
        os._exit(0)


def can_make_namespace() -> bool:
    """Returns whether this process may start another in a PID namespace."""
    child = os.fork()
    if child == 0:
        try:
            _unshare()
            first = os.fork()
            if first == 0:
                os._exit(0)
            os._exit(os.waitpid(first, 0)[1])
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _unshare() -> None:
    """Makes the next child of this process the first of a PID namespace.

    Raises:
        OSError: it may not.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    flags = _CLONE_NEWPID | _CLONE_NEWNS | (0 if user == 0 else _CLONE_NEWUSER)
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def _enter_namespace(report: int) -> int:
    """Goes on in the first process of a PID namespace; its processes see themselves in `/proc`, where that can be mounted.

    Returns:
        A descriptor of the warden's `/proc`.
    """
    outside = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    _unshare()
    first = os.fork()
    if first:
        _say(report, f"first {first}")
        os._exit(0)
    libc = ctypes.CDLL(None)
    if libc.mount(b"none", b"/", None, _MS_REC_PRIVATE, None) == 0:
        libc.mount(b"proc", b"/proc", b"proc", 0, None)
    return outside


def _mind(job: Job, processes: int, control: int, report: int) -> None:
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    envoy, outside = _start(job, processes)
    os.close(job.output)
    _say(report, f"started {outside}")
    waiting = select.poll()
    waiting.register(control, select.POLLIN)
    waiting.register(woken, select.POLLIN)
    while control not in (file for file, _ in waiting.poll()):
        with contextlib.suppress(BlockingIOError):
            os.read(woken, 1024)
        _reap(envoy, report)
    if not job.namespace:  # where it is, the kernel ends all others with this process
        until = time.monotonic() + _REAPED_S
        while _reap(envoy, report) and time.monotonic() < until:
            end_descendants(os.getpid())
            time.sleep(_LOOK_S)
    _say(report, "done")


def _reap(envoy: int, report: int) -> bool:
    """Takes the ends of children; returns whether there are any left."""
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == envoy:
                _say(report, f"ended {status}")
            if pid == 0:
                return True
    except ChildProcessError:
        return False


def _start(job: Job, processes: int) -> tuple[int, int]:
    """Starts the command in a separate session; returns its process id here, and by the `/proc` of a descriptor.

    Raises:
        OSError: it cannot be started; with the file that it is about.
    """
    problem, says = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(says, f"{os.readlink('self', dir_fd=processes)}\n".encode())
        _become(job, says)
    os.close(says)
    with os.fdopen(problem, "rb") as pipe:
        outside, _, words = pipe.read(_ERROR_BYTES).decode(errors="replace").partition("\n")
    if words:
        os.waitpid(pid, 0)
        number, _, file = words.partition(" ")
        raise OSError(int(number), os.strerror(int(number)), file)
    return pid, int(outside)


def _become(job: Job, says: int) -> NoReturn:
    try:
        os.setsid()
        if job.group is not None:
            job.group.enter()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (job.output, 1), (job.output, 2)):
            os.dup2(source, target)
        os.chdir(job.working_folder)
        os.execvpe(job.command[0], list(job.command), dict(job.environment))
    except OSError as error:
        os.write(says, f"{error.errno or 0} {error.filename or job.command[0]}".encode())
    finally:
        os._exit(127)


def _say(report: int, words: str) -> None:
    with contextlib.suppress(OSError):  # the warden is gone: the other pipe says so, too
        os.write(report, f"{words}\n".encode())

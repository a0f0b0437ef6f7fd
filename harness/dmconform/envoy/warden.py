"""The process that starts Envoys for the harness, ends them with all that they have started, and outlives a harness that dies.

It holds each Envoy in the strongest way that it may use (`Hold`), and keeps it within its bounds (`dmconform.envoy.usage`).
Once its harness is gone, or has been stopped for long, it ends all, removes the folders that were to be removed, and ends.
`dmconform.envoy.process` has the other side. It travels in archives of cells: it imports nothing that does not.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dmconform.core.removal import remove_tree
from dmconform.envoy.cgroups import ControlGroup, ControlGroups
from dmconform.envoy.descendants import children, descendants, end_descendants, end_marked
from dmconform.envoy.minder import Job, become_subreaper, can_make_namespace, mind
from dmconform.envoy.usage import Bounds

MESSAGE_BYTES: Final = 1 << 16
HOLD_VARIABLE: Final = "DMCONFORM_HOLD"
"""Of the environment: another way to hold Envoys than the strongest."""
_START_S: Final = 10.0
_END_S: Final = 8.0
_REAPED_S: Final = 1.0
_CHECK_S: Final = 0.25
_CHECK_FOLDER_EVERY: Final = 4  # checks
_PARENT_S: Final = 1.0
_LOOK_S: Final = 0.001


class Hold(enum.Enum):
    """How an Envoy and all that it starts are held together, from the strongest to the weakest."""

    CONTROL_GROUP = "control group"
    NAMESPACE = "PID namespace"
    SUBREAPER = "subreaper"


@dataclass
class _Ward:
    """One Envoy."""

    pid: int
    minder: int
    control: int
    report: int
    group: ControlGroup | None
    folder: Path
    bounds: Bounds
    mark: str
    code: int | None = None
    why: str | None = None  # it was ended
    lost: bool = False  # its minder was killed
    done: bool = False  # its minder has ended all
    closed: bool = False


@dataclass
class Warden:
    """The warden of one harness."""

    harness: socket.socket
    stopped_s: float
    wards: dict[int, _Ward] = field(default_factory=dict)
    removed_at_end: set[Path] = field(default_factory=set)

    def serve(self) -> None:
        """Serves until the harness is gone."""
        self.parent = os.getppid()
        become_subreaper()
        self._groups, self.hold = _strongest()
        waiting = select.poll()
        waiting.register(self.harness, select.POLLIN)
        self._checks = 0
        self._stopped_since: float | None = None
        checked = time.monotonic()
        try:
            while True:
                every_s = _CHECK_S if self.wards else _PARENT_S
                if waiting.poll(max(0.0, checked + every_s - time.monotonic()) * 1000) and not self._answer():
                    break
                if time.monotonic() >= checked + every_s:
                    checked = time.monotonic()
                    self._check()
        finally:
            for ward in list(self.wards.values()):
                self._end(ward)
            for folder in self.removed_at_end:
                remove_tree(folder)

    def _answer(self) -> bool:
        """Does what the harness asks for; returns whether it is still there."""
        try:
            data, files, _, _ = socket.recv_fds(self.harness, MESSAGE_BYTES, 2)
        except ConnectionError:
            return False
        if not data:
            return False
        request = json.loads(data)
        try:
            answer = getattr(self, f"do_{request.pop('do')}")(*files, **request)
        except OSError as error:
            answer = {"errno": error.errno or 0, "file": str(error.filename or "")}
        finally:
            for file in files:
                with contextlib.suppress(OSError):
                    os.close(file)
        with contextlib.suppress(OSError):  # it is gone: the next read says so
            self.harness.send(json.dumps(answer or {}).encode())
        return True

    def do_hold(self) -> dict[str, Any]:
        """Returns how Envoys are held."""
        return {"hold": self.hold.value}

    def do_start(self, payload: int, output: int) -> dict[str, Any]:
        """Starts an Envoy.

        Raises:
            OSError: it cannot be started.
        """
        with os.fdopen(os.dup(payload), encoding="utf-8") as file:
            file.seek(0)
            asked = json.load(file)
        bounds = Bounds(**asked["bounds"])
        group = self._groups.make(asked["mark"]) if self._groups is not None else None
        if group is not None:
            group.bound(bounds)
        job = Job(asked["command"], asked["environment"], asked["folder"], output, group, self.hold is Hold.NAMESPACE)
        orders, control = os.pipe()
        report, says = os.pipe()
        try:
            minder = os.fork()
        except OSError:
            for end in (orders, control, report, says):
                os.close(end)
            if group is not None:
                group.end()
            raise
        if minder == 0:
            os.close(control)
            os.close(report)
            self.harness.close()
            for other in self.wards.values():
                if not other.closed:
                    os.close(other.control)
                    os.close(other.report)
            mind(job, orders, says)
        os.close(orders)
        os.close(says)
        ward = _Ward(0, minder, control, report, group, Path(asked["bounded"]), bounds, asked["mark"])
        try:
            self._await_start(ward)
        except BaseException:
            self._end(ward)
            raise
        self.wards[ward.pid] = ward
        os.set_blocking(report, False)
        return {"pid": ward.pid}

    def _await_start(self, ward: _Ward) -> None:
        with os.fdopen(os.dup(ward.report), "rb", buffering=0) as report:
            waiting = select.poll()
            waiting.register(report, select.POLLIN)
            until = time.monotonic() + _START_S
            while time.monotonic() < until:
                if not waiting.poll(_CHECK_S * 1000):
                    _resume(ward.minder)
                    continue
                name, _, rest = report.readline().decode(errors="replace").strip().partition(" ")
                if name == "first":
                    os.waitpid(ward.minder, 0)
                    ward.minder = int(rest)
                elif name == "started":
                    ward.pid = int(rest)
                    return
                elif name == "failed":
                    number, _, file = rest.partition(" ")
                    raise OSError(int(number), os.strerror(int(number)), file)
                else:
                    break
        raise OSError(0, "no answer", "the process that minds an Envoy")

    def _ward(self, pid: int) -> _Ward:
        if pid not in self.wards:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH), str(pid))
        return self.wards[pid]

    def do_status(self, pid: int) -> dict[str, Any]:
        """Returns the exit code of an Envoy, as `subprocess` has it, and why it was ended, if it was."""
        ward = self._ward(pid)
        self._read(ward)
        return {"code": ward.code, "why": ward.why}

    def do_signal(self, pid: int, number: int) -> None:
        """Sends a signal to an Envoy, if it still runs."""
        ward = self._ward(pid)
        self._read(ward)
        if ward.code is None:
            os.kill(pid, number)

    def do_end(self, pid: int) -> dict[str, Any]:
        """Ends an Envoy and all that it has started, and forgets it; returns what `do_status` does."""
        ward = self._ward(pid)
        self._end(ward)
        del self.wards[pid]
        return {"code": ward.code, "why": ward.why}

    def do_end_all(self) -> None:
        """Ends all Envoys."""
        for ward in list(self.wards.values()):
            self._end(ward)

    def do_remove_at_end(self, folder: str, *, remove: bool) -> None:
        """Notes that a folder is to be removed when the harness is gone, or that it is not."""
        (self.removed_at_end.add if remove else self.removed_at_end.discard)(Path(folder))

    def _read(self, ward: _Ward) -> None:
        """Reads what the minder of an Envoy reports."""
        if ward.closed or ward.lost or ward.done:
            return
        try:
            lines = os.read(ward.report, MESSAGE_BYTES).decode(errors="replace").splitlines()
        except BlockingIOError:
            return
        for line in lines:
            name, _, rest = line.partition(" ")
            if name == "ended":
                ward.code = os.waitstatus_to_exitcode(int(rest))
            ward.done = ward.done or name == "done"
        if not lines and not ward.done:
            ward.lost = True
            if ward.code is None:
                ward.code = -signal.SIGKILL  # as the kernel does where its parent dies
                ward.why = ward.why or "the process that minded it was killed, which a module can do"

    def _check(self) -> None:
        self._checks += 1
        for ward in self.wards.values():
            self._read(ward)
            if ward.lost:
                self._end(ward)
            elif not ward.closed:
                self._check_ward(ward)
        self._check_parent()

    def _check_ward(self, ward: _Ward) -> None:
        _resume(ward.minder)
        exceeded = ward.bounds.exceeded_by(list(descendants(ward.minder)))
        if exceeded is None and self._checks % _CHECK_FOLDER_EVERY == 0:
            exceeded = ward.bounds.exceeded_in(ward.folder)
        if exceeded is not None:
            ward.why = f"it took more than {exceeded}"
            self._end(ward)

    def _check_parent(self) -> None:
        """Ends a harness that has been stopped for long: its Envoys would stay."""
        if not _is_stopped(self.parent):
            self._stopped_since = None
            return
        self._stopped_since = self._stopped_since or time.monotonic()
        if time.monotonic() - self._stopped_since > self.stopped_s and os.getppid() == self.parent:
            print(f"dmconform: it was stopped for {self.stopped_s:g} s, and is ended", file=sys.stderr, flush=True)
            os.kill(self.parent, signal.SIGKILL)

    def _end(self, ward: _Ward) -> None:
        """Ends an Envoy and all that it has started, once."""
        if ward.closed:
            return
        if ward.group is not None:
            if ward.group.exceeded() == "memory":
                ward.why = f"it took more than {ward.bounds.memory_bytes >> 20} MiB of memory"
            ward.group.end()
        os.close(ward.control)
        self._await_end(ward)
        if not ward.done:
            self._end_lost(ward)
        os.close(ward.report)
        ward.closed = True
        if ward.code is None:
            ward.code = -signal.SIGKILL

    def _await_end(self, ward: _Ward) -> None:
        """Waits until its minder has ended all and itself."""
        os.set_blocking(ward.report, False)
        waiting = select.poll()
        waiting.register(ward.report, select.POLLIN)
        with contextlib.suppress(ProcessLookupError):
            os.kill(ward.minder, signal.SIGCONT)
        until = time.monotonic() + _END_S
        while not (ward.lost or ward.done) and waiting.poll(max(0.0, until - time.monotonic()) * 1000):
            self._read(ward)
        with contextlib.suppress(ProcessLookupError):
            os.kill(ward.minder, signal.SIGKILL)
        _reap(ward.minder, _REAPED_S)

    def _end_lost(self, ward: _Ward) -> None:
        """Ends what is left of an Envoy without a minder: its processes have fallen to this one, or have its mark."""
        end_marked(ward.mark)
        minders = {one.minder for one in self.wards.values() if not one.closed}
        until = time.monotonic() + _END_S
        while (orphans := set(children(os.getpid())) - minders) and time.monotonic() < until:
            end_descendants(os.getpid(), but=minders)
            for pid in orphans:
                _reap(pid, _LOOK_S)
        _reap(ward.minder, _REAPED_S)


def _reap(pid: int, timeout_s: float) -> None:
    """Waits for the end of a child, bounded: where a module traces it, the module hears of it first, or never."""
    until = time.monotonic() + timeout_s
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(pid, os.WNOHANG)[0] == 0 and time.monotonic() < until:
            time.sleep(_LOOK_S)


def _strongest() -> tuple[ControlGroups | None, Hold]:
    wanted = os.environ.get(HOLD_VARIABLE)
    groups = ControlGroups.here() if wanted in (None, Hold.CONTROL_GROUP.value) else None
    if groups is not None:
        return groups, Hold.CONTROL_GROUP
    if wanted in (None, Hold.NAMESPACE.value) and can_make_namespace():
        return None, Hold.NAMESPACE
    return None, Hold.SUBREAPER


def _resume(pid: int) -> None:
    """Has a process go on that a module has stopped."""
    if _is_stopped(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _is_stopped(pid: int) -> bool:
    """Returns whether a process was stopped by a signal, and not by a debugger."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"T"
    return False


def main() -> None:
    """Serves the harness that has started this process: words are the number of its socket, and its patience when stopped."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()  # it would copy the pages that this process shares with its minders
    Warden(socket.socket(fileno=int(sys.argv[1])), float(sys.argv[2])).serve()

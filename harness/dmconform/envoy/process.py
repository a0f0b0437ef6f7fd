"""The process of one Envoy, as the harness has it: started, asked after and ended by a warden (`dmconform.envoy.warden`).

There is one warden for each process of the harness, from the first Envoy on. It travels in archives of cells: it imports
nothing that does not.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from dmconform.core.timeouts import HARNESS_STOPPED_S, WARDEN_ANSWER_S
from dmconform.core.waiting import poll
from dmconform.envoy.cgroups import end_groups_of
from dmconform.envoy.descendants import MARK, end_marked, new_mark
from dmconform.envoy.usage import Bounds
from dmconform.envoy.warden import MESSAGE_BYTES

_ROOT: Final = Path(__file__).resolve().parents[2]
# Isolated: neither the user's environment nor the current folder decide what is imported.
_WARDEN: Final = "import sys; sys.path.insert(0, sys.argv.pop(1)); import dmconform.envoy.warden as w; w.main()"


class WardenLost(OSError):
    """The process that starts Envoys was killed or stopped, which a module can do: what became of the Envoy is unknown."""

    def __init__(self) -> None:
        super().__init__("the process that starts Envoys was killed or stopped; a module that this process runs can do that")


class _Warden:
    """The other side of a warden. It ends with this process, whatever ends this."""

    def __init__(self) -> None:
        """Starts it.

        Raises:
            OSError: it cannot be started.
        """
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(WARDEN_ANSWER_S)
        self._lock = threading.Lock()
        self.lost = False
        with theirs:
            words = ["-c", _WARDEN, str(_ROOT), str(theirs.fileno()), str(float(HARNESS_STOPPED_S))]
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is not for it
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def ask(self, do: str, files: Sequence[int] = (), **words: object) -> dict[str, Any]:
        """Returns the answer to a request.

        Raises:
            WardenLost: it does not answer any more.
            OSError: it could not do it.
        """
        with self._lock:
            if self.lost:
                raise WardenLost
            try:
                socket.send_fds(self._socket, [json.dumps({"do": do, **words}).encode()], files)
                data = self._socket.recv(MESSAGE_BYTES)
                if not data:
                    raise ConnectionResetError
            except BaseException as error:
                self.close()  # also where an interrupt came between: the next answer would be that of this request
                if isinstance(error, OSError):
                    raise WardenLost from None
                raise
        answer: dict[str, Any] = json.loads(data)
        if "errno" in answer:
            number, file = answer["errno"], answer["file"]
            raise OSError(number, os.strerror(number), file) if number else OSError(f"{file}: no answer")
        return answer

    def close(self) -> None:
        """Ends it, with all its Envoys."""
        self.lost = True
        self._socket.close()
        if poll(lambda: self._process.poll() is not None, WARDEN_ANSWER_S) is None:
            self._process.kill()
        self._process.wait()
        end_groups_of(self.pid)


_lock = threading.Lock()
_only: list[_Warden] = []


def _warden() -> _Warden:
    with _lock:
        if _only and _only[0].lost:
            _only.clear()
        if not _only:
            _only.append(_Warden())
        return _only[0]


os.register_at_fork(after_in_child=_only.clear)  # it serves one process


@atexit.register
def close() -> None:
    """Ends all Envoys that this process has started, and their warden."""
    with _lock:
        while _only:
            _only.pop().close()


def warden_pid() -> int:
    """Returns the process id of the warden.

    Raises:
        OSError: none can be started.
    """
    return _warden().pid


@functools.cache
def hold() -> str:
    """Returns what Envoys and all that they start are held together by on this machine: see `dmconform.envoy.warden.Hold`.

    Raises:
        OSError: none can be started.
    """
    return str(_warden().ask("hold")["hold"])


@contextlib.contextmanager
def removed_at_end(folder: Path) -> Iterator[None]:
    """Has a folder removed if this process is killed within the block."""
    _warden().ask("remove_at_end", folder=str(folder), remove=True)
    try:
        yield
    finally:
        with contextlib.suppress(WardenLost):
            _warden().ask("remove_at_end", folder=str(folder), remove=False)


def end_all() -> None:
    """Ends all Envoys that this process has started, with what they have started."""
    with _lock:
        wardens = list(_only)
    for one in wardens:
        with contextlib.suppress(WardenLost):
            one.ask("end_all")


class HostProcess:
    """One Envoy. It ends with all that it has started, at the latest with this process."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        working_folder: str | Path,
        output: int,
        folder: Path,
        bounds: Bounds | None = None,
    ) -> None:
        """Starts it in a separate session.

        Args:
            command: its words.
            environment: all of it, but for a mark.
            working_folder: where it starts.
            output: a file for what it prints.
            folder: the one whose size is bounded.
            bounds: what it may take; None: the usual ones.

        Raises:
            OSError: there is no such program, or it cannot be started.
        """
        self._mark = new_mark()
        payload = {
            "command": list(command),
            "environment": {**environment, MARK: self._mark},
            "folder": os.fspath(working_folder),
            "bounded": str(folder),
            "bounds": dataclasses.asdict(bounds or Bounds()),
            "mark": self._mark,
        }
        self._code: int | None = None
        self.why_ended: str | None = None
        """What ended it, other than itself and a request: that it exceeded a bound, say."""
        self._warden = _warden()
        file = os.memfd_create("envoy")
        try:
            with os.fdopen(os.dup(file), "w", encoding="utf-8") as sink:
                json.dump(payload, sink)
            self.pid: int = self._warden.ask("start", (file, output))["pid"]
        finally:
            os.close(file)
        self._ended = False
        self._ending: int | None = None  # can be read once the process has ended: looking at it costs next to nothing
        with contextlib.suppress(OSError):  # it has ended already
            self._ending = os.pidfd_open(self.pid)

    def poll(self) -> int | None:
        """Returns its exit code, as `subprocess` has it; None while it runs.

        Raises:
            WardenLost: that is unknown.
        """
        if self._code is None and self._may_have_ended():
            self._note(self._warden.ask("status", pid=self.pid))
        return self._code

    def _may_have_ended(self) -> bool:
        if self._ending is None or self._warden.lost:
            return True
        looking = select.poll()
        looking.register(self._ending, select.POLLIN)
        return bool(looking.poll(0))

    def _note(self, answer: Mapping[str, Any]) -> None:
        self._code, self.why_ended = answer["code"], answer["why"]

    def wait(self, timeout_s: float) -> int | None:
        """Waits for its exit code; None if it does not end in time."""
        return poll(self.poll, timeout_s)

    def terminate(self) -> None:
        """Sends SIGTERM to it, if it still runs."""
        if not self._ended:
            self._warden.ask("signal", pid=self.pid, number=signal.SIGTERM)

    def end(self) -> None:
        """Ends it and all that it has started, at once. It may be called again."""
        if self._ended:
            return
        self._ended = True
        if self._ending is not None:
            os.close(self._ending)
            self._ending = None
        try:
            self._note(self._warden.ask("end", pid=self.pid))
        except WardenLost:
            end_marked(self._mark)
            self._code = -signal.SIGKILL if self._code is None else self._code
            self.why_ended = self.why_ended or str(WardenLost())

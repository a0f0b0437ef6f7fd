"""Runs modules in a sandbox: the harness starts itself there, with its Envoys, and only what was observed comes out."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dmconform.check.companions import companions
from dmconform.check.run_all import AllRan, RunOrder
from dmconform.check.sandbox_answers import Answers, forward
from dmconform.check.session import HOSTS_AT_ONCE
from dmconform.core import paths, progress
from dmconform.core.bubblewrap import Bubblewrap, Room, find_bubblewrap, sandboxed
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.terminal import safe_message
from dmconform.core.timeouts import ATTEMPT_S, SANDBOX_START_S

ROOM_BYTES: Final = 256 << 20
"""What the folder of the runs can hold, besides copies of the modules."""
_PACKAGES: Final = ("site-packages", "dist-packages")  # most are below those of Python, and some elsewhere
_PRINTED_BYTES: Final = 1 << 20
# As `dmconform.binaries.read` starts its reader: neither environment nor current folder decide what is imported.
_HARNESS: Final = (
    *("-I", "-B", "-c"),
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import dmconform.check.isolated as c; c.main()",
)


@dataclass(frozen=True)
class InsideOrder:
    """What the harness in the sandbox gets from the one outside."""

    order: RunOrder
    started_s: float  # when its clock of progress began


@dataclass(frozen=True)
class Isolation:
    """A way to run modules in a sandbox. `readable` are paths that the user names, for what a module opens by itself."""

    bubblewrap: Bubblewrap
    readable: tuple[Path, ...] = ()

    @classmethod
    def here(cls, readable: tuple[Path, ...] = ()) -> Isolation:
        """Returns it for this machine, with what may be read besides.

        Raises:
            UsageError: a path to read does not exist.
            HarnessError: this machine cannot isolate anything; the message says what is missing.
        """
        for path in readable:
            if not path.exists():
                raise UsageError(f"--readable {path}: expected a file or a folder, there is none")
        return cls(find_bubblewrap(), readable)

    def __str__(self) -> str:
        return str(self.bubblewrap)

    def run_all(self, order: RunOrder) -> AllRan:
        """Runs modules in a sandbox.

        Raises:
            UsageError: a module is too large.
            HarnessError: there is no room for a copy of a module, or the sandbox gave no answer that makes sense.
        """
        inside = replace(order, jobs=tuple(job and replace(job, module=job.module.absolute()) for job in order.jobs))
        copies = order.attempts if order.kept else HOSTS_AT_ONCE
        sizes = sum(job.module.stat().st_size for job in inside.to_run)
        room = Room(order.folder, ROOM_BYTES + sizes * copies, (*_of_python(), *self._of_order(inside)))
        deadline_s = time.monotonic() + SANDBOX_START_S + ATTEMPT_S * order.attempts
        with _Inside(self.bubblewrap, room) as harness:
            answers = Answers(harness.pipe, order, deadline_s, room.size_bytes, harness.last_words)
            answers.await_ready()
            harness.send(InsideOrder(inside, progress.started_s()))
            return answers.read()

    def _of_order(self, order: RunOrder) -> Iterator[Path]:
        yield from order.binaries
        for job in order.to_run:
            yield job.module
            yield from companions(job)
        yield from (path.absolute() for path in self.readable)


def _of_python() -> Iterator[Path]:
    """Yields where this Python, its packages, and this package with its data are."""
    yield from (Path(one) for one in (sys.base_prefix, sys.prefix, sys.executable))
    yield from (Path(one) for one in sys.path if Path(one).name in _PACKAGES)
    yield from (paths.IMPORT_ROOT, paths.CONFORMANCE)


class _Inside:
    """The harness in the sandbox, a process; it and all that it has started end with the block, or with this process."""

    def __init__(self, bubblewrap: Bubblewrap, room: Room) -> None:
        self._bubblewrap = bubblewrap
        self._room = room
        self._files = contextlib.ExitStack()
        self._last: deque[str] = deque(maxlen=1)

    def __enter__(self) -> _Inside:
        with contextlib.ExitStack() as theirs:
            arguments = os.memfd_create("words")
            theirs.callback(os.close, arguments)
            self.pipe, answers = self._open_pipe(theirs)
            printed, errors = os.pipe()
            theirs.callback(os.close, errors)
            self._printing = threading.Thread(target=forward, args=(printed, self._put, _PRINTED_BYTES), daemon=True)
            self._printing.start()
            command = [sys.executable, *_HARNESS, str(paths.IMPORT_ROOT)]
            words = sandboxed(self._bubblewrap, self._room, command, arguments)
            try:
                # Its environment is empty, because who is in the sandbox can read it: bubblewrap is the first process there.
                self._process = subprocess.Popen(
                    words,
                    stdin=subprocess.PIPE,
                    stdout=answers,
                    stderr=errors,
                    env={},
                    pass_fds=[arguments],
                    start_new_session=True,
                )
            except OSError as error:
                self._files.close()
                raise HarnessError(f"{words[0]}: cannot be run: {error.strerror}") from error
        return self

    def _open_pipe(self, theirs: contextlib.ExitStack) -> tuple[int, int]:
        """Opens a pipe whose one end this process keeps, and the other one closes with `theirs`."""
        ours, other = os.pipe()
        self._files.callback(os.close, ours)
        theirs.callback(os.close, other)
        return ours, other

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._printing.join(SANDBOX_START_S)  # the end of what they print is the end of all processes in there
        self._files.close()

    def send(self, order: InsideOrder) -> None:
        """Hands over what is to be run.

        This waits for its start, as bubblewrap does not die with a process that has died before it could ask for that: without
        an order, nothing is run.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:  # its end shows in the answers
            pickle.dump(order, pipe)

    def last_words(self) -> str:
        """Returns the last line that was printed in there, or about it, once it has ended."""
        self._printing.join(SANDBOX_START_S)
        return self._last[0] if self._last else ""

    def _put(self, line: str) -> None:
        self._last.append(line)
        print(safe_message(line), file=sys.stderr, flush=True)

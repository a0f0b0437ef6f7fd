"""One real Envoy: started in a folder of its own, asked, reconfigured, stopped. One way to do each."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dmconform.core.timeouts import ADMIN_REQUEST_S, CONFIG_UPDATE_S, HOST_START_S, HOST_STOP_S, LOG_LINE_S, REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy import config
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.config import Listener
from dmconform.envoy.connected import Client, Watch
from dmconform.envoy.connection import Act, Protocol, Request
from dmconform.envoy.headers import Headers, pairs_of
from dmconform.envoy.http1 import exchange
from dmconform.envoy.launch import ADMIN_FILE, BOOTSTRAP_FILE, LAUNCHER_FAILED, LISTENERS_FILE, Launch
from dmconform.envoy.listening import port_of, ports
from dmconform.envoy.mapped import has_mapped
from dmconform.envoy.outcomes import Blocked, HostCrashed, HostHung, ModuleRejected
from dmconform.envoy.output import OutputKeeper
from dmconform.envoy.recorder import beyond
from dmconform.envoy.transcript import OWN_CONNECTION, Ending, Look, RequestId, Transcript

# A configuration that makes no sense is rejected; one with parts that the Envoy does not know is a failure. A line that has no
# end yet is still being printed.
_REJECTION = re.compile(rf"Filesystem config update (?:rejected: |failure: in .*?{LISTENERS_FILE}, )(?P<message>.*)\n")

# An exception that nobody expected ends the taking of a configuration: it counts neither as accepted nor as rejected.
_DROPPED = re.compile(rf"Filesystem watch callback for '{LISTENERS_FILE}' threw exception: (?P<message>.*)\n")


OWN_CONNECTIONS = "connections of its own"
"""What a case opens that asks for a port."""


@dataclass(frozen=True)
class Update:
    """What became of a configuration: accepted, or rejected with the Envoy's message."""

    accepted: bool
    message: str = ""


@dataclass(frozen=True)
class Taken:
    """Listeners that an Envoy was given, and what became of them."""

    listeners: tuple[Listener, ...]
    update: Update


class Envoy:
    """A running Envoy. Use as a context manager: leaving it stops the process whatever happened."""

    def __init__(
        self,
        folder: Path,
        launch: Launch,
        upstream_port: int,
        listeners: Sequence[Listener],
        bootstrap: Mapping[str, Any] | None = None,
    ) -> None:
        """Starts the process; `bootstrap` None is `config.bootstrap`. Any other must take its listeners from the same file."""
        self.folder = folder
        self.launch = launch
        self.pause: Callable[[Envoy, str], None] | None = None  # called before the main thread sends, and before the end
        self.taken: list[Taken] = []
        self._binary = launch.binary
        self._listeners_file = folder / LISTENERS_FILE
        self._admin_file = folder / ADMIN_FILE
        self._exchanges = folder / "exchanges.jsonl"
        self._transcript = Transcript(folder)
        self._connections = 0
        self._version = 0
        self._admin_port = 0
        self._accepted_updates = 0
        self._provoked: str | None = None
        self.first_update = Update(True)
        message = config.bootstrap(self._listeners_file, upstream_port) if bootstrap is None else bootstrap
        (folder / BOOTSTRAP_FILE).write_text(json.dumps(message, indent=1))
        self._write_listeners(listeners)
        launch.write_script(folder)
        self._transcript.starts(launch)
        read_end, write_end = os.pipe()
        try:
            # First, because it may fail where the disk is full: then no process must be left.
            self._output = OutputKeeper(read_end, folder / "envoy.log")
            self._process = subprocess.Popen(
                launch.command(folder),
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                env=launch.full_environment(folder),
                cwd=launch.working_folder or folder,
                start_new_session=True,
            )
        finally:
            os.close(write_end)

    def _write_listeners(self, listeners: Sequence[Listener]) -> None:
        self._version += 1
        self._newest = tuple(listeners)
        part = self._listeners_file.with_suffix(".part")
        text = config.discovery(self._version, listeners)
        self._transcript.gives(self._version, text)
        part.write_text(text)
        part.replace(self._listeners_file)  # Envoy watches for a file moved here

    def __enter__(self) -> Envoy:
        try:
            self._await_ready()
        except BaseException as error:
            try:
                self._pauses(f"it could not be used: {error}")
            finally:
                self._kill()
            raise
        return self

    def _pauses(self, moment: str) -> None:
        """Lets a person look, where one wants to; `moment` follows "where"."""
        if self.pause is not None and threading.current_thread() is threading.main_thread():
            self.pause(self, moment)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        if kind is None:
            self.stop()
        else:
            try:
                self._pauses(f"the case ends: {error}")
            finally:
                self._kill()

    @property
    def pid(self) -> int:
        """The process id."""
        beyond("the process")
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """What the process ended with, as of `subprocess`; None while it runs."""
        return self._process.poll()

    def provoke(self, when: str) -> None:
        """From now on an end of the process is told with this, such as `after a panic in destroy`.

        Which of the later requests notices such an end is chance.
        """
        self._provoked = when

    @contextlib.contextmanager
    def _provoking(self, when: str) -> Iterator[None]:
        """The same for the time of a block, unless something else was said before."""
        before, self._provoked = self._provoked, self._provoked or when
        try:
            yield
        finally:
            self._provoked = before

    def check_alive(self, during: str = "") -> None:
        """Raises HostCrashed if the process has ended."""
        code = self._process.poll()
        if code is not None:
            raise self._ended(code, during)

    def _ended(self, code: int, during: str) -> HostCrashed | Blocked:
        """What an end with this exit code means."""
        during = self._provoked or during
        self._transcript.ends(Ending.ITSELF, code)
        self._output.finish(HOST_STOP_S)
        linker = linker_error(self.printed(), self._binary)
        if linker is not None:
            return HostCrashed.with_code(code, f"{during}; the dynamic linker says: {linker}")
        if code in LAUNCHER_FAILED and not self._admin_port:  # an Envoy that has started is past its launcher
            return Blocked(f"Envoy could not be started; the launcher says: {self.printed().strip()}")
        return HostCrashed.with_code(code, during)

    def check_survived(self, during: str) -> None:
        """Raises HostCrashed if the process has ended or is about to: one that lives answers its admin interface."""

        def answers_or_gone() -> bool | None:
            self.check_alive(during)
            with contextlib.suppress(NoAnswer):
                answer = exchange(self._admin_port, Request("/ready"), ADMIN_REQUEST_S)
                return True if not answer.was_cut else None
            return None

        if poll(answers_or_gone, HOST_STOP_S) is None:
            raise HostHung(f"Envoy neither ends nor answers {during}")

    def _await_ready(self) -> None:
        def address() -> str | None:
            self.check_alive()
            with contextlib.suppress(FileNotFoundError):
                return self._admin_file.read_text() or None
            return None

        def ready() -> bool | None:
            self.check_alive()
            return self.admin("/ready").status == 200 or None

        with self._provoking("while it started"):
            found = poll(address, HOST_START_S)
            if found is None:
                raise HostHung(f"Envoy has not opened its admin interface within {HOST_START_S:g} s")
            self._admin_port = int(found.rpartition(":")[2])
            if poll(ready, HOST_START_S) is None:
                raise HostHung(f"Envoy is not ready after {HOST_START_S:g} s")
        self.first_update = self._outcome_of_update()

    def admin(self, path: str, method: str = "GET") -> Answer:
        """Asks the admin interface."""
        self._transcript.tells(method, path)
        try:
            answer = exchange(self._admin_port, Request(path, method), ADMIN_REQUEST_S)
        except NoAnswer as error:
            self.check_alive(f"before it answered {path}")
            raise HostHung(f"admin interface: {error}") from None
        if answer.was_cut:
            self.check_survived(f"while it answered {path}")
        return answer

    def counters(self, prefix: str) -> dict[str, int]:
        """The statistics whose name begins with `prefix`, by name."""
        body = self.admin(f"/stats?filter=^{prefix}").body
        pairs = (line.rpartition(": ") for line in body.splitlines())
        return {name: int(value) for name, _, value in pairs if value.isdigit()}

    def statistic(self, name: str) -> int | None:
        """The value of the counter or gauge of exactly this name; None where there is none."""
        value = self.counters(f"{re.escape(name)}$").get(name)
        self._transcript.sees(Look.STATISTIC, name, value)
        return value

    def histogram(self, name: str, count: int) -> dict[float, int]:
        """How many values the histogram of exactly this name holds, by their lower bound; waits until it has so many in all.

        Bounds are as fine as Envoy keeps values: 3 is of the values from 3 to 3.1.
        """
        beyond("statistics")
        seen: dict[float, int] = {}

        def recorded() -> bool:
            body = self.admin(f"/stats?filter=^{re.escape(name)}$&histogram_buckets=detailed").body
            for lower, number in re.findall(r"([\d.e+]+),[\d.e+]+:(\d+)", body.partition("totals=")[2].partition("\n")[0]):
                seen[float(lower)] = int(number)
            return sum(seen.values()) >= count

        poll(recorded, LOG_LINE_S)
        return seen

    def set_module_log_level(self, level: str) -> None:
        """From now on modules' lines of this level and above are in the log; at start it is `info`."""
        answer = self.admin(f"/logging?dynamic_modules={level}", "POST")
        assert answer.status == 200, f"expected the log level to become {level}, Envoy says {answer}"

    def _outcome_of_update(self) -> Update:
        """What became of the newest configuration written."""
        prefix = "listener_manager.lds.update_"

        def done() -> Update | None:
            self.check_alive()
            seen = self.counters(prefix)
            accepted = seen.get(f"{prefix}success", 0)
            rejected = seen.get(f"{prefix}rejected", 0) + seen.get(f"{prefix}failure", 0)
            if accepted + rejected < self._version:
                dropped = _DROPPED.search(self.printed())
                assert dropped is None, (
                    f"expected a configuration to be accepted or rejected, it was dropped: {dropped['message']}"
                )
                return None
            if accepted > self._accepted_updates:
                self._accepted_updates = accepted
                return Update(True)
            message = poll(lambda: self._rejections(rejected), LOG_LINE_S) or "(no message in the log)"
            return Update(False, message)

        with self._provoking("while it took a configuration"):
            found = poll(done, CONFIG_UPDATE_S)
        if found is None:
            raise HostHung(f"Envoy has neither accepted nor rejected a configuration within {CONFIG_UPDATE_S:g} s")
        self._transcript.took(self._version, found.accepted, found.message)
        self.taken.append(Taken(self._newest, found))
        return found

    def _rejections(self, count: int) -> str | None:
        messages = [found["message"].removesuffix(": {") for found in _REJECTION.finditer(self.printed())]
        return messages[count - 1] if len(messages) >= count else None

    def update(self, *listeners: Listener) -> Update:
        """Replaces all listeners, and waits until Envoy has accepted or rejected them."""
        self._write_listeners(listeners)
        return self._outcome_of_update()

    def port(self, listener: str) -> int:
        """The port of a listener.

        Raises:
            AssertionError: there is no such listener.
        """
        beyond(OWN_CONNECTIONS)
        found = self._port(listener)
        self._pauses(f"the case opens connections of its own to listener {listener}")
        return found

    def ports(self) -> dict[str, int]:
        """Returns the ports of all listeners that have one, by name."""
        return ports(lambda path: self.admin(path).body)

    def _port(self, listener: str) -> int:
        found = port_of(listener, lambda path: self.admin(path).body)
        assert found is not None, f"expected a listener {listener!r} that can be asked, Envoy has none"
        return found

    def request(
        self,
        path: str,
        *,
        listener: str = "main",
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> Answer:
        """Sends a request to a listener; request and answer are kept as evidence.

        Raises:
            HostCrashed: the Envoy ended.
            HostHung: it did not answer in time.
        """
        port = self._port(listener)
        self._pauses(f"{method} {path} is sent to listener {listener}")
        sent = Headers({"content-type": "text/plain"} if body is not None else {}) | (headers or {})
        try:
            answer = exchange(port, Request(path, method, sent, body), REQUEST_S)
        except NoAnswer as error:
            self._note(listener, method, path, sent, body, str(error))
            self.check_alive(f"before it answered {method} {path}")
            raise HostHung(f"{method} {path}: {error}") from None
        self._note(listener, method, path, sent, body, answer)
        if answer.was_cut:
            # A crash shows as a cut connection first, and writing its backtrace takes a moment: a living one answers.
            self.check_survived(f"while it answered {method} {path}")
        return answer

    @contextlib.contextmanager
    def connect(self, protocol: Protocol, *, listener: str = "main", patience_s: float | None = None) -> Iterator[Client]:
        """A connection to a listener, which is closed at the end of the block; requests and answers are kept as evidence.

        Args:
            protocol: what it speaks.
            listener: whose it is.
            patience_s: how long an answer may take; if that is given, answers raise NoAnswer and nothing else.

        Raises:
            HostCrashed: the Envoy ended.
            HostHung: an answer did not come in time.
        """
        self._connections += 1
        watch = self._watch(listener, protocol, self._connections, REQUEST_S if patience_s is None else patience_s)
        if patience_s is not None:
            watch = replace(watch, overdue=lambda _, problem: NoAnswer(problem), look_after=lambda _: None)
        with Client(protocol, self._port(listener), watch, patience_s) as one:
            yield one

    def _watch(self, listener: str, protocol: Protocol, connection: int, timeout_s: float) -> Watch:
        """What a client of a listener does with what it sees."""

        def act(number: int, what: Act, request: Request, text: str) -> None:
            if what in (Act.BEGIN, Act.SEND):
                self._pauses(f"{request.method} {request.path} is sent to listener {listener}")
            self._transcript.acts(RequestId(connection, number), listener, protocol.value, what, sent(request), text)

        def sent(request: Request) -> dict[str, Any]:
            return {**vars(request), "headers": pairs_of(request.headers), "trailers": pairs_of(request.trailers)}

        def note(number: int, request: Request, seen: Answer | str) -> None:
            self._keep(listener, sent(request), seen, protocol, RequestId(connection, number), timeout_s)

        def overdue(request: Request, problem: str) -> HostHung:
            self.check_alive(f"before it answered {request.method} {request.path}")
            return HostHung(f"{request.method} {request.path}: {problem}")

        def look_after(request: Request) -> None:
            self.check_survived(f"while it answered {request.method} {request.path}")

        return Watch(act, note, overdue, look_after, lambda: self._transcript.closes(connection))

    def _note(
        self, listener: str, method: str, path: str, headers: Mapping[str, str], body: str | None, answer: Answer | str
    ) -> None:
        sent = {"method": method, "path": path, "headers": pairs_of(headers), "body": body}
        self._keep(listener, sent, answer, Protocol.HTTP1, OWN_CONNECTION, REQUEST_S)

    def _keep(
        self,
        listener: str,
        request: Mapping[str, Any],
        answer: Answer | str,
        protocol: Protocol,
        number: RequestId,
        timeout_s: float,
    ) -> None:
        """Keeps an exchange as evidence."""
        seen = answer if isinstance(answer, str) else answer.record()
        with self._exchanges.open("a") as sink:
            sink.write(json.dumps({"listener": listener, "request": dict(request), "answer": seen}) + "\n")
        self._transcript.exchanged(protocol.value, number, timeout_s)

    def log(self) -> str:
        """What the process has printed so far."""
        beyond("the log")
        return self.printed()

    def printed(self) -> str:
        """The same for the harness's own use, which is not the case's."""
        return self._output.text()

    def wait_for_log(self, text: str) -> str | None:
        """The first log line that holds `text`, or None when none comes within `LOG_LINE_S` seconds."""

        def found() -> str | None:
            line = next((line for line in self.printed().splitlines() if text in line), None)
            self._transcript.sees(Look.LOG, text, line is not None)
            return line

        return poll(found, LOG_LINE_S)

    def has_mapped(self, path: Path) -> bool:
        """Whether the process has a file mapped, named by the path that the process knows it by."""
        try:
            found = has_mapped(self._process.pid, path)
        except (FileNotFoundError, ProcessLookupError):
            self.check_alive("while its mappings were read")
            raise
        self._transcript.sees(Look.MAPPED, str(path), found)
        return found

    def stop(self) -> None:
        """Ends it with SIGTERM.

        Raises:
            HostCrashed: it had ended before, or ends in another way than it should.
            HostHung: it does not end in time (it is killed then).
        """
        self._pauses("it is stopped, and the case has sent no request before")
        self.check_alive("before it was asked to stop")
        self._process.terminate()
        try:
            code = self._process.wait(HOST_STOP_S)
        except subprocess.TimeoutExpired:
            self._kill()
            raise HostHung(f"Envoy has not ended within {HOST_STOP_S:g} s of SIGTERM") from None
        self._output.finish(HOST_STOP_S)
        self._transcript.ends(Ending.STOPPED, code)
        if code != 0:
            raise self._ended(code, "while it shut down")

    def reap(self) -> None:
        """Kills it if it still runs."""
        if self._process.poll() is None:
            self._kill()

    def _kill(self) -> None:
        code = self._process.poll()
        self._transcript.ends(Ending.KILLED if code is None else Ending.ITSELF, code)
        # The whole session: a module may have started processes.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._output.finish(HOST_STOP_S)


def linker_error(log: str, binary: Path) -> str | None:
    """What the dynamic linker said last before it ended a process of this binary for a symbol that it did not find.

    It does so at the first call of a function that was to be looked up then. The exit code is 127, as where a launcher finds no
    program to start; but a launcher's own line begins with another name.
    """
    mark = f"{binary}: symbol lookup error: "
    return next((line.partition(mark)[2].strip() for line in reversed(log.splitlines()) if mark in line), None)


def accepted(envoy: Envoy) -> Envoy:
    """The Envoy, if it accepted its first configuration.

    Raises:
        ModuleRejected: with its message.
    """
    if not envoy.first_update.accepted:
        raise ModuleRejected(envoy.first_update.message)
    return envoy

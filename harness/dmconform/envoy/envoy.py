"""One real Envoy: started in a separate folder, asked, reconfigured, stopped. One way to do each."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from dmconform.core.timeouts import ADMIN_REQUEST_S, CONFIG_UPDATE_S, HOST_START_S, HOST_STOP_S, LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy import config
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.config import Listener
from dmconform.envoy.connected import Client
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.driver import Driver
from dmconform.envoy.headers import Headers
from dmconform.envoy.launch import LAUNCHER_FAILED, LISTENERS_FILE, Launch
from dmconform.envoy.observer import CONNECTIONS, UNOBSERVED, Observer
from dmconform.envoy.outcomes import Blocked, HostCrashed, HostHung, ModuleRejected, linker_error
from dmconform.envoy.traffic import Traffic
from dmconform.envoy.transcript import Ending, Look, Transcript
from dmconform.envoy.update import Taken, Update, assert_not_dropped, rejection


class Envoy:
    """A running Envoy. Use as a context manager: leaving it stops the process whatever happened."""

    def __init__(
        self,
        folder: Path,
        launch: Launch,
        upstream_port: int,
        listeners: Sequence[Listener],
        bootstrap: Mapping[str, Any] | None = None,
        observer: Observer = UNOBSERVED,
    ) -> None:
        """Starts the process.

        Args:
            folder: for all of its files; it exists.
            launch: how it is started.
            upstream_port: of the server behind it, on loopback.
            listeners: its first ones.
            bootstrap: its bootstrap configuration, which must take the listeners from `LISTENERS_FILE`; None: the usual one.
            observer: is notified before each step.
        """
        self.folder = folder
        self.launch = launch
        self.taken: list[Taken] = []
        self.first_update = Update(True)
        self._observer = observer
        self._transcript = Transcript(folder, observer)
        self._driver = Driver(folder, self.admin)
        self._traffic = Traffic(self, self._transcript)
        self._provoked: str | None = None
        message = config.bootstrap(folder / LISTENERS_FILE, upstream_port) if bootstrap is None else bootstrap
        self._driver.write_bootstrap(json.dumps(message, indent=1))
        self._write_listeners(listeners)
        launch.write_script(folder)
        self._transcript.starts(launch)
        self._driver.start(launch.command(folder), launch.full_environment(folder), launch.working_folder or folder)

    def _write_listeners(self, listeners: Sequence[Listener]) -> None:
        self._newest = tuple(listeners)
        version = self._driver.version + 1
        text = config.discovery(version, listeners)
        self._transcript.gives(version, text)
        self._driver.write_listeners(text)

    def __enter__(self) -> Envoy:
        try:
            self._await_ready()
        except BaseException as error:
            try:
                self.pause(f"it could not be used: {error}")
            finally:
                self._kill()
            raise
        return self

    def pause(self, moment: str) -> None:
        """Lets the observer look, if this is the main thread; `moment` follows "where"."""
        if threading.current_thread() is threading.main_thread():
            self._observer.pause(self, moment)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        if kind is None:
            self.stop()
        else:
            try:
                self.pause(f"the case ends: {error}")
            finally:
                self._kill()

    @property
    def pid(self) -> int:
        """The process id, for the harness; a case uses `take_pid`."""
        return self._driver.pid

    @property
    def exit_code(self) -> int | None:
        """What the process ended with, as of `subprocess`; None while it runs."""
        return self._driver.exit_code

    def take_pid(self) -> int:
        """Returns the process id to a case that looks at the process itself; an archive notes that this is not compared."""
        self._observer.note_unreplayed("the process")
        return self.pid

    def provoke(self, when: str) -> None:
        """Sets the words that describe an end of the process from now on, such as `after a panic in destroy`.

        Which of the later requests notices such an end is chance.
        """
        self._provoked = when

    @contextlib.contextmanager
    def _provoking(self, when: str) -> Iterator[None]:
        """Sets the same words for the time of a block, unless others are set already."""
        before, self._provoked = self._provoked, self._provoked or when
        try:
            yield
        finally:
            self._provoked = before

    def check_alive(self, during: str = "") -> None:
        """Raises HostCrashed if the process has ended."""
        code = self.exit_code
        if code is not None:
            raise self._ended(code, during)

    def _ended(self, code: int, during: str) -> HostCrashed | Blocked:
        """Records an end with this exit code, and returns the error for it."""
        during = self._provoked or during
        self._transcript.ends(Ending.ITSELF, code)
        self._driver.end(HOST_STOP_S)
        if self._driver.why_ended is not None:
            return HostCrashed(f"Envoy was ended {during}: {self._driver.why_ended}")
        linker = linker_error(self.printed(), self.launch.program or self.launch.binary)
        if linker is not None:
            return HostCrashed.with_code(code, f"{during}; the dynamic linker says: {linker}")
        if code in LAUNCHER_FAILED and not self._driver.has_started:
            return Blocked(f"Envoy could not be started; the launcher says: {self.printed().strip()}")
        return HostCrashed.with_code(code, during)

    def check_survived(self, during: str) -> None:
        """Raises HostCrashed if the process has ended or is about to: one that lives answers its admin interface."""

        def answers_or_gone() -> bool | None:
            self.check_alive(during)
            with contextlib.suppress(NoAnswer):
                answer = self._driver.admin("/ready", "GET", ADMIN_REQUEST_S)
                return True if not answer.was_cut else None
            return None

        if poll(answers_or_gone, HOST_STOP_S) is None:
            raise HostHung(f"Envoy neither ends nor answers {during}")

    def _await_ready(self) -> None:
        with self._provoking("while it started"):
            if not self._driver.await_admin(HOST_START_S):
                self.check_alive()
                raise HostHung(f"Envoy has not opened its admin interface within {HOST_START_S:g} s")
            if not self._driver.await_ready(HOST_START_S):
                self.check_alive()
                raise HostHung(f"Envoy is not ready after {HOST_START_S:g} s")
        self.first_update = self._outcome_of_update()

    def admin(self, path: str, method: str = "GET") -> Answer:
        """Asks the admin interface."""
        self._transcript.tells(method, path)
        try:
            answer = self._driver.admin(path, method, ADMIN_REQUEST_S)
        except NoAnswer as error:
            self.check_alive(f"before it answered {path}")
            raise HostHung(f"admin interface: {error}") from None
        if answer.was_cut:
            self.check_survived(f"while it answered {path}")
        return answer

    def counters(self, prefix: str) -> dict[str, int]:
        """Returns the statistics whose name begins with `prefix`, by name."""
        return self._driver.counters(f"^{prefix}")

    def statistic(self, name: str) -> int | None:
        """Returns the value of the counter or gauge of exactly this name; None where there is none."""
        value = self.counters(f"{re.escape(name)}$").get(name)
        self._transcript.sees(Look.STATISTIC, name, value)
        return value

    def read_histogram(self, name: str, count: int) -> dict[float, int]:
        """Returns how many values the histogram of exactly this name holds, by their lower bound.

        Waits until it has `count` in all. Bounds are as fine as Envoy keeps values: 3 is of the values from 3 to 3.1.
        An archive notes that this is not compared.
        """
        self._observer.note_unreplayed("statistics")
        seen: dict[float, int] = {}

        def recorded() -> bool:
            body = self.admin(f"/stats?filter=^{re.escape(name)}$&histogram_buckets=detailed").body
            for lower, number in re.findall(r"([\d.e+]+),[\d.e+]+:(\d+)", body.partition("totals=")[2].partition("\n")[0]):
                seen[float(lower)] = int(number)
            return sum(seen.values()) >= count

        poll(recorded, LOG_LINE_S)
        return seen

    def set_module_log_level(self, level: str) -> None:
        """Sets the lowest level of modules' lines in the log, from now on; at start it is `info`."""
        answer = self.admin(f"/logging?dynamic_modules={level}", "POST")
        assert answer.status == 200, f"expected the log level to become {level}, Envoy says {answer}"

    def _outcome_of_update(self) -> Update:
        """Waits for the result of the newest configuration written, and returns it."""

        def done() -> Update | None:
            self.check_alive()
            settled = self._driver.settled()
            if settled is None:
                assert_not_dropped(self.printed())
                return None
            if settled.accepted:
                return Update(True)
            message = poll(lambda: rejection(self.printed(), settled.rejections), LOG_LINE_S) or "(no message in the log)"
            return Update(False, message)

        with self._provoking("while it took a configuration"):
            found = poll(done, CONFIG_UPDATE_S)
        if found is None:
            raise HostHung(f"Envoy has neither accepted nor rejected a configuration within {CONFIG_UPDATE_S:g} s")
        self._transcript.took(self._driver.version, found.accepted, found.message)
        self.taken.append(Taken(self._newest, found))
        return found

    def update(self, *listeners: Listener) -> Update:
        """Replaces all listeners, and waits until Envoy has accepted or rejected them."""
        self._write_listeners(listeners)
        return self._outcome_of_update()

    def port(self, listener: str) -> int:
        """Returns the port of a listener, for the harness; a case uses `take_port`.

        Raises:
            AssertionError: there is no such listener.
        """
        found = self._driver.port(listener)
        assert found is not None, f"expected a listener {listener!r} that can be asked, Envoy has none"
        return found

    def take_port(self, listener: str) -> int:
        """Returns the port of a listener to a case that opens connections itself; an archive notes that they are not replayed.

        Raises:
            AssertionError: there is no such listener.
        """
        self._observer.note_unreplayed(CONNECTIONS)
        found = self.port(listener)
        self.pause(f"the case opens its own connections to listener {listener}")
        return found

    def ports(self) -> dict[str, int]:
        """Returns the ports of all listeners that have one, by name."""
        return self._driver.ports()

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

        Args:
            path: with what follows a `?`.
            listener: to which it is sent.
            method: its method.
            headers: its headers; a body has `content-type: text/plain` unless they say otherwise.
            body: its body, if any.

        Raises:
            HostCrashed: the Envoy ended.
            HostHung: it did not answer in time.
        """
        sent = Headers({"content-type": "text/plain"} if body is not None else {}) | (headers or {})
        return self._traffic.request(listener, Request(path, method, sent, body))

    def connect(
        self, protocol: Protocol, *, listener: str = "main", patience_s: float | None = None
    ) -> AbstractContextManager[Client]:
        """Opens a connection to a listener until the end of the block; requests and answers are kept as evidence.

        Args:
            protocol: what it speaks.
            listener: whose it is.
            patience_s: how long an answer may take; if that is given, answers raise NoAnswer and nothing else.

        Raises:
            HostCrashed: the Envoy ended.
            HostHung: an answer did not come in time.
        """
        return self._traffic.connect(protocol, listener, patience_s)

    def printed(self) -> str:
        """Returns what the process has printed so far, for the harness; a case uses `read_log`."""
        return self._driver.printed()

    def read_log(self) -> str:
        """Returns what the process has printed so far to a case; an archive notes that the log is not compared."""
        self._observer.note_unreplayed("the log")
        return self.printed()

    def wait_for_log(self, text: str) -> str | None:
        """Waits for a log line that holds `text`, and returns the first; None when none comes within `LOG_LINE_S` seconds."""

        def found() -> str | None:
            line = next((line for line in self.printed().splitlines() if text in line), None)
            self._transcript.sees(Look.LOG, text, line is not None)
            return line

        return poll(found, LOG_LINE_S)

    def has_mapped(self, path: Path) -> bool:
        """Returns whether the process has a file mapped, named by the path that the process knows it by."""
        try:
            found = self._driver.has_mapped(path)
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
        self.pause("it is stopped, and the case has sent no request before")
        self.check_alive("before it was asked to stop")
        code = self._driver.stop(HOST_STOP_S)
        if code is None:
            self._kill()
            raise HostHung(f"Envoy has not ended within {HOST_STOP_S:g} s of SIGTERM")
        self._driver.end(HOST_STOP_S)
        self._transcript.ends(Ending.STOPPED, code)
        if code != 0:
            raise self._ended(code, "while it shut down")

    def reap(self) -> None:
        """Kills it if it still runs."""
        if self._driver.lives:
            self._kill()

    def _kill(self) -> None:
        code = self.exit_code
        try:
            self._transcript.ends(Ending.KILLED if code is None else Ending.ITSELF, code)
        finally:
            self._driver.end(HOST_STOP_S)


def accepted(envoy: Envoy) -> Envoy:
    """Returns the Envoy, if it accepted its first configuration.

    Raises:
        ModuleRejected: with its message.
    """
    if not envoy.first_update.accepted:
        raise ModuleRejected(envoy.first_update.message)
    return envoy

"""What was done with an Envoy, step by step: its start, what it was given, what it was asked, and its end.

A line per step goes into `transcript.jsonl` in the Envoy's folder, a configuration with listeners into `updates/`. A request
is in `exchanges.jsonl`, and the transcript has its place there. `dmconform.bundle` makes an archive that replays the steps.
"""

from __future__ import annotations

import enum
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from dmconform.core.regular import append_regular, read_lines, replace_regular
from dmconform.core.waiting import current_poll
from dmconform.envoy.connection import Act
from dmconform.envoy.launch import Launch
from dmconform.envoy.observer import UNOBSERVED, Observer

TRANSCRIPT_FILE: Final = "transcript.jsonl"
UPDATES_FOLDER: Final = "updates"


class Ending(enum.Enum):
    """How an Envoy came to its end."""

    ITSELF = "by itself"
    STOPPED = "stopped"  # by SIGTERM
    KILLED = "killed"  # it lived when the case was over


class RequestId(msgspec.Struct, frozen=True):
    """A request: the number of its connection with an Envoy, and its own on that connection, both from 1 on."""

    connection: int
    number: int


OWN_CONNECTION: Final = RequestId(0, 0)
"""A request that was sent and answered as a whole, on a separate connection."""


class Started(msgspec.Struct, frozen=True, tag_field="step", tag="start"):
    """The start of the Envoy: `arguments` are what follows its binary, `prefix` the words of the case before it."""

    at: float  # seconds on the clock `time.monotonic`, here and below
    binary: str
    arguments: tuple[str, ...]
    prefix: tuple[str, ...]
    environment: dict[str, str]
    working_folder: str


class Written(msgspec.Struct, frozen=True, tag_field="step", tag="update"):
    """Listeners that the Envoy is given: `updates/NUMBER.json`."""

    at: float
    number: int


class UpdateOutcome(msgspec.Struct, frozen=True, tag_field="step", tag="outcome"):
    """What the Envoy did with them: it accepted or rejected them. Where this is missing, it did neither."""

    at: float
    number: int
    accepted: bool
    message: str


class Acted(msgspec.Struct, frozen=True, tag_field="step", tag="act"):
    """An action of a client for a request; `text` is the piece of a body. Its answer, if any, is an exchange."""

    at: float
    id: RequestId
    listener: str
    protocol: str  # as of `dmconform.envoy.connection.Protocol`
    act: Act
    request: dict[str, Any]
    text: str


class Exchanged(msgspec.Struct, frozen=True, tag_field="step", tag="exchange"):
    """A request that is over: line NUMBER of `exchanges.jsonl`, from 1 on."""

    at: float
    number: int
    protocol: str
    id: RequestId
    timeout_s: float  # how long its client would have waited
    poll: int  # which of the case, that asked until it saw what it wanted; 0: none


class Closed(msgspec.Struct, frozen=True, tag_field="step", tag="close"):
    """The closing of a connection by its client."""

    at: float
    connection: int


class Admin(msgspec.Struct, frozen=True, tag_field="step", tag="admin"):
    """A request to the admin interface, by another method than GET."""

    at: float
    method: str
    path: str


class Look(enum.Enum):
    """What a case looks at, beside answers."""

    MAPPED = "mapped"  # whether a file is
    STATISTIC = "statistic"  # its value; None where there is none
    LOG = "log"  # whether a text is in it


class Saw(msgspec.Struct, frozen=True, tag_field="step", tag="look"):
    """Something that the case looks at; where it polls, only its last look is recorded."""

    at: float
    what: Look
    name: str
    value: bool | int | None
    poll: int  # as in `Exchanged`


class Ended(msgspec.Struct, frozen=True, tag_field="step", tag="end"):
    """The end of the Envoy; `exit_code` as of `subprocess`, None where it was killed."""

    at: float
    ending: Ending
    exit_code: int | None


Step = Started | Written | UpdateOutcome | Acted | Exchanged | Closed | Admin | Saw | Ended


class Transcript:
    """The transcript of one Envoy, written as its steps happen."""

    def __init__(self, folder: Path, observer: Observer = UNOBSERVED) -> None:
        self._folder = folder
        self._observer = observer
        self._file = folder / TRANSCRIPT_FILE
        self._exchanges = 0
        self._polls: dict[object, int] = {}  # their numbers, from 1 on
        self._poll = 0
        self._saw: dict[tuple[Look, str], Saw] = {}  # in the newest poll
        self._is_over = False

    def _write(self, *steps: Step) -> None:
        """Writes steps, after what was seen before them."""
        seen = sorted(self._saw.values(), key=lambda one: one.at)
        self._saw.clear()
        append_regular(self._file, b"".join(msgspec.json.encode(one) + b"\n" for one in (*seen, *steps)))

    def starts(self, launch: Launch) -> None:
        """Records that the Envoy is about to be started."""
        self._observer.look()
        command = launch.command(self._folder)
        arguments = tuple(command[command.index(str(launch.binary)) + 1 :])
        folder = str(launch.working_folder or self._folder)
        environment = launch.full_environment(self._folder)
        self._write(Started(time.monotonic(), str(launch.binary), arguments, launch.prefix, environment, folder))

    def gives(self, number: int, text: str) -> None:
        """Records that the Envoy is about to be given listeners, as a discovery response."""
        self._observer.look()
        updates = self._folder / UPDATES_FOLDER
        updates.mkdir(exist_ok=True)
        replace_regular(updates / f"{number}.json", text.encode())
        self._write(Written(time.monotonic(), number))

    def took(self, number: int, accepted: bool, message: str) -> None:
        """Records whether the Envoy accepted or rejected what it was given last."""
        self._write(UpdateOutcome(time.monotonic(), number, accepted, message))

    def acts(self, request: RequestId, listener: str, protocol: str, act: Act, sent: dict[str, Any], text: str) -> None:
        """Notes that a client is about to do something for a request.

        Args:
            request: numbers of the connection and of the request on it.
            listener: the name of the listener.
            protocol: as of `dmconform.envoy.connection.Protocol`.
            act: what the client does.
            sent: the request, as JSON.
            text: the piece of a body, where one is sent.
        """
        self._observer.look()
        self._write(Acted(time.monotonic(), request, listener, protocol, act, sent, text))

    def exchanged(self, protocol: str, request: RequestId, timeout_s: float) -> None:
        """Records that a request is over, and has been kept."""
        self._observer.look()
        self._exchanges += 1
        self._write(Exchanged(time.monotonic(), self._exchanges, protocol, request, float(timeout_s), self._poll_number()))

    def closes(self, connection: int) -> None:
        """Records that a client is about to close its connection."""
        self._observer.look()
        self._write(Closed(time.monotonic(), connection))

    def tells(self, method: str, path: str) -> None:
        """Records that the admin interface is about to get a request; one by GET is not kept."""
        self._observer.look()
        if method != "GET":
            self._write(Admin(time.monotonic(), method, path))

    def sees(self, what: Look, name: str, value: bool | int | None) -> None:
        """Records that the case has looked at something."""
        number = self._poll_number()
        if number == 0 or number != self._poll:
            self._observer.look()
            self._write()
            self._poll = number
        self._saw[what, name] = Saw(time.monotonic(), what, name, value, number)

    def _poll_number(self) -> int:
        """Returns the number of the poll that the case is in; 0 if it is in none."""
        poll = current_poll()
        return 0 if poll is None else self._polls.setdefault(poll, len(self._polls) + 1)

    def ends(self, ending: Ending, exit_code: int | None) -> None:
        """Records the end; only the first call counts."""
        if not self._is_over:
            self._is_over = True
            self._observer.look()
            self._write(Ended(time.monotonic(), ending, exit_code))


def read_transcript(folder: Path) -> list[Step]:
    """Returns the steps in an Envoy's folder; none where no Envoy was started there."""
    return [msgspec.json.decode(line, type=Step) for line in read_lines(folder / TRANSCRIPT_FILE)]

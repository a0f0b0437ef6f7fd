"""Turns what a cell left in its folder into the steps of an archive, and the files that they need."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dmconform.bundle.archive import Content
from dmconform.bundle.rewrite import Rewriter
from dmconform.bundle.steps import (
    ActStep,
    AdminStep,
    AnyStep,
    CloseStep,
    EndStep,
    FilesStep,
    LetGoStep,
    LookStep,
    OfferStep,
    Placed,
    RecordedReply,
    RequestStep,
    StartStep,
    UpdateStep,
)
from dmconform.core.errors import HarnessError
from dmconform.core.regular import LIMIT_BYTES, read_regular
from dmconform.envoy.launch import BOOTSTRAP_FILE
from dmconform.envoy.observer import CONNECTIONS
from dmconform.envoy.placed import (
    RECORDED_FOLDER,
    Changed,
    Event,
    LetGo,
    Offered,
    OfferedReply,
    PlacedChange,
    PlaceKind,
    Unreplayed,
    read_changes,
)
from dmconform.envoy.transcript import (
    OWN_CONNECTION,
    UPDATES_FOLDER,
    Acted,
    Admin,
    Closed,
    Ended,
    Exchanged,
    Look,
    Saw,
    Started,
    Step,
    UpdateOutcome,
    Written,
    read_transcript,
)

# Where the case waited for something, a replay waits twice as long: its machine may be the slower one.
_SHORTEST_WAIT_S = 0.03
_LONGEST_PAUSE_S = 2.0
_UPSTREAM = "upstream"
FIRST = 1  # the number of the listeners with which an Envoy starts


@dataclass
class Collected:
    """The collected parts of an archive."""

    steps: list[AnyStep] = field(default_factory=list)
    contents: dict[str, Content] = field(default_factory=dict)
    limits: set[str] = field(default_factory=set)
    servers: dict[int, str] = field(default_factory=dict)  # of the case's own: names by port
    other_clusters: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Envoy:
    """One Envoy of the cell: its number from 1 on, its folder and its transcript."""

    number: int
    folder: Path
    transcript: list[Step]
    exchanges: list[dict[str, Any]]

    def outcome(self, number: int) -> str:
        """Returns the outcome of its listeners of this number: accepted, rejected or neither."""
        for step in self.transcript:
            if isinstance(step, UpdateOutcome) and step.number == number:
                return "accepted" if step.accepted else "rejected"
        return "neither"

    @property
    def workers(self) -> int:
        """The number of threads it answers with."""
        arguments = next(step.arguments for step in self.transcript if isinstance(step, Started))
        return int(arguments[arguments.index("--concurrency") + 1])

    @functools.cached_property
    def _final(self) -> set[float]:
        """The times at which the case saw what it did not look at, or ask for, again in the same poll."""
        last: dict[object, float] = {}
        for step in self.transcript:
            if isinstance(step, Saw):
                last[(step.what, step.name, step.poll) if step.poll else step.at] = step.at
            elif isinstance(step, Exchanged) and step.id == OWN_CONNECTION:
                asked = self.exchanges[step.number - 1]
                last[(step.poll, asked["listener"], json.dumps(asked["request"])) if step.poll else step.at] = step.at
            elif isinstance(step, Exchanged):  # nothing came in time, and the case waited longer
                last[step.id] = step.at
        return set(last.values())

    def is_final(self, step: Exchanged | Saw) -> bool:
        """Returns whether a step is the last of its kind: what the case repeated until it was satisfied counts as one."""
        return step.at in self._final


def collect(folder: Path, rewriter: Rewriter, envoy_sha256: str) -> Collected:
    """Collects the steps of a cell whose files were recorded (`dmconform.envoy.placed.recording`).

    Raises:
        HarnessError: it cannot be an archive: it started no Envoy, or a module has a path of this machine in it.
    """
    envoys = list(_envoys(folder))
    if not envoys:
        raise HarnessError(f"expected a cell that starts an Envoy, in {folder} is no transcript of one")
    collector = _Collector(folder, rewriter, envoy_sha256)
    changes = read_changes(folder)
    for change in changes:
        if isinstance(change, Offered):
            collector.made.servers.setdefault(change.port, f"server-{len(collector.made.servers) + 1}")
    collector.note_unreplayed({change.what for change in changes if isinstance(change, Unreplayed)})
    changes = [change for change in changes if not isinstance(change, Unreplayed)]
    events: list[tuple[float, _Envoy | None, Event | Step]] = [(one.at, None, one) for one in changes]
    events += [(step.at, envoy, step) for envoy in envoys for step in envoy.transcript]
    events.sort(key=lambda event: event[0])
    before = events[0][0]
    for at, envoy, event in events:
        waited = at - before
        pause = round(min(2 * waited, _LONGEST_PAUSE_S), 2) if waited >= _SHORTEST_WAIT_S else 0.0
        if envoy is None:
            assert isinstance(event, Event)
            collector.change(event, pause)
        else:
            assert not isinstance(event, Event)
            collector.step(envoy, event, pause)
        before = at
    for envoy in envoys:
        collector.add_log(envoy)
    return collector.made


def _envoys(folder: Path) -> Iterator[_Envoy]:
    """Yields the Envoys of a cell in the order in which they started."""
    places = [folder, *sorted(folder.glob("envoy-*"), key=lambda place: (len(place.name), place.name))]
    numbers = itertools.count(1)
    for place in places:
        transcript = read_transcript(place)
        if any(isinstance(step, Started) for step in transcript):
            exchanges = place / "exchanges.jsonl"
            lines = recorded(exchanges).splitlines() if exchanges.exists() else []
            yield _Envoy(next(numbers), place, transcript, [decoded(exchanges, line) for line in lines])


_MOST_PLACED_BYTES: Final = 1 << 30  # a module


def recorded(file: Path, most: int = LIMIT_BYTES) -> bytes:
    """Reads a file of a cell's folder of up to `most` bytes, which the cell's modules could write to as well.

    Raises:
        HarnessError: it cannot be read, is no file any more, or is huge.
    """
    try:
        return read_regular(file, most)
    except OSError as error:
        raise HarnessError(f"{file.name} of the cell cannot be put into a bundle: {error.strerror or error}") from error


def decoded(file: Path, data: bytes) -> Any:  # noqa: ANN401 - whatever JSON there is
    """Decodes what `recorded` read.

    Raises:
        HarnessError: it is not the JSON that was written.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise HarnessError(f"{file.name} of the cell cannot be put into a bundle: it was changed: {error}") from error


class _Collector:
    """Turns events into steps."""

    def __init__(self, folder: Path, rewriter: Rewriter, envoy_sha256: str) -> None:
        self.made = Collected()
        self._folder = folder
        self._rewriter = rewriter
        self._envoy_sha256 = envoy_sha256
        self._has_own_connections = False

    def note_unreplayed(self, whats: set[str]) -> None:
        """Notes, as limits, what the case did or looked at that no step replays."""
        self._has_own_connections = CONNECTIONS in whats
        if self._has_own_connections:
            self.made.limits.add("The case opened its own connections: what it sent on them is not replayed.")
        looked = sorted(whats - {CONNECTIONS})
        if looked:
            self.made.limits.add(f"The case also looked at {', '.join(looked)}, which is not compared.")

    def change(self, event: Event, pause: float) -> None:
        """Adds the step for files that changed, or for what a server of the case is to do."""
        match event:
            case Changed():
                step: AnyStep = FilesStep(pause=pause, changes=tuple(self._placed(change) for change in event.changes))
            case Offered():
                step = OfferStep(
                    pause=pause,
                    server=self.made.servers[event.port],
                    path=event.path,
                    replies=tuple(self._reply(one) for one in event.replies),
                )
            case LetGo():
                if event.port not in self.made.servers:  # it never had anything to send
                    return
                step = LetGoStep(pause=pause, server=self.made.servers[event.port])
            case Unreplayed():
                return
        self.made.steps.append(step)

    def _reply(self, reply: OfferedReply) -> RecordedReply:
        self._add_file("a reply of the case's server", reply.sha256)
        return RecordedReply(reply.status, reply.manner, reply.sha256)

    def _placed(self, change: PlacedChange) -> Placed:
        is_envoy = change.sha256 == self._envoy_sha256
        is_text = bool(change.sha256) and not is_envoy and self._add_file(change.path, change.sha256)
        if change.kind is PlaceKind.FIFO:
            self.made.limits.add(
                f"{change.path} is a FIFO; a replay opens its other end and closes it at once, whatever the case did there."
            )
        if change.kind is PlaceKind.OTHER:
            self.made.limits.add(f"{change.path} is neither a file nor a folder, link or FIFO: this cell cannot be replayed.")
        return Placed(
            path=change.path,
            kind=change.kind.value,
            mode=change.mode,
            sha256=change.sha256,
            target=self._rewriter.text(change.target),
            in_place=change.in_place,
            same_as=change.same_as,
            is_text=is_text,
            is_envoy=is_envoy,
        )

    def _add_file(self, what: str, sha256: str) -> bool:
        """Adds the content of a file, and returns whether it is a text with paths in it."""
        data = recorded(self._folder / RECORDED_FOLDER / sha256, _MOST_PLACED_BYTES)
        if not self._rewriter.is_in(data):
            self.made.contents[f"files/{sha256}"] = Content(data)
            return False
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise HarnessError(
                f"{what}: a binary file of the case has a path of this machine in it, which cannot be replaced; "
                "this cell cannot go elsewhere (dmconform reproduce runs it here)"
            ) from None
        self.made.contents[f"files/{sha256}"] = Content(self._rewriter.text(text).encode())
        return True

    def step(self, envoy: _Envoy, event: Step, pause: float) -> None:
        """Adds the step, if there is one, for an event of an Envoy."""
        steps = self.made.steps
        match event:
            case Started():
                steps.append(self._start(envoy, event, pause))
            case Written() if event.number != FIRST:
                listeners = self._add_listeners(envoy, event.number)
                steps.append(
                    UpdateStep(pause=pause, envoy=envoy.number, listeners=listeners, outcome=envoy.outcome(event.number))
                )
            case Acted():
                steps.append(self._act(envoy, event, pause))
            case Exchanged() if envoy.is_final(event):
                steps.append(self._request(envoy, event, pause))
            case Closed():
                steps.append(CloseStep(pause=pause, envoy=envoy.number, connection=event.connection))
            case Saw() if not envoy.is_final(event):
                pass
            case Saw() if event.what is Look.STATISTIC and self._has_own_connections:
                self.made.limits.add("Statistics are not compared: they counted what is not replayed.")
            case Saw():
                name = self._rewriter.text(event.name)
                steps.append(LookStep(pause=pause, envoy=envoy.number, what=event.what.value, name=name, value=event.value))
            case Admin():
                steps.append(AdminStep(pause=pause, envoy=envoy.number, method=event.method, path=event.path))
            case Ended():
                steps.append(EndStep(pause=pause, envoy=envoy.number, ending=event.ending.value, exit_code=event.exit_code))

    def _start(self, envoy: _Envoy, event: Started, pause: float) -> StartStep:
        text = self._rewriter.text
        bootstrap = f"envoy-{envoy.number}/{BOOTSTRAP_FILE}"
        file = envoy.folder / BOOTSTRAP_FILE
        message = decoded(file, recorded(file))
        self._add_json(bootstrap, self._without_ports(message))
        if envoy.workers > 1:
            self.made.limits.add(
                f"Envoy {envoy.number} has {envoy.workers} workers, and which of them answers is the kernel's choice: of its "
                "answers only the status is compared."
            )
        if event.prefix:
            words = " ".join(text(word) for word in event.prefix[:3])
            self.made.limits.add(f"Envoy was started by `{words} …`: the machine needs that program, and the rights for it.")
        return StartStep(
            pause=pause,
            envoy=envoy.number,
            folder="" if envoy.folder == self._folder else envoy.folder.name,
            bootstrap=bootstrap,
            listeners=self._add_listeners(envoy, FIRST),
            outcome=envoy.outcome(FIRST),
            prefix=tuple(text(word) for word in event.prefix),
            arguments=tuple(text(word) for word in event.arguments),
            environment={name: text(value) for name, value in sorted(event.environment.items())},
            working_folder=text(event.working_folder),
        )

    def _without_ports(self, message: dict[str, Any]) -> dict[str, Any]:
        """Replaces the ports of the clusters in a bootstrap configuration by placeholders, and returns it."""
        for cluster in message.get("static_resources", {}).get("clusters", []):
            name, is_here = cluster["name"], False
            for group in cluster.get("load_assignment", {}).get("endpoints", []):
                for one in group.get("lb_endpoints", []):
                    address = one["endpoint"]["address"].get("socket_address")
                    if address is not None:
                        server = self.made.servers.get(address["port_value"], name)
                        address["port_value"] = f"{{{{PORT {server}}}}}"
                        is_here |= server != name
            if name != _UPSTREAM and not is_here:
                self.made.other_clusters.add(name)
                self.made.limits.add(f"Nobody answers here for the cluster {name}, whatever the case had there.")
        return message

    def _add_listeners(self, envoy: _Envoy, number: int) -> str:
        name = f"envoy-{envoy.number}/listeners-{number}.json"
        file = envoy.folder / UPDATES_FOLDER / f"{number}.json"
        self._add_json(name, decoded(file, recorded(file)))
        return name

    def _add_json(self, name: str, message: object) -> None:
        self.made.contents[name] = Content(json.dumps(self._rewriter.data(message), indent=1).encode() + b"\n")

    def _request(self, envoy: _Envoy, event: Exchanged, pause: float) -> RequestStep:
        exchange = self._rewriter.data(envoy.exchanges[event.number - 1])
        request = exchange["request"]
        if "hold" in request["path"].partition("?")[2]:
            self.made.limits.add("The upstream server held answers back until the case let them go; here they go at once.")
        return RequestStep(
            # Else the time was spent on waiting for this answer.
            pause=0.0 if isinstance(exchange["answer"], str) or event.id != OWN_CONNECTION else pause,
            envoy=envoy.number,
            listener=exchange["listener"],
            protocol=event.protocol,
            connection=event.id.connection,
            number=event.id.number,
            request=request,
            answer=exchange["answer"],
            timeout_s=event.timeout_s,
            again=event.id == OWN_CONNECTION and event.poll != 0,
            status_only=envoy.workers > 1,
        )

    def _act(self, envoy: _Envoy, event: Acted, pause: float) -> ActStep:
        return ActStep(
            pause=pause,
            envoy=envoy.number,
            listener=event.listener,
            protocol=event.protocol,
            connection=event.id.connection,
            number=event.id.number,
            act=event.act.value,
            text=event.text,
            request=self._rewriter.data(event.request),
        )

    def add_log(self, envoy: _Envoy) -> None:
        """Adds what the Envoy printed."""
        log = recorded(envoy.folder / "envoy.log").decode(errors="replace")
        self.made.contents[f"envoy-{envoy.number}/log.txt"] = Content(self._rewriter.text(log).encode())

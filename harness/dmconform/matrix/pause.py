"""Holds a cell at the moment when its case first sends a request, so that a person can look at the Envoy with curl and gdb.

The case does not go on afterwards: its time-outs would end what a debugger stops. Whoever looks sends the requests instead,
from the lines that are printed; they are those of the run before, as a case is code and only a run shows what it sends.
"""

from __future__ import annotations

import contextlib
import json
import select
import shlex
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from dmconform.core.values import Outcome
from dmconform.envoy.connection import Act, Protocol
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.headers import Headers, pairs_of
from dmconform.envoy.launch import ADMIN_FILE, BOOTSTRAP_FILE
from dmconform.envoy.observer import Unobserved
from dmconform.envoy.outcomes import CellEnd
from dmconform.envoy.transcript import OWN_CONNECTION, Acted, Exchanged, Written, read_transcript
from dmconform.report.host_log import shown_lines

LOOK_S: Final = 0.2
"""How often the waiting looks whether the Envoy still lives."""


class Released(CellEnd):
    """An error that ends the cell: the person who looked has finished."""

    outcome = Outcome.ERROR


@dataclass(frozen=True)
class Sent:
    """A request of a case; `update`: it came after the case had given its Envoy the listeners of this number."""

    listener: str
    protocol: Protocol
    request: dict[str, Any]
    update: int


def requests_in(folder: Path) -> tuple[Sent, ...]:
    """Returns the requests that a case has sent to the Envoy of a folder, in their order; those repeated at once only once."""
    exchanges = folder / "exchanges.jsonl"
    lines = [json.loads(line) for line in exchanges.read_text(encoding="utf-8").splitlines()] if exchanges.exists() else []
    found: list[Sent] = []
    update = 1
    for step in read_transcript(folder):
        match step:
            case Written():
                update = step.number
                continue
            case Acted() if step.act in (Act.BEGIN, Act.SEND):
                sent = Sent(step.listener, Protocol(step.protocol), step.request, update)
            case Exchanged() if step.id == OWN_CONNECTION:
                line = lines[step.number - 1]
                sent = Sent(line["listener"], Protocol(step.protocol), line["request"], update)
            case _:
                continue
        if not found or found[-1] != sent:
            found.append(sent)
    return tuple(found)


def curl_line(sent: Sent, port: int) -> str:
    """Returns the command that sends a request to a port on loopback."""
    request = sent.request
    words = ["curl", "-i"]
    if sent.protocol is Protocol.HTTP2:
        words.append("--http2-prior-knowledge")
    if request["method"] == "HEAD":
        words.append("--head")
    elif request["method"] != ("GET" if request["body"] is None else "POST"):
        words += ["-X", request["method"]]
    for name, value in pairs_of(request["headers"]):
        words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if request["body"] is not None:
        if "content-type" not in Headers(request["headers"]):
            words += ["-H", "content-type:"]  # curl would add its own
        words += ["--data-binary", request["body"]]
    line = shlex.join([*words, f"http://127.0.0.1:{port}{request['path']}"])
    return f"{line}  # without its trailers, which curl does not send" if request.get("trailers") else line


def gdb_from_the_start(envoy: Envoy, sources: tuple[str, ...]) -> str:
    """Returns the command that starts the same Envoy under gdb."""
    launch = envoy.launch
    words = launch.command(envoy.folder)
    words = words[words.index(str(launch.binary)) :]
    environment = [f"{name}={value}" for name, value in sorted(launch.full_environment(envoy.folder).items())]
    wrapper = shlex.join(["env", "-i", *environment, *launch.prefix])
    folder = f"--cd={launch.working_folder or envoy.folder}"
    return shlex.join(["gdb", *sources, folder, "-ex", f"set exec-wrapper {wrapper}", "--args", *words])


class Pause(Unobserved):
    """An observer that waits once: at the main thread's first request, or else before the first Envoy of the cell is ended."""

    is_interactive = True

    def __init__(self, before: Path, sources: Path | None, output: IO[str], answer: IO[str] | None) -> None:
        """Remembers what `pause` needs, and does not wait yet.

        Args:
            before: the folder of the same cell, run before.
            sources: what the modules with symbols were made of; None where they have none.
            output: where to print.
            answer: a line there, or its end, ends the waiting as Ctrl-C does; None: only Ctrl-C does.
        """
        self._before = before
        self._gdb = ("-ex", f"set substitute-path /work/src {sources}") if sources else ()
        self._output = output
        self._answer = answer
        self.is_over = False

    def pause(self, envoy: Envoy, moment: str) -> None:
        """Prints how to look at an Envoy, and waits.

        Args:
            envoy: the Envoy that something is about to happen to.
            moment: what that is.

        Raises:
            Released: the waiting is over.
        """
        if self.is_over:
            return
        self.is_over = True
        for line in self._lines(envoy, moment):
            print(line, file=self._output)
        with contextlib.suppress(KeyboardInterrupt):  # as good as Enter
            self._wait(envoy)
        raise Released(f"released by hand where {moment}")

    def _lines(self, envoy: Envoy, moment: str) -> Iterator[str]:
        yield f"waiting:     where {moment}"
        ports: dict[str, int] = {}
        if envoy.exit_code is None:
            yield f"process:     {envoy.pid}"
            admin = _read(envoy.folder / ADMIN_FILE)
            if admin:
                yield f"admin:       http://{admin}"
                ports = envoy.ports()
            for name, port in ports.items():
                yield f"listener:    {name}: 127.0.0.1:{port}"
        else:
            yield f"process:     {_end(envoy.exit_code)}"
        for name, address in _clusters(envoy.folder / BOOTSTRAP_FILE):
            yield f"cluster:     {name}: {address}"
        yield "requests:    what the run before sent to this Envoy"
        yield from self._requests(envoy, ports)
        if envoy.exit_code is None:
            yield f"attach:      {shlex.join(['gdb', *self._gdb, '-p', str(envoy.pid)])}"
        yield f"start anew:  {gdb_from_the_start(envoy, self._gdb)}"
        yield f"             its ports then: curl -s http://$(cat {envoy.folder / ADMIN_FILE})/listeners"
        yield f"log:         {envoy.folder / 'envoy.log'}"
        yield "Enter or Ctrl-C ends it."

    def _requests(self, envoy: Envoy, ports: dict[str, int]) -> Iterator[str]:
        name = envoy.folder.name
        update = 1
        requests = requests_in(self._before / name if (self._before / name).is_dir() else self._before)
        for sent in requests:
            if sent.update != update:
                update = sent.update
                yield f"  # only after an update of the listeners: {self._before}/updates/{update}.json"
            port = ports.get(sent.listener)
            yield (
                f"  {curl_line(sent, port)}"
                if port
                else f"  # {sent.request['path']}: there is no listener {sent.listener} now"
            )
        if not requests:
            yield "  # none that is recorded"

    def _wait(self, envoy: Envoy) -> None:
        self._output.flush()
        lived = envoy.exit_code is None
        while True:
            if lived and envoy.exit_code is not None:
                lived = False
                print(f"process:     {_end(envoy.exit_code)}", file=self._output)
                for line in shown_lines(envoy.folder / "envoy.log"):
                    print(f"  {line}", file=self._output)
                self._output.flush()
            if select.select([self._answer] if self._answer else [], [], [], LOOK_S)[0]:
                return


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _end(code: int) -> str:
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _clusters(bootstrap: Path) -> Iterator[tuple[str, str]]:
    """Yields the clusters of a configuration that have a port, and where."""
    for cluster in json.loads(bootstrap.read_text(encoding="utf-8")).get("static_resources", {}).get("clusters", []):
        for group in cluster.get("load_assignment", {}).get("endpoints", []):
            for one in group.get("lb_endpoints", []):
                address = one["endpoint"]["address"].get("socket_address")
                if address is not None:
                    yield cluster["name"], f"{address['address']}:{address['port_value']}"

"""Replays the steps of a cell in their order, and prints for each what was recorded and what happens now."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dmconform.bundle.replay.answer import Seen, differences, from_record, reported
from dmconform.bundle.replay.connections import REQUEST_S, Connections
from dmconform.bundle.replay.envoy import ReplayedEnvoy
from dmconform.bundle.replay.places import Places, Trouble
from dmconform.bundle.replay.plain import Plain
from dmconform.core.removal import remove_tree
from dmconform.core.timeouts import POLL_S
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer
from dmconform.envoy.headers import Headers
from dmconform.envoy.source_server import Manner, Reply, SourceServer, source_server
from dmconform.envoy.upstream import upstream

AS_RECORDED, NOT_AS_RECORDED, NOT_REPLAYED = 0, 1, 2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ROUTES_S = 15.0
PAUSE_S = 20.0  # at most: no case waits longer
_ROUTES_FILE = re.compile(r"(?:.*/)?routes-of-[^/]*\.json")


def main(archive: Path, words: Sequence[str]) -> int:
    """Runs the program; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Replays a recorded cell: runs the modules of this archive in an Envoy of this machine, with your rights.",
        epilog="exit codes: 0 all is as recorded, 1 something is not, "
        "2 it could not be told: wrong usage, another Envoy, a changed archive, an interruption",
    )
    parser.add_argument("envoy", type=Path, metavar="ENVOY", help="the binary of the Envoy that README.txt names")
    parser.add_argument("--any-envoy", action="store_true", help="also one with another hash: then answers may differ")
    chosen = parser.parse_args(words)

    def interrupt(*_: object) -> None:
        for one in SIGNALS:
            signal.signal(one, signal.SIG_IGN)  # a second one must not end the tidying up
        raise KeyboardInterrupt

    for one in SIGNALS:
        signal.signal(one, interrupt)
    with contextlib.redirect_stdout(Plain(sys.stdout)):
        return _replayed(archive, chosen)


def _replayed(archive: Path, chosen: argparse.Namespace) -> int:
    try:
        cell = _checked(archive)
        binary = _checked_envoy(chosen.envoy, cell["host"], chosen.any_envoy)
        with _places(archive, cell, binary) as (places, sources):
            return _Replay(places, sources).run(cell)
    except BrokenPipeError:  # no one reads on: nothing more can be printed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Trouble, OSError) as error:
        print(f"run.py: {error}")
    except KeyboardInterrupt:
        print("run.py: interrupted")
    except Exception as error:  # it is no verdict on Envoy
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        print(f"run.py: this archive makes no sense, or run.py has a defect: {where}: {type(error).__name__}: {error}")
    return NOT_REPLAYED


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        for block in iter(lambda: source.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _checked(archive: Path) -> dict[str, Any]:
    """Returns the cell, if all files of the archive are as they were made."""
    for line in (archive / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        expected, _, name = line.partition("  ")
        path = archive / name
        seen = _sha256(path) if path.is_file() else "no such file"
        if seen != expected:
            raise Trouble(f"{name}: expected SHA-256 {expected}, saw {seen}: this archive was changed; unpack it anew")
    cell: dict[str, Any] = json.loads((archive / "cell.json").read_text(encoding="utf-8"))
    return cell


def _checked_envoy(path: Path, host: Mapping[str, str], any_envoy: bool) -> Path:
    if not path.is_file() or not os.access(path, os.X_OK):
        raise Trouble(f"{path}: expected the binary of an Envoy, there is no program")
    seen = _sha256(path)
    if seen == host["sha256"]:
        print(f"Envoy: {path} is the recorded one, {host['build']}")
    elif any_envoy:
        print(f"Envoy: {path} is another one than recorded: SHA-256 {seen}, not {host['sha256']}")
    else:
        raise Trouble(
            f"{path}: expected Envoy {host['build']} with SHA-256 {host['sha256']}, saw SHA-256 {seen}; "
            f"the recorded one is from {host['origin']}; --any-envoy runs with this one all the same"
        )
    return path.resolve()


@contextlib.contextmanager
def _places(archive: Path, cell: Mapping[str, Any], binary: Path) -> Iterator[tuple[Places, dict[str, SourceServer]]]:
    """Yields a new folder with ports, and the case's servers by name; all are gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="dmconform-replay-"))
    try:
        with upstream() as server, contextlib.ExitStack() as stack:
            server.let_go()
            ports = {"upstream": server.port}
            sources = {name: stack.enter_context(source_server()) for name in cell["servers"]}
            ports.update((name, source.port) for name, source in sources.items())
            for name in cell["other_clusters"]:  # no server answers for them
                taken = stack.enter_context(socket.socket())
                taken.bind(("127.0.0.1", 0))
                ports[name] = int(taken.getsockname()[1])
            place = folder / "cell"
            place.mkdir()
            yield Places(archive, place, binary, ports), sources
    finally:
        remove_tree(folder)


def _ended(ending: str, code: int | None) -> str:
    """Returns how an Envoy ended, in words."""
    if ending == "killed":
        return "it lived when the case was over"
    if code is None:
        return "it did not end"
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return f"{how}, {'when asked to stop' if ending == 'stopped' else 'by itself'}"


class _Replay:
    """Goes through the steps."""

    def __init__(self, places: Places, sources: Mapping[str, SourceServer]) -> None:
        self._places = places
        self._sources = sources
        self._envoys: dict[int, ReplayedEnvoy] = {}
        self._connections = Connections()
        self._compared = 0
        self._differing = 0

    def run(self, cell: Mapping[str, Any]) -> int:
        """Replays all steps; returns the exit code."""
        print(f"Cell: {cell['cell']}: {cell['title']}")
        print(f"Recorded outcome: {cell['outcome']}{': ' + json.dumps(cell['detail']) if cell['detail'] else ''}")
        for one in cell["limits"]:
            print(f"Mind: {one}")
        print("From here on the code of the recorded modules runs on this machine, with your rights.\n", flush=True)
        try:
            for number, step in enumerate(cell["steps"], start=1):
                time.sleep(min(step["pause"], PAUSE_S))
                print(f"{number:3}. ", end="")
                getattr(self, f"_{step['do']}")(step)
        finally:
            self._connections.close_all()
            for envoy in self._envoys.values():
                envoy.kill()
        if self._differing:
            for number, envoy in self._envoys.items():
                print(f"\nThe end of the log of Envoy {number}:")
                print("\n".join(f"  {line}" for line in envoy.log_tail()))
            print(f"\nNOT as recorded: {self._differing} of {self._compared} differ.")
            return NOT_AS_RECORDED
        print(
            f"\nAs recorded: all {self._compared} that were compared{'; mind what was not, above' if cell['limits'] else ''}."
        )
        return AS_RECORDED

    def _compare(self, recorded: str, now: str, different: Sequence[str]) -> None:
        self._compared += 1
        self._differing += bool(different)
        print(f"       recorded: {recorded}")
        print(f"       now:      {now}{'' if not different else '   DIFFERENT'}")
        for one in different:
            print(f"         {one}")

    def _same(self, recorded: str, now: str) -> None:
        self._compare(recorded, now, [] if recorded == now else [f"expected: {recorded}"])

    def _files(self, step: Mapping[str, Any]) -> None:
        changes = step["changes"]
        print("Files: " + ", ".join(f"{one['path']} ({one['kind']})" for one in changes))
        running = [envoy for envoy in self._envoys.values() if envoy.lives]
        watched = running and any(_ROUTES_FILE.fullmatch(one["path"]) for one in changes)
        before = [envoy.route_updates() for envoy in running] if watched else []
        for one in changes:
            self._places.put(one)
        if watched:
            poll(lambda: True if [one.route_updates() for one in running if one.lives] != before else None, ROUTES_S)

    def _offer(self, step: Mapping[str, Any]) -> None:
        print(f"The case's {step['server']} is to answer {step['path']}")
        replies = (Reply(self._places.bytes_of(one["sha256"]), one["status"], Manner[one["manner"]]) for one in step["replies"])
        self._sources[step["server"]].offer(step["path"], *replies)

    def _let_go(self, step: Mapping[str, Any]) -> None:
        print(f"The case's {step['server']} sends what it holds")
        self._sources[step["server"]].let_go()

    def _start(self, step: Mapping[str, Any]) -> None:
        print(f"Envoy {step['envoy']} starts with {step['listeners']}")
        envoy = self._envoys[step["envoy"]] = ReplayedEnvoy(step, self._places)
        self._same(step["outcome"], envoy.starts())

    def _update(self, step: Mapping[str, Any]) -> None:
        print(f"Envoy {step['envoy']} is given {step['listeners']}")
        self._same(step["outcome"], self._envoys[step["envoy"]].update(step["listeners"], step["outcome"]))

    def _admin(self, step: Mapping[str, Any]) -> None:
        print(f"Envoy {step['envoy']}: admin {step['method']} {step['path']}")
        self._envoys[step["envoy"]].admin(step["path"], step["method"])

    def _request(self, step: Mapping[str, Any]) -> None:
        request, envoy = step["request"], self._envoys[step["envoy"]]
        what = json.dumps(f"{request['method']} {request['path']}")
        print(f"Envoy {step['envoy']}, listener {step['listener']}: {what} by {step['protocol']}")
        recorded = from_record(step["answer"])
        now = self._asked(envoy, step)
        different = differences(recorded, now, status_only=step["status_only"])
        deadline = time.monotonic() + REQUEST_S
        while step["again"] and different and envoy.lives and time.monotonic() < deadline:
            time.sleep(POLL_S)
            now = self._asked(envoy, step)
            different = differences(recorded, now, status_only=step["status_only"])
        self._compare(reported(recorded), reported(now), different)

    def _asked(self, envoy: ReplayedEnvoy, step: Mapping[str, Any]) -> Seen:
        if not envoy.lives and not self._connections.is_open(step):
            return Answer(None)
        port = self._port(envoy, step)
        if port is None:
            return Answer(None, reset="nothing: there is no such listener") if envoy.lives else Answer(None)
        seen = self._connections.ask(port, step)
        return self._there(seen) if isinstance(seen, Answer) else seen

    def _close(self, step: Mapping[str, Any]) -> None:
        print(f"Envoy {step['envoy']}: a client closes its connection")
        self._connections.close(step)

    def _look(self, step: Mapping[str, Any]) -> None:
        what, name, expected = step["what"], step["name"], step["value"]
        print(f"Envoy {step['envoy']}: {what}: {json.dumps(name)}")
        now = self._envoys[step["envoy"]].look(what, self._places.here(name), expected)
        self._same(json.dumps(expected), json.dumps(now))

    def _port(self, envoy: ReplayedEnvoy, step: Mapping[str, Any]) -> int | None:
        """Returns the port of a step's listener; 0 where there is a connection, whose listener may be gone."""
        return 0 if self._connections.is_open(step) else envoy.port(step["listener"])

    def _act(self, step: Mapping[str, Any]) -> None:
        request, envoy = step["request"], self._envoys[step["envoy"]]
        what = json.dumps(f"{request['method']} {request['path']}")
        print(f"Envoy {step['envoy']}, listener {step['listener']}: {what} by {step['protocol']}: {step['act']}")
        port = self._port(envoy, step)
        if port is not None:
            self._connections.act(port, step)

    def _there(self, answer: Answer) -> Answer:
        """Returns an answer with the archive's placeholders in the place of this machine's paths."""

        def there(text: str) -> str:
            return text.replace(str(self._places.cell), "{{CELL}}").replace(str(self._places.envoy), "{{ENVOY}}")

        headers = Headers((name, there(value)) for name, value in answer.headers.pairs)
        return replace(answer, headers=headers, body=there(answer.body))

    def _end(self, step: Mapping[str, Any]) -> None:
        envoy, ending = self._envoys[step["envoy"]], step["ending"]
        print(f"End of Envoy {step['envoy']}")
        if ending == "by itself":
            code = envoy.ended_by_itself()
            now = _ended("killed", None) if code is None else _ended(ending, code)
        elif not envoy.lives:
            now = _ended("by itself", envoy.exit_code)
        elif ending == "stopped":
            now = _ended(ending, envoy.stop())
        else:
            now = _ended(ending, None)
        envoy.kill()
        self._same(_ended(ending, step["exit_code"]), now)

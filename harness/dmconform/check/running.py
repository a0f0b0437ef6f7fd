"""Runs a module in all hosts that were asked for: a few at once, in separate folders, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from dmconform.binaries.facts import ModuleFacts
from dmconform.binaries.known import known_host_facts
from dmconform.check.hosts import Candidate, distinct, obtain
from dmconform.check.observation import Installed, install, run_use
from dmconform.check.result import PointRun
from dmconform.check.settings import WantedUse
from dmconform.core import paths
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.progress import say
from dmconform.core.threads import thread_pool
from dmconform.core.timeouts import HOST_STOP_S
from dmconform.core.waiting import poll
from dmconform.envoy.upstream import upstream_server
from dmconform.hosts.catalogue import KnownHost
from dmconform.hosts.selection import HostChoice, HostImage

if TYPE_CHECKING:
    import docker

HOSTS_AT_ONCE = 2
MODULE_LIMIT_BYTES = 1 << 30
T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class CheckJob:
    """A module, and how it is to be used in every host."""

    module: Path
    facts: ModuleFacts
    uses: tuple[WantedUse, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Ran:
    """A host, and the result of each use there; of none where it is not available."""

    host: Candidate
    runs: tuple[PointRun, ...]


@dataclass(frozen=True)
class _Place:
    """The folder and port where hosts are run."""

    folder: Path
    installed: Installed
    upstream_port: int
    kept: bool


def run_everywhere(
    job: CheckJob, choices: Sequence[HostChoice], known: tuple[KnownHost, ...], keep: Path | None = None
) -> list[Ran]:
    """Runs a module on several hosts. `keep` is a new folder for the evidence; None: it is removed.

    Args:
        job: the module, what its file says, and the uses to run.
        choices: hosts; one that is named twice runs once.
        known: the known releases, by which files are recognised.
        keep: a new folder for the evidence; None for a temporary one.

    Returns:
        What was observed on each host, in the order of the choices.

    Raises:
        UsageError: the module is too large, `keep` is in use, or a host is not an Envoy.
        HarnessError: there is no room for a copy of the module.
    """
    size = job.module.stat().st_size
    if size > MODULE_LIMIT_BYTES:
        raise UsageError(
            f"{job.module}: {size} bytes; expected at most {MODULE_LIMIT_BYTES} to run it (--no-run only reads it)"
        )
    cache = paths.cache_folder()
    for choice in choices:
        if isinstance(choice, KnownHost):
            known_host_facts(choice.release)  # read once here, not in each thread
    with _folder(keep) as folder, _client(choices, cache) as client, _Pool(folder) as pool:
        hosts = distinct(pool.all(lambda choice: obtain(choice, known, cache, client), choices))
        envoys = sum(host.binary is not None for host in hosts) * len(job.uses)
        say(f"running the code of {job.module.name} on this machine, with your rights: {envoys} Envoys (--no-run does not)")
        reserved = frozenset(name for host in hosts for name in host.facts.static_modules)
        installed = install(job.module, job.facts, folder / "modules", reserved)
        with upstream_server() as port:
            place = _Place(folder, installed, port, kept=keep is not None)
            return pool.all(lambda host: Ran(host, tuple(_run_on(host, job, place, pool.given_up))), hosts)


def _run_on(host: Candidate, job: CheckJob, place: _Place, given_up: threading.Event) -> Iterator[PointRun]:
    if host.binary is None:
        return
    for wanted in job.uses:
        if given_up.is_set():
            return
        folder = place.folder / host.id / wanted.point.value
        run = run_use(
            host.binary, place.installed, wanted, folder, environment=job.environment, upstream_port=place.upstream_port
        )
        yield msgspec.structs.replace(run, evidence=str(folder)) if place.kept else run


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Yields a folder for the run; a temporary one is removed afterwards."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="dmconform-check-", ignore_cleanup_errors=True) as name:
            yield Path(name)
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise UsageError(f"--keep {keep}: expected a new or an empty folder")
    except OSError as error:
        raise UsageError(f"--keep {keep}: cannot be made: {error.strerror}") from None
    yield keep.absolute()


@contextlib.contextmanager
def _client(choices: Sequence[HostChoice], cache: Path) -> Iterator[Callable[[], docker.DockerClient]]:
    """Yields a client of a container engine, which only hosts from images need."""
    if not any(isinstance(choice, HostImage) for choice in choices):

        def none() -> docker.DockerClient:
            raise HarnessError("no container engine is needed here")

        yield none
        return
    from dmconform.matrix.prepare import lazy_engine  # slow to import

    with lazy_engine(cache) as engine:
        yield engine.client


@dataclass
class _Pool:
    """A pool that works on a few things at once.

    On an error or Ctrl-C, nothing new begins, and what runs in `folder` is killed.
    """

    folder: Path
    given_up: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> _Pool:
        self._threads = thread_pool(HOSTS_AT_ONCE, "host")
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True)

    def all(self, work: Callable[[S], T], items: Iterable[S]) -> list[T]:
        """Returns the results, in the order of the items."""
        futures = [self._threads.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            self.given_up.set()
            self._threads.shutdown(wait=False, cancel_futures=True)

            def over() -> bool:
                _kill_children(str(self.folder))
                return all(future.done() for future in futures)

            poll(over, HOST_STOP_S)
            raise


def _kill_children(named: str) -> None:
    """Kills the processes that this one has started and that have `named` in their command line, each with its session."""
    for file in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # they come and go
            for pid in file.read_text().split():
                with contextlib.suppress(OSError):
                    if named in Path(f"/proc/{pid}/cmdline").read_text(errors="replace"):
                        os.killpg(int(pid), signal.SIGKILL)

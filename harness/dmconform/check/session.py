"""The place and the hosts of a check: a folder, a pool of a few at once, an upstream. It leaves nothing behind."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dmconform.binaries.known import known_host_facts
from dmconform.check.hosts import Candidate, distinct, obtain
from dmconform.core import paths
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.limits import raise_limits
from dmconform.core.threads import thread_pool
from dmconform.core.timeouts import HOST_STOP_S
from dmconform.core.trouble import not_written
from dmconform.core.waiting import poll
from dmconform.envoy.process import end_all
from dmconform.envoy.temporary import temporary_folder
from dmconform.envoy.upstream import upstream_server
from dmconform.hosts.catalogue import KnownHost
from dmconform.hosts.selection import HostChoice, HostImage

if TYPE_CHECKING:
    import docker

HOSTS_AT_ONCE = 2
T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class Session:
    """The hosts, and what runs in them need. `kept` is whether the folder stays."""

    hosts: tuple[Candidate, ...]
    pool: Pool
    folder: Path
    upstream_port: int
    kept: bool

    @property
    def static_modules(self) -> frozenset[str]:
        """The names that hosts have modules for already."""
        return frozenset(name for host in self.hosts for name in host.facts.static_modules)


@contextlib.contextmanager
def session(hosts: tuple[Candidate, ...], folder: Path, *, kept: bool) -> Iterator[Session]:
    """Yields the place of a check, in which modules are run.

    Args:
        hosts: those that they are run in.
        folder: for copies, configurations and logs.
        kept: whether the folder stays.
    """
    with Pool() as pool, upstream_server() as port:
        yield Session(hosts, pool, folder, port, kept)


def obtain_hosts(choices: Sequence[HostChoice], known: tuple[KnownHost, ...]) -> tuple[Candidate, ...]:
    """Brings the hosts of a check to this machine, a few at once.

    Args:
        choices: hosts; one that is named twice is there once.
        known: the known releases, by which files are recognised.

    Raises:
        UsageError: a host is not an Envoy.
        HarnessError: an image cannot be looked into, or this process may have too few files or processes.
    """
    raise_limits()  # Envoys inherit them
    cache = paths.cache_folder()
    for choice in choices:
        if isinstance(choice, KnownHost):
            known_host_facts(choice.release)  # read once here, not in each thread
    with _client(choices, cache) as client, Pool() as pool:
        return tuple(distinct(pool.all(lambda choice: obtain(choice, known, cache, client), choices)))


@contextlib.contextmanager
def place_of(keep: Path | None) -> Iterator[Path]:
    """Yields a folder for a check.

    Args:
        keep: a new or an empty folder, which stays; None for a temporary one, which is removed afterwards.

    Raises:
        UsageError: `keep` is in use, or there can be no such folder.
        HarnessError: it cannot be made.
    """
    if keep is None:
        with temporary_folder("check") as folder:
            yield folder
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise UsageError(f"--keep {keep}: expected a new or an empty folder")
    except OSError as error:
        raise not_written(f"--keep {keep}", error, what="cannot be made") from None
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
class Pool:
    """A pool that works on a few things at once.

    On an error or Ctrl-C, nothing new begins, and all Envoys are ended.
    """

    given_up: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Pool:
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
                end_all()
                return all(future.done() for future in futures)

            poll(over, HOST_STOP_S)
            raise

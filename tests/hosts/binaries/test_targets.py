"""What the files say that no host can load, given to real Envoys: they refuse it, or crash, as the files say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lief
import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.binaries.kinds import FileKind, ProblemKind
from dmconform.binaries.known import known_host_facts
from dmconform.binaries.read import read_module
from dmconform.binaries.target import TargetKind, target_problems
from dmconform.binaries.verdict import static_verdict
from dmconform.check.observation import InstalledUse, install, run_uses
from dmconform.check.result import PointRun, RunKind
from dmconform.check.settings import WantedUse
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.obtain import from_release
from dmconform.matrix.plan import Plan

from tests.corpus.making import for_aarch64

pytestmark = pytest.mark.host
HOSTS = {host.release: host for host in load_hosts(paths.HOSTS_FILE) if host.release in ("1.38.3", "1.39.3")}
USE = WantedUse(ExtensionPoint.HTTP_FILTER, "transform", "text")
Run = Callable[[Path], PointRun]


@pytest.fixture(scope="session")
def probe(everything: Plan) -> Path:
    return Path(next(sdk for sdk in everything.sdks if sdk.language.value == "cpp").modules["probe"].path)


@pytest.fixture(params=HOSTS)
def run(request: pytest.FixtureRequest, tmp_path: Path, upstream_port: int) -> Run:
    """Runs a module in a host, with an environment of the host's own."""
    binary = Path(from_release(HOSTS[request.param], paths.cache_folder(), print).binary)

    def one(module: Path) -> PointRun:
        installed = install(module, read_module(module), tmp_path / "installed")
        return run_uses(
            binary,
            [InstalledUse(installed, USE)],
            tmp_path / "host",
            environment={},
            upstream_port=upstream_port,
            logs_abi=True,
        )

    return one


def changed(probe: Path, target: Path, change: Callable[[lief.ELF.Binary], None]) -> Path:
    """A copy that asks for something else."""
    binary = lief.ELF.parse(probe)
    assert binary is not None
    change(binary)
    binary.write(target)
    return target


def needs(name: str) -> Callable[[lief.ELF.Binary], None]:
    return lambda binary: _ignored(binary.add_library(name))


def newer_glibc(binary: lief.ELF.Binary) -> None:
    required = next(one for one in binary.symbols_version_requirement if one.name == "libc.so.6")
    next(iter(required.get_auxiliary_symbols())).name = "GLIBC_2.199"


def _ignored(_: object) -> None:
    """Makes a statement of an expression."""


def test_the_probe_itself_is_loaded(probe: Path, run: Run) -> None:
    assert target_problems(read_module(probe), probe, {}) == ()
    assert run(probe).kind is RunKind.WORKS


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (needs("libc.musl-x86_64.so.1"), TargetKind.LIBC, "libc.musl-x86_64.so.1: cannot open shared object"),
        (needs("libof_no_machine.so"), TargetKind.LIBRARY_ABSENT, "libof_no_machine.so: cannot open shared object"),
        (newer_glibc, TargetKind.GLIBC_VERSION, "version `GLIBC_2.199' not found"),
    ],
    ids=["musl", "a library that is absent", "a newer glibc"],
)
def test_a_module_for_another_system_is_refused(
    probe: Path, run: Run, tmp_path: Path, change: Callable[[lief.ELF.Binary], None], kind: TargetKind, words: str
) -> None:
    module = changed(probe, tmp_path / "libmodule.so", change)
    facts = read_module(module)
    assert [one.kind for one in target_problems(facts, module, {})] == [kind]
    seen = run(module)
    assert (seen.kind, words in seen.reason) == (RunKind.REFUSED, True), seen
    for release in HOSTS:
        host = known_host_facts(release)
        assert host is not None
        verdict = static_verdict(facts, host)
        # Its symbols are all there: that it is refused is the machine's matter, and no verdict on the release.
        expected = StaticKind.UNKNOWN if kind is TargetKind.LIBC else StaticKind.LOADS
        assert (verdict.kind, verdict.other_target) == (expected, kind is TargetKind.LIBC)


def test_a_module_for_another_machine_is_refused(probe: Path, run: Run, tmp_path: Path) -> None:
    """Its code is that of this machine, but header and relocations say otherwise, which the dynamic linker believes."""
    module = tmp_path / "libmodule.so"
    data = bytearray(probe.read_bytes())
    for_aarch64(data)
    module.write_bytes(data)
    facts = read_module(module)
    assert (facts.architecture, facts.problem) == ("aarch64", None)
    assert [one.kind for one in target_problems(facts, module, {})] == [TargetKind.ARCHITECTURE]
    assert run(module).kind is RunKind.REFUSED


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_truncated_module_crashes_hosts(probe: Path, run: Run, tmp_path: Path, part: float) -> None:
    """The dynamic linker maps what is not there. So what is truncated is marked, and a check does not run it."""
    module = tmp_path / "libmodule.so"
    data = probe.read_bytes()
    module.write_bytes(data[: int(len(data) * part)])
    facts = read_module(module)
    assert (facts.kind, facts.problem_kind, facts.would_crash) == (FileKind.SHARED_LIBRARY, ProblemKind.TRUNCATED, True)
    seen = run(module)
    assert (seen.kind, "SIGBUS" in seen.reason) == (RunKind.CRASHED, True), seen


@pytest.mark.parametrize("data", [b"text", b"", b"\x1f\x8b\x08\0"], ids=["text", "nothing", "gzip"])
def test_what_is_no_library_is_refused(run: Run, tmp_path: Path, data: bytes) -> None:
    module = tmp_path / "libmodule.so"
    module.write_bytes(data)
    facts = read_module(module)
    assert (facts.kind is FileKind.SHARED_LIBRARY, facts.would_crash) == (False, False)
    assert run(module).kind is RunKind.REFUSED

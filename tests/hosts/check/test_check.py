"""`dmconform check` with real Envoys, on probes and on what can be made of them."""

from __future__ import annotations

import re
import signal
import tempfile
import time
from pathlib import Path

import msgspec
import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.check.result import Check, CheckSet, HostEntry, HostVerdict, PointBasis, RunKind
from dmconform.core.errors import ExitCode
from dmconform.core.timeouts import REQUEST_S
from dmconform.matrix.plan import Plan

from tests.check_cli import checked, dmconform_check
from tests.checkout import ROOT
from tests.hosts.elf_patches import CRASH, HANG, RETURN_NULL, changed_function, renamed_symbol, with_constructor
from tests.hosts.processes import eventually, naming
from tests.hosts.project import Project, ended

pytestmark = pytest.mark.host

HOST = ("--host", "1.39.3")
TRANSFORM = ("--filter-name", "transform", "--filter-config", "text")
HTTP = ("--extension-point", "http_filter")
LOG, OF_NO_HOST = "envoy_dynamic_module_callback_log", "envoy_dynamic_module_callback_lag"
SET_HEADER, NO_HEADER = (f"envoy_dynamic_module_callback_http_{name}_header" for name in ("set", "sat"))
ON_CONFIG = "envoy_dynamic_module_on_http_filter_config_new"
ON_REQUEST = "envoy_dynamic_module_on_http_filter_request_headers"
ON_INIT = "envoy_dynamic_module_on_program_init"
LIMIT_S = 30.0


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where checks put their folders; so that a test sees what they leave behind."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(scope="session")
def probe(everything: Plan) -> dict[str, Path]:
    """The probe of each language."""
    return {sdk.language.value: Path(sdk.modules["probe"].path) for sdk in everything.sdks}


def only(found: Check) -> HostEntry:
    (host,) = found.hosts
    return host


def kinds(found: Check) -> dict[str, list[RunKind]]:
    return {host.id: [run.kind for run in host.runs] for host in found.hosts}


# --- how it can end ---


@pytest.mark.parametrize("language", ["cpp", "go", "rust"])
def test_a_module_that_works(probe: dict[str, Path], own_temporary_folder: Path, language: str) -> None:
    found = checked(probe[language], *HOST, *TRANSFORM)
    host = only(found)
    assert (found.exit_code, host.verdict, host.mismatch) == (ExitCode.OK, HostVerdict.WORKS, None)
    assert host.static.kind is StaticKind.LOADS
    assert [run.answers for run in host.runs] == [("GET /direct 200", "GET / 200", "POST / 200")]
    assert (found.ran, found.span.measured, found.module.language) == (True, True, language)
    assert not list(own_temporary_folder.iterdir()), "expected nothing to be left behind"
    assert not naming(own_temporary_folder)


def test_a_module_that_is_refused_at_load(probe: dict[str, Path], tmp_path: Path) -> None:
    """The Rust probe binds at load."""
    module = renamed_symbol(probe["rust"], tmp_path / "libmodule.so", LOG, OF_NO_HOST)
    found = checked(module, *HOST, *TRANSFORM)
    host = only(found)
    assert (found.exit_code, kinds(found)) == (ExitCode.FAIL, {"1.39.3": [RunKind.REFUSED]})
    assert (host.static.kind, host.static.missing, host.mismatch) == (StaticKind.REFUSED, (OF_NO_HOST,), None)
    assert OF_NO_HOST in host.reason


def test_an_unresolved_symbol_that_is_called_and_one_that_is_not(probe: dict[str, Path], tmp_path: Path) -> None:
    """The Go probe binds at the first call; `transform` sets a header, `refuse` nothing."""
    module = renamed_symbol(probe["go"], tmp_path / "libmodule.so", SET_HEADER, NO_HEADER)
    found = checked(module, *HOST, *TRANSFORM)
    host = only(found)
    assert (found.exit_code, kinds(found)) == (ExitCode.FAIL, {"1.39.3": [RunKind.SYMBOL_LOOKUP]})
    assert (host.static.kind, host.static.missing, host.mismatch) == (StaticKind.UNRESOLVED, (NO_HEADER,), None)
    assert NO_HEADER in host.reason

    found = checked(module, *HOST, "--filter-name", "local_reply", "--filter-config", "418")
    host = only(found)
    assert (found.exit_code, kinds(found)) == (ExitCode.OK, {"1.39.3": [RunKind.WORKS]})
    assert "as far as it was driven" in host.reason
    assert found.span.unresolved == ("1.39.3",)


def test_a_crash_under_traffic(probe: dict[str, Path], tmp_path: Path) -> None:
    module = changed_function(probe["cpp"], tmp_path / "libmodule.so", ON_REQUEST, CRASH)
    found = checked(module, *HOST, *HTTP, *TRANSFORM)
    host = only(found)
    assert (found.exit_code, kinds(found)) == (ExitCode.FAIL, {"1.39.3": [RunKind.CRASHED]})
    assert "under traffic" in host.reason
    assert host.static.kind is StaticKind.LOADS
    assert (host.own_doing, host.mismatch) == (True, None), "it works nowhere: that is no difference of hosts"


@pytest.mark.parametrize(
    ("hook", "kind", "code"),
    [(ON_CONFIG, RunKind.HUNG, ExitCode.FAIL), (ON_REQUEST, RunKind.NO_ANSWER, ExitCode.ERROR)],
)
def test_a_module_that_never_returns(
    probe: dict[str, Path], tmp_path: Path, own_temporary_folder: Path, hook: str, kind: RunKind, code: ExitCode
) -> None:
    """In the main thread, the host hangs. In a worker, it looks as if requests were to wait, which modules may want."""
    module = changed_function(probe["cpp"], tmp_path / "libmodule.so", hook, HANG)
    found = checked(module, *HOST, *HTTP, *TRANSFORM)
    assert (found.exit_code, kinds(found)) == (code, {"1.39.3": [kind]})
    assert not naming(own_temporary_folder)


def test_a_module_whose_initialisation_fails_is_refused(probe: dict[str, Path], tmp_path: Path) -> None:
    module = changed_function(probe["cpp"], tmp_path / "libmodule.so", ON_INIT, RETURN_NULL)
    words = (module, *HOST, *TRANSFORM)
    found = checked(*words)
    assert (found.exit_code, kinds(found)) == (ExitCode.FAIL, {"1.39.3": [RunKind.REFUSED]})
    assert only(found).static.kind is StaticKind.LOADS
    assert only(found).mismatch
    assert "!! 1.39.3: static/run-time mismatch" in dmconform_check(*words).printed, "that is for people to look at"


@pytest.mark.parametrize("language", ["cpp", "go", "rust"])
def test_a_module_that_refuses_the_configuration_is_not_judged(probe: dict[str, Path], language: str) -> None:
    found = checked(probe[language], *HOST, "--filter-name", "refuse")
    host = only(found)
    assert (found.exit_code, kinds(found)) == (ExitCode.ERROR, {"1.39.3": [RunKind.CONFIGURATION_REFUSED]})
    assert "tried with filter name 'refuse' and no configuration" in host.reason
    assert "--filter-config" in host.reason
    assert host.mismatch is None


def test_a_configuration_that_the_host_refuses_is_no_broken_promise(probe: dict[str, Path]) -> None:
    message = '{"@type": "type.googleapis.com/no.such.Message"}'
    found = checked(probe["cpp"], *HOST, "--filter-name", "transform", "--filter-config", message)
    assert kinds(found) == {"1.39.3": [RunKind.HOST_REFUSES_CONFIGURATION]}
    assert (only(found).own_doing, [entry.broken for entry in found.promise]) == (True, [()] * len(found.promise))


def test_a_crash_counts_for_certain_only_where_it_is_known_what_the_module_is_for(
    probe: dict[str, Path], tmp_path: Path
) -> None:
    """Without a guard, a module that does not like its input ends the host: nothing is judged until all of it was given."""
    module = changed_function(probe["rust"], tmp_path / "libmodule.so", ON_CONFIG, CRASH)
    found = checked(module, *HOST, *HTTP, *TRANSFORM)
    assert (found.exit_code, kinds(found)) == (ExitCode.FAIL, {"1.39.3": [RunKind.CONFIGURATION_CRASHED]})
    assert [entry.broken for entry in found.promise] == [()] * len(found.promise), "it works so on no host"
    assert "Caught" not in only(found).runs[0].reason
    for words, missing in (
        ((*HTTP, "--filter-name", "transform"), "give --filter-config"),
        ((*HTTP, "--filter-config", ""), "give --filter-name"),
        (HTTP, "give --filter-name, --filter-config"),
    ):
        found = checked(module, *HOST, *words)
        assert (found.exit_code, missing in only(found).reason) == (ExitCode.ERROR, True), found


def test_an_extension_point_that_it_refuses_is_followed_by_the_next(probe: dict[str, Path]) -> None:
    """Of the filters called `panic`, the one for connections takes this configuration, the one for HTTP does not."""
    found = checked(probe["cpp"], *HOST, "--filter-name", "panic", "--filter-config", "read")
    assert [(one.extension_point, one.basis) for one in found.tried] == [("network_filter", PointBasis.NEXT)]
    assert (found.exit_code, kinds(found)) == (ExitCode.OK, {"1.39.3": [RunKind.WORKS]})
    assert "it refuses http_filter; taken as network_filter, the next one that it takes" in found.notes
    found = checked(probe["cpp"], *HOST, "--filter-name", "no such filter")
    assert [(one.extension_point, one.basis) for one in found.tried] == [("http_filter", PointBasis.LIKELIEST)]
    assert any("it refuses all extension points" in note for note in found.notes)
    found = checked(probe["cpp"], *HOST, "--filter-name", "panic", "--filter-config", "read", "--all-points")
    assert [run.extension_point for run in only(found).runs] == ["http_filter", "network_filter", "listener_filter"]
    assert only(found).verdict is HostVerdict.WORKS, "what it refuses was tried in case"


def test_several_modules_in_one_envoy(probe: dict[str, Path], tmp_path: Path) -> None:
    """Each works alone; the one that crashes under traffic takes the other with it."""
    crash = changed_function(probe["cpp"], tmp_path / "libcrash.so", ON_REQUEST, CRASH)
    words = (
        "--filter-name",
        "transform",
        "--filter-config",
        "",
        *HTTP,
        *HOST,
        "--together",
        "--json",
        tmp_path / "checks.json",
    )
    assert dmconform_check(probe["cpp"], probe["go"], *words).exit_code == ExitCode.OK
    found = msgspec.json.decode((tmp_path / "checks.json").read_bytes(), type=CheckSet)
    (entry,) = found.together
    assert entry.run is not None
    assert (entry.run.extension_point, entry.verdict) == ("http_filter + http_filter", HostVerdict.WORKS)
    assert entry.run.answers == ("GET /direct 200", "GET / 200", "POST / 200")
    assert dmconform_check(probe["cpp"], crash, *words).exit_code == ExitCode.FAIL
    found = msgspec.json.decode((tmp_path / "checks.json").read_bytes(), type=CheckSet)
    assert [host.verdict for check in found.modules for host in check.hosts] == [HostVerdict.WORKS, HostVerdict.BREAKS]
    assert (found.together[0].verdict, found.works) == (HostVerdict.BREAKS, ())
    (tmp_path / "libcut.so").write_bytes(probe["cpp"].read_bytes()[:5000])
    done = dmconform_check(probe["cpp"], tmp_path / "libcut.so", *words)
    assert (done.exit_code, "libcut.so cannot be run" in done.errors) == (ExitCode.USAGE, True), done


def test_a_host_without_the_extension_point(probe: dict[str, Path]) -> None:
    found = checked(probe["cpp"], "--host", "1.36.4", "--extension-point", "network_filter")
    assert (found.exit_code, kinds(found)) == (ExitCode.FAIL, {"1.36.4": [RunKind.NO_SUCH_POINT]})


def test_a_host_that_cannot_be_had_is_not_judged(
    probe: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DMCONFORM_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    found = checked(probe["cpp"], *HOST, *TRANSFORM)
    host = only(found)
    assert (found.exit_code, host.runs, host.verdict) == (ExitCode.ERROR, (), HostVerdict.UNDECIDED)
    assert "is not available" in (host.not_run or "")
    assert host.static.kind is StaticKind.LOADS


# --- settings, hosts, evidence ---


def test_several_extension_points_from_a_file(probe: dict[str, Path], tmp_path: Path) -> None:
    settings = tmp_path / "uses.toml"
    settings.write_text(
        '[[use]]\nextension_point = "http_filter"\nname = "transform"\nconfig = "text"\n'
        '[[use]]\nextension_point = "network_filter"\nname = "none"\n'
    )
    found = checked(probe["cpp"], *HOST, "--settings", settings)
    host = only(found)
    assert [run.extension_point for run in host.runs] == ["http_filter", "network_filter"]
    assert [run.kind for run in host.runs] == [RunKind.WORKS, RunKind.CONFIGURATION_REFUSED], "it has no such network filter"
    assert (found.exit_code, host.mismatch) == (ExitCode.ERROR, None), "no configuration was given for it"


def test_an_envoy_from_a_file_is_the_release_that_it_is(everything: Plan, probe: dict[str, Path], tmp_path: Path) -> None:
    same = f"path:{everything.hosts[0].host.binary}"
    for words in (TRANSFORM, ("--no-run",)):
        assert only(checked(probe["cpp"], "--host", same, *HOST, *words)).id == "1.39.3", "it is the same host, named twice"
    other = tmp_path / "envoy"
    other.write_bytes(Path(everything.hosts[0].host.binary).read_bytes() + b"\0")
    other.chmod(0o755)
    for words in (TRANSFORM, ("--no-run",)):
        found = checked(probe["cpp"], "--host", f"path:{other}", *words)
        host = only(found)
        assert re.fullmatch(r"1\.39\.3~[0-9a-f]{8}", host.id)
        assert (host.release, host.static.kind) == ("1.39.3", StaticKind.LOADS)
        assert (found.span.min_envoy_version, found.exit_code) == ("1.39.3", ExitCode.OK)


def test_the_environment_reaches_the_host_and_evidence_is_kept(probe: dict[str, Path], tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    found = checked(probe["cpp"], *HOST, *TRANSFORM, "--env", "MY_VARIABLE=my value", "--keep", kept)
    (run,) = only(found).runs
    assert run.evidence
    assert "MY_VARIABLE='my value'" in (Path(run.evidence) / "run-again.sh").read_text()
    assert "matched" in (Path(run.evidence) / "envoy.log").read_text()
    assert dmconform_check(probe["cpp"], *HOST, "--keep", kept).exit_code == ExitCode.USAGE, "it is not empty any more"


def test_it_says_that_it_runs_the_module_before_it_does(probe: dict[str, Path]) -> None:
    assert "running the code of libprobe.so on this machine, with your rights" in dmconform_check(probe["cpp"], *HOST).errors
    assert "running" not in dmconform_check(probe["cpp"], *HOST, "--no-run").errors


# --- trust ---


def test_without_a_run_not_even_the_constructors_of_the_module_run(probe: dict[str, Path], tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    module = with_constructor(probe["rust"], tmp_path / "libmodule.so", makes=sign)
    found = checked(module, "--host", "all", "--no-run")
    assert (found.ran, found.module.problem, sign.exists()) == (False, None, False)
    checked(module, *HOST, *TRANSFORM)
    assert sign.exists(), "expected the module to leave a sign where it is run: else this test shows nothing"


def test_a_damaged_library_is_not_run_and_breaks_no_promise(probe: dict[str, Path], tmp_path: Path) -> None:
    """The dynamic linker maps what is cut off, and the host dies of SIGBUS: what the file shows is enough."""
    module = tmp_path / "libcut.so"
    module.write_bytes(probe["cpp"].read_bytes()[:100_000])
    found = checked(module, *HOST, *HTTP, *TRANSFORM, "--sdk-minor", "1.39")
    host = only(found)
    assert (found.exit_code, found.ran, host.verdict, host.own_doing) == (ExitCode.FAIL, False, HostVerdict.BREAKS, True)
    assert "truncated" in host.reason
    assert [entry.broken for entry in found.promise] == [()]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_nothing_is_left_of_a_check_that_is_interrupted(
    everything: Plan, probe: dict[str, Path], tmp_path: Path, own_temporary_folder: Path, how: signal.Signals
) -> None:
    module = changed_function(probe["cpp"], tmp_path / "libmodule.so", ON_REQUEST, HANG)
    started = Project(ROOT).start(
        *("check", module, *HOST, *HTTP, *TRANSFORM), environment={"TMPDIR": str(own_temporary_folder)}
    )
    assert eventually(lambda: list(own_temporary_folder.rglob("admin-address")), LIMIT_S)
    began = time.monotonic()
    started.send_signal(how)
    done = ended(started)
    assert time.monotonic() - began < REQUEST_S, "expected Envoys to be killed, not waited for"
    assert done.exit_code == (-how if how == signal.SIGKILL else ExitCode.ERROR), done
    assert eventually(lambda: not naming(own_temporary_folder))
    assert eventually(lambda: not list(own_temporary_folder.iterdir()))


# --- several hosts ---


STRICT = "--all-must-work"


def test_five_hosts_and_the_range(everything: Plan, probe: dict[str, Path]) -> None:
    """A Rust module of 1.39 by the reference SDK: it names callbacks that came with 1.39."""
    words = (probe["rust"], *TRANSFORM)
    found = checked(*words)
    assert [host.release for host in found.hosts] == ["1.38.2", "1.38.3", "1.39.3", "1.40.0"], "one before"
    assert found.exit_code == ExitCode.OK, "nothing is promised of it on the one before"
    found = checked(*words, "--host", "1.36", "--host", "1.37", "--host", "1.38", "--host", "1.39", "--host", "1.40", STRICT)
    assert {host.release: host.verdict for host in found.hosts} == {
        "1.36.4": HostVerdict.BREAKS,
        "1.37.0": HostVerdict.BREAKS,
        "1.38.2": HostVerdict.BREAKS,
        "1.39.3": HostVerdict.WORKS,
        "1.40.0": HostVerdict.WORKS,
    }
    assert not [host.mismatch for host in found.hosts if host.mismatch]
    assert (found.span.min_envoy_version, found.span.max_envoy_version) == ("1.39.3", "1.40.0")
    assert found.exit_code == ExitCode.FAIL
    assert {entry.sdk: entry.unsupported for entry in found.promise} == {"1.39": ()}, "it works where it is promised alone"

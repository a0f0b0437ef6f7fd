"""`dmconform check --no-run` on made-up libraries and on what is none: exit codes, and that nothing is run or downloaded."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.check.result import CheckSet, HostVerdict
from dmconform.core.errors import ExitCode

from tests.check_cli import checked, dmconform_check
from tests.unit.elf_samples import INIT, RETURN_NULL, Sample, Wanted, write

CONFIG_NEW = "envoy_dynamic_module_on_http_filter_config_new"
OF_1_39 = "envoy_dynamic_module_callback_cluster_get_name"
OF_ALL = "envoy_dynamic_module_callback_log"
OF_NO_HOST = "envoy_dynamic_module_callback_that_no_host_has"


def hooks() -> tuple[str, ...]:
    """What a module for HTTP needs."""
    from dmconform.abi.required_hooks import load_required_hooks
    from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint

    required = load_required_hooks()
    names = {name for release in required.releases for name in required.required(release, ExtensionPoint.HTTP_FILTER)}
    return (INIT, CONFIG_NEW, *sorted({f"{HOOK_PREFIX}{name}" for name in names} - {INIT, CONFIG_NEW}))


def library(folder: Path, *wanted: str, bind_now: bool = True, abi: str = "v0.1.0", name: str = "libmodule.so") -> Path:
    file = folder / name
    file.write_bytes(write(Sample(defined=hooks(), wanted=tuple(Wanted(one) for one in wanted), bind_now=bind_now, abi=abi)))
    return file


@pytest.fixture(autouse=True)
def offline_and_without_children(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing may be downloaded, and no process started but the reader of binaries."""
    real: Any = subprocess.Popen.__init__

    def guarded(self: object, args: list[str], **named: object) -> None:
        assert any("dmconform.binaries.child" in word for word in args), f"expected no process, saw {args}"
        real(self, args, **named)

    def no_network(*_: object) -> None:
        raise AssertionError("expected no connection")

    monkeypatch.setattr(subprocess.Popen, "__init__", guarded)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setenv("DMCONFORM_CACHE", str(tmp_path / "cache"))


# --- verdicts ---


def test_a_module_that_is_expected_to_load_everywhere_gives_0(tmp_path: Path) -> None:
    found = checked(library(tmp_path, OF_ALL), "--no-run", "--host", "1.38", "--host", "1.39", "--host", "1.40")
    assert found.exit_code == ExitCode.OK
    assert [host.verdict for host in found.hosts] == [HostVerdict.WORKS] * 3
    assert (found.ran, found.span.measured) == (False, False)
    assert (found.span.min_envoy_version, found.span.max_envoy_version) == ("1.38.2", "1.40.0")
    assert found.span.between == ("1.38.3", "1.39.0", "1.39.1")


def test_a_module_that_lacks_a_callback_somewhere_gives_1(tmp_path: Path) -> None:
    words = ("--no-run", "--host", "1.38", "--host", "1.39")
    found = checked(library(tmp_path, OF_ALL, OF_1_39), *words, "--all-must-work")
    assert found.exit_code == ExitCode.FAIL
    assert checked(library(tmp_path, OF_ALL, OF_1_39), *words).exit_code == ExitCode.OK, (
        "1.38 is not promised to an SDK of 1.39"
    )
    old, new = found.hosts
    assert (old.static.kind, old.static.missing) == (StaticKind.REFUSED, (OF_1_39,))
    assert new.static.kind is StaticKind.LOADS
    assert found.sdk.minors == ("1.39",)
    assert found.promise[0].kept == ("1.39.3",)


def test_what_another_command_judges_gives_0(tmp_path: Path) -> None:
    module, file = library(tmp_path, OF_1_39), tmp_path / "check.json"
    words = (module, "--no-run", "--host", "all", "--all-must-work", "--exit-zero")
    assert dmconform_check(*words, "--json", file).exit_code == ExitCode.OK
    assert '"exit_code": 1' in file.read_text()
    assert "expected --json as well" in dmconform_check(*words).errors


def test_an_unresolved_symbol_gives_1(tmp_path: Path) -> None:
    found = checked(library(tmp_path, OF_NO_HOST, bind_now=False), "--no-run", "--host", "1.39")
    assert (found.exit_code, found.hosts[0].static.kind) == (ExitCode.FAIL, StaticKind.UNRESOLVED)
    assert found.hosts[0].static.missing == (OF_NO_HOST,)


def test_what_the_file_does_not_tell_gives_4(tmp_path: Path) -> None:
    """An ABI string that is not in the file, on a host that refuses any other than its own."""
    file = tmp_path / "libmodule.so"
    file.write_bytes(write(Sample(defined=hooks(), wanted=(Wanted(OF_ALL),), init=RETURN_NULL, abi="")))
    found = checked(file, "--no-run", "--host", "1.37")
    assert found.module.abi_version is None
    assert (found.exit_code, found.hosts[0].verdict) == (ExitCode.ERROR, HostVerdict.UNDECIDED)


def test_a_point_that_the_module_has_no_hook_of_is_wrong_usage(tmp_path: Path) -> None:
    done = dmconform_check(library(tmp_path, OF_ALL), "--no-run", "--host", "1.39", "--extension-point", "access_logger")
    assert (done.exit_code, "the module has no hook of it" in done.errors) == (ExitCode.USAGE, True), done


def test_a_module_without_a_purpose_is_not_judged(tmp_path: Path) -> None:
    """It would load, and be refused wherever it is used: nothing says what it is for, so nothing is said of the promise."""
    file = tmp_path / "libmodule.so"
    file.write_bytes(write(Sample(defined=(INIT,), abi="v0.1.0")))
    found = checked(file, "--host", "1.39", "--host", "1.40", "--sdk-minor", "1.39")
    assert (found.exit_code, {host.verdict for host in found.hosts}) == (ExitCode.ERROR, {HostVerdict.UNDECIDED})
    assert (found.ran, found.promise, found.span.works, found.span.expected) == (False, (), (), ())


def test_a_minor_that_no_sdk_is_known_of_is_wrong_usage(tmp_path: Path) -> None:
    done = dmconform_check(library(tmp_path), "--no-run", "--sdk-minor", "1.50")
    assert (done.exit_code, "unknown SDK minor 1.50: did you mean 1.40?" in done.errors) == (ExitCode.USAGE, True), done


def test_a_table_is_whole_in_a_pipe_and_folded_on_a_narrow_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = library(tmp_path, OF_ALL, OF_1_39)
    monkeypatch.delenv("COLUMNS", raising=False)
    words = (module, "--no-run", "--host", "1.38")
    assert re.search(
        r"1\.38\.2 +unsupported +refused +- +not run +✗ does not work \(expected\)", dmconform_check(*words).printed
    )
    monkeypatch.setenv("COLUMNS", "60")
    narrow = dmconform_check(*words).printed
    assert "…" not in narrow.partition("Static:")[0].partition("Host")[2], "a value is folded, not cut"


def test_several_modules_get_one_table_and_the_range_of_all(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    first, second = library(tmp_path, OF_ALL), library(tmp_path / "b", OF_ALL, OF_1_39)
    file = tmp_path / "checks.json"
    done = dmconform_check(first, second, "--no-run", "--host", "1.38", "--host", "1.39", "--host", "1.40", "--json", file)
    assert (done.exit_code, "✗ does not work" in done.printed) == (ExitCode.OK, True), done
    assert 'minEnvoyVersion: "1.39.3"' in done.printed
    found = msgspec.json.decode(file.read_bytes(), type=CheckSet)
    assert (found.works, found.min_envoy_version, found.max_envoy_version) == (("1.39.3", "1.40.0"), "1.39.3", "1.40.0")
    assert dmconform_check(first, "--together").exit_code == ExitCode.USAGE
    assert dmconform_check(first, second, "--together", "--no-run").exit_code == ExitCode.USAGE


def test_preloaded_libraries_count(tmp_path: Path) -> None:
    module = library(tmp_path, OF_ALL, "PyOfSomebodyElse")
    alone = checked(module, "--no-run", "--host", "1.39")
    assert (alone.exit_code, alone.hosts[0].static.missing) == (ExitCode.FAIL, ("PyOfSomebodyElse",))
    other = tmp_path / "libother.so"
    other.write_bytes(write(Sample(defined=("PyOfSomebodyElse",))))
    assert checked(module, "--no-run", "--host", "1.39", "--env", f"LD_PRELOAD={other}").exit_code == ExitCode.OK
    assert dmconform_check(module, "--no-run", "--env", "LD_PRELOAD=/nowhere.so").exit_code == ExitCode.USAGE


def test_the_table_and_the_json_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "check.json"
    done = dmconform_check(library(tmp_path, OF_1_39), "--no-run", "--host", "all", "--json", file)
    assert done.exit_code == ExitCode.OK
    assert 'minEnvoyVersion: "1.39.0"' in done.printed
    assert '"min_envoy_version": "1.39.0"' in file.read_text()
    assert re.search(r"1\.38\.3\* +unsupported? +refused", done.printed)
    assert "* 1.38.3: built from other sources than those of its commit" in done.printed
    assert "/1.38.3/Modified/" in file.read_text()


# --- what is no module ---


@pytest.mark.parametrize(
    "content",
    [b"\x7fELF", write(Sample())[:2000], b"\x7fELF\x01" + write(Sample())[5:]],
    ids=["magic only", "truncated", "32 bit"],
)
def test_a_library_that_no_envoy_can_load_works_nowhere(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "libmodule.so"
    file.write_bytes(content)
    found = checked(file, "--no-run", "--host", "all")
    assert found.module.problem
    assert (found.exit_code, {host.verdict for host in found.hosts}) == (ExitCode.FAIL, {HostVerdict.BREAKS})
    assert found.sdk.minors == ()
    assert found.module.problem in dmconform_check(file, "--no-run").printed


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", "empty"), (b"plain text\n", "a text"), (b"\0" * 100_000, "a file of an unknown kind")],
    ids=["empty", "text", "zeroes"],
)
def test_what_is_no_library_is_named_and_wrong_usage(tmp_path: Path, content: bytes, kind: str) -> None:
    file = tmp_path / "libmodule.so"
    file.write_bytes(content)
    for words in (("--no-run",), ()):
        done = dmconform_check(file, "--host", "all", *words)
        assert (done.exit_code, done.printed) == (ExitCode.USAGE, "")
        assert f"{file}: expected a shared library for Linux, this is {kind}: " in done.errors


def test_what_is_no_file_is_wrong_usage_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name, output in (("pipe", "named pipe"), (".", "a folder"), ("nothing", "No such file"), ("loop", "symbolic links")):
        done = dmconform_check(tmp_path / name, "--no-run")
        assert (done.exit_code, output in done.errors, done.printed) == (ExitCode.USAGE, True, ""), done
    done = dmconform_check("/dev/zero", "--no-run")
    assert (done.exit_code, "a device" in done.errors) == (ExitCode.USAGE, True)


def test_a_file_that_may_not_be_read_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = library(tmp_path)
    file.chmod(0)
    if os.geteuid() == 0:  # may read everything
        monkeypatch.setattr(os, "access", lambda *_: False)
    done = dmconform_check(file, "--no-run")
    assert (done.exit_code, "Permission denied" in done.errors) == (ExitCode.USAGE, True), done


# --- options ---


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (("--host", "1.2.3"), "unknown host 1.2.3"),
        (("--host", "path:/nowhere"), "/nowhere"),
        (("--host", "image:some/image"), "--no-run starts no container engine"),
        (("--extension-point", "http"), "unknown extension point http: expected one of access_logger, "),
        (("--extension-point", "dns_resolver"), "dns_resolver: cannot be checked"),
        (("--env", "ENVOY_DYNAMIC_MODULES_SEARCH_PATH=/x"), "ENVOY_DYNAMIC_MODULES_SEARCH_PATH"),
        (("--settings", "/nowhere.toml"), "/nowhere.toml"),
        (("--json", "/nowhere/at/all.json"), "--json /nowhere/at/all.json"),
        (("--keep", "/nowhere"), "--keep"),
        (("--surprise",), "--surprise"),
    ],
)
def test_wrong_usage_gives_2(tmp_path: Path, words: tuple[str, ...], output: str) -> None:
    done = dmconform_check(library(tmp_path), "--no-run", *words)
    assert (done.exit_code, done.printed) == (ExitCode.USAGE, ""), done
    assert output in done.errors

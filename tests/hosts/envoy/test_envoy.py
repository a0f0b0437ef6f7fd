"""A real Envoy that crashes, hangs, floods or is left alone is reported as what it did, and leaves no process."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from dmconform.casekit import system_folder
from dmconform.core.timeouts import SOURCE_HELD_S
from dmconform.core.values import AbiVerdict, Outcome, Relation
from dmconform.envoy import driver, envoy, traffic
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.config import DIRECT_PATH, MODULE_SOURCE, HttpFilter, Listener, ModuleRef, RemoteSource
from dmconform.envoy.connection import Request
from dmconform.envoy.driver import Driver
from dmconform.envoy.http1 import exchange
from dmconform.envoy.outcomes import Blocked
from dmconform.envoy.output import LIMIT_BYTES
from dmconform.envoy.source_server import Manner, Reply, source_server
from dmconform.matrix.cell import Cell, listener
from dmconform.matrix.plan import write_plan

from tests.hosts.bench import Bench
from tests.hosts.full_disk import small_disk
from tests.hosts.processes import eventually, naming

pytestmark = pytest.mark.host

PROVOKED = {"x-dmconform-misbehave": "now"}
FLOOD_BYTES = 20_000_000


def misbehave(cell: Cell, what: str) -> None:
    """Provokes the C++ probe's `misbehave` filter."""
    with cell.start(listener("misbehave", what)) as running:
        quiet = running.request("/").status
        assert quiet == 200, f"expected it to behave until it is provoked, it answers {quiet}"
        status = running.request("/", headers=PROVOKED).status
        assert status == 200, f"it answers {status}"


def serves(cell: Cell) -> None:
    """A module that does nothing wrong."""
    with cell.start(listener("transform", "x")) as running:
        answer = running.request(DIRECT_PATH)
        assert answer.body == "res[direct response]", f"expected res[direct response], saw {answer}"


def test_a_crash_is_a_crash_with_its_signal(bench: Bench) -> None:
    result = bench.run(lambda cell: misbehave(cell, "crash"))
    assert (result.outcome, result.abi_verdict) == (Outcome.CRASH, AbiVerdict.MATCHED), result
    assert "SIGSEGV" in result.detail
    assert "while it answered GET /" in result.detail
    assert not naming(bench.evidence(result))


def test_a_crash_at_start_is_reported_so_whichever_question_met_it(bench: Bench) -> None:
    def case(cell: Cell) -> None:
        module = cell.install()
        module.write_bytes(module.read_bytes()[: module.stat().st_size // 2])
        with cell.start_anyhow(listener("identity"), search_path=cell.modules_folder):
            pytest.fail("it has started")

    result = bench.run(case)
    assert (result.outcome, result.detail) == (Outcome.CRASH, "Envoy was killed by SIGBUS while it started"), result


def test_an_envoy_that_ends_by_itself_is_a_crash_with_its_code(bench: Bench) -> None:
    def case(cell: Cell) -> None:
        with cell.start(listener("identity")) as running:
            os.kill(running.pid, signal.SIGTERM)
            assert eventually(lambda: running.exit_code is not None)

    result = bench.run(case)
    assert result.outcome is Outcome.CRASH, result
    assert "exit code 0 before it was asked to stop" in result.detail


def test_no_answer_is_a_hang(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "REQUEST_S", 0.5)
    result = bench.run(lambda cell: misbehave(cell, "hang"))
    assert result.outcome is Outcome.HANG, result
    assert "GET /: no complete answer in time" in result.detail
    assert not naming(bench.evidence(result))


def test_an_envoy_that_does_not_end_is_a_hang_and_is_killed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envoy, "HOST_STOP_S", 1.0)

    def case(cell: Cell) -> None:
        with cell.start(listener("misbehave", "hang")) as running, pytest.raises(NoAnswer):
            exchange(running.port("main"), Request(headers=PROVOKED), 0.3)

    result = bench.run(case)
    assert result.outcome is Outcome.HANG, result
    assert "SIGTERM" in result.detail
    assert not naming(bench.evidence(result))


def test_a_listener_that_waits_for_its_module_is_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def case(cell: Cell) -> None:
        data = b"no library"
        source = RemoteSource("/module.so", hashlib.sha256(data).hexdigest(), timeout_s=SOURCE_HELD_S)
        waits = Listener("further", (HttpFilter(ModuleRef("further", remote=source), "local_reply", "418"),))
        with source_server() as server:
            server.offer("/module.so", Reply(data, manner=Manner.HELD))
            with cell.start_anyhow(Listener("main"), clusters={MODULE_SOURCE: server.port}) as running:
                assert running.update(Listener("main"), waits).accepted
                asked = Driver.admin

                def admin(one: Driver, path: str, method: str, timeout_s: float) -> Answer:
                    answer = asked(one, path, method, timeout_s)
                    if "warming" in path:  # it was seen to be missing
                        server.let_go()
                    return answer

                monkeypatch.setattr(Driver, "admin", admin)
                assert running.request("/", listener="further").status == 200
                with pytest.raises(AssertionError, match="expected a listener 'nowhere' that can be asked, Envoy has none"):
                    running.request("/", listener="nowhere")

    result = bench.run(case)
    assert result.outcome is Outcome.PASS, result


def test_a_flood_of_output_is_kept_up_to_a_limit(bench: Bench) -> None:
    seen: list[str] = []

    def flood(cell: Cell) -> None:
        misbehave(cell, f"flood {FLOOD_BYTES}")
        seen.append(cell.read_logs())

    neighbour = threading.Thread(target=lambda: seen_beside.append(bench.run(serves, name="self/beside").outcome))
    seen_beside: list[Outcome] = []
    neighbour.start()
    result = bench.run(flood)
    neighbour.join()
    assert result.outcome is Outcome.PASS, result  # its answer came: it was never blocked
    assert seen_beside == [Outcome.PASS]
    kept, _, note = seen[0].rpartition("\n[")
    assert len(kept.encode()) == LIMIT_BYTES
    dropped = int(note.partition(" bytes more were printed and dropped]")[0])
    assert dropped >= FLOOD_BYTES - LIMIT_BYTES


def test_a_disk_that_fills_up_is_no_verdict_on_the_host(bench: Bench, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 24 << 20) as disk:
        full = bench.with_plan(evidence_folder=str(disk))

        def case(cell: Cell) -> None:
            cell.install()
            room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            (disk / "ballast").write_bytes(b"\0" * (room - (1 << 20)))
            misbehave(cell, "flood 8000000")

        result = full.run(case)
        assert result.outcome is Outcome.ERROR, result
        assert "No space left on device" in result.detail
        assert "free room" in result.detail
        assert not naming(disk)


def test_a_binary_that_cannot_be_started_is_blocked(bench: Bench) -> None:
    def case(cell: Cell) -> None:
        with cell.start_anyhow(listener("identity"), prefix=(str(cell.folder / "absent"),)):
            pass

    result = bench.run(case)
    assert result.outcome is Outcome.ERROR, result
    assert "absent" in result.detail


def test_evidence_holds_everything_and_runs_again(bench: Bench) -> None:
    bench = bench.with_plan(keep_evidence=True)
    result = bench.run(serves)
    assert result.outcome is Outcome.PASS, result
    folder = bench.evidence(result)
    assert {"bootstrap.json", "listeners.json", "envoy.log", "exchanges.jsonl", "run-again.sh"} <= {
        path.name for path in folder.iterdir()
    }
    assert "res[direct response]" in (folder / "exchanges.jsonl").read_text()
    assert "dmconform: initialised" in (folder / "envoy.log").read_text()
    assert not naming(folder)
    (folder / "admin-address").unlink()
    again = subprocess.Popen(
        ["sh", str(folder / "run-again.sh")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"]}
    )
    try:
        address = folder / "admin-address"
        assert eventually(lambda: address.exists() and address.read_text())
        port = int(address.read_text().rpartition(":")[2])
        assert eventually(lambda: exchange(port, Request("/ready"), 5.0).status == 200)
        stats = exchange(port, Request("/stats?filter=lds.update_success"), 5.0).body
        assert "listener_manager.lds.update_success: 1" in stats, "expected it to load the same module again"
        again.terminate()
        printed, _ = again.communicate(timeout=10)
    finally:
        again.kill()
        again.wait()
    assert again.returncode == 0
    assert b"dmconform: initialised" in printed
    assert not naming(folder)


def fails(cell: Cell) -> None:
    """A case that fails after all went well."""
    serves(cell)
    raise AssertionError("as it must be")


def test_evidence_of_a_broken_promise_has_the_module(bench: Bench) -> None:
    folder = bench.evidence(bench.run(fails))
    assert (folder / "envoy.log").exists()
    assert (folder / "modules" / "libprobe.so").exists()


def test_evidence_of_what_is_unsupported_says_how_to_have_the_module(bench: Bench) -> None:
    folder = bench.evidence(dataclasses.replace(bench, relation=Relation.UNSUPPORTED).run(fails))
    assert (folder / "envoy.log").exists()
    assert not list(folder.rglob("*.so*"))
    assert "dmconform reproduce self/test/" in (folder / "modules-removed.txt").read_text()


def test_nothing_is_kept_of_a_cell_that_passes(bench: Bench) -> None:
    result = bench.run(serves)
    assert (result.outcome, result.evidence) == (Outcome.PASS, None)
    assert not list(Path(bench.plan.evidence_folder).rglob("*.log"))


def test_a_case_that_forgets_its_envoy_leaves_none(bench: Bench) -> None:
    folders = []

    def case(cell: Cell) -> None:
        cell.install()
        running = cell.start_anyhow(listener("identity"), search_path=cell.modules_folder)
        running.__enter__()  # and no way out of it
        folders.append(cell.folder)
        assert naming(cell.folder)

    assert bench.run(case).outcome is Outcome.PASS
    assert not naming(folders[0])


def test_an_envoy_whose_log_cannot_be_opened_is_not_started(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    def case(cell: Cell) -> None:
        (cell.folder / "envoy.log").mkdir()
        serves(cell)

    monkeypatch.setattr(driver, "HostProcess", lambda *arguments: started.append(arguments))
    result = bench.run(case)
    assert result.outcome is Outcome.ERROR, result
    assert "IsADirectoryError" in result.detail
    assert not started


LIVES_ON = """
import sys, time
from pathlib import Path
from dmconform.matrix.plan import read_plan
from dmconform.matrix.cell import Cell, listener
from dmconform.casekit import system_folder

plan = read_plan(Path(sys.argv[1]))
folder = Path(sys.argv[2])
cell = Cell(plan.cells[0].id, plan.cells[0].relation, plan.sdks[0], plan.hosts[0], folder, 1)
cell.install()
prefix = system_folder.system_folder_prefix(folder, cell.modules_folder) if sys.argv[3] == "overlaid" else ()
with cell.start_anyhow(listener("identity"), search_path=cell.modules_folder, prefix=prefix) as envoy:
    assert envoy.first_update.accepted
    print(envoy.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("how", ["plain", "overlaid"])
def test_no_envoy_survives_a_harness_that_is_killed(bench: Bench, tmp_path: Path, how: str) -> None:
    folder = tmp_path / "cell"
    folder.mkdir()
    if how == "overlaid":
        skip_without_mount_namespace(folder)
    plan = write_plan(bench.plan, tmp_path)
    harness = subprocess.Popen([sys.executable, "-c", LIVES_ON, str(plan), str(folder), how], stdout=subprocess.PIPE, text=True)
    try:
        assert harness.stdout is not None
        pid = int(harness.stdout.readline())
        assert pid in naming(folder / "bootstrap.json")
        harness.send_signal(signal.SIGKILL)
        harness.wait()
        assert eventually(lambda: not naming(folder / "bootstrap.json"))
    finally:
        harness.kill()
        harness.wait()


def skip_without_mount_namespace(folder: Path) -> None:
    """Skips the test where the machine has no mount namespace for us, and says why."""
    try:
        system_folder.system_folder_prefix(folder, folder)
    except Blocked as problem:
        pytest.skip(str(problem))


CHANGED_ROOT = """#!/bin/sh
# Runs the words after $1 below the folder $1, in which the whole machine is seen again.
mount --rbind / "$1" || exit 125
root=$1
shift
exec unshare --root="$root" "$@"
"""


def test_a_mapped_module_is_seen_below_a_changed_root_too(bench: Bench, tmp_path: Path) -> None:
    skip_without_mount_namespace(tmp_path)
    root, script = tmp_path / "root", tmp_path / "changed-root.sh"
    root.mkdir()
    script.write_text(CHANGED_ROOT)
    script.chmod(0o755)
    rootless = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    prefix = ("unshare", *rootless, "--mount", "--propagation", "private", str(script), str(root))

    def case(cell: Cell) -> None:
        module = cell.install()
        other = cell.install(folder="other")
        with cell.start_anyhow(listener("identity"), search_path=module.parent, prefix=prefix) as running:
            seen = Path(f"/proc/{running.pid}/root").readlink()
            assert str(seen).endswith(str(root)), "its root is not that of this process"
            assert running.has_mapped(module)
            assert not running.has_mapped(other)

    result = bench.run(case)
    assert result.outcome is Outcome.PASS, result


def test_the_environment_of_the_harness_does_not_reach_the_host(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", "/from/outside")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/from/outside")

    def case(cell: Cell) -> None:
        with cell.start(listener("identity")) as running:
            seen = Path(f"/proc/{running.pid}/environ").read_text()
            cell.facts["environment"] = seen.replace("\0", " ")

    result = bench.run(case)
    assert "/from/outside" not in result.facts["environment"], result
    assert "ENVOY_DYNAMIC_MODULES_SEARCH_PATH=" in result.facts["environment"], result


def test_a_rejected_update_gives_the_message_of_this_update(bench: Bench) -> None:
    messages: list[str] = []

    def case(cell: Cell) -> None:
        with cell.start(listener("identity")) as running:
            for name in ("nobody", "nowhere"):
                update = running.update(listener("identity", module=name))
                assert not update.accepted
                messages.append(update.message)
            assert running.update(listener("identity")).accepted

    assert bench.run(case).outcome is Outcome.PASS
    assert "nobody" in messages[0]
    assert "nowhere" not in messages[0]
    assert "nowhere" in messages[1]


def test_a_module_that_is_rejected_at_the_start_ends_the_case(bench: Bench) -> None:
    def case(cell: Cell) -> None:
        with cell.start(listener("there is no such filter")):
            raise AssertionError("expected never to come here")

    result = bench.run(case)
    assert (result.outcome, result.abi_verdict) == (Outcome.REJECTED, AbiVerdict.MATCHED), result
    assert result.detail.startswith("Error adding/updating listener(s) main:"), result


def test_several_filters_of_one_listener_run_in_order(bench: Bench) -> None:
    def chain(texts: Sequence[str]) -> Listener:
        return Listener("main", tuple(HttpFilter(ModuleRef("probe"), "transform", text) for text in texts))

    seen: dict[str, Mapping[str, str]] = {}

    def case(cell: Cell) -> None:
        with cell.start(chain(("outer", "inner"))) as running:
            seen["headers"] = running.request(DIRECT_PATH).headers

    assert bench.run(case).outcome is Outcome.PASS
    assert seen["headers"]["x-dmconform-response"] == "cpp outer"

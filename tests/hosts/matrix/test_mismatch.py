"""Static analysis and run-time observation of a cell on real Envoys: a run is red where they contradict each other."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.binaries.known import known_host_facts
from dmconform.binaries.read import read_module
from dmconform.binaries.verdict import static_verdict
from dmconform.core.errors import ExitCode
from dmconform.core.values import Judgement, Load, Outcome, ProbeLoad
from dmconform.matrix.cell import Cell, listener
from dmconform.spec.mismatch import mismatch

from tests.hosts.bench import Bench
from tests.hosts.project import Project, report_in

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("everything")]

CALLED, OF_NO_HOST = (f"envoy_dynamic_module_callback_{name}_send_response" for name in ("http", "xttp"))
HOSTS = "conformance/hosts.toml"
OF_1_39_3 = 'release = "1.39.3"\ndefault = true\n'
ONE_CELL = "window/local_reply/cpp@1.39:reference/1.39.3"


def with_unresolved_symbol(bench: Bench, folder: Path) -> Bench:
    """A bench whose Go probe calls a callback that no host has, when it answers a request by itself."""

    def planted(name: str, text: bytes) -> Path:
        file = folder / name
        assert CALLED.encode() in text, f"expected the Go probe to call {CALLED}"
        file.write_bytes(text.replace(CALLED.encode(), OF_NO_HOST.encode()))
        return file

    sdks = []
    for sdk in bench.plan.sdks:
        probe = sdk.modules["probe"]
        if sdk.id.startswith("go@"):
            probe = msgspec.structs.replace(probe, path=str(planted("libprobe.so", Path(probe.path).read_bytes())))
        sdks.append(msgspec.structs.replace(sdk, modules=sdk.modules | {"probe": probe}))
    return bench.with_plan(sdks=tuple(sdks))


def replies(cell: Cell) -> None:
    with cell.start(listener("local_reply", "418")) as envoy:
        envoy.request("/anything")


def test_an_unresolved_symbol_is_foreseen_and_what_it_does_is_a_crash_that_names_the_symbol(
    bench: Bench, tmp_path: Path
) -> None:
    bench = with_unresolved_symbol(bench, tmp_path)
    result = bench.run(replies, language="go")
    assert result.outcome is Outcome.CRASH, result
    assert f"undefined symbol: {OF_NO_HOST}" in result.detail
    assert result.probe_load == ProbeLoad(Load.UNRESOLVED, OF_NO_HOST)
    offer = known_host_facts(bench.host)
    assert offer is not None
    foreseen = static_verdict(read_module(tmp_path / "libprobe.so"), offer)
    assert (foreseen.kind, foreseen.missing) == (StaticKind.UNRESOLVED, (OF_NO_HOST,))
    assert mismatch(foreseen, result.probe_load) is None
    of_the_plan = bench.plan.static_verdict("go@1.39:reference", bench.host)
    assert of_the_plan is not None
    assert OF_NO_HOST in (mismatch(of_the_plan, result.probe_load) or ""), "expected the sound probe's verdict not to fit"


def test_an_unresolved_symbol_that_nothing_calls_does_no_harm(bench: Bench, tmp_path: Path) -> None:
    def quiet(cell: Cell) -> None:
        with cell.start(listener("identity")) as envoy:
            assert envoy.request("/").status == 200

    result = with_unresolved_symbol(bench, tmp_path).run(quiet, language="go")
    assert (result.outcome, result.probe_load) == (Outcome.PASS, ProbeLoad(Load.LOADED)), result


@pytest.mark.parametrize("language", ["cpp", "go", "rust"])
def test_a_cell_that_loads_its_probe_says_so(bench: Bench, language: str) -> None:
    assert bench.run(replies, language=language).probe_load == ProbeLoad(Load.LOADED)
    assert bench.plan.static_verdict(f"{language}@1.39:reference", bench.host)


def test_a_promised_cell_with_a_mismatch_turns_the_run_red(tmp_path: Path) -> None:
    """The data says that the host lacks a callback, the host has it: that is how wrong data shows itself."""
    copy, out = Project.copy(tmp_path / "project"), tmp_path / "out"
    copy.edit(HOSTS, OF_1_39_3, f'{OF_1_39_3}lacks = ["{CALLED}"]\n')
    done = copy.dmconform(
        "run", "--host", "1.39.3", "--sdk", "cpp@1.39:reference", "--case", "window/local_reply", "--out", out, "--details"
    )
    assert done.exit_code == ExitCode.FAIL, done
    assert "1/1 cells, 1 failing" in done.errors
    report = report_in(out)
    (cell,) = report.cells
    assert (cell.id, cell.outcome, cell.judgement) == (ONE_CELL, Outcome.PASS, Judgement.MISMATCH)
    assert "refused at load" in (cell.mismatch or "")
    assert [(it.kind, it.missing) for it in report.static] == [(StaticKind.REFUSED, (CALLED,))]
    assert "Static/run-time mismatch: 1 cell, 1 failing" in done.printed
    assert "✗ Static analysis and run-time observation of supported cells contradict each other" in " ".join(
        done.printed.split()
    )
    page = (out / "index.html").read_text()
    assert '<p class="numbers">1 cell with a static/run-time mismatch</p>' in page
    assert '<b data-count="static/run-time mismatch">1</b> of all cells' in page
    assert "## ≠ Static/run-time mismatch" in (out / "matrix.md").read_text()
    assert len(ElementTree.parse(out / "junit.xml").getroot().findall(".//failure")) == 1


def test_a_disagreement_outside_the_window_is_flagged_and_gates_nothing(tmp_path: Path) -> None:
    copy, out = Project.copy(tmp_path / "project"), tmp_path / "out"
    copy.edit(HOSTS, OF_1_39_3, f'{OF_1_39_3}lacks = ["{CALLED}"]\n')
    done = copy.dmconform(
        "run", "--host", "1.39.3", "--sdk", "cpp@1.37:reference", "--case", "window/local_reply", "--out", out, "--details"
    )
    assert done.exit_code == ExitCode.OK, done
    (cell,) = report_in(out).cells
    assert (cell.outcome, cell.judgement) == (Outcome.PASS, Judgement.INFORMATIONAL)
    assert cell.mismatch
    assert "Static/run-time mismatch: 1 cell, 0 failing" in done.printed

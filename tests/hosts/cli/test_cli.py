"""`dmconform` as people run it: exit codes, reports, interruptions."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from dmconform.core.errors import ExitCode
from dmconform.core.values import Judgement, Outcome
from dmconform.matrix.plan import Plan
from dmconform.spec.catalogue import load_catalogue

from tests.checkout import ROOT
from tests.hosts.processes import eventually, naming, of_session
from tests.hosts.project import Project, cells_in, ended, report_in

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("everything")]

HOST = ("--host", "1.39.3")
CPP = (*HOST, "--sdk", "cpp@1.39:reference")
ONE = (*CPP, "--case", "window/local_reply")
ONE_CELL = "window/local_reply/cpp@1.39:reference/1.39.3"
WINDOW = sum(case.id.startswith("window/") for case in load_catalogue().cases)
KNOWN_FAILURES = "conformance/expectations/known_failures.toml"
RECORD = """
[[known]]
id = "for-a-test"
cells = ["CELL"]
outcome = "fail"
detail = "DETAIL"
reason = "The SDK is at fault: a test"
evidence = "a test"
issue = "not reported"
looked_for = 2026-11-30
"""


@pytest.fixture(scope="module")
def project() -> Project:
    """The project as it is."""
    return Project(ROOT)


@pytest.fixture
def copy(tmp_path: Path) -> Project:
    """A copy to break."""
    return Project.copy(tmp_path / "project")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for a report, which does not exist yet."""
    return tmp_path / "out"


def breaks_local_reply(copy: Project) -> None:
    """Makes a case expect what does not happen."""
    copy.edit("conformance/cases/test_window.py", 'expected = (418, cell.language, "local reply")', "expected = (419,)")


def records(copy: Project, cell: str, detail: str) -> None:
    """Puts a known failure on record, in the place of those there are."""
    (copy.folder / KNOWN_FAILURES).write_text(RECORD.replace("CELL", cell).replace("DETAIL", detail))


# --- 0 and 1: the promise ---


def test_a_cell_that_holds_gives_0(project: Project, out: Path) -> None:
    done = project.dmconform("run", *ONE, "--out", out)
    assert done.exit_code == ExitCode.OK, done
    report = report_in(out)
    assert report.complete
    assert [(cell.id, cell.outcome, cell.judgement) for cell in report.cells] == [(ONE_CELL, Outcome.PASS, Judgement.PASS)]
    assert {"report.json", "junit.xml", "matrix.md", "index.html"} <= {path.name for path in out.iterdir()}
    assert str(out / "index.html") in done.printed.replace("\n", "")
    assert not naming(out)


NO_SOURCE = {"DMCONFORM_SDK_SOURCE": "https://127.0.0.1:9/nowhere"}
LOADS = ("--host", "1.40", "--sdk", "*@1.40", "--case", "window/loads")


def test_an_official_sdk_that_cannot_be_had_is_said_first_and_is_no_tick(project: Project, out: Path, tmp_path: Path) -> None:
    """It was asked for without being named: the run ends with 0, and says what was not tested before anything else."""
    done = project.dmconform("run", *LOADS, "--out", out, environment=NO_SOURCE)
    assert done.exit_code == ExitCode.OK, done
    printed = " ".join(done.printed.split())
    assert "◐ Not tested: 3 of 3 supported cells of the official SDKs; 0 % of what is promised was tested" in printed
    assert "✓ What is promised" not in printed
    required = project.dmconform("run", *LOADS, "--require-official", "--out", tmp_path / "required", environment=NO_SOURCE)
    assert required.exit_code == ExitCode.ERROR, required
    assert "--require-official: not to be had: cpp@1.40:official, go@1.40:official, rust@1.40:official" in required.errors
    assert report_in(tmp_path / "required").exit_code == ExitCode.OK, "the report says what was found, not what was required"


def test_requiring_what_is_there_changes_nothing(project: Project, out: Path) -> None:
    done = project.dmconform("run", *ONE, "--require-official", "--out", out)
    assert done.exit_code == ExitCode.OK, done
    both = project.dmconform("run", *ONE, "--require-official", "--exit-zero", "--out", out.with_name("both"))
    assert both.exit_code == ExitCode.USAGE, both
    assert "contradict each other" in both.errors


def test_a_report_is_shown_again_as_the_run_printed_it(project: Project, out: Path) -> None:
    done = project.dmconform("run", *ONE, "--out", out)
    shown = project.dmconform("show", out)
    assert shown.exit_code == ExitCode.OK, shown
    assert shown.printed.splitlines() == done.printed.splitlines()[-len(shown.printed.splitlines()) :]
    details = project.dmconform("show", out, "--details")
    assert details.printed.endswith(shown.printed)
    assert len(details.printed) > len(shown.printed)


def test_a_promise_that_is_broken_gives_1(copy: Project, out: Path) -> None:
    breaks_local_reply(copy)
    done = copy.dmconform("run", *CPP, "--case", "window/*", "--out", out)
    assert done.exit_code == ExitCode.FAIL, done
    cells = cells_in(out)
    assert Counter(cell.judgement for cell in cells.values()) == {Judgement.PASS: WINDOW - 1, Judgement.FAIL: 1}
    broken = cells[ONE_CELL]
    assert (broken.outcome, broken.judgement) == (Outcome.FAIL, Judgement.FAIL)
    assert "419" in broken.detail
    assert broken.evidence
    assert (out / broken.evidence / "run-again.sh").exists()
    assert "window/local_reply" in done.printed
    assert [one.outcome for one in broken.reruns] == [Outcome.FAIL] * 2
    assert broken.detail == broken.reruns[0].detail
    assert not any(cell.reruns for cell in cells.values() if cell is not broken)
    assert "stable: run again alone, the same each time (2x fail)" in done.printed
    assert not list(out.glob("again-*")), "expected nothing to be left of running it again"
    failures = ElementTree.parse(out / "junit.xml").getroot().findall(".//failure")
    assert len(failures) == 1


def test_a_cell_that_holds_when_it_is_run_again_is_reported_to_be_unstable_and_stays_red(
    copy: Project, out: Path, tmp_path: Path
) -> None:
    copy.edit(
        "conformance/cases/test_window.py",
        'expected = (418, cell.language, "local reply")',
        f"mark = Path({str(tmp_path / 'mark')!r})\n"
        "    expected = (418, cell.language, 'local reply') if mark.exists() else (419,)\n"
        "    mark.touch()",
    )
    copy.edit("conformance/cases/test_window.py", "\nimport ", "\nfrom pathlib import Path\nimport ")
    done = copy.dmconform("run", *ONE, "--reruns", "3", "--out", out)
    assert done.exit_code == ExitCode.FAIL, done
    cell = cells_in(out)[ONE_CELL]
    assert (cell.outcome, cell.judgement) == (Outcome.FAIL, Judgement.FAIL)
    assert [one.outcome for one in cell.reruns] == [Outcome.PASS] * 3
    assert "FLAKY: run again alone, it ended otherwise (3x pass)" in done.printed
    assert "FLAKY" in (out / "index.html").read_text()
    (tmp_path / "mark").unlink()
    done = copy.dmconform("run", *ONE, "--reruns", "0", "--out", tmp_path / "once")
    assert done.exit_code == ExitCode.FAIL, done
    assert not cells_in(tmp_path / "once")[ONE_CELL].reruns


def test_a_record_that_no_longer_applies_gives_1(copy: Project, out: Path) -> None:
    records(copy, ONE_CELL, "anything")
    done = copy.dmconform("run", *ONE, "--out", out)
    assert done.exit_code == ExitCode.FAIL, done
    cell = cells_in(out)[ONE_CELL]
    assert (cell.outcome, cell.judgement, cell.known_failure) == (Outcome.PASS, Judgement.XPASS, "for-a-test")
    assert "for-a-test" in done.printed


def test_a_record_that_matches_nothing_gives_1_whatever_was_selected(copy: Project, out: Path) -> None:
    records(copy, "nothing/*", "anything")
    done = copy.dmconform("run", *ONE, "--out", out)
    assert done.exit_code == ExitCode.FAIL, done
    assert cells_in(out)[ONE_CELL].judgement is Judgement.PASS
    assert "fix: dmconform expectations remove for-a-test" in done.printed
    inconsistency = ElementTree.parse(out / "junit.xml").getroot().find(".//testcase[@classname='matches nothing']/failure")
    assert inconsistency is not None
    assert "nothing/*" in inconsistency.get("message", "")


@pytest.mark.parametrize(
    ("detail", "code", "judgement"), [("419", ExitCode.OK, Judgement.XFAIL), ("420", ExitCode.FAIL, Judgement.XPASS)]
)
def test_a_known_failure_gives_0_as_long_as_it_fails_in_the_way_on_record(
    copy: Project, out: Path, detail: str, code: ExitCode, judgement: Judgement
) -> None:
    breaks_local_reply(copy)
    records(copy, ONE_CELL, detail)
    done = copy.dmconform("run", *ONE, "--out", out)
    assert done.exit_code == code, done
    assert cells_in(out)[ONE_CELL].judgement is judgement


# --- 2 and 3: what is asked for ---


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--sdk", "cobol@1.39"), ExitCode.USAGE, "--sdk cobol@1.39"),
        (("--sdk", "cpp@1.x"), ExitCode.USAGE, "--sdk cpp@1.x"),
        (("--host", "9.9.9"), ExitCode.USAGE, "unknown host 9.9.9"),
        (("--host", "path:/nonexistent/envoy"), ExitCode.USAGE, "/nonexistent/envoy: not an Envoy executable"),
        (("-n", "many"), ExitCode.USAGE, "-n many"),
        (("--reruns", "-1"), ExitCode.USAGE, "--reruns -1: expected 0 or more"),
        (("--no-such-option",), ExitCode.USAGE, "--no-such-option"),
        (("--case", "nothing/*"), ExitCode.EMPTY, "--case nothing/*: matches no case"),
        (("--sdk", "cpp@9.9"), ExitCode.USAGE, "unknown SDK version cpp@9.9"),
        (("--sdk", "*@9.9"), ExitCode.EMPTY, "--sdk *@9.9: matches no SDK version"),
        (("--case", "window/load"), ExitCode.USAGE, "unknown case window/load: did you mean window/loads?"),
        (("--hots", "1.39"), ExitCode.USAGE, "unknown option --hots: did you mean --host?"),
        (("--sdk", "go@1.39", "--case", "discovery/*"), ExitCode.EMPTY, "no cell"),
    ],
    ids=lambda value: "_".join(value).replace("/", "-") if isinstance(value, tuple) else "",
)
def test_a_selection_that_makes_no_sense(
    project: Project, out: Path, arguments: tuple[str, ...], code: ExitCode, text: str
) -> None:
    done = project.dmconform("run", *HOST, *arguments, "--out", out)
    assert done.exit_code == code, done
    assert text in done.errors
    assert "Traceback" not in done.errors
    assert not out.exists(), "expected no folder to be left"


@pytest.mark.parametrize(
    ("file", "old", "new", "text"),
    [
        ("sdks/cpp/sdk.toml", "unloads = true", "unloads = true\ncolour = 1", "sdks/cpp/sdk.toml: .*colour"),
        ("sdks/cpp/sdk.toml", 'language = "cpp"', 'language = "c"', "sdks/cpp/sdk.toml: .*language"),
        ("conformance/hosts.toml", 'release = "1.36.2"\n', 'release = "1.36"\n', "hosts.toml: .*'1.36'"),
        (
            "conformance/cases/test_window.py",
            '@case("window.forward", "policy.result", "policy.version_string", "loading.exact_match", everywhere=True)',
            '@case("x.y")',
            "test_loads: .*x.y",
        ),
        ("conformance/cases/test_window.py", 'CONFIG = "window"', "CONFIG = ", "test_window.py: cannot be imported"),
        (KNOWN_FAILURES, 'detail = "killed by SIGBUS"', 'detail = "("', "detail is not a regular expression"),
        (KNOWN_FAILURES, 'detail = "killed by SIGBUS"', 'until = "soon"\ndetail = "x"', "until: 'soon' is not a minor version"),
    ],
)
def test_a_mistake_in_a_data_file_gives_2(copy: Project, out: Path, file: str, old: str, new: str, text: str) -> None:
    copy.edit(file, old, new)
    done = copy.dmconform("run", *ONE, "--out", out)
    assert done.exit_code == ExitCode.USAGE, done
    assert len(done.errors.splitlines()) <= 2, done
    assert re.search(text, done.errors), done
    assert not out.exists()


def test_a_folder_that_exists_gives_2_and_is_left_alone(project: Project, out: Path) -> None:
    out.mkdir()
    (out / "precious").touch()
    done = project.dmconform("run", *ONE, "--out", out)
    assert done.exit_code == ExitCode.USAGE, done
    assert f"--out {out}: exists already" in done.errors
    assert [path.name for path in out.iterdir()] == ["precious"]


def test_of_two_runs_into_one_folder_one_wins(project: Project, out: Path) -> None:
    racing = [project.start("run", *ONE, "--out", out) for _ in range(2)]
    done = [ended(one) for one in racing]
    assert sorted(one.exit_code for one in done) == [ExitCode.OK, ExitCode.USAGE], done
    assert cells_in(out)[ONE_CELL].outcome is Outcome.PASS


# --- 4: what could not run ---


def test_a_build_that_fails_blocks_its_cells_only(copy: Project, out: Path) -> None:
    (copy.folder / "sdks/cpp/probe/refuse.cc").write_text("#error broken for a test\n")
    sdks = ("--sdk", "cpp@1.39:reference", "--sdk", "rust@1.39:reference")
    done = copy.dmconform("run", *HOST, *sdks, "--case", "window/*", "--out", out)
    assert done.exit_code == ExitCode.ERROR, done
    report = report_in(out)
    assert Counter((cell.sdk, cell.outcome, cell.judgement) for cell in report.cells) == {
        ("cpp@1.39:reference", Outcome.ERROR, Judgement.ERROR): WINDOW,
        ("rust@1.39:reference", Outcome.PASS, Judgement.PASS): WINDOW,
    }
    assert "broken for a test" in done.printed + done.errors
    broken = next(sdk for sdk in report.sdks if sdk.language == "cpp")
    assert "broken for a test" in (broken.problem or "")
    assert broken.build_log
    assert "broken for a test" in (out / broken.build_log).read_text()
    assert broken.build_log.replace("+", "%2B") in (out / "index.html").read_text() or (
        broken.build_log in (out / "index.html").read_text()
    )


@pytest.mark.parametrize(
    ("spec", "code", "judgement"),
    [
        ("cpp@1.40:official", ExitCode.ERROR, Judgement.ERROR),
        ("cpp@1.40", ExitCode.OK, Judgement.SKIP),
    ],
)
def test_an_official_sdk_out_of_reach_counts_if_it_was_asked_for(
    project: Project, out: Path, spec: str, code: ExitCode, judgement: Judgement
) -> None:
    done = project.dmconform(
        "run", *HOST, "--sdk", spec, "--case", "window/local_reply", "--sdk-source", "https://127.0.0.1:1/envoy", "--out", out
    )
    assert done.exit_code == code, done
    cell = cells_in(out)["window/local_reply/cpp@1.40:official/1.39.3"]
    assert (cell.outcome, cell.judgement) == (Outcome.NOT_TESTED, judgement)
    assert "What is promised of the official SDKs holds" not in done.printed
    assert ("Could not run: 1 cell\n" in done.printed) is (code is ExitCode.ERROR)
    if code is ExitCode.OK:
        assert cells_in(out)["window/local_reply/cpp@1.40:reference/1.39.3"].outcome is Outcome.PASS


def test_a_host_out_of_reach_blocks_its_cells_only(copy: Project, out: Path) -> None:
    copy.edit(
        "conformance/hosts.toml",
        "c75488ad0be907f077883691aa3832a79b509c1f6c993b420683e90793e13efc",
        "0" * 64,
    )
    copy.edit("conformance/hosts.toml", "afd67bcfea548525ee76a9350a0a4cfeb2ac24c7b532794ce332d840ad8cdae7", "0" * 64)
    done = copy.dmconform("run", "--host", "1.36.2", *ONE, "--out", out)
    assert done.exit_code == ExitCode.ERROR, done
    assert {cell.host: cell.outcome for cell in cells_in(out).values()} == {
        "1.36.2": Outcome.ERROR,
        "1.39.3": Outcome.PASS,
    }
    assert "0" * 64 in done.printed + done.errors


@pytest.mark.parametrize(
    ("number", "whole_group", "workers"),
    [(signal.SIGINT, True, "2"), (signal.SIGTERM, False, "2"), (signal.SIGINT, True, "0")],
    ids=["ctrl-c", "sigterm", "ctrl-c-one-process"],
)
def test_an_interrupted_run_writes_its_report_and_leaves_nothing(
    project: Project, out: Path, everything: Plan, number: signal.Signals, whole_group: bool, workers: str
) -> None:
    run = project.start("run", *HOST, "--sdk", "*@1.39:reference", "-n", workers, "--out", out)
    try:
        results = out / "results.jsonl"
        assert eventually(lambda: results.exists() and results.read_bytes().count(b"\n") >= 3, 60.0)
        if whole_group:
            os.killpg(run.pid, number)
        else:
            run.send_signal(number)
        done = ended(run)
    finally:
        run.kill()
        run.wait()
    assert done.exit_code == ExitCode.ERROR, done
    assert "Traceback" not in done.errors, done
    report = report_in(out)
    assert not report.complete
    assert report.incomplete_reason == "the run was interrupted"
    assert report.planned_cells == len(report.cells) == len(everything.cells)
    outcomes = Counter(cell.outcome for cell in report.cells)
    assert outcomes[Outcome.PASS] >= 3
    assert outcomes[Outcome.ERROR] >= 1
    assert not [cell for cell in report.cells if cell.judgement is Judgement.FAIL]
    assert (out / "index.html").exists()
    assert eventually(lambda: not naming(out) and not of_session(run.pid)), (naming(out), of_session(run.pid))


def test_a_worker_that_is_killed_costs_one_cell(copy: Project, out: Path) -> None:
    copy.edit(
        "conformance/cases/test_window.py",
        '    with cell.start(listener("local_reply", "418")) as envoy:\n',
        "    import os\n\n    os.kill(os.getpid(), 9)\n" + '    with cell.start(listener("local_reply", "418")) as envoy:\n',
    )
    done = copy.dmconform("run", *CPP, "--case", "window/*", "-n", "2", "--out", out)
    assert done.exit_code == ExitCode.ERROR, done
    outcomes = {cell: entry.outcome for cell, entry in cells_in(out).items()}
    assert outcomes.pop(ONE_CELL) is Outcome.ERROR
    assert set(outcomes.values()) == {Outcome.PASS}


# --- reproduce, list ---


def test_reproduce_shows_all_and_keeps_the_folder(project: Project, out: Path) -> None:
    done = project.dmconform("reproduce", ONE_CELL, "--out", out)
    assert done.exit_code == ExitCode.OK, done
    assert "outcome:     pass (pass)" in done.printed
    assert "ABI verdict: matched" in done.printed
    place = out / "evidence/window/local_reply/cpp@1.39+reference/1.39.3"
    assert f"folder:      {place}" in done.printed
    assert (place / "modules" / "libprobe.so").exists()
    assert "dmconform: initialised" in done.printed, "expected the end of the log"
    assert f"by hand:     sh {place}/run-again.sh" in done.printed


def test_reproduce_of_a_failure_gives_its_detail(copy: Project, out: Path) -> None:
    breaks_local_reply(copy)
    done = copy.dmconform("reproduce", ONE_CELL, "--out", out)
    assert done.exit_code == ExitCode.FAIL, done
    assert "outcome:     fail (fail)" in done.printed
    assert "detail:      expected status, header and body (419,)" in done.printed


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("window/local_reply", "is not a cell"),
        ("window/local_reploy/cpp@1.39:reference/1.39.3", "unknown case window/local_reploy: did you mean window/local_reply?"),
        ("window/local_reply/cpp@1.39/1.39.3", "unknown SDK version cpp@1.39: did you mean cpp@1.39:"),
        ("window/local_reply/cpp@1.39:reference/1.39.9", "unknown host 1.39.9: did you mean 1.39."),
        ("discovery/nothing_found/go@1.39:reference/1.39.3", "the case runs with SDKs of cpp only"),
        ("window/local_reply/cpp@1.39:reference/1.39.3~01234567", "--host path:FILE"),
    ],
)
def test_reproduce_of_a_cell_that_does_not_exist(project: Project, out: Path, cell: str, text: str) -> None:
    done = project.dmconform("reproduce", cell, "--out", out)
    assert done.exit_code == ExitCode.USAGE, done
    assert text in done.errors, done
    assert "downloading" not in done.errors
    assert not out.exists()


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("hosts", "1.39.3  yes "),
        ("sdks", "cpp@1.39:reference   1.39     v0.1.0"),
        ("cases", "window/local_reply "),
        ("cells", f"{ONE_CELL} "),
    ],
)
def test_list_needs_neither_engine_nor_network_nor_cache(project: Project, tmp_path: Path, what: str, line: str) -> None:
    nowhere = "http://127.0.0.1:9"
    done = project.dmconform(
        "list",
        what,
        environment={
            "DOCKER_HOST": "tcp://127.0.0.1:9",
            "DMCONFORM_CACHE": str(tmp_path / "cache"),
            **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "PIP_INDEX_URL", "GOPROXY"), nowhere),
        },
    )
    assert done.exit_code == ExitCode.OK, done
    assert any(seen.startswith(line) for seen in done.printed.splitlines()), done
    assert not (tmp_path / "cache").exists()


def test_a_run_from_a_warm_cache_needs_neither_engine_nor_network(project: Project, out: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    environment = {"DOCKER_HOST": "tcp://127.0.0.1:9"} | dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "PIP_INDEX_URL"), nowhere)
    done = project.dmconform("run", *ONE, "--out", out, environment=environment)
    assert done.exit_code == ExitCode.OK, done


def test_another_binary_is_a_host_apart(project: Project, out: Path, everything: Plan) -> None:
    binary = everything.hosts[0].host.binary
    done = project.dmconform(
        "run", "--host", f"path:{binary}", "--sdk", "cpp@1.39:reference", "--case", "window/loads", "--out", out
    )
    assert done.exit_code == ExitCode.OK, done
    assert list(cells_in(out)) == ["window/loads/cpp@1.39:reference/1.39.3"]

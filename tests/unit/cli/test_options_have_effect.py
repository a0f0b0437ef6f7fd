"""No option of any command is ignored in silence: each has a row here that says what shows its effect.

A row is one of two: the test that shows what the option does, which must name it; or the function that gets its value, which is
called here with and without it. An option without a row fails.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from dmconform import __version__
from dmconform.cli.command import Command, Parser, _Descend
from dmconform.cli.main import DMCONFORM, main
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.matrix.prepare import Selection, selected_sdks
from dmconform.measure.differential.compare_hosts import DifferentialTest
from dmconform.report.schema import write_report
from dmconform.spec.catalogue import load_catalogue

from tests.checkout import ROOT
from tests.unit.elf_samples import Sample, write
from tests.unit.matrix.test_shards import parts_of
from tests.unit.report_samples import cell, report, sdk

TESTS = ROOT / "tests"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CELL = "window/loads/rust@1.39:reference/1.39.3"


@dataclass(frozen=True)
class Shown:
    """A test shows it: `FILE::FUNCTION` below `tests/`."""

    by: str


@dataclass(frozen=True)
class Reaches:
    """The value reaches a function, which a call with it shows: `words` are added to the command's."""

    words: tuple[str, ...]


Row = Shown | Reaches
CHECK, CHECK_HOSTS = "unit/cli/test_check_command.py", "hosts/check/test_check.py"
ABI_DIFF, ABI = "unit/cli/test_abi_diff_command.py", "unit/cli/test_abi_command.py"
HERE = "unit/cli/test_options_have_effect.py"
NEW_HOST = "hosts/measure/test_new_host.py"
NIGHTLY = "unit/release/test_nightly.py"
EXPECTATIONS = "unit/spec/test_inconsistencies.py"

RUNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "check": ("dmconform.check.work.check_modules", ("check", "lib.so")),
    "run": ("dmconform.matrix.run.run_matrix", ("run",)),
    "reproduce": ("dmconform.matrix.reproduce.reproduce", ("reproduce", CELL)),
    "bundle": ("dmconform.bundle.make.make_bundle", ("bundle", CELL)),
    "build": ("dmconform.matrix.prepare.build_sdks", ("build",)),
    "abi hooks": ("dmconform.measure.hooks.run.measure_hosts", ("abi", "hooks", "-o", "hooks.json")),
    "abi faults": ("dmconform.measure.faults.run.measure_faults_of", ("abi", "faults", "-o", "faults.json")),
    "abi sdk-use": ("dmconform.matrix.prepare.build_sdks", ("abi", "sdk-use")),
    "hosts add": ("dmconform.measure.new_host.measure_new_host", ("hosts", "add", "1.40.0", "--from", "envoy")),
    "differential": ("dmconform.measure.differential.request.run_request", ("differential",)),
    "pairs": ("dmconform.measure.pairs.request.run_pairs", ("pairs",)),
    "storm": ("dmconform.measure.storm.request.run_request", ("storm",)),
    "nightly": ("dmconform.matrix.run.run_matrix", ("nightly", "--keep", "nights")),
    "list": ("dmconform.spec.listing.listing", ("list", "cells")),
    "expectations record": (
        "dmconform.spec.record_edits.add",
        (
            *("expectations", "record", "id", CELL, "--outcome", "fail"),
            *("--detail", "d", "--reason", "r", "--evidence", "e", "--issue", "not reported"),
        ),
    ),
}
"""By command: the function that gets what was asked for, and the words without any option."""

SELECTORS: dict[str, Row] = {
    "--host": Reaches(("--host", "1.39")),
    "--sdk": Reaches(("--sdk", "rust@1.39")),
    "--case": Reaches(("--case", "window/*")),
    "--everywhere": Reaches(("--everywhere",)),
}
SOURCE: dict[str, Row] = {"--sdk-source": Reaches(("--sdk-source", "https://git.example/envoy"))}

EFFECTS: dict[str, dict[str, Row]] = {
    "": {
        "--version": Shown(f"{HERE}::test_the_version_is_printed"),
        "--debug": Shown("unit/cli/test_main.py::test_a_traceback_is_there_for_those_who_ask"),
    },
    "check": {
        "--host": Shown(f"{CHECK}::test_a_module_that_lacks_a_callback_somewhere_gives_1"),
        "--no-run": Shown(f"{CHECK}::test_a_module_that_is_expected_to_load_everywhere_gives_0"),
        "--json": Shown(f"{CHECK}::test_the_table_and_the_json_say_the_same"),
        "--extension-point": Shown(f"{CHECK}::test_a_point_that_the_module_has_no_hook_of_is_wrong_usage"),
        "--all-points": Shown(f"{CHECK_HOSTS}::test_an_extension_point_that_it_refuses_is_followed_by_the_next"),
        "--filter-name": Reaches(("--extension-point", "http_filter", "--filter-name", "n")),
        "--filter-config": Shown(f"{CHECK_HOSTS}::test_a_module_that_refuses_the_configuration_is_not_judged"),
        "--env": Shown(f"{CHECK_HOSTS}::test_the_environment_reaches_the_host_and_evidence_is_kept"),
        "--settings": Shown(f"{CHECK_HOSTS}::test_several_extension_points_from_a_file"),
        "--sdk-minor": Shown(f"{CHECK}::test_a_minor_that_no_sdk_is_known_of_is_wrong_usage"),
        "--together": Shown(f"{CHECK_HOSTS}::test_several_modules_in_one_envoy"),
        "--all-must-work": Shown(f"{CHECK}::test_a_module_that_lacks_a_callback_somewhere_gives_1"),
        "--keep": Shown(f"{CHECK_HOSTS}::test_the_environment_reaches_the_host_and_evidence_is_kept"),
        "--isolate": Shown("hosts/check/test_isolate.py::test_verdicts_are_the_same_with_and_without_a_sandbox"),
        "--readable": Shown("hosts/check/test_isolate.py::test_a_file_that_a_module_opens_by_itself_has_to_be_named"),
        "--exit-zero": Shown(f"{CHECK}::test_what_another_command_judges_gives_0"),
    },
    "run": {
        **SELECTORS,
        **SOURCE,
        "-n": Reaches(("-n", "3")),
        "--reruns": Reaches(("--reruns", "0")),
        "--facts": Reaches(("--facts", "warn")),
        "--shard": Reaches(("--shard", "1/2")),
        "--format": Shown(f"{HERE}::test_a_report_for_github_has_annotations"),
        "--out": Shown("unit/matrix/test_execute.py::test_a_file_in_the_place_of_a_folder_is_named"),
        "--exit-zero": Shown(f"{HERE}::test_a_complete_red_run_can_end_with_0"),
        "--details": Shown(f"{HERE}::test_details_come_before_the_answer"),
        "--require-official": Shown(f"{HERE}::test_a_run_without_official_sdks_ends_with_4_where_they_are_required"),
    },
    "reproduce": {
        "--host": Reaches(("--host", "path:envoy")),
        "--out": Shown("hosts/cli/test_cli.py::test_reproduce_shows_all_and_keeps_the_folder"),
        "--wait": Reaches(("--wait",)),
        "--debug": Reaches(("--debug",)),
        **SOURCE,
    },
    "bundle": {
        "--host": Reaches(("--host", "path:envoy")),
        "--out": Shown("hosts/bundle/test_bundle.py::test_the_command_makes_an_archive_that_it_has_replayed"),
        **SOURCE,
    },
    "build": {
        "--sdk": Reaches(("--sdk", "rust@1.39")),
        **SOURCE,
        "--debug": Reaches(("--debug",)),
        "--dry-run": Shown(f"{HERE}::test_a_dry_run_builds_nothing"),
    },
    "abi diff": {
        "--all": Shown(f"{ABI_DIFF}::test_diff_ends_with_1_if_a_built_module_breaks"),
        "--allow": Shown(f"{ABI_DIFF}::test_a_rule_that_is_allowed_does_not_count"),
        "--format": Shown(f"{ABI_DIFF}::test_diff_ends_with_1_if_a_built_module_breaks"),
    },
    "abi drift": {
        "--since": Shown(f"{ABI_DIFF}::test_drift_ends_as_diff"),
        "--all": Shown(f"{HERE}::test_drift_shows_all_that_changed"),
        "--allow": Shown(f"{ABI_DIFF}::test_a_rule_that_is_allowed_does_not_count"),
        "--format": Shown(f"{HERE}::test_drift_shows_all_that_changed"),
    },
    "abi findings": {
        "--unsupported": Shown(f"{ABI_DIFF}::test_findings_outside_the_window_are_more"),
        "--allow": Shown(f"{ABI_DIFF}::test_findings_that_are_allowed_are_counted"),
        "--format": Shown(f"{ABI_DIFF}::test_findings_name_each_break"),
    },
    "abi extract": {
        "--binary": Shown("hosts/abi/test_abi_data.py::test_upstreams_header_gives_exactly_the_data"),
        "--envoy": Shown(f"{HERE}::test_the_minor_of_a_header_can_be_given"),
        "--release": Shown(f"{ABI}::test_what_the_user_says_of_a_header_is_in_the_result"),
        "-o": Shown(f"{ABI}::test_the_result_is_all_that_is_on_standard_output"),
        "--source": Shown(f"{ABI}::test_what_the_user_says_of_a_header_is_in_the_result"),
        "--describe": Shown(f"{ABI}::test_what_the_user_says_of_a_header_is_in_the_result"),
        "--nearby": Shown(f"{ABI}::test_what_the_user_says_of_a_header_is_in_the_result"),
    },
    "abi from-binary": {
        "--envoy": Shown(f"{HERE}::test_the_minor_of_a_module_can_be_given"),
        "--release": Shown(f"{HERE}::test_the_minor_of_a_module_can_be_given"),
        "-o": Shown("hosts/abi/test_abi_data.py::test_a_binary_has_the_names_of_the_data"),
    },
    "abi hooks": {
        "--host": Reaches(("--host", "1.39")),
        "-o": Shown("unit/cli/test_hooks_command.py::test_another_file_holds_only_what_was_measured"),
        "-n": Reaches(("-n", "3")),
    },
    "abi faults": {
        "--host": Reaches(("--host", "1.39")),
        "-o": Shown("unit/cli/test_faults_command.py::test_another_file_holds_only_what_was_measured"),
        "-n": Reaches(("-n", "3")),
        "--page": Shown("unit/cli/test_faults_command.py::test_the_page_alone_measures_nothing"),
    },
    "abi sdk-use": {
        "--sdk": Reaches(("--sdk", "rust@1.39")),
        **SOURCE,
        "--write": Shown(
            "hosts/cli/test_installation.py::test_what_edits_the_data_of_the_repository_says_that_it_needs_a_checkout"
        ),
    },
    "hosts add": {
        "--write": Shown("unit/hosts/test_record.py::test_nothing_is_written_without_a_checkout"),
        "--default": Shown(f"{NEW_HOST}::test_without_what_takes_minutes_the_rest_is_recorded"),
        "--from": Shown(f"{NEW_HOST}::test_a_wheel_or_a_binary_takes_the_place_of_a_download"),
        "--quick": Reaches(("--quick",)),
        "--abi-string": Reaches(("--abi-string", "v9")),
        "-n": Reaches(("-n", "17")),
    },
    "differential": {
        "--abi": Reaches(("--abi", "1.39")),
        "--host": Reaches(("--host", "1.39")),
        "--json": Shown(f"{HERE}::test_json_alone_is_on_standard_output"),
        "--markdown": Shown(f"{HERE}::test_json_alone_is_on_standard_output"),
        "--no-probes": Reaches(("--no-probes",)),
        "--keep": Reaches(("--keep", "kept")),
    },
    "pairs": {
        "--host": Reaches(("--host", "1.39")),
        "--point": Reaches(("--point", "http_filter")),
        "--first": Reaches(("--first", "http_send_response")),
        "--then": Reaches(("--then", "http_get_*")),
        "--hook": Reaches(("--hook", "http_filter_new")),
        "--sample": Reaches(("--sample", "3")),
        "--write": Shown("unit/measure/test_pairs_command.py::test_what_was_seen_is_written_on_request"),
        "--json": Shown("unit/measure/test_pairs_command.py::test_json_alone_is_on_standard_output"),
    },
    "storm": {
        "--host": Reaches(("--host", "1.39")),
        "--seed": Reaches(("--seed", "7")),
        "--seconds": Reaches(("--seconds", "3")),
        "--clients": Reaches(("--clients", "5")),
        "--threads": Reaches(("--threads", "5")),
        "--workers": Reaches(("--workers", "5")),
        "--update-every": Reaches(("--update-every", "1")),
        "--json": Shown("unit/measure/test_storm.py::test_exit_codes_follow_from_how_hosts_ended"),
        "--keep": Reaches(("--keep", "kept")),
    },
    "gate": {
        "--policy": Shown("unit/release/test_gate.py::test_exit_codes_of_the_command"),
        "--sdk": Shown("unit/release/test_gate.py::test_exit_codes_of_the_command"),
        "--host": Shown("unit/release/test_gate.py::test_exit_codes_of_the_command"),
        "--built-with": Shown("unit/release/test_gate.py::test_exit_codes_for_a_module"),
        "--extension-point": Shown("unit/release/test_gate.py::test_exit_codes_at_an_extension_point"),
        "--format": Shown("unit/release/test_gate.py::test_every_form_names_the_reason"),
    },
    "diff": {
        "--fail-on": Shown("unit/report/test_comparison.py::test_exit_codes"),
        "--format": Shown("unit/report/test_comparison.py::test_the_json_output_fits_its_schema"),
    },
    "page": {
        "--previous": Shown("unit/report/test_html.py::test_the_command_writes_the_page_with_what_changed"),
        "--out": Shown("unit/report/test_html.py::test_the_command_writes_the_page_with_what_changed"),
    },
    "nightly": {
        **SELECTORS,
        **SOURCE,
        "-n": Reaches(("-n", "3")),
        "--reruns": Reaches(("--reruns", "0")),
        "--facts": Reaches(("--facts", "warn")),
        "--keep": Shown("hosts/release/test_nightly.py::test_nights_follow_each_other"),
        "--nights": Shown("hosts/release/test_nightly.py::test_nights_follow_each_other"),
        "--previous": Shown(f"{NIGHTLY}::test_a_report_that_is_there_is_compared_and_nothing_run"),
        "--details": Shown(f"{HERE}::test_details_come_before_the_answer"),
        "--report": Shown(f"{NIGHTLY}::test_a_report_that_is_there_is_compared_and_nothing_run"),
        "--issue": Shown(f"{NIGHTLY}::test_what_a_job_of_github_is_reported"),
        "--link": Shown(f"{NIGHTLY}::test_what_a_job_of_github_is_reported"),
        "--format": Shown(f"{NIGHTLY}::test_what_a_job_of_github_is_reported"),
    },
    "plan": {
        "--host": Shown(f"{HERE}::test_a_plan_looks_at_the_selection_in_every_form"),
        "--sdk": Shown(f"{HERE}::test_a_plan_looks_at_the_selection_in_every_form"),
        "--case": Shown(f"{HERE}::test_a_plan_looks_at_the_selection_in_every_form"),
        "--everywhere": Shown(f"{HERE}::test_a_plan_looks_at_the_selection_in_every_form"),
        "--shards": Shown("unit/matrix/test_shards.py::test_plan_shows_what_each_shard_would_run"),
        "--format": Shown("unit/matrix/test_shards.py::test_plan_shows_what_each_shard_would_run"),
        "--measure": Shown("unit/matrix/test_shards.py::test_a_report_in_which_nothing_ran_shows_no_costs"),
    },
    "merge": {
        "--details": Shown(f"{HERE}::test_details_come_before_the_answer"),
        "--out": Shown("unit/matrix/test_shards.py::test_the_command_writes_the_whole_and_copies_what_it_names"),
        "--format": Shown(f"{HERE}::test_a_report_for_github_has_annotations"),
        "--exit-zero": Shown("unit/matrix/test_shards.py::test_the_command_writes_the_whole_and_copies_what_it_names"),
    },
    "expectations narrow": {"--supported": Shown(f"{EXPECTATIONS}::test_too_much_a_cell_that_is_unsupported")},
    "expectations correct": {
        "--outcome": Shown(f"{EXPECTATIONS}::test_correcting_changes_how_cells_end"),
        "--detail": Shown(f"{EXPECTATIONS}::test_correcting_changes_how_cells_end"),
    },
    "expectations record": {
        "--outcome": Reaches(("--outcome", "crash")),
        "--detail": Reaches(("--detail", "other")),
        "--reason": Reaches(("--reason", "The SDK is at fault")),
        "--evidence": Reaches(("--evidence", "seen elsewhere")),
        "--until": Reaches(("--until", "1.42")),
        "--issue": Reaches(("--issue", "https://issues.example/1")),
        "--workaround": Reaches(("--workaround", "another way")),
    },
    "facts": {
        "--write": Shown("unit/cli/test_facts_command.py::test_what_has_no_fact_gets_one_and_others_stay"),
        "--correct": Shown("unit/cli/test_facts_command.py::test_what_is_named_is_corrected"),
    },
    "expectations extend": {"--until": Shown(f"{EXPECTATIONS}::test_past_its_until")},
    "coverage": {
        "--write": Shown("unit/spec/test_coverage.py::test_the_page_is_the_one_of_the_data"),
        "--points": Shown("unit/spec/test_points_page.py::test_the_page_is_the_one_of_the_data"),
        "--exercised": Shown("unit/measure/test_exercised.py::test_the_page_is_the_one_of_the_data"),
    },
    "findings": {
        "--defects": Shown("unit/spec/test_defects.py::test_the_page_is_the_one_of_the_data"),
        "--write": Shown("unit/spec/test_findings.py::test_the_page_is_the_one_of_the_data"),
        "--issue": Shown("unit/report/test_issue.py::test_the_command_prints_a_text"),
    },
    "show": {"--details": Shown(f"{HERE}::test_details_come_before_the_answer")},
    "site": {
        "--url": Shown("unit/release/test_site.py::test_the_command"),
        "--without-published": Shown("unit/release/test_site.py::test_the_command"),
    },
    "published": {
        "--write": Shown("unit/release/test_publish.py::test_the_repositorys_own_reports_are_as_they_were_published")
    },
    "list": {**SELECTORS, "--json": Shown("unit/cli/test_list.py::test_json_is_of_its_schema_and_has_what_the_table_has")},
}


def options(command: Command = DMCONFORM, prog: str = "dmconform") -> Iterator[tuple[str, str]]:
    """Every command with each of its options, as the parsers have them."""
    for action in Parser(command, prog)._actions:
        if action.option_strings and not isinstance(action, (argparse._HelpAction, _Descend)):
            yield prog.removeprefix("dmconform").strip(), action.option_strings[-1]
    for one in command.subcommands:
        yield from options(one, f"{prog} {one.name}")


def test_each_option_has_a_row_and_no_row_is_left_over() -> None:
    rows = {(command, option) for command, its in EFFECTS.items() for option in its}
    there = set(options())
    assert sorted(there - rows) == [], "expected a row in EFFECTS that says what shows the effect of a new option"
    assert sorted(rows - there) == [], "expected no row of an option that is gone"


SHOWN = sorted(
    (command, option, row.by) for command, its in EFFECTS.items() for option, row in its.items() if isinstance(row, Shown)
)
REACHING = sorted(
    (command, option, row.words) for command, its in EFFECTS.items() for option, row in its.items() if isinstance(row, Reaches)
)


@pytest.mark.parametrize(("command", "option", "by"), SHOWN, ids=lambda value: str(value).rpartition("::")[2])
def test_the_test_of_an_option_is_there_and_names_it(command: str, option: str, by: str) -> None:
    file, _, name = by.partition("::")
    source = (TESTS / file).read_text(encoding="utf-8")
    functions = {node.name: node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
    assert name in functions, f"{command} {option}: there is no {by}"
    assert option in source, f"{command} {option}: {file} does not name it"


class Reached(BaseException):
    """The function was called; with what it got."""


def asked(target: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """What the function that does the work gets from a command line."""
    module, _, name = target.rpartition(".")

    def reached(*values: object, **named: object) -> None:
        raise Reached(repr(values), repr(sorted(named.items())))

    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module(module), name, reached)
        try:
            code = main(words)
        except Reached as caught:
            values, named = caught.args
            return _plain(values), _plain(named)
    raise AssertionError(f"{words}: ended with {code}, expected {target} to be called")


def _plain(text: str) -> str:
    """Without what differs from call to call: the time in the name of a folder, addresses of objects, when it began."""
    text = re.sub(r"\d{8}T\d{6}\.\d+Z|dmconform-[A-Za-z-]+-[A-Za-z0-9_]+|0x[0-9a-f]+", "…", text)
    return re.sub(r"CommandStart\(.*?\)\)|CommandStart\([^)]*\)", "CommandStart", text)


@pytest.mark.parametrize(
    ("command", "option", "words"), REACHING, ids=lambda value: " ".join(value) if isinstance(value, tuple) else value
)
def test_a_value_reaches_the_function_that_does_the_work(
    command: str, option: str, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, base = RUNS[command]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "runs_folder", lambda: tmp_path / "runs")
    monkeypatch.setattr("dmconform.release.nightly.renew.renew_images", lambda *_: None)
    monkeypatch.setattr("dmconform.hosts.new_release.obtain_new", lambda *_: _NEW)
    before = words[:-2] if option == "--filter-name" else ()
    without, again, with_it = (asked(target, (*base, *more), monkeypatch) for more in (before, before, words))
    assert without == again, "expected the same from the same words"
    assert with_it != without, f"{' '.join(base)} {' '.join(words)}: {option} changes nothing of what {target} gets"


class _Found:
    """In the place of what a download finds."""

    wheel = object()

    def __repr__(self) -> str:
        return "a release"


_NEW = _Found()


# --- what is shown here ---


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"dmconform {__version__}\n")


def test_a_dry_run_builds_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def built(*_: object) -> None:
        raise AssertionError("expected nothing to be built")

    monkeypatch.setattr("dmconform.matrix.prepare.build_sdks", built)
    monkeypatch.setattr("dmconform.matrix.prepare.plan_builds", lambda *_: ())
    assert main(["build", "--sdk", "rust@1.39:reference", "--dry-run"]) == ExitCode.OK
    assert capsys.readouterr().out == ""


def test_drift_shows_all_that_changed(capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for more in ([], ["--all"], ["--format", "markdown"]):
        main(["abi", "drift", str(paths.ABI / "1.40.json"), "--since", "1.39", *more])
        printed.append(capsys.readouterr().out)
    short, whole, markdown = printed
    assert len(whole) > len(short) and "##" in markdown and "##" not in short


def test_the_minor_of_a_header_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = tmp_path / "abi.h"
    header.write_text("void envoy_dynamic_module_on_one(void);\n")
    assert main(["abi", "extract", str(header), "--envoy", "1.77"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["envoy"] == "1.77"


def test_the_minor_of_a_module_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = tmp_path / "libmodule.so"
    module.write_bytes(write(Sample(defined=("envoy_dynamic_module_on_program_init",), abi="v9")))
    assert main(["abi", "from-binary", str(module), "--envoy", "1.77"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["envoy"] == "1.77"
    assert main(["abi", "from-binary", str(module), "--release", "1.78.2"]) == ExitCode.OK
    found = json.loads(capsys.readouterr().out)
    assert (found["envoy"], found["measured_on"]) == ("1.78", "1.78.2")


def test_json_alone_is_on_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compared = DifferentialTest((), (), 0.0)
    monkeypatch.setattr("dmconform.measure.differential.request.run_request", lambda *_: compared)
    assert main(["differential", "--json", str(tmp_path / "d.json"), "--markdown"]) in (ExitCode.OK, ExitCode.ERROR)
    assert capsys.readouterr().out.startswith("| ABI |") and json.loads((tmp_path / "d.json").read_text())
    main(["differential", "--json", "-"])
    assert json.loads(capsys.readouterr().out)
    assert main(["differential", "--json", "-", "--markdown"]) == ExitCode.USAGE
    assert "--markdown together with --json -" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json", "github"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--host", "1.93"), "unknown host 1.93"),
        (("--sdk", "rust@1.93"), "unknown SDK version rust@1.93"),
        (("--case", "window/nosuch"), "unknown case window/nosuch"),
        (("--case", "window/loads", "--sdk", "rust@1.40:reference", "--host", "1.40", "--shards", "7"), "has 1 cells only"),
    ],
)
def test_a_plan_looks_at_the_selection_in_every_form(
    form: str, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--format", form, *words]) == ExitCode.USAGE
    assert message in capsys.readouterr().err


def test_everywhere_makes_a_plan_larger(capsys: pytest.CaptureFixture[str]) -> None:
    counts = []
    for more in ([], ["--everywhere"]):
        assert main(["plan", "--sdk", "rust@1.38:reference", "--host", "1.37", "--case", "error_handling/*", *more]) in (0, 3)
        counts.append(capsys.readouterr().out)
    assert counts[0] != counts[1]


def test_a_report_for_github_has_annotations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    red = cell(outcome=Outcome.FAIL, judgement=Judgement.FAIL, relation=Relation.SUPPORTED, detail="expected 200")
    folders = []
    for name, part in parts_of(report([red, cell("a/two"), cell("a/three")]), 2):
        write_report(part, _made(tmp_path / name) / "report.json")
        folders.append(str(tmp_path / name))
    printed = []
    for number, more in enumerate(([], ["--format", "github"])):
        main(["merge", *folders, "--out", str(tmp_path / f"out{number}"), *more])
        printed.append(capsys.readouterr().out)
    assert "::error" not in printed[0] and "::error" in printed[1]


def test_a_complete_red_run_can_end_with_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    red = report([cell(outcome=Outcome.FAIL, judgement=Judgement.FAIL, relation=Relation.SUPPORTED, detail="expected 200")])
    monkeypatch.setattr("dmconform.matrix.run.run_matrix", lambda *_, **__: red)
    codes = [main(["run", "--out", str(tmp_path / f"out{len(more)}"), *more]) for more in ([], ["--exit-zero"])]
    assert codes == [red.exit_code, 0] and red.exit_code == ExitCode.FAIL
    unfinished = msgspec.structs.replace(red, complete=False, incomplete_reason="interrupted", exit_code=4)
    monkeypatch.setattr("dmconform.matrix.run.run_matrix", lambda *_, **__: unfinished)
    assert main(["run", "--out", str(tmp_path / "out"), "--exit-zero"]) == ExitCode.ERROR


@pytest.mark.parametrize("command", ["run", "nightly", "show", "merge"])
def test_details_come_before_the_answer(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    red = report([cell(outcome=Outcome.FAIL, judgement=Judgement.FAIL, relation=Relation.SUPPORTED, detail="expected 200")])
    monkeypatch.setattr("dmconform.matrix.run.run_matrix", lambda *_, **__: red)
    monkeypatch.setattr("dmconform.release.nightly.renew.renew_images", lambda *_: None)
    ((_, part),) = parts_of(red, 1)
    write_report(part if command == "merge" else red, _made(tmp_path / "one") / "report.json")
    words = {
        "run": ["--out", str(tmp_path / "out")],
        "nightly": ["--keep", str(tmp_path / "nights")],
        "show": [str(tmp_path / "one")],
        "merge": [str(tmp_path / "one"), "--out", str(tmp_path / "out")],
    }[command]
    main([command, *words])
    short = capsys.readouterr().out
    again = [word.replace("out", "other") if word.endswith("out") and not word.startswith("--") else word for word in words]
    main([command, *again, "--details"])
    assert len(capsys.readouterr().out.splitlines()) > len(short.splitlines())


def test_a_run_without_official_sdks_ends_with_4_where_they_are_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = cell(sdk="rust@1.39:official", outcome=Outcome.NOT_TESTED, judgement=Judgement.SKIP, detail="no source")
    green = report([cell(), absent])
    assert [one.id for one in green.sdks if one.modules] != []
    green = msgspec.structs.replace(green, sdks=(*green.sdks[:1], sdk("rust@1.39:official", problem="no source")))
    monkeypatch.setattr("dmconform.matrix.run.run_matrix", lambda *_, **__: green)
    codes = [main(["run", "--out", str(tmp_path / f"out{len(more)}"), *more]) for more in ([], ["--require-official"])]
    assert codes == [ExitCode.OK, ExitCode.ERROR]
    assert "--require-official: not to be had: rust@1.39:official" in capsys.readouterr().err


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


# --- values that have no effect beside another option ---


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("abi", "faults", "--page", "--host", "1.39"), "--host together with --page"),
        (("abi", "faults", "--page", "-o", "x.json"), "-o together with --page"),
        (("abi", "faults", "--page", "-n", "3"), "-n together with --page"),
        (("abi", "hooks", "-n", "0"), "-n: expected a number from 1 on, got '0'"),
        (("hosts", "add", "1.40.0", "--quick", "-n", "2"), "-n together with --quick"),
        (("plan", "--measure", "report.json", "--sdk", "go@*"), "--sdk together with --measure"),
        (("plan", "--measure", "report.json", "--shards", "3"), "--shards together with --measure"),
        (("nightly", "--report", "folder", "-n", "2"), "-n together with --report"),
        (("nightly", "--report", "folder", "--reruns", "0"), "--reruns together with --report"),
        (("nightly", "--report", "folder", "--facts", "warn"), "--facts together with --report"),
        (("nightly", "--report", "folder", "--nights", "9"), "--nights together with --report"),
        (("nightly", "--report", "folder", "--details"), "--details together with --report"),
        (("check", "lib.so", "--no-run", "--isolate"), "--isolate together with --no-run"),
    ],
    ids=" ".join,
)
def test_what_would_be_ignored_is_refused(words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(words)
    except SystemExit as ended:
        code = ended.code  # type: ignore[assignment]
    assert code == ExitCode.USAGE
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("spec", ["rust@1.39:reference", "go@1.38:official", "*@*:reference"])
def test_a_source_that_no_selected_sdk_comes_from_is_refused(spec: str) -> None:
    selection = Selection(sdks=(spec,), sdk_source="https://git.example/envoy")
    with pytest.raises(UsageError, match=r"--sdk-source https://git\.example/envoy: no selected SDK comes from a repository"):
        selected_sdks(load_catalogue(), selection)


def test_a_source_that_is_not_there_is_refused_though_the_cache_has_all(tmp_path: Path) -> None:
    """The recorded commits are in the cache of most machines, and git would not be asked."""
    selection = Selection(sdks=("rust@1.39:official",), sdk_source=str(tmp_path / "no-clone"))
    with pytest.raises(UsageError, match="no-clone: there is no such folder; expected a URL or the path of a git repository"):
        selected_sdks(load_catalogue(), selection)


def test_a_source_for_all_runs_need_not_be_of_use_in_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DMCONFORM_SDK_SOURCE", "https://git.example/envoy")
    sdks, _ = selected_sdks(load_catalogue(), Selection(sdks=("rust@1.39:reference",)))
    assert [str(sdk.id) for sdk in sdks] == ["rust@1.39:reference"]

"""Selectors, planning, the promise, and how outcomes are judged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.errors import DataFileError, EmptySelection, ExitCode, UsageError
from dmconform.core.values import CellId, Judgement, Language, Outcome, Relation, SdkId
from dmconform.core.versions import Minor, Release
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.selection import HostFile, HostImage, select_hosts
from dmconform.sdks.catalogue import load_sdks
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.cells import PlannedCell, plan_cells
from dmconform.spec.expectations import KnownFailure, load_known_failures
from dmconform.spec.judgement import exit_code, judge
from dmconform.spec.promise import pair_relation
from dmconform.spec.selectors import select_cases, select_sdks

from tests.checkout import ROOT

HOSTS = load_hosts(paths.HOSTS_FILE)
SDKS = load_sdks(paths.SDKS)


def names(*specs: str) -> list[str]:
    """The ids of the SDKs that specs select."""
    return [str(sdk.id) for sdk in select_sdks(specs, SDKS)[0]]


def releases(*specs: str) -> list[str]:
    """The releases that specs select."""
    return [str(getattr(choice, "release", choice)) for choice in select_hosts(specs, HOSTS)]


def test_default_hosts_are_those_of_the_issue() -> None:
    assert releases() == ["1.36.4", "1.37.0", "1.38.2", "1.38.3", "1.39.3", "1.40.0"]


def test_a_minor_is_its_newest_clean_patch_and_a_release_itself() -> None:
    assert releases("1.39") == ["1.39.3"]
    assert releases("1.39.0", "1.38") == ["1.39.0", "1.38.2"], "1.38.3 is a modified build"
    assert releases("1.39", "1.39.3") == ["1.39.3"], "the same host twice is one"


def test_all_is_every_known_release() -> None:
    assert releases("all") == [host.release for host in HOSTS]
    assert len(HOSTS) > len(releases())


def test_files_and_images_are_taken_as_they_are() -> None:
    assert select_hosts(["path:/a/b", "image:registry/envoy:v1"], HOSTS) == (
        HostFile(Path("/a/b")),
        HostImage("registry/envoy:v1"),
    )


@pytest.mark.parametrize("spec", ["1.99", "1.39.99", "path:", "image:", "", "newest", "docker:x"])
def test_a_host_that_is_none_is_wrong_usage(spec: str) -> None:
    with pytest.raises(UsageError, match=r"unknown host .*: (expected one of|did you mean) .*or all, path:FILE, image:REF"):
        select_hosts([spec], HOSTS)


def test_sdk_specs() -> None:
    assert names("rust@1.39") == ["rust@1.39:official", "rust@1.39:reference"]
    assert names("rust@1.39:official") == ["rust@1.39:official"]
    assert {SdkId.parse(name).language.value for name in names("go@*")} == {"go"}
    assert names("cpp@1.38..1.40:reference") == [f"cpp@1.{minor}:reference" for minor in (38, 39, 40)]
    assert len(names("*@1.38:reference")) == len(Language)
    assert len(names()) == len(SDKS)


@pytest.mark.parametrize(
    "spec",
    ["java@1.39", "rust@", "rust@1.39.3", "rust@1.40..1.38", "rust@x", "rust@1.39:vendor", "@1.39"],
)
def test_an_sdk_spec_that_is_none_is_wrong_usage(spec: str) -> None:
    with pytest.raises(UsageError, match="--sdk"):
        select_sdks([spec], SDKS)


def test_a_selector_that_matches_nothing_is_an_empty_selection() -> None:
    with pytest.raises(EmptySelection, match=r"1\.12"):
        select_sdks(["*@1.12"], SDKS)
    with pytest.raises(EmptySelection, match="nowhere"):
        select_cases(["nowhere/*"], load_catalogue().cases)


def test_a_name_that_does_not_exist_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"unknown SDK version rust@1\.12: did you mean rust@1\.\d+\?"):
        select_sdks(["rust@1.12"], SDKS)
    with pytest.raises(UsageError, match=r"unknown case window/load: did you mean window/loads\?"):
        select_cases(["window/load"], load_catalogue().cases)


def test_cases_that_do_not_run_with_the_sdks_are_an_empty_selection() -> None:
    catalogue = load_catalogue()
    cases = select_cases(["discovery/*"], catalogue.cases)
    with pytest.raises(EmptySelection):
        plan_cells(cases, select_sdks(["go@1.39"], SDKS)[0], [("1.39.3", Minor(1, 39))])


def test_only_official_sdks_asked_for_by_name_must_be_reachable() -> None:
    assert select_sdks(["rust@1.39"], SDKS)[1] == frozenset()
    assert select_sdks(["rust@1.39", "rust@*:official"], SDKS)[1] == {f"rust@1.{minor}:official" for minor in (37, 38, 39, 40)}


@pytest.mark.parametrize(
    ("sdk", "host", "relation"),
    [
        ("1.38", "1.38", Relation.SUPPORTED),
        ("1.38", "1.39", Relation.SUPPORTED),
        ("1.38", "1.40", Relation.SUPPORTED),
        ("1.38", "1.42", Relation.SUPPORTED),
        ("1.37", "1.40", Relation.UNSUPPORTED),
        ("1.40", "1.39", Relation.UNSUPPORTED),
        ("1.41", "1.41", Relation.SUPPORTED),
        ("1.39", "1.38", Relation.UNSUPPORTED),
        ("1.37", "1.37", Relation.LEGACY),
        ("1.37", "1.38", Relation.UNSUPPORTED),
        ("1.37", "1.36", Relation.UNSUPPORTED),
    ],
)
def test_the_promised_window(sdk: str, host: str, relation: Relation) -> None:
    assert pair_relation(Minor.parse(sdk), Minor.parse(host)) is relation


def test_most_cases_run_only_where_the_documents_say_something() -> None:
    catalogue = load_catalogue()
    hosts = [(host.release, host.version.minor) for host in catalogue.hosts]
    usual = plan_cells(catalogue.cases, SDKS, hosts)
    unsupported = {
        one.id.case for one in usual if pair_relation(minor_of(one.id.sdk), minor_of_host(one.id.host)) is Relation.UNSUPPORTED
    }
    assert unsupported == {one.id for one in catalogue.cases if one.declaration.everywhere}
    assert unsupported == {one.id for one in catalogue.cases if one.id.startswith("window/")}
    everywhere = plan_cells(catalogue.cases, SDKS, hosts, everywhere=True)
    assert {str(one.id) for one in usual} < {str(one.id) for one in everywhere} == set(catalogue.supported)
    promised = {str(one.id) for one in everywhere if one.relation is Relation.SUPPORTED}
    assert promised <= {str(one.id) for one in usual}, "no supported cell is left out"


def minor_of(sdk: str) -> Minor:
    """The minor of an SDK's id."""
    return SdkId.parse(sdk).minor


def minor_of_host(host: str) -> Minor:
    """The minor of a release."""
    return Release.parse(host).minor


def test_what_is_supported_for_rust_only_is_unsupported_for_others() -> None:
    catalogue = load_catalogue()
    case = next(one for one in catalogue.cases if one.declaration.supported_for == (Language.RUST,))
    relations = {sdk.id.language: case.relation(sdk, Minor(1, 39)).relation for sdk in SDKS if sdk.id.minor == Minor(1, 39)}
    assert relations == {
        Language.RUST: Relation.SUPPORTED,
        Language.CPP: Relation.UNSUPPORTED,
        Language.GO: Relation.UNSUPPORTED,
    }


def test_versions() -> None:
    assert Release.parse("1.39.3") < Release.parse("1.40.0")
    assert str(Release.parse("1.41.0-dev")) == "1.41.0-dev"
    assert Minor.parse("1.9") < Minor.parse("1.10")
    for text in ("1", "1.x", "v1.39", "1.39.3.4"):
        with pytest.raises(ValueError, match="is not a"):
            Release.parse(text)


def test_cell_ids_are_read_as_they_are_written() -> None:
    text = "window/loads/rust@1.39:official/1.41.0-dev~0011aabb"
    assert str(CellId.parse(text)) == text
    assert ":" not in CellId.parse(text).folder
    with pytest.raises(ValueError, match="dmconform list cells"):
        CellId.parse("window/loads")


PROMISED = PlannedCell(CellId("a/b", "rust@1.39:official", "1.40.0"), Relation.SUPPORTED, "")
UNSUPPORTED = PlannedCell(CellId("a/b", "rust@1.39:official", "1.38.3"), Relation.UNSUPPORTED, "")
RECORD = KnownFailure("r", ("a/b/*/1.40.0",), Outcome.CRASH, "SIGABRT", "reason", "evidence")
EVERYWHERE = KnownFailure("r", ("a/b/*",), Outcome.CRASH, "SIGABRT", "reason", "evidence")


@pytest.mark.parametrize(
    ("cell", "outcome", "detail", "records", "named", "judgement"),
    [
        (PROMISED, Outcome.PASS, "", (), (), Judgement.PASS),
        (PROMISED, Outcome.FAIL, "x", (), (), Judgement.FAIL),
        (PROMISED, Outcome.HANG, "x", (), (), Judgement.FAIL),
        (PROMISED, Outcome.REJECTED, "x", (), (), Judgement.FAIL),
        (PROMISED, Outcome.CRASH, "by SIGABRT", (RECORD,), (), Judgement.XFAIL),
        (PROMISED, Outcome.CRASH, "by SIGSEGV", (RECORD,), (), Judgement.XPASS),
        (PROMISED, Outcome.FAIL, "SIGABRT", (RECORD,), (), Judgement.XPASS),
        (PROMISED, Outcome.PASS, "", (RECORD,), (), Judgement.XPASS),
        (PROMISED, Outcome.NOT_APPLICABLE, "x", (RECORD,), (), Judgement.XPASS),
        (PROMISED, Outcome.ERROR, "x", (RECORD,), (), Judgement.ERROR),
        (UNSUPPORTED, Outcome.CRASH, "by SIGABRT", (EVERYWHERE,), (), Judgement.INFORMATIONAL),
        (PROMISED, Outcome.NOT_TESTED, "x", (), (), Judgement.SKIP),
        (PROMISED, Outcome.NOT_TESTED, "x", (), ("rust@1.39:official",), Judgement.ERROR),
        (UNSUPPORTED, Outcome.ERROR, "x", (), (), Judgement.ERROR),
        (UNSUPPORTED, Outcome.CRASH, "x", (RECORD,), (), Judgement.INFORMATIONAL),
        (UNSUPPORTED, Outcome.PASS, "", (), (), Judgement.INFORMATIONAL),
        (UNSUPPORTED, Outcome.NOT_APPLICABLE, "x", (), (), Judgement.SKIP),
    ],
)
def test_judgement(
    cell: PlannedCell,
    outcome: Outcome,
    detail: str,
    records: tuple[KnownFailure, ...],
    named: tuple[str, ...],
    judgement: Judgement,
) -> None:
    assert judge(cell, outcome, detail, records, named)[0] is judgement


CHANGED = Judgement.CHANGED


@pytest.mark.parametrize(
    ("cell", "outcome", "detail", "records", "mismatch", "judgement"),
    [
        (PROMISED, Outcome.PASS, "", (), None, CHANGED),
        (PROMISED, Outcome.NOT_APPLICABLE, "x", (), None, CHANGED),
        (UNSUPPORTED, Outcome.PASS, "", (), None, CHANGED),
        (UNSUPPORTED, Outcome.CRASH, "x", (), None, CHANGED),
        (UNSUPPORTED, Outcome.NOT_APPLICABLE, "x", (), None, CHANGED),
        (PROMISED, Outcome.FAIL, "x", (), None, Judgement.FAIL),
        (PROMISED, Outcome.CRASH, "by SIGABRT", (RECORD,), None, Judgement.XFAIL),
        (PROMISED, Outcome.PASS, "", (RECORD,), None, Judgement.XPASS),
        (PROMISED, Outcome.PASS, "", (), "they differ", Judgement.MISMATCH),
        (PROMISED, Outcome.ERROR, "x", (), None, Judgement.ERROR),
        (PROMISED, Outcome.NOT_TESTED, "x", (), None, Judgement.SKIP),
    ],
)
def test_a_changed_fact_counts_where_nothing_else_does(
    cell: PlannedCell,
    outcome: Outcome,
    detail: str,
    records: tuple[KnownFailure, ...],
    mismatch: str | None,
    judgement: Judgement,
) -> None:
    assert judge(cell, outcome, detail, records, (), mismatch, changed=True)[0] is judgement


@pytest.mark.parametrize(
    ("judgements", "complete", "code"),
    [
        ([], True, ExitCode.OK),
        ([Judgement.PASS, Judgement.XFAIL, Judgement.INFORMATIONAL, Judgement.SKIP], True, ExitCode.OK),
        ([Judgement.PASS, Judgement.FAIL], True, ExitCode.FAIL),
        ([Judgement.XPASS], True, ExitCode.FAIL),
        ([Judgement.PASS, Judgement.CHANGED], True, ExitCode.FAIL),
        ([Judgement.PASS, Judgement.ERROR], True, ExitCode.ERROR),
        ([Judgement.PASS], False, ExitCode.ERROR),
        ([Judgement.FAIL, Judgement.ERROR], False, ExitCode.FAIL),
    ],
)
def test_exit_code(judgements: list[Judgement], complete: bool, code: ExitCode) -> None:
    assert exit_code(judgements, complete) is code
    assert exit_code(judgements, complete, inconsistencies=1) is ExitCode.FAIL, "inconsistencies about records fail every run"


def records_file(folder: Path, text: str) -> Path:
    """A file of known failures."""
    path = folder / "known.toml"
    path.write_text(text)
    return path


GOOD = 'id = "a"\ncells = ["x/*"]\noutcome = "fail"\ndetail = "d"\nreason = "The host is at fault: r"\nevidence = "e"\nissue = "https://example.com/1"\n'


@pytest.mark.parametrize(
    ("text", "inconsistency"),
    [
        (f"[[known]]\n{GOOD}\n[[known]]\n{GOOD}", "duplicate id"),
        (f"[[known]]\n{GOOD}colour = 1\n", "colour"),
        ("[[known]]\n" + GOOD.replace('"fail"', '"pass"'), "is not a failure"),
        ("[[known]]\n" + GOOD.replace('"fail"', '"error"'), "is not a failure"),
        ("[[known]]\n" + GOOD.replace('"fail"', '"vanished"'), "vanished"),
        ("[[known]]\n" + GOOD.replace('"The host is at fault: r"', '" "'), "needs cells, a reason and evidence"),
        ("[[known]]\n" + GOOD.replace("The host is at fault: r", "it fails"), "must begin with whose fault it is"),
        ("[[known]]\n" + GOOD.replace('"d"', '"("'), "is not a regular expression"),
        ("[[known]]\n" + GOOD.replace('issue = "https://example.com/1"\n', ""), "a: expected issue = .*, found none"),
        ("[[known]]\n" + GOOD.replace("https://example.com/1", "not reported"), "a: not reported: expected looked_for"),
        (f"[[known]]\n{GOOD}looked_for = 2026-11-30\n", "a: looked_for is for"),
        (f"[[known]]\n{GOOD}workaround = ''\n", "a: workaround is empty"),
        (f'[[known]]\n{GOOD}until = "soon"\n', "until: 'soon' is not a minor version"),
    ],
)
def test_a_bad_record_is_refused_by_name(tmp_path: Path, text: str, inconsistency: str) -> None:
    with pytest.raises(DataFileError, match=inconsistency):
        load_known_failures(records_file(tmp_path, text))


def sdk_file(folder: Path, change: tuple[str, str]) -> Path:
    """A copy of Rust's SDK file with one change, in a folder of SDKs."""
    (folder / "rust").mkdir()
    text = (paths.SDKS / "rust" / "sdk.toml").read_text()
    assert change[0] in text
    (folder / "rust" / "sdk.toml").write_text(text.replace(*change, 1))
    return folder


@pytest.mark.parametrize(
    ("change", "inconsistency"),
    [
        (("unloads = true", "unloads = true\nspeed = 3"), "speed"),
        (('minor = "1.38"', 'minor = "1.38.3"'), "not a minor version"),
        (('minor = "1.38"', 'minor = "1.37"'), r"1\.38\.3 is not of minor 1\.37|duplicate minor"),
        (('release = "1.38.3"', 'release = "1.39.3"'), r"1\.39\.3 is not of minor 1\.38"),
        (('language = "rust"', 'language = "zig"'), "zig"),
        (('language = "rust"', 'language = "go"'), "as the folder is called"),
        (("unloads = true", "unloads = false"), "unloads_reason"),
        (("panic_guard = true", 'panic_guard = "yes"'), "panic_guard"),
    ],
)
def test_a_bad_sdk_file_is_refused_with_the_place(tmp_path: Path, change: tuple[str, str], inconsistency: str) -> None:
    with pytest.raises(DataFileError, match=inconsistency) as error:
        load_sdks(sdk_file(tmp_path, change))
    assert str(tmp_path / "rust" / "sdk.toml") in str(error.value)


def test_every_sdk_version_has_its_tox_environment() -> None:
    text = (ROOT / "tox.ini").read_text()
    languages, minors = (part.split(",") for part in re.findall(r"\[testenv:sdk-\{(.*?)\}-\{(.*?)\}\]", text)[0])
    assert {f"{language}@{minor}" for language in languages for minor in minors} == {
        str(sdk.id).partition(":")[0] for sdk in SDKS
    }
    factors = set(re.findall(r"^ {4}([\w.]+): DM_", text, re.MULTILINE))
    assert factors == {*languages, *minors}

"""The text of a report says what the record has, asks for what it lacks, and claims no more."""

from __future__ import annotations

import msgspec
import pytest
from dmconform.cli.main import main
from dmconform.core import paths
from dmconform.core.errors import ExitCode
from dmconform.report.issue import IssueText, issue_text, of_finding, of_record
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.inconsistencies import CellIndex
from dmconform.spec.steps import Steps, load_steps

CATALOGUE = load_catalogue()
INDEX = CellIndex(CATALOGUE.supported)
STEPS = Steps("r", "# Usage\nenvoy -c envoy.yaml\n", "1.39.3", ("exit status 139",), ("cc",))


def of_known(name: str, steps: Steps | None) -> IssueText:
    """The text for a known failure of the project's."""
    (record,) = (one for one in CATALOGUE.known_failures if one.id == name)
    one = of_record(record, INDEX, CATALOGUE.cases, CATALOGUE.requirements)
    return issue_text(one, steps, CATALOGUE.hosts, CATALOGUE.sdks)


def test_a_text_has_versions_expected_and_observed_steps_and_the_day() -> None:
    made = of_known("module-field-ignored-on-routes-of-1.38", STEPS)
    assert made.lacks == ()
    assert "[to add" not in made.text
    text = made.text
    assert text.startswith("**Title**: dynamic modules: Envoy 1.38 does not look at `module` in a per-route configuration\n")
    builds = {host.release: host.build for host in CATALOGUE.hosts}
    assert f"- Envoy 1.38.2: `{builds['1.38.2']}`\n" in text
    assert f"- Envoy 1.38.3: `{builds['1.38.3']}`, a build with changes to the sources of that commit\n" in text
    assert "- Envoy 1.40.0" not in text
    assert "- the SDK for C++ of Envoy 1.38.3 (commit 0ebfcfe5b0484b89ca85b761da9e05ce75dbda8d)\n" in text
    requirement = CATALOGUE.requirements["discovery.local_file"]
    assert f"- {requirement.statement} ([module]({requirement.link}))" in text
    assert f"with Envoy 1.39.3 (`{builds['1.39.3']}`), print:\n\n```\nexit status 139\n```" in text
    assert "```sh\n# Usage\nenvoy -c envoy.yaml\n```" in text
    assert "A report of this was looked for on 2026-11-30, and none was found." in text
    order = [text.index(f"**{part}**") for part in ("Title", "Description", "Versions", "Expected", "Observed", "Assessment")]
    assert order == sorted(order)


def test_what_a_record_lacks_is_asked_for_by_name() -> None:
    made = of_known("module-field-ignored-on-routes-of-1.38", None)
    assert made.lacks == (
        "what Envoy prints, and the lines of its log",
        "steps and a minimal configuration that need nothing but Envoy",
    )
    assert all(f"[to add: {lack}]" in made.text for lack in made.lacks)
    assert "```" not in made.text


def test_a_finding_without_sentences_has_its_own_words_and_no_link() -> None:
    (finding,) = (one for one in CATALOGUE.findings if one.id == "network-callout-without-hook-ends-envoy")
    made = issue_text(of_finding(finding, CATALOGUE.requirements), STEPS, CATALOGUE.hosts, CATALOGUE.sdks)
    assert "**Expected**\n\nNothing: the ABI has the hook" in made.text
    assert "- modules: modules with a network filter, of any language, that lack the hook\n" in made.text
    assert made.text.count("**Workaround**") == 1
    bare = msgspec.structs.replace(finding, workaround=None, document=" ", requirements=(), looked_for=None)
    empty = issue_text(of_finding(bare, CATALOGUE.requirements), STEPS, CATALOGUE.hosts, CATALOGUE.sdks)
    assert empty.lacks == ("what the documents say of it",)
    assert "**Workaround**" not in empty.text
    assert "looked for" not in empty.text


def test_an_sdk_pattern_names_the_releases_and_all_hosts_are_named() -> None:
    (finding,) = (one for one in CATALOGUE.findings if one.id == "cpp-and-go-have-no-guard")
    made = issue_text(of_finding(finding, CATALOGUE.requirements), None, CATALOGUE.hosts, CATALOGUE.sdks)
    assert all(f"- Envoy {host.release}: `{host.build}`" in made.text for host in CATALOGUE.hosts)
    assert "- the SDK for Go of Envoy 1.39.0 (commit 8eea3285d6bdb89f8ea34632cfe7ce1608a8f374)" in made.text
    assert "**Assessment**\n\nnone: it is not promised" in made.text


def test_requirements_of_findings_are_known() -> None:
    for one in CATALOGUE.findings:
        assert set(one.requirements) <= set(CATALOGUE.requirements), one.id


def test_every_record_has_a_text_that_asks_for_all_that_it_lacks() -> None:
    steps = load_steps(paths.STEPS_FILE)
    for record in CATALOGUE.known_failures:
        assert bool(of_known(record.id, steps.get(record.id)).lacks) is (record.id not in steps)
    for finding in CATALOGUE.findings:
        one = of_finding(finding, CATALOGUE.requirements)
        made = issue_text(one, steps.get(finding.id), CATALOGUE.hosts, CATALOGUE.sdks)
        assert len(made.lacks) == made.text.count("[to add: ")
        assert bool(made.lacks) is (finding.id not in steps)


@pytest.mark.parametrize("code", [ExitCode.OK, ExitCode.FAIL])
def test_the_command_prints_a_text(code: ExitCode, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if code is ExitCode.FAIL:
        monkeypatch.setattr("dmconform.spec.steps.load_steps", lambda _: {})
    assert main(["findings", "--issue", "truncated-module-ends-host"]) == code
    printed = capsys.readouterr()
    assert printed.out.startswith("**Title**: dynamic modules: ")
    assert (code is ExitCode.OK) is ("[to add: " not in printed.out)
    assert printed.out.count("[to add: ") == printed.err.count("dmconform: the text lacks ")
    assert "last done on 2026-11-30" in printed.err


def test_the_command_names_the_report_that_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    name = "cpp-sdk-1.39-skips-responses-of-envoy"
    assert main(["findings", "--issue", name]) == ExitCode.OK
    printed = capsys.readouterr()
    assert printed.out == f"{name}: is reported, or was changed, there: https://github.com/envoyproxy/envoy/issues/46901\n"
    assert printed.err == ""


def test_an_unknown_id_is_refused_with_those_that_are_like_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["findings", "--issue", "truncated"]) == ExitCode.USAGE
    assert "unknown finding or known failure truncated: did you mean truncated-module-ends-host?" in capsys.readouterr().err
    assert main(["findings", "--issue", "fifo-stop-host"]) == ExitCode.USAGE
    assert "did you mean fifo-stops-host?" in capsys.readouterr().err
    assert main(["findings", "--issue", ""]) == ExitCode.USAGE
    with pytest.raises(SystemExit):
        main(["findings", "--issue", "fifo-stops-host", "--write"])
    assert "not allowed with argument" in capsys.readouterr().err

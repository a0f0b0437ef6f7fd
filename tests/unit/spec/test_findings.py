"""The page of findings is the one of the data, and the data make sense."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec
import pytest
from dmconform.cli.main import parse
from dmconform.cli.pages import findings_text
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.values import CellId, Outcome
from dmconform.hosts.selection import select_hosts
from dmconform.report.findings import of_known_failure
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.expectations import KnownFailure
from dmconform.spec.findings import Finding, load_findings
from dmconform.spec.inconsistencies import CellIndex
from dmconform.spec.listing import Selectors, listing
from dmconform.spec.selectors import select_cases, select_sdks

from tests.checkout import ROOT
from tests.recorded import assert_page

CATALOGUE = load_catalogue()
KNOWN = {one.id for one in CATALOGUE.known_failures}
FINDINGS = load_findings(paths.FINDINGS_DATA, KNOWN)


def test_the_page_is_the_one_of_the_data() -> None:
    assert_page("docs/findings.md", findings_text(CATALOGUE), "dmconform findings --write")


def test_every_finding_and_every_known_failure_has_its_section_and_anchor() -> None:
    page = findings_text(CATALOGUE)
    for name in (*KNOWN, *(one.id for one in FINDINGS.finding)):
        assert page.count(f'<a id="{name}"></a>') == 1
    assert page.count("- **To see it:** ") == len(KNOWN) + len(FINDINGS.finding)


def test_ten_are_the_most_important_each_once() -> None:
    assert len(FINDINGS.most_important) == len(set(FINDINGS.most_important)) == 10


@pytest.mark.parametrize("finding", [one for one in FINDINGS.finding if one.reproduce], ids=lambda one: one.id)
def test_a_command_names_what_there_is(finding: Finding) -> None:
    words = shlex.split(finding.reproduce or "")
    if words[0] != "dmconform":
        assert (ROOT / words[-1].partition("::")[0]).exists(), finding.reproduce
        return
    arguments = vars(parse(words[1:]))
    select_hosts(arguments.get("host") or (), CATALOGUE.hosts)
    select_sdks(arguments.get("sdk") or (), CATALOGUE.sdks)
    select_cases(arguments.get("case") or (), CATALOGUE.cases)
    if arguments["command"] == "run":
        for host in arguments["host"]:
            selectors = Selectors((host,), tuple(arguments["sdk"]), tuple(arguments["case"]), arguments["everywhere"])
            assert listing("cells", selectors, CATALOGUE).cells, host
    if arguments.get("cell"):
        assert str(CellId.parse(arguments["cell"])) in CATALOGUE.supported


def test_hosts_and_sdks_that_are_named_are_known() -> None:
    known = {host.release for host in CATALOGUE.hosts}
    for one in FINDINGS.finding:
        assert one.hosts == ("all",) or set(one.hosts) <= known, one.id
        for sdk in one.sdks:
            if "@" in sdk:
                select_sdks([sdk], CATALOGUE.sdks)


def test_a_known_failure_is_reported_by_its_record_and_its_cells() -> None:
    record = KnownFailure(
        "r",
        ("window/loads/rust@1.39:official/1.39.*", "window/loads/rust@1.39:official/1.40.0"),
        Outcome.FAIL,
        "x",
        "The SDK is at fault: it does <this>\nand that. More words.",
        "Seen there.",
    )
    reported = of_known_failure(record, CellIndex(CATALOGUE.supported), CATALOGUE.cases, CATALOGUE.requirements)
    assert reported.title == "It does <this> and that"
    titled = msgspec.structs.replace(record, title="Does this")
    assert (
        of_known_failure(titled, CellIndex(CATALOGUE.supported), CATALOGUE.cases, {**CATALOGUE.requirements}).title
        == "Does this"
    )
    assert reported.sdks == ("rust@1.39:official",)
    of_1_39 = tuple(host.release for host in CATALOGUE.hosts if str(host.version.minor) == "1.39")
    assert reported.hosts == (*of_1_39, "1.40.0")
    assert reported.how == "`dmconform reproduce window/loads/rust@1.39:official/1.40.0`"
    assert CATALOGUE.requirements["window.forward"].statement in reported.document


GOOD = """
[[finding]]
id = "a"
title = "t"
document = "d"
seen = "s"
hosts = ["all"]
sdks = ["all"]
fault = "host"
fault_reason = "r"
issue = "https://example.com/1"
reproduce = "dmconform run"
"""


@pytest.mark.parametrize(
    ("text", "inconsistency"),
    [
        (f"most_important = []\n{GOOD}{GOOD}", "duplicate id"),
        (f"most_important = []\n{GOOD}".replace('"a"', '"known"'), "or that of a known failure"),
        (f'most_important = ["b"]\n{GOOD}', "'b' is not an id"),
        (f"most_important = []\n{GOOD}".replace('"t"', '" "'), "title is empty"),
        (f"most_important = []\n{GOOD}".replace('["all"]', "[]"), "hosts is empty"),
        (f"most_important = []\n{GOOD}".replace('"host"', '"me"'), "me"),
        (f'most_important = []\n{GOOD}by_hand = "so"\n', "either reproduce or by_hand"),
        (f"most_important = []\n{GOOD}".replace("conform run", "conform run\\n"), "one command"),
        (
            f"most_important = []\n{GOOD}".replace("https://", "http://"),
            'a: expected issue = "https://…" or issue = "not reported"',
        ),
        (f'most_important = []\n{GOOD}workaround = " "\n', "workaround is empty"),
        (f"most_important = []\n{GOOD}looked_for = 2026-11-30\n", "a: looked_for is for"),
    ],
)
def test_a_bad_finding_is_refused(tmp_path: Path, text: str, inconsistency: str) -> None:
    path = tmp_path / "findings.toml"
    path.write_text(text)
    with pytest.raises(DataFileError, match=inconsistency):
        load_findings(path, {"known"})

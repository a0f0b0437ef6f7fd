"""Each known failure and each finding says where it is reported, or when no report was found. Reports repeat it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest
from dmconform.cli.pages import findings_text
from dmconform.core.errors import DataFileError
from dmconform.matrix.assemble import finding_entries, matched_records
from dmconform.report.findings import reported, title_of
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.expectations import KnownFailure
from dmconform.spec.findings import Finding
from dmconform.spec.issues import ADDRESS, NOT_REPORTED, check_issue, short_issue

from tests.unit.report_samples import KNOWN_FAILURE, known

CATALOGUE = load_catalogue()
RECORDS: tuple[KnownFailure | Finding, ...] = (*CATALOGUE.known_failures, *CATALOGUE.findings)
PATH = Path("records.toml")


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.id)
def test_a_record_names_a_page_or_the_day_on_which_none_was_found(record: KnownFailure | Finding) -> None:
    if record.issue == NOT_REPORTED:
        assert record.looked_for is not None
        assert date(2026, 11, 30) <= record.looked_for <= date.today()
    else:
        assert ADDRESS.fullmatch(record.issue)
        assert record.looked_for is None


@pytest.mark.parametrize(
    ("issue", "looked_for", "fault"),
    [
        ("", None, 'r: expected issue = "https://…" or issue = "not reported", found none'),
        ("http://example.com/1", None, "found 'http://example.com/1'"),
        ("https://example.com", None, "found 'https://example.com'"),
        ("https://example.com/", None, "found 'https://example.com/'"),
        ("https://example.com/a b", None, "found 'https://example.com/a b'"),
        ("#47544", None, "found '#47544'"),
        ("Not reported", date(2026, 11, 30), "found 'Not reported'"),
        (NOT_REPORTED, None, "r: not reported: expected looked_for, the day on which a report was looked for"),
        ("https://example.com/1", date(2026, 11, 30), "r: looked_for is for issue"),
    ],
)
def test_another_form_is_refused(issue: str, looked_for: date | None, fault: str) -> None:
    with pytest.raises(DataFileError) as raised:
        check_issue(PATH, "r", issue, looked_for)
    assert fault in str(raised.value)


def test_both_forms_are_taken() -> None:
    check_issue(PATH, "r", "https://github.com/envoyproxy/envoy/issues/47544", None)
    check_issue(PATH, "r", NOT_REPORTED, date(2026, 11, 30))


def test_a_page_is_named_shortly() -> None:
    assert short_issue("https://github.com/envoyproxy/envoy/issues/47544") == "envoyproxy/envoy#47544"
    assert short_issue("https://github.com/golang/go/pull/1#issuecomment-2") == "golang/go#1"
    assert short_issue("https://example.com/issues/1") == "https://example.com/issues/1"
    assert reported("https://github.com/a/b/pull/1", None) == "[a/b#1](https://github.com/a/b/pull/1)"
    assert reported(NOT_REPORTED, date(2026, 11, 30)) == "no report was found on 2026-11-30"


def test_the_page_has_all_of_it() -> None:
    page = findings_text(CATALOGUE)
    assert page.count("- **Reported:** ") == len(RECORDS)
    assert page.count("no report was found on ") == sum(one.issue == NOT_REPORTED for one in RECORDS)
    for one in RECORDS:
        assert one.issue == NOT_REPORTED or f"]({one.issue})" in page, one.id
        assert one.workaround is None or f"- **Workaround:** {one.workaround}" in page, one.id


def test_a_report_has_all_of_it() -> None:
    for one, entry in zip(CATALOGUE.findings, finding_entries(CATALOGUE), strict=True):
        assert (entry.issue, entry.looked_for, entry.workaround) == as_text(one)
    cells = [msgspec.structs.replace(known(), known_failure=one.id) for one in CATALOGUE.known_failures]
    for record, matched in zip(CATALOGUE.known_failures, matched_records(CATALOGUE.known_failures, cells), strict=True):
        assert (matched.issue, matched.looked_for, matched.workaround) == as_text(record)
        assert (matched.title, matched.cells) == (title_of(record), 1)
        assert matched.fault in ("host", "SDK", "language", "documents")


def as_text(one: KnownFailure | Finding) -> tuple[str, str, str]:
    return one.issue, str(one.looked_for or ""), one.workaround or ""


def test_a_merged_report_keeps_what_its_parts_say_of_a_record() -> None:
    (merged,) = matched_records([KNOWN_FAILURE, KNOWN_FAILURE], [known("a/one"), known("a/two")])[:1]
    assert (merged.id, merged.cells, merged.reason) == (KNOWN_FAILURE.id, 2, KNOWN_FAILURE.reason)


def test_what_the_documents_say_is_linked_on_the_page() -> None:
    page = findings_text(CATALOGUE)
    for one in CATALOGUE.findings:
        for name in one.requirements:
            assert f"[`{name}`]({CATALOGUE.requirements[name].link})" in page
    local = CATALOGUE.requirements["discovery.local_file"]
    assert f"{local.statement} ([`{local.id}`]({local.link}))" in page

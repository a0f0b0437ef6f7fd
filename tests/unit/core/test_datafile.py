"""A data file with a value or a key that there is not: the message lists those that there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.values import Feature
from dmconform.hosts.catalogue import load_hosts
from dmconform.report.answers.policy import load_policy
from dmconform.sdks.catalogue import load_sdks
from dmconform.spec.expectations import load_known_failures
from dmconform.spec.findings import load_findings

KNOWN = """
[[known]]
id = "one"
cells = ["window/loads/*"]
outcome = "fail"
detail = "x"
reason = "The host is at fault: so it is"
evidence = "a link"
issue = "https://example.com/1"
"""


def refused(path: Path, old: str, new: str, folder: Path) -> Path:
    """A copy of a data file with one text replaced."""
    text = path.read_text()
    assert old in text, f"expected {old!r} in {path}"
    copy = folder / path.parent.name / path.name
    copy.parent.mkdir(parents=True)
    copy.write_text(text.replace(old, new, 1))
    return copy


@pytest.mark.parametrize(
    ("file", "old", "new", "text"),
    [
        (
            paths.FINDINGS_DATA,
            'fault = "host"',
            'fault = "hosts"',
            "one of SDK, documents, host, language, none (nearest: host)",
        ),
        (
            paths.FINDINGS_DATA,
            'fault = "host"',
            'falt = "host"',
            "fault_reason, hosts, id, issue, looked_for, reproduce, requirements, sdks, seen, title, workaround (nearest",
        ),
        (
            paths.HOSTS_FILE,
            'abi_check = "warn"',
            'abi_check = "warm"',
            ".abi_check`; expected one of exact, warn (nearest: warn)",
        ),
        (paths.HOSTS_FILE, "default = true", "defalt = true", "(nearest: default)"),
        (
            paths.SDKS / "go/sdk.toml",
            'lacks = ["',
            'lacks = ["x',
            f"one of {', '.join(sorted(one.value for one in Feature))}",
        ),
        (paths.SDKS / "go/sdk.toml", 'language = "go"', 'language = "golang"', "one of cpp, go, rust"),
        (paths.SDKS / "go/sdk.toml", "panic_guard", "panic_gard", "(nearest: panic_guard)"),
        (paths.CONFORMANCE / "policies/host-release.toml", 'subject = "host"', 'subject = "hots"', "one of host, module, sdk"),
        (paths.CONFORMANCE / "policies/host-release.toml", 'sdk = "own"', 'sdk = "owns"', "own, previous"),
    ],
)
def test_what_there_is_is_listed(tmp_path: Path, file: Path, old: str, new: str, text: str) -> None:
    copy = refused(file, old, new, tmp_path)
    with pytest.raises(DataFileError) as error:
        if file == paths.FINDINGS_DATA:
            load_findings(copy)
        elif file == paths.HOSTS_FILE:
            load_hosts(copy)
        elif file.name == "sdk.toml":
            load_sdks(tmp_path)
        else:
            load_policy(copy)
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('"fail"', '"failed"', "; expected one of crash, error, fail, hang, not applicable, not tested, pass, rejected"),
        ('"fail"', '"pass"', "outcome 'pass' is not a failure; expected one of fail, crash, hang, rejected"),
        (
            "The host is",
            "The probe is",
            'as one of "The host is at fault: …", "The SDK is at fault: …", "The language is at fault',
        ),
    ],
)
def test_records_of_known_failures_say_what_they_take(tmp_path: Path, old: str, new: str, text: str) -> None:
    file = tmp_path / "known.toml"
    file.write_text(KNOWN)
    assert load_known_failures(file)
    file.write_text(KNOWN.replace(old, new))
    with pytest.raises(DataFileError) as error:
        load_known_failures(file)
    assert text in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        f"a{'.a' * 64} = 1",
        f"[a{' . a' * 64}]",
        f"""[[a{'."a b"' * 64}]]""",
        "a" + ".'a'" * 200_000 + " = 1",  # `tomllib` would take minutes
    ],
)
def test_a_key_of_many_parts_is_refused_before_it_is_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text)
    with pytest.raises(DataFileError, match="expected keys of up to 64 parts with dots between, there is a longer one"):
        load_policy(file)


def test_a_megabyte_of_blanks_is_no_work(tmp_path: Path) -> None:
    """It took minutes where the search for long keys began anew at each of them, and then the test's time-out."""
    file = tmp_path / "policy.toml"
    file.write_bytes(b" " * 1_000_000 + b"\xa0")
    with pytest.raises(DataFileError, match="can't decode byte 0xa0"):
        load_policy(file)


@pytest.mark.parametrize("text", [f"a{'.a' * 63} = 1", f'title = "{"It is so. " * 100}"', f"# {'...' * 100}"])
def test_what_is_no_such_key_is_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text)
    with pytest.raises(DataFileError, match=r"unknown field|missing required field"):
        load_policy(file)


def test_a_toml_file_of_more_than_a_mebibyte_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("# a comment\n" * 90_000)
    with pytest.raises(DataFileError, match="too large: expected at most 1 MiB"):
        load_policy(file)

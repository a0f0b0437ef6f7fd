"""What is known of a binary that is not the very one of a known release."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.core import paths
from dmconform.core.values import CellId, Host, Judgement, Outcome, Relation
from dmconform.hosts.catalogue import AbiCheck, Opens, load_hosts
from dmconform.matrix.host_record import offer_of, planned_host, record_of
from dmconform.spec.cells import PlannedCell
from dmconform.spec.expectations import KnownFailure
from dmconform.spec.judgement import judge

KNOWN = load_hosts(paths.HOSTS_FILE)


def named(build: str, *, host_id: str = "") -> Host:
    """A file that calls itself so."""
    release = build.split("/")[1]
    return Host(host_id or f"{release}~01234567", release, "/nowhere/envoy", "0" * 64, build, "file envoy")


@pytest.mark.parametrize(
    ("build", "record"),
    [
        ("9e5580/1.40.0/Clean/RELEASE/BoringSSL", "1.40.0"),
        ("ffffff/1.40.0/Clean/DEBUG/OpenSSL", "1.40.0"),  # whatever it is, it calls itself so
        ("9e5580/1.40.0/Modified/RELEASE/BoringSSL", None),
        ("0ebfcf/1.38.3/Modified/RELEASE/BoringSSL", "1.38.3"),
        ("0ebfcf/1.38.3/Clean/RELEASE/BoringSSL", None),  # the known binary of 1.38.3 is a modified build
        ("9e5580/1.40.0-dev/Clean/RELEASE/BoringSSL", None),
        ("9e5580/1.99.0/Clean/RELEASE/BoringSSL", None),
    ],
)
def test_a_binary_is_judged_by_the_record_of_what_it_calls_itself(build: str, record: str | None) -> None:
    found = record_of(named(build), KNOWN)
    assert (found.release if found else None) == record


def test_where_the_file_shows_nothing_the_record_does(tmp_path: Path) -> None:
    planned = planned_host(named("9e5580/1.40.0/Clean/RELEASE/BoringSSL"), None, KNOWN, tmp_path)
    known = next(one for one in KNOWN if one.release == "1.40.0")
    assert planned.known_as == "1.40.0"
    assert (planned.abi_version, planned.abi_check, planned.opens) == (known.abi_version, AbiCheck.WARN, Opens.NOW)
    assert planned.static_modules == known.static_modules
    offer = offer_of(planned, tmp_path)
    assert offer is not None
    assert (offer.release, offer.opens_now) == ("1.40.0", True)


def test_of_a_file_that_is_no_release_nothing_is_known(tmp_path: Path) -> None:
    planned = planned_host(named("9e5580/1.99.0/Clean/RELEASE/BoringSSL"), None, KNOWN, tmp_path)
    known = planned.known_as, planned.abi_version, planned.abi_check, planned.opens
    assert known == (None, None, None, None)
    assert offer_of(planned, tmp_path) is None


def test_a_known_failure_of_the_release_is_one_of_a_binary_that_calls_itself_so() -> None:
    record = KnownFailure("r", ("window/loads/*/1.40.0",), Outcome.FAIL, "seen", "The host is at fault: x.", "y", issue="z")
    cell = PlannedCell(CellId("window/loads", "cpp@1.40:reference", "1.40.0~01234567"), Relation.SUPPORTED, "")
    assert judge(cell, Outcome.FAIL, "seen", [record], (), known_as="1.40.0") == (Judgement.XFAIL, record)
    assert judge(cell, Outcome.FAIL, "seen", [record], ()) == (Judgement.FAIL, None)
    everywhere = msgspec.structs.replace(record, cells=("window/loads/*/1.40.*",))
    assert judge(cell, Outcome.FAIL, "seen", [everywhere], ()) == (Judgement.XFAIL, everywhere)

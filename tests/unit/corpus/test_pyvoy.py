"""What is on record of somebody else's module, and how a check is compared with it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from dmconform.check.result import HostVerdict
from dmconform.core import paths
from dmconform.hosts.catalogue import load_hosts

from tests.corpus.pyvoy.package import DEPENDENCIES
from tests.corpus.pyvoy.record import Version, Wheel, differences, hosts_of, load_versions, save_versions
from tests.unit.check_samples import check

WHEEL = Wheel("pyvoy-1.3.0-cp311-abi3-manylinux_2_28_x86_64.whl", "0a" * 32)
RECORDED = Version("1.3.0", "1.39.3", (WHEEL,), (), {"1.38.3": HostVerdict.BREAKS, "1.39.3": HostVerdict.WORKS})
DEFAULT = ("1.36.4", "1.40.0")


def test_all_that_is_on_record_can_be_verified_and_works_where_it_is_pinned() -> None:
    versions = load_versions()
    known = {host.release for host in load_hosts(paths.HOSTS_FILE)}
    assert len({one.version for one in versions}) == len(versions) >= 16
    for one in versions:
        assert one.wheels, one.version
        assert [wheel.name for wheel in one.wheels if f"-{one.version}-" not in wheel.name or len(wheel.sha256) != 64] == []
        assert one.verdicts.keys() <= known, one.version
        works = [release for release, verdict in one.verdicts.items() if verdict is HostVerdict.WORKS]
        assert works and (one.envoy is None or one.envoy in works), one.version


def test_a_check_as_recorded_does_not_differ() -> None:
    assert differences(RECORDED, check(("1.36.4", "1.39.0", "1.39.3"), sdk=("1.39",))) == [
        "Envoy 1.38.3: expected 'does not work', observed no verdict."
    ]
    whole = msgspec.structs.replace(RECORDED, verdicts={"1.36.4": HostVerdict.BREAKS, "1.39.3": HostVerdict.WORKS})
    assert differences(whole, check()) == [], "expected hosts that are not on record not to count"


def test_another_verdict_another_sdk_and_a_pinned_host_that_fails() -> None:
    broken = msgspec.structs.replace(
        RECORDED, envoy="1.40.0", sdk=("1.38",), verdicts={"1.36.4": HostVerdict.WORKS, "1.39.3": HostVerdict.WORKS}
    )
    first, pinned, sdk = differences(broken, check())
    assert first.startswith("Envoy 1.36.4: expected 'works', observed 'does not work'. ")
    assert "undefined symbol" in first
    assert pinned == "Envoy 1.40.0, which it pins: expected 'works', observed 'does not work'"
    assert sdk == "SDK: expected 1.38, observed 1.39"


def test_hosts_are_the_default_ones_the_pinned_one_and_those_on_record() -> None:
    assert hosts_of(RECORDED, DEFAULT) == ("1.36.4", "1.38.3", "1.39.3", "1.40.0")
    assert hosts_of(msgspec.structs.replace(RECORDED, envoy=None, verdicts={}), DEFAULT) == DEFAULT


def test_a_record_is_written_as_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "versions.json"
    save_versions((RECORDED,), file)
    assert load_versions(file) == (RECORDED,)


def test_what_it_imports_is_pinned_by_hash() -> None:
    wanted = DEPENDENCIES.with_suffix(".in").read_text().splitlines()
    pinned = DEPENDENCIES.read_text()
    assert [line for line in wanted if not line.startswith("#") and f"{line}==" not in pinned] == []
    assert pinned.count("==") <= pinned.count("--hash=sha256:")

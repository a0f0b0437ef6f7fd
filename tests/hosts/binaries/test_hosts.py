"""What is read out of real Envoys and real probes, against the data in the repository and what Envoys say when they run."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from _pytest.outcomes import Failed
from dmconform.abi.loading import load_abi
from dmconform.binaries.facts import Binding, HostFacts, Known, StaticKind
from dmconform.binaries.known import EXPORTS_FILE, known_host_facts, recorded_exports
from dmconform.binaries.read import read_host, read_modules
from dmconform.binaries.verdict import static_verdict
from dmconform.core import paths
from dmconform.core.values import CellId, Host, Load, Relation, sdk_parts
from dmconform.hosts.catalogue import AbiCheck, KnownHost, Opens, load_hosts
from dmconform.hosts.obtain import from_release
from dmconform.matrix.cell import Cell, listener
from dmconform.matrix.plan import Plan
from dmconform.matrix.run_cell import run_cell
from dmconform.measure.new_host import entry_of
from dmconform.spec.cells import PlannedCell
from filelock import FileLock

from tests.recorded import assert_recorded

pytestmark = pytest.mark.host
HOSTS = load_hosts(paths.HOSTS_FILE)
NEWEST = next(host.release for host in reversed(HOSTS) if host.default)
OTHER_PATCH = "1.36.2"  # whose callbacks differ from those of its minor's other patches
REFUSING = "1.37.0"  # the newest that refuses other ABI strings
_MESSAGE = re.compile(r"Dynamic module ABI version (\S+) (?:matched|is deprecated)")


def _cached(known: KnownHost) -> bool:
    return (paths.cache_folder() / "hosts" / f"envoy-{known.release}-{known.binary_sha256[:16]}").exists()


@pytest.mark.parametrize("known", HOSTS, ids=lambda known: known.release)
def test_the_data_about_a_release_is_what_its_binary_says(known: KnownHost) -> None:
    if not (known.default or known.release == OTHER_PATCH or _cached(known)):
        pytest.skip(f"Envoy {known.release} is not in the cache, and only the default releases are worth a download here")
    host = from_release(known, paths.cache_folder(), print)
    read = read_host(Path(host.binary))
    fix = f"dmconform hosts add {known.release} --quick --write"
    assert_recorded(paths.HOSTS_FILE, known.release, known, measured_entry(known, host, read), fix)
    exports = {"names": recorded_exports().of(known.release)}
    assert_recorded(EXPORTS_FILE, known.release, exports, {"names": read.other_exports}, fix)
    # What the data come to, put together.
    complete = msgspec.structs.replace(read, opens_now=known.opens is Opens.NOW)
    assert_recorded(
        "harness/dmconform/binaries/known.py", known.release, known_host_facts(known.release), complete, "fix that code"
    )


def measured_entry(known: KnownHost, host: Host, read: HostFacts) -> KnownHost:
    """The entry as the binary tells it, but for how it opens modules (see test_opens) and whether it is a default."""
    measured = entry_of(host, known.wheel, read, load_abi(paths.ABI, str(known.version.minor)), known.opens)
    return msgspec.structs.replace(measured, default=known.default)


def test_a_wrong_entry_is_named_with_its_key() -> None:
    known = next(host for host in HOSTS if host.release == NEWEST)
    host = from_release(known, paths.cache_folder(), print)
    read = read_host(Path(host.binary))
    callback = min(read.callbacks)
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "build": ({"build": "0/1.40.0/Clean"}, "build: recorded '0/1.40.0/Clean', measured '9e5580933739"),
        "abi_check": ({"abi_check": AbiCheck.EXACT}, "abi_check: recorded 'exact', measured 'warn'"),
        "lacks": ({"lacks": (callback,)}, f"lacks: recorded and not measured: {callback}"),
        "static_modules": ({"static_modules": ()}, "static_modules: measured and not recorded: hickory_dns_static"),
    }
    for change, line in wrong.values():
        recorded = msgspec.structs.replace(known, **change)
        with pytest.raises(Failed) as failed:
            assert_recorded(paths.HOSTS_FILE, NEWEST, recorded, measured_entry(recorded, host, read), "do so")
        reported = str(failed.value).splitlines()
        assert reported[0] == f"conformance/hosts.toml, {NEWEST}: 1 differences"
        assert reported[1].startswith(f"  conformance/hosts.toml, {NEWEST}, {line}")
        assert reported[2:] == ["fix: do so"]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The probes of all reference SDKs on two hosts; what the cache lacks is downloaded and built."""
    from dmconform.matrix.prepare import Selection, prepare
    from dmconform.spec.catalogue import load_catalogue

    base = tmp_path_factory.getbasetemp()
    with FileLock((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "prepare.lock"):
        made = prepare(
            load_catalogue(), Selection((REFUSING, NEWEST), ("*@*:reference",)), tmp_path_factory.mktemp("plan")
        ).plan
    problems = [sdk.problem for sdk in made.sdks if sdk.problem] + [host.problem for host in made.hosts if host.problem]
    assert not problems, f"expected all reference SDKs and two hosts to be had: {problems}"
    return made


def test_the_probes_facts_are_what_envoys_see(plan: Plan, upstream_port: int) -> None:
    """ABI string, verdict and missing symbols of every reference probe, against two hosts that load it."""
    found = dict(
        zip((sdk.id for sdk in plan.sdks), read_modules([Path(sdk.modules["probe"].path) for sdk in plan.sdks]), strict=True)
    )
    assert len(found) == 12

    def load(cell: Cell) -> None:
        cell.install()
        with cell.start_anyhow(listener("identity"), search_path=cell.modules_folder) as envoy:
            output = _MESSAGE.search(envoy.printed())
            cell.facts["abi"] = output[1] if output else "nothing said"

    verdicts: set[StaticKind] = set()
    for sdk, facts in found.items():
        language = sdk_parts(sdk)[0]
        assert (facts.problem, facts.language) == (None, language)
        assert facts.abi_version_known is (Known.INFERRED if language == "go" else Known.READ)
        assert (facts.binding, facts.nodelete) == ((Binding.LAZY, True) if language == "go" else (Binding.NOW, False))
        for release in (REFUSING, NEWEST):
            host = known_host_facts(release)
            assert host is not None
            verdict = static_verdict(facts, host)
            verdicts.add(verdict.kind)
            result = run_cell(
                plan, PlannedCell(CellId("self/static", sdk, release), Relation.UNSUPPORTED, ""), upstream_port, load
            )
            seen = result.probe_load
            expected = Load.REFUSED if verdict.kind is StaticKind.REFUSED else Load.LOADED
            assert seen.load is expected, (sdk, release, verdict, result)
            assert seen.symbol is None or seen.symbol in verdict.missing, (sdk, release, verdict, result)
            if release == NEWEST:
                assert result.facts["abi"] == facts.abi_version, (sdk, facts.abi_version_known)
    assert verdicts == {StaticKind.LOADS, StaticKind.REFUSED}, "expected these two hosts to take some and to refuse some"

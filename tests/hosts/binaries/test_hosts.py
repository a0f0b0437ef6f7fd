"""What is read out of real Envoys and real probes, against the data in the repository and what Envoys say when they run."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest
from dmconform.binaries.facts import Binding, Known, StaticKind
from dmconform.binaries.known import known_host_facts
from dmconform.binaries.read import read_host, read_modules
from dmconform.binaries.verdict import static_verdict
from dmconform.core import paths
from dmconform.core.values import CellId, Load, Relation, sdk_parts
from dmconform.hosts.catalogue import KnownHost, Opens, load_hosts
from dmconform.hosts.obtain import from_release
from dmconform.matrix.cell import Cell, listener
from dmconform.matrix.plan import Plan
from dmconform.matrix.run_cell import run_cell
from dmconform.spec.cells import PlannedCell
from filelock import FileLock

pytestmark = pytest.mark.host
HOSTS = load_hosts(paths.HOSTS_FILE)
NEWEST = next(host.release for host in reversed(HOSTS) if host.default)
OTHER_PATCH = "1.36.2"  # whose callbacks differ from those of its minor's other patches
REFUSING = "1.37.0"  # the newest that refuses other ABI strings
_SAID = re.compile(r"Dynamic module ABI version (\S+) (?:matched|is deprecated)")


def _cached(known: KnownHost) -> bool:
    return (paths.cache_folder() / "hosts" / f"envoy-{known.release}-{known.binary_sha256[:16]}").exists()


@pytest.mark.parametrize("known", HOSTS, ids=lambda known: known.release)
def test_the_data_about_a_release_is_what_its_binary_says(known: KnownHost) -> None:
    if not (known.default or known.release == OTHER_PATCH or _cached(known)):
        pytest.skip(f"Envoy {known.release} is not in the cache, and only the default releases are worth a download here")
    binary = Path(from_release(known, paths.cache_folder(), print).binary)
    # How it opens modules is measured at run time: the binary alone does not tell.
    read = msgspec.structs.replace(read_host(binary), opens_now=known.opens is Opens.NOW)
    assert read == known_host_facts(known.release)


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
            said = _SAID.search(envoy.log())
            cell.facts["abi"] = said[1] if said else "nothing said"

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

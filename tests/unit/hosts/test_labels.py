"""A modified build is marked wherever a result of it is shown."""

from __future__ import annotations

import pytest
from dmconform.abi.fault_reactions import load_faults
from dmconform.abi_diff.operands import load_operand
from dmconform.core import paths
from dmconform.core.values import Relation
from dmconform.hosts.catalogue import load_hosts
from dmconform.measure.differential.compare_hosts import ComparedHosts, DifferentialTest
from dmconform.measure.differential.present import as_markdown, print_swept
from dmconform.measure.faults.page import faults_page
from dmconform.spec.findings import load_findings
from rich.console import Console

MARK = "1.38.3 (modified build)"


def test_in_the_sides_of_an_abi_comparison() -> None:
    assert load_operand("1.38.3").label == f"Envoy {MARK}"
    assert load_operand("1.39.0").label == "Envoy 1.39.0"


def test_the_data_of_1_38_were_measured_on_a_clean_build() -> None:
    assert load_operand("1.38").release == "1.38.2"


def test_in_the_tables_of_the_differential_test(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = tuple(ComparedHosts("1.38", host, Relation.SUPPORTED, 1, 1, 0, ()) for host in ("1.38.2", "1.38.3"))
    compared = DifferentialTest(pairs, (), 0.0)
    assert f"| 1.38 | {MARK} | supported |" in as_markdown(compared) and "| 1.38 | 1.38.2 | supported |" in as_markdown(
        compared
    )
    print_swept(compared, Console(width=200))
    assert MARK in capsys.readouterr().out


def test_in_the_table_of_faults() -> None:
    faults = load_faults()
    assert "\n1.38.3 is a modified build: " in faults_page(faults)
    assert faults_page(faults).count("is a modified build") == 1


def test_no_finding_of_a_minor_rests_on_a_modified_build_alone() -> None:
    known = {host.release: host for host in load_hosts(paths.HOSTS_FILE)}
    alone = []
    for finding in load_findings(paths.FINDINGS_DATA).finding:
        hosts = [known[name] for name in finding.hosts if name in known]
        clean = {host.version.minor for host in hosts if not host.is_modified}
        alone += [(finding.id, host.release) for host in hosts if host.is_modified and host.version.minor not in clean]
    assert alone == [], "expected a clean host of the minor beside it: try the finding there"

"""A release that does not exist yet needs data only: the binary of 1.40.0 under the name of 1.41.0, an entry, and its ABI data.

No file of Python is changed: the harness is copied as it is, and what it makes of the new release follows from the promises.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.errors import ExitCode
from dmconform.core.values import Outcome
from dmconform.hosts.catalogue import load_hosts
from dmconform.matrix.plan import Plan

from tests.checkout import ROOT
from tests.hosts.project import Done, Project, report_in

pytestmark = pytest.mark.host

NOW, NEXT = "1.40.0", "1.41.0"
HOSTS, ABI = "conformance/hosts.toml", "conformance/abi"
LOADS = ("--case", "window/loads", "--host", NEXT)
FROZEN = ("1.38", "1.39", "1.40")  # minors of SDKs
POLICY = """\
title = "An Envoy of ours"
question = "Do the modules of the reference SDKs load?"
subject = "host"
sdks = ["own", "previous", "older"]
own_may_be_unknown = true
providers = ["reference"]
cases = ["window/loads"]
"""


@dataclass(frozen=True)
class Suite:
    """A copy of the suite that knows the next release, and a cache that has it."""

    project: Project
    cache: Path

    def dmconform(self, *words: str | Path) -> Done:
        return self.project.dmconform(*words, environment={"DMCONFORM_CACHE": str(self.cache)})


def renamed_binary(known: Path, folder: Path) -> str:
    """Writes a binary that says it is the next release, where the cache has its hosts; returns its hash."""
    data = known.read_bytes()
    assert data.count(NOW.encode()) == 1, "expected the release to be in the binary once, as what --version prints"
    data = data.replace(NOW.encode(), NEXT.encode())
    digest = hashlib.sha256(data).hexdigest()
    file = folder / f"envoy-{NEXT}-{digest[:16]}"
    file.write_bytes(data)
    file.chmod(0o755)
    return digest


def cache_with(known: Path, folder: Path) -> tuple[Path, str]:
    """A cache whose content is that of the real one, and the renamed binary besides."""
    real = paths.cache_folder()
    (folder / "hosts").mkdir(parents=True)
    for place in (real, real / "hosts"):
        for one in place.iterdir():
            if one != real / "hosts":
                (folder / one.relative_to(real)).symlink_to(one)
    return folder, renamed_binary(known, folder / "hosts")


def add_data(project: Project, digest: str) -> None:
    """The whole work for a new minor: an entry in hosts.toml, and its ABI data."""
    file = project.folder / HOSTS
    text = file.read_text()
    entry = next(part for part in text.split("[[host]]")[1:] if f'release = "{NOW}"' in part)
    entry = re.sub(r'binary_sha256 = "\w+"', f'binary_sha256 = "{digest}"', entry.replace(NOW, NEXT))
    file.write_text(f"{text}\n[[host]]{entry}")
    abi = json.loads((project.folder / ABI / "1.40.json").read_text())
    assert (abi["envoy"], abi["measured_on"]) == ("1.40", NOW)
    (project.folder / ABI / "1.41.json").write_text(json.dumps(abi | {"envoy": "1.41", "measured_on": NEXT}))


def python_of(folder: Path) -> Mapping[str, bytes]:
    """All Python of a copy of the suite."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for name in ("harness", "conformance")
        for path in (folder / name).rglob("*.py")
    }


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    folder = tmp_path_factory.mktemp("next")
    known = next(one for one in load_hosts(ROOT / HOSTS) if one.release == NOW)
    binary = paths.cache_folder() / "hosts" / f"envoy-{NOW}-{known.binary_sha256[:16]}"
    if not binary.exists():
        done = Project(ROOT).dmconform(
            "run", "--host", NOW, "--sdk", "cpp@1.40:reference", "--case", "window/loads", "--out", folder / "now"
        )
        assert binary.exists(), done
    cache, digest = cache_with(binary, folder / "cache")
    project = Project.copy(folder / "project")
    add_data(project, digest)
    assert python_of(project.folder) == python_of(ROOT), "expected data only to be changed"
    return Suite(project, cache)


def test_the_promise_follows_from_the_data(suite: Suite) -> None:
    done = suite.dmconform("list", "cells", "--json", *LOADS)
    assert done.exit_code == ExitCode.OK, done
    promised = {one["sdk"]: (one["relation"], tuple(one["promises"])) for one in json.loads(done.printed)["cells"]}
    for language in ("cpp", "go", "rust"):
        for provider in ("official", "reference"):
            assert promised[f"{language}@1.37:{provider}"] == ("unsupported", ())
            for minor in FROZEN:
                assert promised[f"{language}@{minor}:{provider}"] == ("supported", ("frozen",))


def test_a_run_the_gate_and_a_page_on_the_next_release(suite: Suite, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    out = tmp_path / "report"
    done = suite.dmconform("run", *LOADS, "--sdk", "cpp@1.38..1.40:reference", "--out", out)
    assert done.exit_code == ExitCode.OK, done
    report = report_in(out)
    assert [host.id for host in report.hosts] == [NEXT]
    assert {cell.sdk: (cell.outcome, cell.promises) for cell in report.cells} == {
        f"cpp@{minor}:reference": (Outcome.PASS, ("frozen",)) for minor in FROZEN
    }
    gate = suite.dmconform("gate", out, "--policy", policy, "--host", NEXT)
    assert gate.exit_code == ExitCode.ERROR, gate
    assert "the report has no supported cell of go@1.38:reference" in gate.printed
    assert f"on Envoy {NEXT}" in gate.printed

    whole = tmp_path / "whole"
    done = suite.dmconform("run", *LOADS, "--sdk", "*@1.38..1.40:reference", "--out", whole)
    assert done.exit_code == ExitCode.OK, done
    gate = suite.dmconform("gate", whole, "--policy", policy, "--host", NEXT)
    assert gate.exit_code == ExitCode.OK, gate
    assert "may be released" in gate.printed


@pytest.mark.parametrize("minor", ["1.38", "1.39"])
def test_check_tries_the_next_release_and_counts_it(everything: Plan, suite: Suite, minor: str) -> None:
    module = next(
        Path(sdk.modules["probe"].path)
        for sdk in (*everything.sdks, *everything.companions)
        if sdk.id == f"cpp@{minor}:reference"
    )
    done = suite.dmconform("check", module, "--filter-name", "transform", "--sdk-minor", minor, "--host", NEXT)
    assert done.exit_code == ExitCode.OK, done
    (row,) = (line for line in done.printed.splitlines() if line.startswith(f" {NEXT} "))
    assert "supported" in row
    assert "works" in row
    assert "1.40 and later (frozen)" in done.printed
    assert f'maxEnvoyVersion: "{NEXT}"' in done.printed


def test_the_abi_of_the_next_release_is_compared(suite: Suite) -> None:
    done = suite.dmconform("abi", "diff", "1.40", "1.41")
    assert done.exit_code == ExitCode.OK, done
    done = suite.dmconform("abi", "findings", "--format", "json")
    pairs = {(one["sdk_minor"], one["host_minor"]) for one in json.loads(done.printed)["pairs"]}
    assert {("1.38", "1.41"), ("1.39", "1.41"), ("1.40", "1.41")} <= pairs

"""What is fuzzed: readers of strangers' files, each with what it may raise and what it begins with.

A reader that raises anything else, or takes too long or too much memory, has a defect.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
from dmconform.binaries.child import answer
from dmconform.binaries.kinds import ProblemKind
from dmconform.binaries.messages import ReadAs, ReadJob
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.hosts.catalogue import load_hosts, load_not_available
from dmconform.release.gate.module import read_check
from dmconform.report.answers.policy import load_policy
from dmconform.report.reading import read_report
from dmconform.spec.expectations import load_known_failures
from dmconform.spec.findings import load_findings

from tests.unit import elf_samples, report_samples
from tests.unit.check_samples import check
from tests.unit.elf_samples import INIT, Sample, Wanted

CORPUS: Final = Path(__file__).parent / "corpus"
"""Files that once showed a defect, in a folder for each target."""
PLANTED: Final = "DMCONFORM_FUZZ_PLANTED"
"""A variable; where it is set, the readers have a defect, to see that it is found."""
_ELF: Final = (ReadAs.MODULE, ReadAs.HOST, ReadAs.EXPORTS, ReadAs.VERSIONS)


@dataclass(frozen=True)
class Target:
    """A kind of file, with its readers and files to begin with."""

    read: Callable[[Path], None]
    seeds: Callable[[], Iterator[bytes]]

    def corpus(self, name: str) -> list[bytes]:
        """The files to begin with: good ones, and those that once showed a defect."""
        return [*self.seeds(), *(path.read_bytes() for path in sorted((CORPUS / name).glob("*")))]

    def run(self, path: Path) -> None:
        """Reads a file with all readers; what it raises is a defect."""
        if os.environ.get(PLANTED) and has_planted(path.stat().st_size):
            raise IndexError("the defect that was planted")
        self.read(path)


def has_planted(size_bytes: int) -> bool:
    """Whether a file of this size shows the defect that was planted."""
    return size_bytes % 64 == 5


def _read_elf(path: Path) -> None:
    for what in _ELF:
        found = answer(ReadJob(what), path)
        # The child turns what it did not expect into this problem, so that the tool goes on.
        assert found.problem_kind is not ProblemKind.READER, f"{what.value}: {found.problem}"


def _elf_seeds() -> Iterator[bytes]:
    small = Sample(
        defined=(INIT, "envoy_dynamic_module_on_http_filter_new"),
        wanted=(Wanted("envoy_dynamic_module_callback_log"), Wanted("malloc", version="GLIBC_2.2.5", called=False)),
        soname="libseed.so",
        versions=("OWN_1",),
        abi="v0.1.0",
    )
    yield elf_samples.write(small)
    yield elf_samples.write(replace(small, gnu_hash=False, versions=()))
    yield elf_samples.write(replace(small, machine=elf_samples.AARCH64))


def _refused(*readers: Callable[[Path], object]) -> Callable[[Path], None]:
    """A target's reading by all of some readers, each of which may refuse the file."""

    def read(path: Path) -> None:
        for one in readers:
            with contextlib.suppress(DataFileError):
                one(path)

    return read


def _json_seeds() -> Iterator[bytes]:
    yield msgspec.json.encode(report_samples.report([report_samples.broken(), report_samples.known()]))
    yield msgspec.json.encode(report_samples.hostile_report())
    yield msgspec.json.encode(check())
    for version in (1, 2, 3):
        yield f'{{"schema_version": {version}, "cells": [], "hosts": [], "sdks": []}}'.encode()


def _toml_seeds() -> Iterator[bytes]:
    for path in (
        paths.KNOWN_FAILURES_FILE,
        paths.FINDINGS_DATA,
        paths.HOSTS_FILE,
        *(paths.CONFORMANCE / "policies").glob("*.toml"),
    ):
        text = path.read_text(encoding="utf-8")
        yield text.encode() if len(text) < _SEED_BYTES else text[: text.rindex("\n[[", 0, _SEED_BYTES)].encode()


_SEED_BYTES: Final = 4000
TARGETS: Final = {
    "elf": Target(_read_elf, _elf_seeds),
    "report": Target(_refused(read_report, read_check), _json_seeds),
    "toml": Target(_refused(load_known_failures, load_findings, load_hosts, load_not_available, load_policy), _toml_seeds),
}

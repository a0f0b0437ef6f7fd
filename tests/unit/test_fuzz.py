"""The fuzzing of the readers finds a defect that is planted, and has good files to begin with."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest

from tests.fuzz import driver
from tests.fuzz.__main__ import fuzzed
from tests.fuzz.targets import CORPUS, TARGETS, has_planted


@pytest.mark.parametrize("target", TARGETS)
def test_a_planted_defect_is_found(target: str, tmp_path: Path) -> None:
    assert fuzzed(target, 10, 1, tmp_path / "files", planted=True) != 0
    (found,) = (tmp_path / "files").glob("found-*")
    assert has_planted(found.stat().st_size)


@pytest.mark.parametrize("target", TARGETS)
def test_all_that_it_begins_with_is_read(target: str, tmp_path: Path) -> None:
    corpus = TARGETS[target].corpus(target)
    assert len(corpus) >= 3
    for data in corpus:
        assert len(data) <= driver.LARGEST_BYTES
        assert not has_planted(len(data)), "expected a defect that is found by changing files"
        path = tmp_path / "file"
        path.write_bytes(data)
        TARGETS[target].run(path)


def test_the_corpus_is_of_targets() -> None:
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} <= set(TARGETS)


def test_the_same_seed_makes_the_same_files() -> None:
    corpus = TARGETS["elf"].corpus("elf")
    first, again = (list(islice(driver.mutants(random.Random(7), corpus), 100)) for _ in range(2))
    assert first == again
    assert len(set(first)) > 50

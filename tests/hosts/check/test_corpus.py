"""What `dmconform check` says of each file of the corpus, read and run, is what somebody has read and kept."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.built import probes_of
from tests.corpus.catalogue import ENTRIES, Entry
from tests.corpus.golden import COLUMNS, GOLDEN, golden_file, transcript
from tests.corpus.making import Workplace

pytestmark = pytest.mark.host

UPDATE = "python -m tests.corpus.update {} writes it anew; read the change before keeping it"


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """What makes the files; the probes are built only where one is asked for."""

    def probes() -> Mapping[str, Path]:
        return probes_of(request.getfixturevalue("everything"))

    return Workplace(tmp_path_factory.mktemp("corpus"), probes)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_verdicts_and_texts(entry: Entry, place: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", COLUMNS)
    temporary, folder = tmp_path / "temporary", tmp_path / "made"
    temporary.mkdir()
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert golden_file(entry).exists(), UPDATE.format(entry.id)
    assert transcript(entry, place, folder) == golden_file(entry).read_text(encoding="utf-8"), UPDATE.format(entry.id)
    assert not list(temporary.iterdir()), "expected nothing to be left behind"


def test_each_expected_text_is_of_a_file_of_the_corpus() -> None:
    assert {file.name for file in GOLDEN.iterdir()} == {golden_file(entry).name for entry in ENTRIES}

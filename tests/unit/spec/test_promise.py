"""What is promised follows from the data alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.values import Relation
from dmconform.core.versions import Minor
from dmconform.spec.cases import load_requirements
from dmconform.spec.promise import load_promises, promised, supported_in_words

ALL = load_promises(paths.PROMISES_FILE)
WINDOW_ALONE = tuple(one for one in ALL if one.id != "frozen")


@pytest.mark.parametrize(
    ("sdk", "host", "ids"),
    [
        ("1.36", "1.36", ("exact",)),
        ("1.37", "1.38", ()),
        ("1.38", "1.37", ()),
        ("1.38", "1.38", ("window",)),
        ("1.38", "1.39", ("window",)),
        ("1.38", "1.40", ("frozen",)),
        ("1.39", "1.40", ("window", "frozen")),
        ("1.40", "1.40", ("frozen",)),
        ("1.39", "1.41", ("frozen",)),
        ("1.41", "1.40", ()),
        ("1.44", "1.52", ("frozen",)),
    ],
)
def test_a_pair_names_every_promise_that_covers_it(sdk: str, host: str, ids: tuple[str, ...]) -> None:
    assert promised(Minor.parse(sdk), Minor.parse(host)).ids == ids


def test_a_reader_of_the_older_document_sees_the_window_alone() -> None:
    assert promised(Minor(1, 38), Minor(1, 40), WINDOW_ALONE).relation is Relation.UNSUPPORTED
    assert promised(Minor(1, 39), Minor(1, 40), WINDOW_ALONE).ids == ("window",)
    assert promised(Minor(1, 38), Minor(1, 40)).relation is Relation.SUPPORTED


def test_what_is_promised_in_words() -> None:
    assert supported_in_words(Minor(1, 37)) == ""
    assert supported_in_words(Minor(1, 38)) == "1.38, 1.39 (window); 1.40 and later (frozen)"
    assert supported_in_words(Minor(1, 41)) == "1.41 and later (frozen)"


def test_each_promise_is_a_sentence_of_the_documents() -> None:
    requirements = load_requirements(paths.SPEC_FILE)
    assert {one.requirement for one in ALL} <= set(requirements)


GOOD = '[[promise]]\nid = "a"\ntitle = "t"\nrequirement = "r"\ngates = true\n'


@pytest.mark.parametrize(
    ("text", "inconsistency"),
    [
        (GOOD + GOOD, "duplicate id 'a'"),
        (GOOD + "reach = -1\n", "expected 0 or more"),
        (GOOD + 'hosts = { since = "1.40", until = "1.39" }\n', "holds since 1.40, which is after 1.39"),
        (GOOD + 'sdks = { since = "new" }\n', "a: 'new' is not a minor version"),
        (GOOD.replace("true", "false"), "nothing could fail"),
        (GOOD + "gate = 1\n", "gate"),
    ],
)
def test_a_bad_promise_is_refused(tmp_path: Path, text: str, inconsistency: str) -> None:
    path = tmp_path / "promises.toml"
    path.write_text(text)
    with pytest.raises(DataFileError, match=inconsistency):
        load_promises(path)

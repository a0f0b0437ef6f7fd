"""How many mutant hosts the cases notice: `conformance/mutation_score.json`, which `./toxw -e mutants -- --write` measures."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dmconform.core.datafile import load_json


class AreaScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mutants of an area that count, and how many of them are noticed on every host that they concern.

    `equivalent` are further ones, which nothing can notice.
    """

    area: str
    noticed: int
    total: int
    equivalent: int


class MutationScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last complete measurement: on which hosts, with how many trials, by area."""

    hosts: tuple[str, ...]
    trials: int
    areas: tuple[AreaScore, ...]


def load_mutation_score(file: Path) -> MutationScore:
    """Reads the score.

    Raises:
        DataFileError: the file is not of its format.
    """
    return load_json(file, MutationScore)


def mutation_score_json(score: MutationScore) -> bytes:
    """Returns the text of the file."""
    return msgspec.json.format(msgspec.json.encode(score), indent=1) + b"\n"

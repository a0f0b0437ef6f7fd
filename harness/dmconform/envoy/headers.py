"""Headers and trailers as they are on the wire: names and values in their order, a name perhaps more than once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

Given = Mapping[str, str] | Iterable[tuple[str, str]]
"""Headers as a caller writes them: a mapping, or pairs of name and value where a name comes twice."""


class Headers(Mapping[str, str]):
    """Pairs of name and value, which can be read like a mapping; of several values of a name that shows the last one.

    Equal to others, or to a plain mapping, that have the same values in the same order for each name.
    """

    __slots__ = ("pairs",)

    def __init__(self, given: Given = ()) -> None:
        """Keeps names as they are written; those of answers and records are in lower case."""
        self.pairs = pairs_of(given)

    def all(self, name: str) -> tuple[str, ...]:
        """Returns every value of a name in order; none if there is no such header."""
        return tuple(value for one, value in self.pairs if one == name)

    def __getitem__(self, name: str) -> str:
        found = self.all(name)
        if not found:
            raise KeyError(name)
        return found[-1]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.pairs))

    def __len__(self) -> int:
        return len(dict(self.pairs))

    def __or__(self, others: Mapping[str, str]) -> Headers:
        """Returns these without the names of the others, followed by the others."""
        return Headers((*(pair for pair in self.pairs if pair[0] not in others), *pairs_of(others)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and _by_name(self.pairs) == _by_name(pairs_of(other))

    __hash__ = None  # type: ignore[assignment]  # as of a dictionary

    def __repr__(self) -> str:
        return repr(dict(self.pairs) if len(self) == len(self.pairs) else list(self.pairs))


def pairs_of(given: Given) -> tuple[tuple[str, str], ...]:
    """Returns headers as pairs of name and value, repeated ones included."""
    if isinstance(given, Headers):
        return given.pairs
    return tuple((name, value) for name, value in (given.items() if isinstance(given, Mapping) else given))


def _by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found

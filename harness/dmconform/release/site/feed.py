"""An Atom feed of what became worse: supported cells that held and fail now, and answers that were lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

from dmconform.core.text import counted, first_line, one_line, plain
from dmconform.release.site.ledger import Turn
from dmconform.release.site.model import SiteRun
from dmconform.report.html import cell_fragment

ATOM: Final = "http://www.w3.org/2005/Atom"
MOST_ENTRIES: Final = 100
CELLS_NAMED: Final = 20
_LONGEST_TITLE: Final = 200
_LONGEST_DETAIL: Final = 400
_TITLE: Final = "Envoy dynamic modules: what became worse"
_SPACE: Final = uuid.UUID("8f3b0c5e-7f4d-5c0e-9a55-6f1d3a1f0d10")
"""The name space of the ids. An entry has the same id each time the site is made."""


@dataclass(frozen=True)
class Worse:
    """Cells that became worse with a run, for one reason."""

    run: SiteRun
    kind: str  # `regression` or `lost`
    key: str  # what they have in common
    title: str
    turns: tuple[Turn, ...]

    @property
    def id(self) -> str:
        """Its id, which stays."""
        return uuid.uuid5(_SPACE, f"{self.run.source.id}\n{self.kind}\n{self.key}").urn

    @property
    def link(self) -> str:
        """The first of its cells on the page of the run."""
        return f"{self.run.page}#{cell_fragment(self.turns[0].cell.id)}"


def worse(runs: tuple[SiteRun, ...]) -> tuple[Worse, ...]:
    """Returns what became worse, by run and reason, the newest first."""
    return tuple(one for run in reversed(runs) for one in _of_run(run))


def _of_run(run: SiteRun) -> Iterator[Worse]:
    groups: dict[tuple[str, str], list[Turn]] = {}
    for turn in run.turns.regressions:
        record = turn.cell.known_failure
        groups.setdefault(("regression", f"known failure {record}" if record else turn.cell.case), []).append(turn)
    for turn in run.turns.lost:
        groups.setdefault(("lost", f"{turn.cell.outcome.value}: {first_line(turn.cell.detail)}"), []).append(turn)
    for (kind, key), turns in groups.items():
        if kind == "regression":
            title = f"{counted(len(turns), 'supported cell')} held and fail now: {key}"
        else:
            held = sum(turn.held for turn in turns)
            title = f"{counted(len(turns), 'supported cell')} lost their answer ({held} held): {key}"
        yield Worse(run, kind, key, one_line(title)[:_LONGEST_TITLE], tuple(turns))


def atom(runs: tuple[SiteRun, ...], address: str = "") -> bytes:
    """Returns the feed as XML.

    Args:
        runs: the oldest first; there is one at least.
        address: where the site will be, ending in a slash; empty: links are relative to the feed.
    """
    ElementTree.register_namespace("", ATOM)
    feed = ElementTree.Element(f"{{{ATOM}}}feed")
    _text(feed, "title", _TITLE)
    _text(feed, "id", f"{address}feed.xml" if address else uuid.uuid5(_SPACE, "feed").urn)
    _text(feed, "updated", _time(runs[-1]))
    _text(ElementTree.SubElement(feed, f"{{{ATOM}}}author"), "name", "dmconform")
    _link(feed, f"{address}feed.xml", "self", "application/atom+xml")
    _link(feed, f"{address}index.html", "alternate", "text/html")
    for one in worse(runs)[:MOST_ENTRIES]:
        entry = ElementTree.SubElement(feed, f"{{{ATOM}}}entry")
        _text(entry, "title", one.title)
        _text(entry, "id", one.id)
        _text(entry, "updated", _time(one.run))
        _link(entry, address + one.link, "alternate", "text/html")
        _text(entry, "summary", _summary(one, runs))
    ElementTree.indent(feed)
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _summary(one: Worse, runs: tuple[SiteRun, ...]) -> str:
    first = one.turns[0]
    lines = [
        f"Run {one.run.source.name} of {one.run.day}; the answer before is that of {runs[first.before].source.name}.",
        f"For instance: {(first_line(first.cell.detail) or first.cell.outcome.value)[:_LONGEST_DETAIL]}",
        *(one.run.cell_label(turn.cell) for turn in one.turns[:CELLS_NAMED]),
    ]
    if len(one.turns) > CELLS_NAMED:
        lines.append(f"and {len(one.turns) - CELLS_NAMED} more")
    return "\n".join(lines)


def _time(run: SiteRun) -> str:
    return f"{run.source.started:%Y-%m-%dT%H:%M:%SZ}"


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}{name}").text = plain(text)


def _link(parent: ElementTree.Element, address: str, relation: str, kind: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}link", {"href": address, "rel": relation, "type": kind})

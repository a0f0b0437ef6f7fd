"""The matrix that the README shows counts what there is."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from dmconform.core.timeouts import CELL_S, HARNESS_STOPPED_S
from dmconform.envoy.launch import ADDRESS_SPACE_BYTES, CPU_S, FILE_BYTES
from dmconform.envoy.output import LIMIT_BYTES
from dmconform.envoy.usage import Bounds
from dmconform.envoy.warden import Hold
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.listing import Selectors, listing

from tests.checkout import ROOT


@dataclass(frozen=True)
class Counts:
    """Counts of cells of one SDK on one host."""

    passing: int
    known: int


def shown(text: str, sdk: str) -> list[Counts]:
    """Returns the counts in the row of an SDK."""
    (row,) = (line for line in text.splitlines() if line.startswith(f" {sdk} "))
    return [Counts(int(passing), int(known)) for passing, known in re.findall(r"★ (\d+) pass (\d+) xfail", row)]


def test_the_matrix_counts_the_cells_that_are_planned() -> None:
    text = (ROOT / "README.md").read_text()
    (words,) = re.findall(r"(?m)^\$ \./dmconform run (.*)$", text)
    sdk, *hosts = re.findall(r"--\w+ (\S+)", words)
    catalogue = load_catalogue()
    cells = listing("cells", Selectors(tuple(hosts), (sdk,), (), everywhere=False), catalogue).cells or ()
    found: Counter[tuple[str, str, bool]] = Counter(
        (cell.sdk, cell.host, any(one.covers(cell.id) for one in catalogue.known_failures)) for cell in cells
    )
    names = sorted({name for _, name, _ in found})
    for provider in ("official", "reference"):
        full = f"{sdk}:{provider}"
        counted = [Counts(found[full, host, False], found[full, host, True]) for host in names]
        assert shown(text, full) == counted, full
    known = sum(number for (*_, is_known), number in found.items() if is_known)
    assert f"running {len(cells)} cells;" in text
    assert f"{len(cells) - known} of {len(cells)} supported cells that ran pass ({known} xfail)" in text


def test_the_bounds_are_those_of_the_harness() -> None:
    """Each figure of the table is that of a constant."""
    text = (ROOT / "README.md").read_text()
    table = text.partition("## What is bounded, and by what\n")[2].partition("\n\n**Security.**")[0]
    bounds = Bounds()
    for words in (
        f"| {CELL_S:g} s a cell;",
        f"| {CPU_S} s, {ADDRESS_SPACE_BYTES >> 30} GiB, {FILE_BYTES >> 20} MiB for each process |",
        f"| {bounds.memory_bytes >> 30} GiB together |",
        f"| {bounds.processes} together; {bounds.tasks} with threads |",
        f"| {bounds.folder_bytes >> 30} GiB, {bounds.folder_entries:,} files |",
        f"| {LIMIT_BYTES >> 20} MiB are kept",
        *(f"a {hold.value}" for hold in Hold),
    ):
        assert words in table, words
    assert f"stopped (Ctrl-Z) for {HARNESS_STOPPED_S:g} seconds" in text

"""The answer that the README shows counts what there is."""

from __future__ import annotations

import re
from collections import Counter

from dmconform.core.timeouts import CELL_S, HARNESS_STOPPED_S
from dmconform.envoy.launch import ADDRESS_SPACE_BYTES, CPU_S, FILE_BYTES
from dmconform.envoy.output import LIMIT_BYTES
from dmconform.envoy.usage import Bounds
from dmconform.envoy.warden import Hold
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.listing import Selectors, listing

from tests.checkout import ROOT


def known_in(text: str, row: str) -> list[int]:
    """Returns how many known failures each field in a row of the table has: `! 2 ends +8` are 10."""
    (line,) = (line for line in text.splitlines() if re.match(rf"{re.escape(row)}  +!", line))
    return [sum(map(int, re.findall(r"\d+", field))) for field in re.split(r" {2,}", line)[1:]]


def test_the_answer_counts_the_cells_that_are_planned() -> None:
    text = (ROOT / "README.md").read_text()
    (words,) = re.findall(r"(?m)^\$ \./dmconform run (.*)$", text)
    sdk, *hosts = re.findall(r"--\w+ (\S+)", words)
    catalogue = load_catalogue()
    cells = listing("cells", Selectors(tuple(hosts), (sdk,), (), everywhere=False), catalogue).cells or ()
    known: Counter[tuple[str, str]] = Counter()
    for cell in cells:
        known[cell.sdk, cell.host] += any(one.covers(cell.id) for one in catalogue.known_failures)
    names = sorted({cell.host for cell in cells})
    assert re.search(rf"(?m)^SDK \\ Envoy {' +'.join(map(re.escape, names))}$", text)
    for provider, row in (("official", sdk), ("reference", "control")):
        assert known_in(text, row) == [known[f"{sdk}:{provider}", name] for name in names], row
    assert f"running {len(cells)} cells;" in text
    official, control = (sum(known[f"{sdk}:{one}", name] for name in names) for one in ("official", "reference"))
    assert f"Known failures, worst first: {official} official + {control} control," in text
    for provider, count in (("official SDKs", official), ("control", control)):
        (numbers,) = re.findall(rf"(?m)^{provider} +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$", text)
        supported, ran, passing, failing, recorded, not_tested = map(int, numbers)
        assert (failing, recorded, not_tested) == (0, count, 0)
        assert supported == ran == passing + count <= len(cells) // 2, "those that are not applicable are left out"
        if provider == "official SDKs":
            assert f"{count} of {supported} supported cells of the\n  official SDKs fail as is known" in text


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

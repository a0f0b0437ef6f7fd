"""Facts: what is kept of a cell, what is not, how they are written, and in what a cell differs."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from dmconform.core.errors import DataFileError
from dmconform.core.values import AbiVerdict, Language, Load, Outcome, Provider
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.fact_edits import CellFact, Edit, edited, facts_texts
from dmconform.spec.fact_gaps import gaps, never_compared
from dmconform.spec.facts import (
    FOLDER,
    LONGEST_FACT,
    Behaviour,
    Fact,
    Facts,
    RecordedRun,
    chance_of,
    changes,
    known_facts,
    load_facts,
    observed,
    sdks_text,
    shape,
    varying_facts,
    written_sdks,
)

from tests.unit.by_chance import REASON, end_by_chance

FIRST, LATER = RecordedRun("2026-11-21T00:00:00+00:00", "a" * 40), RecordedRun("2026-11-30T00:00:00+00:00", "b" * 40)
PASSES = Behaviour(Outcome.PASS, AbiVerdict.MATCHED, Load.LOADED)
WARNS = Behaviour(Outcome.PASS, AbiVerdict.DEPRECATED, Load.LOADED)
LOADS = "window/loads"
EVERY_SDK = [
    f"{language.value}@1.{minor}:{provider.value}" for language in Language for minor in range(37, 41) for provider in Provider
]


@pytest.mark.parametrize("count", range(len(EVERY_SDK) + 1))
def test_sdks_are_read_as_they_were_written(count: int) -> None:
    for chosen in itertools.islice(itertools.combinations(EVERY_SDK, count), 40):
        assert sorted(written_sdks(sdks_text(chosen))) == sorted(chosen)


def test_sdks_are_written_in_few_words() -> None:
    assert sdks_text(EVERY_SDK) == "cpp,go,rust@1.37..1.40:official cpp,go,rust@1.37..1.40:reference"
    assert sdks_text(["go@1.37:reference", "go@1.39:reference", "go@1.40:reference"]) == (
        "go@1.37:reference go@1.39..1.40:reference"
    )
    with pytest.raises(ValueError, match="names no SDKs"):
        list(written_sdks("cpp@1.37"))


SHAPES = [
    ("at 0x7f861aa63300", "at …"),
    ("connect to 127.0.0.1:4711 failed", "connect to 127.0.0.1:… failed"),
    ("within 10 s, after 12.3 ms", "within … s, after … ms"),
    ("$CELL/modules/libprobe.so: cannot open", "$CELL/modules/libprobe.so: cannot open"),
    ("/tmp/run/evidence/x/modules/libprobe.so: cannot open", "…/libprobe.so: cannot open"),
    ("$REPORT/a/libprobe.so, then ~/b/libprobe.so: no", "…/libprobe.so, then …/libprobe.so: no"),
    ("undefined symbol: envoy_dynamic_module_callback_a (x)", "undefined symbol: … (x)"),
    ("[source/a.cc:12] refused", "[source/a.cc:…] refused"),
    ("Error adding/updating listener(s) main: not found", "Error adding/updating listener(s) …: not found"),
    ("first line\nsecond", "first line"),
    ("status 200, saw 503", "status 200, saw 503"),
    ("ABI string v0.1.0", "ABI string v0.1.0"),
]


@pytest.mark.parametrize(("text", "kept"), SHAPES)
def test_what_varies_is_not_kept(text: str, kept: str) -> None:
    assert shape(text, {}) == kept
    assert shape(kept, {}) == kept, "the shape of a shape is the same"


def test_the_raw_text_and_that_of_the_report_have_one_shape() -> None:
    folder = "/tmp/run/evidence/window/loads/cpp@1.39+reference/1.40.0~01234567"
    raw = f"{folder}/modules/libprobe.so: refused by 1.40.0~01234567"
    of_report = "$CELL/modules/libprobe.so: refused by 1.40.0~01234567"
    host = {"1.40.0~01234567": "1.40.0"}
    assert shape(raw, {folder: "$CELL", **host}) == shape(of_report, host) == "$CELL/modules/libprobe.so: refused by 1.40.0"


def test_what_a_cell_keeps() -> None:
    facts = {"b": "2", "a": "1", "growth": "12 KiB"}
    assert "growth" in varying_facts()
    seen = observed(Outcome.FAIL, AbiVerdict.MATCHED, Load.LOADED, facts, "expected 1", places={})
    assert seen == Behaviour(Outcome.FAIL, AbiVerdict.MATCHED, Load.LOADED, {"a": "1", "b": "2"}, "expected 1")
    passes = observed(Outcome.PASS, AbiVerdict.MATCHED, Load.LOADED, {}, "a note", places={})
    assert passes.detail == "", "of a cell that passes the message does not count"
    silent = observed(Outcome.NOT_APPLICABLE, AbiVerdict.SILENT, Load.NOT_SEEN, {}, "says nothing", places={})
    assert (silent.abi, silent.detail) == (AbiVerdict.NOT_LOADED, "")


def fact_of(text: str) -> Behaviour:
    """The behaviour of a cell with a named fact."""
    return observed(Outcome.PASS, AbiVerdict.MATCHED, Load.LOADED, {"calls": text}, "", places={})


@pytest.mark.parametrize("calls", [60, 2000])
def test_a_long_fact_counts_to_its_end(calls: int) -> None:
    text = "; ".join(["a.request_headers(#1)"] * calls)
    old, new = fact_of(f"{text}; a.destroy(#1)"), fact_of(f"{text}; b.destroy(#1)")
    assert all(len(one.facts["calls"]) <= LONGEST_FACT for one in (old, new))
    assert fact_of(old.facts["calls"]) == old, "the fact of a fact is the same"
    (found,) = changes(Fact(old, FIRST), new)
    assert found.what == "calls"
    assert len(found.words) < 700


def test_of_long_facts_the_words_show_where_they_differ() -> None:
    text = "a.new(#1); " * 40
    (found,) = changes(Fact(fact_of(f"{text}a.destroy(#1)"), FIRST), fact_of(f"{text}b.destroy(#1){' more' * 90}"))
    assert found.words.startswith("calls: on record …w(#1); a.new(#1); a.new(#1); a.new(#1); a.destroy(#1), observed …w(#1); ")
    assert found.words.endswith(" more m…")


def test_each_thing_that_changed_is_named() -> None:
    old = Behaviour(Outcome.PASS, AbiVerdict.MATCHED, Load.LOADED, {"a": "1", "gone": "x"})
    new = Behaviour(Outcome.CRASH, AbiVerdict.DEPRECATED, Load.UNRESOLVED, {"a": "2", "new": "y"}, "killed by SIGSEGV")
    found = changes(Fact(old, FIRST), new)
    assert [(one.what, one.recorded, one.observed) for one in found] == [
        ("outcome", "pass", "crash"),
        ("ABI verdict", "matched", "deprecated"),
        ("load of the probe", "loaded", Load.UNRESOLVED.value),
        ("a", "1", "2"),
        ("gone", "x", ""),
        ("new", "", "y"),
        ("detail", "", "killed by SIGSEGV"),
    ]
    assert found[0].since == "the run of 2026-11-21T00:00:00+00:00, suite aaaaaaaaaa"
    assert found[4].words == "gone: on record x, observed nothing"
    assert changes(Fact(old, FIRST), old) == ()


def written(
    seen: list[CellFact], folder: Path, facts: Facts | None = None, named: str = "", cases: tuple[str, ...] = ()
) -> Facts:
    """What is read after these cells were put on record."""
    found = edited(facts or Facts(()), seen, {LOADS, "rtld/global", *cases}, lambda cell: cell == named)
    folder.mkdir(exist_ok=True)
    for name, text in facts_texts(found.facts).items():
        (folder / name).write_text(text)
    return load_facts(folder)


def test_facts_are_read_as_they_were_written_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    hosts = ("1.38.2", "1.39.3", "1.40.0")
    seen = [CellFact(LOADS, (sdk, host), PASSES if sdk < "go" else WARNS, FIRST) for sdk in EVERY_SDK for host in hosts]
    seen.append(CellFact("rtld/global", (EVERY_SDK[0], hosts[0]), Behaviour(Outcome.FAIL, detail='a "quoted" text'), LATER))
    facts = written(seen, tmp_path / "one")
    written(seen[::-1], tmp_path / "two")
    for one in seen:
        assert facts.of(one.case, *one.key) == Fact(one.behaviour, one.run)
    assert facts.of(LOADS, EVERY_SDK[0], "1.37.0") is None
    texts = [{file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert texts[0] == texts[1]
    assert sorted(texts[0]) == ["rtld.json", "window.json"]
    entries = json.loads(texts[0]["window.json"])["cases"][LOADS]
    assert len(entries) == 2, "cells that are alike are one entry"
    assert list(entries[0]["cells"]) == ["1.38.2 1.39.3 1.40.0"]


def test_what_is_on_record_stays_unless_it_is_named(tmp_path: Path) -> None:
    key = ("cpp@1.39:reference", "1.40.0")
    facts = written([CellFact(LOADS, key, PASSES, FIRST)], tmp_path)
    again = [CellFact(LOADS, key, WARNS, LATER), CellFact("rtld/global", key, PASSES, LATER)]
    found = edited(facts, again, {LOADS, "rtld/global"}, lambda _: False)
    assert {edit: list(cells) for edit, cells in found.cells.items() if cells} == {
        Edit.LEFT: [f"{LOADS}/{'/'.join(key)}"],
        Edit.ADDED: [f"rtld/global/{'/'.join(key)}"],
    }
    assert found.facts[LOADS][key] == Fact(PASSES, FIRST)
    assert written(again, tmp_path, facts, f"{LOADS}/{'/'.join(key)}").of(LOADS, *key) == Fact(WARNS, LATER)


def test_facts_of_cases_that_are_no_more_go(tmp_path: Path) -> None:
    facts = written([CellFact("rtld/old", ("cpp@1.39:reference", "1.40.0"), PASSES, FIRST)], tmp_path, cases=("rtld/old",))
    found = edited(facts, (), {LOADS}, lambda _: False)
    assert (list(found.facts), found.cells[Edit.REMOVED]) == ([], ("rtld/old/cpp@1.39:reference/1.40.0",))


ENTRY = {"behaviour": {}, "cells": {"1.40.0": "cpp@1.39:reference"}, "run": 0}
MISTAKES = [
    ({"schema": 2}, "schema 2; expected 1"),
    ({"cases": {"window/loads": [ENTRY, ENTRY]}}, "two facts of cpp@1.39:reference/1.40.0"),
    ({"cases": {"window/loads": [{**ENTRY, "run": 1}]}}, "run 1; there are 1"),
    ({"cases": {"window/loads": [{**ENTRY, "cells": {"1.40.0": "cpp"}}]}}, "names no SDKs"),
    ({"cases": {"rtld/global": [ENTRY]}}, "rtld/global is not a case of this area"),
]


@pytest.mark.parametrize(("change", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_a_mistake_in_the_data_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    whole = {"schema": 1, "runs": [{"started_at": "x", "suite_commit": "y"}], "cases": {"window/loads": [ENTRY]}}
    (tmp_path / "window.json").write_text(json.dumps(whole))
    assert load_facts(tmp_path).of(LOADS, "cpp@1.39:reference", "1.40.0") is not None
    (tmp_path / "window.json").write_text(json.dumps(whole | change))
    with pytest.raises(DataFileError, match=message):
        load_facts(tmp_path)


def test_every_cell_of_the_default_hosts_and_the_reference_sdks_has_a_fact() -> None:
    found = gaps(load_catalogue(), known_facts())
    assert found == {}, "dmconform facts says how they are made"


def test_what_ends_by_chance_is_listed_apart_from_the_gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end_by_chance(f"{LOADS}/cpp@1.37:reference/1.37.0", tmp_path, monkeypatch)
    catalogue, nothing = load_catalogue(), Facts(())
    assert never_compared(catalogue) == {REASON: (f"{LOADS}/cpp@1.37:reference/1.37.0",)}
    without = gaps(catalogue, nothing)[LOADS]
    assert f"{LOADS}/cpp@1.37:reference/1.37.0" not in without
    assert f"{LOADS}/go@1.37:reference/1.37.0" in without
    assert chance_of(f"{LOADS}/go@1.37:reference/1.37.0") is None


def test_the_facts_are_small_and_as_the_command_writes_them() -> None:
    facts = {case: known_facts().of_case(case) for case in known_facts().cases}
    texts = facts_texts(facts)
    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")} == texts
    assert sum(map(len, texts.values())) < 1 << 20

"""Changed reports through each command that reads one."""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec
from dmconform.report.schema import Shard

from tests.attack.attack import Attack, Try
from tests.attack.files.commands import attacked, documented, forked, imported, worst
from tests.attack.files.data import mutated_bytes, mutated_json
from tests.unit import check_samples, report_samples

_SHARDS = tuple(Shard(index, 2, "ab", 20) for index in (1, 2))


@cache
def _bases() -> tuple[str, ...]:
    """Reports and what `check` found, as JSON."""
    whole = report_samples.report(report_samples.ALL_KINDS, inconsistencies=report_samples.INCONSISTENCIES)
    reports = (
        whole,
        report_samples.hostile_report(),
        report_samples.matrix(cases=2),
        *(msgspec.structs.replace(whole, shard=shard) for shard in _SHARDS),
    )
    return tuple(msgspec.json.encode(one).decode() for one in reports)


@cache
def _check() -> str:
    return msgspec.json.encode(check_samples.check()).decode()


def _written(text: str, path: Path, chance: random.Random, *, damaged: bool = True) -> Path:
    """Writes a report, as it is or changed, at times of an older schema version, at times compressed, seldom a bomb."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if damaged and chance.random() < 0.03:
        path.write_bytes(_bomb(chance))
        return path
    value = json.loads(text)
    if damaged and chance.random() < 0.1:
        value["schema_version"] = chance.randrange(12)
    data = mutated_json(value, chance) if damaged else text.encode()
    if chance.random() < 0.1:
        data = lzma.compress(data)
        data = mutated_bytes(data, chance) if damaged and chance.random() < 0.5 else data
    path.write_bytes(data)
    return path


def _bomb(chance: random.Random) -> bytes:
    """A few kilobytes that hold up to 64 MiB, of which some times as much is made."""
    item, version = chance.choice((b"[],", b"{},", b'"ab",', b"1.5,", b'{"a":1},')), chance.choice((1, 3, 6, 7))
    place = chance.choice((b'"selection": {"a": [', b'"cells": [', b'"x": ['))
    return lzma.compress(b'{"schema_version": %d, %s' % (version, place) + item * ((63 << 20) // len(item)), preset=0)


def _form(chance: random.Random) -> tuple[str, ...]:
    return ("--format", chance.choice(("text", "json", "markdown", "github")))


def _diff(bad: Path, good: Path, chance: random.Random, folder: Path) -> Try:
    sides = chance.choice(((bad, good), (good, bad), (bad, bad)))
    return attacked("diff", *sides, *_form(chance), folder=folder)


def _gate(bad: Path, _: Path, chance: random.Random, folder: Path) -> Try:
    subject = chance.choice((("sdk-release", "--sdk", "rust@1.39"), ("host-release", "--host", "1.40.0")))
    return attacked("gate", bad, "--policy", *subject, *_form(chance), folder=folder)


def _gate_module(_: Path, __: Path, chance: random.Random, folder: Path) -> Try:
    file = _written(_check(), folder / "check.json", chance)
    return attacked("gate", file, "--policy", "module-release", *_form(chance), folder=folder)


def _merge(bad: Path, _: Path, chance: random.Random, folder: Path) -> Try:
    other = _written(_bases()[-1], folder / "shard" / "report.json", chance, damaged=False)
    return attacked("merge", bad, other, "--out", folder / "whole", folder=folder)


def _page(bad: Path, good: Path, chance: random.Random, folder: Path) -> Try:
    sides = chance.choice(((bad,), (bad, "--previous", good), (good, "--previous", bad)))
    return attacked("page", *sides, "--out", folder / "page.html", folder=folder)


def _show(bad: Path, _: Path, chance: random.Random, folder: Path) -> Try:
    return attacked("show", bad, *chance.choice(((), ("--details",))), folder=folder)


def _nightly(bad: Path, good: Path, chance: random.Random, folder: Path) -> Try:
    report, previous = chance.choice(((bad, good), (good, bad)))
    issue = ("--issue", folder / "issue.md")
    return attacked("nightly", "--report", report.parent, "--previous", previous, *issue, *_form(chance), folder=folder)


def _published(bad: Path, _: Path, __: random.Random, folder: Path) -> Try:
    """As `published` does, but in another folder than the checkout's."""
    from dmconform.core.errors import HarnessError
    from dmconform.core.paths import COMPRESSED_REPORT_FILE
    from dmconform.release.publish.history import history_text
    from dmconform.release.publish.publish import SUMS, sums_of
    from dmconform.release.publish.verify import problems

    report = folder / "published" / "2026-11-21-any"
    report.mkdir(parents=True)
    (report / COMPRESSED_REPORT_FILE).write_bytes(lzma.compress(bad.read_bytes(), preset=1))
    (report / "summary.md").write_bytes(bad.read_bytes()[:1000])
    (report / SUMS).write_text(sums_of(report), encoding="utf-8")

    def act() -> int:
        try:
            if not list(problems(report.parent)):
                history_text(report.parent)
        except HarnessError as error:
            return error.exit_code
        return 0

    return forked(act, folder).judged(documented("published"))


def _site(bad: Path, good: Path, chance: random.Random, folder: Path) -> Try:
    """A report by itself, or beside a good one, where it is left out if it is none."""
    for name, report in (("bad", bad), ("good", good)):
        (folder / "runs" / name).mkdir(parents=True, exist_ok=True)
        (folder / "runs" / name / "report.json").write_bytes(report.read_bytes())
    place = chance.choice((folder / "runs", bad))
    return attacked("site", folder / "out", place, "--without-published", folder=folder)


_WAYS: tuple[Callable[[Path, Path, random.Random, Path], Try], ...] = (
    *(_diff, _gate, _gate_module, _merge, _page, _show, _nightly, _published, _site),
)

_IMPORTED = (
    *("cli.output", "core.terminal", "matrix.execute", "matrix.merge", "report.answers.judge", "release.gate.show"),
    *(
        "release.nightly.conclude",
        "release.publish.verify",
        "release.site.build",
        "report.comparison.show",
        "report.page.document",
        "report.console",
        "report.details",
    ),
)


def _attempt(chance: random.Random, folder: Path) -> Try:
    imported(*_IMPORTED)
    good = _written(chance.choice(_bases()[:3]), folder / "good" / "report.json", chance, damaged=False)
    bad = _written(chance.choice(_bases()), folder / "bad" / "report.json", chance)
    tries = []
    for number, way in enumerate(chance.sample(_WAYS, 2)):
        place = folder / str(number)
        place.mkdir()
        tries.append(way(bad, good, chance, place))
    return worst(tries)


REPORTS = Attack("mutated reports", 1_000, 3, _attempt)

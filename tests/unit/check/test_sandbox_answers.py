"""What comes out of a sandbox is checked: a module may have written it."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from dmconform.binaries.facts import HostFacts, ModuleFacts
from dmconform.check import sandbox_answers
from dmconform.check.hosts import Candidate
from dmconform.check.result import PointRun, RunKind
from dmconform.check.run_all import AllRan, RunOrder
from dmconform.check.running import CheckJob, Ran, RunOutcome
from dmconform.check.sandbox_answers import (
    Answers,
    KeptFile,
    ModuleAnswer,
    Ready,
    SandboxAnswer,
    SandboxTrouble,
    answer_of,
    write_files,
    write_line,
)
from dmconform.check.settings import WantedUse
from dmconform.check.uses import UsePlan
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import AbiVerdict

HTTP, NETWORK = WantedUse(ExtensionPoint.HTTP_FILTER), WantedUse(ExtensionPoint.NETWORK_FILTER)
RUN = PointRun("http_filter", "n", RunKind.WORKS, "", AbiVerdict.MATCHED, 0.1)
FILE_BYTES = 1000


def host(name: str, binary: Path | None = Path("/envoy")) -> Candidate:
    nothing: frozenset[str] = frozenset()
    return Candidate(name, name, "known release", HostFacts(name, nothing, nothing, nothing, None, None), binary)


@pytest.fixture
def order(tmp_path: Path) -> RunOrder:
    """A module with two uses, on one host that is there and one that is not."""
    job = CheckJob(Path("/libm.so"), ModuleFacts("", 0), UsePlan((HTTP,), (NETWORK,)), {}, tmp_path)
    return RunOrder((job,), (host("1.39.3"), host("1.40.0", None)), tmp_path, kept=True, together=False)


@pytest.fixture
def ran(order: RunOrder) -> AllRan:
    """What is observed of it."""
    return AllRan((RunOutcome((Ran(order.hosts[0], (RUN,)), Ran(order.hosts[1], ())), (HTTP,)),))


def read(
    order: RunOrder, *written: bytes | KeptFile | SandboxAnswer | SandboxTrouble | Ready, deadline_s: float = 60.0
) -> AllRan:
    """What is made of the bytes of a pipe."""
    text = io.BytesIO()
    for one in written:
        text.write(one) if isinstance(one, bytes) else write_line(text, one)
    ours, theirs = os.pipe()
    try:
        os.write(theirs, text.getvalue())
        os.close(theirs)
        return Answers(ours, order, time.monotonic() + 60.0, FILE_BYTES, lambda: "last words").read()
    finally:
        os.close(ours)


def test_what_was_observed_comes_out_as_it_was(order: RunOrder, ran: AllRan) -> None:
    assert read(order, answer_of(order, ran)) == ran
    refused = replace(ran.outcomes[0], uses=(HTTP,), refused=(HTTP, NETWORK)) if ran.outcomes[0] else None
    assert read(order, answer_of(order, AllRan((refused,)))) == AllRan((refused,))


def senseless() -> Iterator[SandboxAnswer | KeptFile | Ready | bytes]:
    """What no harness writes."""
    good = ModuleAnswer(((RUN,), ()), (0,), ())
    yield SandboxAnswer((), ())
    yield SandboxAnswer((good, good), ())
    yield SandboxAnswer((None,), ())
    yield SandboxAnswer((good,), (RUN,))
    for changes in (
        {"runs": ((RUN,),)},
        {"runs": ((), ())},
        {"runs": ((RUN, RUN), ())},
        {"runs": ((RUN,), (RUN,))},
        {"runs": ((msgspec.structs.replace(RUN, extension_point="cluster"),), ())},
        {"uses": ()},
        {"uses": (7,)},
        {"uses": (-1,)},
        {"refused": (2,)},
    ):
        yield SandboxAnswer((msgspec.structs.replace(good, **changes),), ())
    for path in ("/etc/passwd", "../x", "a/../../x", "", ".", "a//b", "a/./b", "a\nb", "\x1b[2J", "a/" * 13 + "b", "a" * 201):
        yield KeptFile(path, 0, executable=False)
    yield KeptFile("big", FILE_BYTES + 1, executable=False)
    yield KeptFile("negative", -1, executable=False)
    yield KeptFile("cut off", 10, executable=False)
    yield Ready()
    yield b"not JSON\n"
    yield b'{"type": "SandboxAnswer"}\n'
    yield b"[" * 1000 + b"\n"


@pytest.mark.parametrize("written", list(senseless()), ids=lambda one: str(one)[:60])
def test_what_no_harness_writes_is_refused(order: RunOrder, written: SandboxAnswer | KeptFile | Ready | bytes) -> None:
    with pytest.raises(HarnessError, match="makes no sense"):
        read(order, written)
    assert not [path for path in order.folder.rglob("*") if path.name != "cut off"]


def test_an_endless_line_is_refused(order: RunOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_answers, "LINE_BYTES", 1000)
    with pytest.raises(HarnessError, match="a line of more than"):
        read(order, b"x" * 10_000)


def test_too_many_files_are_refused(order: RunOrder, ran: AllRan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_answers, "FILES", 2)
    files = [KeptFile(str(number), 0, executable=False) for number in range(3)]
    assert read(order, *files[:2], answer_of(order, ran)) == ran
    for file in files[:2]:
        (order.folder / file.path).unlink()
    with pytest.raises(HarnessError, match="not asked for"):
        read(order, *files, answer_of(order, ran))


def test_files_are_not_taken_where_none_are_kept_and_none_twice(order: RunOrder, ran: AllRan) -> None:
    file = KeptFile("log", 0, executable=False)
    with pytest.raises(HarnessError, match="not asked for"):
        read(replace(order, kept=False), file, answer_of(order, ran))
    with pytest.raises(HarnessError, match="File exists"):
        read(order, file, file, answer_of(order, ran))


def test_trouble_in_there_is_trouble_out_here(order: RunOrder) -> None:
    with pytest.raises(HarnessError, match="no room") as found:
        read(order, SandboxTrouble("no room"))
    assert not isinstance(found.value, UsageError)
    with pytest.raises(UsageError, match="too large"):
        read(order, SandboxTrouble("too large", usage=True))


def test_an_end_without_an_answer_has_the_last_words(order: RunOrder) -> None:
    with pytest.raises(HarnessError, match=r"without an answer.*last words"):
        read(order, KeptFile("log", 2, executable=False), b"ab")


def test_what_does_not_come_in_time_is_not_waited_for(order: RunOrder) -> None:
    ours, theirs = os.pipe()
    with pytest.raises(HarnessError, match="in time"):
        Answers(ours, order, time.monotonic() + 0.05, FILE_BYTES).read()
    os.close(ours)
    os.close(theirs)


def test_files_come_out_and_nothing_else(order: RunOrder, ran: AllRan, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    (inside / "1.39.3").mkdir(parents=True)
    (inside / "1.39.3" / "log").write_bytes(b"two\nlines\n")
    (inside / "run").write_bytes(b"#!/bin/sh\n")
    (inside / "run").chmod(0o755)
    (inside / "link").symlink_to("/etc/passwd")
    os.mkfifo(inside / "pipe")
    (inside / "odd\nname").touch()
    written = io.BytesIO()
    write_files(written, inside)
    outside = replace(order, folder=tmp_path / "outside")
    assert read(outside, written.getvalue(), answer_of(outside, ran)) == ran
    found = {path.relative_to(outside.folder).as_posix(): path for path in outside.folder.rglob("*") if path.is_file()}
    assert found.keys() == {"1.39.3/log", "run"}
    assert found["1.39.3/log"].read_bytes() == b"two\nlines\n"
    assert [os.access(found[name], os.X_OK) for name in ("run", "1.39.3/log")] == [True, False]

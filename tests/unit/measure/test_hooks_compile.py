"""Compiling generated modules: once for the same content, and with the compiler's words when it fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dmconform.containers.sandbox import JobEnding, JobResult
from dmconform.core.errors import HarnessError
from dmconform.sdks import generated

TOOLS: Any = SimpleNamespace(client=None, identity=SimpleNamespace(image_id="image"))
SOURCES = {"a.c": b"int a;", "a.h": b""}


class Jobs:
    """Stands for the container engine: notes what it is asked for, and gives what it was told."""

    def __init__(self, result: JobResult) -> None:
        self.result = result
        self.commands: list[list[str]] = []

    def run(self, client: object, image: str, command: list[str], *_: object, **__: object) -> JobResult:
        self.commands.append(command)
        return self.result


def result(exit_code: int = 0, ending: JobEnding = JobEnding.EXITED, log: bytes = b"", **outputs: bytes) -> JobResult:
    return JobResult(ending, exit_code, log, False, {f"{name}.so": content for name, content in outputs.items()}, 0.1)


@pytest.fixture
def toolchain_folder(tmp_path: Path) -> Path:
    """A toolchain's definition."""
    folder = tmp_path / "toolchain"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM nothing")
    return folder


def compiled(jobs: Jobs, cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Path:  # noqa: ANN401
    """Compiles `libm.so` with changes to the arguments."""
    monkeypatch.setattr(generated, "run_job", jobs.run)
    arguments: dict[str, Any] = {"name": "m", "sources": SOURCES, "flags": (), **changes}
    return generated.compile_c(cache=cache, toolchain=lambda: TOOLS, toolchain_folder=folder, **arguments)


def test_the_same_content_is_compiled_once(tmp_path: Path, toolchain_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(result(libm=b"ELF"))
    first = compiled(jobs, tmp_path, toolchain_folder, monkeypatch)
    assert (first.name, first.read_bytes()) == ("libm.so", b"ELF")
    assert compiled(jobs, tmp_path, toolchain_folder, monkeypatch) == first
    (command,) = jobs.commands
    assert command[-1] == "/work/src/a.c", "expected headers not to be compiled"
    assert command[command.index("-o") + 1] == "/work/out/libm.so"


def test_other_content_is_another_module(tmp_path: Path, toolchain_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(result(libm=b"ELF"))
    changes: list[dict[str, Any]] = [{}, {"flags": ("-g",)}, {"sources": {**SOURCES, "a.h": b"int b;"}}]
    found = {compiled(jobs, tmp_path, toolchain_folder, monkeypatch, **change) for change in changes}
    (toolchain_folder / "Dockerfile").write_text("FROM something")
    found.add(compiled(jobs, tmp_path, toolchain_folder, monkeypatch))
    assert len(found) == len(jobs.commands) == 4


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (result(1, log=b"a.c:1: error: no"), "exit code 1; the end of its output:\na.c:1: error: no"),
        (result(-1, JobEnding.TIMED_OUT), "not done after"),
        (result(0, libother=b"ELF"), "exit code 0"),
    ],
)
def test_a_failure_has_the_compilers_words_and_keeps_nothing(
    tmp_path: Path, toolchain_folder: Path, monkeypatch: pytest.MonkeyPatch, outcome: JobResult, words: str
) -> None:
    jobs = Jobs(outcome)
    for _ in range(2):
        with pytest.raises(HarnessError, match=r"libm\.so") as caught:
            compiled(jobs, tmp_path, toolchain_folder, monkeypatch)
        assert words in str(caught.value)
    assert len(jobs.commands) == 2
    assert not list(tmp_path.rglob("*.so"))

"""A header of any origin reads nothing but itself, and has bounds of time and memory. What is tried is in `hostile_headers`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from dmconform.abi_diff.header_parser import Parsed
from dmconform.core.errors import ExitCode
from dmconform.core.paths import IMPORT_ROOT

from tests.measured import Measured, run_measured
from tests.unit.abi_diff.hostile_headers import SECRET, SECRET_TEXT, asking, breaking, harmless, reaching

BLOCKED_S = 30  # a reader that waits for a FIFO
LAYERS = {
    "all": "p._bound(); assert p.keep_only_open_files()",
    "the kernel's filter": "assert p.keep_only_open_files()",
    "an empty file system": "",
    "nothing": "",
}
WITHOUT_EMPTY_FILE_SYSTEM = ("the kernel's filter", "nothing")
TIME_S = 5.0
MEMORY_BYTES = 200 << 20


def extracted(header: Path) -> Measured:
    """Runs `dmconform abi extract HEADER`, and measures it."""
    return run_measured("abi", "extract", header)


def parsed_with(layer: str, headers: Mapping[str, bytes], folder: Path) -> dict[str, Parsed]:
    """What the parser makes of headers if only this layer keeps it from files; in a process, which may write into `folder`."""
    code = f"""
import sys; sys.path.insert(0, {str(IMPORT_ROOT)!r})
import msgspec, dmconform.abi_diff.header_parser as p
headers = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, bytes])
if {layer in WITHOUT_EMPTY_FILE_SYSTEM}:
    p._EMPTY_FILE_SYSTEM = b'{{"version": 0, "roots": []}}'
unit = p.prepared()
{LAYERS[layer]}
sys.stdout.buffer.write(msgspec.json.encode({{what: p.parse(unit, text, "s") for what, text in headers.items()}}))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        input=msgspec.json.encode(headers),
        stdout=subprocess.PIPE,
        timeout=BLOCKED_S,
        cwd=folder,
        env={"LIBCLANG_NOTHREADS": "1", "TMPDIR": str(folder)},
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=dict[str, Parsed])


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "other.h"
    path.write_text(SECRET_TEXT)
    return path


KEEPS = [layer for layer in LAYERS if layer != "nothing"]


@pytest.mark.parametrize("layer", KEEPS)
def test_the_text_of_another_file_is_never_read(layer: str, secret: Path, tmp_path: Path) -> None:
    found = parsed_with(layer, reaching(secret), tmp_path)
    assert [what for what, parsed in found.items() if SECRET in repr(parsed)] == []
    assert found["quoted"].problems == (
        f"/dmconform-header/abi.h:1:10: '{secret}' file not found; it may include stdbool.h, stddef.h and stdint.h, "
        "and nothing else",
    )


def test_the_same_headers_do_reach_it_where_nothing_keeps_them_from_it(secret: Path, tmp_path: Path) -> None:
    """Else the test above would show nothing."""
    found = parsed_with("nothing", reaching(secret), tmp_path)
    assert len([what for what, parsed in found.items() if SECRET in repr(parsed)]) >= 25
    asked = parsed_with("nothing", asking(secret), tmp_path)
    assert [what for what, parsed in asked.items() if SECRET not in repr(parsed)] == []


@pytest.mark.parametrize("layer", KEEPS)
@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_what_blocks_or_never_ends_is_not_opened(layer: str, kind: str, tmp_path: Path) -> None:
    path = Path("/dev/zero") if kind == "device" else tmp_path / kind
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    found = parsed_with(layer, reaching(path), tmp_path)
    assert "file not found" in found["quoted"].problems[0]


@pytest.mark.parametrize("layer", KEEPS)
def test_whether_a_file_exists_does_not_show(layer: str, secret: Path, tmp_path: Path) -> None:
    found = parsed_with(layer, asking(secret), tmp_path)
    assert [what for what, parsed in found.items() if SECRET in repr(parsed) or parsed.problems] == []


@pytest.mark.parametrize("layer", KEEPS)
def test_a_name_of_a_file_that_nothing_reads_does_no_harm(layer: str, secret: Path, tmp_path: Path) -> None:
    found = parsed_with(layer, harmless(secret), tmp_path)
    assert [what for what, parsed in found.items() if parsed.problems or len(parsed.functions) != 1] == []


def test_no_file_is_written(secret: Path, tmp_path: Path) -> None:
    """A pragma that builds a module would leave one in the folder of temporary files."""
    parsed_with("all", reaching(secret), tmp_path)
    assert [*tmp_path.iterdir()] == [secret]


def test_the_command_prints_nothing_of_another_file(secret: Path, tmp_path: Path) -> None:
    header = tmp_path / "abi.h"
    header.write_bytes(reaching(secret)["quoted"])
    found = extracted(header)
    assert found.exit_code == ExitCode.USAGE
    assert SECRET not in found.output


BREAKING = breaking()


@pytest.mark.parametrize("what", BREAKING)
def test_no_header_breaks_or_fills_the_command(what: str, tmp_path: Path) -> None:
    header = tmp_path / "abi.h"
    header.write_bytes(BREAKING[what])
    found = extracted(header)
    assert found.exit_code in (ExitCode.OK, ExitCode.USAGE, ExitCode.ERROR), found.output
    assert "Traceback" not in found.output
    if found.exit_code == ExitCode.ERROR:
        assert "abi.h: too much for the reader: " in found.output
    assert found.processor_s <= TIME_S
    assert found.memory_bytes <= MEMORY_BYTES


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("macros that double", "it takes more than 96 MiB of memory"),
        ("macros that double declarations", "it takes more than 2"),  # s of processor time, or 20 s on a busy machine
        ("pragma crash", "the parser was ended by SIG"),
    ],
)
def test_what_was_too_much_is_named(what: str, why: str, tmp_path: Path) -> None:
    header = tmp_path / "abi.h"
    header.write_bytes(BREAKING[what])
    found = extracted(header)
    assert found.exit_code == ExitCode.ERROR
    assert f"too much for the reader: {why}" in found.output

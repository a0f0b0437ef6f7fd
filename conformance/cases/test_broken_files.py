"""Files that are no modules, or no longer or not yet: whatever is where a module should be, the host serves on.

The file in question is modules/libbroken.so where a case has one only. Who built the module does not matter:
one language is enough.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from dmconform.casekit import (
    DIRECT_PATH,
    POLL_S,
    PROBE,
    Cell,
    Envoy,
    HostCrashed,
    Language,
    Listener,
    Update,
    accepted,
    case,
    host_program,
    listener,
    unprivileged_prefix,
)

ONE = (Language.CPP,)
PLAIN = Listener("plain")
USES_IT = listener("identity", module="broken")
# Where the header of a 64-bit ELF file says what it is.
CLASS, BYTE_ORDER, MACHINE, PROGRAM_HEADER_COUNT = 4, 5, 18, 56
ELF_HEADER_BYTES, PROGRAM_HEADER_BYTES = 64, 56
AARCH64 = 183


def place(cell: Cell, name: str = "broken") -> Path:
    """Returns the place of a file, and makes its folder."""
    cell.modules_folder.mkdir(exist_ok=True)
    return cell.modules_folder / f"lib{name}.so"


def probe_bytes(cell: Cell) -> bytes:
    """Returns the bytes of a module that is right."""
    return Path(cell.sdk.modules[PROBE].path).read_bytes()


def with_byte(data: bytes, offset: int, value: int) -> bytes:
    """Returns the same data with another byte at an offset."""
    return data[:offset] + bytes((value,)) + data[offset + 1 :]


def assert_rejected(update: Update, file: Path, when: str) -> None:
    """Asserts that a configuration was rejected with a message that names the file."""
    assert not update.accepted, f"expected the configuration to be rejected {when}, it was accepted"
    assert file.name in update.message, f"expected the rejection {when} to name {file.name}, it says: {update.message}"


def assert_serves(envoy: Envoy) -> None:
    """Asserts that the listener without a module answers."""
    status = envoy.request(DIRECT_PATH, listener=PLAIN.name).status
    assert status == 200, f"expected the plain listener to answer with status 200, it answers {status}"


def assert_rejected_by_name(cell: Cell, prefix: tuple[str, ...] = ()) -> None:
    """Asserts that the file is rejected by name at start and as an update, and the process serves after both."""
    file = place(cell)
    with cell.start_anyhow(USES_IT, search_path=file.parent, prefix=prefix) as envoy:
        assert_rejected(envoy.first_update, file, "at start")
        cell.assert_still_serves(envoy)
        assert_rejected(envoy.update(PLAIN, USES_IT), file, "as an update")
        assert_serves(envoy)


def assert_each_rejected_by_name(cell: Cell, **makers: Callable[[Path], object]) -> None:
    """Asserts that files, each in its own place, are all rejected by name at start, and one by one as updates."""
    users = {place(cell, name): listener("identity", name=f"uses {name}", module=name) for name in makers}
    for file, make in zip(users, makers.values(), strict=True):
        make(file)
    with cell.start_anyhow(*users.values(), search_path=cell.modules_folder) as envoy:
        update = Update(envoy.first_update.accepted, envoy.read_log())  # the rejection has a line for each
        for file in users:
            assert_rejected(update, file, "at start")
        cell.assert_still_serves(envoy)
        for file, user in users.items():
            assert_rejected(envoy.update(PLAIN, user), file, "as an update")
            assert_serves(envoy)


@case("loading.failure_rejects", languages=ONE)
def test_no_library(cell: Cell) -> None:
    """Files of another kind: empty, a script that ld takes for a library, a static archive with the module in it."""
    data = probe_bytes(cell)
    header = f"{'probe.o/':<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
    assert_each_rejected_by_name(
        cell,
        empty=Path.touch,
        script=lambda file: file.write_text("INPUT(libprobe.so)\n", encoding="utf-8"),
        archive=lambda file: file.write_bytes(b"!<arch>\n" + header + data),
    )


@case("loading.failure_rejects", languages=ONE)
def test_other_library(cell: Cell) -> None:
    """Modules for another machine, word size or byte order, and a program: the host itself."""
    data = probe_bytes(cell)
    assert_each_rejected_by_name(
        cell,
        machine=lambda file: file.write_bytes(with_byte(data, MACHINE, AARCH64)),
        word_size=lambda file: file.write_bytes(with_byte(data, CLASS, 1)),
        byte_order=lambda file: file.write_bytes(with_byte(data, BYTE_ORDER, 2)),
        program=lambda file: file.symlink_to(host_program(cell)),
    )


@case("loading.failure_rejects", languages=ONE)
def test_no_file(cell: Cell) -> None:
    """A folder, and a symbolic link to nowhere."""
    assert_each_rejected_by_name(cell, folder=Path.mkdir, dangling=lambda file: file.symlink_to("nowhere.so"))


@case("loading.failure_rejects", languages=ONE)
def test_link_to_itself(cell: Cell) -> None:
    """A symbolic link to itself."""
    place(cell).symlink_to("libbroken.so")
    assert_rejected_by_name(cell)


@case("loading.failure_rejects", languages=ONE)
def test_link_to_itself_as_update(cell: Cell) -> None:
    """A symbolic link to itself, in an update only."""
    file = place(cell)
    file.symlink_to(file.name)
    with cell.start_anyhow(PLAIN, search_path=file.parent) as envoy:
        assert_rejected(envoy.update(PLAIN, USES_IT), file, "as an update")
        assert_serves(envoy)


@case("loading.failure_rejects", languages=ONE)
def test_unreadable(cell: Cell) -> None:
    """A module that the host may not read."""
    file = place(cell)
    file.write_bytes(probe_bytes(cell))
    file.chmod(0)
    assert_rejected_by_name(cell, unprivileged_prefix())


class Writer(threading.Thread):
    """Opens a FIFO for writing, and closes it at once, as soon as someone waits at its other end."""

    def __init__(self, fifo: Path) -> None:
        super().__init__(daemon=True)
        self._fifo = fifo
        self._over = threading.Event()
        self.was_awaited = False

    def run(self) -> None:
        while not self._over.wait(POLL_S):
            try:
                os.close(os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:  # no one waits there
                continue
            self.was_awaited = True

    def __enter__(self) -> Writer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


@case("loading.failure_rejects", languages=ONE)
def test_fifo(cell: Cell) -> None:
    """A FIFO: the host does not wait until another process writes into it."""
    file = place(cell)
    os.mkfifo(file)
    with Writer(file) as writer:
        assert_rejected_by_name(cell)
    waited = writer.was_awaited
    assert not waited, "expected the host not to wait at the FIFO, it opens it and waits for a writer"


def headers_end(data: bytes) -> int:
    """Returns the offset at which the program headers end, which come right after the header of the file."""
    (count,) = struct.unpack_from("<H", data, PROGRAM_HEADER_COUNT)
    return ELF_HEADER_BYTES + int(count) * PROGRAM_HEADER_BYTES


@case("loading.failure_rejects", languages=ONE)
def test_cut_in_headers(cell: Cell) -> None:
    """A module cut off in its headers, at several places."""
    data = probe_bytes(cell)

    def first(size: int) -> Callable[[Path], object]:
        return lambda file: file.write_bytes(data[:size])

    sizes = (1, 16, ELF_HEADER_BYTES - 1, ELF_HEADER_BYTES, headers_end(data) - 1)
    assert_each_rejected_by_name(cell, **{f"first_{size}": first(size) for size in sizes})


def assert_cut_rejected(cell: Cell, size: int) -> None:
    """Asserts that a module of which only the beginning is there is rejected by name."""
    place(cell).write_bytes(probe_bytes(cell)[:size])
    assert_rejected_by_name(cell)


@case("loading.failure_rejects", languages=ONE)
def test_cut_behind_headers(cell: Cell) -> None:
    """A module of which only the headers are there."""
    assert_cut_rejected(cell, headers_end(probe_bytes(cell)))


@case("loading.failure_rejects", languages=ONE)
def test_cut_in_half(cell: Cell) -> None:
    """A module of which the second half is missing."""
    assert_cut_rejected(cell, len(probe_bytes(cell)) // 2)


@case("loading.failure_rejects", languages=ONE)
def test_cut_near_end(cell: Cell) -> None:
    """A module of which the last tenth is missing."""
    assert_cut_rejected(cell, len(probe_bytes(cell)) * 9 // 10)


@case("loading.failure_rejects", languages=ONE)
def test_cut_as_update(cell: Cell) -> None:
    """A module of which the second half is missing, in an update only."""
    file = place(cell)
    data = probe_bytes(cell)
    file.write_bytes(data[: len(data) // 2])
    with cell.start_anyhow(PLAIN, search_path=file.parent) as envoy:
        assert_rejected(envoy.update(PLAIN, USES_IT), file, "as an update")
        assert_serves(envoy)


@case("loading.failure_rejects", languages=ONE)
def test_being_written(cell: Cell) -> None:
    """A module that is being written is rejected by name, and loaded once it is whole, though the configuration is the same."""
    data = probe_bytes(cell)
    file = place(cell)
    with file.open("wb", buffering=0) as writer, cell.start_anyhow(USES_IT, search_path=file.parent) as envoy:
        assert_rejected(envoy.first_update, file, "while it is empty")
        written = writer.write(data[:ELF_HEADER_BYTES])
        assert_rejected(envoy.update(PLAIN, USES_IT), file, "while it is being written")
        assert_serves(envoy)
        while written < len(data):
            written += writer.write(data[written:])
        writer.close()
        cell.reconfigure(envoy, PLAIN, USES_IT)
        assert_answered_by_it(envoy)


def assert_answered_by_it(envoy: Envoy, listener: str = USES_IT.name) -> None:
    """Asserts that a listener answers through the module."""
    answer = envoy.request("/", listener=listener)
    assert answer.status == 200, f"expected status 200 through the module, saw {answer.status}"
    module = answer.headers.get("x-dmconform-module")
    assert module == "libbroken.so", f"expected libbroken.so to answer, saw {module}"


@case("rtld.closed_at_last_reference", languages=ONE)
def test_replaced_in_use(cell: Cell) -> None:
    """A module whose file is replaced by a text, then removed, works on; the host serves on after updates that name it."""
    file = place(cell)
    file.write_bytes(probe_bytes(cell))
    again = listener("identity", "again", name="again", module="broken")
    with cell.start_anyhow(PLAIN, USES_IT, search_path=file.parent) as envoy:
        accepted(envoy)
        text = file.with_name("text")
        text.write_text("no library\n", encoding="utf-8")
        text.replace(file)
        assert_answered_by_it(envoy)
        cell.facts["an update after the file was replaced"] = outcome(envoy.update(PLAIN, USES_IT, again))
        assert_answered_by_it(envoy)
        file.unlink()
        cell.facts["an update after the file was removed"] = outcome(envoy.update(PLAIN, USES_IT))
        assert_answered_by_it(envoy)
        assert_serves(envoy)


def overwrite(file: Path, data: bytes) -> None:
    """Writes over a file as `cp` does, which empties it first; its inode stays."""
    file.write_bytes(data)


@case("loading.by_dlopen", languages=ONE, supported_for=())
def test_overwritten_in_use(cell: Cell) -> None:
    """A module whose file is overwritten in place, be it by the same bytes, ends the host at the next request."""
    file = place(cell)
    file.write_bytes(probe_bytes(cell))
    try:
        with cell.start_anyhow(USES_IT, search_path=file.parent) as envoy:
            accepted(envoy)
            assert_answered_by_it(envoy)
            overwrite(file, probe_bytes(cell))
            answer = envoy.request("/", listener=USES_IT.name)
            raise AssertionError(f"expected the host to end, it answers {answer}")
    except HostCrashed as end:
        signals = ("SIGBUS", "SIGSEGV")
        assert any(one in str(end) for one in signals), f"expected the host to be killed by {' or '.join(signals)}, saw: {end}"


def outcome(update: Update) -> str:
    """Returns the result of an update, in a word."""
    return "accepted" if update.accepted else "rejected"

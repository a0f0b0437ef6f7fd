"""What a job leaves is read out of an archive that nobody trusts."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

import pytest
from dmconform.containers.outputs import read_outputs
from dmconform.core.errors import HarnessError

LIMIT_BYTES = 1 << 20


def archive(*members: tarfile.TarInfo, data: bytes = b"bytes") -> list[bytes]:
    """An archive in pieces; each file has the same content, and its own size if it is given one."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as sink:
        for member in members:
            member.size = len(data) if member.isreg() else 0
            sink.addfile(member, io.BytesIO(data))
    whole = made.getvalue()
    return [whole[start : start + 700] for start in range(0, len(whole), 700)]


def of_type(kind: bytes, name: str = "out/x") -> tarfile.TarInfo:
    """A member that is a link, a device or a pipe."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def test_files_are_named_below_the_first_folder() -> None:
    found = read_outputs(archive(tarfile.TarInfo("out/a"), tarfile.TarInfo("out/b/c"), tarfile.TarInfo("single")), LIMIT_BYTES)
    assert found == {"a": b"bytes", "b/c": b"bytes", "": b"bytes"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_what_is_no_file_is_left_out(kind: bytes) -> None:
    assert read_outputs(archive(of_type(kind)), LIMIT_BYTES) == {}


@pytest.mark.parametrize("name", ["out/../x", "out/a/../../x", "out//etc/x"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(HarnessError, match="a name that leads elsewhere"):
        read_outputs(archive(tarfile.TarInfo(name)), LIMIT_BYTES)


def test_a_large_archive_is_not_read_to_its_end() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1000
            yield bytes(1000)

    with pytest.raises(HarnessError, match=f"larger than the {LIMIT_BYTES} bytes"):
        read_outputs(endless(), LIMIT_BYTES)
    assert read <= LIMIT_BYTES + 1000


def test_a_file_with_holes_counts_whole() -> None:
    info = tarfile.TarInfo("out/x")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 40)}
    with pytest.raises(HarnessError, match="larger than"):
        read_outputs(archive(info, data=b"1\n0\n0\n".ljust(512, b"\0")), LIMIT_BYTES)


@pytest.mark.parametrize("data", [b"no archive" * 100, b"", b"".join(archive(tarfile.TarInfo("out/a")))[:700]])
def test_a_damaged_archive_is_trouble_and_no_defect(data: bytes) -> None:
    with pytest.raises(HarnessError, match="cannot be read"):
        read_outputs([data], LIMIT_BYTES)

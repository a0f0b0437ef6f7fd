"""The references of x86-64 code, by their bytes."""

from __future__ import annotations

import pytest
from dmconform.binaries.references import RefersBy, addresses_taken, references, stub_pointer

START, LOW, HIGH = 0x1000, 0, 0x10_0000
DISTANCE = bytes.fromhex("00020000")  # 512 bytes on


@pytest.mark.parametrize(
    ("before", "way", "size"),
    [
        ("e8", RefersBy.BRANCH, 0),  # call
        ("e9", RefersBy.BRANCH, 0),  # jmp
        ("0f84", RefersBy.BRANCH, 0),  # je
        ("488d05", RefersBy.ADDRESS, 0),  # lea
        ("4c8d3d", RefersBy.ADDRESS, 0),  # lea, r15
        ("488b05", RefersBy.LOAD, 8),  # mov
        ("ff15", RefersBy.LOAD, 8),  # call *
        ("ff25", RefersBy.LOAD, 8),  # jmp *
        ("ff35", RefersBy.LOAD, 8),  # push
        ("48031d", RefersBy.LOAD, 8),  # add
        ("0f1005", RefersBy.LOAD, 16),  # movups
        ("f30f7e05", RefersBy.LOAD, 16),  # movq
        ("660f3a2205", RefersBy.LOAD, 16),  # pinsrd
        ("c5f81005", RefersBy.LOAD, 64),  # vmovups
        ("c4e17b1005", RefersBy.LOAD, 64),  # the same with the longer prefix
        ("62f17c481005", RefersBy.LOAD, 64),  # the same of 512 bits
    ],
)
def test_a_reference(before: str, way: RefersBy, size: int) -> None:
    # What comes before an instruction could be anything.
    code = b"\x90" * 8 + bytes.fromhex(before) + DISTANCE
    found = [one for one in references(code, START, LOW, HIGH) if one.target == START + len(code) + 512]
    assert [(one.way, one.size) for one in found] == [(way, size)]


@pytest.mark.parametrize("before", ["8b05", "3b05", "c605"])
def test_what_loads_less_than_a_pointer_is_none(before: str) -> None:
    code = b"\x90" * 8 + bytes.fromhex(before) + DISTANCE
    assert list(references(code, START, LOW, HIGH)) == []


@pytest.mark.parametrize("jump", ["eb", "74", "7f", "e2", "e3"])
def test_short_jumps_near_either_end(jump: str) -> None:
    long = b"\x90" * 1000
    for code, at in ((bytes.fromhex(jump + "80") + long, 0), (long + bytes.fromhex(jump + "60"), 1000)):
        distance = int.from_bytes(code[at + 1 : at + 2], "little", signed=True)
        assert [one.target for one in references(code, START, LOW, HIGH)] == [START + at + 2 + distance]
    inside = long + bytes.fromhex(jump + "60") + long
    assert list(references(inside, START, LOW, HIGH)) == []


def test_only_what_is_outside_of_the_code_and_inside_of_the_library() -> None:
    call = b"\xe8" + (-5).to_bytes(4, "little", signed=True)
    assert list(references(call, START, LOW, HIGH)) == []
    far = b"\xe8" + (HIGH).to_bytes(4, "little")
    assert list(references(far, START, LOW, HIGH)) == []
    assert list(references(b"\xe8\0\0", START, LOW, HIGH)) == [], "cut off"


def test_stubs() -> None:
    for prefix in ("", "f30f1efa", "f30f1efaf2", "f2"):
        code = bytes.fromhex(prefix) + b"\xff\x25" + DISTANCE
        assert stub_pointer(code, START) == START + len(code) + 512
    assert stub_pointer(b"\x55\xff\x25" + DISTANCE, START) is None
    row = b"\xff\x35" + DISTANCE + b"\xff\x25" + DISTANCE + b"\x90" * 4 + b"\xff\x25" + DISTANCE
    assert list(references(row, START, LOW, HIGH)) == [], "a row of stubs is followed one by one"


def test_addresses_taken() -> None:
    code = b"\x90\x48\x8d\x3d" + DISTANCE + b"\x48\x8b\x05" + DISTANCE
    assert list(addresses_taken(code, START)) == [START + 8 + 512]

"""The comparison of two ABIs against libabigail's, on the minors and on differences that no minor has yet."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dmconform.abi.spelling import parse_type
from dmconform.abi.types import Abi, Alias
from dmconform.abi_diff.assemble import diff
from dmconform.abi_diff.changes import AbiChangeKind, Diff
from dmconform.abi_diff.operands import Operand, of_minor
from dmconform.abi_diff.requirements import measured_needs
from dmconform.abi_diff.uses import load_sdk_uses

from tests.tools.libabigail import Functions, abidiff, disagreements, library

PAIRS = (("1.37", "1.38"), ("1.38", "1.39"), ("1.39", "1.40"), ("1.38", "1.40"))
PREFIX = "envoy_dynamic_module_"
BASE = "1.39"
"""The minor that differences are planted in."""

REMOVED = frozenset({AbiChangeKind.CALLBACK_REMOVED, AbiChangeKind.UNDECLARED_REMOVED, AbiChangeKind.HOOK_REMOVED})
ADDED = frozenset(
    {
        AbiChangeKind.CALLBACK_ADDED,
        AbiChangeKind.HOOK_ADDED,
        AbiChangeKind.HOOK_REQUIRED,
        AbiChangeKind.HOOK_NEEDED,
        AbiChangeKind.HOOK_NOT_MEASURED,
    }
)
# What abidiff cannot see, and why. A kind that is in none of these rules has to be seen by both.
UNSEEN: Mapping[AbiChangeKind, str] = {
    AbiChangeKind.ABI_STRING: "it is a function's result, and no function",
    AbiChangeKind.SIGNATURE_UNKNOWN: "of one of the two there is a symbol only, which is all that both have",
    AbiChangeKind.HOOK_REMOVED: "the header has the hook still, and the host does not look for it",
    AbiChangeKind.HOOK_REQUIRED: "what a host needs is measured, and in no library",
    AbiChangeKind.HOOK_NEEDED: "what a host needs is measured, and in no library",
    AbiChangeKind.HOOK_OPTIONAL: "what a host needs is measured, and in no library",
    AbiChangeKind.PARAMETER_RENAMED: "a parameter's name is no part of its function's type",
    AbiChangeKind.TYPE_ADDED: "a type that no function of both has",
    AbiChangeKind.TYPE_REMOVED: "a type that no function of both has: of one that had it, its own difference tells",
}
# What abidiff sees only where more than a name differs: it looks through aliases, and takes `const void` for `void`.
BY_NAME = frozenset(
    {
        AbiChangeKind.PARAMETER_MEANING,
        AbiChangeKind.PARAMETER_RESPELLED,
        AbiChangeKind.RETURN_MEANING,
        AbiChangeKind.RETURN_RESPELLED,
        AbiChangeKind.ALIAS_RESPELLED,
    }
)
SAME_IN_C = {
    **dict.fromkeys(("size_t", "uint64_t", "uintptr_t"), "unsigned long"),
    **dict.fromkeys(("int64_t", "intptr_t", "ptrdiff_t"), "long"),
    "uint32_t": "unsigned int",
    "uint16_t": "unsigned short",
    "uint8_t": "unsigned char",
    "int32_t": "int",
    "int16_t": "short",
    "int8_t": "signed char",
}
"""What C's own headers say on x86-64 Linux."""
NOTHING = Functions(frozenset(), frozenset(), frozenset())


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The library of each minor, compiled when it is asked for first."""
    folder = tmp_path_factory.mktemp("minors")
    return cache(lambda minor: library(of_minor(minor).abi, folder / minor))


def compared(old: Operand, new: Operand) -> Diff:
    """What `dmconform abi diff` says."""
    return diff(old, new, load_sdk_uses(), measured_needs())


def own_view(old: Operand, new: Operand) -> Functions:
    """The functions that this project's comparison names, without what abidiff cannot see."""
    before, after = ({function.name for function in side.abi.functions} for side in (old, new))
    removed, added, changed = set[str](), set[str](), set[str]()
    for change in compared(old, new).changes:
        if change.kind in REMOVED and change.subject not in after:
            removed.add(change.subject)
        elif change.kind in ADDED and change.subject not in before:
            added.add(change.subject)
        elif change.kind not in UNSEEN and not (change.kind in BY_NAME and only_names_differ(change.subject, old.abi, new.abi)):
            changed |= {change.subject} if change.subject in before & after else set(change.affects)
    return Functions(frozenset(removed), frozenset(added), frozenset(changed))


def only_names_differ(name: str, old: Abi, new: Abi) -> bool:
    """Whether a function or an alias is the same on both sides when every alias is followed to its end."""
    return behind(name, old) == behind(name, new)


def behind(name: str, abi: Abi) -> tuple[str, ...]:
    """What a function takes and gives back, or what an alias stands for, as abidiff sees it."""
    aliases = {one.name: one.type for one in abi.types if isinstance(one, Alias)}
    for function in abi.functions:
        if function.name == name:
            return tuple(seen_as(text, aliases) for text in (function.returns or "", *(p.type for p in function.params or ())))
    return (seen_as(name, aliases),)


def seen_as(text: str, aliases: Mapping[str, str]) -> str:
    """A type with no alias in it."""
    parsed = parse_type(text)
    seen = seen_as(aliases[parsed.base], aliases) if parsed.base in aliases else SAME_IN_C.get(parsed.base, parsed.base)
    if parsed.const and seen != "void":
        seen = f"const({seen})"
    for const in parsed.stars:
        seen = f"const({seen}*)" if const else f"{seen}*"
    return f"{seen}{parsed.sizes or ''}"


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_both_name_the_same_functions(libraries: Callable[[str], Path], old: str, new: str) -> None:
    own = own_view(of_minor(old), of_minor(new))

    assert disagreements(abidiff(libraries(old), libraries(new)), own) == {}
    assert own.added and own.changed, "these minors differ"


Edit = Callable[[dict[str, Any]], object]
"""Changes a function or a type, as the data file has it, in place."""


@dataclass(frozen=True)
class Plant:
    """A difference that is planted in the newer of two ABIs that are else the same."""

    kind: AbiChangeKind  # what this project's comparison is to call it
    name: str  # of the function or type, without what all names begin with
    edit: Edit
    seen: bool = True  # by abidiff

    def __str__(self) -> str:
        return f"{self.kind.name}-{self.name}"

    def in_copy(self, side: Operand) -> Operand:
        """A copy of an ABI, with the difference in it."""
        data = json.loads(msgspec.json.encode(side.abi))
        (entry,) = (one for one in (*data["functions"], *data["types"]) if one["name"] == PREFIX + self.name)
        self.edit(entry)
        return dataclasses.replace(side, label="planted", abi=msgspec.convert(data, Abi))


def param(number: int, **what: str) -> Edit:
    """Gives a parameter another type or name."""
    return lambda it: it["params"][number].update(what)


def more(name: str, c_type: str) -> Edit:
    """Adds a parameter."""
    return lambda it: it["params"].append({"name": name, "type": c_type})


def field(number: int, **what: str) -> Edit:
    """Gives a field another type or name."""
    return lambda it: it["fields"][number].update(what)


def constant(number: int, **what: str | int) -> Edit:
    """Gives an enum's constant another name or number."""
    return lambda it: it["values"][number].update(what)


def rename(it: dict[str, Any]) -> None:
    """Gives a function another name."""
    it["name"] += "_2"


READ = "callback_transport_socket_io_read"  # status (socket, char* buffer, size_t length, size_t* bytes_read)
WRITE = "callback_transport_socket_io_write"  # status (socket, const char* buffer, size_t length, size_t* bytes_written)
CLOSE = "on_transport_socket_close"  # void (socket, module's socket, event, bool)
BYTES = "type_bytes_info"  # a struct of four uint64_t
STATUS = "type_transport_socket_io_status"
ADDRESS = "type_packed_address"
DESTRUCTOR = "type_filter_state_object_destructor"  # void (*)(void* object)
HANDLE = "type_transport_socket_envoy_ptr"
PLANTS = (
    Plant(AbiChangeKind.CALLBACK_REMOVED, WRITE, rename),
    Plant(AbiChangeKind.HOOK_REMOVED, CLOSE, rename),
    Plant(AbiChangeKind.PARAMETER_ADDED, WRITE, more("flags", "uint32_t")),
    Plant(AbiChangeKind.POINTER_ADDED, CLOSE, more("reason", "const char*")),
    Plant(AbiChangeKind.PARAMETER_DROPPED, CLOSE, lambda it: it["params"].pop()),
    Plant(AbiChangeKind.POINTER_DROPPED, WRITE, lambda it: it["params"].pop()),
    Plant(AbiChangeKind.PARAMETERS_MOVED, WRITE, lambda it: it["params"].insert(0, it["params"].pop())),
    Plant(AbiChangeKind.PARAMETER_TYPE, WRITE, param(2, type="uint32_t")),
    Plant(AbiChangeKind.PARAMETER_MEANING, WRITE, param(0, type=f"{PREFIX}type_network_filter_envoy_ptr"), seen=False),
    Plant(AbiChangeKind.PARAMETER_MEANING, "callback_log", param(1, type=f"{PREFIX}type_envoy_buffer")),
    Plant(AbiChangeKind.PARAMETER_CONST, WRITE, param(1, type="char*")),
    Plant(AbiChangeKind.PARAMETER_CONST, READ, param(1, type="const char*")),
    Plant(AbiChangeKind.PARAMETER_RESPELLED, WRITE, param(2, type="uint64_t"), seen=False),
    Plant(AbiChangeKind.PARAMETER_RESPELLED, "callback_log", param(0, type="uint32_t")),
    Plant(AbiChangeKind.PARAMETER_RENAMED, WRITE, param(2, name="size"), seen=False),
    Plant(AbiChangeKind.RETURN_TYPE, WRITE, lambda it: it.update(returns="uint64_t")),
    Plant(AbiChangeKind.RETURN_RESPELLED, WRITE, lambda it: it.update(returns="uint32_t")),
    Plant(AbiChangeKind.RETURN_ADDED, CLOSE, lambda it: it.update(returns="bool")),
    Plant(AbiChangeKind.RETURN_DROPPED, WRITE, lambda it: it.update(returns="void")),
    Plant(AbiChangeKind.RETURN_IN_MEMORY, WRITE, lambda it: it.update(returns=f"{PREFIX}{BYTES}")),
    Plant(AbiChangeKind.STRUCT_LAYOUT, BYTES, field(1, type="uint32_t")),
    Plant(AbiChangeKind.STRUCT_LAYOUT, BYTES, lambda it: it["fields"].append({"name": "more", "type": "bool"})),
    Plant(AbiChangeKind.STRUCT_LAYOUT, BYTES, lambda it: it["fields"].reverse()),
    Plant(AbiChangeKind.STRUCT_LAYOUT, ADDRESS, field(0, type="uint8_t[4]")),
    Plant(AbiChangeKind.FIELD_MEANING, "type_dns_address", field(0, type=f"{PREFIX}type_buffer_envoy_ptr")),
    Plant(AbiChangeKind.FIELD_RENAMED, BYTES, field(1, name="other")),
    Plant(AbiChangeKind.ENUM_VALUE_CHANGED, STATUS, constant(1, value=77)),
    Plant(AbiChangeKind.ENUM_VALUE_RENAMED, STATUS, constant(1, name=f"{PREFIX}{STATUS}_Other")),
    Plant(AbiChangeKind.ENUM_VALUE_REMOVED, STATUS, lambda it: it["values"].pop()),
    Plant(
        AbiChangeKind.ENUM_VALUE_ADDED, STATUS, lambda it: it["values"].append({"name": f"{PREFIX}{STATUS}_New", "value": 77})
    ),
    Plant(AbiChangeKind.ALIAS_TARGET, HANDLE, lambda it: it.update(type="uint32_t")),
    Plant(AbiChangeKind.ALIAS_RESPELLED, HANDLE, lambda it: it.update(type="const void*"), seen=False),
    Plant(AbiChangeKind.ALIAS_RESPELLED, HANDLE, lambda it: it.update(type="char*")),
    Plant(AbiChangeKind.FUNCTION_POINTER, DESTRUCTOR, more("size", "size_t")),
    Plant(AbiChangeKind.TYPE_KIND, STATUS, lambda it: replace_by(it, kind="alias", type="bool")),
)


def replace_by(it: dict[str, Any], **what: str) -> None:
    """Makes another kind of type of one."""
    del it["values"]
    it.update(what)


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_both_find_what_is_planted(plant: Plant, libraries: Callable[[str], Path], tmp_path: Path) -> None:
    old = of_minor(BASE)
    new = plant.in_copy(old)

    assert plant.kind in {change.kind for change in compared(old, new).changes}
    own = own_view(old, new)
    assert disagreements(abidiff(libraries(BASE), library(new.abi, tmp_path / "planted")), own) == {}
    assert (own != NOTHING) is plant.seen


def test_what_only_one_of_them_is_given_is_noticed(libraries: Callable[[str], Path], tmp_path: Path) -> None:
    """The comparison of the two can fail: here only abidiff gets a changed signature."""
    old = of_minor(BASE)
    plant = Plant(AbiChangeKind.PARAMETER_TYPE, WRITE, param(2, type="uint32_t"))

    seen = abidiff(libraries(BASE), library(plant.in_copy(old).abi, tmp_path / "planted"))

    assert disagreements(seen, own_view(old, old)) == {"changed, says abidiff alone": [PREFIX + WRITE]}

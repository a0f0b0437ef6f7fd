"""What differs in the types of two ABIs. Each difference is listed once, for the type itself, with the functions it affects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dmconform.abi.types import Abi, AbiType, Alias, Enum, FunctionPointer, Struct
from dmconform.abi_diff.changes import AbiChangeKind, AbiDifference, Reader
from dmconform.abi_diff.flow import TypeUse, type_uses
from dmconform.abi_diff.shapes import Likeness, TypeComparison
from dmconform.abi_diff.signatures import Signature, compare_signatures

_HARMLESS_IN_POINTER = frozenset(
    (AbiChangeKind.PARAMETER_RENAMED, AbiChangeKind.PARAMETER_RESPELLED, AbiChangeKind.RETURN_RESPELLED)
)
_UNUSED = TypeUse()


@dataclass(frozen=True)
class _Found:
    kind: AbiChangeKind
    detail: str
    before: str = ""
    after: str = ""


def type_differences(old: Abi, new: Abi, comparison: TypeComparison, common: frozenset[str]) -> Iterator[AbiDifference]:
    """Yields every difference in types.

    Args:
        old: the ABI that a module was built against.
        new: the ABI of the host.
        comparison: the types of both, with the renamed ones.
        common: names of the functions that both ABIs have; a difference affects those of them that reach the type.
    """
    uses = type_uses(old, comparison.old)
    for name, was in comparison.old.types.items():
        use = uses.get(name, _UNUSED)
        affects = tuple(sorted(common & use.functions.keys()))
        now = comparison.new.types.get(comparison.renamed.get(name, name))
        found = (
            [_Found(AbiChangeKind.TYPE_REMOVED, "it is declared no more")] if now is None else _compare(was, now, comparison)
        )
        certain = old.sources[was.source].exact and (now is None or new.sources[now.source].exact)
        for one in found:
            yield AbiDifference(
                one.kind, name, use.readers(common), one.detail, one.before, one.after, certain, () if now is None else affects
            )
    gone_to = frozenset(comparison.renamed.values())
    for name, now in comparison.new.types.items():
        if name not in comparison.old.types and name not in gone_to:
            yield AbiDifference(AbiChangeKind.TYPE_ADDED, name, Reader.NEITHER, certain=new.sources[now.source].exact)


def _compare(old: AbiType, new: AbiType, comparison: TypeComparison) -> Iterator[_Found]:
    if old.name != new.name:
        yield _Found(AbiChangeKind.TYPE_RENAMED, f"it is called {new.name} now", old.name, new.name)
    match old, new:
        case Alias(), Alias():
            yield from _aliases(old, new, comparison)
        case Enum(), Enum():
            yield from _enums(old, new)
        case Struct(), Struct():
            yield from _structs(old, new, comparison)
        case FunctionPointer(), FunctionPointer():
            yield from _function_pointers(old, new, comparison)
        case _:
            same_bits = comparison.behind(old.name, new.name) <= Likeness.RESPELLED
            kind = AbiChangeKind.ALIAS_RESPELLED if same_bits else AbiChangeKind.TYPE_KIND
            yield _Found(kind, f"was {_article(old)}, is {_article(new)}")


def _article(one: AbiType) -> str:
    names: Mapping[type[AbiType], str] = {
        Alias: "an alias",
        Enum: "an enum",
        Struct: "a struct",
        FunctionPointer: "a function pointer",
    }
    return names[type(one)]


def _aliases(old: Alias, new: Alias, comparison: TypeComparison) -> Iterator[_Found]:
    alike = comparison.likeness(old.type, new.type)
    if alike in (Likeness.SAME, Likeness.RENAMED):
        return
    kind = AbiChangeKind.ALIAS_TARGET if alike >= Likeness.MEANING else AbiChangeKind.ALIAS_RESPELLED
    yield _Found(kind, f"stood for `{old.type}`, stands for `{new.type}`", old.type, new.type)


def _enums(old: Enum, new: Enum) -> Iterator[_Found]:
    was = {one.name.removeprefix(old.name): one.value for one in old.values}
    now = {one.name.removeprefix(new.name): one.value for one in new.values}
    appeared = {value: name for name, value in now.items() if name not in was}
    taken: set[str] = set()
    for name, value in was.items():
        shown = name.lstrip("_")
        if name in now:
            if now[name] != value:
                yield _Found(
                    AbiChangeKind.ENUM_VALUE_CHANGED, f"{shown} was {value}, is {now[name]}", str(value), str(now[name])
                )
        elif value in appeared:
            other = appeared[value]
            taken.add(other)
            yield _Found(AbiChangeKind.ENUM_VALUE_RENAMED, f"{value} was called {shown}, is called {other.lstrip('_')}")
        else:
            yield _Found(AbiChangeKind.ENUM_VALUE_REMOVED, f"{shown} = {value} is gone", str(value))
    for value, name in appeared.items():
        if name not in taken:
            yield _Found(AbiChangeKind.ENUM_VALUE_ADDED, f"{name.lstrip('_')} = {value} is new", after=str(value))


def _structs(old: Struct, new: Struct, comparison: TypeComparison) -> Iterator[_Found]:
    was, now = comparison.old.layouts.of(old.name), comparison.new.layouts.of(new.name)
    layout = [f"size {was.size} to {now.size} bytes"] if was.size != now.size else []
    if was.alignment != now.alignment:
        layout.append(f"alignment {was.alignment} to {now.alignment}")
    places = dict(zip((field.name for field in new.fields), now.offsets, strict=True))
    types = {field.name: field.type for field in new.fields}
    old_names = {field.name for field in old.fields}
    # A field that is new by name, in the place of one that is gone, is taken for that field.
    unknown = {at: name for name, at in places.items() if name not in old_names}
    meanings: list[str] = []
    respelled: list[str] = []
    for field, at in zip(old.fields, was.offsets, strict=True):
        name = field.name if field.name in places else unknown.pop(at, None)
        if name is None:
            layout.append(f"field `{field.name}` at offset {at} is gone")
            continue
        alike = comparison.likeness(field.type, types[name])
        reported = f"field at offset {at} was `{field.type} {field.name}`, is `{types[name]} {name}`"
        if places[name] != at:
            layout.append(f"field `{name}` moves from offset {at} to {places[name]}")
        elif alike is Likeness.SHAPE:
            layout.append(reported)
        elif alike is Likeness.MEANING:
            meanings.append(reported)
        elif name != field.name or alike in (Likeness.RESPELLED, Likeness.CONST):
            respelled.append(reported)
    layout += [f"field `{types[name]} {name}` is new at offset {at}" for at, name in unknown.items()]
    for kind, all_reported in (
        (AbiChangeKind.STRUCT_LAYOUT, layout),
        (AbiChangeKind.FIELD_MEANING, meanings),
        (AbiChangeKind.FIELD_RENAMED, respelled),
    ):
        if all_reported:
            yield _Found(kind, "; ".join(all_reported))


def _function_pointers(old: FunctionPointer, new: FunctionPointer, comparison: TypeComparison) -> Iterator[_Found]:
    was, now = Signature(old.returns, old.params), Signature(new.returns, new.params)
    found = list(compare_signatures(was, now, comparison))
    hard = [one.detail for one in found if one.kind not in _HARMLESS_IN_POINTER]
    if hard:
        yield _Found(AbiChangeKind.FUNCTION_POINTER, "; ".join(hard), str(was), str(now))
    elif found:
        yield _Found(AbiChangeKind.ALIAS_RESPELLED, "; ".join(one.detail for one in found), str(was), str(now))

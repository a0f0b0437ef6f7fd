"""Describes the data of the report page in TypeScript, from the types that write it, for the type checker of the page's script.

`./toxw -e schema` writes the file anew; a test compares it with the types.
"""

from __future__ import annotations

import inspect
import sys
from enum import Enum
from typing import Final

import msgspec
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.page.cells import LOOK_FIELDS
from dmconform.report.page.data import PageData
from dmconform.report.page.document import ASSETS

FILE: Final = ASSETS / "data.d.ts"
_HEAD: Final = "// The data of the page: written from the types in harness/dmconform/report/page by `./toxw -e schema`.\n"
_LOOK_TYPES: Final = {"outcome": Outcome, "judgement": Judgement, "relation": Relation}
"""What fields of a look are, where that is not any text. So the script cannot ask for a value that there is not."""
_LONGEST_LINE: Final = 128
"""Characters; as in biome.json."""
_NAMES: Final[dict[type[msgspec.inspect.Type], str]] = {
    msgspec.inspect.StrType: "string",
    msgspec.inspect.BoolType: "boolean",
    msgspec.inspect.IntType: "number",
    msgspec.inspect.NoneType: "null",
}


def typescript(root: type[msgspec.Struct] = PageData) -> str:
    """Returns the declarations of `root` and of all structures in it, each after those that it names."""
    found: dict[str, str] = {}
    look = [f"{name}: {_name(msgspec.inspect.type_info(_LOOK_TYPES.get(name, str)), found)}" for name in LOOK_FIELDS]
    found["Look"] = _interface("Look", "What cells share.", look)
    _name(msgspec.inspect.type_info(root), found)
    return "\n".join([_HEAD, *found.values()])


def _interface(name: str, described: str, fields: list[str]) -> str:
    return "\n".join([f"/** {described} */", f"export interface {name} {{", *(f"  {field};" for field in fields), "}", ""])


def _values(enum: type[Enum]) -> str:
    """Returns the declaration of an enum: on one line where it fits, as the formatter wants it."""
    values = [f'"{one.value}"' for one in enum]
    line = f"export type {enum.__name__} = {' | '.join(values)};"
    return (
        line
        if len(line) <= _LONGEST_LINE
        else "\n".join([f"export type {enum.__name__} =", *(f"  | {one}" for one in values)]) + ";"
    )


def _name(its: msgspec.inspect.Type, found: dict[str, str]) -> str:  # noqa: PLR0911 (one for each kind)
    """Returns what TypeScript calls a type; the structures in it are added to `found`.

    Raises:
        TypeError: It is of a kind that the page's data has not had so far.
    """
    if type(its) in _NAMES:
        return _NAMES[type(its)]
    match its:
        case msgspec.inspect.EnumType(cls=enum):
            found.setdefault(enum.__name__, f"/** {inspect.getdoc(enum)} */\n{_values(enum)}\n")
            return enum.__name__
        case msgspec.inspect.ListType(item_type=item) | msgspec.inspect.VarTupleType(item_type=item):
            name = _name(item, found)
            return f"({name})[]" if " " in name and not name.startswith("[") else f"{name}[]"
        case msgspec.inspect.TupleType(item_types=items):
            return f"[{', '.join(_name(item, found) for item in items)}]"
        case msgspec.inspect.DictType(key_type=msgspec.inspect.StrType(), value_type=value):
            return f"Record<string, {_name(value, found)}>"
        case msgspec.inspect.UnionType(types=types):
            return " | ".join(_name(one, found) for one in types)
        case msgspec.inspect.StructType(cls=struct, fields=fields):
            described = " ".join((inspect.getdoc(struct) or "").split())
            named = [f"{field.encode_name}: {_name(field.type, found)}" for field in fields]
            found.setdefault(struct.__name__, _interface(struct.__name__, described, named))
            return struct.__name__
        case _:
            raise TypeError(f"there is no TypeScript for {its}; add it here")


def main() -> int:
    """Writes the file."""
    FILE.write_text(typescript(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Changes of JSON and TOML files: of the structure, so that most of a file still makes sense, and of the bytes."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.unit.report_samples import HOSTILE

Json = Any  # a value of JSON, a list or an object of it, or a key
LARGEST_BYTES = 4 << 20
_DEEP = "@deep@"  # what is nested too deep for the encoder is put into the text
VALUES: tuple[object, ...] = (
    *(None, True, 0, -1, 1, 255, 2**31, 2**63, 2**64, -(2**70), 10**400, 1e308, -1e-308, float("nan"), float("inf")),
    *("", " ", "\0", "\ud800", HOSTILE, "../../etc/passwd", "/dev/zero", "a" * 50_000, "9" * 5_000, "*", "[", "(a+)+$"),
    *(
        "1.40",
        "1.40.0",
        "99999999999999999999.1.1",
        "rust@1.40:official",
        "a/b/c/d",
        "void",
        "int*",
        "struct x",
        "pass",
        "fail",
    ),
    *([], {}, [[]], {"": None}, [None] * 1_000, _DEEP),
)


def mutated_json(value: Json, chance: random.Random) -> bytes:
    """Returns a value as JSON with one to five places changed; the value itself is changed, too."""
    gently = chance.random() < 0.7
    for _ in range(chance.randint(1, 5)):
        places = list(_places(value))
        if not places:
            break
        holder, key = chance.choice(places)
        (_change_gently if gently else _change)(holder, key, places, chance)
    if gently:
        return json.dumps(value).encode()[:LARGEST_BYTES]
    text = json.dumps(value, check_circular=False, ensure_ascii=chance.random() < 0.8).encode(errors="surrogatepass")
    depth = chance.choice((10, 900, 5_000, 100_000))
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    text = text.replace(json.dumps(_DEEP).encode(), opening * depth + b"1" + closing * depth)
    text = mutated_bytes(text, chance) if chance.random() < 0.2 else text
    return text[:LARGEST_BYTES]


def _places(value: Json) -> Iterator[tuple[Any, Any]]:
    """Yields each holder with each of its keys."""
    left = [value]
    while left:
        holder = left.pop()
        keys = holder if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            yield holder, key
            if isinstance(holder[key], (dict, list)) and holder[key]:
                left.append(holder[key])


def _change(holder: Json, key: Json, places: Sequence[tuple[Any, Any]], chance: random.Random) -> None:
    way = chance.randrange(7)
    old = holder[key]
    if way == 0:
        del holder[key]
    elif way == 1:  # of another place
        other, name = chance.choice(places)
        holder[key] = json.loads(json.dumps(other[name] if _has(other, name) else None))
    elif way == 2 and isinstance(holder, dict):
        holder[chance.choice(("", "surprise", HOSTILE, f"{key} "))] = holder.pop(key)
    elif way == 3 and isinstance(holder, list):
        holder[key:key] = [old] * chance.choice((1, 10, 1_000))
        del holder[20_000:]
    elif way == 4 and isinstance(old, str):
        holder[key] = chance.choice((old.upper(), old + HOSTILE, old * 100, old[:-1], f"{old}\n", old.replace("/", "//")))
    elif way == 5 and isinstance(old, (int, float)):
        holder[key] = chance.choice((-old, old + 1, old * 10**9, float(old), str(old)))
    else:
        holder[key] = chance.choice(VALUES)


def _change_gently(holder: Json, key: Json, places: Sequence[tuple[Any, Any]], chance: random.Random) -> None:
    """Changes a place so that its type stays as it is."""
    old = holder[key]
    if isinstance(holder, list) and chance.random() < 0.3:
        holder[key:key] = [old] * chance.choice((1, 1, 300))
        if chance.random() < 0.5:
            del holder[key]
    elif isinstance(old, bool):
        holder[key] = not old
    elif isinstance(old, str):
        strings = [other[name] for other, name in places if isinstance(other[name], str)]
        holder[key] = chance.choice((*chance.choices(strings, k=6), HOSTILE, "", old * 50, f"{old} ", "void*", "1.40.0"))
    elif isinstance(old, (int, float)):
        holder[key] = type(old)(chance.choice((-old, old + 1, 0, 2**31, 10**9)))
    elif isinstance(old, list):
        chance.shuffle(old)
        del old[chance.randrange(len(old) + 1) :]


def _has(holder: Json, key: Json) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


def mutated_bytes(text: bytes, chance: random.Random) -> bytes:
    """Returns a text with one to eight places changed: flipped, removed, repeated, or replaced."""
    changed = bytearray(text)
    for _ in range(chance.randint(1, 8)):
        start = chance.randrange(len(changed) + 1)
        part = slice(start, start + chance.choice((1, 4, 80)))
        match chance.randrange(4):
            case 0:
                changed[part] = bytes(one ^ 1 << chance.randrange(8) for one in changed[part])
            case 1:
                del changed[part]
            case 2:
                changed[part] = changed[part] * chance.choice((2, 50, 5_000))
            case _:
                changed[part] = chance.choice(
                    (b"\0", b"\xff\xfe", b'"', b"{", b"]", b"\n", b"\\u0000", b"-", b"[[", b"'''", b"1e9")
                )
    return bytes(changed[:LARGEST_BYTES])


_TOML_VALUES = (
    *(
        '""',
        "true",
        "-1",
        "9223372036854775808",
        "1e400",
        "nan",
        "[]",
        "{}",
        "[[]]",
        '["*"]',
        '"*"',
        '"["',
        "1979-05-27",
        "''",
        "00:00:00",
    ),
    *(
        '"\\u0000"',
        '"(a+)+$"',
        '"(((((((((((("',
        '"' + "*a" * 500 + '"',
        '"' + "x" * 50_000 + '"',
        "[" * 5_000 + "]" * 5_000,
        "{a=" * 500 + "1" + "}" * 500,
    ),
    *('"1.40"', '"99999999999.1"', '"own"', '"pass"', '"*/*/*/*"', '"rust@1.39:official"', "0x" + "f" * 20_000, "9" * 5_000),
)
_TOML_LINES = (
    "[known]",
    "[[known]]",
    "[a.b.c]",
    "surprise = 1",
    "[[allow]]",
    "[[use]]",
    "=",
    "]",
    '"',
    "a" + ".a" * 5_000 + " = 1",
    "#" * 10_000,
)


# Lines of up to 1 MiB that ask for much time or memory.
_TOML_BOMBS: tuple[Callable[[], str], ...] = (
    lambda: f"[a{'.a' * 500_000}]",
    lambda: f"x = [{'[],' * 340_000}]",
    lambda: "\n".join(f"a{number}.b.c.d = 1" for number in range(60_000)),
    lambda: "\n".join(f"[[a{'.a' * 60}]]" for _ in range(8_000)),
    lambda: f"x = {'{a = ' * 200_000}",
    lambda: f"x = {'9' * 1_000_000}",
)


def mutated_toml(text: str, chance: random.Random) -> bytes:
    """Returns a text of TOML with one to five lines changed, or with its bytes changed, or with what asks for very much."""
    lines = text.splitlines()
    if chance.random() < 0.03:
        return "\n".join([*lines, chance.choice(_TOML_BOMBS)()]).encode()
    if chance.random() < 0.6:
        return _mutated_gently(lines, chance)
    for _ in range(chance.randint(1, 5)):
        places = [place for place, line in enumerate(lines) if line.strip() and not line.startswith("#")]
        if not places:
            break
        place = chance.choice(places)
        key, equals, value = lines[place].partition(" = ")
        match chance.randrange(6):
            case 0:
                del lines[place]
            case 1:
                lines[place:place] = [lines[place]] * chance.choice((1, 200))
            case 2:
                lines[place:place] = [chance.choice(_TOML_LINES)]
            case 3 if equals:
                lines[place] = f"{chance.choice(('surprise', 'id', 'a b', key.upper()))} = {value}"
            case _ if equals:
                lines[place] = f"{key} = {chance.choice(_TOML_VALUES)}"
            case _:
                lines[place] = lines[place].replace('"', chance.choice(("'", "", '"""')))
    made = "\n".join(lines).encode()
    return mutated_bytes(made, chance) if chance.random() < 0.3 else made


def _mutated_gently(lines: list[str], chance: random.Random) -> bytes:
    """Returns lines with one to five strings replaced by others of the file, or by hostile ones: types stay as they are."""
    strings = [found for line in lines if not line.startswith("#") for found in re.findall(r'"[^"]*"', line)]
    places = [place for place, line in enumerate(lines) if '"' in line and '"""' not in line and not line.startswith("#")]
    for place in chance.choices(places, k=chance.randint(1, 5)):
        new = chance.choice((*chance.choices(strings, k=4), *(one for one in _TOML_VALUES if one.startswith('"'))))
        old = chance.choice(re.findall(r'"[^"]*"', lines[place]) or ['"'])
        lines[place] = lines[place].replace(old, new, 1)
    return "\n".join(lines).encode()

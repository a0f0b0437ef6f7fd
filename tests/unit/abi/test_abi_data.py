"""The ABI data is of its format, consistent in itself, and what is written is what was read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from dmconform.abi.consistency import problems
from dmconform.abi.loading import abi_json, known_minors, load_abi, load_abi_file
from dmconform.abi.types import Abi, FunctionKind, Provenance
from dmconform.cli.json_schemas import ABI as SCHEMA
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.hosts.catalogue import load_hosts

from tests.unit.golden import ABI_FILE, golden_abi

MINORS = tuple(map(str, known_minors()))
PREFIX = "envoy_dynamic_module_type_"


def test_five_minors_are_there() -> None:
    assert MINORS == ("1.36", "1.37", "1.38", "1.39", "1.40")


@pytest.mark.parametrize("minor", MINORS)
def test_what_is_written_is_what_was_read(minor: str) -> None:
    path = paths.ABI / f"{minor}.json"
    assert abi_json(load_abi(paths.ABI, minor)) == path.read_text(encoding="utf-8")


def test_empty_lists_are_written_as_such() -> None:
    abi = Abi("9.9", "9.9.0", "v9", {}, (), ())
    assert abi_json(abi).endswith(' "types": [],\n "functions": []\n}\n')
    assert msgspec.json.decode(abi_json(abi), type=Abi) == abi


@pytest.mark.parametrize("minor", MINORS)
def test_it_fits_the_published_schema(minor: str) -> None:
    schema = json.loads(SCHEMA.file.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    data = json.loads((paths.ABI / f"{minor}.json").read_bytes())
    jsonschema.validate(data, schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("minor", MINORS)
def test_it_is_that_of_a_known_release(minor: str) -> None:
    abi = load_abi(paths.ABI, minor)
    known = {host.release: host.abi_version for host in load_hosts(paths.HOSTS_FILE)}
    assert known[abi.measured_on] == abi.abi_version


@pytest.mark.parametrize(
    ("minor", "callbacks", "hooks", "exact", "nearby", "name_only"),
    [
        ("1.36", 70, 16, 0, 0, 86),
        ("1.37", 212, 62, 273, 0, 1),
        ("1.38", 521, 155, 675, 0, 1),
        ("1.39", 607, 175, 782, 0, 0),
        ("1.40", 781, 205, 0, 985, 1),
    ],
)
def test_how_much_each_minor_has_and_whence(
    minor: str, callbacks: int, hooks: int, exact: int, nearby: int, name_only: int
) -> None:
    abi = load_abi(paths.ABI, minor)
    assert len(abi.names(FunctionKind.CALLBACK)) == callbacks
    assert len(abi.names(FunctionKind.HOOK)) == hooks
    counted = [abi.provenance(function) for function in abi.functions]
    assert [counted.count(one) for one in (Provenance.EXACT, Provenance.NEARBY, Provenance.NAME)] == [exact, nearby, name_only]


def types(data: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in data["types"] if one["name"] == PREFIX + name)
    return found


def chain(length: int) -> list[dict[str, str]]:
    """Aliases, each of the next one."""
    names = [f"{PREFIX}alias_{number}" for number in range(length)]
    targets = [*names[1:], "int"]
    return [
        {"kind": "alias", "name": name, "source": "9.8", "type": target} for name, target in zip(names, targets, strict=True)
    ]


MISTAKES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no source '7.7'; known: 9.8, 9.9d": lambda d: d["types"][0].update(source="7.7"),
    "source '9.9d' is used by nothing": lambda d: (
        types(d, "done").update(source="9.8"),
        d["functions"][1].update(source="9.8"),
    ),
    f"{PREFIX}buffer is there 2 times in the data": lambda d: d["types"].append(types(d, "buffer")),
    "callback_now is there 2 times": lambda d: d["functions"].append(d["functions"][3]),
    "port is there 2 times in": lambda d: types(d, "address")["fields"].append({"name": "port", "type": "bool"}),
    "kind_IpV4 is there 2 times": lambda d: types(d, "status")["values"].append({"name": PREFIX + "kind_IpV4", "value": 1}),
    f"no type {PREFIX}gone; add it": lambda d: types(d, "filter_envoy_ptr").update(type=PREFIX + "gone*"),
    "long double": lambda d: types(d, "address")["fields"].append({"name": "x", "type": "long double"}),
    "expected 'const char*'": lambda d: types(d, "buffer")["fields"][0].update(type="const char *"),
    "nothing can be of type void": lambda d: types(d, "buffer")["fields"][0].update(type="void"),
    "an array can only be the field of a struct": lambda d: types(d, "filter_envoy_ptr").update(type="char[4]"),
    "without fields": lambda d: types(d, "buffer").update(fields=[]),
    "without values": lambda d: types(d, "kind").update(values=[]),
    "such that 32 bits can hold": lambda d: types(d, "kind")["values"][1].update(value=1 << 32),
    "from -1 to 4294967295": lambda d: types(d, "status")["values"][0].update(value=-1),
    "'a b' is not a name in C": lambda d: types(d, "buffer")["fields"][0].update(name="a b"),
    "begins with envoy_dynamic_module_callback_": lambda d: d["functions"][0].update(name="other"),
    "or none of them": lambda d: d["functions"][3].pop("returns"),
    "types within types, 64 deep at most": lambda d: d["types"].extend(chain(1200)),
    "up to 8 stars": lambda d: types(d, "filter_envoy_ptr").update(type="char" + "*" * 3000),
    "up to 4 sizes of an array": lambda d: types(d, "buffer")["fields"][0].update(type="char" + "[2]" * 500),
    "in a circle": lambda d: types(d, "buffer")["fields"].append({"name": "x", "type": PREFIX + "result"}),
}


@pytest.mark.parametrize("inconsistency", MISTAKES)
def test_a_mistake_is_found_and_named(inconsistency: str, tmp_path: Path) -> None:
    data = json.loads(ABI_FILE.read_bytes())
    MISTAKES[inconsistency](data)
    path = tmp_path / "9.8.json"
    path.write_text(json.dumps(data))
    with pytest.raises(DataFileError) as caught:
        load_abi(tmp_path, "9.8")
    assert inconsistency in str(caught.value)
    assert str(path) in str(caught.value)


def test_many_mistakes_are_not_all_reported(tmp_path: Path) -> None:
    data = json.loads(ABI_FILE.read_bytes())
    for one in data["types"]:
        one["source"] = "7.7"
    path = tmp_path / "abi.json"
    path.write_text(json.dumps(data))
    with pytest.raises(DataFileError, match=r"; and 4 more$"):
        load_abi_file(path)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(("length", "fits"), [(64, True), (65, False)])
def test_aliases_may_be_nested_so_deep_in_any_order(length: int, fits: bool, backwards: bool) -> None:
    data = json.loads(ABI_FILE.read_bytes())
    data["types"] += reversed(chain(length)) if backwards else chain(length)
    assert (problems(msgspec.convert(data, Abi)) == ()) is fits


def test_two_names_may_mean_the_same_number() -> None:
    data = json.loads(ABI_FILE.read_bytes())
    types(data, "kind")["values"].append({"name": PREFIX + "kind_V6", "value": 6})
    assert problems(msgspec.convert(data, Abi)) == ()


@pytest.mark.parametrize(
    ("change", "inconsistency"),
    [
        ({"surprise": 1}, "surprise"),
        ({"envoy": "1.39.3"}, "matching regex"),
        ({"abi_version": ""}, "length >= 1"),
        ({"types": [{"kind": "union", "name": "u", "source": "9.8"}]}, "union"),
        ({"functions": [{"name": "f", "kind": "event"}]}, "event"),
        ({"sources": {"9.8": {"description": "x"}}}, "exact"),
    ],
)
def test_another_shape_is_refused_by_the_loader_and_by_the_schema(
    change: dict[str, object], inconsistency: str, tmp_path: Path
) -> None:
    data = json.loads(ABI_FILE.read_bytes()) | change
    path = tmp_path / "abi.json"
    path.write_text(json.dumps(data))
    with pytest.raises(DataFileError, match=inconsistency):
        load_abi_file(path)
    schema = json.loads(SCHEMA.file.read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema, cls=jsonschema.Draft202012Validator)


def test_a_file_of_another_minor_is_refused(tmp_path: Path) -> None:
    (tmp_path / "9.7.json").write_text(abi_json(golden_abi()))
    with pytest.raises(DataFileError, match=r'"envoy" is 9\.8; expected 9\.7'):
        load_abi(tmp_path, "9.7")


def test_an_unknown_minor_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DataFileError, match=r"no ABI data for 1\.35; known: 1\.36, 1\.37, 1\.38, 1\.39, 1\.40"):
        load_abi(paths.ABI, "1.35")

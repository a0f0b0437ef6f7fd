"""The first use of what threads share: msgspec's descriptions of struct types.

What was seen on two processors, each time in a fresh process, with all types of the harness:

- msgspec 0.22.0, bare threads: 20 of 20 processes died of SIGSEGV. A thread met a description whose fields were still null.
- msgspec 0.22.0, threads of `thread_pool`: 20 of 20 ended well, and no thread described a type.
- msgspec 0.23.0, bare threads: 20 of 20 ended well. Types made for it did not crash it in four minutes either.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from typing import Any, Final

import dmconform
import pytest
from dmconform.core.paths import PACKAGE
from dmconform.core.threads import struct_types
from msgspec import inspect

from tests.checkout import ROOT
from tests.unit.core.first_use import THREADS, Way

TIMEOUT_S: Final = 120.0
FRESH_PROCESSES: Final = 3
ALONE: Final = ("dmconform.bundle.replay.", "dmconform.__main__", "dmconform.measure.bench.__main__")
"""What is a program of its own, and nothing imports."""
FROM_FILES: Final = frozenset(
    (
        *("dmconform.abi.types", "dmconform.abi.required_hooks", "dmconform.abi.fault_reactions", "dmconform.binaries.facts"),
        *("dmconform.check.result", "dmconform.hosts.catalogue", "dmconform.report.schema", "dmconform.sdks.catalogue"),
        *("dmconform.spec.cases", "dmconform.spec.expectations", "dmconform.spec.findings"),
    )
)
"""Modules with the types of data files and of what commands leave."""


def example(info: inspect.Type) -> Any:  # noqa: ANN401 - JSON
    """Something that a type takes, with a value for every field."""
    value: Any = {inspect.StrType: "1.39", inspect.IntType: 1, inspect.FloatType: 1.5, inspect.BoolType: True}.get(type(info))
    match info:
        case inspect.StructType():
            tag = {info.tag_field: info.tag} if info.tag_field is not None else {}
            value = tag | {field.encode_name: example(field.type) for field in info.fields}
        case inspect.EnumType():
            value = next(iter(info.cls)).value
        case inspect.UnionType():
            value = example(next(one for one in info.types if not isinstance(one, inspect.NoneType)))
        case inspect.ListType() | inspect.VarTupleType() | inspect.FrozenSetType():
            value = [example(info.item_type)]
        case inspect.TupleType():
            value = [example(one) for one in info.item_types]
        case inspect.DictType():
            value = {example(info.key_type): example(info.value_type)}
        case inspect.Metadata():
            value = example(info.type)
    return value


@functools.cache
def everything() -> str:
    """The input of first_use.py: each struct type of the harness, those first that have most types within each other."""
    for module in pkgutil.walk_packages(dmconform.__path__, "dmconform."):
        if not module.name.startswith(ALONE):
            importlib.import_module(module.name)
    found = [(one.__module__, one.__qualname__, json.dumps(example(inspect.type_info(one)))) for one in struct_types()]
    assert {module for module, _, _ in found} >= FROM_FILES
    return json.dumps(sorted(found, key=lambda one: len(one[2]), reverse=True))


def first_use(way: Way) -> tuple[int, int]:
    """What first_use.py prints, which ends with exit code 0."""
    command = [sys.executable, "-m", "tests.unit.core.first_use", way.value]
    path = f"{ROOT}:{PACKAGE.parent}"
    done = subprocess.run(
        command,
        input=everything(),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}; {done.stderr}"
    described, over = map(int, done.stdout.split())
    return described, over


@pytest.mark.parametrize("number", range(FRESH_PROCESSES))
def test_many_threads_decode_every_type_for_the_first_time(number: int) -> None:
    described, over = first_use(Way.BARE)
    assert over == THREADS
    assert described > len(FROM_FILES), "expected threads to describe types, as nothing was prepared"


def test_a_pool_of_threads_finds_every_type_described() -> None:
    assert first_use(Way.POOL) == (0, THREADS)


def test_pools_are_made_in_one_place() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if "ThreadPoolExecutor(" in path.read_text(encoding="utf-8")]
    assert [path.relative_to(PACKAGE).as_posix() for path in files] == ["core/threads.py"]

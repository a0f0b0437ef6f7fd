"""The catalogue of mutants: strict, and about cases and requirements that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.values import Language
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import load_hosts
from dmconform.spec.cases import load_cases, load_requirements

from tests.mutants.catalogue import Mutant, areas_of, load_mutants
from tests.mutants.compiling import SOURCES

GOOD = """
[[mutant]]
id = "global-added"
breaks = "Every module is opened with RTLD_GLOBAL."
violates = "rtld.local_by_default"
operation = "flags"
arguments = { add = "GLOBAL" }
noticed_by = ["rtld/local_by_default"]
"""
CASES = {"rtld/local_by_default": (Language.CPP, Language.RUST), "rtld/load_globally": (Language.CPP,)}
REQUIREMENTS = ("rtld.local_by_default",)


def test_an_entry_is_loaded(tmp_path: Path) -> None:
    (one,) = load_mutants(CASES, REQUIREMENTS, _written(tmp_path, GOOD))
    assert (one.id, one.area, one.noticed_by) == ("global-added", "flags", ("rtld/local_by_default",))
    host = next(host for host in load_hosts(paths.HOSTS_FILE) if host.release == "1.40.0")
    assert one.words(host) == "flags;add=GLOBAL"
    assert (one.sdk_for(Minor(1, 40)), one.concerns(Minor(1, 40))) == ("cpp@1.40:reference", True)


def test_arguments_name_the_abi_string_of_the_host(tmp_path: Path) -> None:
    text = GOOD.replace('add = "GLOBAL"', 'abi = "{abi}"').replace("noticed_by", "older_sdk = true\nnoticed_by")
    (one,) = load_mutants(CASES, REQUIREMENTS, _written(tmp_path, text))
    host = next(host for host in load_hosts(paths.HOSTS_FILE) if host.release == "1.40.0")
    assert one.words(host) == "flags;abi=v0.2.0"
    assert one.sdk_for(Minor(1, 40)) == "cpp@1.39:reference"


def test_hosts_are_bounded(tmp_path: Path) -> None:
    text = GOOD.replace("noticed_by", 'since = "1.38"\nuntil = "1.39"\nnoticed_by')
    (one,) = load_mutants(CASES, REQUIREMENTS, _written(tmp_path, text))
    assert [one.concerns(Minor(1, minor)) for minor in (37, 38, 39, 40)] == [False, True, True, False]


def _written(folder: Path, text: str) -> Path:
    (folder / "flags.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("rtld/local_by_default", "rtld/no_such", "noticed_by 'rtld/no_such', which is no case"),
        ("noticed_by", 'sdk = "go"\nnoticed_by', "noticed_by 'rtld/local_by_default', which does not run with go"),
        ('"rtld.local_by_default"', '"rtld.no_such"', "violates 'rtld.no_such', which is neither"),
        ('violates = "rtld.local_by_default"', 'violates = ""', "violates is empty"),
        ("global-added", "Global added", "expected an id of lower-case words"),
        ("breaks", "brakes", "unknown field `brakes`"),
        ('noticed_by = ["rtld/local_by_default"]', "", "expected either noticed_by, or equivalent"),
        ("noticed_by", 'equivalent = "none"\nnoticed_by', "expected either noticed_by, or equivalent"),
        ('["rtld/local_by_default"]', '["rtld/local_by_default", "rtld/local_by_default"]', "noticed_by has a case twice"),
        ('"GLOBAL"', '"GLOBAL;remove=NOW"', "cannot be written with ';' between"),
        ('"GLOBAL"', f'"{"G" * 1001}"', "up to 1000 characters"),
        ("noticed_by", 'since = "old"\nnoticed_by', "since: 'old' is not a minor version"),
        ("noticed_by", 'area = "flags"\nnoticed_by', "has an area"),
        (GOOD, GOOD + GOOD, "duplicate id 'global-added'"),
        (GOOD, GOOD + GOOD.replace("global-added", "global-again"), "another mutant is the same"),
        (GOOD, "mutant = []", "expected files with mutants, there are none"),
    ],
)
def test_a_mistake_is_refused(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in GOOD
    with pytest.raises(DataFileError, match=problem.replace(".", r"\.")):
        load_mutants(CASES, REQUIREMENTS, _written(tmp_path, GOOD.replace(old, new, 1)))


def catalogue() -> tuple[Mutant, ...]:
    requirements = load_requirements(paths.SPEC_FILE)
    return load_mutants({case.id: case.declaration.languages for case in load_cases(paths.CASES, requirements)}, requirements)


def test_the_catalogue_is_right() -> None:
    mutants = catalogue()
    areas = areas_of(mutants)
    assert sum(areas.values()) >= 120
    assert sum(one.equivalent is not None for one in mutants) <= sum(areas.values()) / 20, "expected few to be equivalent"


def test_every_operation_is_one_of_the_interposer() -> None:
    files = [*SOURCES.glob("*.c"), *SOURCES.with_name("generators").glob("*.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    unknown = {one.operation for one in catalogue() if f'"{one.operation}"' not in text}
    assert not unknown, f"expected the interposer to know the operations {sorted(unknown)}"


def test_the_interposer_does_nothing_that_no_mutant_asks_for() -> None:
    """Of its own files: what hooks and callbacks do is in others."""
    values = {value for one in catalogue() for value in one.arguments.items()}
    for name in ("loader", "search", "symbols", "files", "output"):
        text = (SOURCES / f"{name}.c").read_text(encoding="utf-8")
        unused = set(re.findall(r'argument_is\("([\w-]+)", "([^"]+)"\)', text)) - values
        assert not unused, f"expected a mutant for each of {sorted(unused)}"

"""Checks the recorded versions of pyvoy, all or those that are named, and compares with what is on record.

`--write` records what is found, also of versions that are not on record yet; read the change before keeping it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec
from dmconform.core import paths
from dmconform.core.errors import HarnessError
from dmconform.hosts.catalogue import load_hosts

from tests.corpus.pyvoy.checking import check_version
from tests.corpus.pyvoy.package import NAME, describe, install_dependencies, unpack
from tests.corpus.pyvoy.record import Version, differences, hosts_of, load_versions, save_versions, verdicts_of


def main(arguments: list[str]) -> int:
    """Returns an exit code: 0 as recorded, 1 something differs, 2 wrong usage, 4 something is not available."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.pyvoy", description=__doc__)
    parser.add_argument("versions", nargs="*", metavar="VERSION", help="default: all that are on record")
    parser.add_argument("--write", action="store_true", help="record what is found")
    chosen = parser.parse_args(arguments)
    recorded = {one.version: one for one in load_versions()}
    unknown = [number for number in chosen.versions if number not in recorded]
    if unknown and not chosen.write:
        parser.error(f"{' '.join(unknown)}: not on record; --write records it")
    default = tuple(host.release for host in load_hosts(paths.HOSTS_FILE) if host.default)
    differs = missing = 0
    with tempfile.TemporaryDirectory(prefix="dmconform-pyvoy-") as name:
        folder = Path(name)
        packages = folder / "packages"
        install_dependencies(packages)
        for number in chosen.versions or recorded:
            try:
                version = recorded.get(number) or describe(number, folder / f"wheels-{number}")
                found, lines = _compare(version, folder / number, packages, default)
            except HarnessError as error:
                print(f"{NAME} {number}: not checked: {error}", flush=True)
                missing += 1
                continue
            recorded[number] = found
            differs += bool(lines)
            print("\n".join([_line(found), *(f"  {line}" for line in lines)]), flush=True)
    if chosen.write:
        save_versions(tuple(sorted(recorded.values(), key=lambda one: _numbers(one.version), reverse=True)))
        return 4 if missing else 0
    print(f"{len(chosen.versions or recorded)} versions: {differs} differ from the record, {missing} were not checked")
    return 4 if missing else 1 if differs else 0


def _compare(version: Version, folder: Path, packages: Path, default: tuple[str, ...]) -> tuple[Version, list[str]]:
    """Returns the version with what was found, and how that differs from the record."""
    module = unpack(version, folder)
    check = check_version(module, packages, hosts_of(version, default))
    found = msgspec.structs.replace(version, sdk=check.sdk.minors, verdicts=verdicts_of(check))
    return found, differences(version, check)


def _line(version: Version) -> str:
    parts: dict[str, list[str]] = {}
    for release, verdict in version.verdicts.items():
        parts.setdefault(verdict.value, []).append(release)
    pin = f"pins Envoy {version.envoy}" if version.envoy else "pins no Envoy"
    return f"{NAME} {version.version} ({pin}): " + "; ".join(f"{verdict} on {', '.join(on)}" for verdict, on in parts.items())


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

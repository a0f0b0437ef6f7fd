"""A minimal Debian made by mmdebstrap, without installing anything on this machine.

mmdebstrap itself comes out of its Debian package, unpacked in the cache; the package lists are kept there too. It needs
apt, which every Debian has, and Perl, which may be there in part only: then that too comes out of its packages.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from dmconform.containers import apt_sources
from dmconform.containers.apt_sources import PackageSource
from dmconform.containers.bootstrap.privilege import as_root
from dmconform.core.errors import HarnessError
from dmconform.core.process import PROGRAM_FOLDERS, find_program, run_ok, run_program
from dmconform.core.timeouts import DEBIAN_DOWNLOAD_S, MMDEBSTRAP_S

LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*")
TOOL = "mmdebstrap"
PERL_MODULES = ("English", "File::Copy", "File::Find", "Math::BigInt", "Pod::Usage", "Term::ANSIColor", "Time::HiRes")
PERL_PACKAGES = ("perl-base", "perl-modules-5.36", "libperl5.36")


def release_sources(release: str) -> tuple[PackageSource, ...]:
    """Returns this machine's sources for the release.

    Raises:
        HarnessError: it has none.
    """
    sources = apt_sources.machine_sources(release) if find_program("apt-get") else ()
    if not sources:
        raise HarnessError(
            "No registry gives the base image, and it cannot be made here: that takes a machine whose apt has sources "
            f"of Debian {release}. Make the registry reachable (through HTTPS_PROXY perhaps), load the image into the "
            "Docker server by hand, or run this on such a Debian."
        )
    return sources


@contextlib.contextmanager
def minimal_debian(
    release: str,
    include: tuple[str, ...],
    source_date_epoch: int,
    cache: Path,
    progress: Callable[[str], None],
) -> Iterator[Path]:
    """Yields a tar archive of a minimal Debian, which is deleted afterwards.

    Args:
        release: the code name, such as `bookworm`.
        include: packages beside the minimal ones.
        source_date_epoch: seconds since 1970; no file in the archive is dated later.
        cache: the folder in which a temporary one is made.
        progress: called before each step that takes longer.

    Raises:
        HarnessError: it cannot be made.
    """
    sources = release_sources(release)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="debian-", dir=cache) as temporary:
        folder = Path(temporary)
        listed = folder / "debian.sources"
        listed.write_bytes(apt_sources.render(sources))
        progress("fetching mmdebstrap")
        tool = fetch_mmdebstrap(folder, listed)
        progress(f"making a minimal Debian {release}")
        archive = folder / "debian.tar"
        archive.touch()  # so that it is this user's also if root writes it
        run_mmdebstrap(tool, archive, release=release, include=include, source_date_epoch=source_date_epoch, sources=listed)
        yield archive


def fetch_mmdebstrap(folder: Path, sources: Path) -> list[str]:
    """Gets mmdebstrap, and Perl if this machine's is not whole, out of their packages; returns how to call it."""
    packages = [TOOL]
    if not perl_is_whole(["perl"]):
        packages += PERL_PACKAGES
    unpacked = folder / "tool"
    for package in download(folder, sources, packages):
        run_ok(["dpkg-deb", "--extract", str(package), str(unpacked)], DEBIAN_DOWNLOAD_S, f"unpack {package.name}")
    perl = own_perl(unpacked) if len(packages) > 1 else ["perl"]
    if not perl_is_whole(perl):
        raise HarnessError(f"Perl lacks modules that {TOOL} needs: install the package perl")
    return [*perl, str(unpacked / "usr" / "bin" / TOOL)]


def download(folder: Path, sources: Path, packages: list[str]) -> list[Path]:
    """Downloads packages with separate package lists: this machine's are left as they are."""
    for name in ("parts", "lists/partial", "archives/partial", "tool"):
        (folder / name).mkdir(parents=True)
    (folder / "parts" / sources.name).write_bytes(sources.read_bytes())
    apt = [
        "apt-get",
        "-q",
        *("-o", "Dir::Etc::sourcelist=/dev/null"),
        *("-o", f"Dir::Etc::sourceparts={folder / 'parts'}"),
        *("-o", f"Dir::State::lists={folder / 'lists'}"),
        *("-o", f"Dir::Cache={folder}"),
        *("-o", "APT::Sandbox::User="),  # its user for downloads cannot write here
        *("-o", "Acquire::Languages=none"),
    ]
    run_ok([*apt, "update"], DEBIAN_DOWNLOAD_S, "get the package lists of Debian", folder)
    run_ok([*apt, "download", *packages], DEBIAN_DOWNLOAD_S, f"download the packages {', '.join(packages)}", folder)
    found = sorted(folder.glob("*.deb"))
    if len(found) != len(packages):
        raise HarnessError(f"apt-get was to download the packages {', '.join(packages)}, and left {len(found)} files")
    return found


def perl_is_whole(perl: list[str]) -> bool:
    """Returns whether this Perl has the modules that mmdebstrap needs and Perl's base lacks."""
    if find_program(perl[0]) is None:
        return False
    return run_program([*perl, *(f"-M{module}" for module in PERL_MODULES), "-e1"], timeout_s=DEBIAN_DOWNLOAD_S).exit_code == 0


def own_perl(unpacked: Path) -> list[str]:
    """Returns the words that call the Perl that was unpacked in a folder."""
    modules = [
        *unpacked.glob("usr/lib/*/perl-base"),
        *unpacked.glob("usr/lib/*/perl/5.*"),
        *unpacked.glob("usr/share/perl/5.*"),
    ]
    return [str(unpacked / "usr" / "bin" / "perl"), *(f"-I{folder}" for folder in modules)]


def run_mmdebstrap(
    tool: list[str], archive: Path, *, release: str, include: tuple[str, ...], source_date_epoch: int, sources: Path
) -> None:
    """Makes the archive: as root where possible, else in a user namespace.

    Args:
        tool: the words that start mmdebstrap.
        archive: the tar file to write; its folder is also the one for temporary files.
        release: the code name, such as `bookworm`.
        include: packages beside the minimal ones.
        source_date_epoch: seconds since 1970; no file in the archive is dated later.
        sources: a `.sources` file with the mirrors.

    Raises:
        HarnessError: mmdebstrap fails, takes too long, or needs root's rights and there is no way to them.
    """
    prefix: list[str] = []
    mode = "root"
    if os.geteuid() != 0:
        if find_program("newuidmap"):
            mode = "unshare"
        else:
            prefix = as_root("make the base image with mmdebstrap")
    # It calls a second program of the same package by name.
    search = ":".join((str(Path(tool[-1]).parent), os.environ.get("PATH", "/usr/bin:/bin"), *PROGRAM_FOLDERS))
    command = [
        *prefix,
        *("env", f"SOURCE_DATE_EPOCH={source_date_epoch}", f"TMPDIR={archive.parent}", f"PATH={search}"),
        *(*tool, f"--mode={mode}", "--variant=minbase", "--format=tar"),
        *(f"--include={package}" for package in include),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
        "--aptopt=Acquire::Languages none",
        *(release, str(archive), str(sources)),
    ]
    run_ok(command, MMDEBSTRAP_S, "make the base image with mmdebstrap", archive.parent)

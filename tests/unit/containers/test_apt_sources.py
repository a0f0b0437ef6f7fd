"""Which of a machine's package sources are Debian's own and are handed on."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.containers.apt_sources import PackageSource, machine_sources, render

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEB822 = f"""\
# The mirrors of this machine
Types: deb deb-src
URIs: http://mirror.example/debian
# a comment in between
Suites: bookworm bookworm-updates
 bookworm-backports
Components: main contrib
Signed-By: {KEYRING}

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


def found(tmp_path: Path, **parts: str) -> tuple[PackageSource, ...]:
    """The sources of a machine with such files; `_` in a name stands for the dot."""
    folder = tmp_path / "parts"
    folder.mkdir()
    for name, text in parts.items():
        (folder / name.replace("_", ".")).write_text(text)
    return machine_sources("bookworm", tmp_path / "sources.list", folder)


def test_the_newer_format(tmp_path: Path) -> None:
    assert found(tmp_path, debian_sources=DEB822) == (
        PackageSource("http://mirror.example/debian", ("bookworm", "bookworm-updates"), KEYRING),
        PackageSource("http://mirror.example/debian-security", ("bookworm-security",), None),
    )


def test_the_older_format(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(
        f"deb [arch=amd64 signed-by={KEYRING}] http://mirror.example/debian bookworm main non-free # mine\n"
        "deb http://mirror.example/debian bookworm-updates main\n"
        "deb-src http://mirror.example/debian bookworm main\n"
        "# deb http://other.example/debian bookworm main\n"
        "deb\n"
    )
    assert found(tmp_path) == (
        PackageSource("http://mirror.example/debian", ("bookworm",), KEYRING),
        PackageSource("http://mirror.example/debian", ("bookworm-updates",), None),
    )


@pytest.mark.parametrize(
    "text",
    [
        DEB822.replace("Types: deb", "Enabled: no\nTypes: deb"),
        DEB822.replace("bookworm", "trixie"),
        DEB822.replace("main", "stable"),
        DEB822.replace("Components: main\n", "Components: main\nSigned-By: /usr/share/keyrings/vendor.gpg\n").replace(
            KEYRING, "/usr/share/keyrings/vendor.gpg"
        ),
        "",
    ],
    ids=["disabled", "another release", "another component", "signed by another", "empty"],
)
def test_what_is_not_debians_own_is_left_out(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, x_sources=text) == ()


def test_files_that_apt_ignores_are_left_out(tmp_path: Path) -> None:
    assert found(tmp_path, debian_sources_disabled=DEB822) == ()


def test_what_is_rendered_is_read_again(tmp_path: Path) -> None:
    sources = found(tmp_path, debian_sources=DEB822)
    again = tmp_path / "again"
    again.mkdir()
    (again / "x.sources").write_bytes(render(sources))
    assert machine_sources("bookworm", tmp_path / "none", again) == sources

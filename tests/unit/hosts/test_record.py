"""Entries of releases put into the text of the data files: everything else in it stays."""

from __future__ import annotations

import re

import msgspec
import pytest
from dmconform.binaries.known import EXPORTS_FILE, Exports, recorded_exports
from dmconform.binaries.record_exports import with_exports
from dmconform.cli.main import main
from dmconform.core import paths
from dmconform.core.errors import ExitCode
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import KnownHost, load_hosts, newest_patch, release_label
from dmconform.hosts.record import host_entry, with_host
from msgspec.structs import replace

HOSTS = load_hosts(paths.HOSTS_FILE)
TEXT = paths.HOSTS_FILE.read_text()
EXPORTS = EXPORTS_FILE.read_text()
RELEASES = tuple(host.release for host in HOSTS)


def without(release: str) -> str:
    """The text of `hosts.toml` without an entry."""
    entry = re.compile(rf'\[\[host\]\]\nrelease = "{re.escape(release)}"\n(?:(?!\[\[).*\n)*')
    text, count = entry.subn("", TEXT)
    assert count == 1
    return text.rstrip("\n") + "\n"


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.release)
def test_an_entry_that_was_taken_out_is_put_back_where_it_was(host: KnownHost) -> None:
    assert with_host(without(host.release), host) == TEXT
    assert with_host(TEXT, host) == TEXT, "expected an entry that is there to be replaced"
    assert host_entry(host) in TEXT


def test_a_new_release_follows_those_before_it_and_comments_stay() -> None:
    text = TEXT.replace('[[host]]\nrelease = "1.39.3"', '# Of 1.39.3.\n[[host]]\nrelease = "1.39.3" # here')
    new = replace(HOSTS[-1], release="1.39.2", default=False)
    written = with_host(text, new)

    releases = re.findall(r'^release = "(.*?)"', written, re.MULTILINE)
    assert releases == [*RELEASES[:8], "1.39.2", *RELEASES[8:]]
    assert written.replace(host_entry(new) + "\n", "") == text


def test_a_new_default_takes_the_place_of_the_one_of_its_minor() -> None:
    written = with_host(TEXT, replace(HOSTS[-1], release="1.39.4", default=True))
    decoded = msgspec.toml.decode(written)["host"]

    assert [one["release"] for one in decoded if one["default"]] == ["1.36.4", "1.37.0", "1.38.2", "1.38.3", "1.39.4", "1.40.0"]


@pytest.mark.parametrize(
    ("release", "build_type", "defaults"),
    [
        ("1.38.4", "Clean", ["1.38.4"]),  # newer than the modified build, so nobody needs that one
        ("1.38.1", "Clean", ["1.38.1", "1.38.3"]),
        ("1.38.4", "Modified", ["1.38.2", "1.38.4"]),
        ("1.39.4", "Modified", ["1.39.3", "1.39.4"]),
    ],
)
def test_a_default_of_a_modified_build_is_beside_that_of_a_clean_one(
    release: str, build_type: str, defaults: list[str]
) -> None:
    build = HOSTS[-1].build.replace("Clean", build_type)
    written = with_host(TEXT, replace(HOSTS[-1], release=release, build=build, default=True))
    minor = release.rpartition(".")[0]
    decoded = msgspec.toml.decode(written)["host"]
    assert [one["release"] for one in decoded if one["default"] and one["release"].startswith(minor)] == defaults


def test_the_defaults_are_the_newest_and_where_that_is_modified_the_newest_clean_one() -> None:
    for minor in {host.version.minor for host in HOSTS}:
        patches = [host for host in HOSTS if host.version.minor == minor]
        clean = newest_patch(HOSTS, minor)
        assert clean is not None and not clean.is_modified
        assert {host for host in patches if host.default} == {patches[-1], clean}


def test_of_a_minor_the_clean_patch_is_taken_though_a_modified_one_is_newer() -> None:
    assert [host.release for host in HOSTS if host.is_modified] == ["1.38.3"]
    assert newest_patch(HOSTS, Minor(1, 38)) == next(host for host in HOSTS if host.release == "1.38.2")
    modified = tuple(host for host in HOSTS if host.is_modified)
    assert newest_patch(modified, Minor(1, 38)) == modified[0], "where there is no clean one"
    assert newest_patch(modified, Minor(1, 39)) is None
    assert (release_label("1.38.3"), release_label("1.38.2")) == ("1.38.3 (modified build)", "1.38.2")


@pytest.mark.parametrize("release", RELEASES)
def test_exports_that_were_taken_out_are_put_back(release: str) -> None:
    others = [one for one in RELEASES if one != release]
    names = recorded_exports().of(release)
    taken = with_exports(EXPORTS, RELEASES, release, frozenset())

    assert msgspec.toml.decode(taken, type=Exports).of(release) == frozenset()
    assert with_exports(taken, RELEASES, release, names) == EXPORTS
    assert with_exports(EXPORTS, others, release, names) == EXPORTS


def test_a_name_that_one_release_lacks_is_that_of_the_others() -> None:
    common = sorted(recorded_exports().common)
    written = msgspec.toml.decode(with_exports(EXPORTS, RELEASES, "1.41.0", frozenset({*common[1:], "new"})), type=Exports)

    assert written.common == frozenset(common[1:])
    assert written.of("1.41.0") == frozenset({*common[1:], "new"})
    for release in RELEASES:
        assert written.of(release) == recorded_exports().of(release), release


def test_nothing_is_written_without_a_checkout(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(paths, "CHECKOUT", None)

    assert main(["hosts", "add", "1.99.0", "--write"]) == ExitCode.USAGE
    assert "hosts add --write edits conformance/hosts.toml, which needs a checkout" in capsys.readouterr().err

"""Every requirement links to its document at the commit or the tag of a release, and to the line of its section."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import msgspec
import pytest
from dmconform.cli.pages import coverage_text
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.versions import Minor, Release
from dmconform.matrix.assemble import requirement_entries
from dmconform.sdks.catalogue import load_sdks
from dmconform.sdks.sources import SOURCE_VARIABLE
from dmconform.spec.cases import Requirement, load_requirements
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.documents import Document, DocumentVersion, link_requirements, load_documents, source_of

CATALOGUE = load_catalogue()
DOCUMENTS = load_documents(paths.DOCUMENTS_FILE)
VERSIONS = [(document, version) for document in DOCUMENTS.values() for version in document.version]
LINK = re.compile(
    r"https://github\.com/envoyproxy/envoy/blob/([0-9a-f]{40}|v\d+\.\d+\.\d+)/"
    r"(docs/root/intro/arch_overview/advanced/dynamic_modules\.rst(\?plain=1#L[1-9]\d*)?"
    r"|api/envoy/extensions/dynamic_modules/v3/dynamic_modules\.proto(#L[1-9]\d*)?)"
)
GIT_S = 30.0


@pytest.mark.parametrize("name", CATALOGUE.requirements)
def test_a_requirement_links_to_a_known_document_at_a_commit_or_a_tag(name: str) -> None:
    assert LINK.fullmatch(CATALOGUE.requirements[name].link), CATALOGUE.requirements[name].link


def test_a_link_is_within_the_bounds_of_its_requirement_and_names_its_line_where_it_was_read() -> None:
    for one in CATALOGUE.requirements.values():
        source = source_of(one, DOCUMENTS)
        assert source is not None
        assert one.holds_on(Release.parse(source.release).minor), one.id
        assert ("#L" in source.link) is not bool(source.unread), one.id


def test_a_commit_is_one_that_a_host_or_an_sdk_is_known_to_be_of() -> None:
    known = {host.build.partition("/")[0] for host in CATALOGUE.hosts}
    known |= {sdk.official.commit for sdk in load_sdks(paths.SDKS) if sdk.official is not None and sdk.official.commit}
    assert {version.commit for _, version in VERSIONS} <= known


def test_links_are_in_the_page_and_in_every_report() -> None:
    page = coverage_text(CATALOGUE)
    for entry in requirement_entries(CATALOGUE):
        assert entry.link == CATALOGUE.requirements[entry.id].link
        assert f"]({entry.link})" in page
    assert all(version.link in page for document, version in VERSIONS if document.id != "policy")


def test_a_sentence_of_old_hosts_links_to_the_document_of_their_release() -> None:
    old = CATALOGUE.requirements["loading.exact_match"]
    (of_1_37,) = (one for one in DOCUMENTS["configuration"].version if one.minor == Minor(1, 37))
    assert old.link.startswith(of_1_37.link)
    assert f"([the document]({old.link}))" in coverage_text(CATALOGUE)


@pytest.mark.parametrize(("document", "version"), VERSIONS, ids=lambda one: getattr(one, "id", getattr(one, "release", "")))
def test_every_section_is_where_the_link_says(document: Document, version: DocumentVersion) -> None:
    """Compares the data with the file of the commit, in the clone that the environment names."""
    clone = os.environ.get(SOURCE_VARIABLE, "")
    if not Path(clone).is_dir() or not clone:
        pytest.skip(f"{SOURCE_VARIABLE} names no clone of the Envoy repository on this machine")
    command = ("git", "-C", clone, "show", f"{version.commit}:{version.path}")
    shown = subprocess.run(command, capture_output=True, text=True, timeout=GIT_S, check=False)
    if shown.returncode != 0:
        pytest.skip(f"{clone} does not have {version.path} at {version.commit}, of {version.release}: {shown.stderr.strip()}")
    assert version.unread is None, f"{document.id} of {version.release} can be read in {clone}: note its lines"
    lines = shown.stdout.splitlines()
    for section, number in version.lines.items():
        assert _names(lines[number - 1 : number + 1], section, version.path), f"line {number}: {lines[number - 1]!r}"


def _names(lines: list[str], section: str, path: str) -> bool:
    """Whether a line is a heading, with the line that underlines it; or the message, or the field, of that name."""
    if path.endswith(".rst"):
        return lines[0] == section and re.fullmatch(r"[-=~^]{4,}", lines[1]) is not None
    return re.match(rf"(message {section} \{{|  [\w.]+ {section} = \d+)", lines[0]) is not None


GOOD = """
[[document]]
id = "overview"
title = "t"
[[document.version]]
release = "1.38.0"
link = "https://github.com/envoyproxy/envoy/blob/v1.38.0/docs/root/intro/arch_overview/advanced/dynamic_modules.rst"
lines = { Compatibility = 4 }
"""
NEWER = GOOD.partition("[[document.version]]")[1] + GOOD.partition("[[document.version]]")[2].replace("1.38.0", "1.39.0")
UNREAD = NEWER.replace("lines = { Compatibility = 4 }", 'unread = "r"').replace("1.39.0", "1.40.0")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD + GOOD, "duplicate id 'overview'"),
        (GOOD.replace('"t"', '" "'), "needs a title and a version"),
        (GOOD.replace("/v1.38.0/", "/main/"), "at a commit of 40 digits or the tag of a release, found https"),
        (GOOD.replace("/v1.38.0/", "/8eea3285d6/"), "at a commit of 40 digits"),
        (GOOD.replace("https://github", "http://github"), "expected a link"),
        (GOOD.replace("advanced/dynamic_modules.rst", "advanced/other.rst"), "expected a link to a document"),
        (GOOD.replace("1.38.0", "1.38"), "'1.38' is not a release"),
        (GOOD.replace("lines = { Compatibility = 4 }", ""), "either lines or a reason in unread"),
        (GOOD + 'unread = "r"\n', "either lines or a reason in unread"),
        (GOOD + NEWER.replace("1.39.0", "1.37.0"), "each release once, the oldest first"),
    ],
)
def test_bad_documents_are_refused(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "documents.toml"
    path.write_text(text)
    with pytest.raises(DataFileError, match=re.escape(fault)):
        load_documents(path)


def test_the_newest_version_within_the_bounds_that_has_the_section_is_linked(tmp_path: Path) -> None:
    path = tmp_path / "documents.toml"
    path.write_text(GOOD + NEWER + UNREAD)
    documents = load_documents(path)
    one = Requirement("a", "s", "overview", "Compatibility")

    def release(**bounds: str) -> str | None:
        source = source_of(msgspec.structs.replace(one, **bounds), documents)
        return source.release if source else None

    assert [release(), release(until="1.38"), release(since="1.40")] == ["1.39.0", "1.38.0", "1.40.0"]
    assert release(until="1.37") is None
    assert release(section="Other") == "1.40.0"  # which was not read
    linked = link_requirements(path, {"a": one}, documents)["a"].link
    assert linked.endswith("/v1.39.0/docs/root/intro/arch_overview/advanced/dynamic_modules.rst?plain=1#L4")
    with pytest.raises(DataFileError, match=r"a: no version of the document 'overview' for hosts up to 1\.37 has the section"):
        link_requirements(path, {"a": msgspec.structs.replace(one, until="1.37")}, documents)
    with pytest.raises(DataFileError, match="no version of the document 'other' for hosts of any release"):
        link_requirements(path, {"a": msgspec.structs.replace(one, document="other")}, documents)


def test_a_requirement_has_no_link_but_that_of_its_document(tmp_path: Path) -> None:
    path = tmp_path / "requirements.toml"
    path.write_text('[[requirement]]\nid = "a"\nstatement = "s"\ndocument = "overview"\nsection = "x"\nlink = "https://x"\n')
    with pytest.raises(DataFileError, match=r"a: has a link; expected links in documents\.toml"):
        load_requirements(path)

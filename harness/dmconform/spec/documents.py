"""The documents whose sentences are the requirements: where each of them can be read, at the commit of a release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.versions import Minor, Release
from dmconform.spec.cases import Requirement

LINK = re.compile(
    r"https://github\.com/envoyproxy/envoy/blob/(?P<commit>[0-9a-f]{40}|v\d+\.\d+\.\d+)/"
    r"(?P<path>docs/root/intro/arch_overview/advanced/dynamic_modules\.rst"
    r"|api/envoy/extensions/dynamic_modules/v3/dynamic_modules\.proto)"
)
"""A document in the Envoy repository, at a commit or at the tag of a release."""


class DocumentVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document as it was published with a release: see the top of `conformance/spec/documents.toml`."""

    release: str
    link: str
    lines: dict[str, int] = {}  # of headings and fields
    unread: str | None = None

    @property
    def minor(self) -> Minor:
        """The minor of the release."""
        return Release.parse(self.release).minor

    @property
    def commit(self) -> str:
        """The commit, or the tag, of the link."""
        found = LINK.fullmatch(self.link)
        return found["commit"] if found else ""

    @property
    def path(self) -> str:
        """The path of the file in the repository."""
        found = LINK.fullmatch(self.link)
        return found["path"] if found else ""

    def link_to(self, section: str) -> str:
        """Returns the link to a section, as exact as the data has it."""
        line = self.lines.get(section)
        if line is None:
            return self.link
        # Without `plain`, a text in reStructuredText is shown without lines.
        return f"{self.link}{'?plain=1' if self.link.endswith('.rst') else ''}#L{line}"


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document, and its versions, the oldest first."""

    id: str
    title: str
    version: tuple[DocumentVersion, ...]


@dataclass(frozen=True)
class Source:
    """The place where a requirement can be read. `unread` is empty where this project read it there."""

    release: str
    link: str
    unread: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    document: tuple[Document, ...]


def load_documents(path: Path) -> dict[str, Document]:
    """Loads the documents by id, in the order of the file.

    Raises:
        DataFileError: the file is not of its format, or a link is none to a document at a commit or a tag.
    """
    found: dict[str, Document] = {}
    for one in load_toml(path, _File).document:
        if one.id in found:
            raise DataFileError(path, f"duplicate id {one.id!r}")
        if not one.title.strip() or not one.version:
            raise DataFileError(path, f"{one.id}: needs a title and a version")
        found[one.id] = one
        for version in one.version:
            _check(path, one.id, version)
        releases = [Release.parse(version.release) for version in one.version]
        if releases != sorted(set(releases)):
            raise DataFileError(path, f"{one.id}: expected each release once, the oldest first")
    return found


def _check(path: Path, name: str, version: DocumentVersion) -> None:
    try:
        Release.parse(version.release)
    except ValueError as error:
        raise DataFileError(path, f"{name}: {error}") from None
    if LINK.fullmatch(version.link) is None:
        raise DataFileError(
            path,
            f"{name} of {version.release}: expected a link to a document of https://github.com/envoyproxy/envoy at a commit "
            f"of 40 digits or the tag of a release, found {version.link}",
        )
    if bool(version.lines) == (version.unread is not None) or version.unread == "":
        raise DataFileError(path, f"{name} of {version.release}: expected either lines or a reason in unread")


def source_of(requirement: Requirement, documents: Mapping[str, Document]) -> Source | None:
    """Returns where a requirement can be read; None where no version of its document is about a host within its bounds."""
    document = documents.get(requirement.document)
    within = [one for one in document.version if requirement.holds_on(one.minor)] if document else []
    has_it = [one for one in within if requirement.section in one.lines] or [one for one in within if one.unread is not None]
    if not has_it:
        return None
    newest = has_it[-1]
    return Source(newest.release, newest.link_to(requirement.section), newest.unread or "")


def link_requirements(
    path: Path, requirements: Mapping[str, Requirement], documents: Mapping[str, Document]
) -> dict[str, Requirement]:
    """Returns the requirements, each with the link to its document.

    Args:
        path: the file with the requirements, for the message of an error.
        requirements: by id.
        documents: by id.

    Raises:
        DataFileError: a requirement names a document, or a section, that the documents do not have.
    """
    linked = {}
    for name, one in requirements.items():
        source = source_of(one, documents)
        if source is None:
            raise DataFileError(
                path,
                f"{name}: no version of the document {one.document!r} for hosts {one.releases or 'of any release'} has the "
                f"section {one.section!r}; documents.toml has the documents and their sections",
            )
        linked[name] = msgspec.structs.replace(one, link=source.link)
    return linked

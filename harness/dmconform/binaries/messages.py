"""What goes between the reader and its child process."""

from __future__ import annotations

import enum

import msgspec

from dmconform.binaries.facts import HostFacts, ModuleFacts, ReachFacts
from dmconform.binaries.kinds import ProblemKind


class ReadAs(enum.Enum):
    """The kinds of binaries to read."""

    MODULE = "module"
    HOST = "host"
    EXPORTS = "exports"
    VERSIONS = "versions"
    REACH = "reach"


class ReadJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A job of reading files as one kind.

    `release` is a host's, where it is known. `hooks` and `language` are what `reach_of` starts from.
    """

    what: ReadAs
    known_abi: tuple[str, ...] = ()
    release: str | None = None
    hooks: tuple[str, ...] = ()
    language: str = ""


class ReadAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The content of one file, or why nothing can be read."""

    problem: str | None = None
    problem_kind: ProblemKind | None = None
    module: ModuleFacts | None = None
    host: HostFacts | None = None
    exports: frozenset[str] | None = None
    versions: frozenset[str] | None = None
    reach: ReachFacts | None = None

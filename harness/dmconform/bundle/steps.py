"""`cell.json` of an archive: the cell, the host, and the steps that are replayed. `{{CELL}}`, `{{ENVOY}}` stand for paths."""

from __future__ import annotations

from typing import Any

import msgspec

FORMAT = 1
"""Of `cell.json`; a replay is of the same archive, so nothing else reads it."""


class Placed(msgspec.Struct, frozen=True):
    """A change of the files in the cell's folder: see `dmconform.envoy.placed.PlacedChange`."""

    path: str
    kind: str
    mode: int
    sha256: str
    target: str
    in_place: bool
    same_as: str
    is_text: bool  # it has placeholders
    is_envoy: bool  # it is the Envoy's own binary, which is not in the archive


class RecordedReply(msgspec.Struct, frozen=True):
    """A reply: see `dmconform.envoy.source_server.Reply`. Its body is in `files/SHA256`."""

    status: int
    manner: str
    sha256: str


class ReplayStep(msgspec.Struct, frozen=True, tag_field="do", kw_only=True):
    """A step. `pause`: seconds that passed before it, where the case waited for something."""

    pause: float


class FilesStep(ReplayStep, frozen=True, tag="files"):
    """Files that are placed, changed or removed."""

    changes: tuple[Placed, ...]


class OfferStep(ReplayStep, frozen=True, tag="offer"):
    """Replies with which a server of the case is to answer a path."""

    server: str
    path: str
    replies: tuple[RecordedReply, ...]


class LetGoStep(ReplayStep, frozen=True, tag="let_go"):
    """The order to a server of the case to send what it holds."""

    server: str


class StartStep(ReplayStep, frozen=True, tag="start"):
    """The start of an Envoy. `outcome`: of its first listeners: accepted, rejected or neither."""

    envoy: int
    folder: str  # below the cell's
    bootstrap: str  # a file of the archive, like `listeners`
    listeners: str
    outcome: str
    prefix: tuple[str, ...]
    arguments: tuple[str, ...]
    environment: dict[str, str]
    working_folder: str


class UpdateStep(ReplayStep, frozen=True, tag="update"):
    """Other listeners that an Envoy is given."""

    envoy: int
    listeners: str
    outcome: str


class ActStep(ReplayStep, frozen=True, tag="act"):
    """An act of a client for a request on a connection that it keeps: see `dmconform.envoy.transcript.Act`."""

    envoy: int
    listener: str
    protocol: str
    connection: int
    number: int
    act: str
    text: str
    request: dict[str, Any]


class RequestStep(ReplayStep, frozen=True, tag="request"):
    """The answer that a client gets, or a text where nothing came in time. `connection` 0: the request is sent only now.

    `again`: the case asked until it was satisfied, and this answer is the last one.
    """

    envoy: int
    listener: str
    protocol: str
    connection: int
    number: int
    request: dict[str, Any]
    answer: Any
    timeout_s: float  # how long the client would have waited
    again: bool
    status_only: bool  # all that is compared


class CloseStep(ReplayStep, frozen=True, tag="close"):
    """The close of a connection by a client."""

    envoy: int
    connection: int


class LookStep(ReplayStep, frozen=True, tag="look"):
    """A look of the case at something: see `dmconform.envoy.transcript.Look`."""

    envoy: int
    what: str
    name: str
    value: bool | int | None


class AdminStep(ReplayStep, frozen=True, tag="admin"):
    """A request to the admin interface."""

    envoy: int
    method: str
    path: str


class EndStep(ReplayStep, frozen=True, tag="end"):
    """The end of an Envoy."""

    envoy: int
    ending: str
    exit_code: int | None


AnyStep = (
    FilesStep
    | OfferStep
    | LetGoStep
    | StartStep
    | UpdateStep
    | ActStep
    | RequestStep
    | CloseStep
    | AdminStep
    | LookStep
    | EndStep
)


class BundledHost(msgspec.Struct, frozen=True):
    """The Envoy that is needed."""

    release: str
    build: str  # what `--version` prints after "version:"
    sha256: str
    origin: str


class BundledModule(msgspec.Struct, frozen=True):
    """A module of the SDK as it was built."""

    sdk: str
    name: str
    sha256: str
    is_here: bool  # unchanged in `files/`; else the case used none of it, or copies that it changed


class BundledCell(msgspec.Struct, frozen=True):
    """The content of `cell.json`."""

    format: int
    cell: str
    title: str
    requirements: tuple[str, ...]
    relation: str
    outcome: str
    judgement: str
    detail: str
    facts: dict[str, str]
    host: BundledHost
    modules: tuple[BundledModule, ...]
    recorded_on: str
    limits: tuple[str, ...]  # what the replay leaves out, or needs
    servers: tuple[str, ...]  # of the case's own, whose replies are steps
    other_clusters: tuple[str, ...]  # of servers of the case's own that are not here
    steps: tuple[AnyStep, ...]

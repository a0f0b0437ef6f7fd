"""Ways to make the cases of `neighbours` wrong."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.envoy.config import EnvoyFilter
from dmconform.envoy.connected import Pending
from dmconform.envoy.headers import Headers
from dmconform.envoy.source_server import SourceServer

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.wrong import Wrong


def nobody_is_asked(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Another filter is in the place of `ext_authz`."""
    patch.setattr(case, "ext_authz", lambda: EnvoyFilter("buffer", "buffer.v3.Buffer", {"max_request_bytes": 1 << 20}))
    patch.setattr(case, "REQUEST_S", 0.3)
    return bench


def pieces_get_lost(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """What clients send in pieces does not go out."""
    patch.setattr(Pending, "send_body", lambda *_: None)
    return bench


def stays_half(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The upstream never sends the second half of its answer."""
    patch.setattr(SourceServer, "let_go", lambda _: None)
    patch.setattr(case, "NEVER_S", 0.3)
    return bench


TABLE = (
    Wrong("neighbours/held_by_ext_authz", "nobody asks", nobody_is_asked, "expected ext_authz to ask its server"),
    Wrong("neighbours/held_by_ext_authz", "lost", pieces_get_lost, "to receive all 196605 bytes, it received 131070"),
    Wrong(
        "neighbours/held_response",
        "another answer",
        sabotage.answers(lambda one: replace(one, status=500)),
        "expected the answer that was held to arrive with HTTP/1.1, saw status 500",
    ),
    Wrong("neighbours/held_response", "half", stays_half, "expected the answer .* saw no complete answer in time"),
    Wrong(
        "neighbours/streamed_response",
        "hooks",
        sabotage.log_says("streamed: 0 headers", "streamed: 1 headers"),
        "expected 0 headers, 0 body, 0 trailers hooks, saw 1 headers",
    ),
    Wrong(
        "neighbours/streamed_response",
        "another module",
        sabotage.module_is("stream_response", "neighbour"),
        "expected the streamed response with HTTP/1.1, saw",
    ),
    Wrong(
        "neighbours/streamed_in_place",
        "another module",
        sabotage.module_is("stream_response", "neighbour"),
        "expected the streamed response with HTTP/1.1, saw",
    ),
    Wrong(
        "neighbours/streamed_in_place",
        "without trailers",
        sabotage.answers(lambda one: replace(one, trailers=Headers())),
        "expected the streamed response with HTTP/1.1, saw .*None",
    ),
)

"""Ways to make the cases of `remote_cache` wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from dmconform.envoy.config import RemoteSource
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.source_server import Reply, SourceServer

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.wrong import Wrong


def not_offered(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Nothing is offered."""
    offer = SourceServer.offer
    patch.setattr(SourceServer, "offer", lambda one, path, *_: offer(one, path, Reply(status=404)))
    return bench


def lacks_nothing(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The module lacks no hook."""
    patch.setattr(case, "without_symbols", lambda library, _: library)
    return bench


def stays(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The kept file is not removed."""
    patch.setattr(Path, "unlink", lambda *_, **__: None)
    return bench


def fetched_more(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The server counts one fetch more."""
    count_fetches = SourceServer.count_fetches
    patch.setattr(SourceServer, "count_fetches", lambda one, path: count_fetches(one, path) + 1)
    return bench


def kept_elsewhere(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """What is kept is looked for in another place."""
    patch.setattr(case, "LOG_LINE_S", 0.3)
    patch.setattr(case, "kept", lambda cell, _: cell.folder / "elsewhere.so")
    return bench


def is_there(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """A file is there that should not be."""
    patch.setattr(case, "kept", lambda cell, _: cell.folder)
    return bench


def no_nack(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """nack_on_cache_miss is not set."""
    to_json = RemoteSource.to_json
    patch.setattr(RemoteSource, "to_json", lambda one: to_json(replace(one, nack_on_cache_miss=False)))
    return bench


def initialised_twice(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The log tells of another initialisation."""
    log = Envoy.printed
    patch.setattr(Envoy, "printed", lambda one: log(one) + "dmconform: initialised\n")
    return bench


def never_418(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The module answers with another status."""
    patch.setattr(case, "LOG_LINE_S", 0.3)
    return sabotage.configured("419")(bench, case, patch)


FETCHES = "fetch\\(es\\) of the module, saw"
ANSWERS = "expected .* to answer"

TABLE = (
    Wrong("remote_cache/file_gone", "stays", stays, FETCHES),
    Wrong("remote_cache/file_gone", "one fetch more", fetched_more, FETCHES),
    Wrong("remote_cache/initialised_once", "twice", initialised_twice, "expected the module to be initialised once"),
    Wrong("remote_cache/initialised_once", "nothing offered", not_offered, ANSWERS),
    Wrong("remote_cache/without_hooks", "lacks nothing", lacks_nothing, ANSWERS),
    Wrong(
        "remote_cache/without_hooks",
        "says nothing",
        sabotage.log_without("http_filter_new"),
        "expected the log to name the hook",
    ),
    Wrong("remote_cache/no_library_is_not_kept", "there", is_there, "expected nothing to be kept"),
    Wrong("remote_cache/no_library_is_not_kept", "one fetch more", fetched_more, FETCHES),
    Wrong("remote_cache/nack_with_the_file_there", "nothing there", not_offered, ANSWERS),
    Wrong("remote_cache/nack_with_the_file_there", "one fetch more", fetched_more, FETCHES),
    Wrong("remote_cache/nack_no_library", "no nack", no_nack, "expected the update to be rejected"),
    Wrong("remote_cache/nack_no_library", "elsewhere", kept_elsewhere, "expected what was fetched to be kept"),
    Wrong("remote_cache/by_extension_discovery", "another status", never_418, "expected main to answer 418 once"),
    Wrong("remote_cache/by_extension_discovery", "one fetch more", fetched_more, FETCHES),
    Wrong(
        "remote_cache/nack_by_extension_discovery", "no nack", no_nack, "expected the log to say that the module is not cached"
    ),
    Wrong(
        "remote_cache/nack_by_extension_discovery",
        "elsewhere",
        kept_elsewhere,
        "expected the module to be fetched all the same",
    ),
)

"""What a host keeps of the modules that it has fetched, and for how long. No document says; these are facts.

Who built the module does not matter, so one language is enough.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmconform.casekit import (
    HOOK_PREFIX,
    INITIALISED,
    LOG_LINE_S,
    MODULE_SOURCE,
    PROBE,
    Cell,
    Envoy,
    HttpFilter,
    Language,
    Listener,
    Minor,
    ModuleRef,
    RemoteSource,
    Reply,
    SourceServer,
    case,
    poll,
    without_symbols,
)

ONE = (Language.CPP,)
NO_LANGUAGE: tuple[Language, ...] = ()
SINCE = Minor.parse("1.38")
PATH = "/module.so"
PLAIN = Listener("plain")
NO_LIBRARY = b"no library"


def probe_bytes(cell: Cell) -> bytes:
    """Returns the module as it is offered."""
    cell.needs(cell.host_minor >= SINCE, "hosts fetch modules from 1.38 on")
    cell.needs(cell.sdk_minor == cell.host_minor, "fetched is a module of the host's own minor: who built it does not matter")
    return Path(cell.sdk.modules[PROBE].path).read_bytes()


def digest(data: bytes) -> str:
    """Its SHA-256."""
    return hashlib.sha256(data).hexdigest()


def kept(cell: Cell, data: bytes) -> Path:
    """Returns where hosts keep what they fetched."""
    return cell.folder / f"envoy_dynamic_module_{digest(data)}.so"


def filter_of(data: bytes, *, nack: bool = False) -> HttpFilter:
    """Returns a filter that answers 418 and is of a module with these bytes."""
    source = RemoteSource(PATH, digest(data), nack_on_cache_miss=nack)
    return HttpFilter(ModuleRef("fetched", remote=source), "local_reply", "418")


def wants(data: bytes, name: str = "main", *, nack: bool = False) -> Listener:
    """Returns a listener with that filter."""
    return Listener(name, (filter_of(data, nack=nack),))


@contextlib.contextmanager
def started(cell: Cell, data: bytes, *listeners: Listener) -> Iterator[tuple[Envoy, SourceServer]]:
    """Yields an Envoy that keeps what it fetches in the cell's folder, and a server that offers these bytes."""
    with cell.source_server() as source:
        source.offer(PATH, Reply(data))
        folder = {"TMPDIR": str(cell.folder)}
        with cell.start_anyhow(*listeners, environment=folder, clusters={MODULE_SOURCE: source.port}) as envoy:
            yield envoy, source


def takes(envoy: Envoy, *listeners: Listener) -> None:
    """Asserts that the Envoy accepts these listeners."""
    update = envoy.update(*listeners)
    assert update.accepted, f"expected the update to be accepted, it was rejected: {update.message}"


def answers(envoy: Envoy, expected: int, name: str = "main") -> None:
    """Asserts that a listener answers with this status: 418 is the module's."""
    status = envoy.request("/", listener=name).status
    assert status == expected, f"expected {name} to answer {expected}, saw {status}"


def answers_soon(envoy: Envoy, name: str) -> None:
    """Asserts that a listener, whose module may have to be waited for, answers through it."""
    ready = poll(lambda: envoy.request("/", listener=name).status == 418, LOG_LINE_S)
    assert ready, f"expected {name} to answer 418 once its module was fetched, it does not"


def fetched(source: SourceServer, times: int) -> None:
    """Asserts that the module was asked for so often."""
    seen = source.count_fetches(PATH)
    assert seen == times, f"expected {times} fetch(es) of the module, saw {seen}"


def rejects(envoy: Envoy, wanted: Listener, why: str) -> None:
    """Asserts that the Envoy rejects a listener with these words, and serves on."""
    update = envoy.update(PLAIN, wanted)
    assert not update.accepted, "expected the update to be rejected, it was accepted"
    assert why in update.message, f"expected the rejection to say {why!r}, it says: {update.message}"
    answers(envoy, 200, "plain")


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_file_gone(cell: Cell) -> None:
    """Where the kept file was removed, the module is fetched again for the next configuration."""
    data = probe_bytes(cell)
    with started(cell, data, wants(data)) as (envoy, source):
        answers(envoy, 418)
        kept(cell, data).unlink()
        takes(envoy, wants(data), wants(data, "second"))
        answers_soon(envoy, "second")
        fetched(source, 2)
        assert kept(cell, data).exists(), "expected the module to be kept again, there is no file"


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_initialised_once(cell: Cell) -> None:
    """A module that two configurations want by one digest is loaded and initialised once."""
    data = probe_bytes(cell)
    with started(cell, data, wants(data)) as (envoy, _):
        takes(envoy, wants(data), wants(data, "second"))
        answers(envoy, 418)
        answers(envoy, 418, "second")
    times = envoy.read_log().count(INITIALISED)
    assert times == 1, f"expected the module to be initialised once, it was {times} times"


@case("remote.fail_open", languages=ONE, supported_for=NO_LANGUAGE)
def test_without_hooks(cell: Cell) -> None:
    """A module with the right digest that lacks a hook is not used, and requests pass without it."""
    data = without_symbols(probe_bytes(cell), [f"{HOOK_PREFIX}http_filter_new"])
    with started(cell, data, wants(data)) as (envoy, source):
        assert envoy.first_update.accepted, f"expected the listener to be accepted, it was not: {envoy.first_update.message}"
        answers(envoy, 200)
        fetched(source, 1)
        logged = envoy.wait_for_log(f"{HOOK_PREFIX}http_filter_new")
        assert logged, "expected the log to name the hook that is missing, it does not"


@case("remote.fail_open", languages=ONE, supported_for=NO_LANGUAGE)
def test_no_library_is_not_kept(cell: Cell) -> None:
    """Of what has the right digest and is no library nothing is kept, without nack_on_cache_miss."""
    probe_bytes(cell)
    with started(cell, NO_LIBRARY, wants(NO_LIBRARY)) as (envoy, source):
        answers(envoy, 200)
        fetched(source, 1)
        left = kept(cell, NO_LIBRARY).exists()
        assert not left, "expected nothing to be kept of what is no library, there is a file"


@case("remote.nack", languages=ONE, supported_for=NO_LANGUAGE)
def test_nack_with_the_file_there(cell: Cell) -> None:
    """With nack_on_cache_miss a module that is there already is accepted at once."""
    data = probe_bytes(cell)
    with started(cell, data, wants(data)) as (envoy, source):
        answers(envoy, 418)
        takes(envoy, wants(data), wants(data, "second", nack=True))
        answers(envoy, 418, "second")
        fetched(source, 1)


@case("remote.nack", languages=ONE, supported_for=NO_LANGUAGE)
def test_nack_no_library(cell: Cell) -> None:
    """With nack_on_cache_miss what is no library is kept all the same, and rejected for that at the next push."""
    probe_bytes(cell)
    wanted = wants(NO_LIBRARY, nack=True)
    with started(cell, NO_LIBRARY, PLAIN) as (envoy, source):
        rejects(envoy, wanted, "not cached")
        arrived = poll(kept(cell, NO_LIBRARY).exists, LOG_LINE_S)
        assert arrived, "expected what was fetched to be kept, there is no file"
        rejects(envoy, wanted, "failed to load")
        fetched(source, 1)


@dataclass(frozen=True)
class Discovered(Listener):
    """A listener whose filters come by extension discovery, from a file that must be there."""

    file: Path = Path()

    def to_json(self) -> dict[str, Any]:
        """Returns the message with the place of each filter only."""
        whole = super().to_json()
        filters = whole["filter_chains"][0]["filters"][-1]["typed_config"]["http_filters"]
        for number, one in enumerate(filters[:-1]):
            source = {"path_config_source": {"path": str(self.file)}, "resource_api_version": "V3"}
            types = [one["typed_config"]["@type"].partition("/")[2]]
            filters[number] = {"name": one["name"], "config_discovery": {"config_source": source, "type_urls": types}}
        return whole


def discovered(cell: Cell, filter_: HttpFilter) -> Discovered:
    """Returns a listener with a filter that comes by extension discovery."""
    file = cell.folder / "extensions.json"
    entry = filter_.to_json()
    resource = {"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", **entry}
    file.write_text(json.dumps({"version_info": "1", "resources": [resource]}), encoding="utf-8")
    return Discovered("main", (filter_,), file=file)


@case("remote.fetched", languages=ONE, supported_for=NO_LANGUAGE)
def test_by_extension_discovery(cell: Cell) -> None:
    """For a filter that comes by extension discovery with a new listener a module is fetched as for any other, and serves."""
    data = probe_bytes(cell)
    with started(cell, data, PLAIN) as (envoy, source):
        takes(envoy, PLAIN, discovered(cell, filter_of(data)))
        answers_soon(envoy, "main")
        fetched(source, 1)


@case("remote.nack", languages=ONE, supported_for=NO_LANGUAGE)
def test_nack_by_extension_discovery(cell: Cell) -> None:
    """With nack_on_cache_miss such a filter is refused for not being kept yet, and its module fetched."""
    data = probe_bytes(cell)
    with started(cell, data, PLAIN) as (envoy, _):
        envoy.update(PLAIN, discovered(cell, filter_of(data, nack=True)))
        logged = envoy.wait_for_log("not cached")
        assert logged, "expected the log to say that the module is not cached, it does not"
        arrived = poll(kept(cell, data).exists, LOG_LINE_S)
        assert arrived, "expected the module to be fetched all the same, it is not"
        answers(envoy, 200, "plain")

"""What a configuration may say of a module, and in which form the module is given it. The documents leave most of it open."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmconform.casekit import (
    HOOK_PREFIX,
    PROBE,
    Answer,
    Cell,
    Envoy,
    ExtensionPoint,
    HttpFilter,
    Language,
    Listener,
    LocalFile,
    Minor,
    ModuleRef,
    PerRoute,
    case,
    export_names,
    known_host,
    listener,
    required_hooks,
    without_symbols,
)

ONE = (Language.CPP,)
NO_LANGUAGE: tuple[Language, ...] = ()
SOURCES_SINCE = Minor.parse("1.38")
TEXT = "a text, ünïcode too"
VALUE = {"list": [1, 2], "name": "ü", "yes": True}
_TYPES = "type.googleapis.com/google.protobuf"


@dataclass(frozen=True)
class ConfigSeen(HttpFilter):
    """A filter that is given a message as its configuration, or none."""

    message: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the entry with that message."""
        entry = super().to_json()
        entry["typed_config"].pop("filter_config")
        if self.message is not None:
            entry["typed_config"]["filter_config"] = dict(self.message)
        return entry


@dataclass(frozen=True)
class ToldOnRoute(PerRoute):
    """A configuration of a route that is a message; and by which fields it is named."""

    message: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ("per_route_config_name",)

    def to_json(self) -> dict[str, Any]:
        """Returns the entry with that message, and those fields."""
        whole = super().to_json()
        del whole["per_route_config_name"]
        return {**whole, **dict.fromkeys(self.names, self.name), "filter_config": dict(self.message)}


def any_of(kind: str, value: object) -> dict[str, Any]:
    """Returns one of protobuf's own messages as an `Any`."""
    return {"@type": f"{_TYPES}.{kind}", "value": value}


def answer_of(cell: Cell, filter_: HttpFilter, route: PerRoute | None = None) -> Answer:
    """Returns what a client sees of a filter, which must be accepted."""
    with cell.start(Listener("main", (filter_,), (route,) if route is not None else ())) as envoy:
        answer = envoy.request("/")
    assert answer.status == 200, f"expected status 200, saw {answer.summary}"
    return answer


def given(answer: Answer, header: str = "x-dmconform-config") -> str:
    """Returns what the module reports that it was given."""
    return answer.headers.get(header, "(no header)")


def filter_seen(message: Mapping[str, Any] | None) -> ConfigSeen:
    """Returns the filter that reports what it was given."""
    return ConfigSeen(ModuleRef(PROBE), "per_route", message=message)


@case("configuration.forms", languages=ONE, supported_for=NO_LANGUAGE)
def test_bytes(cell: Cell) -> None:
    """A configuration in bytes comes to the module as these bytes."""
    encoded = base64.b64encode(TEXT.encode()).decode()
    seen = given(answer_of(cell, filter_seen(any_of("BytesValue", encoded))))
    assert seen.encode("latin-1", "replace") in (TEXT.encode(), TEXT.encode("latin-1")), (
        f"expected the module to be given {TEXT!r}, it was given {seen!r}"
    )


def assert_json(text: str) -> None:
    """Asserts that the module was given the value as JSON."""
    try:
        seen = json.loads(text.encode("latin-1").decode())
    except ValueError as error:
        raise AssertionError(f"expected the module to be given JSON, it was given {text!r} ({error})") from error
    assert seen == VALUE, f"expected the module to be given {VALUE}, it was given {seen}"


@case("configuration.forms", languages=ONE, supported_for=NO_LANGUAGE)
def test_json(cell: Cell) -> None:
    """A structure comes to the module as JSON."""
    assert_json(given(answer_of(cell, filter_seen(any_of("Struct", VALUE)))))


@case("configuration.forms", languages=ONE, supported_for=NO_LANGUAGE)
def test_absent(cell: Cell) -> None:
    """A filter without a configuration is accepted, and its module given an empty text."""
    answer = answer_of(cell, filter_seen(None))
    route = given(answer, "x-dmconform-route")
    assert route == "none", f"expected the module to answer, and say that there is no configuration of the route; saw {route!r}"
    seen = answer.headers.get("x-dmconform-config", "")  # an empty header may be left out
    assert seen == "", f"expected the module to be given an empty text, it was given {seen!r}"


@case("configuration.forms", languages=ONE, supported_for=NO_LANGUAGE)
def test_json_on_a_route(cell: Cell) -> None:
    """A structure on a route comes to the module as JSON too."""
    filter_ = HttpFilter(ModuleRef(PROBE), "per_route", "text")
    route = ToldOnRoute(filter_.entry, filter_.module, "per_route", message=any_of("Struct", VALUE))
    assert_json(given(answer_of(cell, filter_, route), "x-dmconform-route"))


@case("configuration.forms", languages=ONE, supported_for=NO_LANGUAGE)
def test_both_names_on_a_route(cell: Cell) -> None:
    """A configuration of a route is named by `filter_name`, and by the deprecated `per_route_config_name` as before."""
    cell.needs(cell.host_minor >= SOURCES_SINCE, "hosts know the newer name from 1.38 on")
    filter_ = HttpFilter(ModuleRef(PROBE), "per_route", "text")
    message = any_of("StringValue", "of the route")
    listeners = [
        Listener(name, (filter_,), (ToldOnRoute(filter_.entry, filter_.module, "per_route", message=message, names=(name,)),))
        for name in ("filter_name", "per_route_config_name")
    ]
    with cell.start(*listeners) as envoy:
        for one in listeners:
            seen = given(envoy.request("/", listener=one.name), "x-dmconform-route")
            assert seen == "of the route", f"expected the route's configuration by {one.name}, the module saw {seen!r}"


@dataclass(frozen=True)
class Inline(LocalFile):
    """A module whose bytes are in the configuration itself; `filename` is where they come from."""

    def to_json(self) -> dict[str, Any]:
        """Returns the fields with the bytes in the place of a file."""
        data = Path(self.filename).read_bytes()
        return {"module": {"local": {"inline_bytes": base64.b64encode(data).decode()}}}


@case("configuration.sources", languages=ONE, supported_for=NO_LANGUAGE)
def test_inline_bytes(cell: Cell) -> None:
    """A module whose bytes are in the configuration itself is rejected, and the process serves on."""
    cell.needs(cell.host_minor >= SOURCES_SINCE, "hosts know other sources than a name from 1.38 on")
    module = ModuleRef("", local=Inline(str(cell.install())))
    with cell.start_anyhow(Listener("main")) as envoy:
        update = envoy.update(listener("identity", module=module))
        assert not update.accepted, "expected a module in the configuration itself to be rejected, it was accepted"
        assert "local file" in update.message, f"expected the rejection to say what may stand there, it says: {update.message}"
        cell.assert_still_serves(envoy)


def assert_found_in_the_host(envoy: Envoy, static: str, times: int) -> None:
    """Asserts that a module that is linked into the host is found, and then refuses to be an HTTP filter."""
    update = envoy.update(listener("identity", str(times), module=static))
    assert not update.accepted, f"expected {static}, which has no HTTP filter, to be rejected, it was accepted"
    refused = "Failed to initialize dynamic module" in update.message
    assert refused, f"expected {static} to be found at attempt {times}, and to refuse the filter; it says: {update.message}"


@case("configuration.sources", languages=ONE, supported_for=NO_LANGUAGE)
def test_static_module(cell: Cell) -> None:
    """A module that is linked into the host is found by its name, again and again, though there is no file of it."""
    known = known_host(cell)
    static = known.static_modules if known is not None else ()
    cell.needs(bool(static), "no module is known to be linked into this host")
    with cell.start_anyhow(Listener("main")) as envoy:
        for times in (1, 2):
            assert_found_in_the_host(envoy, static[0], times)
        cell.assert_still_serves(envoy)


@case("configuration.sources", languages=ONE, supported_for=NO_LANGUAGE)
def test_static_module_beats_a_file(cell: Cell) -> None:
    """A module that is linked into the host is taken, also where a file in the variable's folder has its name."""
    known = known_host(cell)
    static = known.static_modules if known is not None else ()
    cell.needs(bool(static), "no module is known to be linked into this host")
    file = cell.install(name=static[0])
    with cell.start_anyhow(Listener("main"), search_path=file.parent) as envoy:
        assert_found_in_the_host(envoy, static[0], 1)
        assert not envoy.has_mapped(file), f"expected {file.name} not to be loaded, it is"
        cell.assert_still_serves(envoy)


@dataclass(frozen=True)
class Discovered(HttpFilter):
    """A filter whose configuration comes by extension discovery, from a file."""

    file: Path = Path()

    is_in_listener = False

    def to_json(self) -> dict[str, Any]:
        """Writes the file, which must be there when the entry is read, and returns the entry that names it."""
        whole = super().to_json()
        typed = whole["typed_config"]
        resource = {
            "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
            "name": self.entry,
            "typed_config": typed,
        }
        self.file.write_text(json.dumps({"version_info": "1", "resources": [resource]}), encoding="utf-8")
        source = {"path_config_source": {"path": str(self.file)}, "resource_api_version": "V3"}
        types = [typed["@type"].partition("/")[2]]
        return {"name": self.entry, "config_discovery": {"config_source": source, "type_urls": types}}


@case("window.forward", "policy.result", languages=ONE)
def test_by_extension_discovery(cell: Cell) -> None:
    """A filter whose configuration comes by extension discovery serves like one that is configured in its listener."""
    filter_ = Discovered(ModuleRef(PROBE), "local_reply", "418", file=cell.folder / "extensions.json")
    with cell.start(Listener("main", (filter_,))) as envoy:
        status = envoy.request("/").status
        assert status == 418, f"expected the module to answer 418, saw {status}"


@case("module.required_functions", languages=ONE)
def test_only_required_hooks(cell: Cell) -> None:
    """A module that has only the hooks which the host requires serves; calls of the others are left out."""
    required = required_hooks(cell, ExtensionPoint.HTTP_FILTER, per_route=True)
    probe = Path(cell.sdk.modules[PROBE].path)
    hooks = {name.removeprefix(HOOK_PREFIX) for name in export_names(probe) if name.startswith(HOOK_PREFIX)}
    spare = sorted(hooks - required)
    cell.facts["hooks left out"] = ", ".join(spare) or "none"
    cell.modules_folder.mkdir()
    (cell.modules_folder / "libsparse.so").write_bytes(
        without_symbols(probe.read_bytes(), [HOOK_PREFIX + one for one in spare])
    )
    with cell.start_anyhow(listener("callout", "upstream", module="sparse"), search_path=cell.modules_folder) as envoy:
        update = envoy.first_update
        assert update.accepted, (
            f"expected a module without {', '.join(spare)} to be accepted, it was rejected: {update.message}"
        )
        status = envoy.request("/").status
        assert status == 200, f"expected the module to answer 200, saw {status}"

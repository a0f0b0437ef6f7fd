"""Ways to make a case's set-up wrong, so that what the case checks does not hold.

Each is given the bench and the module of the case, breaks something through monkeypatch, and returns the bench to run with.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from dmconform.casekit import unloading
from dmconform.envoy import config
from dmconform.envoy import envoy as envoy_module
from dmconform.envoy.client import Answer
from dmconform.envoy.config import HttpFilter, Listener, ModuleRef, PerRoute
from dmconform.envoy.connected import Client, Pending
from dmconform.envoy.connection import Request
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell
from dmconform.matrix.plan import PlannedSdk

from tests.hosts.bench import Bench

Sabotage = Callable[[Bench, ModuleType, pytest.MonkeyPatch], Bench]


def start_with(change: Callable[[Cell, dict[str, Any]], None]) -> Sabotage:
    """Envoys are started in another way than the case says: `change` alters the keyword arguments of `start_anyhow`."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        start_anyhow = Cell.start_anyhow

        def changed(cell: Cell, *listeners: Listener, **options: Any) -> Envoy:  # noqa: ANN401 - as they come
            change(cell, options)
            return start_anyhow(cell, *listeners, **options)

        patch.setattr(Cell, "start_anyhow", changed)
        return bench

    return apply


def without(*options: str) -> Sabotage:
    """Envoys are started without these arguments."""

    def change(_: Cell, given: dict[str, Any]) -> None:
        for option in options:
            given.pop(option, None)

    return start_with(change)


def without_copy_in(folder: str) -> Sabotage:
    """The module is not in a folder of the cell."""
    return start_with(lambda cell, _: (cell.folder / folder / "libprobe.so").unlink())


def searching(folder: str) -> Sabotage:
    """The search-path variable names a folder of the cell."""
    return start_with(lambda cell, options: options.update(search_path=cell.folder / folder))


def with_copy_named(name: str) -> Sabotage:
    """The folder that is searched has a module of another name too."""

    def change(cell: Cell, options: dict[str, Any]) -> None:
        options["search_path"] = cell.install(name=name).parent

    return start_with(change)


def module_is(name: str, really: str) -> Sabotage:
    """One of the built modules is another one."""

    def apply(bench: Bench, _: ModuleType, __: pytest.MonkeyPatch) -> Bench:
        def swapped(sdk: PlannedSdk) -> PlannedSdk:
            if really not in sdk.modules:  # some are of the C++ build only
                return sdk
            return msgspec.structs.replace(sdk, modules=sdk.modules | {name: sdk.modules[really]})

        return bench.with_plan(sdks=tuple(swapped(sdk) for sdk in bench.plan.sdks))

    return apply


def recorded_of_sdk(**facts: object) -> Sabotage:
    """Something else is on record about the SDK."""

    def apply(bench: Bench, _: ModuleType, __: pytest.MonkeyPatch) -> Bench:
        return bench.with_plan(sdks=tuple(msgspec.structs.replace(sdk, **facts) for sdk in bench.plan.sdks))

    return apply


def recorded_of_host(**facts: object) -> Sabotage:
    """Something else is on record about the host."""

    def apply(bench: Bench, _: ModuleType, __: pytest.MonkeyPatch) -> Bench:
        return bench.with_plan(hosts=tuple(msgspec.structs.replace(host, **facts) for host in bench.plan.hosts))

    return apply


def filters(change: Callable[[HttpFilter], HttpFilter]) -> Sabotage:
    """The filters that reach Envoy are not those of the case."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        to_json = HttpFilter.to_json
        patch.setattr(HttpFilter, "to_json", lambda one: to_json(change(one)))
        return bench

    return apply


def filter_named(name: str, config: str = "") -> Sabotage:
    """Each filter is one of this name."""
    return filters(lambda one: replace(one, filter_name=name, config=config))


def configured(config: str) -> Sabotage:
    """Each filter has this configuration."""
    return filters(lambda one: replace(one, config=config))


def filters_twice(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Each listener has its filters twice."""
    to_json = Listener.to_json
    patch.setattr(Listener, "to_json", lambda one: to_json(replace(one, filters=one.filters * 2)))
    return bench


def modules(change: Callable[[ModuleRef], ModuleRef]) -> Sabotage:
    """Modules are named to Envoy in another way than the case says."""
    return filters(lambda one: replace(one, module=change(one.module)))


def same_file(first: str, second: str) -> Sabotage:
    """What the case takes for two copies of a module is one file."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        install = Cell.install

        def linked(cell: Cell, module: str = "probe", name: str | None = None, folder: str = "modules") -> Path:
            if name != second:
                return install(cell, module, name, folder)
            path = cell.folder / folder / f"lib{second}.so"
            os.link(path.with_name(f"lib{first}.so"), path)
            return path

        patch.setattr(Cell, "install", linked)
        return bench

    return apply


def listener_uses_copy(listener: str, *, also: bool = False) -> Sabotage:
    """One listener uses a copy of the module; `also`: a further listener does, and this one is as it should be."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        start_anyhow, update = Cell.start_anyhow, Envoy.update

        def changed(listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
            def copied(one: Listener) -> Listener:
                copies = (replace(each, module=ModuleRef("copied")) for each in one.filters if isinstance(each, HttpFilter))
                return replace(one, filters=tuple(copies))

            if also:
                return (*listeners, *(replace(copied(one), name="further") for one in listeners if one.name == listener))
            return tuple(copied(one) if one.name == listener else one for one in listeners)

        def starting(cell: Cell, *listeners: Listener, **options: Any) -> Envoy:  # noqa: ANN401 - as they come
            cell.install(name="copied")
            return start_anyhow(cell, *changed(listeners), **options)

        patch.setattr(Cell, "start_anyhow", starting)
        patch.setattr(Envoy, "update", lambda envoy, *listeners: update(envoy, *changed(listeners)))
        return bench

    return apply


def requests(change: Callable[[str, dict[str, Any]], None]) -> Sabotage:
    """Requests are not those of the case: `change` is given the path and alters the keyword arguments."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        request = Envoy.request

        def changed(envoy: Envoy, path: str, **options: Any) -> object:  # noqa: ANN401 - as they come
            change(path, options)
            return request(envoy, path, **options)

        patch.setattr(Envoy, "request", changed)
        return bench

    return apply


def headers_at(path: str, headers: Mapping[str, str]) -> Sabotage:
    """Requests for a path carry exactly these headers."""

    def change(asked: str, options: dict[str, Any]) -> None:
        if asked == path:
            options["headers"] = headers

    return requests(change)


def language_is(name: str) -> Sabotage:
    """The probe is taken for one of another language."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(Cell, "language", name)
        return bench

    return apply


def log_without(text: str) -> Sabotage:
    """The host does not print lines with this text."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        log = Envoy.printed

        def thinned(envoy: Envoy) -> str:
            return "".join(line for line in log(envoy).splitlines(keepends=True) if text not in line)

        patch.setattr(Envoy, "printed", thinned)
        patch.setattr(envoy_module, "LOG_LINE_S", 0.2)
        return bench

    return apply


def log_says(old: str, new: str) -> Sabotage:
    """The host prints another text in the place of one."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        log = Envoy.printed
        patch.setattr(Envoy, "printed", lambda envoy: log(envoy).replace(old, new))
        return bench

    return apply


def impatient(then: Sabotage) -> Sabotage:
    """Waits that must end in vain are short."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(unloading, "UNLOAD_S", 0.5)
        if hasattr(case, "LOG_LINE_S"):
            patch.setattr(case, "LOG_LINE_S", 0.3)
        patch.setattr(envoy_module, "LOG_LINE_S", 0.3)
        return then(bench, case, patch)

    return apply


def stops_serving(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """An Envoy that rejected a configuration does not take the next one either."""
    update = Envoy.update
    bad = Listener("bad", (HttpFilter(ModuleRef("nowhere"), "x"),))
    patch.setattr(Envoy, "update", lambda envoy, *_: update(envoy, bad))
    return bench


def both(first: Sabotage, second: Sabotage) -> Sabotage:
    """Two things are wrong at once."""
    return lambda bench, case, patch: second(first(bench, case, patch), case, patch)


def before_updates(change: Callable[[Envoy], object]) -> Sabotage:
    """Something is done to an Envoy before each of its updates."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        update = Envoy.update

        def changed(envoy: Envoy, *listeners: Listener) -> object:
            change(envoy)
            return update(envoy, *listeners)

        patch.setattr(Envoy, "update", changed)
        return bench

    return apply


def routes(change: Callable[[tuple[PerRoute, ...]], tuple[PerRoute, ...]]) -> Sabotage:
    """What filters are told on routes is not what the case says."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        build = Listener.routes
        patch.setattr(Listener, "routes", lambda one: build(replace(one, per_route=change(one.per_route))))
        return bench

    return apply


no_per_route = routes(lambda _: ())


def sent(change: Callable[[Request], Request]) -> Sabotage:
    """Requests over connections (`Envoy.connect`) are not those of the case."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        begin, send = Client.begin, Client.send
        patch.setattr(Client, "begin", lambda client, request: begin(client, change(request)))
        patch.setattr(Client, "send", lambda client, request: send(client, change(request)))
        return bench

    return apply


def answers(change: Callable[[Answer], Answer]) -> Sabotage:
    """Clients see other answers than Envoy gives."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        request, reported = Envoy.request, Pending._reported

        def changed(envoy: Envoy, path: str, **options: Any) -> Answer:  # noqa: ANN401 - as they come
            return change(request(envoy, path, **options))

        patch.setattr(Envoy, "request", changed)
        patch.setattr(Pending, "_reported", lambda pending, ask: change(reported(pending, ask)))
        return bench

    return apply


def answer_header(name: str, value: str) -> Sabotage:
    """Clients see another value of a response header."""
    return answers(lambda one: replace(one, headers=one.headers | {name: value}))


def listeners_say(old: str, new: str) -> Sabotage:
    """The listeners that an Envoy is given have another text in the place of one, as JSON."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        discovery = config.discovery

        def changed(version: int, listeners: Sequence[Listener]) -> str:
            text = discovery(version, listeners)
            assert old in text, f"expected {old!r} in the listeners"
            return text.replace(old, new)

        patch.setattr(config, "discovery", changed)
        return bench

    return apply


def admin_says(old: str, new: str) -> Sabotage:
    """The admin interface has another text in the place of one."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        admin = Envoy.admin

        def changed(envoy: Envoy, path: str, method: str = "GET") -> Answer:
            answer = admin(envoy, path, method)
            return replace(answer, body=answer.body.replace(old, new))

        patch.setattr(Envoy, "admin", changed)
        return bench

    return apply


def in_case(name: str, value: Callable[..., Any]) -> Sabotage:
    """What the case imports or defines under a name is something else: `value` is given that, and then the arguments."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        real = getattr(case, name)
        patch.setattr(case, name, lambda *given, **more: value(real, *given, **more))
        return bench

    return apply


def other_copy(module: str) -> Sabotage:
    """HTTP filters of listeners use a copy of the module, which is another file."""

    def install(cell: Cell, _: dict[str, Any]) -> None:
        cell.install(module, "copied")

    return both(filters(lambda one: replace(one, module=ModuleRef("copied"))), start_with(install))

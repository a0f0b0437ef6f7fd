"""A working Envoy configuration that an extension point's part is put into."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmconform.envoy import config
from dmconform.envoy.config import Listener
from dmconform.envoy.extension_points.use import ModuleUse, any_message
from dmconform.envoy.launch import LISTENERS_FILE

Message = dict[str, Any]
_EXTENSIONS = "type.googleapis.com/envoy.extensions"
MAIN = "main"
"""The listener that HTTP requests go to, in every configuration."""


@dataclass(frozen=True)
class WrittenListener(Listener):
    """A listener given as the message itself."""

    message: Message = field(default_factory=dict)

    def to_json(self) -> Message:
        """Returns the message as it was given."""
        return self.message


@dataclass
class Draft:
    """The bootstrap and the listeners, of which one, `MAIN`, proxies HTTP to the cluster `upstream`."""

    folder: Path
    bootstrap: Message
    listeners: list[Message]

    @classmethod
    def plain(cls, folder: Path, upstream_port: int) -> Draft:
        """Returns a draft without any module."""
        bootstrap = config.bootstrap(folder / LISTENERS_FILE, upstream_port)
        return cls(folder, bootstrap, [copy.deepcopy(Listener(MAIN).to_json())])

    @property
    def main(self) -> Message:
        """The listener `MAIN`."""
        return self.listeners[0]

    @property
    def chain(self) -> Message:
        """Its filter chain."""
        chain: Message = self.main["filter_chains"][0]
        return chain

    @property
    def manager(self) -> Message:
        """Its HTTP connection manager."""
        manager: Message = self.chain["filters"][0]["typed_config"]
        return manager

    @property
    def virtual_host(self) -> Message:
        """Its only virtual host."""
        host: Message = self.manager["route_config"]["virtual_hosts"][0]
        return host

    @property
    def route(self) -> Message:
        """The route to the upstream server."""
        route: Message = self.virtual_host["routes"][-1]
        return route

    @property
    def upstream(self) -> Message:
        """The cluster that the route leads to."""
        cluster: Message = self.bootstrap["static_resources"]["clusters"][0]
        return cluster

    def written(self) -> tuple[WrittenListener, ...]:
        """Returns the listeners as the Envoy takes them."""
        return tuple(WrittenListener(message["name"], message=message) for message in self.listeners)


def message_of(type_name: str, **fields: Any) -> Message:  # noqa: ANN401 - JSON
    """Returns a message of Envoy's extensions as an `Any`; `type_name` without `envoy.extensions.`."""
    return {"@type": f"{_EXTENSIONS}.{type_name}", **fields}


def extension(message: Message) -> Message:
    """Returns a `TypedExtensionConfig`. Envoy goes by the message's type; the name is for people."""
    return {"name": "dynamic_module", "typed_config": message}


def module_message(type_name: str, use: ModuleUse, stem: str, **more: Any) -> Message:  # noqa: ANN401 - JSON
    """Returns the message by which most extension points name a module: `STEM_name` and `STEM_config` beside the module.

    Args:
        type_name: of the message, below `type.googleapis.com/envoy.extensions.`.
        use: the module, with the name and the configuration for it.
        stem: what the names of the two fields begin with.
        **more: further fields, as JSON.
    """
    named = {f"{stem}_name": use.name, f"{stem}_config": any_message(use.config)}
    return message_of(type_name, dynamic_module_config=use.module.to_json(), **named, **more)

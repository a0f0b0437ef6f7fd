"""What a module is judged by beside the hosts that were asked for: all known releases, and the official SDKs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from dmconform.abi.required import required_by
from dmconform.abi.required_hooks import RequiredHooks
from dmconform.abi_diff.uses import SdkUse, load_sdk_uses
from dmconform.binaries.facts import HostFacts, ModuleFacts, StaticKind
from dmconform.binaries.known import known_host_facts, known_hosts
from dmconform.binaries.verdict import Obstacles, obstacles, static_verdict
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Provider
from dmconform.core.versions import Minor
from dmconform.sdks.catalogue import Sdk


@dataclass(frozen=True)
class HostNeeds:
    """A known release: what it offers, and the hooks that it requires."""

    facts: HostFacts
    required: Mapping[ExtensionPoint, Collection[str]]


@dataclass(frozen=True)
class OfficialSdk:
    """An official SDK: what modules of it have, and the ABI string that they return."""

    use: SdkUse
    abi_version: str

    @property
    def minor(self) -> Minor:
        """The minor that it belongs to."""
        return Minor.parse(self.use.minor)


@dataclass(frozen=True)
class Surroundings:
    """All that a module is judged by.

    `hosts` are all known releases, oldest first. `points` are the extension points in use, None where that is not known.
    """

    hosts: tuple[HostNeeds, ...]
    sdks: tuple[OfficialSdk, ...]
    points: frozenset[ExtensionPoint] | None
    preloaded: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(
        cls,
        required_hooks: RequiredHooks,
        sdks: Iterable[Sdk],
        points: frozenset[ExtensionPoint] | None,
        preloaded: frozenset[str] = frozenset(),
    ) -> Surroundings:
        """Collects them from the project's data.

        Args:
            required_hooks: those of all releases.
            sdks: all that are known.
            points: the extension points in use.
            preloaded: symbols that preloaded libraries bring.
        """
        facts = [known_host_facts(one.release) for one in known_hosts()]
        strings = {(sdk.id.language.value, str(sdk.id.minor)): sdk.abi_version for sdk in sdks if sdk.official}
        official = [
            OfficialSdk(use, strings[use.language, use.minor])
            for use in load_sdk_uses().sdks
            if use.provider is Provider.OFFICIAL and (use.language, use.minor) in strings
        ]
        return cls(
            tuple(HostNeeds(one, required_by(one.release, required_hooks)) for one in facts if one is not None),
            tuple(sorted(official, key=lambda one: one.minor)),
            points,
            preloaded,
        )

    def obstacles(self, module: ModuleFacts, host: HostNeeds) -> Obstacles:
        """Returns all that keeps a module from working on a host."""
        return obstacles(module, host.facts, points=self.points, required_hooks=host.required, preloaded=self.preloaded)

    def loads_on(self, module: ModuleFacts, kinds: Collection[StaticKind] = (StaticKind.LOADS,)) -> tuple[str, ...]:
        """Returns the releases on which the verdict on a module is one of `kinds`."""
        return tuple(
            host.facts.release
            for host in self.hosts
            if static_verdict(
                module, host.facts, points=self.points, required_hooks=host.required, preloaded=self.preloaded
            ).kind
            in kinds
        )

    def sdk(self, language: str, minor: Minor) -> OfficialSdk | None:
        """Returns the official SDK of a language and minor."""
        return next((one for one in self.sdks if one.use.language == language and one.minor == minor), None)

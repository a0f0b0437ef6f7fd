"""The words of what forces a bound, and what would widen the range.

A remedy is tried out on the facts: the module as it would then be is judged for all known releases, and the remedy says on
which of these it is expected to load.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from dmconform.binaries.facts import Binding, Known, ModuleFacts, Reached, ReachFacts, StaticKind, Undefined
from dmconform.binaries.signs import GO_SDK
from dmconform.check.bound import BoundKind, Remedy
from dmconform.check.result import SdkGuess
from dmconform.check.surroundings import HostNeeds, OfficialSdk, Surroundings
from dmconform.core.extension_point import CALLBACK_PREFIX, ExtensionPoint, point_of
from dmconform.core.versions import Minor, Release

_LANGUAGES = {"c": "C", "cpp": "C++", "go": "Go", "rust": "Rust"}
_WITH_WEAK_SYMBOLS = ("c", "cpp")
_OFFICIAL = "official"


@dataclass
class Found:
    """A reason on the hosts that it is alike on."""

    kind: BoundKind
    names: tuple[str, ...]  # what is missing
    at_load: bool  # the load fails for that, not only a call
    words: str
    hosts: list[HostNeeds]

    @property
    def key(self) -> tuple[BoundKind, tuple[str, ...], bool, str]:
        """What is the same where the reason is."""
        return self.kind, self.names, self.at_load, self.words


class Remedies:
    """Makes the words of bounds, and tries out what would help."""

    def __init__(self, module: ModuleFacts, around: Surroundings, sdk: SdkGuess, reach: ReachFacts) -> None:
        """Takes what is known.

        Args:
            module: the module.
            around: what it is judged by.
            sdk: the minors whose SDK it can have been built with.
            reach: which of its undefined symbols the hooks of the extension points in use can reach.
        """
        self._module = module
        self._around = around
        self._sdk = sdk
        self._reach = reach
        self._hooks = _hooks_words(around.points)
        self._language = _LANGUAGES.get(module.language, module.language)
        self._reached = frozenset(reach.reached)
        self.all = tuple(host.facts.release for host in around.hosts)
        self._own_sdk = self._sdk_of_module()

    def reached(self, name: str) -> Reached:
        """Returns whether hooks reach a symbol."""
        if self._reach.problem is not None:
            return Reached.NOT_DETERMINED
        return Reached.YES if name in self._reached else Reached.NO

    def reason(self, one: Found) -> str:
        """Returns why these hosts are outside of the range, or not wholly in it."""
        count = len(one.names)
        match one.kind:
            case BoundKind.HOST_LACKS_CALLBACKS | BoundKind.SYMBOLS_OF_OTHERS:
                what = "callback" if one.kind is BoundKind.HOST_LACKS_CALLBACKS else "symbol"
                head = f"{count} {what}{'' if count == 1 else 's'} that it names {'is' if count == 1 else 'are'} missing"
                how = (
                    "it is refused at load"
                    if one.at_load
                    else f"it loads, and a call of {'it' if count == 1 else 'one'} ends the host"
                )
                if one.words:
                    how += f", as this host opens modules with {one.words} however they are bound"
                return f"{head}: {how}; {self._reached_words(one.names)}"
            case BoundKind.MODULE_LACKS_HOOKS:
                return f"{'a hook is' if count == 1 else f'{count} hooks are'} required that it does not define"
            case BoundKind.NO_EXTENSION_POINT:
                return f"there is no extension point {one.words} for modules"
            case BoundKind.ABI_STRING:
                return one.words

    def remedies(self, one: Found) -> Iterator[Remedy]:
        """Yields what would help, as far as it does on the facts."""
        makers: Mapping[BoundKind, Callable[[Found], Iterator[Remedy]]] = {
            BoundKind.HOST_LACKS_CALLBACKS: self._for_callbacks,
            BoundKind.MODULE_LACKS_HOOKS: self._for_hooks,
            BoundKind.NO_EXTENSION_POINT: self._for_point,
            BoundKind.ABI_STRING: self._for_abi,
            BoundKind.SYMBOLS_OF_OTHERS: self._for_others,
        }
        yield from makers[one.kind](one)

    @property
    def _of_official_sdk(self) -> bool:
        return _OFFICIAL in self._module.sdk or GO_SDK in self._module.sdk

    def _sdk_of_module(self) -> OfficialSdk | None:
        """Returns the official SDK that it was built with; of several that are possible, the oldest."""
        if not self._of_official_sdk:
            return None
        found = (self._around.sdk(self._module.language, Minor.parse(minor)) for minor in self._sdk.minors)
        return next((one for one in found if one is not None), None)

    def _reached_words(self, names: Sequence[str]) -> str:
        ways = [self.reached(name) for name in names]
        if Reached.NOT_DETERMINED in ways:
            return f"whether {self._hooks} can reach {_it(names)} is not determined: {self._reach.problem}"
        count = ways.count(Reached.YES)
        if not count:
            return f"{self._hooks} reach none of them" if len(names) > 1 else f"{self._hooks} do not reach it"
        part = "it" if len(names) == 1 else "all of them" if count == len(names) else f"{count} of them"
        return f"{self._hooks} can reach {part}"

    # Hosts that lack callbacks

    def _for_callbacks(self, one: Found) -> Iterator[Remedy]:
        reached = [name for name in one.names if self.reached(name) is Reached.YES]
        if reached:
            yield from self._for_reached(one, reached)
        yield from self._rebuilt_with_another(one)
        if self._module.binding is Binding.NOW and one.at_load:
            yield from self._bound_lazily(one)

    def _for_reached(self, one: Found, reached: Sequence[str]) -> Iterator[Remedy]:
        having = [host.facts.release for host in self._around.hosts if host.facts.callbacks.issuperset(reached)]
        if having:
            which = (
                "the callback that its hooks reach is" if len(reached) == 1 else f"the {len(reached)} that its hooks reach are"
            )
            yield Remedy(f"{which} on {_range(having, self.all)}; elsewhere, its hooks must do without")
        if self._module.language in _WITH_WEAK_SYMBOLS and not self._of_official_sdk:
            missing = frozenset(one.names)
            changed = (
                msgspec.structs.replace(symbol, weak=True) if symbol.name in missing else symbol
                for symbol in self._module.undefined
            )
            loads = self._around.loads_on(msgspec.structs.replace(self._module, undefined=tuple(changed)))
            if _helps(one, loads):
                yield Remedy(
                    "declared weak (__attribute__((weak))) and compared with null before each call, "
                    f"{_they(one.names)} would let it load on {_range(loads, self.all)}",
                    loads,
                )

    def _rebuilt_with_another(self, one: Found) -> Iterator[Remedy]:
        """Yields another SDK, or that the code be left out, unless its own code is known to need what is missing."""
        own = self._own_sdk
        if own is not None and set(one.names) <= set(own.use.every):
            for host in reversed(one.hosts):
                sdk = self._around.sdk(self._module.language, Release.parse(host.facts.release).minor)
                rebuilt = sdk and self._rebuilt(sdk, without=one.names)
                loads = self._around.loads_on(rebuilt) if rebuilt else ()
                if sdk and _helps(one, loads):
                    named = f"the {_OFFICIAL} {self._language} SDK of {own.minor} names {_it(one.names)} in every module"
                    condition = "" if self._needs_none(one.names, sdk) else "if your own code needs nothing that it lacks, "
                    how = f"{condition}rebuilt with that of {sdk.minor}, it would load on {_range(loads, self.all)}"
                    yield Remedy(f"{named}; {how}", loads)
                    return
        elif not any(self.reached(name) is Reached.YES for name in one.names):
            missing = frozenset(one.names)
            left = tuple(symbol for symbol in self._module.undefined if symbol.name not in missing)
            loads = self._around.loads_on(msgspec.structs.replace(self._module, undefined=left))
            if _helps(one, loads):
                sure = all(self.reached(name) is Reached.NO for name in one.names)
                where = "only code that no hook reaches names" if sure else "its code names"
                yield Remedy(f"{where} {_it(one.names)}: without that, it would load on {_range(loads, self.all)}", loads)

    def _needs_none(self, missing: Collection[str], sdk: OfficialSdk) -> bool:
        """Returns whether its hooks reach nothing that another SDK lacks."""
        return self._reach.problem is None and not self._reached & set(missing) and not self._lacking(sdk)

    def _lacking(self, sdk: OfficialSdk) -> frozenset[str]:
        """Returns the callbacks that its hooks reach and another SDK does not have."""
        callbacks = {one.name for one in self._module.callbacks}
        return (self._reached & callbacks) - {*sdk.use.every, *sdk.use.some}

    def _rebuilt(self, sdk: OfficialSdk, without: Collection[str] = ()) -> ModuleFacts | None:
        """Returns the module as another official SDK would make it; None if its own code needs more than that SDK has."""
        own = self._own_sdk
        if own is None or sdk.minor == own.minor:
            return None
        # What its own SDK names in every module need not be its own code's.
        if not self._lacking(sdk) <= set(own.use.every):
            return None
        kept = self._reached & {*sdk.use.every, *sdk.use.some} - set(without)
        others = [one for one in self._module.undefined if not one.name.startswith(CALLBACK_PREFIX)]
        callbacks = [Undefined(name, at_load=sdk.use.binding is Binding.NOW) for name in sorted({*sdk.use.every, *kept})]
        return msgspec.structs.replace(
            self._module,
            hooks=sdk.use.hooks,
            undefined=(*callbacks, *others),
            abi_version=sdk.abi_version,
            abi_version_known=Known.INFERRED,
            binding=sdk.use.binding,
        )

    def _bound_lazily(self, one: Found) -> Iterator[Remedy]:
        lazy = msgspec.structs.replace(self._module, binding=Binding.LAZY)
        loads = self._around.loads_on(lazy, (StaticKind.LOADS, StaticKind.UNRESOLVED))
        if not _helps(one, loads):
            return
        then = f"a call of {_it(one.names)} ends the host where {_they(one.names)} {_are(one.names)} missing"
        if all(self.reached(name) is Reached.NO for name in one.names):
            then += ", which no hook in use comes to"
        yield Remedy(f"linked with -z lazy, it would load on {_range(loads, self.all)}; {then}", loads)

    # Modules that lack hooks

    def _for_hooks(self, one: Found) -> Iterator[Remedy]:
        wanted = set(one.names)
        newest = Release.parse(one.hosts[-1].facts.release).minor
        for sdk in self._around.sdks:
            if sdk.use.language != self._module.language or not wanted <= set(sdk.use.hooks) or sdk.minor > newest:
                continue
            rebuilt = self._rebuilt(sdk)
            loads = self._around.loads_on(rebuilt) if rebuilt else ()
            if _helps(one, loads):
                head = f"the {_OFFICIAL} {self._language} SDK of {sdk.minor} defines {_it(one.names)}"
                yield Remedy(f"{head}: rebuilt with it, the module would load on {_range(loads, self.all)}", loads)
                return
        loads = self._around.loads_on(
            msgspec.structs.replace(self._module, hooks=tuple(sorted({*self._module.hooks, *wanted})))
        )
        if _helps(one, loads):
            minor = Release.parse(one.hosts[0].facts.release).minor
            head = f"define {_it(one.names)}, as Envoy's ABI header of {minor} declares, or build with an SDK that does"
            yield Remedy(f"{head}: then it would load on {_range(loads, self.all)}", loads)

    # The rest

    def _for_point(self, one: Found) -> Iterator[Remedy]:
        point = ExtensionPoint(one.words)
        having = [host.facts.release for host in self._around.hosts if any(_is_of(hook, point) for hook in host.facts.hooks)]
        if having:
            yield Remedy(f"no build helps there: {point.value} is there on {_range(having, self.all)}")

    def _for_abi(self, one: Found) -> Iterator[Remedy]:
        yield Remedy("such a host needs a module that is built for it alone, with the string of its own release")
        for host in one.hosts:
            sdks = [sdk for sdk in self._around.sdks if sdk.use.language == self._module.language]
            own = next((sdk for sdk in sdks if sdk.abi_version == host.facts.abi_version), None)
            if own is not None:
                yield Remedy(f"the {_OFFICIAL} {self._language} SDK of {own.minor} returns the string of {host.facts.release}")

    @staticmethod
    def _for_others(one: Found) -> Iterator[Remedy]:
        yield Remedy(f"link the library that has {_it(one.names)}, or preload it into the host (LD_PRELOAD)")


def _is_of(hook: str, point: ExtensionPoint) -> bool:
    return point_of(hook) is point


def _helps(one: Found, loads: Collection[str]) -> bool:
    return any(host.facts.release in loads for host in one.hosts)


def _they(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "they"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _hooks_words(points: Iterable[ExtensionPoint] | None) -> str:
    return "its hooks" if points is None else f"its {' and '.join(sorted(one.value for one in points))} hooks"


def where_words(releases: Sequence[str], known: Sequence[str]) -> str:
    """Returns releases in words, as minors if all that is known of these is among them."""
    minors = list(dict.fromkeys(Release.parse(release).minor for release in releases))
    if {one for one in known if Release.parse(one).minor in minors} == set(releases):
        return str(minors[0]) if len(minors) == 1 else f"{minors[0]} to {minors[-1]}"
    return _range(releases, known)


def _range(releases: Sequence[str], known: Sequence[str]) -> str:
    """Returns releases in words: those between two that are all there are not said."""
    runs: list[list[str]] = []
    for release in releases:
        if runs and known.index(release) - known.index(runs[-1][-1]) == 1:
            runs[-1].append(release)
        else:
            runs.append([release])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)

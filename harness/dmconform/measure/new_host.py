"""Measures a release that is to be recorded: everything that `conformance/` says of a host, but what people decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dmconform.abi.fault_reactions import PointFaults
from dmconform.abi.host_groups import OfReleases
from dmconform.abi.loading import known_minors, load_abi
from dmconform.abi.required_hooks import PointFacts
from dmconform.abi.types import Abi, FunctionKind
from dmconform.abi_diff.from_binary import abi_of_binary
from dmconform.binaries.facts import HostFacts
from dmconform.binaries.read import read_host
from dmconform.core import paths
from dmconform.core.differences import differences
from dmconform.core.errors import HarnessError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Host
from dmconform.core.versions import Release
from dmconform.envoy.temporary import temporary_folder
from dmconform.envoy.upstream import upstream_server
from dmconform.hosts.catalogue import AbiCheck, KnownHost, Opens, Wheel, load_hosts
from dmconform.hosts.new_release import NewRelease
from dmconform.matrix.plan import PlannedHost
from dmconform.measure.faults.measure import measure_faults
from dmconform.measure.hooks.measure import measure
from dmconform.measure.hooks.run import compiler, measured_hosts
from dmconform.measure.loading import Loading

NO_WHEEL = Wheel("?", "?")
"""In the entry of a binary whose wheel is not known; such an entry is shown, and never written."""


@dataclass(frozen=True)
class Reactions:
    """The measurements that take minutes: the hooks that a host requires, and its reactions to faulty modules."""

    hooks: tuple[PointFacts, ...]
    faults: tuple[PointFaults, ...]


@dataclass(frozen=True)
class NewHost:
    """A release as measured; `entry.default` is never set."""

    entry: KnownHost
    facts: HostFacts
    binary: Path
    new_minor: Abi | None  # the names that the binary holds, where there is no ABI data of its minor
    reactions: Reactions | None  # None: not measured


def measure_new_host(
    release: NewRelease, *, quick: bool, workers: int, abi_string: str | None, progress: Callable[[str], None]
) -> NewHost:
    """Measures a release on this machine.

    Args:
        release: what `obtain_new` found.
        quick: leaves out `Reactions`.
        workers: Envoys at once.
        abi_string: the release's ABI string, where its binary does not say it.
        progress: called with a line when something begins that takes long, and every few seconds during it.

    Raises:
        UsageError: the binary is not an Envoy for this kind of machine.
        HarnessError: it behaves in a way that the data have no value for, or the machine does not let Envoys run.
    """
    host = release.host
    text = host.release_text
    facts = read_host(Path(host.binary), text)
    new_minor = None if host.release.minor in known_minors() else abi_of_binary(Path(host.binary), release=text)
    found = facts.abi_version if abi_string is None else abi_string
    planned = PlannedHost(msgspec.structs.replace(host, id=text), found, None)
    (measured,) = measured_hosts((planned,), {} if new_minor is None else {host.release.minor: new_minor})
    with compiler() as compile_module, temporary_folder("host") as folder, upstream_server() as port:
        progress(f"Envoy {text}: how it loads modules")
        loading = Loading(measured, compile_module, folder, port)
        handling = loading.abi_handling(one.abi_version for one in load_hosts(paths.HOSTS_FILE))
        if measured.abi_version is None:
            planned = msgspec.structs.replace(planned, abi_version=handling.own)
            (measured,) = measured_hosts((planned,), {} if new_minor is None else {host.release.minor: new_minor})
            loading = Loading(measured, compile_module, folder, port)
        opens = loading.opens()
        reactions = None
        if not quick:
            progress(f"Envoy {text}: what it makes of modules that lack hooks or have faults, two to three minutes")
            hosts = (measured,)
            hooks = measure(hosts, folder / "hooks", compile_module, port, workers=workers, progress=progress)
            faults = measure_faults(hosts, folder / "faults", compile_module, port, workers=workers, progress=progress)
            reactions = Reactions(hooks, faults)
    abi = new_minor or load_abi(paths.ABI, str(host.release.minor))
    entry = entry_of(host, release.wheel or NO_WHEEL, facts, abi, opens)
    entry = msgspec.structs.replace(entry, abi_version=handling.own, abi_check=handling.check)
    return NewHost(entry, facts, Path(host.binary), new_minor, reactions)


def entry_of(host: Host, wheel: Wheel, facts: HostFacts, abi: Abi, opens: Opens) -> KnownHost:
    """Returns the entry of a release from its binary alone, but for how it opens modules.

    Args:
        host: the binary on this machine.
        wheel: where it comes from.
        facts: what was read out of it.
        abi: the data of its minor.
        opens: as measured.

    Raises:
        HarnessError: it exports no callback, so that it takes no dynamic modules.
    """
    if not facts.callbacks:
        raise HarnessError(f"Envoy {host.release_text}: exports no callback of dynamic modules; it cannot be a host")
    recorded = abi.names(FunctionKind.CALLBACK) | abi.names(FunctionKind.HOOK)
    has = facts.callbacks | facts.hooks
    return KnownHost(
        release=host.release_text,
        default=False,
        abi_version=facts.abi_version or "",
        abi_check=AbiCheck.EXACT if facts.refuses_other_abi else AbiCheck.WARN,
        opens=opens,
        wheel=wheel,
        binary_sha256=host.sha256,
        build=host.build,
        static_modules=tuple(sorted(facts.static_modules)),
        lacks=tuple(sorted(recorded - has)),
        adds=tuple(sorted(has - recorded)),
    )


def nearest(release: str, recorded: Iterable[str]) -> str:
    """Returns the recorded release to compare with: itself, else the newest older one, else the oldest."""
    ordered = sorted(recorded, key=Release.parse)
    return next((one for one in reversed(ordered) if Release.parse(one) <= Release.parse(release)), ordered[0])


def reaction_differences(recorded: Callable[[ExtensionPoint], OfReleases | None], measured: Iterable[OfReleases]) -> list[str]:
    """Returns one line for each key in which measured extension points differ from the record of one release."""
    lines = []
    for facts in measured:
        before = recorded(facts.point)
        if before is None:
            lines.append(f"{facts.point.value}: recorded nothing, measured something")
        else:
            lines += differences(_alike(before), _alike(facts), facts.point.value)
    return lines


def _alike(facts: OfReleases) -> OfReleases:
    """Returns the facts without the releases that they are of."""
    assert isinstance(facts, msgspec.Struct)
    return msgspec.structs.replace(facts, releases=())

"""What a case works with: its cell, with the host, the modules, a folder, and ways to start Envoys in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import AbiVerdict, CellId, Feature, Load, ProbeLoad, Relation
from dmconform.core.versions import Minor
from dmconform.envoy.config import DIRECT_PATH, HttpFilter, Listener, ModuleRef, bootstrap
from dmconform.envoy.echo_server import EchoServer, echo_server
from dmconform.envoy.envoy import Envoy, accepted
from dmconform.envoy.launch import LISTENERS_FILE, SEARCH_PATH, Launch
from dmconform.envoy.log_lines import host_lines
from dmconform.envoy.observer import UNOBSERVED, Observer
from dmconform.envoy.outcomes import Blocked, ModuleRejected, NotApplicable
from dmconform.envoy.source_server import SourceServer, source_server
from dmconform.envoy.upstream import Upstream, upstream
from dmconform.matrix.plan import PlannedHost, PlannedSdk
from dmconform.matrix.probe_load import probe_load
from dmconform.matrix.refused import Refusal, Refusals
from dmconform.spec.promise import pair_relation

MAIN = "main"
"""The listener of a case that has but one."""
PROBE = "probe"
"""The built module that is right; the others of an SDK version are wrong on purpose."""


_ABI_LINES = {
    AbiVerdict.REJECTED: re.compile("ABI version mismatch"),
    AbiVerdict.MATCHED: re.compile(r"ABI version \S+ matched"),
    AbiVerdict.DEPRECATED: re.compile("ABI version .*deprecated"),
}


def abi_verdict(log: str, loaded: bool) -> AbiVerdict:
    """Returns what a host's log says of a module's ABI string, and if it says nothing, whether the module was loaded.

    What the module itself prints or logs does not count.
    """
    lines = list(host_lines(log))
    for verdict, pattern in _ABI_LINES.items():
        if any(pattern.search(line) for line in lines):
            return verdict
    return AbiVerdict.SILENT if loaded else AbiVerdict.NOT_LOADED


@dataclass
class Cell:
    """One cell while its case runs."""

    id: CellId
    relation: Relation
    sdk: PlannedSdk
    planned_host: PlannedHost
    folder: Path
    upstream_port: int
    all_companions: tuple[PlannedSdk, ...] = ()
    refusals: Refusals | None = None  # None: the cell neither takes nor keeps any
    observer: Observer = UNOBSERVED  # is notified of what the case does
    facts: dict[str, str] = field(default_factory=dict)
    loaded: bool = False  # whether an Envoy accepted the module
    _envoys: list[Envoy] = field(default_factory=list)
    _probes: list[Path] = field(default_factory=list)  # copies of the probe
    _refused_before: Refusal | None = None

    @property
    def language(self) -> str:
        """The probe's language."""
        return self.sdk.language.value

    @property
    def sdk_minor(self) -> Minor:
        """The minor of the SDK."""
        return self.sdk.minor

    @property
    def host_minor(self) -> Minor:
        """The minor of the host."""
        return self.planned_host.host.release.minor

    @property
    def point(self) -> ExtensionPoint:
        """The extension point at which its case runs; only for cases that are declared for extension points."""
        point = self.id.point
        assert point is not None, f"expected a case at an extension point, {self.id.case} names none"
        return point

    def needs(self, condition: bool, reason: str) -> None:
        """Ends the case as not applicable, with this reason, unless the condition holds."""
        if not condition:
            raise NotApplicable(reason)

    def needs_feature(self, feature: Feature) -> None:
        """Ends the cell as not applicable where the SDK lacks this feature."""
        self.needs(feature not in self.sdk.lacks, f"this SDK version has no {feature.text}")

    def needs_point(self, point: ExtensionPoint) -> None:
        """Ends the cell as not applicable where the SDK cannot be used at an extension point."""
        since = self.sdk.points.get(point)
        self.needs(since is not None, f"no {self.sdk.sdk_id.provider.value} SDK of this language has {point.plural}")
        assert since is not None
        self.needs(Minor.parse(since) <= self.sdk_minor, f"SDKs of this language have {point.plural} from {since} on")

    def companions(self) -> tuple[PlannedSdk, ...]:
        """Returns the reference SDKs that are promised to work on this host, this cell's own included, in order of their ids.

        Raises:
            Blocked: the probe of one of them could not be built.
        """
        found = tuple(one for one in self.all_companions if pair_relation(one.minor, self.host_minor) is Relation.SUPPORTED)
        found = tuple(sorted(found, key=lambda one: str(one.id)))  # whatever was selected, and in which order
        for one in found:
            if one.problem is not None:
                raise Blocked(f"{one.id}, whose probe was to be loaded too: {one.problem}")
        return found

    def install(
        self, module: str = PROBE, name: str | None = None, folder: str = "modules", sdk: PlannedSdk | None = None
    ) -> Path:
        """Copies a built module into a folder of the cell, as `libNAME.so`; the copy is a separate file.

        Args:
            module: which of the modules of an SDK.
            name: NAME; the module's own if None.
            folder: below the cell's.
            sdk: a companion whose module it is; the cell's own SDK if None.
        """
        target = self.folder / folder / f"lib{name or module}.so"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile((sdk or self.sdk).modules[module].path, target)
        if module == PROBE and sdk is None:
            self._probes.append(target)
        return target

    def abi_verdict_so_far(self) -> AbiVerdict:
        """Returns what the logs of this cell's hosts say so far of the module's ABI string."""
        if self._refused_before is not None and not self._envoys:
            return self._refused_before.abi_verdict
        return abi_verdict(self.printed(), self.loaded)

    def probe_load_so_far(self) -> ProbeLoad:
        """Returns what the hosts of this cell have done so far with the probe."""
        return probe_load(self._probes, (one for envoy in self._envoys for one in envoy.taken), self.printed())

    @property
    def modules_folder(self) -> Path:
        """The folder that `install` uses by default."""
        return self.folder / "modules"

    def start_anyhow(
        self,
        *listeners: Listener,
        search_path: Path | str | None = None,
        environment: Mapping[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        working_folder: Path | None = None,
        clusters: Mapping[str, int] | None = None,
        drain_s: int = 0,
        concurrency: int = 1,
        alter: Callable[[dict[str, Any]], None] | None = None,
        hot_restart: tuple[str, ...] = (),
    ) -> Envoy:
        """Starts an Envoy with these listeners, whether it accepts them or not.

        Args:
            *listeners: its first configuration.
            search_path: the search-path variable; None leaves it unset.
            environment: further variables.
            prefix: words before the command that starts it.
            working_folder: its own folder if None.
            clusters: ports on loopback of further clusters, by name.
            drain_s: how long what an update replaces may go on with its connections.
            concurrency: its worker threads.
            alter: changes its bootstrap configuration.
            hot_restart: the options of its part in a hot restart; empty: it takes no part in any.
        """
        variables = dict(self.sdk.host_environment)
        if search_path is not None:
            variables[SEARCH_PATH] = str(search_path)
        variables |= environment or {}
        binary, program = self.planned_host.host.binary, self.planned_host.program
        launch = Launch(
            Path(binary),
            variables,
            prefix,
            working_folder,
            drain_s,
            concurrency,
            Path(program) if program else None,
            hot_restart,
        )
        folder = self.folder / f"envoy-{len(self._envoys) + 1}" if self._envoys else self.folder
        folder.mkdir(parents=True, exist_ok=True)
        message = bootstrap(folder / LISTENERS_FILE, self.upstream_port, clusters)
        if alter is not None:
            alter(message)
        envoy = Envoy(folder, launch, self.upstream_port, listeners, message, self.observer)
        self._envoys.append(envoy)
        return envoy

    def start(
        self,
        *listeners: Listener,
        module: str = PROBE,
        environment: Mapping[str, str] | None = None,
        clusters: Mapping[str, int] | None = None,
        concurrency: int = 1,
        alter: Callable[[dict[str, Any]], None] | None = None,
    ) -> _Accepted:
        """Returns an Envoy that has the module on its search path and must accept the listeners.

        Entering it raises ModuleRejected where it does not accept them.

        Args:
            *listeners: its first configuration.
            module: which of the SDK's modules is installed, if it is not there yet.
            environment: further variables.
            clusters: ports on loopback of further clusters, by name.
            concurrency: its worker threads.
            alter: changes its bootstrap configuration.

        Raises:
            ModuleRejected: this host has refused this probe in another cell already.
        """
        if module == PROBE and not self._envoys and self.refusals is not None:
            self._raise_known_refusal(self.refusals)
        if not (self.modules_folder / f"lib{module}.so").exists():
            self.install(module)
        envoy = self.start_anyhow(
            *listeners,
            search_path=self.modules_folder,
            environment=environment,
            clusters=clusters,
            concurrency=concurrency,
            alter=alter,
        )
        return _Accepted(self, envoy)

    def _raise_known_refusal(self, refusals: Refusals) -> None:
        self._refused_before = refusals.known()
        if self._refused_before is not None:
            self.facts["not tried again, as it was refused in"] = self._refused_before.cell
            raise ModuleRejected(self._refused_before.message_for(self.folder))

    def note_refusal(self, message: str) -> None:
        """Keeps a host's refusal of the probe for other cells, where they may use it and nothing in it is this case's own."""
        usual = {copy.name for copy in self._probes} == {f"lib{PROBE}.so"} and f"(s) {MAIN}:" in message
        if self.refusals is not None and usual and self.probe_load_so_far().load is Load.REFUSED:
            self.refusals.note(Refusal(str(self.id), str(self.folder), message, self.abi_verdict_so_far()))

    def reconfigure(self, envoy: Envoy, *listeners: Listener) -> None:
        """Replaces an Envoy's listeners by others that it must accept.

        Raises:
            ModuleRejected: it does not.
        """
        update = envoy.update(*listeners)
        if not update.accepted:
            raise ModuleRejected(update.message)

    def assert_still_serves(self, envoy: Envoy) -> None:
        """Asserts that an Envoy that rejected a configuration takes a good one and answers."""
        update = envoy.update(Listener("plain"))
        assert update.accepted, f"expected a good configuration to be accepted afterwards, it was rejected: {update.message}"
        status = envoy.request(DIRECT_PATH, listener="plain").status
        assert status == 200, f"expected the Envoy to serve afterwards, it answers {status}"

    def source_server(self) -> AbstractContextManager[SourceServer]:
        """Returns a server on loopback that answers as the case says, for the time of a block: hosts fetch modules from it."""
        return source_server(self.observer)

    def upstream(self) -> AbstractContextManager[Upstream]:
        """Returns a server of the case's own behind its Envoys, for the time of a block: it records what it receives."""
        return upstream(self.observer)

    def echo_server(self) -> AbstractContextManager[EchoServer]:
        """Returns a server on loopback that sends bytes back, for the time of a block: it records what it receives."""
        return echo_server(self.observer)

    def read_logs(self) -> str:
        """Returns what all Envoys of this cell have printed; an archive notes that the log is not compared."""
        return "".join(envoy.read_log() for envoy in self._envoys)

    def host_processes(self) -> tuple[int, ...]:
        """Returns the process ids of this cell's Envoys, for the harness; some may have ended."""
        return tuple(envoy.pid for envoy in tuple(self._envoys))

    def printed(self) -> str:
        """Returns what all Envoys of this cell have printed, for the harness; a case uses `read_logs`."""
        return "".join(envoy.printed() for envoy in self._envoys)

    def reap(self) -> None:
        """Makes sure that no Envoy of this cell is left."""
        for envoy in self._envoys:
            envoy.reap()


class _Accepted:
    """A context manager that enters an Envoy only if it accepted its first configuration."""

    def __init__(self, cell: Cell, envoy: Envoy) -> None:
        self._cell = cell
        self._envoy = envoy

    def __enter__(self) -> Envoy:
        self._envoy.__enter__()
        try:
            envoy = accepted(self._envoy)
        except BaseException as error:
            self._envoy.__exit__(type(error), error, None)
            if isinstance(error, ModuleRejected):
                self._cell.note_refusal(str(error))
            raise
        self._cell.loaded = True
        return envoy

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._envoy.__exit__(kind, error, trace)


def listener(filter_name: str, config: str = "", *, name: str = MAIN, module: ModuleRef | str = PROBE) -> Listener:
    """Returns a listener with one HTTP filter of a module.

    Args:
        filter_name: the name that the host hands to the module.
        config: the configuration, as text.
        name: of the listener.
        module: a reference, or the name of a module on the search path.
    """
    reference = ModuleRef(module) if isinstance(module, str) else module
    return Listener(name, (HttpFilter(reference, filter_name, config),))

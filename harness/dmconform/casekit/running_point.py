"""An Envoy with a module at the cell's extension point, in whose place another one is brought."""

from __future__ import annotations

import contextlib
import json
from typing import Any, Self

from dmconform.casekit.at_points.endpoints import endpoints_file
from dmconform.casekit.at_points.model import ProbedPoint
from dmconform.casekit.at_points.table import PROBED
from dmconform.casekit.life import lines_of_use, used
from dmconform.casekit.points import draft_at, start_at_point, working_at_point
from dmconform.core.regular import replace_regular
from dmconform.core.timeouts import CLUSTER_WARM_S, CONFIG_UPDATE_S, LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.refusal import late_refusals, refused_at_start
from dmconform.envoy.extension_points.shapes import SHAPES, Carrier
from dmconform.envoy.extension_points.use import Config, ModuleUse
from dmconform.envoy.outcomes import HostCrashed, HostHung, ModuleRejected
from dmconform.envoy.update import Update, rejection
from dmconform.matrix.cell import PROBE, Cell

_CDS = "cluster_manager.cds.update_"
_WARMING = "cluster_manager.warming_clusters"
_CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"


def probed(cell: Cell) -> ProbedPoint:
    """Returns how the probe is used at the cell's extension point; ends the cell as not applicable where its SDK lacks it."""
    cell.needs_point(cell.point)
    return PROBED[cell.point]


def probe_at(cell: Cell, config: Config = "", name: str | None = None, module: ModuleRef | None = None) -> ModuleUse:
    """Returns the use of a module at the cell's extension point.

    Args:
        cell: with the extension point.
        config: its configuration.
        name: what the host hands to it to choose by; that of what does its work if None.
        module: the probe if None.
    """
    point = PROBED[cell.point]
    file = endpoints_file(cell) if point.discovers_endpoints else None
    return ModuleUse(cell.point, module or ModuleRef(PROBE), name or point.name, config, endpoints=file)


class RunningPoint:
    """An Envoy of a cell. Leaving it as a context manager stops the Envoy whatever happened.

    Where no update reaches the extension point, none runs before something is brought to it.
    """

    def __init__(self, cell: Cell, *uses: ModuleUse) -> None:
        """Starts nothing yet.

        Args:
            cell: with the extension point.
            *uses: what it has there first, which the host must accept; with nothing it is plain.
        """
        self._cell = cell
        self._first = uses
        self._shape = SHAPES[cell.point]
        self._held = contextlib.ExitStack()
        self._envoy: Envoy | None = None
        self._clusters = cell.folder / "clusters.json"
        self._version = 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.push(self)
            if self._first or self.is_updated:
                self._start()
            stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:  # noqa: ANN401 - as they come
        self._held.__exit__(*error)

    def stop(self) -> None:
        """Stops the Envoy, which must end as it should.

        Raises:
            HostCrashed: it does not.
        """
        self._held.close()

    @property
    def envoy(self) -> Envoy:
        """The Envoy that runs, or that ran last."""
        assert self._envoy is not None, "expected an Envoy to run"
        return self._envoy

    @property
    def is_updated(self) -> bool:
        """Whether an update brings another module to an Envoy that runs; else it takes another Envoy."""
        return self._shape.carrier is not Carrier.BOOTSTRAP

    @property
    def is_refused_late(self) -> bool:
        """Whether a module is refused only when it is needed: its configuration is accepted, in the place of the one before."""
        return bool(self._shape.late_refusal)

    def _start(self) -> None:
        by_clusters = self._shape.carrier is Carrier.CLUSTERS
        first = () if by_clusters else self._first
        before = self._cell.loaded
        self._envoy = self._held.enter_context(
            working_at_point(self._cell, *first, alter=self._let_clusters_come if by_clusters else None)
        )
        if not first:
            self._cell.loaded = before  # no module is in it yet
            for use in self._first:
                self.take(use)

    def bring(self, use: ModuleUse) -> Update:
        """Brings a module to the extension point: by an update, or by another Envoy that takes the place of the one before.

        Returns:
            Whether it was accepted, and what the host says if not. Then what was there before goes on.

        Raises:
            HostCrashed: the Envoy ended by itself, and not to refuse its configuration.
            HostHung: the update was neither accepted nor rejected in time.
        """
        late = self._late_refusals()
        match self._shape.carrier:
            case Carrier.LISTENERS:
                update = self.envoy.update(*draft_at(self._cell, [use]).written())
            case Carrier.CLUSTERS:
                update = self._bring_cluster(draft_at(self._cell, [use]))
            case Carrier.BOOTSTRAP:
                update = self._bring_envoy(use)
        if update.accepted and self.is_refused_late:
            PROBED[self._cell.point].ask(self._cell, self.envoy, False)
            refusals = self._late_refusals()[len(late) :]
            update = Update(False, refusals[0]) if refusals else update
        self._cell.loaded |= update.accepted
        return update

    def _late_refusals(self) -> list[str]:
        return late_refusals(self._envoy, self._shape.late_refusal) if self._envoy is not None else []

    def take(self, use: ModuleUse) -> None:
        """Brings a module to the extension point, which the host must accept.

        Raises:
            ModuleRejected: it does not.
        """
        update = self.bring(use)
        if not update.accepted:
            raise ModuleRejected(update.message)

    def clear(self) -> None:
        """Takes the module from the extension point; the host must accept that."""
        plain = draft_at(self._cell, [])
        by_clusters = self._shape.carrier is Carrier.CLUSTERS
        update = self._bring_cluster(plain) if by_clusters else self.envoy.update(*plain.written())
        assert update.accepted, f"expected a configuration without the module to be accepted, saw {update.message}"

    def _bring_envoy(self, use: ModuleUse) -> Update:
        if not (self._cell.modules_folder / f"lib{PROBE}.so").exists():
            self._cell.install()
        started = start_at_point(self._cell, use)
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(started)
            except HostCrashed:
                refusal = refused_at_start(started)
                if refusal is None:
                    raise
                return Update(False, refusal)
            self.stop()
            self._held = held.pop_all()
        self._envoy = started
        return started.first_update

    def _let_clusters_come(self, draft: Draft) -> None:
        """Moves the cluster of the upstream server into a file that the Envoy watches."""
        cluster = draft.bootstrap["static_resources"]["clusters"].pop(0)
        self._write(cluster)
        source = {"path_config_source": {"path": str(self._clusters)}, "resource_api_version": "V3"}
        draft.bootstrap["dynamic_resources"]["cds_config"] = source

    def _write(self, cluster: dict[str, object]) -> None:
        self._version += 1
        response = {"version_info": str(self._version), "resources": [{"@type": _CLUSTER, **cluster}]}
        replace_regular(self._clusters, json.dumps(response).encode())

    def _bring_cluster(self, draft: Draft) -> Update:
        envoy, before = self.envoy, self.envoy.counters(_CDS)
        self._cell.observer.note_unreplayed("an update of clusters")
        self._write(draft.upstream)

        def outcome() -> Update | None:
            envoy.check_alive("while it took a cluster")
            seen = envoy.counters(_CDS)
            rejections = sum(seen.get(f"{_CDS}{kind}", 0) for kind in ("rejected", "failure"))
            if rejections > sum(before.get(f"{_CDS}{kind}", 0) for kind in ("rejected", "failure")):
                message = poll(lambda: rejection(envoy.read_log(), rejections), LOG_LINE_S)
                return Update(False, message or "(no message in the log)")
            return Update(True) if seen.get(f"{_CDS}success") != before.get(f"{_CDS}success") else None

        found = poll(outcome, CONFIG_UPDATE_S)
        if found is None:
            raise HostHung(f"Envoy has neither accepted nor rejected a cluster within {CONFIG_UPDATE_S:g} s")
        # Until then the cluster before is used. One whose module fails may never have what it waits for.
        poll(lambda: not envoy.statistic(_WARMING), CLUSTER_WARM_S)
        return found

    def use(self) -> None:
        """Uses the extension point once.

        Raises:
            HostCrashed: the Envoy ended.
        """
        with contextlib.suppress(AssertionError):
            PROBED[self._cell.point].ask(self._cell, self.envoy, False)
        self.envoy.check_survived("while its extension point was used")

    def told(self) -> bytes:
        """Uses the extension point once, and returns the configuration that the module was given, as it says."""
        before = len(lines_of_use(self._cell, self.envoy))
        PROBED[self._cell.point].ask(self._cell, self.envoy, False)
        return used(self._cell, self.envoy, before).config

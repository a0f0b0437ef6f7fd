"""Uses modules at any extension point: in Envoys of a cell, or in a configuration that is started with or validated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from dmconform.core.extension_point import ExtensionPoint
from dmconform.envoy.config import Listener, ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.shapes import SHAPES, Carrier, available, points_of, why_unreachable
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, ModuleUse
from dmconform.envoy.launch import SEARCH_PATH, Launch
from dmconform.envoy.outcomes import Blocked, HostCrashed, HostHung
from dmconform.envoy.whole_configuration import ConfigurationVerdict, Mode, try_configuration
from dmconform.matrix.cell import Cell


def reachable_points(cell: Cell) -> tuple[ExtensionPoint, ...]:
    """Returns the extension points of the cell's host that a configuration reaches."""
    return tuple(point for point in points_of(cell.host_minor) if why_unreachable(point) is None)


def use_at(cell: Cell, point: ExtensionPoint, module: str, name: str, config: str = "", folder: str | None = None) -> Attempt:
    """Starts an Envoy that uses an installed module at an extension point, sends something through it, and stops it.

    Args:
        cell: the cell.
        point: where.
        module: its name on the search path.
        name: what the host hands to it to choose by.
        config: its configuration, as text.
        folder: below the cell's, for the Envoy's files; the point's name if None.

    Raises:
        HostCrashed: the Envoy ended by itself.
        HostHung: it did not start, answer or end in time.
        Blocked: it could not be started here.
    """
    cell.observer.note_unreplayed("an Envoy that is started outside the cell's own")
    use = ModuleUse(point, ModuleRef(module), name, config)
    tried = attempt(
        Path(cell.planned_host.host.binary),
        use,
        cell.folder / (folder or point.value),
        search_path=cell.modules_folder,
        upstream_port=cell.upstream_port,
    )
    match tried.ended:
        case AttemptEnd.CRASHED:
            raise HostCrashed(f"at extension point {point.value}: {tried.message}")
        case AttemptEnd.HUNG:
            raise HostHung(f"at extension point {point.value}: {tried.message}")
        case AttemptEnd.BLOCKED:
            raise Blocked(f"at extension point {point.value}: {tried.message}")
        case _:
            return tried


def start_at_point(
    cell: Cell,
    *uses: ModuleUse,
    alter: Callable[[Draft], None] | None = None,
    clusters: Mapping[str, int] | None = None,
) -> Envoy:
    """Starts an Envoy that has modules at extension points, whether it accepts them or not.

    Args:
        cell: ends as not applicable where its host lacks one of the points.
        *uses: the modules, which are in the cell's folder of modules.
        alter: changes the configuration once the modules are in it.
        clusters: ports on loopback of further clusters, by name.
    """
    draft = draft_at(cell, uses, alter)
    return cell.start_anyhow(*draft.written(), search_path=cell.modules_folder, alter=_as_in(draft), clusters=clusters)


def working_at_point(
    cell: Cell,
    *uses: ModuleUse,
    alter: Callable[[Draft], None] | None = None,
    further: Iterable[Listener] = (),
    clusters: Mapping[str, int] | None = None,
) -> AbstractContextManager[Envoy]:
    """Starts an Envoy that has modules at extension points, the probe on its search path, and must accept them.

    Args:
        cell: ends as not applicable where its host lacks one of the points.
        *uses: the modules.
        alter: changes the configuration once the modules are in it.
        further: listeners beside those of the extension points.
        clusters: ports on loopback of further clusters, by name.
    """
    draft = draft_at(cell, uses, alter)
    return cell.start(*draft.written(), *further, alter=_as_in(draft), clusters=clusters)


def _as_in(draft: Draft) -> Callable[[dict[str, Any]], None]:
    """Returns what makes an Envoy's bootstrap configuration that of a draft."""

    def bootstrap(message: dict[str, Any]) -> None:
        """Keeps what is this Envoy's own: where its listeners come from, and its further clusters."""
        own, more = message["dynamic_resources"]["lds_config"], message["static_resources"]["clusters"][1:]
        message.clear()
        message.update(draft.bootstrap)
        message["dynamic_resources"]["lds_config"] = own
        message["static_resources"]["clusters"] += more

    return bootstrap


def whole_configuration(
    cell: Cell, *uses: ModuleUse, alter: Callable[[Draft], None] | None = None
) -> tuple[Path, dict[str, Any]]:
    """Returns a new folder of the cell, and a configuration for it with modules at extension points and listeners that stay.

    Args:
        cell: ends as not applicable where its host lacks one of the points.
        *uses: the modules.
        alter: changes the configuration once the modules are in it.
    """
    folder = cell.folder / f"configuration-{len(list(cell.folder.glob('configuration-*'))) + 1}"
    folder.mkdir(parents=True)
    draft = draft_at(cell, uses, alter, folder)
    message = draft.bootstrap
    del message["dynamic_resources"]["lds_config"]
    message["static_resources"]["listeners"] = [
        {name: value for name, value in one.items() if name != "@type"} for one in draft.listeners
    ]
    return folder, message


def verdict_of(
    cell: Cell,
    mode: Mode,
    *uses: ModuleUse,
    alter: Callable[[Draft], None] | None = None,
    environment: Mapping[str, str] | None = None,
    ask: tuple[str, ...] = (),
) -> ConfigurationVerdict:
    """Has the cell's host start with, or validate, a configuration with modules at extension points; an archive has none of it.

    Args:
        cell: whose folder of modules is searched.
        mode: start or validate.
        *uses: the modules.
        alter: changes the configuration once the modules are in it.
        environment: further variables.
        ask: paths of its admin interface that are asked once it has started.
    """
    cell.observer.note_unreplayed("a configuration that is whole from the beginning")
    folder, message = whole_configuration(cell, *uses, alter=alter)
    variables = {SEARCH_PATH: str(cell.modules_folder), **(environment or {})}
    binary, program = cell.planned_host.host.binary, cell.planned_host.program
    launch = Launch(Path(binary), variables, program=Path(program) if program else None)
    return try_configuration(launch, mode, message, folder, ask)


def is_in_listeners(point: ExtensionPoint) -> bool:
    """Returns whether a module at an extension point is in a listener's configuration, so that an update can bring it."""
    return SHAPES[point].carrier is Carrier.LISTENERS


def listeners_at(cell: Cell, use: ModuleUse, alter: Callable[[Draft], None] | None = None) -> tuple[Listener, ...]:
    """Returns listeners that have a module at an extension point, for `Envoy.update`; `alter` changes them."""
    return draft_at(cell, [use], alter).written()


def draft_at(
    cell: Cell, uses: Iterable[ModuleUse], alter: Callable[[Draft], None] | None = None, folder: Path | None = None
) -> Draft:
    """Returns a configuration with modules at extension points.

    Args:
        cell: ends as not applicable where its host lacks one of the points.
        uses: the modules.
        alter: changes the configuration once the modules are in it.
        folder: of the Envoy; the cell's own if None.
    """
    draft = Draft.plain(folder or cell.folder, cell.upstream_port)
    for use in uses:
        shape = SHAPES[use.point]
        since = f"hosts have it from {shape.since} on"
        cell.needs(available(use.point, cell.host_minor), f"this host has no extension point {use.point.value}: {since}")
        assert shape.apply is not None, f"expected an extension point that a configuration reaches: {shape.reason}"
        shape.apply(draft, use)
    if alter is not None:
        alter(draft)
    return draft

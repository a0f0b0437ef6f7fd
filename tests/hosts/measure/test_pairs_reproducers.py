"""The modules in C that show what pairs and the differential test found.

Each shows its defect on the newest release that has it, and on no clean one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dmconform.abi.bindings.c_header import c_header
from dmconform.abi.bindings.stub_module import stub_module
from dmconform.abi.loading import load_every_abi
from dmconform.core import paths
from dmconform.core.timeouts import REQUEST_S
from dmconform.core.values import Severity
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.shapes import Drive
from dmconform.envoy.extension_points.upstreams import route_to_own_cluster
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, ModuleUse
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.obtain import from_release
from dmconform.matrix.prepare import lazy_engine
from dmconform.measure.differential.upstream import observing_server
from dmconform.measure.pairs.drive import Driven, drive_pairs
from dmconform.measure.pairs.request import PAIR_RULES
from dmconform.measure.pairs.rules import PairDrive, PairRules, Scene, load_pair_rules
from dmconform.measure.pairs.scenes import set_scene
from dmconform.measure.pairs.update import BEFORE, HeldUpdate, Replaced
from dmconform.sdks.generated import compile_c
from dmconform.spec.defects import Defect, DefectKind, load_defects

pytestmark = pytest.mark.host

METHODS = ("pairs", "differential")
SHOWN = [one for one in load_defects(paths.CONFORMANCE / "defects") if one.method in METHODS and one.reproducer is not None]
SOURCES = paths.SDKS / "cpp" / "reproducers"
ALARM = "envoy bug failure: "
SAID = "dmconform: "
WRONG = f"{SAID}wrong: "
"""What a module prints that sees its defect itself."""
WELL = (AttemptEnd.WORKED, AttemptEnd.NOT_DRIVEN)
UPDATES = "pairs updates, "
UPSTREAM = ", upstream side"
CLIENTS = (PairDrive.SLOW, PairDrive.CLOSED)
Try = Callable[[Defect, str], Attempt]


def scene_of(one: Defect, rules: PairRules) -> Scene | None:
    """Returns the scene of a defect that shows with clients of a certain kind alone; None where it shows with others."""
    scene = rules.scene_of(one.found_by.split()[-1])
    return scene if scene.drive in CLIENTS else None


def with_clients(scene: Scene) -> tuple[Callable[[Draft], None], Callable[[Envoy], None]]:
    """Returns what prepares a configuration for a scene's clients, and what these do."""
    drafts: list[Draft] = []

    def alter(draft: Draft) -> None:
        drafts.append(draft)
        set_scene(scene, draft)

    def look(envoy: Envoy) -> None:
        drive_pairs(Driven(envoy, drafts[0], scene.drive, REQUEST_S), Drive.HTTP, 1)

    return alter, look


def altered_by(one: Defect, update: HeldUpdate | None) -> Callable[[Draft], None] | None:
    """Returns what puts the module where the defect shows; None where that is its usual place."""
    if one.found_by.endswith(UPSTREAM):
        return functools.partial(route_to_own_cluster, upstream=True)
    return update.alter if update else None


def updated_by(one: Defect) -> HeldUpdate | None:
    """Returns the update that a defect shows in; None where it shows in what each attempt does."""
    if not one.found_by.startswith(UPDATES):
        return None
    return HeldUpdate(
        Replaced(one.found_by.removeprefix(UPDATES)), re.compile(f"{SAID}.* made"), re.compile(f"{SAID}.*destroyed ")
    )


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Try]:
    """Uses a defect's module on a release."""
    cache = paths.cache_folder()
    hosts = {host.release: host for host in load_hosts(paths.HOSTS_FILE)}
    abis = load_every_abi()
    rules = load_pair_rules(PAIR_RULES, abis.values())
    with lazy_engine(cache) as engine, observing_server() as port:

        def use(one: Defect, release: str) -> Attempt:
            assert one.reproducer is not None
            minor = hosts[release].version.minor
            abi = abis[str(minor)]
            sources = {
                f"{one.reproducer}.c": (SOURCES / f"{one.reproducer}.c").read_bytes(),
                "stubs.c": stub_module(abi, weak=True).encode(),
                "abi.h": c_header(abi).encode(),
            }
            number = str(minor).replace(".", "")
            flags = ("-D_GNU_SOURCE", f"-DDMCONFORM_SDK_MINOR={number}", "-Wno-unused-const-variable")
            library: Path = compile_c(one.reproducer, sources, cache, engine.toolchain, flags)
            update, scene = updated_by(one), scene_of(one, rules)
            alter, look = with_clients(scene) if scene else (altered_by(one, update), update.look if update else None)
            result = attempt(
                Path(from_release(hosts[release], cache, print).binary),
                ModuleUse(one.points[0], ModuleRef(one.reproducer), "shown", BEFORE, BEFORE if update else None),
                tmp_path_factory.mktemp(one.reproducer),
                search_path=library.parent,
                upstream_port=port,
                drive=update is None,
                alter=alter,
                look=look,
            )
            assert update is None or not update.problem, update.problem
            return result

        yield use


@pytest.mark.parametrize("one", SHOWN, ids=lambda one: str(one.id))
def test_a_module_in_c_shows_a_release_that_has_the_defect(tried: Try, one: Defect) -> None:
    result = tried(one, one.releases[-1])
    match one.severity:
        case Severity.HANGS:
            assert result.ended is AttemptEnd.HUNG, result
        case Severity.ENDS:
            assert result.ended is AttemptEnd.CRASHED and "SIG" in result.message, result
        case _:
            assert result.ended in WELL, result
            assert (ALARM if one.kind is DefectKind.ALARM else WRONG) in result.log, result


@pytest.mark.parametrize("one", [one for one in SHOWN if one.clean], ids=lambda one: str(one.id))
def test_a_clean_release_serves(tried: Try, one: Defect) -> None:
    result = tried(one, one.clean[-1])
    assert result.ended in WELL, result
    assert WRONG not in result.log, result
    assert ALARM not in result.log or one.kind is not DefectKind.ALARM, result

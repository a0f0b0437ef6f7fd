"""What forces the bounds of a module's range, and what would widen it, on the project's data about hosts and SDKs."""

from __future__ import annotations

import functools
import io
import time
from pathlib import Path

import msgspec
import pytest
from dmconform.abi.loading import load_abi
from dmconform.abi.required_hooks import load_required_hooks
from dmconform.abi.types import FunctionKind
from dmconform.abi_diff.uses import load_sdk_uses
from dmconform.binaries.facts import Binding, Known, ModuleFacts, Reached, ReachFacts, StaticKind, Undefined
from dmconform.binaries.verdict import static_verdict
from dmconform.check import bounds
from dmconform.check.bound import Bound, BoundKind
from dmconform.check.bounds import bounds_of, find_bounds
from dmconform.check.result import SdkGuess
from dmconform.check.show_bounds import NAMES_SHOWN, print_bounds
from dmconform.check.surroundings import HostNeeds, Surroundings
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.terminal import SafeOutput
from dmconform.core.values import Provider
from dmconform.sdks.catalogue import load_sdks
from rich.console import Console

from tests.unit.report_samples import HOSTILE

INIT = "envoy_dynamic_module_on_program_init"
LOG = "envoy_dynamic_module_callback_log"
HTTP, NETWORK, TRACER = ExtensionPoint.HTTP_FILTER, ExtensionPoint.NETWORK_FILTER, ExtensionPoint.TRACER
ALL = ("1.36.2", "1.36.3", "1.36.4", "1.37.0", "1.38.2", "1.38.3", "1.39.0", "1.39.1", "1.39.3", "1.40.0")


@functools.cache
def around(*points: ExtensionPoint) -> Surroundings:
    return Surroundings.of(load_required_hooks(), load_sdks(paths.SDKS), frozenset(points) or None)


def new_in(minor: str, before: str, part: str) -> list[str]:
    """The callbacks with a text in their names that came with a minor."""
    old, new = (load_abi(paths.ABI, one).names(FunctionKind.CALLBACK) for one in (before, minor))
    return sorted(name for name in new - old if part in name)


def hooks_of(minor: str, point: str) -> tuple[str, ...]:
    names = load_abi(paths.ABI, minor).names(FunctionKind.HOOK)
    return tuple(sorted({INIT, *(name for name in names if name.startswith(f"envoy_dynamic_module_on_{point}_"))}))


def c_module(*callbacks: str, hooks: tuple[str, ...], binding: Binding = Binding.NOW, abi: str = "v0.1.0") -> ModuleFacts:
    return ModuleFacts(
        sha256="00",
        size_bytes=1,
        architecture="x86-64",
        hooks=hooks,
        undefined=tuple(Undefined(name) for name in sorted(callbacks)),
        abi_version=abi,
        abi_version_known=Known.READ,
        needed=("libc.so.6",),
        binding=binding,
        language="c",
        language_known=Known.INFERRED,
    )


def of_official_sdk(language: str, minor: str, used: tuple[str, ...] = ()) -> ModuleFacts:
    """A module as an official SDK makes it, whose own code calls some callbacks of it."""
    (use,) = (
        one for one in load_sdk_uses().sdks if (one.language, one.minor, one.provider) == (language, minor, Provider.OFFICIAL)
    )
    (sdk,) = (one for one in around(HTTP).sdks if one.use == use)
    return ModuleFacts(
        sha256="00",
        size_bytes=1,
        architecture="x86-64",
        hooks=use.hooks,
        undefined=tuple(Undefined(name, at_load=use.binding is Binding.NOW) for name in sorted({*use.every, *used})),
        abi_version=sdk.abi_version,
        abi_version_known=Known.READ,
        needed=("libc.so.6",),
        binding=use.binding,
        language=language,
        sdk=f"the official {language} SDK",
        language_known=Known.READ,
    )


def found(
    module: ModuleFacts, reached: tuple[str, ...], *points: ExtensionPoint, sdk: tuple[str, ...] = ()
) -> tuple[Bound, ...]:
    return bounds_of(module, around(*points), SdkGuess(sdk, Known.READ, ""), ReachFacts(tuple(sorted(reached))))


def printed(of: tuple[Bound, ...]) -> str:
    sink = io.StringIO()
    print_bounds(SafeOutput(Console(file=sink, width=80), 600, "with --json"), of)
    return sink.getvalue()


def test_the_rust_sdk_of_1_39_in_an_http_filter() -> None:
    module = of_official_sdk("rust", "1.39", (LOG,))
    seen = found(module, (LOG,), HTTP, sdk=("1.39",))
    assert printed(seen[:1]) == (
        "Hosts that lack callbacks which the module names:\n"
        "  1.38: 21 callbacks that it names are missing: it is refused at load; its http_filter hooks reach none of them\n"
        "      envoy_dynamic_module_callback_cluster_get_name\n"
        "      envoy_dynamic_module_callback_cluster_lb_context_get_filter_state_bytes\n"
        "      envoy_dynamic_module_callback_cluster_lb_context_get_filter_state_typed\n"
        "      envoy_dynamic_module_callback_cluster_lb_context_get_host_stat\n"
        "      envoy_dynamic_module_callback_cluster_lb_context_set_dynamic_metadata_number\n"
        "      envoy_dynamic_module_callback_cluster_lb_context_set_dynamic_metadata_string\n"
        "      … and 15 more (--json has all)\n"
        "    → the official Rust SDK of 1.39 names them in every module; rebuilt with that of 1.38, it would load on "
        "1.38.2 to 1.40.0\n"
    )
    assert seen[0].remedies[0].loads_on == ALL[4:]
    assert [(one.kind, one.where) for one in seen[1:]] == [
        (BoundKind.HOST_LACKS_CALLBACKS, "1.36 to 1.37"),
        (BoundKind.ABI_STRING, "1.36 to 1.37"),
    ]


def test_a_remedy_says_what_the_older_sdks_modules_really_do() -> None:
    """A module as the SDK of 1.38 makes it loads where the remedy says."""
    real = of_official_sdk("rust", "1.38", (LOG,))
    (remedy,) = found(of_official_sdk("rust", "1.39", (LOG,)), (LOG,), HTTP, sdk=("1.39",))[0].remedies
    assert around(HTTP).loads_on(real) == remedy.loads_on


def test_an_older_sdk_is_no_remedy_for_what_its_own_code_needs() -> None:
    every = {one.name for one in of_official_sdk("rust", "1.39").callbacks}
    own = next(name for name in new_in("1.39", "1.38", "_") if name not in every)
    seen = found(of_official_sdk("rust", "1.39", (own,)), (own,), HTTP, sdk=("1.39",))
    texts = [remedy.text for remedy in seen[0].remedies]
    assert seen[0].where == "1.38"
    assert not any("rebuilt" in text for text in texts)
    assert "on 1.39.0 to 1.40.0; elsewhere, its hooks must do without" in texts[0]


def test_where_the_way_is_not_determined_a_remedy_is_conditional() -> None:
    module = of_official_sdk("go", "1.39", (LOG,))
    (first, *_) = bounds_of(module, around(HTTP), SdkGuess(("1.39",), Known.READ, ""), ReachFacts(problem="no way"))
    assert "whether its http_filter hooks can reach them is not determined: no way" in first.reason
    assert "it loads, and a call of one ends the host" in first.reason
    assert {one.reached for one in first.missing} == {Reached.NOT_DETERMINED}
    assert "if your own code needs nothing that it lacks, rebuilt with that of 1.38" in first.remedies[0].text


def test_a_c_module_bound_lazily() -> None:
    """1.40 opens with RTLD_NOW, so that what it lacks counts there at load."""
    of_nobody = "envoy_dynamic_module_callback_of_nobody"
    only_1_39 = new_in("1.39", "1.38", "http_")[0]
    module = c_module(LOG, only_1_39, of_nobody, hooks=hooks_of("1.38", "http_filter"), binding=Binding.LAZY)
    seen = found(module, (LOG, only_1_39), HTTP)
    assert printed(tuple(one for one in seen if one.kind is BoundKind.HOST_LACKS_CALLBACKS)) == (
        "Hosts that lack callbacks which the module names:\n"
        "  1.40: 1 callback that it names is missing: it is refused at load, as this host opens modules with RTLD_NOW however "
        "they are bound; its http_filter hooks do not reach it\n"
        "      envoy_dynamic_module_callback_of_nobody\n"
        "    → only code that no hook reaches names it: without that, it would load on 1.39.0 to 1.40.0\n"
        "  1.39: 1 callback that it names is missing: it loads, and a call of it ends the host; its http_filter hooks do not "
        "reach it\n"
        "      envoy_dynamic_module_callback_of_nobody\n"
        "    → only code that no hook reaches names it: without that, it would load on 1.39.0 to 1.40.0\n"
        "  1.36 to 1.38: 2 callbacks that it names are missing: it loads, and a call of one ends the host; its http_filter "
        "hooks can reach 1 of them\n"
        f"      {only_1_39} (can be reached)\n"
        "      envoy_dynamic_module_callback_of_nobody\n"
        "    → the callback that its hooks reach is on 1.39.0 to 1.40.0; elsewhere, its hooks must do without\n"
        "    → declared weak (__attribute__((weak))) and compared with null before each call, they would let it load on "
        "1.38.2 to 1.40.0\n"
    )


def test_a_c_module_bound_at_load_could_be_bound_lazily() -> None:
    only_1_39 = new_in("1.39", "1.38", "http_")[0]
    module = c_module(LOG, only_1_39, hooks=hooks_of("1.38", "http_filter"))
    (first, *_) = found(module, (LOG,), HTTP)
    assert first.where == "1.36 to 1.38"
    assert [one.text for one in first.remedies] == [
        "only code that no hook reaches names it: without that, it would load on 1.38.2 to 1.40.0",
        "linked with -z lazy, it would load on 1.38.2 to 1.40.0; a call of it ends the host where it is missing, "
        "which no hook in use comes to",
    ]
    # What something else than calls needs is looked for at load, however it is linked.
    needed = msgspec.structs.replace(module, undefined=tuple(Undefined(one.name, at_load=True) for one in module.undefined))
    assert not any("-z lazy" in one.text for one in found(needed, (LOG,), HTTP)[0].remedies)


def test_a_module_that_lacks_a_hook_which_1_40_requires() -> None:
    hook = f"envoy_dynamic_module_on_{HTTP.value}_destroy"
    own = Surroundings(
        tuple(
            host if host.facts.release != "1.40.0" else HostNeeds(host.facts, {HTTP: (hook,)})
            for host in (HostNeeds(one.facts, {}) for one in around(HTTP).hosts)
        ),
        around(HTTP).sdks,
        frozenset([HTTP]),
    )
    hooks = tuple(name for name in hooks_of("1.39", "http_filter") if name != hook)
    seen = bounds_of(c_module(hooks=hooks), own, SdkGuess((), Known.UNKNOWN, ""), ReachFacts())
    assert printed(seen[:1]) == (
        "Hosts that require hooks which the module lacks:\n"
        "  1.40: a hook is required that it does not define\n"
        f"      {hook}\n"
        "    → define it, as Envoy's ABI header of 1.40 declares, or build with an SDK that does: then it would load on "
        "1.38.2 to 1.40.0\n"
    )


def test_an_sdk_that_defines_the_hook_is_named() -> None:
    """The official SDK of C++ has network filters from 1.39 on."""
    module = of_official_sdk("cpp", "1.38")
    module = msgspec.structs.replace(module, hooks=(*module.hooks, "envoy_dynamic_module_on_network_filter_config_new"))
    seen = [one for one in found(module, (), NETWORK, sdk=("1.38",)) if one.kind is BoundKind.MODULE_LACKS_HOOKS]
    assert seen
    newest = seen[0]
    assert newest.releases[-1] == "1.40.0"
    assert newest.remedies[0].text.startswith(
        "the official C++ SDK of 1.39 defines them: rebuilt with it, the module would load on"
    )


def test_an_extension_point_that_1_37_lacks() -> None:
    module = c_module(hooks=hooks_of("1.40", "tracer"))
    seen = tuple(one for one in found(module, (), TRACER) if one.kind is BoundKind.NO_EXTENSION_POINT)
    assert printed(seen) == (
        "Hosts without the extension point:\n"
        "  1.36 to 1.37: there is no extension point tracer for modules\n"
        "    → no build helps there: tracer is there on 1.38.2 to 1.40.0\n"
    )


def test_symbols_that_no_envoy_brings() -> None:
    module = c_module("PyList_New", hooks=hooks_of("1.39", "http_filter"))
    (seen, *_) = found(module, ("PyList_New",), HTTP)
    assert (seen.kind, seen.releases) == (BoundKind.ABI_STRING, ALL[:4])
    (others,) = (one for one in found(module, ("PyList_New",), HTTP) if one.kind is BoundKind.SYMBOLS_OF_OTHERS)
    assert (others.where, others.missing[0].reached) == ("1.36 to 1.40", Reached.YES)
    assert "LD_PRELOAD" in others.remedies[0].text


def test_what_has_no_bound_is_not_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> ReachFacts:
        raise AssertionError("expected no look at the code")

    monkeypatch.setattr(bounds, "read_reach", never)
    everywhere = msgspec.structs.replace(c_module(LOG, hooks=hooks_of("1.38", "http_filter")))
    seen = find_bounds(tmp_path / "none.so", everywhere, around(HTTP), SdkGuess((), Known.UNKNOWN, ""))
    assert {one.kind for one in seen} <= {BoundKind.ABI_STRING}
    assert found(ModuleFacts("", 0, "no ELF file"), (), HTTP) == ()


@pytest.mark.parametrize("language", ["cpp", "go", "rust"])
@pytest.mark.parametrize("minor", ["1.37", "1.38", "1.39"])
def test_every_release_that_a_module_does_not_load_on_has_a_bound_and_no_other(language: str, minor: str) -> None:
    module = of_official_sdk(language, minor)
    bounded = {release for one in found(module, (), HTTP, sdk=(minor,)) for release in one.releases}
    hosts = around(HTTP).hosts
    verdicts = {
        one.facts.release: static_verdict(module, one.facts, points=[HTTP], required_hooks=one.required).kind for one in hosts
    }
    assert bounded == {release for release, kind in verdicts.items() if kind is not StaticKind.LOADS}


def test_names_cannot_steer_a_terminal() -> None:
    module = c_module(HOSTILE, hooks=hooks_of("1.38", "http_filter"))
    text = printed(found(module, (), HTTP))
    assert "\x1b" not in text
    many = c_module(*(f"envoy_dynamic_module_callback_{number}" for number in range(9)), hooks=hooks_of("1.38", "http_filter"))
    assert f"… and {9 - NAMES_SHOWN} more (--json has all)" in printed(found(many, (), HTTP))


@pytest.mark.parametrize("way", ["none", "all", "some", "not determined"])
@pytest.mark.parametrize("language", ["c", "rust"])
def test_the_time_grows_with_the_missing_symbols_and_not_with_their_square(way: str, language: str) -> None:
    """Four times as many take four times as long; sixteen times would be a look-up in all of them for each of them."""

    def takes(count: int) -> float:
        names = [f"envoy_dynamic_module_callback_number_{number:05}" for number in range(count)]
        module = c_module(*names, hooks=hooks_of("1.39", "http_filter"))
        if language != "c":
            official = of_official_sdk(language, "1.39")
            module = msgspec.structs.replace(official, undefined=(*official.undefined, *module.undefined))
        reached = {"none": (), "all": names, "some": names[::2], "not determined": ()}[way]
        reach = ReachFacts(reached=tuple(reached), problem="no code" if way == "not determined" else None)
        began = time.process_time()
        assert bounds_of(module, around(HTTP), SdkGuess((), Known.UNKNOWN, ""), reach)
        return time.process_time() - began

    few, many = (min(takes(count) for _ in range(3)) for count in (2_500, 10_000))
    assert many < 10 * few, f"expected about four times as long, it takes {few:.3f} s and {many:.3f} s"

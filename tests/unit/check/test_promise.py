"""What the documents promise for a module, on which hosts it is tried, and the exit code."""

from __future__ import annotations

import pytest
from dmconform.binaries.facts import StaticKind, StaticVerdict
from dmconform.check.promise import best_relation, default_hosts, exit_code, exit_codes, promise_for, undecided_by
from dmconform.check.result import HostEntry, HostVerdict
from dmconform.core import paths
from dmconform.core.errors import ExitCode
from dmconform.core.values import Relation
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import load_hosts

WORKS, ERRORS, BREAKS, OPEN = HostVerdict.WORKS, HostVerdict.ERRORS, HostVerdict.BREAKS, HostVerdict.UNDECIDED


def host(name: str, verdict: HostVerdict, *, own_doing: bool = False) -> HostEntry:
    static = StaticVerdict(StaticKind.LOADS, "")
    return HostEntry(name, name.partition("~")[0], "", static, (), verdict, "", own_doing=own_doing)


def test_the_promise() -> None:
    hosts = [
        host("1.37.0", HostVerdict.WORKS),
        host("1.38.2", HostVerdict.BREAKS, own_doing=True),
        host("1.38.3", HostVerdict.WORKS),
        host("1.39.3", HostVerdict.BREAKS),
        host("1.39.4~1", HostVerdict.UNDECIDED),
        host("1.40.0", HostVerdict.BREAKS),
    ]
    entry = promise_for(Minor(1, 38), hosts)
    assert entry.supported_minors == ("1.38", "1.39", "1.40")
    assert entry.supported == "1.38, 1.39 (window); 1.40 and later (frozen)"
    assert (entry.kept, entry.broken, entry.unsupported) == (("1.38.3",), ("1.39.3", "1.40.0"), ("1.37.0",))
    assert entry.relations["1.40.0"] is Relation.SUPPORTED
    assert [entry.promises[name] for name in ("1.37.0", "1.39.3", "1.40.0")] == [(), ("window",), ("frozen",)]


def test_a_pair_names_each_promise_that_covers_it() -> None:
    entry = promise_for(Minor(1, 39), [host("1.39.3", HostVerdict.WORKS), host("1.40.0", HostVerdict.WORKS)])
    assert entry.promises == {"1.39.3": ("window",), "1.40.0": ("window", "frozen")}


def test_nothing_was_promised_before_1_38() -> None:
    entry = promise_for(Minor(1, 37), [host("1.37.0", HostVerdict.WORKS), host("1.38.3", HostVerdict.BREAKS)])
    assert (entry.supported_minors, entry.kept, entry.broken, entry.unsupported) == ((), (), (), ())
    assert entry.same_minor == ("1.37.0",)
    assert entry.relations["1.37.0"] is Relation.LEGACY


@pytest.mark.parametrize(
    ("sdks", "minors"),
    [
        (["1.38"], ["1.37", "1.38", "1.39", "1.40"]),
        (["1.39"], ["1.38", "1.39", "1.40"]),
        (["1.38", "1.39"], ["1.37", "1.38", "1.39", "1.40"]),
        (["1.37"], ["1.36", "1.37", "1.38"]),
        ([], ["1.36", "1.37", "1.38", "1.39", "1.40"]),
        (["1.77"], ["1.36", "1.37", "1.38", "1.39", "1.40"]),
    ],
)
def test_the_default_hosts_are_those_of_the_promise_and_their_neighbours(sdks: list[str], minors: list[str]) -> None:
    known = load_hosts(paths.HOSTS_FILE)
    chosen = default_hosts(known, [Minor.parse(sdk) for sdk in sdks])
    assert list(dict.fromkeys(str(host.version.minor) for host in chosen)) == minors
    exact = next(host for host in known if host.release == "1.36.2")
    assert exact in default_hosts(known, [Minor(1, 36)], exact.abi_version), "1.36.4 has another ABI string, and refuses it"
    assert chosen == tuple(host for host in known if host.default and str(host.version.minor) in minors)
    assert {"1.38.2", "1.38.3"} <= {host.release for host in chosen}, "the clean one beside the modified build"
    alone = tuple(host for host in known if host.release in ("1.39.0", "1.39.1"))
    assert [host.release for host in default_hosts(alone, [Minor(1, 39)])] == ["1.39.1"], (
        "no default host of the minor is known"
    )


@pytest.mark.parametrize(
    ("sdks", "verdicts", "code", "strict"),
    [
        (["1.38"], (BREAKS, WORKS, WORKS, WORKS), ExitCode.OK, ExitCode.FAIL),
        (["1.38"], (WORKS, WORKS, WORKS, BREAKS), ExitCode.FAIL, ExitCode.FAIL),
        (["1.38"], (BREAKS, WORKS, ERRORS, WORKS), ExitCode.FAIL, ExitCode.FAIL),
        (["1.38"], (WORKS, WORKS, OPEN, WORKS), ExitCode.ERROR, ExitCode.ERROR),
        (["1.38"], (WORKS, BREAKS, OPEN, WORKS), ExitCode.FAIL, ExitCode.FAIL),
        (["1.37"], (WORKS, BREAKS, BREAKS, BREAKS), ExitCode.OK, ExitCode.FAIL),
        (["1.37"], (BREAKS, WORKS, WORKS, WORKS), ExitCode.FAIL, ExitCode.FAIL),
        (["1.38", "1.39"], (BREAKS, WORKS, WORKS, WORKS), ExitCode.OK, ExitCode.FAIL),
        (["1.38", "1.39"], (WORKS, BREAKS, WORKS, WORKS), ExitCode.ERROR, ExitCode.FAIL),  # as 1.38 no, as 1.39 yes
        (["1.77"], (WORKS, WORKS, WORKS, BREAKS), ExitCode.FAIL, ExitCode.FAIL),  # the promise is about none of them
        ([], (WORKS, WORKS, WORKS, WORKS), ExitCode.OK, ExitCode.OK),
        ([], (WORKS, WORKS, WORKS, OPEN), ExitCode.ERROR, ExitCode.ERROR),
    ],
)
def test_the_exit_code_follows_the_promise(
    sdks: list[str], verdicts: tuple[HostVerdict, ...], code: ExitCode, strict: ExitCode
) -> None:
    hosts = [host(name, verdict) for name, verdict in zip(("1.37.0", "1.38.3", "1.39.3", "1.40.0"), verdicts, strict=True)]
    promise = [promise_for(Minor.parse(sdk), hosts) for sdk in sdks]
    codes = exit_codes(hosts, promise, all_must_work=False)
    assert exit_code(codes) is code
    assert exit_code(exit_codes(hosts, promise, all_must_work=True)) is strict
    assert bool(undecided_by(codes)) is (len(set(codes.values())) > 1)


def test_the_relation_that_is_shown_is_the_best_of_several() -> None:
    hosts = [host("1.38.3", WORKS), host("1.40.0", WORKS)]
    promise = [promise_for(Minor.parse(sdk), hosts) for sdk in ("1.38", "1.39")]
    assert [best_relation(name, promise) for name in ("1.38.3", "1.40.0")] == [Relation.SUPPORTED, Relation.SUPPORTED]
    assert best_relation("1.38.3", promise[1:]) is Relation.UNSUPPORTED
    assert best_relation("1.40.0", []) is None

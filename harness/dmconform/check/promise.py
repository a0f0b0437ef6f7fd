"""What the documents promise for a module: on which hosts, whether it holds there, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dmconform.check.judge import worst
from dmconform.check.result import HostEntry, HostVerdict, PromiseEntry
from dmconform.core.errors import ExitCode
from dmconform.core.values import Relation
from dmconform.core.versions import Minor, Release
from dmconform.hosts.catalogue import KnownHost, newest_patch
from dmconform.spec.promise import pair_relation, promised, supported_in_words

_COUNTS = (Relation.SUPPORTED, Relation.LEGACY)
CODES = {
    HostVerdict.WORKS: ExitCode.OK,
    HostVerdict.ERRORS: ExitCode.FAIL,
    HostVerdict.BREAKS: ExitCode.FAIL,
    HostVerdict.UNDECIDED: ExitCode.ERROR,
}


def default_hosts(known: tuple[KnownHost, ...], sdks: Sequence[Minor], abi_version: str | None = None) -> tuple[KnownHost, ...]:
    """Returns the hosts that the promise is about for these SDKs, and one minor before and after: the default ones of each.

    Without an SDK, and where no host of these minors is known, all default hosts. Of a minor without a default host, the newest
    patch; of one whose releases refuse another ABI string than their own, the newest with the module's string, if there is one.
    """
    minors = sorted({host.version.minor for host in known})
    about = [at for at, host in enumerate(minors) if any(pair_relation(sdk, host) is not Relation.UNSUPPORTED for sdk in sdks)]
    if not about:
        return tuple(host for host in known if host.default)
    same = tuple(host for host in known if host.refuses_other_abi and host.abi_version == abi_version)
    chosen = (_of_minor(known, same, minor) for minor in minors[max(0, about[0] - 1) : about[-1] + 2])
    return tuple(host for hosts in chosen for host in hosts)


def _of_minor(known: tuple[KnownHost, ...], same: tuple[KnownHost, ...], minor: Minor) -> tuple[KnownHost, ...]:
    """Returns the hosts of a minor that a module is tried on."""
    exact = newest_patch(same, minor)
    default = tuple(host for host in known if host.default and host.version.minor == minor)
    newest = exact or (None if default else newest_patch(known, minor))
    return default if newest is None else (newest,)


def promise_for(sdk: Minor, hosts: Iterable[HostEntry]) -> PromiseEntry:
    """Returns what the promise states for hosts; a module that fails by its own doing breaks no promise."""
    hosts = tuple(hosts)
    minors = {host.id: Release.parse(host.release).minor for host in hosts}
    pairs = {name: promised(sdk, minor) for name, minor in minors.items()}
    judged = [(host.id, pairs[host.id].relation, HostVerdict.UNDECIDED if host.own_doing else host.verdict) for host in hosts]
    near = {sdk, sdk.next(), *minors.values()}

    def those(relation: Relation, *verdicts: HostVerdict) -> tuple[str, ...]:
        return tuple(name for name, its_relation, its in judged if its in verdicts and its_relation is relation)

    return PromiseEntry(
        sdk=str(sdk),
        supported_minors=tuple(str(one) for one in sorted(near) if pair_relation(sdk, one) is Relation.SUPPORTED),
        supported=supported_in_words(sdk),
        promises={name: pair.ids for name, pair in pairs.items()},
        relations={name: relation for name, relation, _ in judged},
        kept=those(Relation.SUPPORTED, HostVerdict.WORKS),
        broken=those(Relation.SUPPORTED, HostVerdict.BREAKS, HostVerdict.ERRORS),
        same_minor=those(Relation.LEGACY, HostVerdict.WORKS),
        unsupported=those(Relation.UNSUPPORTED, HostVerdict.WORKS),
    )


def best_relation(host: str, promise: Sequence[PromiseEntry]) -> Relation | None:
    """Returns the most that is promised for a host, where the SDK may be one of several; None where it is not known."""
    relations = {entry.relations[host] for entry in promise}
    return next((one for one in (*_COUNTS, Relation.UNSUPPORTED) if one in relations), None)


def exit_codes(
    hosts: Sequence[HostEntry], promise: Sequence[PromiseEntry], *, all_must_work: bool
) -> dict[str | None, ExitCode]:
    """Returns the exit code for each SDK that the module can be of; under None where these do not count.

    Args:
        hosts: the hosts with their verdicts.
        promise: one entry per SDK.
        all_must_work: whether hosts count that the promise is not about. They do anyway where it is about none of the hosts.

    Returns:
        0 works on all hosts that count, 1 does not on some, 4 could not be judged on some.
    """
    if all_must_work or not promise:
        return {None: _code(hosts, None)}
    return {entry.sdk: _code(hosts, entry) for entry in promise}


def exit_code(codes: Mapping[str | None, ExitCode]) -> ExitCode:
    """Returns the one exit code; where the SDKs lead to different ones, nothing is decided."""
    different = set(codes.values())
    return different.pop() if len(different) == 1 else ExitCode.ERROR


def undecided_by(codes: Mapping[str | None, ExitCode]) -> list[str]:
    """Returns a remark where the SDKs lead to different exit codes."""
    if len(set(codes.values())) == 1:
        return []
    each = ", ".join(f"of {sdk}: {code:d}" for sdk, code in codes.items())
    return [f"whether it works wherever it must depends on its SDK (exit code if it is {each}): give --sdk-minor"]


def _code(hosts: Sequence[HostEntry], entry: PromiseEntry | None) -> ExitCode:
    about = [host for host in hosts if entry is not None and entry.relations[host.id] in _COUNTS]
    return CODES[worst(host.verdict for host in about or hosts)]

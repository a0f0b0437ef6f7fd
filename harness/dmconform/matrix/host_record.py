"""What is known of a host: by its file, and by the record of the release that it calls itself.

A binary that says it is a known release is judged by all that is known of that release, whatever file it is. A modified build
is another host: the record of a clean one says nothing of it, nor the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from dmconform.binaries.facts import HostFacts
from dmconform.binaries.kept_facts import host_facts
from dmconform.binaries.known import known_host_facts
from dmconform.core.errors import UsageError
from dmconform.core.values import Host
from dmconform.hosts.catalogue import AbiCheck, KnownHost, Opens
from dmconform.hosts.obtain import sha256_of
from dmconform.hosts.program import program_behind
from dmconform.matrix.plan import PlannedHost


def record_of(host: Host, known: Iterable[KnownHost]) -> KnownHost | None:
    """Returns the record of the release that a host is, or calls itself; None where it is not a known one."""
    known = tuple(known)
    same = next((one for one in known if one.release == host.id), None)
    alike = (one for one in known if one.release == host.release_text and one.is_modified == host.is_modified)
    return same or next(alike, None)


def planned_host(host: Host, problem: str | None, known: Iterable[KnownHost], cache: Path) -> PlannedHost:
    """Returns a host with what is known of it.

    Args:
        host: its binary.
        problem: why there is none.
        known: the known releases.
        cache: where what is read out of files is kept.
    """
    record = record_of(host, known)
    planned = PlannedHost(
        host,
        record.abi_version if record else None,
        record.abi_check if record else None,
        problem,
        known_as=record.release if record else None,
        opens=record.opens if record else None,
        static_modules=record.static_modules if record else (),
    )
    if problem is not None or (record is not None and record.release == host.id):
        return planned
    planned = msgspec.structs.replace(planned, program=str(program_behind(Path(host.binary))))
    offer = offer_of(planned, cache)
    if offer is None:
        return planned
    refuses = offer.refuses_other_abi
    check = planned.abi_check if refuses is None else AbiCheck.EXACT if refuses else AbiCheck.WARN
    return msgspec.structs.replace(
        planned,
        abi_version=offer.abi_version or planned.abi_version,
        abi_check=check,
        static_modules=tuple(sorted(offer.static_modules)),
    )


def offer_of(planned: PlannedHost, cache: Path) -> HostFacts | None:
    """Returns what a host offers to modules: by its file, or else by its record; None where neither shows it."""
    host, record = planned.host, planned.known_as
    if record is None or record != host.id:
        program = Path(planned.program or host.binary)
        try:
            read = (
                host
                if str(program) == host.binary
                else msgspec.structs.replace(host, binary=str(program), sha256=sha256_of(program))
            )
            offer = host_facts(read, cache)
        except (UsageError, OSError):
            pass
        else:
            opens_now = planned.opens is Opens.NOW if planned.opens is not None and offer.opens_now is None else offer.opens_now
            return msgspec.structs.replace(offer, opens_now=opens_now)
    return known_host_facts(record) if record is not None else None

"""What a run tests, by name: the commit and build type of each host, repository and commit of each official SDK."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dmconform.matrix.plan import PlannedHost
from dmconform.sdks.builder import GO_PROXY, Built, NotBuilt
from dmconform.sdks.catalogue import SHOWN_DIGITS
from dmconform.sdks.sources import shown_source


def host_lines(hosts: Iterable[PlannedHost]) -> Iterator[str]:
    """Yields a line for each host that is there: what its binary reports of itself."""
    for one in hosts:
        host = one.host
        if one.problem is None:
            yield f"host {host.label}: commit {host.commit[:SHOWN_DIGITS]}, {host.build_type} build; {host.origin}"


def repository_of(build: Built, source: str) -> str:
    """Returns the repository with the commit of an official SDK, without machine paths; empty for the reference SDK.

    That which its sources were fetched from; in builds from before that was noted, `source`, that of the run.
    """
    if build.sdk.official is None:
        return ""
    return build.stored.repository or (GO_PROXY if build.sdk.official.go_module else shown_source(source))


def sdk_lines(builds: Iterable[Built | NotBuilt], source: str) -> Iterator[str]:
    """Yields a line for each official SDK that is tested: which release or commit it is, and where its sources came from."""
    for build in builds:
        sdk = build.sdk
        if sdk.official is None or isinstance(build, NotBuilt):
            continue
        commit = f"commit {sdk.commit[:SHOWN_DIGITS]}" if sdk.commit else f"tag {sdk.official.tag}"
        origin = f" of {repository_of(build, source)}"
        if sdk.development is None:
            yield f"SDK {sdk.id}: release {sdk.release}, {commit}{origin}"
        else:
            yield (
                f"SDK {sdk.id}: {sdk.development.label}{origin}, ABI string {sdk.abi_version}: an unreleased commit in the "
                "place of the release; nothing is promised of it, so that its cells inform and do not gate"
            )

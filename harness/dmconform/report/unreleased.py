"""SDKs of a report that are no release: commits that were named, which must not be taken for the release of their minor."""

from __future__ import annotations

from dmconform.report.schema import Report, SdkEntry


def development_sdks(report: Report) -> tuple[SdkEntry, ...]:
    """Returns the SDKs of a report whose sources are those of an unreleased commit."""
    return tuple(sdk for sdk in report.sdks if sdk.development)


def sdk_labels(report: Report) -> dict[str, str]:
    """Returns how each SDK is named where a result of it is shown, by its id."""
    return {sdk.id: sdk.label for sdk in report.sdks}


def development_sentences(report: Report) -> tuple[str, ...]:
    """Returns what is to be said of SDKs that are no release, a sentence for each."""
    return tuple(
        f"{sdk.id} is not the release: {sdk.label}, commit {sdk.commit}{f' of {sdk.repository}' if sdk.repository else ''}, "
        f"ABI string {sdk.abi_version}. Nothing is promised of an unreleased commit: its cells inform, and do not gate"
        for sdk in development_sdks(report)
    )

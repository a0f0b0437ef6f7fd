"""What the files of module and hosts show together, without running anything."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dmconform.abi.required import required_by
from dmconform.abi.required_hooks import RequiredHooks
from dmconform.binaries.facts import ModuleFacts, StaticVerdict
from dmconform.binaries.verdict import static_verdict
from dmconform.check.hosts import Candidate
from dmconform.check.judge import HostFinding
from dmconform.core.extension_point import ExtensionPoint


@dataclass(frozen=True)
class ModuleAnalysis:
    """The findings of the files. `points` is None where the user did not say what the module is for, and nothing is run."""

    facts: ModuleFacts
    points: frozenset[ExtensionPoint] | None
    required: RequiredHooks
    preloaded: frozenset[str]  # symbols that preloaded libraries bring

    def seen(self, host: Candidate) -> HostFinding:
        """Returns a host as the static analysis sees it."""
        alone = {} if self.points is None else {point.value: self.verdict(host, (point,)) for point in self.points}
        verdict = self.verdict(host, self.points)
        return HostFinding(host.id, host.release, host.origin, verdict, alone, run_wanted=False, build=host.build)

    def verdict(self, host: Candidate, points: Collection[ExtensionPoint] | None) -> StaticVerdict:
        """Returns the verdict for a host, the module being used at these extension points."""
        return static_verdict(
            self.facts,
            host.facts,
            points=points,
            required_hooks=required_by(host.release, self.required),
            preloaded=self.preloaded,
        )

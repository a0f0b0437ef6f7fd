"""Counts a `report.json` anew, with nothing of the package: `python tests/recount.py REPORT...` prints what each comes to.

The rules are those of `docs/glossary.md` and `conformance/README.md`, written down a second time, so that a mistake in the
package's own counting shows as a difference. Reports of older schema versions had other words; both are known here.
"""

from __future__ import annotations

import json
import lzma
import sys
from collections import Counter
from pathlib import Path
from typing import Any

SUPPORTED = ("supported", "promised")
PASSED = ("pass", "passed")
FAILED = ("fail", "failed")
CRASHED = ("crash", "host crashed")
HUNG = ("hang", "host hung")
REFUSED = ("rejected", "module rejected")
RAN = (*PASSED, *FAILED, *CRASHED, *HUNG, *REFUSED)
NOT_TESTED = ("not tested", "unreachable")
ERRORS = ("error", "blocked")
HOLDS = ("pass", "as promised")
BREAKS = ("fail", "broken")
RECORDED = ("xfail", "known failure")
AGAINST = ("xpass", "stale record", "static/run-time mismatch", "verdicts disagree")
CHANGED = "changed fact"
OFFICIAL = (":official", ":upstream")
WORST_FIRST = ("ends Envoy", "hangs", "answers wrongly", "fails to load", "message or counter wrong")


def load(path: Path) -> dict[str, Any]:
    """Returns the JSON of a report, plain or compressed."""
    data = path.read_bytes()
    found: dict[str, Any] = json.loads(lzma.decompress(data) if path.suffix == ".xz" else data)
    return found


def severity(cell: dict[str, Any], of_cases: dict[str, str]) -> str:
    """Returns how bad the failure of a cell is; empty where it does not fail."""
    outcome = cell["outcome"]
    for outcomes, word in ((CRASHED, "ends Envoy"), (HUNG, "hangs"), (REFUSED, "fails to load")):
        if outcome in outcomes:
            return word
    return of_cases.get(cell["case"], "answers wrongly") if outcome in FAILED else ""


def side(cells: list[dict[str, Any]], of_cases: dict[str, str]) -> dict[str, Any]:
    """Returns what the supported ones of some cells show; those that are not applicable ask nothing."""
    asked = [one for one in cells if one["relation"] in SUPPORTED and one["outcome"] != "not applicable"]
    return {
        "supported": len(asked),
        "ran": sum(one["outcome"] in RAN for one in asked),
        "pass": sum(one["judgement"] in HOLDS for one in asked),
        "fail": by_severity((one for one in asked if one["judgement"] in BREAKS), of_cases),
        "known": by_severity((one for one in asked if one["judgement"] in RECORDED), of_cases),
        "changed": sum(one["judgement"] == CHANGED for one in cells if one["relation"] in SUPPORTED),
        "to fix": sum(one["judgement"] in AGAINST for one in asked),
        "error": sum(one["outcome"] in ERRORS for one in asked),
        "not tested": sum(one["outcome"] in NOT_TESTED for one in asked),
    }


def by_severity(cells: Any, of_cases: dict[str, str]) -> dict[str, int]:  # noqa: ANN401 - any iterable of JSON
    """Returns how many cells fail, by severity, the worst first."""
    found = Counter(severity(one, of_cases) for one in cells)
    return {word: found[word] for word in WORST_FIRST if found[word]}


def state(shown: dict[str, Any], changed: bool) -> str:
    """Returns what is known of supported cells, in a word; what was not tested is never part of what holds.

    `changed`: whether any cell of the pair, supported or not, is not as on record of its release.
    """
    if shown["fail"] or shown["to fix"]:
        return "fails"
    if changed:
        return "changed facts"
    if not shown["supported"]:
        return "not applicable"
    if shown["error"]:
        return "could not run"
    if shown["not tested"]:
        return "partly tested" if shown["ran"] else "not tested"
    return "known failures" if shown["known"] else "holds"


def recount(report: dict[str, Any]) -> dict[str, Any]:
    """Returns the counts of a report, by the names that its forms have."""
    cells = report["cells"]
    of_cases = {one["id"]: one.get("severity", "answers wrongly") for one in report["cases"]}
    official = [one for one in cells if one["sdk"].endswith(OFFICIAL)]
    control = [one for one in cells if not one["sdk"].endswith(OFFICIAL)]
    crashed = [one for one in cells if one["outcome"] in CRASHED]
    promised = [one for one in crashed if one["relation"] in SUPPORTED]
    pairs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in cells:
        pairs.setdefault((one["sdk"].replace(":upstream", ":official"), one["host"]), []).append(one)
    records: dict[str, list[dict[str, Any]]] = {}
    for one in cells:
        if one["judgement"] in RECORDED:
            records.setdefault(one["known_failure"], []).append(one)
    return {
        "planned": report["planned_cells"],
        "ran": sum(one["outcome"] in RAN for one in cells),
        "official": side(official, of_cases),
        "control": side(control, of_cases),
        "crashes": {
            "total": len(crashed),
            "official": sum(one["sdk"].endswith(OFFICIAL) for one in promised),
            "control": sum(not one["sdk"].endswith(OFFICIAL) for one in promised),
            "others": len(crashed) - len(promised),
        },
        "states": {
            pair: state(side(its, of_cases), any(one["judgement"] == CHANGED for one in its))
            for pair, its in pairs.items()
            if any(one["relation"] in SUPPORTED for one in its)
        },
        "records": {record: by_severity(its, of_cases) for record, its in records.items()},
    }


def main(names: list[str]) -> int:
    """Prints the counts of each report."""
    for name in names:
        found = recount(load(Path(name)))
        shown = found | {"states": {" on ".join(pair): word for pair, word in found["states"].items()}}
        print(json.dumps({"report": name} | shown, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

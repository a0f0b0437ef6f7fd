// The ABI from minor to minor: what was added and removed, what of that breaks modules already built, and static analysis.

import { bars, keys } from "./charts.js";
import { breakable, byId, el, opening, table } from "./dom.js";
import { data } from "./store.js";

/** @import { AbiStep } from "./data.d.ts" */

/** Fills the section. */
export function buildAbi() {
  const box = byId("abi-box");
  if (!data.abiSteps.length && !data.abiFindings.length && !data.static.length) {
    box.append(el("p", {}, "This report has no data on the ABI."));
    return;
  }
  box.append(...steps(), ...breaks(), ...analyses());
}

function steps() {
  const its = data.abiSteps;
  if (!its.length) return [];
  /** @param {AbiStep} step */
  const label = (step) => `${step.old} → ${step.new}`;
  return [
    el(
      "p",
      { class: "text" },
      "Every supported pair of minors is compared by its ABI data. This is informational: a cell fails only where a module runs into it. ",
      "Not every removed function breaks a module: those that do are in the list below.",
    ),
    el(
      "div",
      { class: "figures" },
      bars(
        "Removed functions, and other breaking changes",
        its.map((step) => ({
          label: label(step),
          parts: [
            { value: step.removed ?? 0, css: "bar-removed", name: "removed" },
            { value: step.changed, css: "bar-changed", name: "changed" },
          ],
        })),
      ),
      bars(
        "Added functions, and those in both",
        its.map((step) => ({
          label: label(step),
          parts: [
            { value: step.kept, css: "bar-kept", name: "kept" },
            { value: step.added ?? 0, css: "bar-added", name: "added" },
          ],
        })),
      ),
    ),
    keys(["bar-removed", "removed"], ["bar-changed", "changed"], ["bar-kept", "in both"], ["bar-added", "added"]),
    table(
      [
        "module → host",
        "functions before",
        "removed",
        "added",
        "changed and breaking",
        "compared exactly",
        "with another header",
        "by name only",
      ],
      its.map((step) => [
        { class: "nowrap", of: label(step) },
        ...[step.before, step.removed, step.added, step.changed, step.exact, step.nearby, step.unknown].map((it) => ({
          class: "count",
          of: it === null ? "?" : String(it),
        })),
      ]),
      "The ABI from minor to minor",
    ),
  ];
}

function breaks() {
  if (!data.abiFindings.length)
    return data.abiSteps.length ? [el("p", {}, "No change was found that breaks modules already built.")] : [];
  return [
    el("h3", {}, `ABI changes that break modules already built: ${data.abiFindings.length}`),
    table(
      ["module → host", "extension point", "name", "change", "effect", "used by", "details"],
      data.abiFindings.map((it) => [
        { class: "nowrap", of: `${it.old} → ${it.new}` },
        it.points.join(", "),
        { class: "mono", of: breakable(it.subject) },
        it.kind,
        it.how,
        it.usedBy.join(", "),
        [
          it.detail,
          it.certain ? null : el("span", { class: "dim" }, " (compared with a header that is not the release's own)"),
        ],
      ]),
      "ABI changes that break modules already built",
    ),
  ];
}

function analyses() {
  if (!data.static.length) return [];
  return [
    opening(
      "Static analysis: what the files of probe and host say",
      () =>
        table(
          ["SDK", "hosts", "result", "reason", "missing symbols", "notes"],
          data.static.map((it) => [
            { class: "nowrap", of: it.sdk },
            it.hosts.join(", "),
            { class: "nowrap", of: it.words },
            breakable(it.reason),
            it.names.length
              ? opening(String(it.missing), () =>
                  el(
                    "p",
                    { class: "mono" },
                    it.names.flatMap((name) => [...breakable(name), " "]),
                    it.missing > it.names.length ? `and ${it.missing - it.names.length} more, in report.json` : "",
                  ),
                )
              : "",
            it.notes.join("; "),
          ]),
          "Static analysis",
        ),
      false,
      { id: "static" },
    ),
  ];
}

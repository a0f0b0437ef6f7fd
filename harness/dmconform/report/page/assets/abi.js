// The ABI from minor to minor: how much came and went, what of that breaks modules already built, and what probes' files say.

import { bars, keys } from "./charts.js";
import { breakable, byId, el, opening, table } from "./dom.js";
import { data } from "./store.js";

/** @import { AbiStep } from "./data.d.ts" */

/** Fills the section. */
export function buildAbi() {
  const box = byId("abi-box");
  if (!data.abiSteps.length && !data.abiFindings.length && !data.static.length) {
    box.append(el("p", {}, "This report has nothing about it."));
    return;
  }
  box.append(...steps(), ...broken(), ...verdicts());
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
      "Every pair of minors that the documents promise is compared by its ABI data. This is informational: a cell fails only where a module runs into it. ",
      "Not all that is removed breaks a module: what does is in the list below.",
    ),
    el(
      "div",
      { class: "figures" },
      bars(
        "Functions that are gone, and other breaking changes",
        its.map((step) => ({
          label: label(step),
          parts: [
            { value: step.removed ?? 0, css: "bar-removed", name: "removed" },
            { value: step.changed, css: "bar-changed", name: "changed" },
          ],
        })),
      ),
      bars(
        "Functions that came, and those that both have",
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

function broken() {
  if (!data.abiFindings.length)
    return data.abiSteps.length ? [el("p", {}, "Nothing was found that breaks modules already built.")] : [];
  return [
    el("h3", {}, `What breaks the promise in the ABI itself: ${data.abiFindings.length}`),
    table(
      ["module → host", "extension point", "name", "what changed", "what that does", "used by", "more"],
      data.abiFindings.map((it) => [
        { class: "nowrap", of: `${it.old} → ${it.new}` },
        it.points.join(", "),
        { class: "mono", of: breakable(it.subject) },
        it.kind,
        it.how,
        it.usedBy.join(", "),
        [
          it.detail,
          it.certain ? null : el("span", { class: "dim" }, " (as far as a header shows that is not the release's own)"),
        ],
      ]),
      "What breaks the promise in the ABI itself",
    ),
  ];
}

function verdicts() {
  if (!data.static.length) return [];
  return [
    opening(
      "Static verdicts: what each host is expected to make of each probe",
      () =>
        table(
          ["SDK", "hosts", "verdict", "why", "names", "notes"],
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
          "Static verdicts",
        ),
      false,
      { id: "static" },
    ),
  ];
}

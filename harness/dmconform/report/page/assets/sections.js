// The sentences of the documents, and their results in this run.

import { breakable, byId, counted, el, opening, table } from "./dom.js";
import { data } from "./store.js";

/** @import { EnvoyTestData } from "./data.d.ts" */

/** @type {Record<string, string>} */
const STATUS_STYLES = {
  BROKEN: "bad",
  "known failures": "known",
  holds: "good",
  "facts only": "fact-good",
  "not run": "not-run",
};

/** What Envoy's own tests check, and what shows it here. */
function envoyTests() {
  if (!data.envoyTests.length) return [];
  const title = "What Envoy's own tests check";
  /** @param {EnvoyTestData} it */
  const shown = (it) => (it.shown.length ? it.shown.map((name) => el("div", { class: "mono" }, breakable(name))) : it.reason);
  const rows = () => data.envoyTests.map((it) => [it.section, { class: "mono", of: breakable(it.id) }, it.asserts, shown(it)]);
  const make = () => table(["area", "test", "asserts", "shown by, or why nothing does"], rows(), title);
  return [opening(`${title}: ${counted(data.envoyTests.length, "behaviour")}`, make, false, { id: "envoy-tests" })];
}

/** Fills the section. */
export function buildRequirements() {
  const box = byId("requirements-box");
  if (!data.requirements.length) {
    box.append(el("p", {}, "This report has nothing about them."));
    return;
  }
  /** @param {number} count */
  const number = (count) => ({ class: "count", of: count ? String(count) : "" });
  box.append(
    opening(`${data.covered}`, () => [
      el("p", { class: "text" }, "Counts are of supported cells of this run; facts are its cells that are not supported."),
      table(
        ["requirement", "in this run", "held", "broken", "known", "not run", "facts", "cases", "statement"],
        data.requirements.map((it) => [
          { class: "nowrap", of: it.id },
          { class: "nowrap", of: el("span", { class: `chip ${STATUS_STYLES[it.status] ?? "not-run"}` }, it.status) },
          number(it.held),
          number(it.broken),
          number(it.known),
          number(it.notRun),
          number(it.facts),
          it.cases.length
            ? opening(String(it.cases.length), () => it.cases.map((name) => el("div", { class: "mono" }, name)))
            : "",
          {
            class: "why",
            of: [
              it.statement,
              el(
                "span",
                { class: "dim" },
                ` (${[it.document, it.section, it.level, it.hosts ? `hosts ${it.hosts}` : ""].filter(Boolean).join(", ")})`,
              ),
              it.uncovered ? ` No case: ${it.uncovered}` : null,
            ],
          },
        ]),
        "Requirements",
      ),
    ]),
    ...envoyTests(),
  );
}

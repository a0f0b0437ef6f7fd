// What the documents say, sentence by sentence, and how the cases of each ended in this run.

import { breakable, byId, counted, el, opening, table } from "./dom.js";
import { data } from "./store.js";

/** @import { EnvoyTestData, RequirementData } from "./data.d.ts" */

/** @type {Record<string, string>} */
const STATUS_STYLES = {
  FAIL: "bad",
  xfail: "known",
  pass: "good",
  informational: "fact-good",
  "not run": "not-run",
};

/** What Envoy's own tests check, and what shows it here. */
function envoyTests() {
  if (!data.envoyTests.length) return [];
  const title = "What Envoy's own tests check";
  /** @param {EnvoyTestData} it */
  const shown = (it) => (it.shown.length ? it.shown.map((name) => el("div", { class: "mono" }, breakable(name))) : it.reason);
  const rows = () => data.envoyTests.map((it) => [it.section, { class: "mono", of: breakable(it.id) }, it.asserts, shown(it)]);
  const make = () => table(["area", "test", "asserts", "shown by, or why not shown"], rows(), title);
  return [opening(`${title}: ${counted(data.envoyTests.length, "behaviour")}`, make, false, { id: "envoy-tests" })];
}

/** The extension points, and which of them no case is about. */
function points() {
  const without = data.points.filter((it) => !it.hasCases).map((it) => it.id);
  const withCases = data.points.filter((it) => it.hasCases).map((it) => it.id);
  return [
    el("p", { class: "text", id: "points", tabindex: "-1" }, [
      el("strong", {}, "Extension points. "),
      `Cases are about: ${withCases.join(", ")}. `,
      without.length ? `No case is about: ${without.join(", ")}.` : "",
    ]),
  ];
}

/**
 * The document of a requirement, as a link where its address is known.
 * @param {RequirementData} it
 */
export const documentLink = (it) => (it.link ? el("a", { href: it.link, rel: "noreferrer" }, it.document) : it.document);

/** Fills the section. */
export function buildRequirements() {
  const box = byId("requirements-box");
  box.append(...points());
  if (!data.requirements.length) {
    box.append(el("p", {}, "This report has no requirements."));
    return;
  }
  /** @param {number} count */
  const number = (count) => ({ class: "count", of: count ? String(count) : "" });
  box.append(
    opening(`${data.covered}`, () => [
      el(
        "p",
        { class: "text" },
        "Counts are of cells of this run. Informational are those of legacy and unsupported pairs; the other counts are of supported ones.",
      ),
      table(
        ["requirement", "in this run", "pass", "fail", "xfail", "not run", "informational", "cases", "statement"],
        data.requirements.map((it) => [
          { class: "nowrap", of: it.id },
          { class: "nowrap", of: el("span", { class: `chip ${STATUS_STYLES[it.status] ?? "not-run"}` }, it.status) },
          number(it.passed),
          number(it.failed),
          number(it.xfail),
          number(it.notRun),
          number(it.informational),
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
                " (",
                documentLink(it),
                `, ${[it.section, it.level, it.hosts ? `hosts ${it.hosts}` : ""].filter(Boolean).join(", ")})`,
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

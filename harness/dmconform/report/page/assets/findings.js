// What was known before the run and no supported cell shows, and what did not run.

import { byId, command, counted, el, opening, paged, table } from "./dom.js";
import { cellLink, issueLink } from "./failures.js";
import { searchFor } from "./search.js";
import { state } from "./state.js";
import { data } from "./store.js";

/** @import { FindingData } from "./data.d.ts" */

/** @param {FindingData} it */
export const findingTexts = (it) => [it.id, it.title, it.document, it.seen, it.fault, it.workaround, ...it.hosts, ...it.sdks];

/** Fills the section with what the search lets pass. */
export function buildFindings() {
  const box = byId("findings-box");
  const found = data.findings.filter((it) => searchFor(state.search).has(findingTexts(it)) || !state.search.trim());
  const unrun = data.unrun.reduce((total, it) => total + it.count, 0);
  /** @type {(HTMLElement | null)[]} */
  const parts = [
    found.length
      ? opening(
          `Findings that no supported cell shows: ${found.length}`,
          () => paged(found, findingCard),
          state.search.trim() !== "",
          { id: "found" },
        )
      : null,
    data.unrun.length ? opening(`Did not run: ${counted(unrun, "cell")}`, unrunTable, false, { id: "unrun" }) : null,
  ];
  const shown = parts.filter((it) => it !== null);
  if (!shown.length) shown.push(el("p", {}, data.findings.length ? "No finding has these words." : "There is none."));
  box.replaceChildren(...shown);
}

/** @param {FindingData} it */
function findingCard(it) {
  return el(
    "article",
    { class: "finding", id: `finding-${it.id}` },
    el("h4", {}, it.title, el("small", {}, ` ${it.id}`)),
    el("p", {}, el("strong", {}, "The documents say: "), it.document),
    el("p", {}, el("strong", {}, "Observed: "), it.seen),
    el("p", {}, el("strong", {}, "Fault: "), it.fault),
    it.workaround ? el("p", {}, el("strong", {}, "Workaround: "), it.workaround) : null,
    it.issue ? el("p", {}, el("strong", {}, "Reported: "), issueLink(it.issue)) : null,
    el("p", { class: "dim" }, `Envoy ${it.hosts.join(", ")}; ${it.sdks.join(", ")}`),
    it.command ? command(it.command) : el("p", {}, el("strong", {}, "To reproduce by hand: "), it.byHand),
  );
}

function unrunTable() {
  return table(
    ["cells", "outcome", "judgement", "reason", "one of them"],
    data.unrun.map((it) => [
      { class: "count", of: String(it.count) },
      { class: "nowrap", of: it.outcome },
      { class: "nowrap", of: it.judgement },
      it.reason,
      cellLink(it.example),
    ]),
    "Cells that did not run, by reason",
  );
}

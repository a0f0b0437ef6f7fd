// What a reader has to act on: new failures first, each cause once, with one of its cells and the command for it.

import { breakable, byId, chip, command, counted, el, opening, paged, table } from "./dom.js";
import { fragmentOf } from "./state.js";
import { caseOf, columnOf, data, hostOf, idOf, item, lookOf, own, sdkOf, text } from "./store.js";

/** @import { CauseData, InconsistencyData, MismatchData, FindingData, RecordData } from "./data.d.ts" */
/** @import { Child } from "./dom.js" */

/**
 * @param {number} cell
 * @param {Child} [label] Its id, where nothing else is given.
 */
const cellLink = (cell, label) =>
  el("a", { href: fragmentOf({ cell: idOf(cell) }), "data-open": cell }, label ?? breakable(idOf(cell)));

/** Fills the section. */
export function buildFindings() {
  const box = byId("findings-box");
  /** @param {string} group */
  const of = (group) => data.causes.filter((cause) => cause.group === group);
  /** @param {{ cells: number[] }[]} causes */
  const sum = (causes) => causes.reduce((total, cause) => total + cause.cells.length, 0);
  /** @type {(name: string, title: string, causes: CauseData[], open: boolean) => HTMLElement | null} */
  const part = (name, title, causes, open) =>
    causes.length
      ? opening(
          `${title}: ${counted(sum(causes), "cell")}, ${counted(causes.length, "cause")}`,
          () => paged(causes, causeCard),
          open,
          { id: name },
        )
      : null;
  const unrun = data.unrun.reduce((total, it) => total + it.count, 0);
  /** @type {HTMLElement[]} */
  const parts = [
    data.mismatches.length
      ? opening(
          `≠ Static/run-time mismatch: ${counted(sum(data.mismatches), "cell")}`,
          () => paged(data.mismatches, mismatchCard),
          true,
          { id: "mismatches" },
        )
      : null,
    data.inconsistencies.length
      ? opening(
          `Records to fix: ${counted(data.inconsistencies.length, "inconsistency", "inconsistencies")}`,
          () => [
            el("p", {}, "Look at a cell first (dmconform reproduce CELL), then fix the record with the command given."),
            paged(data.inconsistencies, inconsistencyCard),
          ],
          true,
          { id: "inconsistencies" },
        )
      : null,
    part("new", "New failures", of("new"), true),
    part("incomplete", "Could not run", of("incomplete"), true),
    part("known", "Known failures", of("known"), true),
    data.records.length
      ? opening(`Records of known failures: ${data.records.length}`, () => paged(data.records, recordCard), false, {
          id: "records",
        })
      : null,
    data.findings.length
      ? opening(
          `Found before, and shown by no supported cell: ${data.findings.length}`,
          () => paged(data.findings, findingCard),
          false,
          { id: "found" },
        )
      : null,
    part("facts", "Legacy or unsupported, and did not pass", of("fact"), false),
    data.unrun.length ? opening(`Did not run: ${counted(unrun, "cell")}`, unrunTable, false, { id: "unrun" }) : null,
  ].filter((it) => it !== null);
  if (data.calm) parts.unshift(el("p", { class: "calm" }, "✓ Nothing counts against this run."));
  else if (!of("new").length && !data.mismatches.length && !data.inconsistencies.length && !of("incomplete").length)
    parts.unshift(
      el("p", {}, "Nothing of what ran counts against this run, but it is not an answer: the top of the page says why."),
    );
  box.append(...parts);
}

/** @param {CauseData} cause */
function causeCard(cause) {
  const first = item(cause.cells, 0);
  const look = lookOf(first);
  const sdks = [...new Set(cause.cells.map((cell) => sdkOf(columnOf(cell)).id))];
  const hosts = [...new Set(cause.cells.map((cell) => hostOf(columnOf(cell))))];
  return el(
    "article",
    { class: "finding" },
    el(
      "h4",
      {},
      chip(look),
      ` ${cause.cells.length}× `,
      cellLink(first, breakable(caseOf(first).id)),
      look.record ? el("small", {}, ` record ${look.record}`) : null,
    ),
    cause.text ? el("pre", {}, own(first, text(cause.text))) : null,
    el("p", { class: "dim" }, `${few(sdks)} on Envoy ${few(hosts)}`),
    cause.reruns ? el("p", {}, cause.reruns) : null,
    look.reproduce ? command(own(first, look.reproduce)) : null,
  );
}

/**
 * @param {string[]} names
 * @param {number} most
 */
function few(names, most = 8) {
  return names.length <= most ? names.join(", ") : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

/** @param {MismatchData} it */
function mismatchCard(it) {
  return el(
    "article",
    { class: "finding" },
    el(
      "h4",
      {},
      it.counts ? el("span", { class: "chip bad" }, "FAILS the run") : "informational",
      ` ${it.cells.length}× ${it.sdk} → ${it.host}`,
    ),
    el("pre", {}, it.text),
    el("p", {}, "For one: ", cellLink(item(it.cells, 0))),
  );
}

/** @param {InconsistencyData} it */
function inconsistencyCard(it) {
  return el(
    "article",
    { class: "finding" },
    el("h4", {}, `${it.kind}${it.record ? `: ${it.record}` : ""}`, el("small", {}, ` ${it.meaning}`)),
    el("p", {}, it.text),
    el("p", { class: "dim mono" }, breakable(few(it.cells, 5))),
    command(it.fix),
  );
}

/** @param {RecordData} it */
function recordCard(it) {
  return el(
    "article",
    { class: "finding" },
    el("h4", {}, it.id, el("small", {}, ` ${counted(it.cells, "cell")}${it.stale ? `, ${it.stale} stale` : ""}`)),
    el("p", {}, it.reason),
    el("p", { class: "dim" }, it.evidence),
  );
}

/** @param {FindingData} it */
function findingCard(it) {
  return el(
    "article",
    { class: "finding" },
    el("h4", {}, it.title, el("small", {}, ` ${it.id}`)),
    el("p", {}, el("strong", {}, "The documents say: "), it.document),
    el("p", {}, el("strong", {}, "Seen: "), it.seen),
    el("p", {}, el("strong", {}, "Whose fault: "), it.fault),
    el("p", { class: "dim" }, `Envoy ${it.hosts.join(", ")}; ${it.sdks.join(", ")}`),
    it.command ? command(it.command) : el("p", {}, el("strong", {}, "To see it by hand: "), it.byHand),
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

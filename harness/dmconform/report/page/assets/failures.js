// Failures, as far as the filters let them pass: new ones first, then known ones, a card for each record, the worst first.

import { breakable, byId, chip, command, counted, el, opening, paged } from "./dom.js";
import { fragmentOf, isFiltered, isShown } from "./state.js";
import { caseOf, columnOf, data, hostLabel, hostOf, idOf, item, lookOf, own, sdkOf, text } from "./store.js";

/** @import { CauseData, InconsistencyData, Judgement, MismatchData } from "./data.d.ts" */
/** @import { Child } from "./dom.js" */
/** @typedef {{ cause: CauseData, cells: number[] }} Shown A cause, and those of its cells that are shown. */

/**
 * @param {number} cell
 * @param {Child} [label] Its id, where nothing else is given.
 */
export const cellLink = (cell, label) =>
  el("a", { href: fragmentOf({ cell: idOf(cell) }), "data-open": cell }, label ?? breakable(idOf(cell)));

const box = byId("failures-box");

/** Fills the section with what the filters let pass. */
export function buildFailures() {
  const shown = data.causes.map((cause) => ({ cause, cells: cause.cells.filter(isShown) })).filter((it) => it.cells.length > 0);
  /** @param {Judgement} judgement */
  const of = (judgement) => shown.filter((it) => it.cause.judgement === judgement);
  /** @param {Shown[]} its */
  const sum = (its) => its.reduce((total, it) => total + it.cells.length, 0);
  /** @type {(judgement: Judgement, title: string, noun: string, open?: boolean) => HTMLElement | null} */
  const part = (judgement, title, noun, open = true) => {
    const its = of(judgement);
    if (!its.length) return null;
    const make = judgement === "xfail" ? recordCard : causeCard;
    return opening(`${title}: ${counted(sum(its), "cell")}, ${counted(its.length, noun)}`, () => paged(its, make, 30), open, {
      id: judgement,
    });
  };
  const mismatches = data.mismatches.filter((it) => it.cells.some(isShown));
  const mismatched = mismatches.reduce((total, it) => total + it.cells.filter(isShown).length, 0);
  const parts = [
    part("changed fact", "Changed facts", "change"),
    part("fail", "New failures", "cause"),
    part("xpass", "Known failures that no longer apply", "cause"),
    mismatches.length
      ? opening(`≠ Static/run-time mismatch: ${counted(mismatched, "cell")}`, () => paged(mismatches, mismatchCard), true, {
          id: "mismatches",
        })
      : null,
    data.inconsistencies.length && !isFiltered()
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
    part("error", "Could not run", "cause"),
    part("xfail", "Known failures", "record"),
    part("informational", "Not promised, and failed", "cause", false),
  ].filter((it) => it !== null);
  box.replaceChildren(...calm(shown, mismatches.length), ...parts);
}

/**
 * A sentence where nothing new fails.
 * @param {Shown[]} shown
 * @param {number} mismatches
 */
function calm(shown, mismatches) {
  if (isFiltered()) return shown.length || mismatches ? [] : [el("p", {}, "No failure passes the filters.")];
  if (data.calm) return [el("p", { class: "calm" }, "✓ No new failure.")];
  const isNew = shown.some(
    (it) =>
      it.cause.judgement === "changed fact" ||
      it.cause.judgement === "fail" ||
      it.cause.judgement === "xpass" ||
      it.cause.judgement === "error",
  );
  if (isNew || mismatches || data.inconsistencies.length) return [];
  return [el("p", {}, "No cell that ran fails this run, but the run is incomplete: the top of the page says why.")];
}

/** @param {Shown} it */
function causeCard({ cause, cells }) {
  const first = item(cells, 0);
  const look = lookOf(first);
  const cases = [...new Set(cells.map((cell) => caseOf(cell).id))];
  return el(
    "article",
    { class: "finding", "data-cause": cause.id },
    el(
      "h4",
      {},
      chip(look),
      ` ${cells.length}× `,
      cases.length > 1 && cause.isLoader ? "the module is refused: " : null,
      cellLink(first, breakable(item(cases, 0))),
      cases.length > 1 ? ` and ${counted(cases.length - 1, "other case")}` : null,
      look.severity ? el("small", {}, ` ${look.severity}`) : null,
      look.record ? el("small", {}, ` record ${look.record}`) : null,
    ),
    cause.text ? el("pre", {}, own(first, text(cause.text))) : null,
    where(cells),
    cause.reruns ? el("p", {}, cause.reruns) : null,
    look.reproduce ? command(own(first, look.reproduce)) : null,
    cellsOf(cells, { cause: cause.id }),
  );
}

/** @param {Shown} it */
function recordCard({ cause, cells }) {
  const record = data.records.find((it) => it.id === cause.record);
  const first = item(cells, 0);
  return el(
    "article",
    { class: "finding record", "data-record": cause.record, id: `record-${cause.record}` },
    el(
      "h4",
      {},
      el("span", { class: "chip known" }, `! ${cells.length} xfail`),
      ` ${record?.title ?? cause.record} `,
      record && record.title !== cause.record ? el("small", {}, cause.record) : null,
    ),
    el(
      "dl",
      {},
      pair("severity", bySeverity(cells)),
      pair("fault", record?.fault),
      pair("effect", text(cause.text)),
      pair("reason", record?.reason),
      pair("workaround", record?.workaround),
      pair("reported", record ? issueLink(record.issue) : null),
      pair("evidence", record?.evidence),
      pair("records to fix", record?.xpass ? `${counted(record.xpass, "cell")} xpass` : null),
    ),
    where(cells),
    lookOf(first).reproduce ? command(own(first, lookOf(first).reproduce)) : null,
    cellsOf(cells, { record: cause.record }),
  );
}

/**
 * @param {string} name
 * @param {Child} value
 */
function pair(name, value) {
  return value ? [el("dt", {}, name), el("dd", { "data-field": name }, value)] : null;
}

/**
 * Where a failure is reported: a link, or the words that say that it is not.
 * @param {string} issue
 */
export function issueLink(issue) {
  return issue.startsWith("https://") ? el("a", { href: issue, rel: "noreferrer" }, breakable(issue)) : issue;
}

/** @param {number[]} cells */
function bySeverity(cells) {
  return data.severities
    .map((severity) => [cells.filter((cell) => lookOf(cell).severity === severity).length, severity])
    .filter(([count]) => count)
    .map(([count, severity]) => `${count} × ${severity}`)
    .join(", ");
}

/** @param {number[]} cells */
function where(cells) {
  const sdks = [...new Set(cells.map((cell) => sdkOf(columnOf(cell)).id))];
  const hosts = [...new Set(cells.map((cell) => hostLabel(hostOf(columnOf(cell)))))];
  return el("p", { class: "dim" }, `${few(sdks)} on Envoy ${few(hosts)}`);
}

/**
 * All cells of a card, and the addresses that show them alone.
 * @param {number[]} cells
 * @param {Record<string, string>} filter
 */
function cellsOf(cells, filter) {
  const alone = `#${new URLSearchParams(filter)}`;
  return el(
    "div",
    { class: "cells-of" },
    el("a", { href: alone, "data-filter": "failures" }, "link to this"),
    opening(`all ${counted(cells.length, "cell")}`, () =>
      paged(cells, (cell) => el("div", { class: "mono" }, cellLink(cell)), 100),
    ),
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
  const cells = it.cells.filter(isShown);
  return el(
    "article",
    { class: "finding" },
    el(
      "h4",
      {},
      it.counts ? el("span", { class: "chip bad" }, "FAILS the run") : "informational",
      ` ${cells.length}× ${it.sdk} → ${hostLabel(it.host)}`,
    ),
    el("pre", {}, it.text),
    el("p", {}, "For one: ", cellLink(item(cells, 0))),
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

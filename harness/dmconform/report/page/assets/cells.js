// The cells of the matrix, those of cases and those that sum up the rows above them.

import { el } from "./dom.js";
import { summaryOf, tally } from "./rows.js";
import { cellMatches } from "./state.js";
import { caseOf, cellAt, columnAt, hostOf, item, lookOf, sdkOf, wasOf } from "./store.js";

/** @import { Row } from "./rows.js" */

/**
 * The element of a case's cell.
 * @param {Row} row
 * @param {number[]} columns All columns that are shown.
 * @param {number} at Which of them.
 */
export function cellElement(row, columns, at) {
  const column = item(columns, at);
  const cell = cellAt(item(row.cases, 0), column);
  if (cell < 0 || !cellMatches(cell)) return gap(columns, at, cell < 0);
  const look = lookOf(cell);
  const was = wasOf(cell);
  const listen = [
    `${caseOf(cell).id}, ${sdkOf(column).id} on ${hostOf(column)}: ${look.outcome}, ${look.relation}, ${look.judgement}`,
    look.flag && look.judgement !== "static/run-time mismatch" ? ", static/run-time mismatch" : "",
    was ? `, was ${was.outcome}` : "",
  ].join("");
  const within = columnAt(column).window === "supported" && look.relation !== "supported" ? " unsupported" : "";
  return el(
    "div",
    {
      class: `cell ${look.style}${within}${edge(columns, at)}`,
      role: "gridcell",
      tabindex: "-1",
      "aria-colindex": at + 2,
      "aria-label": listen,
      "data-cell": cell,
    },
    el("span", { class: "sign" }, look.glyph),
    el("span", { class: "word" }, look.word),
    look.flag ? el("b", {}, look.flag) : null,
    was ? el("b", { class: "delta", title: `was ${was.outcome}` }, "Δ") : null,
  );
}

/**
 * The element that says the result of the cells of a row in a column.
 * @param {Row} row
 * @param {number[]} columns All columns that are shown.
 * @param {number} at Which of them.
 */
export function sumElement(row, columns, at) {
  const column = item(columns, at);
  const counts = tally(row, column);
  if (!counts.all)
    return gap(
      columns,
      at,
      row.cases.every((its) => cellAt(its, column) < 0),
    );
  const its = summaryOf(counts);
  return el(
    "div",
    {
      class: `cell sum ${its.style}${edge(columns, at)}`,
      role: "gridcell",
      tabindex: "-1",
      "aria-colindex": at + 2,
      "aria-label": `${row.note || row.label}, ${sdkOf(column).id} on ${hostOf(column)}: ${its.sentence}`,
      title: `${its.sentence}; click to see these cells alone`,
    },
    el("span", { class: "sign" }, its.glyph),
    el("span", { class: "word" }, its.word),
    counts.flagged ? el("b", {}, "≠") : null,
    counts.changed ? el("b", { class: "delta" }, "Δ") : null,
  );
}

/**
 * @param {number[]} columns
 * @param {number} at
 * @param {boolean} isUnplanned Whether there is no cell, or only one that is filtered out.
 */
function gap(columns, at, isUnplanned) {
  return el("div", {
    class: `cell gap${isUnplanned ? "" : " filtered"}${edge(columns, at)}`,
    role: "gridcell",
    tabindex: "-1",
    "aria-colindex": at + 2,
    "aria-label": isUnplanned ? "not planned" : "filtered out",
    title: isUnplanned ? "not planned" : "filtered out",
  });
}

/**
 * The sides of a column on which the frame of its window runs, and where an SDK version or a group ends.
 * @param {number[]} columns All columns that are shown.
 * @param {number} at Which of them.
 */
export function edge(columns, at) {
  const column = item(columns, at);
  const { window, sdk } = columnAt(column);
  /** @param {number | undefined} other */
  const same = (other) => other !== undefined && columnAt(other).sdk === sdk && columnAt(other).window === window;
  const next = columns[at + 1];
  let css = "";
  if (window !== "unsupported") css += ` ${window}${same(columns[at - 1]) ? "" : " left"}${same(next) ? "" : " right"}`;
  if (next !== undefined && columnAt(next).sdk !== sdk) css += groupOf(next) === groupOf(column) ? " sdk-end" : " group-end";
  return css;
}

/**
 * What the columns of one language and provider have in common.
 * @param {number} column
 */
export const groupOf = (column) => `${sdkOf(column).language}\n${sdkOf(column).provider}`;

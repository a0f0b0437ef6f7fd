// The matrix from the keyboard: one cell has the focus, arrows move it, Enter opens.

import { closest } from "./dom.js";
import { rove } from "./focus.js";
import { cellOf, matrix, showCell, stepFailing, toggle } from "./matrix.js";
import { state, writeAddress } from "./state.js";
import { areaOf, hostOf, item, sdkOf } from "./store.js";
import { openStory } from "./story.js";

/** @import { Place, Row, RowElement } from "./rows.js" */

const PAGE_ROWS = 12;

/** Lets mouse and keys move in the matrix, and open what is in it. */
export function listenToMatrix() {
  matrix.box.addEventListener("click", (event) => {
    const element = placeOf(event);
    if (!element) return;
    rove(element);
    activate(element);
  });
  matrix.box.addEventListener("keydown", (event) => {
    const element = placeOf(event);
    if (!element || event.altKey || event.metaKey) return;
    const to = target(event, element);
    if (to) rove(to);
    else if ((event.key === "n" || event.key === "p") && !event.ctrlKey) step(event.key, element);
    else if (event.key === "Enter" || event.key === " ") activate(element);
    else return;
    event.preventDefault();
  });
}

/**
 * The place in a row that an event is about, or null: the header has none.
 * @param {Event} event
 */
function placeOf(event) {
  return /** @type {Place | null} */ (closest(event, ".row:not(.header) > :is(.cell, .head)"));
}

/**
 * The row that a place is in.
 * @param {Place} element
 */
function rowOf(element) {
  return /** @type {RowElement} */ (element.parentElement);
}

/**
 * Where a key leads from a cell, or null.
 * @param {KeyboardEvent} event
 * @param {Place} element
 */
function target(event, element) {
  const { at } = element;
  const row = rowOf(element);
  const last = matrix.columns.length - 1;
  const rows = /** @type {RowElement[]} */ ([...(row.parentElement?.children ?? [])]);
  /** @param {number} steps */
  const to = (steps) => cellOf(rows[Math.max(0, Math.min(rows.length - 1, rows.indexOf(row) + steps))] ?? row, at);
  switch (event.key) {
    case "ArrowRight":
      return cellOf(row, Math.min(last, at + 1));
    case "ArrowLeft":
      return cellOf(row, Math.max(-1, at - 1));
    case "ArrowDown":
      return to(1);
    case "ArrowUp":
      return to(-1);
    case "PageDown":
      return to(PAGE_ROWS);
    case "PageUp":
      return to(-PAGE_ROWS);
    case "Home":
      return cellOf((event.ctrlKey && rows[0]) || row, -1);
    case "End":
      return cellOf((event.ctrlKey && rows.at(-1)) || row, last);
    default:
      return null;
  }
}

/**
 * Goes to the next failing cell, or the one before.
 * @param {string} key
 * @param {Place} element
 */
function step(key, element) {
  const cell = stepFailing(key === "n" ? 1 : -1, element.dataset.cell === undefined ? -1 : Number(element.dataset.cell));
  if (cell >= 0) showCell(cell);
}

/** @param {Place} element */
function activate(element) {
  const { row } = rowOf(element);
  if (element.dataset.cell !== undefined) openStory(Number(element.dataset.cell));
  else if (element.classList.contains("gap")) return;
  else if (element.at >= 0) onlyCellsOf(row, item(matrix.columns, element.at));
  else if (row.below.length) toggle(row);
}

/**
 * Sets the filters to the cells that a sum is of; what else is filtered stays.
 * @param {Row} row
 * @param {number} column
 */
function onlyCellsOf(row, column) {
  state.lists.sdk = new Set([sdkOf(column).id]);
  state.lists.host = new Set([hostOf(column)]);
  const first = row.cases[0];
  if (row.key !== "all" && first !== undefined) state.lists.area = new Set([areaOf(first)]);
  const requirement = row.level === 2 ? row.note : "";
  if (requirement) state.lists.requirement = new Set([requirement]);
  writeAddress(true);
  dispatchEvent(new Event("popstate"));
}

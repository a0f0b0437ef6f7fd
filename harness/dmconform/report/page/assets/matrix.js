// The matrix: a grid of rows that open. Only what is near the view has cells, so that 20,000 of them cost nothing.

import { cellElement, sumElement } from "./cells.js";
import { byId, counted, el } from "./dom.js";
import { rove, tabStop } from "./focus.js";
import { heads } from "./heads.js";
import { buildRows, makeRow, tally } from "./rows.js";
import { caseMatches, cellMatches, columnMatches, isCellFilter, isFiltered, state } from "./state.js";
import { cellAt, columnAt, columnCount, columnOf, data, item, lookOf, looks, rowOf } from "./store.js";
import { explainZero } from "./zero.js";

/** @import { Place, Row, RowElement } from "./rows.js" */

export const matrix = {
  box: byId("matrix-box"),
  /** @type {number[]} */
  columns: [],
  /** @type {Row[]} */
  rows: [],
  /** @type {{ scroll: HTMLElement, grid: HTMLElement, body: HTMLElement, watcher: IntersectionObserver } | null} */
  drawn: null,
  /** @type {Set<RowElement>} */
  near: new Set(),
  from: 0, // the columns that rows near the view have cells of, up to `to`
  to: 0,
  /** @type {Set<string>} */
  opened: new Set(),
};

/**
 * Makes the matrix anew for what the filters let pass.
 * @param {() => void} onChange What is called where somebody drops a filter in it.
 * @returns {number} How many cells that are.
 */
export function buildMatrix(onChange) {
  /** @type {number[]} */
  const columns = [];
  let shown = 0;
  const cellsCount = isCellFilter();
  const rows = data.cases.map((_, row) => row).filter(caseMatches);
  /** @type {Set<number>} */
  const matched = new Set();
  for (let column = 0; column < columnCount; column++) {
    if (!columnMatches(column)) continue;
    let count = 0;
    for (const row of rows) {
      const cell = cellAt(row, column);
      if (cell < 0 || !cellMatches(cell)) continue;
      count++;
      matched.add(row);
    }
    shown += count;
    if (count || !cellsCount) columns.push(column);
  }
  matrix.columns = columns;
  const cases = rows.filter((row) => matched.has(row));
  matrix.rows = cases.length ? [makeRow(1, "all", "all cases", "", cases), ...buildRows(cases)] : [];
  const few = matched.size <= 40 && isFiltered();
  for (const area of matrix.rows) {
    for (const row of [area, ...area.below]) row.open = few || matrix.opened.has(row.key) || isLoud(row);
  }
  draw(onChange);
  return shown;
}

/**
 * Whether a row has a cell that fails the run: such rows are open from the start.
 * @param {Row} row
 */
function isLoud(row) {
  return matrix.columns.some((column) => {
    const counts = tally(row, column);
    return counts.bad > 0 || counts.incomplete > 0;
  });
}

/** @param {() => void} onChange */
function draw(onChange) {
  matrix.drawn?.watcher.disconnect();
  waiting.clear();
  matrix.near.clear();
  if (!matrix.columns.length || !matrix.rows.length) {
    matrix.box.replaceChildren(explainZero(onChange));
    matrix.drawn = null;
    return;
  }
  const body = el("div", { role: "rowgroup" });
  const grid = el(
    "div",
    {
      class: "grid",
      role: "treegrid",
      "aria-label": "Matrix: cases by SDK version and host",
      "aria-readonly": "true",
      "aria-colcount": matrix.columns.length + 1,
    },
    heads(matrix.columns),
    body,
  );
  const scroll = el("div", { class: "scroll" }, grid);
  scroll.classList.toggle("compact", state.flags.has("compact"));
  scroll.classList.toggle(
    "roomy",
    looks.some((look) => look.judgement === "static/run-time mismatch" || look.judgement === "changed fact"),
  ); // the longest mark
  const watcher = new IntersectionObserver(seen, { root: scroll, rootMargin: "250px 0px" });
  matrix.drawn = { scroll, grid, body, watcher };
  body.append(...matrix.rows.flatMap(elementsOf));
  number();
  const button = el("button", { type: "button", id: "unfold" });
  const folds = matrix.rows.flatMap((area) => [area, ...area.below]).filter((row) => row.below.length);
  const name = () => {
    button.textContent = folds.every((row) => row.open) ? "close all rows" : "open all rows";
  };
  name();
  button.addEventListener("click", () => {
    const open = !folds.every((row) => row.open);
    for (const row of folds) {
      row.open = open;
      if (open) matrix.opened.add(row.key);
      else matrix.opened.delete(row.key);
    }
    body.replaceChildren(...matrix.rows.flatMap(elementsOf));
    number();
    roveToFirst();
    name();
  });
  matrix.box.replaceChildren(
    el(
      "p",
      { class: "hint" },
      button,
      " ",
      stepButton(-1, "previous failing cell"),
      " ",
      stepButton(1, "next failing cell"),
      " Click a row's name to open it, a sum to see its cells alone, a cell for its story. ",
      "Keys in the matrix: arrows move, Enter opens, n and p go to the next and the previous failing cell; Escape closes a story.",
    ),
    scroll,
  );
  roveToFirst();
  showWindow();
  nearColumns();
  scroll.addEventListener("scroll", nearColumns, { passive: true });
}

/** Makes the first row the one that Tab comes to. */
function roveToFirst() {
  rove(matrix.rows[0]?.element?.querySelector(".head"), false);
}

addEventListener("resize", () => nearColumns());

const STEP = 4; // columns that come and go together

/** Which columns are near the view; rows get the cells of those that came near, and lose the others. */
function nearColumns() {
  const scroll = matrix.drawn?.scroll;
  if (!scroll) return;
  const [head, first] = scroll.querySelectorAll(".header:nth-child(3) > *");
  if (!(head instanceof HTMLElement && first instanceof HTMLElement)) return;
  const left = scroll.scrollLeft / first.offsetWidth;
  const columns = (scroll.clientWidth - head.offsetWidth) / first.offsetWidth;
  const from = Math.max(0, (Math.floor(left / STEP) - 1) * STEP);
  const to = Math.min(matrix.columns.length, (Math.ceil((left + columns) / STEP) + 1) * STEP);
  if (from === matrix.from && to === matrix.to) return;
  matrix.from = from;
  matrix.to = to;
  for (const element of matrix.near) waiting.add(element);
  fillSoon();
}

/**
 * How urgently a reader has to see a cell: 0 where not at all.
 * @param {number} cell
 */
function urgency(cell) {
  const { style, severity, relation } = lookOf(cell);
  if (relation !== "supported" || style === "good" || style === "not-run") return 0;
  const rank = severity ? data.severities.length - data.severities.indexOf(severity) : 0;
  return (style === "bad" ? 40 : style === "incomplete" ? 20 : 1) + rank;
}

/** The place of the column to open at: the worst one, else the first supported one that was tested, else the first supported. */
function firstColumn() {
  let worst = { urgency: 0, at: -1 };
  matrix.columns.forEach((column, at) => {
    for (const row of matrix.rows[0]?.cases ?? []) {
      const cell = cellAt(row, column);
      if (cell < 0 || !cellMatches(cell)) continue;
      const its = urgency(cell);
      if (its > worst.urgency) worst = { urgency: its, at };
    }
  });
  if (worst.at >= 0) return worst.at;
  const supported = (/** @type {number} */ column) => columnAt(column).window === "supported";
  const tested = matrix.columns.findIndex((column) => supported(column) && columnAt(column).state !== "not tested");
  return tested >= 0 ? tested : matrix.columns.findIndex(supported);
}

/** Scrolls to the column to open at where it is out of view, with half a column of what is before it. */
function showWindow() {
  const scroll = matrix.drawn?.scroll;
  const first = firstColumn();
  const top = scroll?.querySelector(`.top[aria-colindex="${first + 2}"]`);
  const head = top?.parentElement?.firstElementChild;
  if (!(scroll && top instanceof HTMLElement && head instanceof HTMLElement)) return;
  if (top.offsetLeft + top.offsetWidth > scroll.clientWidth)
    scroll.scrollLeft = top.offsetLeft - head.offsetWidth - top.offsetWidth / 2;
}

/**
 * The cells that fail, row by row as the matrix has them: those that count, or the others where none does.
 * @returns {number[]}
 */
function failing() {
  const all = (matrix.rows[0]?.cases ?? []).flatMap((row) => matrix.columns.map((column) => cellAt(row, column)));
  const shown = all.filter((cell) => cell >= 0 && cellMatches(cell));
  const counting = shown.filter((cell) => urgency(cell) > 0);
  return counting.length ? counting : shown.filter((cell) => lookOf(cell).severity !== "");
}

/**
 * The next failing cell after one in the matrix, or before it; round at the end. -1 where none fails.
 * @param {number} steps 1 or -1.
 * @param {number} from A cell, or -1 for the beginning.
 */
export function stepFailing(steps, from) {
  const all = failing();
  if (!all.length) return -1;
  const own = all.indexOf(from);
  if (own >= 0) return item(all, (own + steps + all.length) % all.length);
  if (from < 0) return item(all, steps > 0 ? 0 : all.length - 1);
  const rows = matrix.rows[0]?.cases ?? [];
  /** @param {number} cell */
  const place = (cell) => rows.indexOf(rowOf(cell)) * columnCount + matrix.columns.indexOf(columnOf(cell));
  const later = all.findIndex((cell) => place(cell) > place(from));
  const next = later < 0 ? all.length : later;
  return item(all, ((steps > 0 ? next : next - 1) + all.length) % all.length);
}

/** The cell that Tab comes to, or -1. */
export function currentCell() {
  const cell = tabStop()?.dataset.cell;
  return cell === undefined ? -1 : Number(cell);
}

/**
 * @param {number} steps
 * @param {string} title
 */
function stepButton(steps, title) {
  const button = el("button", { type: "button", class: "step", "data-step": steps }, title);
  button.disabled = !failing().length;
  button.addEventListener("click", () => {
    const cell = stepFailing(steps, currentCell());
    if (cell >= 0) showCell(cell);
  });
  return button;
}

/**
 * The elements of a row and of all open ones below it.
 * @param {Row} row
 * @returns {RowElement[]}
 */
function elementsOf(row) {
  row.element ??= rowElement(row);
  if (row.below.length) markOpen(row);
  matrix.drawn?.watcher.observe(row.element);
  return [row.element, ...(row.open ? row.below.flatMap(elementsOf) : [])];
}

/**
 * Says whether a row is open, at the cell that has the focus when it is opened: what listens there hears of it.
 * @param {Row} row
 */
function markOpen(row) {
  row.element?.firstElementChild?.setAttribute("aria-expanded", String(row.open));
}

/**
 * @param {Row} row
 * @returns {RowElement}
 */
function rowElement(row) {
  const own =
    row.level < 3
      ? [
          el("span", { class: row.below.length ? "twist" : "", "aria-hidden": "true" }),
          row.level === 2
            ? [el("small", {}, `${row.note} · ${counted(row.cases.length, "case")}`), el("span", { class: "name" }, row.label)]
            : [el("b", { class: "name" }, row.label), el("small", {}, counted(row.cases.length, "case"))],
        ]
      : [el("span", { class: "name mono" }, row.label)];
  const head = el(
    "div",
    { class: "head", role: "rowheader", tabindex: "-1", "aria-colindex": "1", title: wholeName(row) },
    own,
  );
  const element = el("div", { class: `row level-${row.level}`, role: "row", "aria-level": row.level }, head);
  Object.assign(head, { at: -1 });
  return Object.assign(element, { row });
}

/**
 * What a row's head has not always room for.
 * @param {Row} row
 */
function wholeName(row) {
  const { label, note } = row;
  return row.level === 2 && note ? `${note}: ${label}` : [label, note].filter(Boolean).join(": ");
}

/** Where each row is, for who listens. */
function number() {
  if (!matrix.drawn) return;
  const { grid, body } = matrix.drawn;
  [...body.children].forEach((element, at) => {
    element.setAttribute("aria-rowindex", String(at + 6));
  });
  grid.setAttribute("aria-rowcount", String(body.children.length + 5));
}

const FILL_MS = 8; // of a picture's time, so that scrolling stays smooth

/**
 * Rows that came near the view and have no cells yet.
 * @type {Set<RowElement>}
 */
const waiting = new Set();
let filling = 0;

/** @param {IntersectionObserverEntry[]} entries */
function seen(entries) {
  for (const { target: element, isIntersecting } of entries) {
    const target = /** @type {RowElement} */ (element);
    target.classList.toggle("near", isIntersecting);
    if (isIntersecting) {
      matrix.near.add(target);
      waiting.add(target);
    } else {
      matrix.near.delete(target);
      waiting.delete(target);
      if (!target.contains(tabStop())) target.replaceChildren(...placesOf(target).slice(0, 1));
    }
  }
  fillSoon();
}

function fillSoon() {
  if (!filling) filling = requestAnimationFrame(fillSome);
}

/** Fills as many rows as one picture has time for, and goes on with the next picture. */
function fillSome() {
  const end = performance.now() + FILL_MS;
  for (const element of waiting) {
    waiting.delete(element);
    if (element.isConnected) fill(element);
    if (performance.now() > end) break;
  }
  filling = 0;
  if (waiting.size) fillSoon();
}

/**
 * What a row has by now: its head and cells.
 * @param {RowElement} element
 */
function placesOf(element) {
  return /** @type {Place[]} */ ([...element.children]);
}

/**
 * Gives a row the cells of the columns near the view, and takes the others from it, but for the one that Tab comes to.
 * @param {RowElement} element
 */
function fill(element) {
  for (const cell of placesOf(element))
    if (cell.at >= 0 && (cell.at < matrix.from || cell.at >= matrix.to) && cell !== tabStop()) cell.remove();
  for (let at = matrix.from; at < matrix.to; at++) cellOf(element, at);
}

/**
 * A row's cell at a place, made where there is none yet; the head is at -1.
 * @param {RowElement} element
 * @param {number} at
 * @returns {Place}
 */
export function cellOf(element, at) {
  let before = /** @type {Place} */ (element.lastElementChild);
  while (before.at > at) before = /** @type {Place} */ (before.previousElementSibling);
  if (before.at === at) return before;
  const make = element.row.level < 3 ? sumElement : cellElement;
  const made = Object.assign(make(element.row, matrix.columns, at), { at });
  made.style.setProperty("--at", String(at));
  before.after(made);
  return made;
}

/**
 * Opens or closes a row.
 * @param {Row} row
 * @param {boolean} open
 */
export function toggle(row, open = !row.open) {
  if (!row.below.length || row.open === open) return;
  row.open = open;
  if (open) matrix.opened.add(row.key);
  else matrix.opened.delete(row.key);
  markOpen(row);
  if (open) row.element?.after(...row.below.flatMap(elementsOf));
  else removeBelow(row);
  number();
}

/**
 * Takes the elements below a row out of the matrix.
 * @param {Row} row
 */
function removeBelow(row) {
  for (;;) {
    const next = /** @type {RowElement | null | undefined} */ (row.element?.nextElementSibling);
    if (!next || next.row.level <= row.level) return;
    next.remove();
  }
}

/**
 * Brings a cell into the matrix's view and gives it the focus; says whether it is shown.
 * @param {number} cell
 * @param {boolean} focus
 */
export function showCell(cell, focus = true) {
  const row = rowOf(cell);
  const at = matrix.columns.indexOf(columnOf(cell));
  const area = matrix.rows.find((it) => it.below.length && it.cases.includes(row));
  if (!area || at < 0) return false;
  toggle(area, true);
  const requirement = area.below.find((it) => it.cases.includes(row));
  if (!requirement) return false;
  toggle(requirement, true);
  const its = requirement.below.find((it) => it.cases[0] === row)?.element;
  if (!its) return false;
  const element = cellOf(its, at);
  rove(element, focus);
  element.scrollIntoView({ block: "nearest", inline: "nearest" });
  return true;
}

// The rows of the matrix: all cases, areas, their requirements, their cases. A row above cases sums up its cases.

import { cellMatches } from "./state.js";
import { caseAt, cellAt, data, lookOf, wasOf } from "./store.js";

/**
 * @typedef {object} Row
 * @property {number} level 1: an area, 2: a requirement, 3: a case.
 * @property {string} key
 * @property {string} label
 * @property {string} note
 * @property {number[]} cases The cases below it, or its own one.
 * @property {Row[]} below
 * @property {boolean} open
 * @property {RowElement | null} element
 */

/** @typedef {HTMLElement & { row: Row }} RowElement The element of a row of the matrix. */
/** @typedef {HTMLElement & { at: number }} Place A cell in such an element, and the number of its column; a row's head is at -1. */

/** @typedef {"good" | "bad" | "known" | "incomplete" | "fact-good" | "fact-bad" | "not-run"} Style */
/** @typedef {Record<Style, number> & { all: number, unreachable: number, flagged: boolean, changed: number }} Tally */
/** @typedef {{ glyph: string, word: string, style: Style, sentence: string }} Summary */

/**
 * A row.
 * @param {number} level
 * @param {string} key
 * @param {string} label
 * @param {string} note
 * @param {number[]} cases
 * @param {Row[]} below
 * @returns {Row}
 */
export function makeRow(level, key, label, note, cases, below = []) {
  return { level, key, label, note, cases, below, open: false, element: null };
}

/**
 * What a map has under a key, made where there is nothing yet.
 * @template Key, Value
 * @param {Map<Key, Value>} map
 * @param {Key} key
 * @param {() => Value} make
 * @returns {Value}
 */
function getOrMake(map, key, make) {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

/**
 * All rows for the cases that are shown: a tree.
 * @param {number[]} cases
 */
export function buildRows(cases) {
  /** @type {Map<string, Map<number, number[]>>} */
  const areas = new Map();
  for (const row of cases) {
    const { id, requirements } = caseAt(row);
    const area = id.includes("/") ? id.slice(0, id.indexOf("/")) : "cases";
    const groups = getOrMake(areas, area, () => new Map());
    getOrMake(groups, requirements[0] ?? -1, () => []).push(row);
  }
  return [...areas].map(([area, groups]) => {
    const below = [...groups].map(([requirement, its]) => {
      const told = data.requirements[requirement];
      const rows = its.map((row) => makeRow(3, `case:${caseAt(row).id}`, shortName(caseAt(row).id), caseAt(row).title, [row]));
      return makeRow(
        2,
        `${area}:${requirement}`,
        told ? told.statement : "no requirement is named",
        told ? told.id : "",
        its,
        rows,
      );
    });
    return makeRow(
      1,
      `area:${area}`,
      area.replaceAll("_", " "),
      "",
      below.flatMap((row) => row.cases),
      below,
    );
  });
}

/** @param {string} id */
function shortName(id) {
  return id.includes("/") ? id.slice(id.indexOf("/") + 1) : id;
}

/**
 * What the cells of a row in a column come to: how many of each look, those that the filters let pass only.
 * @param {Row} row
 * @param {number} column
 */
export function tally(row, column) {
  /** @type {Tally} */
  const counts = {
    good: 0,
    bad: 0,
    known: 0,
    incomplete: 0,
    "fact-good": 0,
    "fact-bad": 0,
    "not-run": 0,
    all: 0,
    unreachable: 0,
    flagged: false,
    changed: 0,
  };
  for (const its of row.cases) {
    const cell = cellAt(its, column);
    if (cell < 0 || !cellMatches(cell)) continue;
    const look = lookOf(cell);
    counts.all++;
    counts[/** @type {Style} */ (look.style)]++;
    if (look.outcome === "not tested") counts.unreachable++;
    if (look.flag) counts.flagged = true;
    if (wasOf(cell)) counts.changed++;
  }
  return counts;
}

/**
 * How a tally is shown: a sign, a word and a look, and the sentence for who listens.
 * @param {Tally} counts
 * @returns {Summary}
 */
export function summaryOf(counts) {
  const { good, bad, known, incomplete } = counts;
  const supported = good + bad + known + incomplete;
  const facts = counts["fact-good"] + counts["fact-bad"];
  const say = [];
  if (supported) say.push(`${good} of ${supported} supported pass`);
  if (bad) say.push(`${bad} failing`);
  if (known) say.push(`${known} xfail`);
  if (incomplete) say.push(`${incomplete} could not run`);
  if (facts) say.push(`legacy and unsupported: ${counts["fact-good"]} of ${facts} pass`);
  if (counts["not-run"]) say.push(`${counts["not-run"]} not to be run`);
  const sentence = say.join(", ") || "no cell";
  if (bad) return { glyph: "✗", word: `${bad} FAIL`, style: "bad", sentence };
  if (incomplete) return { glyph: "■", word: `${incomplete}`, style: "incomplete", sentence };
  if (known) return { glyph: "!", word: `${known} known`, style: "known", sentence };
  if (good) return { glyph: "✓", word: `${good}`, style: "good", sentence };
  if (counts["fact-bad"]) return { glyph: "⊘", word: `${counts["fact-good"]}/${facts}`, style: "fact-bad", sentence };
  if (facts) return { glyph: "✓", word: `${facts}`, style: "fact-good", sentence };
  if (counts.unreachable) return { glyph: "?", word: "not tested", style: "not-run", sentence };
  return { glyph: "○", word: "n/a", style: "not-run", sentence };
}

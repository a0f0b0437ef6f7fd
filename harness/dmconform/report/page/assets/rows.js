// The rows of the matrix: all cases, areas, their requirements, their cases. A row above cases sums them up.

import { cellMatches } from "./state.js";
import { areaOf, caseAt, cellAt, data, lookOf, wasOf } from "./store.js";

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
/** @typedef {Record<Style, number> & { all: number, notTested: number, flagged: boolean, changed: number }} Tally */
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
    const { requirements } = caseAt(row);
    const area = areaOf(row);
    const groups = getOrMake(areas, area, () => new Map());
    getOrMake(groups, requirements[0] ?? -1, () => []).push(row);
  }
  const ordered = [...areas].sort(([one], [other]) => importance(one) - importance(other));
  return ordered.map(([area, groups]) => {
    const below = [...groups].map(([requirement, its]) => {
      const described = data.requirements[requirement];
      const rows = its.map((row) => makeRow(3, `case:${caseAt(row).id}`, shortName(caseAt(row).id), caseAt(row).title, [row]));
      return makeRow(
        2,
        `${area}:${requirement}`,
        described ? described.statement : "cases without a requirement",
        described ? described.id : "",
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

/** The areas that matter most to a user, first; the others follow as the report has them. */
const IMPORTANT = [
  "window",
  "panics",
  "panics_tcp",
  "error_handling",
  "discovery",
  "rtld",
  "binding",
  "configuration",
  "updates",
];

/** @param {string} area */
function importance(area) {
  const place = IMPORTANT.indexOf(area);
  return place < 0 ? IMPORTANT.length : place;
}

/** @param {string} id */
function shortName(id) {
  return id.includes("/") ? id.slice(id.indexOf("/") + 1) : id;
}

/**
 * How many cells of each look a row has in a column, of those that the filters let pass.
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
    notTested: 0,
    flagged: false,
    changed: 0,
  };
  for (const its of row.cases) {
    const cell = cellAt(its, column);
    if (cell < 0 || !cellMatches(cell)) continue;
    const look = lookOf(cell);
    counts.all++;
    counts[/** @type {Style} */ (look.style)]++;
    if (look.outcome === "not tested") counts.notTested++;
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
  const informational = counts["fact-good"] + counts["fact-bad"];
  const say = [];
  if (supported) say.push(`${good} of ${supported} supported pass`);
  if (bad) say.push(`${bad} fail`);
  if (known) say.push(`${known} xfail`);
  if (incomplete) say.push(`${incomplete} could not run`);
  if (informational) say.push(`legacy and unsupported: ${counts["fact-good"]} of ${informational} pass`);
  if (counts["not-run"]) say.push(`${counts["not-run"]} not applicable or not tested`);
  const sentence = say.join(", ") || "no cell";
  if (bad) return { glyph: "✗", word: `${bad} FAIL`, style: "bad", sentence };
  if (incomplete) return { glyph: "■", word: `${incomplete}`, style: "incomplete", sentence };
  if (known) return { glyph: "!", word: `${known} xfail`, style: "known", sentence };
  if (good) return { glyph: "✓", word: `${good}`, style: "good", sentence };
  if (counts["fact-bad"]) return { glyph: "⊘", word: `${counts["fact-good"]}/${informational}`, style: "fact-bad", sentence };
  if (informational) return { glyph: "✓", word: `${informational}`, style: "fact-good", sentence };
  if (counts.notTested) return { glyph: "?", word: "not tested", style: "not-run", sentence };
  return { glyph: "○", word: "n/a", style: "not-run", sentence };
}

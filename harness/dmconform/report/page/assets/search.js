// The search: what has the words in its name, title, details, record, requirements; and which findings and requirements have.

import { caseAt, data, item, looks } from "./store.js";

/**
 * @typedef {object} Found
 * @property {(row: number, sdk: number, look: number) => boolean} hasCell
 * @property {(texts: string[]) => boolean} has Whether any of some texts has the words.
 */

/** @type {{ words: string, found: Found }} */
let last = { words: "", found: { hasCell: () => true, has: () => true } };

/**
 * What has the words of a search.
 * @param {string} search
 */
export function searchFor(search) {
  const words = search.trim().toLowerCase();
  if (words !== last.words) last = { words, found: words ? find(words) : { hasCell: () => true, has: () => true } };
  return last.found;
}

/**
 * @param {string} words
 * @returns {Found}
 */
function find(words) {
  /** @param {string[]} texts */
  const has = (texts) => texts.some((text) => text.toLowerCase().includes(words));
  const records = new Set(data.records.filter((it) => has([it.id, it.title, it.fault, it.reason])).map((it) => it.id));
  const requirements = data.requirements.map((it) => has([it.id, it.statement, it.document, it.section]));
  const rows = data.cases.map((_, row) => {
    const { id, title, requirements: its } = caseAt(row);
    return has([id, title]) || its.some((number) => item(requirements, number));
  });
  const sdks = data.sdks.map((it) => has([it.id]));
  const seen = looks.map((it) => records.has(it.record) || has([it.detail, it.log, it.record, it.symbol, it.mismatch]));
  return { hasCell: (row, sdk, look) => item(rows, row) || item(sdks, sdk) || item(seen, look), has };
}

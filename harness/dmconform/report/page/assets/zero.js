// Why no cell passes the filters: which of them is at fault, and what would match without it.

import { counted, el } from "./dom.js";
import { findingTexts } from "./findings.js";
import { searchFor } from "./search.js";
import { clearFilters, isShown, LISTS, state } from "./state.js";
import { cellCount, data } from "./store.js";

/** @typedef {{ words: string, put: () => void, drop: () => void }} Filter One filter that is set; it can be dropped and put back. */

/** @returns {Filter[]} */
function filtersSet() {
  /** @type {Filter[]} */
  const found = [];
  for (const name of LISTS) {
    const values = state.lists[name];
    if (!values.size) continue;
    found.push({
      words: `${name} ${[...values].join(" or ")}`,
      put: () => {
        state.lists[name] = values;
      },
      drop: () => {
        state.lists[name] = new Set();
      },
    });
  }
  const search = state.search;
  if (search.trim()) {
    found.push({
      words: `the search for “${search}”`,
      put: () => {
        state.search = search;
      },
      drop: () => {
        state.search = "";
      },
    });
  }
  for (const name of /** @type {const} */ (["differs", "changed"])) {
    if (!state.flags.has(name)) continue;
    found.push({
      words: name === "differs" ? "differs between hosts" : "changed since",
      put: () => state.flags.add(name),
      drop: () => state.flags.delete(name),
    });
  }
  return found;
}

function shownNow() {
  let count = 0;
  for (let cell = 0; cell < cellCount; cell++) if (isShown(cell)) count++;
  return count;
}

/**
 * What a matrix without a cell says.
 * @param {() => void} onChange What is called after a filter was dropped.
 */
export function explainZero(onChange) {
  const all = filtersSet();
  /** @type {{ filter: Filter, without: number }[]} */
  const found = [];
  for (const filter of all) {
    filter.drop();
    found.push({ filter, without: shownNow() });
    filter.put();
  }
  const helpful = found.filter((it) => it.without > 0).sort((one, other) => other.without - one.without);
  /** @param {Filter} filter */
  const dropping = (filter) => {
    const button = el("button", { type: "button" }, "drop it");
    button.addEventListener("click", () => {
      filter.drop();
      onChange();
    });
    return button;
  };
  const lines = helpful.map(({ filter, without }) =>
    el("li", {}, `Without ${filter.words}: ${counted(without, "cell")}. `, dropping(filter)),
  );
  if (!helpful.length && all.length > 1)
    lines.push(...all.map((filter) => el("li", {}, `${filter.words} alone: ${counted(alone(filter, all), "cell")}`)));
  return el(
    "div",
    { class: "nothing" },
    el("p", {}, "No cell passes these filters."),
    lines.length ? el("ul", {}, lines) : null,
    ...elsewhere(),
  );
}

/**
 * How many cells one filter alone lets pass.
 * @param {Filter} filter
 * @param {Filter[]} all
 */
function alone(filter, all) {
  const { lists, flags, search } = state;
  state.flags = new Set(flags);
  clearFilters();
  filter.put();
  const count = shownNow();
  state.lists = lists;
  state.flags = flags;
  state.search = search;
  for (const one of all) one.put();
  return count;
}

/** What has the words of the search and is no cell. */
function elsewhere() {
  if (!state.search.trim()) return [];
  const { has } = searchFor(state.search);
  const findings = data.findings.filter((it) => has(findingTexts(it))).length;
  const requirements = data.requirements.filter((it) =>
    has([it.id, it.statement, it.document, it.section, it.uncovered]),
  ).length;
  return [
    findings ? el("p", {}, el("a", { href: "#findings" }, `${counted(findings, "finding")} with these words`)) : null,
    requirements
      ? el("p", {}, el("a", { href: "#requirements" }, `${counted(requirements, "requirement")} with these words`))
      : null,
  ].filter((it) => it !== null);
}

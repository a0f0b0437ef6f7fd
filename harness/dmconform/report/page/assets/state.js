// What is shown, as the address has it: #language=rust&host=1.40.0&outcome=fail&differs=1&cell=ID. The same after a ? works, too.

import { searchFor } from "./search.js";
import {
  areaOf,
  caseAt,
  causeOf,
  columnAt,
  columnOf,
  data,
  differs,
  hostOf,
  item,
  lookOf,
  looks,
  packed,
  pointOf,
  rowOf,
  sdkOf,
  wasOf,
} from "./store.js";

/** @typedef {"language" | "sdk" | "host" | "relation" | "outcome" | "judgement" | "severity" | "point" | "area" | "requirement" | "record" | "cause"} ListName */
/** @typedef {"differs" | "changed" | "compact"} FlagName */
/** @typedef {{ name: string, value: string, near: string[] }} Unknown A part of the address that this report does not know. */

/** @type {ListName[]} */
export const LISTS = [
  "language",
  "sdk",
  "host",
  "relation",
  "outcome",
  "judgement",
  "severity",
  "point",
  "area",
  "requirement",
  "record",
  "cause",
];
/** @type {FlagName[]} */
const FLAGS = ["differs", "changed", "compact"];
const OTHER_NAMES = ["case", "search", "cell"];

/** @type {{ lists: Record<ListName, Set<string>>, flags: Set<FlagName>, search: string, cell: string, unknown: Unknown[] }} */
export const state = {
  lists: emptyLists(),
  flags: new Set(),
  search: "",
  cell: "",
  unknown: [],
};

/** @returns {Record<ListName, Set<string>>} */
function emptyLists() {
  return /** @type {Record<ListName, Set<string>>} */ (Object.fromEntries(LISTS.map((name) => [name, new Set()])));
}

/** @type {Record<ListName, () => string[]>} */
const KNOWN = {
  language: () => data.sdks.map((it) => it.language),
  sdk: () => data.sdks.map((it) => it.id),
  host: () => data.columns.map((it) => it.host),
  relation: () => ["supported", "legacy", "unsupported"],
  outcome: () => looks.map((it) => it.outcome),
  judgement: () => looks.map((it) => it.judgement),
  severity: () => data.severities,
  point: () => data.cases.map((_, row) => pointOf(row)).filter(Boolean),
  area: () => data.cases.map((_, row) => areaOf(row)),
  requirement: () => data.requirements.map((it) => it.id),
  record: () => looks.map((it) => it.record).filter(Boolean),
  cause: () => data.causes.map((it) => it.id),
};

/**
 * The values that a filter can have, each once.
 * @param {ListName} name
 */
export const valuesOf = (name) => [...new Set(KNOWN[name]())];

/** Takes the state from the address. An address such as #abi names a section and changes nothing. */
export function readAddress() {
  const fragment = location.hash.slice(1);
  if (fragment && !fragment.includes("=")) return false;
  // An empty fragment, as cleared filters leave it, counts: it is not the same as none.
  const asked = new URLSearchParams(location.href.includes("#") ? fragment : location.search);
  for (const name of LISTS) state.lists[name] = new Set(asked.getAll(name));
  state.flags = new Set(FLAGS.filter((name) => asked.has(name) && asked.get(name) !== "0"));
  state.search = asked.get("search") ?? asked.get("case") ?? "";
  state.cell = asked.get("cell") ?? "";
  state.unknown = unknownParts(asked);
  return true;
}

/**
 * What an address asks for and this report does not have.
 * @param {URLSearchParams} asked
 */
function unknownParts(asked) {
  /** @type {Unknown[]} */
  const found = [];
  const names = /** @type {string[]} */ ([...LISTS, ...FLAGS, ...OTHER_NAMES]);
  for (const [name, value] of asked) {
    if (!name) continue;
    if (!names.includes(name)) found.push({ name, value: "", near: names });
    else if (LISTS.includes(/** @type {ListName} */ (name))) {
      const known = valuesOf(/** @type {ListName} */ (name));
      if (!known.includes(value)) found.push({ name, value, near: known });
    }
  }
  return found;
}

/**
 * The fragment of the state, with `changed` parts of it.
 * @param {{ cell?: string }} changed
 */
export function fragmentOf(changed = {}) {
  /** @type {string[]} */
  const parts = [];
  /** @type {(name: string, value: string) => void} */
  const add = (name, value) => parts.push(`${name}=${encodeURIComponent(value).replace(/%(2F|40|3A)/g, decodeURIComponent)}`);
  for (const name of LISTS) for (const value of state.lists[name]) add(name, value);
  if (state.search) add("search", state.search);
  for (const name of state.flags) add(name, "1");
  const cell = changed.cell ?? state.cell;
  if (cell) add("cell", cell);
  return `#${parts.join("&")}`;
}

/**
 * Writes the state into the address; a new place in the history only where `place` is true.
 * @param {boolean} place
 */
export function writeAddress(place = false) {
  state.unknown = state.unknown.filter((it) => state.lists[/** @type {ListName} */ (it.name)]?.has(it.value));
  const address = fragmentOf();
  if (address === (location.hash || "#") && !(location.search && !location.href.includes("#"))) return;
  if (place) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

/** Takes all filters away; how the matrix looks stays. */
export function clearFilters() {
  state.lists = emptyLists();
  state.flags.delete("differs");
  state.flags.delete("changed");
  state.search = "";
}

/** @type {ListName[]} */
const OF_CELLS = ["relation", "outcome", "judgement", "severity", "record", "cause"];

export const isCellFilter = () =>
  OF_CELLS.some((name) => state.lists[name].size > 0) ||
  state.search.trim() !== "" ||
  state.flags.has("differs") ||
  state.flags.has("changed");
export const isFiltered = () => isCellFilter() || LISTS.some((name) => state.lists[name].size > 0);

/** @param {number} column */
export function columnMatches(column) {
  const sdk = sdkOf(column);
  const { language, host, sdk: sdks } = state.lists;
  return (
    (!language.size || language.has(sdk.language)) &&
    (!sdks.size || sdks.has(sdk.id)) &&
    (!host.size || host.has(hostOf(column)))
  );
}

/** @param {number} row */
export function caseMatches(row) {
  const { point, area, requirement } = state.lists;
  return (
    (!point.size || point.has(pointOf(row))) &&
    (!area.size || area.has(areaOf(row))) &&
    (!requirement.size || caseAt(row).requirements.some((number) => requirement.has(item(data.requirements, number).id)))
  );
}

/**
 * Whether the filters of what a cell says let it pass.
 * @param {number} cell
 */
export function cellMatches(cell) {
  const look = lookOf(cell);
  const { relation, outcome, judgement, severity, record, cause } = state.lists;
  return (
    (!relation.size || relation.has(look.relation)) &&
    (!outcome.size || outcome.has(look.outcome)) &&
    (!judgement.size || judgement.has(look.judgement)) &&
    (!severity.size || severity.has(look.severity)) &&
    (!record.size || record.has(look.record)) &&
    (!cause.size || cause.has(causeOf(cell))) &&
    (!state.search || searchFor(state.search).hasCell(rowOf(cell), columnAt(columnOf(cell)).sdk, item(packed.look, cell))) &&
    (!state.flags.has("differs") || differs(cell)) &&
    (!state.flags.has("changed") || wasOf(cell) !== null)
  );
}

/**
 * Whether all filters let a cell pass.
 * @param {number} cell
 */
export const isShown = (cell) => columnMatches(columnOf(cell)) && caseMatches(rowOf(cell)) && cellMatches(cell);

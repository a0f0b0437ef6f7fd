// What is shown, as the address has it: #language=rust&host=1.40.0&outcome=fail&differs=1&cell=ID. The same after a ? works, too.

import { caseAt, differs, hostOf, lookOf, sdkOf, wasOf } from "./store.js";

/** @typedef {"language" | "sdk" | "host" | "outcome" | "judgement"} ListName */
/** @typedef {"differs" | "changed" | "compact"} FlagName */

/** @type {ListName[]} */
export const LISTS = ["language", "sdk", "host", "outcome", "judgement"];
/** @type {FlagName[]} */
const FLAGS = ["differs", "changed", "compact"];

/** @type {{ lists: Record<ListName, Set<string>>, flags: Set<FlagName>, search: string, cell: string }} */
export const state = {
  lists: { language: new Set(), sdk: new Set(), host: new Set(), outcome: new Set(), judgement: new Set() },
  flags: new Set(),
  search: "",
  cell: "",
};

/** Takes the state from the address. An address such as #abi names a section and changes nothing. */
export function readAddress() {
  const fragment = location.hash.slice(1);
  if (fragment && !fragment.includes("=")) return false;
  // An empty fragment, as cleared filters leave it, counts: it is not the same as none.
  const asked = new URLSearchParams(location.href.includes("#") ? fragment : location.search);
  for (const name of LISTS) state.lists[name] = new Set(asked.getAll(name));
  state.flags = new Set(FLAGS.filter((name) => asked.has(name) && asked.get(name) !== "0"));
  state.search = asked.get("case") ?? "";
  state.cell = asked.get("cell") ?? "";
  return true;
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
  if (state.search) add("case", state.search);
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
  const address = fragmentOf();
  if (address === (location.hash || "#") && !(location.search && !location.href.includes("#"))) return;
  if (place) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

export const isCellFilter = () =>
  state.lists.outcome.size > 0 || state.lists.judgement.size > 0 || state.flags.has("differs") || state.flags.has("changed");
export const isFiltered = () => isCellFilter() || state.search !== "" || LISTS.some((name) => state.lists[name].size > 0);

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
  const asked = state.search.trim().toLowerCase();
  const { id, title } = caseAt(row);
  return !asked || id.toLowerCase().includes(asked) || title.toLowerCase().includes(asked);
}

/**
 * Whether the filters of outcomes, judgements, differences and changes let a cell pass.
 * @param {number} cell
 */
export function cellMatches(cell) {
  const look = lookOf(cell);
  const { outcome, judgement } = state.lists;
  return (
    (!outcome.size || outcome.has(look.outcome)) &&
    (!judgement.size || judgement.has(look.judgement)) &&
    (!state.flags.has("differs") || differs(cell)) &&
    (!state.flags.has("changed") || wasOf(cell) !== null)
  );
}

// What is shown, as the address has it: #language=rust&host=1.40.0&outcome=failed&differs=1&cell=ID. The same after a ? works, too.

const LISTS = ["language", "sdk", "host", "outcome", "judgement"];
const FLAGS = ["differs", "changed", "compact"];
const state = { lists: Object.fromEntries(LISTS.map((name) => [name, new Set()])), flags: new Set(), search: "", cell: "" };

/** Takes the state from the address. An address such as #abi names a section and changes nothing. */
function readAddress() {
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

/** The fragment of the state, with `changed` parts of it. */
function fragmentOf(changed = {}) {
  const parts = [];
  const add = (name, value) => parts.push(`${name}=${encodeURIComponent(value).replace(/%(2F|40|3A)/g, decodeURIComponent)}`);
  for (const name of LISTS) for (const value of state.lists[name]) add(name, value);
  if (state.search) add("case", state.search);
  for (const name of state.flags) add(name, "1");
  const cell = changed.cell ?? state.cell;
  if (cell) add("cell", cell);
  return `#${parts.join("&")}`;
}

/** Writes the state into the address; a new place in the history only where `place` is true. */
function writeAddress(place = false) {
  const address = fragmentOf();
  if (address === (location.hash || "#") && !(location.search && !location.href.includes("#"))) return;
  if (place) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

const isCellFilter = () =>
  state.lists.outcome.size > 0 || state.lists.judgement.size > 0 || state.flags.has("differs") || state.flags.has("changed");
const isFiltered = () =>
  isCellFilter() || state.search !== "" || ["language", "sdk", "host"].some((name) => state.lists[name].size);

function columnMatches(column) {
  const sdk = sdkOf(column);
  const { language, host, sdk: sdks } = state.lists;
  return (
    (!language.size || language.has(sdk.language)) &&
    (!sdks.size || sdks.has(sdk.id)) &&
    (!host.size || host.has(hostOf(column)))
  );
}

function caseMatches(row) {
  const asked = state.search.trim().toLowerCase();
  return !asked || data.cases[row].id.toLowerCase().includes(asked) || data.cases[row].title.toLowerCase().includes(asked);
}

/** Whether the filters of outcomes, judgements, differences and changes let a cell pass. */
function cellMatches(cell) {
  const look = lookOf(cell);
  const { outcome, judgement } = state.lists;
  return (
    (!outcome.size || outcome.has(look.outcome)) &&
    (!judgement.size || judgement.has(look.judgement)) &&
    (!state.flags.has("differs") || differs(cell)) &&
    (!state.flags.has("changed") || wasOf(cell) !== null)
  );
}

// "My module": what this run says of one language, SDK, way from host to host and extension point, and how to check a module.

import { byId, command, counted, el } from "./dom.js";
import { cellAt, data, hostOf, item, lookOf, NO_VERDICT, pointOf, pointStateOf, sdkOf } from "./store.js";

/** @import { Child } from "./dom.js" */
/** @typedef {{ language: string, minor: string, from: string, to: string, point: string }} Asked */
/** @typedef {{ glyph: string, word: string, style: string, more: Child[] }} Told */

const MOST_RECORDS = 5;
/** The extension points that cases are about which name none. */
const UNDECLARED = ["http_filter", "network_filter", "listener_filter"];
const official = data.columns.map((_, column) => column).filter((column) => sdkOf(column).provider === "official");

/** Fills the part, where there is an official SDK to ask about. */
export function buildMyModule() {
  const box = byId("my-module-box");
  if (!official.length) return;
  byId("my-module").hidden = false;
  const languages = new Map(official.map((column) => [sdkOf(column).language, sdkOf(column).languageName]));
  const language = select("language", "Language", [...languages]);
  const minor = select("minor", "SDK", []);
  const from = select("from", "from Envoy", []);
  const to = select("to", "to Envoy", []);
  const point = select(
    "point",
    "Extension point",
    data.points.map((it) => [it.id, it.hasCases ? it.id : `${it.id} (no case)`]),
  );
  const out = el("div", { role: "status", id: "my-module-answer" });
  const asked = () => ({
    language: language.value,
    minor: minor.value,
    from: from.value,
    to: to.value,
    point: point.value,
  });
  const say = () => {
    const told = answerOf(asked());
    out.replaceChildren(
      el("p", {}, el("span", { class: `chip ${told.style}` }, `${told.glyph} ${told.word}`)),
      ...told.more.map((it) => el("p", {}, it)),
      el("p", { class: "dim" }, "This is what the suite's probes show. Of your own module:"),
      command(checkLine(asked())),
    );
  };
  const versions = () => {
    const its = official.filter((column) => sdkOf(column).language === language.value);
    const minors = [...new Set(its.map((column) => sdkOf(column).minor))];
    choose(minor, minors, firstTested(language.value, minors));
    hosts();
  };
  const hosts = () => {
    const its = official.filter((column) => sdkOf(column).language === language.value && sdkOf(column).minor === minor.value);
    const names = its.map(hostOf);
    const supported = its.filter((column) => item(data.columns, column).window === "supported").map(hostOf);
    choose(from, names, supported[0] ?? names[0] ?? "");
    choose(to, names, supported.at(-1) ?? names.at(-1) ?? "");
    say();
  };
  language.addEventListener("change", versions);
  minor.addEventListener("change", hosts);
  for (const it of [from, to, point]) it.addEventListener("change", say);
  box.append(el("div", { class: "asked" }, [language, minor, from, to, point].map(labelled)), out);
  if (data.points.some((it) => it.id === "http_filter")) point.value = "http_filter";
  versions();
}

/**
 * The newest minor of which anything was tested, or the newest one.
 * @param {string} language
 * @param {string[]} minors Oldest first.
 */
function firstTested(language, minors) {
  const tested = official.filter((column) => sdkOf(column).language === language && !isUntested(column));
  const its = minors.filter((minor) => tested.some((column) => sdkOf(column).minor === minor));
  return its.at(-1) ?? minors.at(-1) ?? "";
}

/** @param {number} column */
function isUntested(column) {
  const { state, window } = item(data.columns, column);
  return state === "not tested" || window !== "supported";
}

/**
 * @param {string} name
 * @param {string} title
 * @param {[string, string][]} values
 */
function select(name, title, values) {
  const made = el("select", { id: `my-${name}`, "aria-label": title, "data-title": title });
  made.append(...values.map(([value, label]) => el("option", { value }, label)));
  return made;
}

/** @param {HTMLSelectElement} its */
function labelled(its) {
  return el("label", { for: its.id }, `${its.dataset.title} `, its);
}

/**
 * @param {HTMLSelectElement} its
 * @param {string[]} values
 * @param {string} chosen
 */
function choose(its, values, chosen) {
  its.replaceChildren(...values.map((value) => el("option", { value }, value)));
  its.value = chosen;
}

/**
 * The column of an official SDK on a host, or -1.
 * @param {Asked} asked
 * @param {string} host
 */
function columnFor(asked, host) {
  return (
    official.find(
      (column) => sdkOf(column).language === asked.language && sdkOf(column).minor === asked.minor && hostOf(column) === host,
    ) ?? -1
  );
}

/**
 * The cells of a column that say something of an extension point.
 * @param {number} column
 * @param {string} point
 */
function cellsOf(column, point) {
  if (column < 0) return [];
  const isOwn = pointStateOf(point, column) !== null && !UNDECLARED.includes(point);
  return data.cases
    .map((_, row) => (pointOf(row) === point || (!isOwn && !pointOf(row)) ? cellAt(row, column) : -1))
    .filter((cell) => cell >= 0);
}

/**
 * The failing cells of a column by record, of those that say something of an extension point; new failures have none.
 * @param {number} column
 * @param {string} point
 */
function failuresOf(column, point) {
  /** @type {Map<string, number[]>} */
  const found = new Map();
  for (const cell of cellsOf(column, point)) {
    const look = lookOf(cell);
    if (look.relation !== "supported" || !look.severity) continue;
    found.set(look.record, [...(found.get(look.record) ?? []), cell]);
  }
  return found;
}

/**
 * @param {Asked} asked
 * @returns {Told}
 */
function answerOf(asked) {
  const column = columnFor(asked, asked.to);
  const { more, isOpen } = aboutPoint(asked);
  if (data.modifiedHosts.includes(asked.to)) more.push(`Envoy ${asked.to} is a modified build, not the release.`);
  if (column < 0) return { glyph: "○", word: "not tested", style: "not-run", more };
  const its = item(data.columns, column);
  const at = pointStateOf(asked.point, column);
  // Where no cell is about it, that of HTTP filters, which has all cells that name no extension point.
  const state = (at ?? pointStateOf("http_filter", column))?.state ?? its.state;
  if (at?.state === "not applicable")
    return { glyph: "-", word: "not applicable at this extension point", style: "not-run", more: [at.reason, ...more] };
  const only = at && !UNDECLARED.includes(asked.point) ? `&point=${asked.point}` : "";
  const link = el(
    "a",
    { href: `#sdk=${sdkOf(column).id}&host=${asked.to}${only}`, "data-filter": true },
    `its cells on Envoy ${asked.to}`,
  );
  if (its.window !== "supported") {
    const ran = cellsOf(column, asked.point).filter((cell) => !NO_VERDICT.has(lookOf(cell).outcome));
    const failing = ran.filter((cell) => lookOf(cell).severity);
    const seen = failing.length
      ? `tried, and ${failing.length} of ${counted(ran.length, "case")} fail, at worst: ${worst(failing)}`
      : ran.length
        ? `tried, and ${counted(ran.length, "case")} pass`
        : "not tried";
    return { glyph: "·", word: "not promised", style: "none", more: [[`${seen}: `, link], ...more] };
  }
  if (state === "not tested") return { glyph: "○", word: "not tested", style: "not-run", more: [link, ...more] };
  if (state === "not applicable") return { glyph: "○", word: "not tested", style: "not-run", more };
  const before = failuresOf(columnFor(asked, asked.from), asked.point);
  const failures = failuresOf(column, asked.point);
  const fresh = failures.get("") ?? [];
  failures.delete("");
  /** @type {Child[]} */
  const lines = [...failures]
    .sort(([, one], [, other]) => rank(one) - rank(other) || other.length - one.length)
    .slice(0, MOST_RECORDS)
    .map(([record, cells]) => knownLine(asked, column, only, record, cells, asked.from !== asked.to && !before.has(record)));
  if (failures.size > MOST_RECORDS) lines.push([`and ${failures.size - MOST_RECORDS} more: `, link]);
  if (fresh.length)
    return {
      glyph: "✗",
      word: "does not work",
      style: "bad",
      more: [[`new failures, at worst: ${worst(fresh)}: `, link], ...lines, ...more],
    };
  if (state === "fails" || state === "could not run" || state === "partly tested")
    return { glyph: "◐", word: `cannot be told: ${state}`, style: "incomplete", more: [link, ...lines, ...more] };
  if (isOpen) return { glyph: "○", word: "not tested at this extension point", style: "not-run", more: [...more, ...lines] };
  if (failures.size) return { glyph: "!", word: "works, with these known failures", style: "known", more: [...lines, ...more] };
  return { glyph: "✓", word: "works", style: "good", more: [link, ...more] };
}

/**
 * What is known of the extension point besides cells, and whether that leaves the question open.
 * @param {Asked} asked
 */
function aboutPoint(asked) {
  /** @type {Child[]} */
  const more = [];
  const column = columnFor(asked, asked.to);
  const hasCases = data.points.some((it) => it.id === asked.point && it.hasCases);
  const isOpen = !hasCases || (column >= 0 && pointStateOf(asked.point, column) === null);
  if (isOpen)
    more.push(
      `No case${hasCases ? " of this run" : ""} is about ${asked.point}: only loading and what all modules share was tested.`,
    );
  const breaks = data.abiFindings.filter(
    (it) =>
      it.old === asked.minor &&
      (asked.to === it.new || asked.to.startsWith(`${it.new}.`)) &&
      (!it.points.length || it.points.includes(asked.point)),
  );
  if (breaks.length)
    more.push(
      el(
        "a",
        { href: "#abi" },
        `${counted(breaks.length, "change")} of the ABI on this way may break a module: ${breaks.map((it) => it.subject).join(", ")}`,
      ),
    );
  return { more, isOpen };
}

/**
 * @param {Asked} asked
 * @param {number} column
 * @param {string} only The part of the address that names the extension point.
 * @param {string} record
 * @param {number[]} cells
 * @param {boolean} isNew
 */
function knownLine(asked, column, only, record, cells, isNew) {
  const title = data.records.find((it) => it.id === record)?.title || record;
  return [
    el(
      "a",
      { href: `#sdk=${sdkOf(column).id}&host=${asked.to}${only}&record=${encodeURIComponent(record)}`, "data-filter": true },
      `${title} (${counted(cells.length, "case")}, at worst: ${worst(cells)})`,
    ),
    isNew ? el("b", {}, ` not on Envoy ${asked.from}`) : null,
  ];
}

/**
 * The worst that happens in some failing cells.
 * @param {number[]} cells
 */
function worst(cells) {
  const found = new Set(cells.map((cell) => lookOf(cell).severity));
  return data.severities.find((it) => found.has(it)) ?? "";
}

/** @param {number[]} cells */
const rank = (cells) => data.severities.indexOf(worst(cells));

/** @param {Asked} asked */
function checkLine(asked) {
  const hosts = [...new Set([asked.from, asked.to])].filter((host) => host && !host.includes("~"));
  return [
    "dmconform check MODULE.so",
    ...hosts.map((host) => `--host ${host}`),
    `--extension-point ${asked.point}`,
    `--sdk-minor ${asked.minor}`,
  ].join(" ");
}

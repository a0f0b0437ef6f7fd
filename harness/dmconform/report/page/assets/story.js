// A cell's story: what is asked, what was seen, both verdicts, how to see it again. It is in the address while it is open.

import { breakable, byId, chip, command, counted, el, opening } from "./dom.js";
import { showCell } from "./matrix.js";
import { fragmentOf, state, writeAddress } from "./state.js";
import {
  caseOf,
  cellAt,
  columnAt,
  columnCount,
  columnOf,
  data,
  hostOf,
  idOf,
  item,
  lookOf,
  NO_VERDICT,
  newCells,
  own,
  packed,
  rowOf,
  sdkOf,
  text,
  wasOf,
} from "./store.js";

/** @import { ColumnData, Look, RequirementData } from "./data.d.ts" */
/** @import { Child } from "./dom.js" */

/** @typedef {[string, Child, string?]} Pair A name, the text under it, and the name of that for the tests. */

export const story = {
  dialog: /** @type {HTMLDialogElement} */ (byId("story")),
  cell: -1,
  /** @type {HTMLElement | null} */
  from: null,
};

/**
 * Opens the story of a cell, and gives it a place in the history.
 * @param {number} cell
 * @param {HTMLElement | null} from A link outside the matrix, to come back to.
 */
export function openStory(cell, from = null) {
  story.from = from;
  state.cell = idOf(cell);
  writeAddress(true);
  showStory(cell);
}

/** @param {number} cell */
export function showStory(cell) {
  story.cell = cell;
  const title = el("h2", { id: "story-title", tabindex: "-1" }, chip(lookOf(cell)), " ", breakable(caseOf(cell).id));
  const close = el("button", { type: "button", class: "close", "aria-label": "Close (Escape)" }, "✕ close");
  close.addEventListener("click", () => story.dialog.close());
  story.dialog.replaceChildren(
    el("div", { class: "story-head" }, title, close),
    el(
      "p",
      { class: "dim" },
      `${sdkOf(columnOf(cell)).id} → Envoy ${hostOf(columnOf(cell))} · `,
      el("a", { href: fragmentOf({ cell: idOf(cell) }), id: "permalink" }, "permalink"),
    ),
    ...chapters(cell),
  );
  if (!story.dialog.open) story.dialog.showModal();
  story.dialog.scrollTop = 0;
  title.focus({ preventScroll: true });
}

story.dialog.addEventListener("close", () => {
  const { cell, from } = story;
  story.cell = -1;
  story.from = null;
  if (state.cell) {
    state.cell = "";
    writeAddress();
  }
  if (from?.isConnected) from.focus();
  else if (cell >= 0) showCell(cell);
});

/**
 * Whether the pointer is on what is behind the story: the dialog is what is hit there, and by its own edges as well.
 * @param {MouseEvent} event
 */
const isBehind = (event) => event.target === story.dialog && event.clientX < story.dialog.getBoundingClientRect().left;
let pressedBehind = false;
story.dialog.addEventListener("pointerdown", (event) => {
  pressedBehind = isBehind(event);
});
story.dialog.addEventListener("click", (event) => {
  if (pressedBehind && isBehind(event)) story.dialog.close(); // and not where a selection of text only ends there
});

/**
 * A part of the story: a title and what it says; nothing where it has nothing to say.
 * @param {string} title
 * @param {Child[]} children
 */
function chapter(title, ...children) {
  const its = children.flat().filter(Boolean);
  return its.length ? [el("section", { "data-chapter": title }, el("h3", {}, title), its)] : [];
}

/** @param {Pair[]} rows */
function pairs(...rows) {
  const its = rows.filter((row) => row[1]);
  return its.length
    ? el(
        "dl",
        {},
        its.flatMap(([name, value, field]) => [el("dt", {}, name), el("dd", { "data-field": field }, value)]),
      )
    : null;
}

/** @param {number} cell */
function chapters(cell) {
  const look = lookOf(cell);
  const column = columnAt(columnOf(cell));
  const its = caseOf(cell);
  const detail = own(cell, look.detail);
  const was = wasOf(cell);
  return [
    ...chapter(
      "What is asked",
      its.title ? el("p", { class: "lead" }, its.title) : null,
      its.requirements.map((number) => requirement(item(data.requirements, number))),
    ),
    ...chapter(
      "How it counts",
      pairs(
        ["outcome", look.outcome, "outcome"],
        ["counts as", `${look.judgement}: ${look.meaning}`, "judgement"],
        ["promise", look.relation + (look.relationReason ? `: ${own(cell, look.relationReason)}` : ""), "relation"],
        ["before", was ? `${was.outcome} (${was.judgement})` : newCells.has(cell) ? "not in the earlier report" : "", "was"],
        ["again", look.reruns, "reruns"],
        ["changed", was ? [was.kind, was.ranWith].filter(Boolean).join("; with ") : "", "change"],
      ),
      hostsStrip(cell),
    ),
    ...expectedAndSeen(look, detail),
    ...chapter("Log of the host", look.log ? el("pre", { "data-field": "log" }, own(cell, look.log)) : null),
    ...verdicts(cell, look, column),
    ...waiver(look),
    ...chapter(
      "See it yourself",
      look.reproduce ? el("div", { "data-field": "reproduce" }, command(own(cell, look.reproduce))) : null,
      evidence(cell, look),
    ),
    ...chapter(
      "Facts",
      pairs(
        ...item(packed.facts, item(packed.fact, cell)).map(
          /** @returns {Pair} */ ([name, value]) => [text(name), own(cell, text(value))],
        ),
        ["took", NO_VERDICT.has(look.outcome) ? "" : `${(item(packed.tookMs, cell) / 1000).toFixed(2)} s`],
        ["module (SHA-256)", text(item(packed.module, cell))],
      ),
    ),
  ];
}

/** @param {RequirementData} its */
function requirement(its) {
  const where = [its.document, its.section, its.level, its.hosts ? `hosts ${its.hosts}` : ""].filter(Boolean).join(" · ");
  return el(
    "blockquote",
    { "data-field": "requirement" },
    el("p", {}, its.statement),
    el("footer", {}, el("b", {}, its.id), ` ${where}`),
  );
}

/**
 * The first line of a detail is the sentence about it; the others are lines of logs, or what the check compared.
 * @param {Look} look
 * @param {string} detail
 */
function expectedAndSeen(look, detail) {
  if (!detail) return [];
  const end = detail.indexOf("\n");
  const sentence = end < 0 ? detail : detail.slice(0, end);
  const rest = end < 0 ? "" : detail.slice(end + 1);
  return chapter(
    NO_VERDICT.has(look.outcome) ? "Why it did not run" : "Expected and seen",
    el("div", { "data-field": "detail" }, el("pre", { class: "seen" }, sentence), rest ? el("pre", {}, rest) : null),
  );
}

/**
 * The same case and SDK on each host.
 * @param {number} cell
 */
function hostsStrip(cell) {
  const column = columnOf(cell);
  const links = [];
  for (let other = 0; other < columnCount; other++) {
    if (columnAt(other).sdk !== columnAt(column).sdk) continue;
    const its = cellAt(rowOf(cell), other);
    if (its < 0) continue;
    const look = lookOf(its);
    links.push(
      el(
        "li",
        {},
        el(
          "a",
          { class: `chip ${look.style}`, href: fragmentOf({ cell: idOf(its) }), "aria-current": its === cell ? "true" : null },
          `${hostOf(other)} ${look.glyph} ${look.word}`,
        ),
      ),
    );
  }
  return links.length > 1 ? el("div", {}, el("h4", {}, "The same on each host"), el("ul", { class: "strip" }, links)) : null;
}

/**
 * @param {number} cell
 * @param {Look} look
 * @param {ColumnData} column
 */
function verdicts(cell, look, column) {
  const told = data.static[column.static];
  const names = told?.names.length
    ? opening(`${counted(told.missing, "name")} missing`, () =>
        el(
          "p",
          { class: "mono" },
          told.names.flatMap((name) => [...breakable(name), " "]),
          told.missing > told.names.length ? `and ${told.missing - told.names.length} more, in report.json` : "",
        ),
      )
    : null;
  return chapter(
    "Both verdicts on the probe",
    el(
      "div",
      { class: "verdicts" },
      el(
        "div",
        {},
        el("h4", {}, "static: what its file says"),
        el(
          "p",
          { "data-field": "static" },
          told ? breakable(told.reason ? `${told.kind}: ${told.reason}` : told.kind) : "not known",
        ),
        names,
      ),
      el(
        "div",
        {},
        el("h4", {}, "run-time: what the host did"),
        el("p", { "data-field": "probe" }, look.load, look.symbol ? [": ", breakable(own(cell, look.symbol))] : null),
        el("p", {}, "ABI string: ", el("span", { "data-field": "abi" }, look.abi)),
      ),
    ),
    look.mismatch
      ? el(
          "div",
          { class: "warning" },
          el("b", {}, "≠ They disagree"),
          el("pre", { "data-field": "mismatch" }, own(cell, look.mismatch)),
        )
      : null,
  );
}

/** @param {Look} look */
function waiver(look) {
  if (!look.record) return [];
  const record = data.records.find((it) => it.id === look.record);
  return chapter(
    "Known failure",
    pairs(
      ["record", look.record, "record"],
      ["reason", record?.reason],
      ["evidence", record?.evidence],
      ["cells", record ? `${record.cells}${record.stale ? `, ${record.stale} of them stale` : ""}` : ""],
    ),
  );
}

/**
 * @param {number} cell
 * @param {Look} look
 */
function evidence(cell, look) {
  const folder = own(cell, look.evidence);
  if (!folder) return null;
  const address = below(folder);
  if (!address) return el("p", { "data-field": "evidence" }, "Evidence: ", folder);
  return el(
    "p",
    { "data-field": "evidence" },
    "Evidence, if the folder was kept: ",
    el("a", { href: `${address}/` }, breakable(folder)),
    ", ",
    el("a", { href: `${address}/envoy.log` }, "envoy.log"),
  );
}

/**
 * A path as an address below the report's folder, or null where it leads anywhere else.
 * @param {string} path
 */
function below(path) {
  if (path.startsWith("/") || path.includes("\\") || path.split("/").includes("..")) return null;
  return `./${path.split("/").map(encodeURIComponent).join("/")}`;
}

// A cell's story: requirement, outcome, what was expected and observed, how to reproduce it. It is in the address while open.

import { breakable, byId, chip, command, counted, el, opening } from "./dom.js";
import { issueLink } from "./failures.js";
import { showCell } from "./matrix.js";
import { documentLink } from "./sections.js";
import { fragmentOf, state, writeAddress } from "./state.js";
import {
  caseOf,
  cellAt,
  columnAt,
  columnCount,
  columnOf,
  data,
  hostLabel,
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

/** @typedef {[string, Child, string?]} Pair A name, its text, and the name of that for the tests. */

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
      `${sdkOf(columnOf(cell)).id} → Envoy ${hostLabel(hostOf(columnOf(cell)))} · `,
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
 * A part of the story: a title and its text; nothing where there is no text.
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
      "Case and requirement",
      its.title ? el("p", { class: "lead" }, its.title) : null,
      its.source ? el("p", {}, el("a", { href: its.source, rel: "noreferrer" }, "source of the case")) : null,
      its.requirements.map((number) => requirement(item(data.requirements, number))),
    ),
    ...chapter(
      "Result",
      pairs(
        ["outcome", look.outcome, "outcome"],
        ["severity", look.severity, "severity"],
        ["judgement", judged(look), "judgement"],
        ["relation", look.relation + (look.relationReason ? `: ${own(cell, look.relationReason)}` : ""), "relation"],
        [
          "earlier run",
          was ? `${was.outcome} (${was.judgement})` : newCells.has(cell) ? "not in the earlier report" : "",
          "was",
        ],
        ["reruns", look.reruns, "reruns"],
        ["changed", was ? [was.kind, was.ranWith].filter(Boolean).join("; with ") : "", "change"],
      ),
      hostsStrip(cell),
    ),
    ...expectedAndSeen(look, detail),
    ...chapter("Host log", look.log ? el("pre", { "data-field": "log" }, own(cell, look.log)) : null),
    ...analysis(cell, look, column),
    ...knownFailure(look),
    ...chapter(
      NO_VERDICT.has(look.outcome) ? "To test it" : "Reproduce",
      look.reproduce ? el("div", { "data-field": "reproduce" }, command(own(cell, look.reproduce))) : null,
      evidence(cell, look),
    ),
    ...chapter(
      "Recorded values",
      pairs(
        ...item(packed.facts, item(packed.fact, cell)).map(
          /** @returns {Pair} */ ([name, value]) => [text(name), own(cell, text(value))],
        ),
        ["duration", NO_VERDICT.has(look.outcome) ? "" : `${(item(packed.tookMs, cell) / 1000).toFixed(2)} s`],
        ["module (SHA-256)", text(item(packed.module, cell))],
      ),
    ),
  ];
}

/**
 * The judgement and its meaning; of two meanings of one word, the one that is true of the cell.
 * @param {Look} look
 */
function judged(look) {
  if (look.judgement !== "skip") return `${look.judgement}: ${look.meaning}`;
  return look.outcome === "not tested"
    ? "skip: not tested, as the SDK or the host could not be had; never a pass"
    : "skip: not applicable, as the case says nothing about this cell";
}

/** @param {RequirementData} its */
function requirement(its) {
  const where = [its.section, its.level, its.hosts ? `hosts ${its.hosts}` : ""].filter(Boolean).join(" · ");
  return el(
    "blockquote",
    { "data-field": "requirement" },
    el("p", {}, its.statement),
    el("footer", {}, el("b", {}, its.id), " ", documentLink(its), ` · ${where}`),
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
    NO_VERDICT.has(look.outcome) ? "Why it did not run" : "Expected and observed",
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
          `${hostLabel(hostOf(other))} ${look.glyph} ${look.word}`,
        ),
      ),
    );
  }
  return links.length > 1
    ? el("div", {}, el("h4", {}, "This case and SDK on each host"), el("ul", { class: "strip" }, links))
    : null;
}

/**
 * @param {number} cell
 * @param {Look} look
 * @param {ColumnData} column
 */
function analysis(cell, look, column) {
  const its = data.static[column.static];
  const names = its?.names.length
    ? opening(`${counted(its.missing, "symbol")} missing`, () =>
        el(
          "p",
          { class: "mono" },
          its.names.flatMap((name) => [...breakable(name), " "]),
          its.missing > its.names.length ? `and ${its.missing - its.names.length} more, in report.json` : "",
        ),
      )
    : null;
  return chapter(
    "Static analysis and run-time observation of the probe",
    el(
      "div",
      { class: "sides" },
      el(
        "div",
        {},
        el("h4", {}, "Static analysis: what the files say"),
        el(
          "p",
          { "data-field": "static" },
          its ? breakable(its.reason ? `${its.kind}: ${its.reason}` : its.kind) : "not known",
        ),
        names,
      ),
      el("div", {}, el("h4", {}, "Run-time observation: what the host did"), observation(cell, look)),
    ),
    look.mismatch
      ? el(
          "div",
          { class: "warning" },
          el("b", {}, "≠ Static/run-time mismatch"),
          el("pre", { "data-field": "mismatch" }, own(cell, look.mismatch)),
        )
      : null,
  );
}

/**
 * What the host did with the probe: nothing, where the cell did not run.
 * @param {number} cell
 * @param {Look} look
 */
function observation(cell, look) {
  if (NO_VERDICT.has(look.outcome)) return el("p", { "data-field": "probe" }, `none: the cell did not run (${look.outcome})`);
  return [
    el("p", { "data-field": "probe" }, look.load, look.symbol ? [": ", breakable(own(cell, look.symbol))] : null),
    el("p", {}, "ABI string: ", el("span", { "data-field": "abi" }, look.abi)),
  ];
}

/** @param {Look} look */
function knownFailure(look) {
  if (!look.record) return [];
  const record = data.records.find((it) => it.id === look.record);
  return chapter(
    "Known failure",
    pairs(
      [
        "record",
        el("a", { href: `#record=${encodeURIComponent(look.record)}`, "data-filter": "failures" }, look.record),
        "record",
      ],
      ["title", record && record.title !== look.record ? record.title : ""],
      ["fault", record?.fault],
      ["reason", record?.reason],
      ["workaround", record?.workaround],
      ["reported", record ? issueLink(record.issue) : ""],
      ["evidence", record?.evidence],
      ["cells", record ? `${record.cells}${record.xpass ? `, ${record.xpass} of them xpass` : ""}` : ""],
    ),
  );
}

/**
 * @param {number} cell
 * @param {Look} look
 */
function evidence(cell, look) {
  const folder = own(cell, look.evidence);
  if (!folder) return null; // none was kept, or none is beside this page
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

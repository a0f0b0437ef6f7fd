// Begins, and follows the address.

import { buildAbi } from "./abi.js";
import { byId, closest } from "./dom.js";
import { buildFailures } from "./failures.js";
import { buildFilters } from "./filters.js";
import { buildFindings } from "./findings.js";
import { listenToMatrix } from "./keyboard.js";
import { buildMatrix, showCell } from "./matrix.js";
import { buildMyModule } from "./mymodule.js";
import { buildRequirements } from "./sections.js";
import { fragmentOf, readAddress, state, writeAddress } from "./state.js";
import { cellWithId } from "./store.js";
import { openStory, showStory, story } from "./story.js";

/** @type {string | null} */
let drawnFor = null;

/** Shows what the state says; the matrix is made anew only where its filters have changed. */
function show() {
  const wanted = fragmentOf({ cell: "-" });
  if (wanted !== drawnFor) {
    drawnFor = wanted;
    updateFilters(buildMatrix(changed));
    buildFailures();
    buildFindings();
  }
  const cell = state.cell ? cellWithId(state.cell) : -1;
  warnUnknown(cell < 0 ? state.cell : "");
  if (cell >= 0 && cell !== story.cell) {
    showCell(cell, false);
    showStory(cell);
  } else if (cell < 0 && story.dialog.open) story.dialog.close();
}

/**
 * Says of an address what of it this report does not know; what is asked for after that is another address.
 * @param {string} cell The id of a cell that there is not; empty where there is nothing to warn of.
 */
function warnUnknown(cell) {
  const said = state.unknown.map(({ name, value, near }) =>
    value
      ? `This report has no ${name} ${value}, so that filter lets nothing pass. It has: ${few(near)}.`
      : `There is no filter ${name}, so it is left out. There are: ${few(near)}.`,
  );
  if (cell)
    said.unshift(
      `This report has no cell ${cell}. The case, the SDK version or the host may have another name here, or was not part of this run.`,
    );
  const box = byId("unknown");
  box.hidden = !said.length;
  box.textContent = said.join("\n");
  if (cell) state.cell = "";
}

/** @param {string[]} names */
function few(names, most = 12) {
  return names.length <= most ? names.join(", ") : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

function changed() {
  writeAddress();
  show();
}

addEventListener("hashchange", () => {
  if (readAddress()) show();
  else {
    const asked = document.getElementById(location.hash.slice(1));
    if (asked?.closest("details")) reveal(asked);
  }
});
addEventListener("popstate", () => {
  if (readAddress()) show();
});
document.addEventListener("click", (event) => {
  const link = closest(event, "a");
  if (!link) return;
  if (link.hasAttribute("data-open")) {
    event.preventDefault();
    openStory(Number(link.dataset.open), link);
  } else if (link.hasAttribute("data-filter")) byId(link.dataset.filter || "matrix").scrollIntoView();
  else if (/^#[^=]+$/.test(link.getAttribute("href") ?? "") && location.hash.includes("=")) {
    event.preventDefault(); // the section is shown, and what is filtered stays in the address
    const section = byId((link.getAttribute("href") ?? "").slice(1));
    reveal(section);
    section.focus({ preventScroll: true });
  }
});

/**
 * Scrolls to an element, and opens what it is in.
 * @param {Element} element
 */
function reveal(element) {
  for (let it = element.closest("details"); it; it = it.parentElement?.closest("details") ?? null) it.open = true;
  element.scrollIntoView();
}

/**
 * What was opened for paper, where nothing can be clicked.
 * @type {HTMLDetailsElement[]}
 */
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("#failures-box > details, #found")]
    .filter((it) => it instanceof HTMLDetailsElement)
    .filter((it) => !it.open && it.id !== "informational");
  for (const it of opened) {
    it.open = true;
    it.dispatchEvent(new Event("toggle")); // the browser's own comes after the picture is taken
  }
});
addEventListener("afterprint", () => {
  for (const it of opened) it.open = false;
});

for (const section of document.querySelectorAll("main > section[hidden]")) section.removeAttribute("hidden"); // empty without this script
readAddress();
const updateFilters = buildFilters(changed);
listenToMatrix();
buildMyModule();
show();
buildAbi();
buildRequirements();
if (location.hash && !location.hash.includes("=")) {
  const asked = document.getElementById(location.hash.slice(1));
  if (asked) reveal(asked);
} else if (!state.cell && (state.lists.record.size || state.lists.cause.size)) byId("failures").scrollIntoView();

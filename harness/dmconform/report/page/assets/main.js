// Begins, and follows the address.

import { buildAbi } from "./abi.js";
import { byId, closest } from "./dom.js";
import { buildFilters } from "./filters.js";
import { buildFindings } from "./findings.js";
import { listenToMatrix } from "./keyboard.js";
import { buildMatrix, showCell } from "./matrix.js";
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
    updateFilters(buildMatrix());
  }
  const cell = state.cell ? cellWithId(state.cell) : -1;
  warnUnknown(cell < 0 ? state.cell : "");
  if (cell >= 0 && cell !== story.cell) {
    showCell(cell, false);
    showStory(cell);
  } else if (cell < 0 && story.dialog.open) story.dialog.close();
}

/**
 * Says of a permalink that it leads to no cell of this report; what is asked for after that is another address.
 * @param {string} id Empty where there is nothing to warn of.
 */
function warnUnknown(id) {
  const box = byId("unknown");
  box.hidden = !id;
  box.textContent = id
    ? `This report has no cell ${id}. The case, the SDK version or the host may have another name here, or was not part of this run.`
    : "";
  if (id) state.cell = "";
}

function changed() {
  writeAddress();
  show();
}

addEventListener("hashchange", () => {
  if (readAddress()) show();
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
  } else if (link.hasAttribute("data-filter")) byId("matrix").scrollIntoView();
  else if (/^#[^=]+$/.test(link.getAttribute("href") ?? "") && location.hash.includes("=")) {
    event.preventDefault(); // the section is shown, and what is filtered stays in the address
    const section = byId((link.getAttribute("href") ?? "").slice(1));
    section.scrollIntoView();
    section.focus({ preventScroll: true });
  }
});

for (const section of document.querySelectorAll("main > section[hidden]")) section.removeAttribute("hidden"); // empty without this script
readAddress();
const updateFilters = buildFilters(changed);
listenToMatrix();
show();
buildFindings();
buildAbi();
buildRequirements();
if (location.hash && !location.hash.includes("=")) document.getElementById(location.hash.slice(1))?.scrollIntoView();

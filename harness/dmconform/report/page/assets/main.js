// Begins, and follows the address.

let drawnFor = null;

/** Shows what the state says; the matrix is made anew only where its filters have changed. */
function show() {
  const wanted = fragmentOf({ cell: "-" });
  if (wanted !== drawnFor) {
    drawnFor = wanted;
    filters.update(buildMatrix());
  }
  const cell = state.cell ? cellWithId(state.cell) : -1;
  tellUnknown(cell < 0 ? state.cell : "");
  if (cell >= 0 && cell !== story.cell) {
    showCell(cell, false);
    showStory(cell);
  } else if (cell < 0 && story.dialog.open) story.dialog.close();
}

/** Says of a permalink that it leads to no cell of this report; what is asked for after that is another address. */
function tellUnknown(id) {
  const box = document.getElementById("unknown");
  box.hidden = !id;
  box.textContent = id
    ? `This report has no cell ${id}. The case, the SDK version or the host may be called otherwise here, or was not part of this run.`
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
  const link = event.target.closest("a");
  if (!link) return;
  if (link.hasAttribute("data-open")) {
    event.preventDefault();
    openStory(Number(link.dataset.open), link);
  } else if (link.hasAttribute("data-filter")) document.getElementById("matrix").scrollIntoView();
  else if (/^#[^=]+$/.test(link.getAttribute("href")) && location.hash.includes("=")) {
    event.preventDefault(); // the section is shown, and what is filtered stays in the address
    const section = document.getElementById(link.getAttribute("href").slice(1));
    section.scrollIntoView();
    section.focus({ preventScroll: true });
  }
});

for (const section of document.querySelectorAll("main > section[hidden]")) section.hidden = false; // empty without this script
readAddress();
buildFilters(changed);
show();
buildFindings();
buildAbi();
buildRequirements();
if (location.hash && !location.hash.includes("=")) document.getElementById(location.hash.slice(1))?.scrollIntoView();

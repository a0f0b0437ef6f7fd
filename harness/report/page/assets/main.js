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
  if (cell >= 0 && cell !== story.cell) {
    showCell(cell, false);
    showStory(cell);
  } else if (cell < 0 && story.dialog.open) story.dialog.close();
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
    openStory(Number(link.dataset.open));
  } else if (link.hasAttribute("data-filter")) document.getElementById("matrix").scrollIntoView();
});

for (const section of document.querySelectorAll("main > section[hidden]")) section.hidden = false; // empty without this script
readAddress();
buildFilters(changed);
show();
buildFindings();
buildAbi();
buildRequirements();
if (location.hash && !location.hash.includes("=")) document.getElementById(location.hash.slice(1))?.scrollIntoView();

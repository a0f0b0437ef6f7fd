// The matrix from the keyboard: one cell has the focus, arrows move it, Enter opens.

let roving = null;

/** Makes a cell the one that Tab comes to, and gives it the focus. */
function rove(element, focus = true) {
  if (!element) return;
  if (roving) roving.tabIndex = -1;
  roving = element;
  element.tabIndex = 0;
  if (focus) {
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

/** The cell at the same place of a row, or of the row that is nearest to the asked one. */
function cellOf(row, at) {
  fill(row);
  return row.children[Math.min(at, row.children.length - 1)];
}

const PAGE_ROWS = 12;

function listenToGrid(grid) {
  grid.addEventListener("click", (event) => {
    const element = event.target.closest(".cell, .head");
    if (!element || element.closest(".header")) return;
    rove(element);
    activate(element);
  });
  grid.addEventListener("keydown", (event) => {
    const element = event.target.closest(".cell, .head");
    if (!element || event.altKey || event.metaKey) return;
    const to = target(event, element);
    if (to) rove(to);
    else if (event.key === "Enter" || event.key === " ") activate(element);
    else return;
    event.preventDefault();
  });
}

/** Where a key leads from a cell, or null. */
function target(event, element) {
  const row = element.parentNode;
  const at = [...row.children].indexOf(element);
  const last = row.children.length - 1;
  const rows = [...row.parentNode.children];
  const place = rows.indexOf(row);
  const to = (index) => cellOf(rows[Math.max(0, Math.min(rows.length - 1, index))], at);
  switch (event.key) {
    case "ArrowRight":
      fill(row);
      return row.children[Math.min(row.children.length - 1, at + 1)];
    case "ArrowLeft":
      return row.children[Math.max(0, at - 1)];
    case "ArrowDown":
      return to(place + 1);
    case "ArrowUp":
      return to(place - 1);
    case "PageDown":
      return to(place + PAGE_ROWS);
    case "PageUp":
      return to(place - PAGE_ROWS);
    case "Home":
      return event.ctrlKey ? rows[0].children[0] : row.children[0];
    case "End":
      return event.ctrlKey ? cellOf(rows.at(-1), last) : row.children[last];
    default:
      return null;
  }
}

function activate(element) {
  if (element.dataset.cell !== undefined) openStory(Number(element.dataset.cell));
  else if (element.parentNode.row.below.length && !element.classList.contains("gap")) toggle(element.parentNode.row);
}

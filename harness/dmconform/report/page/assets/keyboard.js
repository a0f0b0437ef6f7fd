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
  const { at, parentNode: row } = element;
  const last = matrix.columns.length - 1;
  const rows = [...row.parentNode.children];
  const to = (steps) => cellOf(rows[Math.max(0, Math.min(rows.length - 1, rows.indexOf(row) + steps))], at);
  switch (event.key) {
    case "ArrowRight":
      return cellOf(row, Math.min(last, at + 1));
    case "ArrowLeft":
      return cellOf(row, Math.max(-1, at - 1));
    case "ArrowDown":
      return to(1);
    case "ArrowUp":
      return to(-1);
    case "PageDown":
      return to(PAGE_ROWS);
    case "PageUp":
      return to(-PAGE_ROWS);
    case "Home":
      return event.ctrlKey ? rows[0].firstChild : row.firstChild;
    case "End":
      return cellOf(event.ctrlKey ? rows.at(-1) : row, last);
    default:
      return null;
  }
}

function activate(element) {
  if (element.dataset.cell !== undefined) openStory(Number(element.dataset.cell));
  else if (element.parentNode.row.below.length && !element.classList.contains("gap")) toggle(element.parentNode.row);
}

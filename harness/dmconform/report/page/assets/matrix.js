// The matrix: a grid of rows that open. Only what is near the view has cells, so that 20,000 of them cost nothing.

const matrix = {
  box: document.getElementById("matrix-box"),
  columns: [],
  rows: [],
  scroll: null,
  body: null,
  watcher: null,
  near: new Set(), // elements of rows
  from: 0, // the columns that rows near the view have cells of, up to `to`
  to: 0,
  opened: new Set(),
  shown: 0,
};

/** Makes the matrix anew for what the filters let pass. */
function buildMatrix() {
  const columns = [];
  let shown = 0;
  const cellsCount = isCellFilter();
  const rows = data.cases.map((_, row) => row).filter(caseMatches);
  const matched = new Set();
  for (let column = 0; column < columnCount; column++) {
    if (!columnMatches(column)) continue;
    let count = 0;
    for (const row of rows) {
      const cell = cellAt(row, column);
      if (cell < 0 || !cellMatches(cell)) continue;
      count++;
      matched.add(row);
    }
    shown += count;
    if (count || !cellsCount) columns.push(column);
  }
  matrix.columns = columns;
  matrix.shown = shown;
  const cases = rows.filter((row) => matched.has(row));
  matrix.rows = cases.length ? [makeRow(1, "all", "all cases", "", cases), ...buildRows(cases)] : [];
  const few = matched.size <= 40 && isFiltered();
  for (const area of matrix.rows) {
    for (const row of [area, ...area.below]) row.open = few || matrix.opened.has(row.key) || isLoud(row);
  }
  draw();
  return shown;
}

/** Whether something in a row counts against the run: such rows are open from the start. */
function isLoud(row) {
  return matrix.columns.some((column) => {
    const counts = tally(row, column);
    return counts.bad > 0 || counts.incomplete > 0;
  });
}

function draw() {
  matrix.watcher?.disconnect();
  waiting.clear();
  matrix.near.clear();
  if (!matrix.columns.length || !matrix.rows.length) {
    matrix.box.replaceChildren(el("p", { class: "nothing" }, "No cell is like that."));
    matrix.scroll = matrix.body = null;
    return;
  }
  matrix.body = el("div", { role: "rowgroup" });
  const grid = el(
    "div",
    {
      class: "grid",
      role: "treegrid",
      "aria-label": "Matrix: cases by SDK version and host",
      "aria-readonly": "true",
      "aria-colcount": matrix.columns.length + 1,
    },
    heads(),
    matrix.body,
  );
  matrix.scroll = el("div", { class: "scroll" }, grid);
  matrix.scroll.classList.toggle("compact", state.flags.has("compact"));
  matrix.watcher = new IntersectionObserver(seen, { root: matrix.scroll, rootMargin: "250px 0px" });
  matrix.body.append(...matrix.rows.flatMap(elementsOf));
  number();
  const button = el("button", { type: "button", id: "unfold" });
  const folds = matrix.rows.flatMap((area) => [area, ...area.below]).filter((row) => row.below.length);
  const name = () => (button.textContent = folds.every((row) => row.open) ? "close all rows" : "open all rows");
  name();
  button.addEventListener("click", () => {
    const open = !folds.every((row) => row.open);
    for (const row of folds) {
      row.open = open;
      if (open) matrix.opened.add(row.key);
      else matrix.opened.delete(row.key);
    }
    matrix.body.replaceChildren(...matrix.rows.flatMap(elementsOf));
    number();
    rove(matrix.body.querySelector(".head"), false);
    name();
  });
  matrix.box.replaceChildren(
    el(
      "p",
      { class: "hint" },
      button,
      " Click a row to open it, a cell for its story. Keys: arrows move, Enter opens, Escape closes.",
    ),
    matrix.scroll,
  );
  listenToGrid(grid);
  rove(matrix.body.querySelector(".head"), false);
  showWindow();
  nearColumns();
  matrix.scroll.addEventListener("scroll", nearColumns, { passive: true });
}

addEventListener("resize", () => nearColumns());

const STEP = 4; // columns that come and go together

/** Which columns are near the view; rows get the cells of those that came near, and lose the others. */
function nearColumns() {
  if (!matrix.scroll) return;
  const [head, first] = matrix.scroll.querySelector(".header:nth-child(3)").children;
  const left = matrix.scroll.scrollLeft / first.offsetWidth;
  const seen = (matrix.scroll.clientWidth - head.offsetWidth) / first.offsetWidth;
  const from = Math.max(0, (Math.floor(left / STEP) - 1) * STEP);
  const to = Math.min(matrix.columns.length, (Math.ceil((left + seen) / STEP) + 1) * STEP);
  if (from === matrix.from && to === matrix.to) return;
  matrix.from = from;
  matrix.to = to;
  for (const element of matrix.near) waiting.add(element);
  filling ||= requestAnimationFrame(fillSome);
}

/** Scrolls to the first promised column where it is out of view, with half a column of what is before it. */
function showWindow() {
  const first = matrix.columns.findIndex((column) => data.columns[column].window === "supported");
  if (first < 0) return;
  const top = matrix.scroll.querySelector(`.top[aria-colindex="${first + 2}"]`);
  if (top.offsetLeft + top.offsetWidth > matrix.scroll.clientWidth)
    matrix.scroll.scrollLeft = top.offsetLeft - top.parentNode.firstChild.offsetWidth - top.offsetWidth / 2;
}

/** The elements of a row and of all open ones below it. */
function elementsOf(row) {
  row.element ??= rowElement(row);
  if (row.below.length) tellOpen(row);
  matrix.watcher.observe(row.element);
  return [row.element, ...(row.open ? row.below.flatMap(elementsOf) : [])];
}

/** Says whether a row is open, at the cell that has the focus when it is opened: what listens there hears of it. */
function tellOpen(row) {
  row.element.firstChild.setAttribute("aria-expanded", row.open);
}

function rowElement(row) {
  const own =
    row.level < 3
      ? [
          el("span", { class: row.below.length ? "twist" : "", "aria-hidden": "true" }),
          row.level === 2
            ? [el("small", {}, `${row.note} · ${counted(row.cases.length, "case")}`), el("span", { class: "name" }, row.label)]
            : [el("b", { class: "name" }, row.label), el("small", {}, counted(row.cases.length, "case"))],
        ]
      : [el("span", { class: "name mono" }, row.label)];
  const head = el(
    "div",
    { class: "head", role: "rowheader", tabindex: "-1", "aria-colindex": "1", title: wholeName(row) },
    own,
  );
  const element = el("div", { class: `row level-${row.level}`, role: "row", "aria-level": row.level }, head);
  head.at = -1;
  element.row = row;
  return element;
}

/** What a row's head has not always room for. */
function wholeName(row) {
  const { label, note } = row;
  return row.level === 2 && note ? `${note}: ${label}` : [label, note].filter(Boolean).join(": ");
}

/** Where each row is, for who listens. */
function number() {
  [...matrix.body.children].forEach((element, at) => element.setAttribute("aria-rowindex", at + 6));
  matrix.body.parentNode.setAttribute("aria-rowcount", matrix.body.children.length + 5);
}

const FILL_MS = 8; // of a picture's time, so that scrolling stays smooth

/** Rows that came near the view and have no cells yet. */
const waiting = new Set();
let filling = 0;

function seen(entries) {
  for (const { target, isIntersecting } of entries) {
    target.classList.toggle("near", isIntersecting);
    if (isIntersecting) {
      matrix.near.add(target);
      waiting.add(target);
    } else {
      matrix.near.delete(target);
      waiting.delete(target);
      if (!target.contains(roving)) target.replaceChildren(target.firstChild);
    }
  }
  filling ||= requestAnimationFrame(fillSome);
}

/** Fills as many rows as one picture has time for, and goes on with the next picture. */
function fillSome() {
  const end = performance.now() + FILL_MS;
  for (const element of waiting) {
    waiting.delete(element);
    if (element.isConnected) fill(element);
    if (performance.now() > end) break;
  }
  filling = waiting.size ? requestAnimationFrame(fillSome) : 0;
}

/** Gives a row the cells of the columns near the view, and takes the others from it, but for the one that Tab comes to. */
function fill(element) {
  for (const cell of [...element.children])
    if (cell.at >= 0 && (cell.at < matrix.from || cell.at >= matrix.to) && cell !== roving) cell.remove();
  for (let at = matrix.from; at < matrix.to; at++) cellOf(element, at);
}

/** A row's cell at a place, made where there is none yet; the head is at -1. */
function cellOf(element, at) {
  let before = element.lastChild;
  while (before.at > at) before = before.previousSibling;
  if (before.at === at) return before;
  const made = (element.row.level < 3 ? sumElement : cellElement)(element.row, matrix.columns[at], at);
  made.at = at;
  made.style.setProperty("--at", at);
  before.after(made);
  return made;
}

function cellElement(row, column, at) {
  const cell = cellAt(row.cases[0], column);
  if (cell < 0 || !cellMatches(cell)) return gap(column, at, cell < 0 ? "no cell" : "filtered out");
  const look = lookOf(cell);
  const was = wasOf(cell);
  const listen = [
    `${caseOf(cell).id}, ${sdkOf(column).id} on ${hostOf(column)}: ${look.outcome}, ${look.relation}, ${look.judgement}`,
    look.flag && look.judgement !== "verdicts disagree" ? ", verdicts disagree" : "",
    was ? `, was ${was.outcome}` : "",
  ].join("");
  const within = data.columns[column].window === "supported" && look.relation !== "supported" ? " unsupported" : "";
  return el(
    "div",
    {
      class: `cell ${look.style}${within}${edge(column, at)}`,
      role: "gridcell",
      tabindex: "-1",
      "aria-colindex": at + 2,
      "aria-label": listen,
      "data-cell": cell,
    },
    el("span", { class: "sign" }, look.glyph),
    el("span", { class: "word" }, look.word),
    look.flag ? el("b", {}, look.flag) : null,
    was ? el("b", { class: "delta", title: `was ${was.outcome}` }, "Δ") : null,
  );
}

function sumElement(row, column, at) {
  const counts = tally(row, column);
  if (!counts.all) return gap(column, at, "no cell");
  const its = summaryOf(counts);
  return el(
    "div",
    {
      class: `cell sum ${its.style}${edge(column, at)}`,
      role: "gridcell",
      tabindex: "-1",
      "aria-colindex": at + 2,
      "aria-label": `${row.note || row.label}, ${sdkOf(column).id} on ${hostOf(column)}: ${its.sentence}`,
      title: its.sentence,
    },
    el("span", { class: "sign" }, its.glyph),
    el("span", { class: "word" }, its.word),
    counts.flagged ? el("b", {}, "≠") : null,
    counts.changed ? el("b", { class: "delta" }, "Δ") : null,
  );
}

function gap(column, at, why) {
  return el("div", {
    class: `cell gap${edge(column, at)}`,
    role: "gridcell",
    tabindex: "-1",
    "aria-colindex": at + 2,
    "aria-label": why,
  });
}

/** The sides of a column on which the frame of its window runs, and where an SDK version or a group ends. */
function edge(column, at) {
  const { window, sdk } = data.columns[column];
  const same = (other) => other !== undefined && data.columns[other].sdk === sdk && data.columns[other].window === window;
  const next = matrix.columns[at + 1];
  let css = "";
  if (window !== "unsupported") css += ` ${window}${same(matrix.columns[at - 1]) ? "" : " left"}${same(next) ? "" : " right"}`;
  if (next !== undefined && data.columns[next].sdk !== sdk)
    css += groupOf(next) === groupOf(column) ? " sdk-end" : " group-end";
  return css;
}

const groupOf = (column) => `${sdkOf(column).language}\n${sdkOf(column).provider}`;

/** The header: language and provider, SDK version, host, what the host said of the ABI string, the static verdict. */
function heads() {
  const { columns } = matrix;
  const row = (at, title, cells, css = "") =>
    el(
      "div",
      { class: `row header ${css}`, role: "row", "aria-rowindex": at },
      el("div", { class: "head", role: "columnheader", "aria-colindex": "1" }, title),
      cells,
    );
  const runs = (key) => {
    const found = [];
    columns.forEach((column, at) => {
      const last = found.at(-1);
      if (last && last.key === key(column)) last.count++;
      else found.push({ key: key(column), column, at, count: 1 });
    });
    return found;
  };
  const wide = (run, label, css) => {
    const element = el(
      "div",
      { class: `wide-head ${css}`, role: "columnheader", "aria-colindex": run.at + 2, "aria-colspan": run.count, title: label },
      el("span", { class: "stay" }, label),
    );
    element.style.setProperty("--span", run.count);
    return element;
  };
  const ending = (run) => {
    const end = run.at + run.count - 1;
    return edge(columns[end], end).includes("group-end") ? "group-end" : "sdk-end";
  };
  const each = (make, css) =>
    columns.map((column, at) =>
      el(
        "div",
        { class: `cell ${css(column)}${edge(column, at)}`, role: "columnheader", "aria-colindex": at + 2 },
        make(column),
      ),
    );
  const host = (column) => {
    const [release, hash] = hostOf(column).split("~");
    const star =
      data.columns[column].window === "supported" ? el("span", { class: "star", title: "promised window" }, "★") : null;
    return [star, el("span", { class: "host" }, release), hash ? el("small", {}, `~${hash}`) : null];
  };
  const told = (column) => data.static[data.columns[column].static];
  return el(
    "div",
    { class: "heads", role: "rowgroup" },
    row(
      1,
      "",
      runs(groupOf).map((run) => wide(run, `${sdkOf(run.column).languageName} · ${sdkOf(run.column).provider}`, "group-end")),
    ),
    row(
      2,
      "SDK",
      runs((column) => data.columns[column].sdk).map((run) => wide(run, `SDK ${sdkOf(run.column).minor}`, ending(run))),
    ),
    row(
      3,
      "→ host",
      each(host, (column) => `top ${data.columns[column].window}`),
      columns.some((column) => hostOf(column).includes("~")) ? "builds" : "",
    ),
    row(
      4,
      "host on the ABI string",
      each(
        (column) => el("span", { class: "word" }, data.columns[column].abi),
        () => "info",
      ),
      "info",
    ),
    row(
      5,
      "static verdict",
      each(
        (column) => el("span", { class: "word", title: told(column)?.reason }, told(column)?.words ?? "not known"),
        () => "info",
      ),
      "info last",
    ),
  );
}

/** Opens or closes a row. */
function toggle(row, open = !row.open) {
  if (!row.below.length || row.open === open) return;
  row.open = open;
  if (open) matrix.opened.add(row.key);
  else matrix.opened.delete(row.key);
  tellOpen(row);
  if (open) row.element.after(...row.below.flatMap(elementsOf));
  else {
    while (row.element.nextSibling && row.element.nextSibling.row.level > row.level) row.element.nextSibling.remove();
  }
  number();
}

/** Brings a cell into the matrix's view and gives it the focus; says whether it is shown. */
function showCell(cell, focus = true) {
  const row = packed.case[cell];
  const at = matrix.columns.indexOf(packed.column[cell]);
  const area = matrix.rows.find((it) => it.below.length && it.cases.includes(row));
  if (!area || at < 0) return false;
  toggle(area, true);
  const requirement = area.below.find((it) => it.cases.includes(row));
  toggle(requirement, true);
  const element = cellOf(requirement.below.find((it) => it.cases[0] === row).element, at);
  rove(element, focus);
  element.scrollIntoView({ block: "nearest", inline: "nearest" });
  return true;
}

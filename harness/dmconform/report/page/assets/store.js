// The report as the page has it: cells unpacked on demand, and where each stands in the matrix.

const data = JSON.parse(document.getElementById("data").textContent);
const packed = data.cells;
const text = (number) => data.texts[number];
const cellCount = packed.case.length;
const caseCount = data.cases.length;
const columnCount = data.columns.length;

const looks = packed.looks.map((numbers) => Object.fromEntries(packed.lookFields.map((name, at) => [name, text(numbers[at])])));

/** The cell of a case in a column, or -1. */
const places = new Int32Array(caseCount * columnCount).fill(-1);
for (let at = 0; at < cellCount; at++) places[packed.case[at] * columnCount + packed.column[at]] = at;
const cellAt = (row, column) => places[row * columnCount + column];

const sdkOf = (column) => data.sdks[data.columns[column].sdk];
const hostOf = (column) => data.columns[column].host;
const caseOf = (cell) => data.cases[packed.case[cell]];
const lookOf = (cell) => looks[packed.look[cell]];

function idOf(cell) {
  const column = packed.column[cell];
  return packed.otherIds[cell] ?? `${caseOf(cell).id}/${sdkOf(column).id}/${hostOf(column)}`;
}

let byId = null;

/** The cell with an id, or -1. */
function cellWithId(id) {
  byId ??= new Map(Array.from({ length: cellCount }, (_, cell) => [idOf(cell), cell]));
  return byId.get(id) ?? -1;
}

/** A text of a look in which the cell's own name and folder stand again. */
function own(cell, its) {
  const name = idOf(cell);
  return its.replaceAll("\u0001", () => name.replaceAll(":", "+")).replaceAll("\u0002", () => name);
}

const NO_VERDICT = new Set(["error", "not tested", "not applicable"]);

/** Whether a case ends otherwise on some hosts than on others, with the SDK of a column. Cells that judged nothing do not count. */
const differing = new Map();
function differs(cell) {
  const row = packed.case[cell];
  const sdk = data.columns[packed.column[cell]].sdk;
  const key = row * data.sdks.length + sdk;
  if (!differing.has(key)) {
    const seen = new Set();
    for (let column = 0; column < columnCount; column++) {
      const other = data.columns[column].sdk === sdk ? cellAt(row, column) : -1;
      if (other >= 0 && !NO_VERDICT.has(lookOf(other).outcome)) seen.add(lookOf(other).outcome);
    }
    differing.set(key, seen.size > 1);
  }
  return differing.get(key);
}

const changes = data.changes;
const newCells = new Set(changes ? changes.new : []);

/** What a cell was in the earlier report, and what kind of change that is: null where it is the same, or was not there. */
function wasOf(cell) {
  const was = changes?.was[cell];
  return was ? { outcome: text(was[0]), judgement: text(was[1]), kind: text(was[2]), ranWith: text(was[3]) } : null;
}

// The report as the page has it: cells unpacked on demand, and the place of each in the matrix.

import { byId } from "./dom.js";

/** @import { CaseData, ColumnData, Look, Outcome, PageData, SdkData } from "./data.d.ts" */

/** @type {PageData} */
export const data = JSON.parse(byId("data").textContent);
export const packed = data.cells;
export const cellCount = packed.case.length;
export const columnCount = data.columns.length;

/**
 * What a list has at a place that it has.
 * @template Item
 * @param {Item[]} list
 * @param {number} place
 * @returns {Item}
 */
export function item(list, place) {
  const found = list[place];
  if (found === undefined) throw new RangeError(`there is nothing at ${place} of ${list.length}`);
  return found;
}

/** @param {number} number */
export const text = (number) => item(data.texts, number);

/** @param {number[]} numbers */
function unpacked(numbers) {
  const look = Object.fromEntries(packed.lookFields.map((name, place) => [name, text(item(numbers, place))]));
  return /** @type {Look} */ (/** @type {unknown} */ (look));
}

export const looks = packed.looks.map(unpacked);

const places = new Int32Array(data.cases.length * columnCount).fill(-1);
for (let cell = 0; cell < cellCount; cell++) places[rowOf(cell) * columnCount + columnOf(cell)] = cell;

/**
 * The cell of a case in a column, or -1.
 * @param {number} row
 * @param {number} column
 * @returns {number}
 */
export function cellAt(row, column) {
  return places[row * columnCount + column] ?? -1;
}

/**
 * The number of a cell's case, which is the row of the matrix.
 * @param {number} cell
 */
export function rowOf(cell) {
  return item(packed.case, cell);
}

/**
 * The number of a cell's column.
 * @param {number} cell
 */
export function columnOf(cell) {
  return item(packed.column, cell);
}

/**
 * @param {number} row
 * @returns {CaseData}
 */
export const caseAt = (row) => item(data.cases, row);

/**
 * @param {number} column
 * @returns {ColumnData}
 */
export const columnAt = (column) => item(data.columns, column);

/**
 * @param {number} column
 * @returns {SdkData}
 */
export const sdkOf = (column) => item(data.sdks, columnAt(column).sdk);

/** @param {number} column */
export const hostOf = (column) => columnAt(column).host;

const modified = new Set(data.modifiedHosts);

/**
 * A host's id, marked where it is a modified build.
 * @param {string} host
 */
export const hostLabel = (host) => (modified.has(host) ? `${host} (modified build)` : host);

/** @param {number} cell */
export const caseOf = (cell) => caseAt(rowOf(cell));

/** @param {number} cell */
export const lookOf = (cell) => item(looks, item(packed.look, cell));

/**
 * The area of a case: its name up to the slash.
 * @param {number} row
 */
export function areaOf(row) {
  const { id } = caseAt(row);
  return id.includes("/") ? id.slice(0, id.indexOf("/")) : "cases";
}

/**
 * The extension point that the id of a case names, behind its @; empty where it names none.
 * @param {number} row
 */
export const pointOf = (row) => /^[a-z0-9_]+\/[a-z0-9_]+@([a-z][a-z0-9_]*)$/.exec(caseAt(row).id)?.[1] ?? "";

/** @type {Map<string, { state: string, reason: string }> | null} */
let pointStates = null;

/**
 * What an extension point comes to in a column of an official SDK; null where no cell is about it.
 * @param {string} point
 * @param {number} column
 */
export function pointStateOf(point, column) {
  pointStates ??= new Map(
    data.pointStates.map(([place, where, state, reason]) => [
      `${item(data.points, place).id} ${where}`,
      { state: text(state), reason: text(reason) },
    ]),
  );
  return pointStates.get(`${point} ${column}`) ?? null;
}

/** @type {Map<number, string> | null} */
let causes = null;

/**
 * The id of the cause that a cell fails for; empty where it does not.
 * @param {number} cell
 */
export function causeOf(cell) {
  causes ??= new Map(data.causes.flatMap((it) => it.cells.map((place) => [place, it.id])));
  return causes.get(cell) ?? "";
}

/**
 * @param {number} cell
 * @returns {string}
 */
export function idOf(cell) {
  const column = columnOf(cell);
  return packed.otherIds[cell] ?? `${caseOf(cell).id}/${sdkOf(column).id}/${hostOf(column)}`;
}

/** @type {Map<string, number> | null} */
let numbers = null;

/**
 * The cell with an id, or -1.
 * @param {string} id
 */
export function cellWithId(id) {
  numbers ??= new Map(Array.from({ length: cellCount }, (_, cell) => [idOf(cell), cell]));
  return numbers.get(id) ?? -1;
}

/**
 * A text of a look in which the cell's own name and folder stand again.
 * @param {number} cell
 * @param {string} its
 */
export function own(cell, its) {
  const name = idOf(cell);
  return its.replaceAll("\u0001", () => name.replaceAll(":", "+")).replaceAll("\u0002", () => name);
}

/** @type {Set<Outcome>} */
export const NO_VERDICT = new Set(["error", "not tested", "not applicable"]);

/** @type {Map<number, boolean>} */
const differing = new Map();

/**
 * Whether a case ends otherwise on some hosts than on others, with the SDK of a column. Cells that judged nothing do not count.
 * @param {number} cell
 */
export function differs(cell) {
  const row = rowOf(cell);
  const sdk = columnAt(columnOf(cell)).sdk;
  const key = row * data.sdks.length + sdk;
  const known = differing.get(key);
  if (known !== undefined) return known;
  const seen = new Set();
  for (let column = 0; column < columnCount; column++) {
    const other = columnAt(column).sdk === sdk ? cellAt(row, column) : -1;
    if (other >= 0 && !NO_VERDICT.has(lookOf(other).outcome)) seen.add(lookOf(other).outcome);
  }
  differing.set(key, seen.size > 1);
  return seen.size > 1;
}

export const changes = data.changes;
export const newCells = new Set(changes ? changes.new : []);

/**
 * What a cell was in the earlier report, and what kind of change that is: null where it is the same, or was not there.
 * @param {number} cell
 */
export function wasOf(cell) {
  const was = changes?.was[cell];
  return was ? { outcome: text(was[0]), judgement: text(was[1]), kind: text(was[2]), ranWith: text(was[3]) } : null;
}

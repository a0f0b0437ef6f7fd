// The header of the matrix.

import { edge, groupOf } from "./cells.js";
import { el } from "./dom.js";
import { columnAt, data, hostOf, sdkOf } from "./store.js";

/** @import { Child } from "./dom.js" */

/** @typedef {{ key: string | number, column: number, at: number, count: number }} Run Columns beside each other with the same key. */

/**
 * The header: language and provider, SDK version, host, how the host took the ABI string, static analysis.
 * @param {number[]} columns All columns that are shown.
 */
export function heads(columns) {
  /** @type {(at: number, title: string, cells: HTMLElement[], css?: string) => HTMLElement} */
  const row = (at, title, cells, css = "") =>
    el(
      "div",
      { class: `row header ${css}`, role: "row", "aria-rowindex": at },
      el("div", { class: "head", role: "columnheader", "aria-colindex": "1" }, title),
      cells,
    );
  /** @param {(column: number) => string | number} key */
  const runs = (key) => {
    /** @type {Run[]} */
    const found = [];
    columns.forEach((column, at) => {
      const last = found.at(-1);
      if (last?.key === key(column)) last.count++;
      else found.push({ key: key(column), column, at, count: 1 });
    });
    return found;
  };
  /** @type {(run: Run, label: string, css: string) => HTMLElement} */
  const wide = (run, label, css) => {
    const element = el(
      "div",
      { class: `wide-head ${css}`, role: "columnheader", "aria-colindex": run.at + 2, "aria-colspan": run.count, title: label },
      el("span", { class: "stay" }, label),
    );
    element.style.setProperty("--span", String(run.count));
    return element;
  };
  /** @param {Run} run */
  const ending = (run) => {
    return edge(columns, run.at + run.count - 1).includes("group-end") ? "group-end" : "sdk-end";
  };
  /** @type {(make: (column: number) => Child, css: (column: number) => string) => HTMLElement[]} */
  const each = (make, css) =>
    columns.map((column, at) =>
      el(
        "div",
        { class: `cell ${css(column)}${edge(columns, at)}`, role: "columnheader", "aria-colindex": at + 2 },
        make(column),
      ),
    );
  /** @param {number} column */
  const isModified = (column) => data.modifiedHosts.includes(hostOf(column));
  /** @param {number} column */
  const host = (column) => {
    const [release, hash] = hostOf(column).split("~");
    const star = columnAt(column).window === "supported" ? el("span", { class: "star", title: "supported window" }, "★") : null;
    const build = isModified(column) ? el("small", { title: "a modified build, not the release" }, "modified") : null;
    return [star, el("span", { class: "host" }, release), hash ? el("small", {}, `~${hash}`) : build];
  };
  /** @param {number} column */
  const its = (column) => data.static[columnAt(column).static];
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
      runs((column) => columnAt(column).sdk).map((run) => wide(run, `SDK ${sdkOf(run.column).minor}`, ending(run))),
    ),
    row(
      3,
      "→ host",
      each(host, (column) => `top ${columnAt(column).window}`),
      columns.some((column) => hostOf(column).includes("~") || isModified(column)) ? "builds" : "",
    ),
    row(
      4,
      "ABI string on the host",
      each(
        (column) => el("span", { class: "word" }, columnAt(column).abi),
        () => "info",
      ),
      "info",
    ),
    row(
      5,
      "static analysis",
      each(
        (column) => el("span", { class: "word", title: its(column)?.reason }, its(column)?.words ?? "not known"),
        () => "info",
      ),
      "info last",
    ),
  );
}

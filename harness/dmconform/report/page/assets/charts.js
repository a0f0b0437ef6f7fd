// Small pictures. Each has the same in its label, and is beside a table or a sentence.

import { el } from "./dom.js";

/** @typedef {{ value: number, css: string, name: string }} Part */
/** @typedef {{ label: string, parts: Part[] }} Bar */

/**
 * Horizontal bars, each of stacked parts, to one scale, and the sum behind each.
 * @param {string} title
 * @param {Bar[]} rows
 */
export function bars(title, rows) {
  /** @param {Bar} row */
  const sum = (row) => row.parts.reduce((total, part) => total + part.value, 0);
  const most = Math.max(1, ...rows.map(sum));
  const say = rows.map((row) => `${row.label}: ${row.parts.map((part) => `${part.value} ${part.name}`).join(", ")}`).join("; ");
  /** @param {Part} part */
  const box = (part) => {
    const element = el("span", { class: part.css });
    element.style.width = `calc((100% - 3.5rem) * ${part.value / most})`; // the rest is room for the sum
    return element;
  };
  const drawn = rows.map((row) => [
    el("span", { class: "nowrap" }, row.label),
    el("span", { class: "bar" }, row.parts.filter((part) => part.value).map(box), el("b", {}, sum(row).toLocaleString("en"))),
  ]);
  return el(
    "figure",
    {},
    el("figcaption", {}, title),
    el("div", { role: "img", "aria-label": `${title}. ${say}`, class: "bars" }, drawn),
  );
}

/**
 * What the looks of bars stand for.
 * @param {[string, string][]} names
 */
export function keys(...names) {
  return el(
    "ul",
    { class: "keys" },
    names.map(([css, name]) => el("li", {}, el("span", { class: css, "aria-hidden": "true" }), ` ${name}`)),
  );
}

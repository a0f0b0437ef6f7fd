// Small pictures. Each says the same in its label, and stands beside a table or a sentence.

/** Horizontal bars: `rows` of {label, parts: [{value, css, name}]}, stacked, to one scale, and the sum behind each. */
function bars(title, rows) {
  const sum = (row) => row.parts.reduce((total, part) => total + part.value, 0);
  const most = Math.max(1, ...rows.map(sum));
  const say = rows.map((row) => `${row.label}: ${row.parts.map((part) => `${part.value} ${part.name}`).join(", ")}`).join("; ");
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

/** What the looks of bars stand for. */
function keys(...names) {
  return el(
    "ul",
    { class: "keys" },
    names.map(([css, name]) => el("li", {}, el("span", { class: css, "aria-hidden": "true" }), ` ${name}`)),
  );
}

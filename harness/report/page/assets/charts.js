// Small pictures. Each says the same in its label, and stands beside a table or a sentence.

const BAR = { width: 640, label: 96, row: 26, thick: 16, gap: 44 };

/** Horizontal bars: `rows` of {label, parts: [{value, css, name}]}, stacked, to one scale. */
function bars(title, rows) {
  const most = Math.max(1, ...rows.map((row) => row.parts.reduce((sum, part) => sum + part.value, 0)));
  const scale = (BAR.width - BAR.label - BAR.gap) / most;
  const height = rows.length * BAR.row + 4;
  const say = rows.map((row) => `${row.label}: ${row.parts.map((part) => `${part.value} ${part.name}`).join(", ")}`).join("; ");
  const drawn = rows.flatMap((row, at) => {
    const y = at * BAR.row + 4;
    let x = BAR.label;
    const boxes = row.parts.flatMap((part) => {
      const width = part.value * scale;
      const box = width > 0 ? [svg("rect", { x, y, width: Math.max(width, 1.5), height: BAR.thick, class: part.css })] : [];
      x += width;
      return box;
    });
    const sum = row.parts.reduce((total, part) => total + part.value, 0);
    return [
      svg("text", { x: BAR.label - 8, y: y + 12, "text-anchor": "end" }, row.label),
      ...boxes,
      svg("text", { x: x + 6, y: y + 12, class: "value" }, sum.toLocaleString("en")),
    ];
  });
  return el(
    "figure",
    {},
    el("figcaption", {}, title),
    svg("svg", { viewBox: `0 0 ${BAR.width} ${height}`, role: "img", "aria-label": `${title}. ${say}`, class: "bars" }, drawn),
  );
}

/** What the looks of bars stand for. */
function keys(...names) {
  return el(
    "ul",
    { class: "keys" },
    names.map(([css, name]) =>
      el(
        "li",
        {},
        svg("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" }, svg("rect", { width: 12, height: 12, class: css })),
        ` ${name}`,
      ),
    ),
  );
}

// The rows of the matrix: all cases, areas, their requirements, their cases. A row above cases tells what its cases come to.

/** A row: its level (1 to 4), label, the cases below it, and its own rows. */
function makeRow(level, key, label, note, cases, below = []) {
  return { level, key, label, note, cases, below, open: false, element: null };
}

/** All rows for the cases that are shown: a tree. */
function buildRows(cases) {
  const areas = new Map();
  for (const row of cases) {
    const { id, requirements } = data.cases[row];
    const area = id.includes("/") ? id.slice(0, id.indexOf("/")) : "cases";
    const requirement = requirements.length ? requirements[0] : -1;
    if (!areas.has(area)) areas.set(area, new Map());
    const groups = areas.get(area);
    if (!groups.has(requirement)) groups.set(requirement, []);
    groups.get(requirement).push(row);
  }
  return [...areas].map(([area, groups]) => {
    const below = [...groups].map(([requirement, its]) => {
      const told = data.requirements[requirement];
      const rows = its.map((row) =>
        makeRow(3, `case:${data.cases[row].id}`, shortName(data.cases[row].id), data.cases[row].title, [row]),
      );
      return makeRow(
        2,
        `${area}:${requirement}`,
        told ? told.statement : "no requirement is named",
        told ? told.id : "",
        its,
        rows,
      );
    });
    return makeRow(
      1,
      `area:${area}`,
      area.replaceAll("_", " "),
      "",
      below.flatMap((row) => row.cases),
      below,
    );
  });
}

function shortName(id) {
  return id.includes("/") ? id.slice(id.indexOf("/") + 1) : id;
}

const WORST = ["bad", "incomplete", "known", "good", "fact-bad", "fact-good", "not-run"];

/** What the cells of a row in a column come to: how many of each look, those that the filters let pass only. */
function tally(row, column) {
  const counts = { all: 0, unreachable: 0, flagged: false, changed: 0 };
  for (const style of WORST) counts[style] = 0;
  for (const its of row.cases) {
    const cell = cellAt(its, column);
    if (cell < 0 || !cellMatches(cell)) continue;
    const look = lookOf(cell);
    counts.all++;
    counts[look.style]++;
    if (look.outcome === "not tested") counts.unreachable++;
    if (look.flag) counts.flagged = true;
    if (wasOf(cell)) counts.changed++;
  }
  return counts;
}

/** How a tally is shown: a sign, a word and a look, and the sentence for who listens. */
function summaryOf(counts) {
  const { good, bad, known, incomplete } = counts;
  const promised = good + bad + known + incomplete;
  const facts = counts["fact-good"] + counts["fact-bad"];
  const say = [];
  if (promised) say.push(`${good} of ${promised} promised hold`);
  if (bad) say.push(`${bad} against the run`);
  if (known) say.push(`${known} known to fail`);
  if (incomplete) say.push(`${incomplete} could not run`);
  if (facts) say.push(`not promised: ${counts["fact-good"]} of ${facts} pass`);
  if (counts["not-run"]) say.push(`${counts["not-run"]} not to be run`);
  const sentence = say.join(", ") || "no cell";
  if (bad) return { glyph: "✗", word: `${bad} FAIL`, style: "bad", sentence };
  if (incomplete) return { glyph: "■", word: `${incomplete}`, style: "incomplete", sentence };
  if (known) return { glyph: "!", word: `${known} known`, style: "known", sentence };
  if (good) return { glyph: "✓", word: `${good}`, style: "good", sentence };
  if (counts["fact-bad"]) return { glyph: "⊘", word: `${counts["fact-good"]}/${facts}`, style: "fact-bad", sentence };
  if (facts) return { glyph: "✓", word: `${facts}`, style: "fact-good", sentence };
  if (counts.unreachable) return { glyph: "?", word: "no source", style: "not-run", sentence };
  return { glyph: "○", word: "n/a", style: "not-run", sentence };
}

// The filters above the matrix: a list to tick for each, in the address as well.

import { byId, closest, counted, el } from "./dom.js";
import { clearFilters, isFiltered, state, valuesOf } from "./state.js";
import { cellCount, changes, data, newCells } from "./store.js";

/** @import { FlagName, ListName } from "./state.js" */

const filters = byId("filters");

/** @type {ListName[]} */
const WITHOUT_LIST = ["area", "requirement", "record", "cause"];

/**
 * Makes the filters.
 * @param {() => void} onChange What is called after each change of the state.
 * @returns {(shown: number) => void} What shows the state in them, and how many cells are shown.
 */
export function buildFilters(onChange) {
  const languages = new Map(data.sdks.map((sdk) => [sdk.language, sdk.languageName]));
  /** @type {(name: ListName, title: string) => ReturnType<typeof pick>} */
  const plain = (name, title) =>
    pick(
      name,
      title,
      valuesOf(name).map((value) => [value, value]),
    );
  const picks = [
    pick("language", "Language", [...languages]),
    plain("sdk", "SDK"),
    plain("host", "Host"),
    plain("relation", "Promise"),
    plain("outcome", "Outcome"),
    plain("judgement", "Judgement"),
    plain("severity", "Severity"),
    ...(valuesOf("point").length ? [plain("point", "Extension point")] : []),
  ];
  const flags = [
    flag("differs", "differs between hosts"),
    changes
      ? flag(
          "changed",
          `changed since ${changes.since.slice(0, 10)} (${Object.keys(changes.was).length}; ${newCells.size} new, ${changes.gone} gone)`,
        )
      : null,
    flag("compact", "signs only"),
  ].filter((it) => it !== null);
  const search = el("input", {
    type: "search",
    id: "search",
    placeholder: "search",
    title: "names, titles, details, records, requirements and findings that have these words",
    "aria-label": "Search names, titles, details, records, requirements and findings",
  });
  const chosen = el("span", { class: "chosen-values" });
  const status = el("output", { id: "shown", role: "status" });
  const clear = el("button", { type: "button", id: "clear" }, "clear filters");
  search.addEventListener("input", () => {
    state.search = search.value;
    onChange();
  });
  clear.addEventListener("click", () => {
    clearFilters();
    onChange();
  });
  filters.append(
    el(
      "div",
      { class: "toolbar", role: "group", "aria-label": "Filters" },
      picks.map((it) => it.element),
      search,
      flags.map((it) => it.element),
      chosen,
      clear,
      status,
    ),
  );
  document.addEventListener("click", closePicks);
  filters.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && closest(event, "details[open]");
    if (!open) return;
    open.removeAttribute("open");
    open.querySelector("summary")?.focus();
    event.stopPropagation();
  });
  return (shown) => {
    for (const it of [...picks, ...flags]) it.update();
    chosen.replaceChildren(...WITHOUT_LIST.flatMap((name) => [...state.lists[name]].map((value) => dropping(name, value))));
    if (search.value !== state.search) search.value = state.search;
    clear.hidden = !isFiltered();
    status.textContent = `${shown.toLocaleString("en")} of ${counted(cellCount, "cell")}`;
  };

  /**
   * A value that has no list to tick: a button that drops it.
   * @param {ListName} name
   * @param {string} value
   */
  function dropping(name, value) {
    const button = el("button", { type: "button", "aria-label": `Drop the filter ${name} ${value}` }, `${name}: ${value} ✕`);
    button.addEventListener("click", () => {
      state.lists[name].delete(value);
      onChange();
    });
    return button;
  }

  /**
   * A list to tick.
   * @param {ListName} name
   * @param {string} title
   * @param {[string, string][]} values Each value and its label.
   */
  function pick(name, title, values) {
    const chosenText = el("span", { class: "chosen" });
    const boxes = values.map(([value, label]) => {
      const box = el("input", { type: "checkbox", value, "data-filter-name": name });
      box.addEventListener("change", () => {
        if (box.checked) state.lists[name].add(value);
        else state.lists[name].delete(value);
        onChange();
      });
      return { value, box, label: el("label", {}, box, ` ${label}`) };
    });
    const element = el(
      "details",
      { class: "pick", id: `pick-${name}` },
      el("summary", {}, `${title} `, chosenText),
      el(
        "fieldset",
        {},
        el("legend", { class: "unseen" }, title),
        boxes.map((it) => it.label),
      ),
    );
    return {
      element,
      update() {
        const chosen = state.lists[name];
        for (const it of boxes) it.box.checked = chosen.has(it.value);
        chosenText.textContent = chosen.size === 0 ? "all" : chosen.size === 1 ? [...chosen].join() : String(chosen.size);
        element.classList.toggle("set", chosen.size > 0);
      },
    };
  }

  /**
   * A box to tick.
   * @param {FlagName} name
   * @param {string} title
   */
  function flag(name, title) {
    const box = el("input", { type: "checkbox", id: `flag-${name}` });
    box.addEventListener("change", () => {
      if (box.checked) state.flags.add(name);
      else state.flags.delete(name);
      onChange();
    });
    return {
      element: el("label", { class: "flag" }, box, ` ${title}`),
      update() {
        box.checked = state.flags.has(name);
      },
    };
  }
}

/**
 * Closes the lists that a click is not in.
 * @param {Event} event
 */
function closePicks(event) {
  for (const open of filters.querySelectorAll("details[open]"))
    if (!(event.target instanceof Node && open.contains(event.target))) open.removeAttribute("open");
}

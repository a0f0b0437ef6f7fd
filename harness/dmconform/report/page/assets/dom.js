// Elements. All text goes in as text: nothing here, or anywhere in this script, parses a string as HTML.

/** @typedef {Record<string, string | number | boolean | null | undefined>} Attributes true: an empty one; false, null: none */
/** @typedef {Node | string | number | false | null | undefined | Child[]} Child Strings and numbers are text; false and null are nothing. */
/** @typedef {Child | { class: string, of: Child }} TableCell */

/**
 * An element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...nodes(children));
  return element;
}

/**
 * The nodes of children, those of lists among them as well.
 * @param {Child[]} children
 * @returns {Node[]}
 */
function nodes(children) {
  return children.flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    if (Array.isArray(child)) return nodes(child);
    return [child instanceof Node ? child : document.createTextNode(String(child))];
  });
}

/**
 * An element of the page's own that has an id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element with the id ${id}`);
  return found;
}

/**
 * The nearest element around what an event is about that a selector matches, or null.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closest(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

/**
 * Long names of the ABI may go on in the next line after what all of them begin with, paths after a slash.
 * @param {string} text
 * @returns {Child[]}
 */
export function breakable(text) {
  const parts = text.split(/(envoy_dynamic_module_(?:callback|on)_|\/)/);
  return parts.flatMap((part, at) => (at % 2 ? [part, el("wbr")] : part ? [part] : []));
}

/** @param {{ style: string, glyph: string, word: string, flag: string }} look */
export function chip(look) {
  return el("span", { class: `chip ${look.style}` }, `${look.glyph} ${look.word} ${look.flag}`.trim());
}

/**
 * @param {number} count
 * @param {string} noun
 * @param {string} plural
 */
export function counted(count, noun, plural = `${noun}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`;
}

/**
 * A table of `heads`, with rows of cells.
 * @param {string[]} heads
 * @param {TableCell[][]} rows
 * @param {string} label
 */
export function table(heads, rows, label) {
  /** @param {TableCell} it */
  const cell = (it) => (it && typeof it === "object" && "of" in it ? el("td", { class: it.class }, it.of) : el("td", {}, it));
  return el(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-label": label },
    el(
      "table",
      { class: "list" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heads.map((head) => el("th", { scope: "col" }, head)),
        ),
      ),
      el(
        "tbody",
        {},
        rows.map((row) => el("tr", {}, row.map(cell))),
      ),
    ),
  );
}

/**
 * A command with a button that copies it.
 * @param {string} text
 */
export function command(text) {
  const code = el("code", {}, text);
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy: ${text}` }, "copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "copied";
    } catch {
      getSelection()?.selectAllChildren(code); // no right to the clipboard: what is selected can be copied by hand
      button.textContent = "selected";
    }
    setTimeout(() => {
      button.textContent = "copy";
    }, 1500);
  });
  return el("span", { class: "command" }, code, button);
}

/**
 * A part of the page that opens; what is in it is made when it first does.
 * @param {string} title
 * @param {() => Child} make
 * @param {boolean} open
 * @param {Attributes} attributes
 */
export function opening(title, make, open = false, attributes = {}) {
  const box = el("div", {});
  const details = el("details", { open, ...attributes }, el("summary", {}, title), box);
  const fill = () => {
    if (details.open && !box.childNodes.length) box.append(...nodes([make()]));
  };
  details.addEventListener("toggle", fill);
  fill();
  return details;
}

/**
 * The first `some` of many elements, and a button for the next ones.
 * @template Item
 * @param {Item[]} all
 * @param {(item: Item) => Node} make
 * @param {number} some
 */
export function paged(all, make, some = 50) {
  const box = el("div", {});
  const more = el("button", { type: "button", class: "more" });
  let shown = 0;
  const next = () => {
    more.before(...all.slice(shown, shown + some).map((item) => make(item)));
    shown = Math.min(all.length, shown + some);
    more.textContent = `show more (${all.length - shown} left)`;
    more.hidden = shown >= all.length;
  };
  box.append(more);
  more.addEventListener("click", next);
  next();
  return box;
}

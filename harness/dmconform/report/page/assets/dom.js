// Elements. All text goes in as text: nothing here, or anywhere in this script, parses a string as HTML.

/** An element. `attributes`: strings; true stands for an empty one, false and null for none. Strings among `children` are text. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

/** Long names of the ABI may go on in the next line after what all of them begin with, paths after a slash. */
function breakable(text) {
  const parts = text.split(/(envoy_dynamic_module_(?:callback|on)_|\/)/);
  return parts.flatMap((part, at) => (at % 2 ? [part, el("wbr")] : part ? [part] : []));
}

function chip(look) {
  return el("span", { class: `chip ${look.style}` }, `${look.glyph} ${look.word} ${look.flag}`.trim());
}

function counted(count, noun, plural = `${noun}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`;
}

/** A table of `heads`, with rows of cells; a cell is text, a node, a list of both, or {class, of: …}. */
function table(heads, rows, label) {
  const cell = (it) => {
    const own = it && typeof it === "object" && !(it instanceof Node) && !Array.isArray(it);
    return el("td", { class: own ? it.class : null }, own ? it.of : it);
  };
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

/** A command with a button that copies it. */
function command(text) {
  const code = el("code", {}, text);
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy: ${text}` }, "copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(code); // no right to the clipboard: what is selected can be copied by hand
      button.textContent = "selected";
    }
    setTimeout(() => (button.textContent = "copy"), 1500);
  });
  return el("span", { class: "command" }, code, button);
}

/** A part of the page that opens; what is in it is made when it first does. */
function opening(title, make, open = false, attributes = {}) {
  const box = el("div", {});
  const details = el("details", { open, ...attributes }, el("summary", {}, title), box);
  const fill = () => {
    if (details.open && !box.childNodes.length) box.append(...[make()].flat());
  };
  details.addEventListener("toggle", fill);
  fill();
  return details;
}

/** The first `some` of many elements, and a button for the next ones. */
function paged(all, make, some = 50) {
  const box = el("div", {});
  const more = el("button", { type: "button", class: "more" });
  let shown = 0;
  const next = () => {
    more.before(...all.slice(shown, shown + some).map(make));
    shown = Math.min(all.length, shown + some);
    more.textContent = `show more (${all.length - shown} left)`;
    more.hidden = shown >= all.length;
  };
  box.append(more);
  more.addEventListener("click", next);
  next();
  return box;
}

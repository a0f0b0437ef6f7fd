// The place of the matrix that Tab comes to; one at a time.

/** @type {HTMLElement | null} */
let current = null;

/** The element that Tab comes to, or null. */
export function tabStop() {
  return current;
}

/**
 * Makes an element the one that Tab comes to, and gives it the focus.
 * @param {HTMLElement | null | undefined} element
 * @param {boolean} focus
 */
export function rove(element, focus = true) {
  if (!element) return;
  if (current) current.tabIndex = -1;
  current = element;
  element.tabIndex = 0;
  if (focus) {
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

// Elements made in one line. Text is always a text node, so no name from a file is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Attributes: "onclick" and the like are listeners, "--name" is a CSS variable. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

/** Let an element say something; where it says so already nothing is laid out anew. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set a CSS variable to a share of 1; where it is so already no style is computed anew. */
export function setShare(element, share) {
  const text = share.toFixed(3);
  if (element.style.getPropertyValue("--p") !== text) element.style.setProperty("--p", text);
}

export const percent = (share) => {
  const text = (100 * share).toFixed(share > 0.0995 ? 0 : 1);
  return `${text === "100" && share < 1 ? "> 99" : text}\u00a0%`;
};

export const score = (value) => (value === null ? "–" : value.toFixed(4));

export const counted = (count, thing) =>
  `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;

/** The colour of an entrant by its place in the study, as in the report. */
export const colour = (place) => `var(--series-${(place % 8) + 1})`;

/** Arrow keys, Home and End go through the buttons of a list, which is one stop of the Tab key. */
export function oneTabStop(list) {
  const all = [...list.querySelectorAll("button")];
  all.forEach((button, place) => {
    button.tabIndex = place ? -1 : 0;
  });
  list.onkeydown = (event) => {
    const here = all.indexOf(document.activeElement);
    const there = {
      ArrowRight: here + 1,
      ArrowDown: here + 1,
      ArrowLeft: here - 1,
      ArrowUp: here - 1,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    if (here < 0 || there === undefined) return;
    event.preventDefault();
    const next = all[Math.min(Math.max(there, 0), all.length - 1)];
    all[here].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };
}

// The smallest of helpers for making elements. Text only ever enters as text, never as markup: ids and titles come from
// strangers.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const byId = (id) => document.getElementById(id);

// Says something to those who listen to the page rather than look at it.
export const announce = (text) => setText(byId("said"), text);

// Changes a text only when it differs, so that a reader's selection and a screen reader's place stay.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

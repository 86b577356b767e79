// Small helpers: elements, numbers, intervals. Text is set as text, never as HTML.

const byId = (id) => document.getElementById(id);

// The JSON in an element, which is gzip in base64 where there is much of it.
async function jsonOf(id) {
  const element = byId(id);
  if (!("packed" in element.dataset)) return JSON.parse(element.textContent);
  const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
  const whole = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(whole).json();
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

function makeSvg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function verdictIcon(name) {
  const use = makeSvg("use", { href: `#v-${name}` });
  return makeSvg("svg", { class: "icon", width: 16, height: 16, "aria-hidden": "true" }, use);
}

const thousands = new Intl.NumberFormat("en");
const count = (value) => thousands.format(value);
const percent = (value, digits = 0) => `${(100 * value).toFixed(digits)}%`.replace("-", "−");
const letterOf = (run) => (run >= 26 ? letterOf(Math.floor(run / 26) - 1) : "") + String.fromCharCode(65 + (run % 26));

// Wilson's interval of a share at 95%.
function wilson(hits, n) {
  if (!n) return [0, 1];
  const z = 1.959964, p = hits / n, z2 = (z * z) / n;
  const middle = (p + z2 / 2) / (1 + z2);
  const half = (z * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n))) / (1 + z2);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function say(text) {
  byId("status").textContent = text;
}

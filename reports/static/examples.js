// Pictures outside the gallery: what a run looks like at a glance, and what changed between runs.

// Where a colour went is seen at once; the other failures need words.
const LEAKS = ["background", "neighbour", "swapped", "spilled"];
// Colours that a wall or a plate may have anyway: of a leak they show little.
const QUIET = ["white", "gray", "black", "brown"];

// Failures of a run, one of each verdict in turns: leaks first, then the commonest verdict, each with
// its worst picture in a strong colour first; bound pictures where nothing failed.
function chooseExamples(run, most) {
  const byVerdict = new Map();
  for (let item = 0; item < ITEMS; item++) {
    const verdict = verdictOf[run][item];
    if (verdict === NONE || !pictureOf(run, item)) continue;
    const { name } = data.verdicts[verdict];
    if (name === "unjudged" || name === "invalid") continue;
    if (!byVerdict.has(name)) byVerdict.set(name, []);
    byVerdict.get(name).push(item);
  }
  const bind = (item) => { const value = metricValue(run, "bind", item); return Number.isNaN(value) ? 1 : value; };
  const place = (name) => (LEAKS.includes(name) ? LEAKS.indexOf(name) : LEAKS.length);
  const failing = [...byVerdict].filter(([name]) => name !== "bound")
    .sort((a, b) => place(a[0]) - place(b[0]) || b[1].length - a[1].length);
  const quiet = (item) => Number(QUIET.includes(colourName(item)));
  for (const [, found] of failing) found.sort((a, b) => quiet(a) - quiet(b) || bind(a) - bind(b) || a - b);
  const chosen = [], taken = new Set();
  const queues = failing.length ? failing.map(([, found]) => found) : [byVerdict.get("bound") || []];
  for (let round = 0; chosen.length < most && queues.some((queue) => round < queue.length); round++) {
    for (const queue of queues) {
      const item = queue[round];
      if (item === undefined || chosen.length >= most) continue;
      const key = `${itemCell[item]}:${itemIndex[item]}`;
      if (taken.has(key)) continue;
      taken.add(key);
      chosen.push(item);
    }
  }
  return chosen;
}

function exampleButton(item, mats, words, title) {
  return make("button", {
    type: "button", class: "example", title,
    on: { click: () => openFrom(item) },
  }, make("span", { class: "mats" }, ...mats), words);
}

// The viewer moves along the gallery, so the item is looked up there first.
function openFrom(item) {
  const position = selection.indexOf(item);
  gallery.at = Math.max(0, position);
  openViewer(item);
}

function drawExamples(holder) {
  const run = Number(holder.dataset.examples);
  const buttons = chooseExamples(run, 8).map((item) => {
    const verdict = data.verdicts[verdictOf[run][item]];
    const prompt = cellText[itemCell[item]];
    const words = make("span", { class: "example-words" },
      make("span", { class: "card-verdict" }, verdictIcon(verdict.name), make("span", {}, verdict.label)),
      make("span", { class: "example-prompt" }, make("bdi", {}, prompt)));
    return exampleButton(item, [mat(pictureOf(run, item), item, 128, { overlay: false })], words, `${prompt}: ${runs[run].words[item]}`);
  });
  const empty = make("p", { class: "empty" }, "No pictures in this file.");
  holder.querySelector(".strip-pictures").replaceChildren(...(buttons.length ? buttons : [empty]));
}

const itemByKey = new Map();
for (let item = 0; item < ITEMS; item++) itemByKey.set(itemName(item), item);

function drawChange(holder) {
  const run = Number(holder.dataset.run);
  const buttons = JSON.parse(holder.dataset.keys).map(([cell, index, binding]) => {
    const item = itemByKey.get(`${cell}:${index}:${binding}`);
    const mats = [0, run].map((one) => mat(pictureOf(one, item), item, 64, { tag: letterOf(one), overlay: false }));
    const told = [0, run].map((one) => `${letterOf(one)} ${data.verdicts[verdictOf[one][item]].label}`).join(", ");
    const words = make("span", { class: "visually-hidden" }, `${cellText[itemCell[item]]}: ${told}`);
    return exampleButton(item, mats, words, told);
  });
  holder.querySelector(".pairs").replaceChildren(...buttons);
}

function startExamples() {
  const draw = () => {
    for (const holder of document.querySelectorAll("[data-examples]")) drawExamples(holder);
    for (const holder of document.querySelectorAll(".changed-cell")) drawChange(holder);
  };
  if (assets) waiting.add(draw);
  draw();
}

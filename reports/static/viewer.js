// One item, large: the pictures of every run, the controls, the reason, the measurements.

const viewer = byId("viewer");
let viewed = NONE, viewedAt = 0, labelledRun = 0;

function startViewer() {
  byId("viewer-close").addEventListener("click", () => viewer.close());
  byId("viewer-previous").addEventListener("click", () => step(-1));
  byId("viewer-next").addEventListener("click", () => step(1));
  byId("help-close").addEventListener("click", () => byId("help").close());
  for (const dialog of [viewer, byId("help")]) {
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  }
  viewer.addEventListener("close", () => {
    viewed = NONE;
    update({ item: "" });
    // The browser has given the focus back to the card that opened the viewer; the reader moved on.
    focusCard(viewedAt);
  });
  waiting.add(() => { if (viewed !== NONE) showViewer(); });
  watch((differs) => { if (viewed !== NONE && differs.has("overlay")) showViewer(); });
  openNamed();
}

function openNamed() {
  const item = itemByKey.get(state.item);
  if (item !== undefined) openFrom(item);
}

function openViewer(item) {
  viewed = item;
  viewedAt = gallery.at;
  labelledRun = Math.min(labelledRun, runs.length - 1);
  update({ item: itemName(item) });
  showViewer();
  if (!viewer.open) viewer.showModal();
}

function step(by) {
  const position = viewedAt + by;
  if (position < 0 || position >= selection.length) return;
  gallery.at = position;
  openViewer(selection[position]);
}

function showViewer() {
  const item = viewed;
  byId("viewer-title").replaceChildren(make("bdi", {}, cellText[itemCell[item]]));
  const position = selection[viewedAt] === item ? `${count(viewedAt + 1)} of ${count(selection.length)} · ` : "";
  byId("viewer-place").textContent = `${position}judged: ${colourName(item)} ${subjectName(item)}`;
  byId("viewer-previous").disabled = viewedAt <= 0;
  byId("viewer-next").disabled = viewedAt >= selection.length - 1;
  const body = byId("viewer-body");
  // Two runs stand next to each other, more than two below each other.
  const shown = shownRuns();
  body.classList.toggle("two", shown.length === 2);
  body.replaceChildren(...shown.map((run) => viewerRun(run, item)), ...shown.map((run) => viewerFilm(run, item)).filter(Boolean), ...otherSeeds(item));
  showZoom();
}

function viewerRun(run, item) {
  const box = innerWidth < 720 || shownRuns().length === 2 ? 192 : runs.length > 2 ? 256 : 320;
  const prompt = cellText[itemCell[item]];
  const figures = make("div", { class: "viewer-pictures" },
    figure(pictureOf(run, item), item, box, `Picture for ${prompt}`, "this prompt", "no thumbnail in this file"));
  const control = data.cells.control[itemCell[item]];
  if (control !== NONE && control !== itemCell[item]) {
    figures.append(figure(controlOf(run, item), item, box, `Control picture for ${cellText[control]}`, `control: ${cellText[control]}`, "no control picture"));
  }
  const verdict = data.verdicts[verdictOf[run][item]];
  const text = make("div");
  if (runs.length > 1) {
    text.append(runMark(run, run === labelledRun ? "run-mark current" : "run-mark"));
  }
  if (!verdict) {
    text.append(make("p", { class: "viewer-words" }, "This run does not have this picture."));
    return make("div", { class: "viewer-run" }, figures, text);
  }
  text.append(
    make("p", { class: "viewer-verdict" }, verdictIcon(verdict.name), verdict.label),
    make("p", { class: "viewer-words" }, make("bdi", {}, runs[run].words[item])),
    labelButtons(run, item), metricTable(run, item),
    commandLine(run),
    make("p", { class: "ids" }, `seed ${runs[run].seed[item]} · image ${itemIndex[item]} of cell ${data.cells.id[itemCell[item]]} · ${runs[run].id[item]}`));
  return make("div", { class: "viewer-run" }, figures, text);
}

// The command that made the run, to copy.
function commandLine(run) {
  const { command } = runs[run];
  if (!command) return "";
  const button = make("button", { type: "button", class: "quiet copy-command", "data-copy": command }, "Copy", make("span", { class: "visually-hidden" }, " the command"));
  startCopy(button);
  return make("p", { class: "command" }, make("code", {}, command), " ", button);
}

// The pictures of the same prompt and subject from other seeds.
const seedItems = new Map();
for (let item = 0; item < ITEMS; item++) {
  const key = `${itemCell[item]}:${items.binding[item]}`;
  if (!seedItems.has(key)) seedItems.set(key, []);
  seedItems.get(key).push(item);
}
const MOST_SEEDS = 48;

function otherSeeds(item) {
  const all = seedItems.get(`${itemCell[item]}:${items.binding[item]}`);
  if (all.length < 2) return [];
  const run = shownRuns().at(-1);
  const buttons = all.slice(0, MOST_SEEDS).map((other) => {
    const verdict = data.verdicts[verdictOf[run][other]];
    const words = make("span", { class: "seed-words" }, verdictIcon(verdict?.name ?? "none"), ` ${itemIndex[other]}`, make("span", { class: "visually-hidden" }, ` ${verdict?.label ?? "not in this run"}`));
    const button = exampleButton(other, [mat(pictureOf(run, other), other, 64, { overlay: false, missing: "–" })], words, verdict?.label ?? "");
    if (other === item) button.setAttribute("aria-current", "true");
    return button;
  });
  const rest = all.length > MOST_SEEDS ? ` · the first ${MOST_SEEDS} of ${count(all.length)}` : "";
  const title = `Seeds of this prompt${runs.length > 1 ? ` in ${letterOf(run)}` : ""}${rest}`;
  return [make("div", { class: "viewer-seeds" }, make("h3", {}, title), make("div", { class: "seeds" }, ...buttons))];
}

function viewerFilm(run, item) {
  if (!hasFilm(run, item)) return null;
  const width = Math.min(1160, innerWidth - 24) - 50;
  return make("div", { class: "viewer-film" }, runs.length > 1 ? runMark(run) : null, filmStrip(run, item, width));
}

const runMark = (run, kind = "") => make("p", { class: `run-name ${kind}` }, make("span", { class: "letter" }, letterOf(run)), make("bdi", {}, runs[run].label));

function figure(picture, item, box, alt, caption, missing) {
  return make("figure", {}, mat(picture, item, box, { alt, missing }), make("figcaption", {}, make("bdi", {}, caption)));
}

function metricTable(run, item) {
  const rows = Object.entries(data.metrics).map(([name, label]) => {
    const value = metricValue(run, name, item);
    if (Number.isNaN(value)) return null;
    const bar = make("i");
    bar.style.width = percent(Math.min(1, Math.max(0, value)), 1);
    return make("tr", {}, make("th", { scope: "row" }, label), make("td", {}, percent(value, 1)), make("td", { class: "meter", "aria-hidden": "true" }, bar));
  });
  return make("table", { class: "metrics" }, make("caption", { class: "visually-hidden" }, "Measurements"), make("tbody", {}, ...rows.filter(Boolean)));
}

function labelButtons(run, item) {
  const given = labelOf(run, item);
  const button = (label, key, words) => make("button", {
    type: "button", "aria-pressed": String(given?.label === label), "aria-keyshortcuts": key,
    on: { click: () => giveLabel(run, item, label) },
  }, make("kbd", {}, key), ` ${words}`);
  const holder = make("div", { class: "viewer-labels", role: "group", "aria-label": "Your label" }, button("right", "y", "Right"), button("wrong", "n", "Wrong"));
  if (given?.label === "wrong") {
    const choice = make("select", {
      "aria-label": "What it is instead",
      on: { change: (event) => { setLabel(run, item, { label: "wrong", human: event.target.value }); redrawCard(item); } },
    }, make("option", { value: "" }, "it is really …"), ...data.verdicts.map((verdict) => make("option", { value: verdict.name }, verdict.label)));
    choice.value = given.human || "";
    holder.append(choice);
  }
  return holder;
}

function giveLabel(run, item, label) {
  const given = labelOf(run, item);
  setLabel(run, item, label && given?.label !== label ? { label } : label ? given : null);
  redrawCard(item);
  if (viewed === item) showViewer();
}

// The controls above the gallery, kept in step with the state.

const OVERLAY_WORDS = {
  mask: "Mask: the judged subject stays clear inside its outline, other objects are dashed.",
  names: "Colour names: each pixel in the drawing colour of its strongest basic term.",
  leak: "Leak: only what has the requested colour outside the subject keeps it; the outline is the subject.",
  control: "Control: the prompt without the colour word, from the same seed.",
};

const OVERLAY_HINT = "Keys 1 to 4 lay the mask, the names of colours or the leak over the pictures, and set the control beside them.";

function startFilters() {
  const any = (text) => make("option", { value: "" }, text);
  const plain = (name) => make("option", { value: name }, name);
  byId("f-colour").append(any("Any colour"), ...data.colours.map(({ name }) => plain(name)));
  byId("f-subject").append(any("Any subject"), ...data.subjects.map(({ name }) => plain(name)));
  byId("f-tag").append(any("Any tag"), ...data.tags.filter((tag) => tag !== "control").map(plain));
  byId("f-seen").append(any("Any colour on subject"), ...data.basic.map(({ name }) => make("option", { value: name }, `${name} on subject`)));
  byId("f-sort").append(any("failures first"), make("option", { value: "given" }, "as asked"), make("option", { value: "verdict" }, "verdict"));
  for (const [name, label] of Object.entries(data.metrics)) {
    if (!runs.some((run) => run.metrics[name])) continue;
    byId("f-sort").append(make("option", { value: `-${name}` }, `${label}, most first`), make("option", { value: name }, `${label}, least first`));
  }
  if (runs.length > 1) {
    for (const [name, label] of Object.entries(data.metrics)) {
      if (!runs[0].metrics[name] || !runs.at(-1).metrics[name]) continue;
      byId("f-sort").append(make("option", { value: `change.${name}` }, `${label}, most lost`), make("option", { value: `-change.${name}` }, `${label}, most gained`));
    }
  }
  byId("f-sort").append(make("option", { value: "labelled" }, "labelled first"));
  for (const [id, name] of [["f-colour", "colour"], ["f-subject", "subject"], ["f-tag", "tag"], ["f-seen", "seen"], ["f-sort", "sort"]]) {
    byId(id).addEventListener("change", (event) => update({ [name]: event.target.value }));
  }
  byId("f-text").addEventListener("input", (event) => update({ q: event.target.value }));
  for (const [id, name] of [["f-different", "different"], ["f-all", "all"]]) {
    byId(id)?.addEventListener("change", (event) => update({ [name]: event.target.checked }));
  }
  const beside = byId("f-beside");
  if (beside) {
    const all = runs.length <= FEW_RUNS ? [make("option", { value: "" }, "all runs")] : [];
    const later = runs.slice(1).map((run, at) => make("option", { value: all.length || at + 2 < runs.length ? at + 1 : "" }, `${letterOf(at + 1)} ${run.label}`));
    beside.append(...all, ...later);
    beside.addEventListener("change", () => update({ beside: beside.value }));
  }
  startVerdicts();
  for (const button of document.querySelectorAll("[data-overlay]")) {
    button.addEventListener("click", () => toggleOverlay(button.dataset.overlay));
    if (!nameTable && ["names", "leak"].includes(button.dataset.overlay)) {
      button.disabled = true;
      button.title = "This page was built without a table of colour names";
    }
  }
  for (const button of document.querySelectorAll("[data-size]")) {
    button.addEventListener("click", () => update({ size: button.dataset.size }));
  }
  byId("reset").addEventListener("click", clearFilters);
  byId("reset-2").addEventListener("click", clearFilters);
  for (const element of document.querySelectorAll("[data-go]")) element.addEventListener("click", () => followLink(element.dataset.go));
  for (const part of document.querySelectorAll(".strip .part")) part.addEventListener("click", () => followLink(`verdict=${part.dataset.verdict}`));
  watch(showFilters);
  showFilters();
}

function startVerdicts() {
  const total = new Int32Array(data.verdicts.length);
  for (const column of verdictOf) for (const verdict of column) if (verdict !== NONE) total[verdict]++;
  byId("verdict-options").append(...data.verdicts.map((verdict, at) =>
    make("label", { title: verdict.meaning },
      make("input", { type: "checkbox", value: verdict.name, on: { change: () => toggle("verdict", verdict.name) } }),
      verdictIcon(verdict.name), make("span", {}, verdict.label), make("span", { class: "count" }, count(total[at])))));
  const menu = byId("verdict-menu");
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
  });
}

// Colour names and leak paint the whole picture, so one replaces the other.
function toggleOverlay(name) {
  if (!nameTable && ["names", "leak"].includes(name)) return;
  const rival = { names: "leak", leak: "names" }[name];
  const kept = state.overlay.filter((entry) => entry !== name && entry !== rival);
  update({ overlay: state.overlay.includes(name) ? kept : [...kept, name] });
}

function followLink(text) {
  const wanted = parseState(text);
  update(Object.fromEntries(FILTERS.map((name) => [name, wanted[name]])));
  goToPictures();
}

// To the gallery, with the focus on its first card, so that arrows and Enter work at once.
function goToPictures() {
  goTo("gallery");
  requestAnimationFrame(() => { if (selection.length) focusCard(0); });
}

function goTo(id) {
  const target = byId(id);
  target.scrollIntoView({ block: "start" });
  target.focus({ preventScroll: true });
}

function showFilters() {
  for (const [id, name] of [["f-colour", "colour"], ["f-subject", "subject"], ["f-tag", "tag"], ["f-seen", "seen"], ["f-sort", "sort"]]) byId(id).value = state[name];
  if (byId("f-text").value !== state.q) byId("f-text").value = state.q;
  for (const [id, name] of [["f-different", "different"], ["f-all", "all"]]) if (byId(id)) byId(id).checked = state[name];
  for (const box of byId("verdict-options").querySelectorAll("input")) box.checked = state.verdict.includes(box.value);
  const chosen = state.verdict.map((name) => data.verdicts[verdictIndex.get(name)].label);
  byId("verdict-menu").querySelector(".value").textContent = chosen.length > 1 ? `${chosen.length} chosen` : chosen[0] || "any";
  for (const button of document.querySelectorAll("[data-overlay]")) button.setAttribute("aria-pressed", state.overlay.includes(button.dataset.overlay));
  if (byId("f-beside")) byId("f-beside").value = state.beside;
  const size = state.size || (innerWidth < 560 ? "s" : "m");
  for (const button of document.querySelectorAll("[data-size]")) button.setAttribute("aria-pressed", size === button.dataset.size);
  const legend = byId("overlay-legend");
  legend.textContent = OVERLAY_WORDS[state.overlay.at(-1)] || OVERLAY_HINT;
  legend.title = legend.textContent;
  showChips();
  byId("reset").disabled = !FILTERS.some((name) => (Array.isArray(state[name]) ? state[name].length : state[name]));
}

// Filters that have no control of their own: each is named, with a button that takes it away.
function showChips() {
  const chips = [];
  const chip = (name, ...words) => chips.push(make("button", {
    type: "button", class: "chip", title: "Take this filter away", on: { click: () => update({ [name]: "" }) },
  }, ...words, make("span", { "aria-hidden": "true" }, "×")));
  if (state.cell) {
    const cell = data.cells.id.indexOf(state.cell);
    chip("cell", "prompt: ", make("bdi", {}, cell === NONE ? state.cell : cellText[cell]));
  }
  if (state.shift) {
    const [run, before, after] = state.shift.split(".");
    const label = (name) => data.verdicts[verdictIndex.get(name)]?.label || name;
    chip("shift", `${label(before)} in A, ${label(after)} in ${letterOf(Number(run))}`);
  }
  byId("chips").replaceChildren(...chips);
  byId("chips").hidden = !chips.length;
}

// The making of a picture, step by step, with the control of the same seed and where the colour was.

const filmSlots = pictures.map(({ films }) => {
  const slots = new Map();
  films.cell.forEach((cell, slot) => slots.set(`${cell}:${films.index[slot]}`, slot));
  return slots;
});
const filmCurves = pictures.map(({ curves }) => new Map(curves));

// Frames of a picture: an array, null while its file is loading, undefined where there are none.
function framesAt(run, cell, index) {
  const slot = filmSlots[run].get(`${cell}:${index}`);
  if (slot === undefined) return undefined;
  const { films } = pictures[run];
  return films.chunk ? chunked("films", run, films.chunk, slot)?.frames[slot % films.chunk] ?? null : films.frames[slot];
}

const hasFilm = (run, item) => filmSlots[run].has(`${itemCell[item]}:${itemIndex[item]}`);

function filmStrip(run, item, width) {
  const cell = itemCell[item], index = itemIndex[item];
  const frames = framesAt(run, cell, index);
  if (frames === undefined) return null;
  if (frames === null) return make("p", { class: "empty" }, "loading");
  const { noise } = pictures[run].films;
  const steps = frames.length;
  const room = (width - 240) / steps;
  const picture = pictureAt(run, cell, index) || { width: 64, height: 64 };
  const [wide, high] = pictureSize(picture, room >= 132 ? 128 : 64);
  const pitch = Math.max(wide + 4, 60);
  const cells = (children, kind, label) => {
    const row = make("div", { class: `film-row ${kind}`, role: "group", "aria-label": label }, ...children.map((child) => make("div", {}, child)));
    for (const child of row.children) child.style.width = `${pitch}px`;
    return row;
  };
  const strip = (uris, words) => cells(uris.map((src, step) => make("img", { src, width: wide, height: high, alt: `${words}, step ${step + 1} of ${uris.length}` })), "pictures", words);
  const prompt = cellText[cell];
  const film = make("div", { class: "film", tabindex: 0, role: "group", "aria-label": `Steps of ${prompt}` });
  const stepRow = make("div", { class: "film-row film-steps" }, ...frames.map((_, step) => {
    const entry = make("div", {}, make("b", {}, step + 1), noise.length === steps ? make("span", {}, Number(noise[step].toPrecision(3))) : null);
    entry.style.width = `${pitch}px`;
    return entry;
  }));
  film.append(make("div", { class: "film-label" }, make("b", {}, "Prompt"), make("bdi", {}, prompt)), strip(frames, prompt), make("span"));
  const control = data.cells.control[cell];
  const beside = control === NONE || control === cell ? undefined : framesAt(run, control, index);
  if (beside) {
    film.append(make("div", { class: "film-label" }, make("b", {}, "Control"), make("bdi", {}, cellText[control])), strip(beside, cellText[control]), make("span"));
    const added = addedRow(run, item, frames, beside, [wide, high], cells);
    if (added) film.append(make("div", { class: "film-label" }, make("b", {}, "Added"), `by ${colourName(item)}`), added, make("span"));
  }
  film.append(make("div", { class: "film-label steps" }, make("b", {}, "Step"), noise.length === steps ? "Noise" : null), stepRow, make("span"));
  const table = filmCurves[run].get(item);
  const curves = table ? knownCurves(table) : [];
  if (curves.length) {
    const axis = make("div", { class: "film-axis", "aria-hidden": "true" }, ...[1, 0.5, 0].map((tick) => {
      const label = make("span", {}, percent(tick));
      label.style.top = `${curveY(tick)}px`;
      return label;
    }));
    const asked = make("span", { class: "visually-hidden" }, `share in ${colourName(item)}`);
    axis.append(asked);
    film.append(axis, curveChart(curves, steps, pitch, `Share of colour by step, ${colourName(item)} ${subjectName(item)}`),
      make("div", { class: "film-ends" }, ...curveEnds(curves)));
  }
  return film;
}

const films = [];
let filmAt = 0;

function startFilms() {
  const choice = byId("film-choice");
  if (!choice) return;
  for (let item = 0; item < ITEMS; item++) {
    if (runs.some((_, run) => hasFilm(run, item))) films.push(item);
  }
  const last = runs.length - 1;
  const failed = (item) => data.verdicts[verdictOf[last][item]]?.name !== "bound";
  const groups = [["Failed", films.filter(failed)], ["Bound", films.filter((item) => !failed(item))]];
  films.splice(0, films.length, ...groups.flatMap(([, group]) => group));
  const position = new Map(films.map((item, at) => [item, at]));
  for (const [label, group] of groups) {
    if (!group.length) continue;
    choice.append(make("optgroup", { label }, ...group.map((item) => make("option", { value: position.get(item) }, filmName(item)))));
  }
  choice.addEventListener("change", () => update({ film: itemName(films[choice.value]) }));
  byId("film-previous").addEventListener("click", () => moveFilm(-1));
  byId("film-next").addEventListener("click", () => moveFilm(1));
  byId("film-open").addEventListener("click", () => openFrom(films[filmAt]));
  watch((differs) => { if (differs.has("film")) showFilm(); });
  waiting.add(() => showFilm());
  new ResizeObserver(() => { if (byId("film").clientWidth !== filmWidth) showFilm(); }).observe(byId("film"));
  showFilm();
}

function filmName(item) {
  const verdict = data.verdicts[verdictOf.findLast((column) => column[item] !== NONE)?.[item]];
  const several = cellBindings[itemCell[item]] > 1 ? ` · the ${subjectName(item)}` : "";
  return `${cellText[itemCell[item]]} (${itemIndex[item]})${several}: ${verdict ? verdict.label.toLowerCase() : ""}`;
}

function moveFilm(by) {
  const at = (filmAt + by + films.length) % films.length;
  update({ film: itemName(films[at]) });
}

let filmWidth = 0;

function showFilm() {
  if (!films.length) return;
  const item = itemByKey.get(state.film);
  filmAt = Math.max(0, films.indexOf(item));
  const shown = films[filmAt];
  const holder = byId("film");
  filmWidth = holder.clientWidth;
  byId("film-choice").value = String(filmAt);
  byId("film-about").replaceChildren("Asked: ", swatchOf({ hex: data.basic[basicIndex.get(colourName(shown))]?.hex }), make("bdi", {}, `${colourName(shown)} ${subjectName(shown)}`),
    ...runs.flatMap((_, run) => {
      const verdict = data.verdicts[verdictOf[run][shown]];
      return verdict ? [runs.length > 1 ? ` · ${letterOf(run)} ` : " · ", verdictIcon(verdict.name), ` ${verdict.label}: `, make("bdi", {}, runs[run].words[shown])] : [];
    }));
  holder.replaceChildren(...runs.flatMap((_, run) => {
    const strip = filmStrip(run, shown, filmWidth);
    if (!strip) return [];
    return runs.length > 1 ? [make("p", { class: "run-name" }, make("span", { class: "letter" }, letterOf(run)), make("bdi", {}, runs[run].label)), strip] : [strip];
  }));
}

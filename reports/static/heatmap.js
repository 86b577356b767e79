// Subject by colour: one button a cell, sortable, one tab stop.

// Of two runs the difference is shown first.
const FIRST_VIEW = runs.length === 2 ? "0-1" : "0";
// Fewer pictures than this say little of a cell.
const FEW = 5;
const heatRun = () => state.run || FIRST_VIEW;

let heatRows = [], heatColumns = [], heatAt = [0, 0];

function startHeatmap() {
  const rate = byId("heat-rate"), run = byId("heat-run");
  rate.append(...data.rates.map((entry) => make("option", { value: entry.name }, entry.label)));
  if (run) {
    run.append(...runs.map((entry, at) => make("option", { value: at }, `${letterOf(at)} ${entry.label}`)));
    for (let at = 1; at < runs.length; at++) run.append(make("option", { value: `0-${at}` }, `${letterOf(at)} minus A`));
    run.addEventListener("change", () => update({ run: run.value === FIRST_VIEW ? "" : run.value }));
  }
  rate.addEventListener("change", () => update({ rate: rate.selectedIndex ? rate.value : "" }));
  byId("heat-rows").addEventListener("change", (event) => update({ rows: event.target.value === "given" ? "" : event.target.value }));
  byId("heat-columns").addEventListener("change", (event) => update({ columns: event.target.value === "hue" ? "" : event.target.value }));
  const table = byId("heat-table");
  table.addEventListener("keydown", heatKeys);
  table.addEventListener("focusin", (event) => readOut(event.target.closest(".cell")));
  table.addEventListener("pointerover", (event) => readOut(event.target.closest(".cell")));
  table.addEventListener("click", (event) => {
    const cell = event.target.closest(".cell");
    if (cell) openPair(Number(cell.dataset.subject), Number(cell.dataset.colour));
  });
  watch((differs) => {
    if (["rate", "rows", "columns", "run"].some((name) => differs.has(name))) drawHeatmap();
  });
  drawHeatmap();
}

function openPair(subject, colour) {
  const fresh = emptyState();
  const cleared = Object.fromEntries(FILTERS.map((name) => [name, fresh[name]]));
  update({ ...cleared, subject: data.subjects[subject].name, colour: data.colours[colour].name });
  goToPictures();
}

function chosenRate() {
  return data.rates.find((entry) => entry.name === state.rate) || data.rates[0];
}

// The value of a cell: a rate of one run, or the difference of two.
function heatValue(pair) {
  if (!pair) return null;
  const rate = chosenRate();
  const [first, second] = heatRun().split("-").map(Number);
  if (second !== undefined && runs[second]) {
    const a = rateOf(rate, pair.counts[0]), b = rateOf(rate, pair.counts[second]);
    return { value: b.value - a.value, among: Math.min(a.among, b.among), signed: true, a, b };
  }
  return { ...rateOf(rate, pair.counts[runs[first] ? first : 0]), signed: false };
}

const average = (values) => {
  const known = values.filter((value) => Number.isFinite(value));
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : NaN;
};

function drawHeatmap() {
  byId("heat-rate").value = chosenRate().name;
  byId("heat-rows").value = state.rows || "given";
  byId("heat-columns").value = state.columns || "hue";
  if (byId("heat-run")) byId("heat-run").value = heatRun();
  const subjects = data.subjects.map((_, at) => at), colours = data.colours.map((_, at) => at);
  const value = (subject, colour) => heatValue(pairOf(subject, colour))?.value ?? NaN;
  const rowMean = subjects.map((subject) => average(colours.map((colour) => value(subject, colour))));
  const columnMean = colours.map((colour) => average(subjects.map((subject) => value(subject, colour))));
  const hue = (subject) => basicIndex.get(data.subjects[subject].canonical[0]) ?? 99;
  const prior = (subject) => data.subjects[subject].prior ?? NaN;
  const low = (x) => (Number.isFinite(x) ? x : Infinity);
  const orders = {
    mean: (a, b) => low(rowMean[a]) - low(rowMean[b]) || a - b,
    best: (a, b) => low(-rowMean[a]) - low(-rowMean[b]) || a - b,
    name: (a, b) => data.subjects[a].name.localeCompare(data.subjects[b].name),
    hue: (a, b) => hue(a) - hue(b) || a - b,
    prior: (a, b) => low(-prior(a)) - low(-prior(b)) || a - b,
  };
  heatRows = orders[state.rows] ? [...subjects].sort(orders[state.rows]) : subjects;
  const columnOrders = {
    mean: (a, b) => low(columnMean[a]) - low(columnMean[b]) || a - b,
    best: (a, b) => low(-columnMean[a]) - low(-columnMean[b]) || a - b,
  };
  heatColumns = columnOrders[state.columns] ? [...colours].sort(columnOrders[state.columns]) : colours;
  const counts = subjects.flatMap((subject) => colours.map((colour) => heatValue(pairOf(subject, colour))?.among ?? 0)).filter(Boolean);
  // Where every cell has few pictures a mark on each would say nothing.
  thinMatters = counts.some((among) => among >= FEW);
  byId("heat-few").replaceChildren(...(counts.every((among) => among >= FEW) ? [] : thinMatters
    ? [make("span", { class: "sample thin", "aria-hidden": "true" }), ` fewer than ${FEW} pictures`]
    : [`Every cell has fewer than ${FEW} pictures: rows and columns say more than cells.`]));
  const priors = data.subjects.some((_, subject) => Number.isFinite(prior(subject)));
  const signed = heatRun().includes("-");
  const show = (x) => (Number.isFinite(x) ? (signed ? signedPoints(x) : percent(x)) : "–");
  const head = make("tr", {}, make("td"), ...heatColumns.map((colour) =>
    make("th", { scope: "col" }, swatchOf(data.colours[colour]), make("bdi", {}, data.colours[colour].name))),
    make("th", { scope: "col", class: "margin" }, "mean"),
    priors ? make("th", { scope: "col", class: "own" }, "own colour") : null);
  const body = heatRows.map((subject, row) => make("tr", {},
    make("th", { scope: "row", title: ownColours(subject) }, make("bdi", {}, data.subjects[subject].name)),
    ...heatColumns.map((colour, column) => make("td", {}, heatCell(subject, colour, row, column))),
    make("td", { class: "margin" }, show(rowMean[subject])),
    priors ? make("td", { class: "own", title: ownColours(subject) }, ...ownCell(subject, prior(subject))) : null));
  const foot = make("tr", {}, make("th", { scope: "row" }, "mean"),
    ...heatColumns.map((colour) => make("td", {}, show(columnMean[colour]))),
    make("td", { class: "margin" }, show(average(rowMean))), priors ? make("td") : null);
  const widths = make("colgroup", {}, make("col", { class: "names" }), ...heatColumns.map(() => make("col")), make("col", { class: "mean" }), ...(priors ? [make("col", { class: "own" })] : []));
  byId("heat-table").replaceChildren(
    make("caption", { class: "visually-hidden" }, `${chosenRate().label} by subject and colour`),
    widths, make("thead", {}, head), make("tbody", {}, ...body), make("tfoot", {}, foot));
  byId("heat-readout").textContent = `${chosenRate().label}${signed ? ", difference in points (bar on top: higher, below: lower)" : ", share of pictures"}. Choose a cell for its evidence and its pictures.`;
}

let thinMatters = true;

const signedPoints = (x) => `${x > 0 ? "+" : x < 0 ? "−" : ""}${Math.abs(100 * x).toFixed(0)}`;

function ownColours(subject) {
  const { canonical } = data.subjects[subject];
  return canonical.length ? `usually ${canonical.join(" or ")}` : "no usual colour known";
}

// The usual colours of a subject, and how much of it they cover where no colour is asked for.
function ownCell(subject, prior) {
  const known = data.subjects[subject].canonical.map((name) => swatchOf({ name, hex: data.basic[basicIndex.get(name)]?.hex }));
  return [...known, make("span", {}, Number.isFinite(prior) ? percent(prior) : "–")];
}

function swatchOf(colour) {
  const swatch = make("i", { class: colour.hex ? "swatch" : "swatch unknown" });
  if (colour.hex) swatch.style.background = colour.hex;
  return swatch;
}

function heatCell(subject, colour, row, column) {
  const pair = pairOf(subject, colour);
  const found = heatValue(pair);
  if (!found || !found.among) return make("span", { class: "void", title: "not asked" });
  const interval = wilson(found.hits ?? 0, found.among);
  const canonical = data.subjects[subject].canonical.includes(data.colours[colour].name);
  const ink = Math.min(1, Math.abs(found.value));
  const kinds = ["cell", thinMatters && found.among < FEW && "thin", canonical && "canonical", pair.novel && "novel", ink < 0.461 ? "k0" : ink < 0.684 ? "k1" : "k2",
    found.signed && found.value > 0 && "up", found.signed && found.value < 0 && "down"];
  const text = found.signed ? signedPoints(found.value) : percent(found.value);
  const told = describePair(subject, colour, found, interval, canonical, pair);
  const button = make("button", {
    type: "button", class: kinds.filter(Boolean).join(" "), tabindex: row === 0 && column === 0 ? 0 : -1,
    "data-subject": subject, "data-colour": colour, "data-row": row, "data-column": column,
    "data-told": told,
  }, make("span", { class: "visually-hidden" }, told),
  make("span", { class: "v", "aria-hidden": "true" }, text),
  make("span", { class: "n", "aria-hidden": "true" }, found.signed ? `n ${found.among}` : `${found.hits}/${found.among}`));
  if (pair.novel) button.append(make("i", { class: "mark" }));
  button.style.setProperty("--v", ink.toFixed(3));
  return button;
}

function describePair(subject, colour, found, interval, canonical, pair) {
  const name = `${data.colours[colour].name} ${data.subjects[subject].name}`;
  const marks = [canonical ? "its own colour" : ownColours(subject), pair.novel ? (pair.seen ? "partly novel" : "novel") : pair.seen ? "seen in training" : ""];
  const tail = marks.filter(Boolean).join(", ");
  if (found.signed) {
    return `${name}: A ${percent(found.a.value)} of ${found.a.among}, then ${percent(found.b.value)} of ${found.b.among}, difference ${signedPoints(found.value)} points; ${tail}`;
  }
  return `${name}: ${percent(found.value)}, ${found.hits} of ${found.among}, 95% interval ${percent(interval[0])} to ${percent(interval[1])}; ${tail}`;
}

function readOut(cell) {
  if (!cell) return;
  const [name, rest] = cell.dataset.told.split(/: (.*)/s);
  byId("heat-readout").replaceChildren(make("b", {}, make("bdi", {}, name)), ` · ${chosenRate().label}: ${rest}`);
}

function heatKeys(event) {
  const cell = event.target.closest(".cell");
  if (!cell) return;
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  let row = Number(cell.dataset.row), column = Number(cell.dataset.column), step = moves[event.key];
  if (event.key === "Home") { column = -1; step = [0, 1]; }
  else if (event.key === "End") { column = heatColumns.length; step = [0, -1]; }
  else if (!step) return;
  event.preventDefault();
  let next = null;
  do {
    row += step[0];
    column += step[1];
    if (row < 0 || column < 0 || row >= heatRows.length || column >= heatColumns.length) return;
    next = byId("heat-table").querySelector(`[data-row="${row}"][data-column="${column}"]`);
  } while (!next);
  for (const other of byId("heat-table").querySelectorAll('.cell[tabindex="0"]')) other.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

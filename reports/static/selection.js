// Which items match the filters, and in what order.

let selection = new Int32Array(0);
let matching = 0;

function select() {
  performance.mark("filter-start");
  const verdicts = new Set(state.verdict.map((name) => verdictIndex.get(name)));
  const colour = data.colours.findIndex((entry) => entry.name === state.colour);
  const subject = data.subjects.findIndex((entry) => entry.name === state.subject);
  const tag = data.tags.indexOf(state.tag);
  const seen = basicIndex.get(state.seen) ?? NONE;
  const wantedCell = data.cells.id.indexOf(state.cell);
  const shift = parseShift(state.shift);
  const text = state.q.trim().toLowerCase();
  const cellsWithText = text ? Uint8Array.from(cellSearch, (entry) => entry.includes(text)) : null;
  const shown = shownRuns();
  const out = new Int32Array(ITEMS);
  let kept = 0;
  matching = 0;
  for (let item = 0; item < ITEMS; item++) {
    if (state.colour && itemColour[item] !== colour) continue;
    if (state.subject && itemSubject[item] !== subject) continue;
    if (state.cell && itemCell[item] !== wantedCell) continue;
    if (state.shift && !shift?.(item)) continue;
    if (state.different && !differs(item, shown)) continue;
    if (verdicts.size && !shown.some((run) => verdicts.has(verdictOf[run][item]))) continue;
    if (state.seen && !shown.some((run) => observedOf[run][item] === seen)) continue;
    const cell = itemCell[item];
    if (state.tag && !cellTags[cell].has(tag)) continue;
    if (text && !cellsWithText[cell] && !textInRuns(item, text)) continue;
    matching++;
    if (!state.all && !hasPicture[item]) continue;
    out[kept++] = item;
  }
  selection = sorted(out.slice(0, kept));
  performance.measure("filter", "filter-start");
}

// "1.bound.mixed": bound in the first run, mixed in run 1.
function parseShift(text) {
  const [run, before, after] = text.split(".");
  const column = run ? verdictOf[run] : undefined;
  if (!column || !verdictIndex.has(before) || !verdictIndex.has(after)) return null;
  const from = verdictIndex.get(before), to = verdictIndex.get(after);
  return (item) => verdictOf[0][item] === from && column[item] === to;
}

function textInRuns(item, text) {
  return runs.some((run) => {
    const id = run.id[item];
    return id !== null && (id.includes(text) || run.words[item].toLowerCase().includes(text));
  });
}

// Sort keys are "metric" or "-metric" of the last run shown, or "change.metric": that run minus the
// first. Pictures without the value come last. Without a key those that failed come first.
const boundVerdict = verdictIndex.get("bound");

function sorted(chosen) {
  if (state.sort === "given") return chosen;
  if (!state.sort) {
    const shown = shownRuns();
    const failed = (item) => shown.some((run) => verdictOf[run][item] !== boundVerdict && verdictOf[run][item] !== NONE);
    return Int32Array.from([...chosen.filter(failed), ...chosen.filter((item) => !failed(item))]);
  }
  const down = state.sort.startsWith("-");
  const name = down ? state.sort.slice(1) : state.sort;
  const last = shownRuns().at(-1);
  if (name === "verdict") {
    const column = verdictOf[last];
    return chosen.sort((a, b) => column[a] - column[b] || a - b);
  }
  if (name === "labelled") {
    return chosen.sort((a, b) => Number(isLabelled(b)) - Number(isLabelled(a)) || a - b);
  }
  const metric = name.startsWith("change.") ? name.slice(7) : name;
  const value = name === metric
    ? (item) => metricValue(last, metric, item)
    : (item) => metricValue(last, metric, item) - metricValue(0, metric, item);
  const sign = down ? -1 : 1;
  const keys = new Float64Array(ITEMS);
  for (const item of chosen) {
    const found = value(item);
    keys[item] = Number.isNaN(found) ? Infinity : sign * found;
  }
  return chosen.sort((a, b) => (keys[a] === keys[b] ? a - b : keys[a] - keys[b]));
}

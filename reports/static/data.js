// The data of the page, decoded once into typed arrays.

const data = await jsonOf("data");
const runs = data.runs;
const items = data.items;
const ITEMS = items.cell.length;
const NONE = -1;

const itemCell = Int32Array.from(items.cell);
const itemIndex = Int32Array.from(items.index);
const itemColour = Int16Array.from(items.colour);
const itemSubject = Int16Array.from(items.subject);
const verdictOf = runs.map((run) => Int8Array.from(run.verdict, (value) => value ?? NONE));
const observedOf = runs.map((run) => Int8Array.from(run.observed, (value) => value ?? NONE));
const metricOf = runs.map((run) =>
  Object.fromEntries(
    Object.entries(run.metrics).map(([name, column]) => [
      name,
      Float32Array.from(column, (value) => (value === null ? NaN : value / data.scale)),
    ]),
  ),
);

// Whether one of some runs has another verdict than the first.
function differs(item, among) {
  const first = verdictOf[0][item];
  if (first === NONE) return false;
  return among.some((run) => verdictOf[run][item] !== NONE && verdictOf[run][item] !== first);
}

const basicIndex = new Map(data.basic.map((colour, index) => [colour.name, index]));
const verdictIndex = new Map(data.verdicts.map((verdict, index) => [verdict.name, index]));
const cellText = data.cells.text;
const cellSearch = data.cells.text.map((text, cell) => `${text}\n${data.cells.id[cell]}`.toLowerCase());
const cellBindings = new Uint8Array(data.cells.id.length);
for (let item = 0; item < ITEMS; item++) {
  cellBindings[itemCell[item]] = Math.max(cellBindings[itemCell[item]], items.binding[item] + 1);
}
const cellTags = data.cells.tags.map((tags) => new Set(tags));

const itemName = (item) => `${data.cells.id[itemCell[item]]}:${itemIndex[item]}:${items.binding[item]}`;
const colourName = (item) => data.colours[itemColour[item]].name;
const subjectName = (item) => data.subjects[itemSubject[item]].name;

function metricValue(run, name, item) {
  const column = metricOf[run][name];
  return column ? column[item] : NaN;
}

// Counts by verdict of every (subject, colour), one table a run, and what the tags say of it.
function pairTable() {
  const width = data.colours.length;
  const pairs = new Map();
  for (let item = 0; item < ITEMS; item++) {
    const key = itemSubject[item] * width + itemColour[item];
    let pair = pairs.get(key);
    if (!pair) {
      pair = { counts: runs.map(() => new Int32Array(data.verdicts.length)), novel: false, seen: false };
      pairs.set(key, pair);
    }
    for (let run = 0; run < runs.length; run++) {
      const verdict = verdictOf[run][item];
      if (verdict !== NONE) pair.counts[run][verdict]++;
    }
    const tags = cellTags[itemCell[item]];
    if (tags.has(novelTag)) pair.novel = true;
    if (tags.has(seenTag)) pair.seen = true;
  }
  return (subject, colour) => pairs.get(subject * width + colour);
}

const novelTag = data.tags.indexOf("novel");
const seenTag = data.tags.indexOf("seen");
const pairOf = pairTable();

function rateOf(rate, counts) {
  let hits = 0, among = 0;
  for (let verdict = 0; verdict < counts.length; verdict++) {
    if (!rate.among.includes(verdict)) continue;
    among += counts[verdict];
    if (rate.hits.includes(verdict)) hits += counts[verdict];
  }
  return { hits, among, value: among ? hits / among : NaN };
}

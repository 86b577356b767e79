// What the reader has chosen. It lives in the fragment of the URL, so that a link keeps it.

const LISTS = ["verdict", "overlay"];
const WORDS = ["colour", "subject", "tag", "seen", "cell", "shift", "q", "sort", "size", "item", "film", "rate", "rows", "columns", "run", "beside"];
const FLAGS = ["different", "all"];
const FILTERS = ["verdict", "colour", "subject", "tag", "seen", "cell", "shift", "q", "different"];

const state = emptyState();
const watchers = [];

function emptyState() {
  const fresh = {};
  for (const name of LISTS) fresh[name] = [];
  for (const name of WORDS) fresh[name] = "";
  for (const name of FLAGS) fresh[name] = false;
  return fresh;
}

function parseState(text) {
  const found = emptyState();
  const read = new URLSearchParams(text);
  for (const name of LISTS) found[name] = (read.get(name) || "").split(",").filter(Boolean);
  for (const name of WORDS) found[name] = read.get(name) || "";
  for (const name of FLAGS) found[name] = read.get(name) === "1";
  found.verdict = found.verdict.filter((name) => verdictIndex.has(name));
  return found;
}

function writeState() {
  const out = new URLSearchParams();
  for (const name of LISTS) if (state[name].length) out.set(name, state[name].join(","));
  for (const name of WORDS) if (state[name]) out.set(name, state[name]);
  for (const name of FLAGS) if (state[name]) out.set(name, "1");
  const text = out.toString();
  history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}

// The runs whose pictures stand on a card: all of a few, else the first and the chosen one.
const FEW_RUNS = 4;
function shownRuns() {
  const chosen = Number(state.beside);
  if (runs.length > 2 && state.beside && runs[chosen] && chosen) return [0, chosen];
  return runs.length <= FEW_RUNS ? runs.map((_, run) => run) : [0, runs.length - 1];
}

function watch(act) {
  watchers.push(act);
}

function update(patch) {
  const before = { ...state };
  Object.assign(state, patch);
  writeState();
  const differs = new Set(Object.keys(state).filter((name) => String(before[name]) !== String(state[name])));
  if (differs.size) for (const act of watchers) act(differs);
}

const clearFilters = () => {
  const fresh = emptyState();
  update(Object.fromEntries(FILTERS.map((name) => [name, fresh[name]])));
};

function toggle(name, value) {
  const kept = state[name].filter((entry) => entry !== value);
  update({ [name]: kept.length === state[name].length ? [...kept, value] : kept });
}

// A person's word on the verdicts: right or wrong, kept in this browser, exported as CSV.

const labelKeys = runs.map((run) => `binding-bench:labels:${run.run}`);
const labels = labelKeys.map((key) => {
  try {
    const stored = JSON.parse(recall(key) || "{}");
    return new Map(Object.entries(stored && typeof stored === "object" ? stored : {}));
  } catch {
    return new Map();
  }
});

const labelName = (run, item) => `${runs[run].id[item]}/${items.binding[item]}`;
const labelOf = (run, item) => (runs[run].id[item] === null ? undefined : labels[run].get(labelName(run, item)));
const isLabelled = (item) => runs.some((_, run) => labelOf(run, item));

function setLabel(run, item, value) {
  if (runs[run].id[item] === null) return;
  const name = labelName(run, item);
  if (value) labels[run].set(name, value);
  else labels[run].delete(name);
  const kept = remember(labelKeys[run], JSON.stringify(Object.fromEntries(labels[run])));
  showLabelCount();
  const words = value ? `Verdict marked ${value.label}` : "Label removed";
  say(kept ? `${words}: ${cellText[itemCell[item]]}` : `${words}, but this browser will not keep it: export before you leave`);
}

function showLabelCount() {
  const total = labels.reduce((sum, table) => sum + table.size, 0);
  byId("label-count").textContent = count(total);
  byId("export-labels").disabled = total === 0;
}

function labelsCsv() {
  const several = runs.length > 1;
  const head = ["sample_id", "binding", "cell_id", "text", "colour", "subject", "verdict", "label", "human"];
  const lines = [several ? ["run", ...head] : head];
  for (let run = 0; run < runs.length; run++) {
    for (let item = 0; item < ITEMS; item++) {
      const given = labelOf(run, item);
      if (!given) continue;
      const verdict = data.verdicts[verdictOf[run][item]].name;
      const human = given.label === "right" ? verdict : given.human || "";
      const cell = itemCell[item];
      const row = [runs[run].id[item], items.binding[item], data.cells.id[cell], cellText[cell],
        colourName(item), subjectName(item), verdict, given.label, human];
      lines.push(several ? [runs[run].label, ...row] : row);
    }
  }
  return lines.map((line) => line.map(csvField).join(",")).join("\n") + "\n";
}

// A field that a spreadsheet would run as a formula gets an apostrophe before it.
function csvField(value) {
  let text = String(value);
  if (/^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

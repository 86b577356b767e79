// One card of the gallery, and the mats that hold pictures on neutral gray.

const overlayModes = () => state.overlay.filter((name) => name !== "control");

// A picture at a whole multiple of its pixels, as large as the box allows.
function pictureSize(picture, box) {
  const scale = Math.max(1, Math.floor(box / Math.max(picture.width, picture.height)));
  const fit = Math.min(1, box / Math.max(picture.width, picture.height));
  const factor = fit < 1 ? fit : scale;
  return [Math.round(picture.width * factor), Math.round(picture.height * factor)];
}

function mat(picture, item, box, { tag = "", overlay = true, alt = "", missing = "no thumbnail in this file" } = {}) {
  const holder = make("span", { class: "mat" });
  if (tag) holder.append(make("span", { class: "tag" }, tag));
  const uri = picture && uriOf(picture);
  if (!picture || !uri) {
    holder.append(make("span", { class: "absent" }, picture ? "loading" : missing));
    return holder;
  }
  const [width, height] = pictureSize(picture, box);
  holder.append(make("img", { src: uri, width, height, alt, decoding: "sync", draggable: "false" }));
  const modes = overlayModes();
  if (overlay && modes.length) {
    const canvas = make("canvas", { "aria-hidden": "true" });
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    holder.append(canvas);
    drawOverlay(canvas, picture, item, modes);
  }
  return holder;
}

function verdictLine(run, item) {
  const verdict = data.verdicts[verdictOf[run][item]];
  const line = make("span", { class: "card-verdict" });
  if (runs.length > 1) line.append(make("span", { class: "dim" }, letterOf(run)));
  if (!verdict) {
    line.append(verdictIcon("none"), make("span", { class: "dim" }, "not in this run"));
    return line;
  }
  line.append(verdictIcon(verdict.name), make("span", {}, verdict.label));
  const given = labelOf(run, item);
  if (given) line.append(make("span", { class: "judged", title: `marked ${given.label}` }, given.label === "right" ? "✓" : "✕", make("span", { class: "visually-hidden" }, ` ${given.label}`)));
  return line;
}

// Where a prompt has several subjects, which of them this card is about.
function judgedPart(item) {
  if (cellBindings[itemCell[item]] < 2) return null;
  return make("span", { class: "dim" }, ` · the ${subjectName(item)}`);
}

function reason(run, item) {
  const words = make("bdi", {}, runs[run].words[item] || "");
  return runs.length > 1 ? make("span", {}, `${letterOf(run)}: `, words) : words;
}

function makeCard(item, position, total, box) {
  const mats = make("span", { class: "mats" });
  const control = state.overlay.includes("control");
  const shown = shownRuns();
  for (const run of shown) {
    const tag = runs.length > 1 ? letterOf(run) : "";
    mats.append(mat(pictureOf(run, item), item, box, { tag }));
    if (control) {
      mats.append(mat(controlOf(run, item), item, box, { tag: `${tag} control`.trim(), overlay: true, missing: "no control picture" }));
    }
  }
  const last = shown.at(-1);
  const prompt = make("bdi", {}, cellText[itemCell[item]]);
  const text = make("span", { class: "card-text" },
    ...shown.map((run) => verdictLine(run, item)),
    make("span", { class: "card-prompt", title: cellText[itemCell[item]] }, prompt, judgedPart(item)),
    make("span", { class: "card-words", title: runs[last].words[item] || "" }, reason(last, item)));
  const button = make("button", { type: "button", class: "card-button", tabindex: -1 }, mats, text);
  return make("div", { class: "card", role: "listitem", "aria-setsize": total, "aria-posinset": position + 1, "data-position": position }, button);
}

// The making of a picture, step by step, and where the colour was at each step.

function startFilms() {
  const choice = byId("film-choice");
  if (!choice) return;
  const films = [];
  pictures.forEach((table, run) => {
    for (const [slot, frames] of table.films) films.push({ run, slot, frames, cell: table.cell[slot], index: table.index[slot] });
  });
  films.forEach((film, at) => {
    const run = runs.length > 1 ? `${letterOf(film.run)} ` : "";
    choice.append(make("option", { value: at }, `${run}${cellText[film.cell]} (${film.index})`));
  });
  choice.addEventListener("change", () => showFilm(films[choice.value]));
  showFilm(films[0]);
}

function itemAt(cell, index) {
  for (let item = 0; item < ITEMS; item++) if (itemCell[item] === cell && itemIndex[item] === index) return item;
  return NONE;
}

async function showFilm(film) {
  const table = pictures[film.run];
  const picture = { run: film.run, slot: film.slot, width: table.width[film.slot], height: table.height[film.slot] };
  const [width, height] = pictureSize(picture, 128);
  const strip = make("div", { class: "film", tabindex: 0, role: "group", "aria-label": "Steps" },
    ...film.frames.map((uri, step) => make("figure", {},
      make("img", { src: uri, width, height, alt: `Step ${step + 1} of ${film.frames.length}` }),
      make("figcaption", {}, `step ${step + 1}`))));
  byId("film").replaceChildren(strip);
  const item = itemAt(film.cell, film.index);
  const asked = item === NONE ? NONE : basicIndex.get(colourName(item)) ?? NONE;
  const labels = labelsOf(picture);
  if (!nameTable || asked === NONE || !labels) return;
  const subject = items.binding[item] + 1;
  const shares = [];
  for (const uri of film.frames) {
    const pixels = await decode(uri, picture.width, picture.height);
    shares.push(colourShares(pixels, labels, subject, asked));
  }
  byId("film").append(curve(shares, item));
}

function colourShares(pixels, labels, subject, asked) {
  let on = 0, area = 0, off = 0;
  for (let pixel = 0, at = 0; pixel < labels.length; pixel++, at += 4) {
    const inside = labels[pixel] === subject;
    const hit = nameOf(pixels[at], pixels[at + 1], pixels[at + 2]) === asked;
    if (inside) { area++; on += hit; } else off += hit;
  }
  return { subject: area ? on / area : 0, rest: labels.length > area ? off / (labels.length - area) : 0 };
}

function curve(shares, item) {
  const high = 140, left = 44, wide = 600;
  const x = (step) => left + (shares.length > 1 ? (step / (shares.length - 1)) * wide : wide / 2);
  const y = (value) => 10 + (1 - value) * (high - 20);
  const path = (name) => shares.map((share, step) => `${step ? "L" : "M"}${x(step).toFixed(1)} ${y(share[name]).toFixed(1)}`).join("");
  const text = (at, up, words, anchor = "start") => {
    const element = makeSvg("text", { x: at, y: up, "text-anchor": anchor });
    element.textContent = words;
    return element;
  };
  const last = shares.at(-1);
  const names = [[subjectName(item), last.subject], ["the rest", last.rest]];
  const gap = Math.abs(y(last.subject) - y(last.rest)) < 16 ? (last.subject >= last.rest ? [-6, 10] : [10, -6]) : [4, 4];
  const told = `Share in ${colourName(item)}: ` + shares.map((share, step) => `step ${step + 1}, ${percent(share.subject)} of the ${subjectName(item)} and ${percent(share.rest)} of the rest`).join("; ");
  return makeSvg("svg", { class: "curve", preserveAspectRatio: "xMinYMin meet", viewBox: `0 0 ${left + wide + 150} ${high + 16}`, role: "img", "aria-label": told },
    makeSvg("path", { class: "axis", d: `M${left} ${y(0)}h${wide}M${left} ${y(0.5)}h${wide}M${left} ${y(1)}h${wide}` }),
    text(left - 8, y(0) + 4, "0", "end"), text(left - 8, y(0.5) + 4, "50%", "end"), text(left - 8, y(1) + 4, "100%", "end"),
    makeSvg("path", { d: path("subject") }), makeSvg("path", { class: "rest", d: path("rest") }),
    ...names.map(([name, value], at) => text(left + wide + 10, y(value) + gap[at], `${name} ${percent(value)}`)),
    text(left, high + 14, "step 1"), text(left + wide, high + 14, `step ${shares.length}`, "end"));
}

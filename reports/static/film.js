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

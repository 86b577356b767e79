// The gallery: only the cards near the window are in the document.

const BOXES = { s: 128, m: 192, l: 256 };
const GAP = 16, MARGIN = 24, AHEAD = 2;
const gallery = { cards: new Map(), columns: 1, width: 0, rowHeight: 1, height: 1, box: 128, at: 0, frame: 0, flush: false };

const lane = byId("lane");

function startGallery() {
  addEventListener("scroll", () => requestCards(), { passive: true });
  new ResizeObserver(() => { if (lane.clientWidth !== gallery.width) layOut(); }).observe(lane);
  waiting.add(() => requestCards(true));
  lane.addEventListener("click", (event) => {
    const card = event.target.closest(".card");
    if (card) { gallery.at = Number(card.dataset.position); markCurrent(); openViewer(selection[gallery.at]); }
  });
  lane.addEventListener("focusin", (event) => {
    const card = event.target.closest(".card");
    if (card) { gallery.at = Number(card.dataset.position); markCurrent(); }
  });
  lane.addEventListener("keydown", galleryKeys);
  watch((differs) => {
    const again = [...FILTERS, "all", "sort", "beside"].some((name) => differs.has(name));
    if (again) refresh();
    else if (differs.has("overlay") || differs.has("size")) layOut();
  });
  refresh();
}

function refresh() {
  select();
  gallery.at = 0;
  byId("nothing").hidden = selection.length > 0;
  layOut();
  const without = matching - selection.length;
  const found = matching === ITEMS ? `${count(ITEMS)} in all` : `${count(matching)} of ${count(ITEMS)} match`;
  byId("matches").textContent = without > 0 ? `${count(selection.length)} shown · ${found}` : found;
  say(byId("matches").textContent);
}

function layOut() {
  const width = lane.clientWidth;
  if (!width) return;
  gallery.width = width;
  const perCard = shownRuns().length * (state.overlay.includes("control") ? 2 : 1);
  let box = BOXES[state.size] || (width < 520 ? BOXES.s : BOXES.m);
  while (box > 64 && perCard * (box + MARGIN) > width) box -= 64;
  const least = perCard * (box + MARGIN);
  gallery.box = box;
  gallery.columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
  gallery.cardWidth = Math.floor((width - GAP * (gallery.columns - 1)) / gallery.columns);
  gallery.matHeight = box + MARGIN;
  // Lines of verdicts, two of the prompt, three of the reason.
  const lines = runs.length > 1 && gallery.cardWidth < 180 ? 40 : 20;
  gallery.height = gallery.matHeight + lines * shownRuns().length + 40 + 52 + 18;
  gallery.lines = lines;
  gallery.rowHeight = gallery.height + GAP;
  const rows = Math.ceil(selection.length / gallery.columns);
  lane.style.height = `${Math.max(0, rows * gallery.rowHeight - GAP)}px`;
  requestCards(true);
}

function requestCards(flush = false) {
  gallery.flush ||= flush;
  if (gallery.frame) return;
  gallery.frame = requestAnimationFrame(() => {
    gallery.frame = 0;
    drawCards(gallery.flush);
    gallery.flush = false;
  });
}

function drawCards(flush) {
  const held = flush && lane.contains(document.activeElement) ? gallery.at : NONE;
  if (flush) { gallery.cards.clear(); lane.replaceChildren(); }
  const rows = Math.ceil(selection.length / gallery.columns);
  // Even out of sight the nearest cards are there, for the tab key and for print.
  const top = Math.max(-innerHeight, Math.min(-lane.getBoundingClientRect().top, rows * gallery.rowHeight));
  const first = Math.max(0, Math.min(rows - 1, Math.floor(top / gallery.rowHeight)) - AHEAD);
  const last = Math.min(rows - 1, Math.floor((top + innerHeight) / gallery.rowHeight) + AHEAD);
  const from = first * gallery.columns, to = Math.min(selection.length, (last + 1) * gallery.columns);
  for (const [position, card] of gallery.cards) {
    if ((position < from || position >= to) && !card.contains(document.activeElement)) {
      card.remove();
      gallery.cards.delete(position);
    }
  }
  const added = [];
  for (let position = from; position < to; position++) {
    if (!gallery.cards.has(position)) added.push(placeCard(position));
  }
  lane.append(...added);
  markCurrent();
  if (held !== NONE) focusCard(held);
}

function placeCard(position) {
  const card = makeCard(selection[position], position, selection.length, gallery.box);
  const row = Math.floor(position / gallery.columns), column = position % gallery.columns;
  card.style.width = `${gallery.cardWidth}px`;
  card.style.height = `${gallery.height}px`;
  card.style.transform = `translate(${column * (gallery.cardWidth + GAP)}px, ${row * gallery.rowHeight}px)`;
  card.querySelector(".mats").style.height = `${gallery.matHeight}px`;
  card.style.setProperty("--verdict-line", `${gallery.lines}px`);
  gallery.cards.set(position, card);
  return card;
}

// One tab stop: the current card, or the first one in sight.
function markCurrent() {
  const stop = gallery.cards.has(gallery.at) ? gallery.at : Math.min(...gallery.cards.keys());
  for (const [position, card] of gallery.cards) card.firstChild.tabIndex = position === stop ? 0 : -1;
}

function focusCard(position) {
  if (!selection.length) return;
  gallery.at = Math.max(0, Math.min(selection.length - 1, position));
  const row = Math.floor(gallery.at / gallery.columns);
  const start = lane.getBoundingClientRect().top + scrollY + row * gallery.rowHeight;
  const above = byId("toolbar").getBoundingClientRect().bottom + GAP;
  const cover = getComputedStyle(byId("toolbar")).position === "sticky" ? Math.max(above, 0) : 60;
  if (start < scrollY + cover) scrollTo(0, start - cover);
  else if (start + gallery.height > scrollY + innerHeight - GAP) scrollTo(0, start + gallery.height - innerHeight + GAP);
  drawCards(false);
  gallery.cards.get(gallery.at)?.firstChild.focus({ preventScroll: true });
}

function galleryKeys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const page = Math.max(1, Math.floor(innerHeight / gallery.rowHeight)) * gallery.columns;
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -gallery.columns, ArrowDown: gallery.columns, PageUp: -page, PageDown: page };
  if (event.key in moves) focusCard(gallery.at + moves[event.key]);
  else if (event.key === "Home") focusCard(0);
  else if (event.key === "End") focusCard(selection.length - 1);
  else return;
  event.preventDefault();
}

function redrawCard(item) {
  for (const [position, card] of [...gallery.cards]) {
    if (selection[position] !== item) continue;
    const focused = card.contains(document.activeElement);
    gallery.cards.delete(position);
    const fresh = placeCard(position);
    card.replaceWith(fresh);
    markCurrent();
    if (focused) fresh.firstChild.focus({ preventScroll: true });
  }
}

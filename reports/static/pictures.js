// Thumbnails and label maps: in the page, or in chunks beside it that are loaded when needed.

const pictures = JSON.parse(byId("pictures").textContent);
const assets = document.body.dataset.assets || "";
const pictureSlots = pictures.map((table) => {
  const slots = new Map();
  for (let slot = 0; slot < table.cell.length; slot++) slots.set(`${table.cell[slot]}:${table.index[slot]}`, slot);
  return slots;
});
const chunks = new Map();
const waiting = new Set();

globalThis.bindingBenchChunk = (run, chunk, content, kind = "thumbnails") => {
  chunks.set(`${kind}-${run}-${chunk}`, content);
  for (const act of waiting) act();
};

// The chunk that holds a slot; null while it is loading, which asking for it begins.
function chunked(kind, run, size, slot) {
  const chunk = Math.floor(slot / size);
  const key = `${kind}-${run}-${chunk}`;
  const loaded = chunks.get(key);
  if (loaded === undefined) {
    chunks.set(key, null);
    const file = `${kind}-${run}-${String(chunk).padStart(4, "0")}.js`;
    document.head.append(make("script", { src: `${assets}/${file}` }));
  }
  return loaded ?? null;
}

function pictureAt(run, cell, index) {
  const slot = pictureSlots[run].get(`${cell}:${index}`);
  if (slot === undefined) return null;
  const table = pictures[run];
  return { run, slot, width: table.width[slot], height: table.height[slot] };
}

const pictureOf = (run, item) => pictureAt(run, itemCell[item], itemIndex[item]);

function controlOf(run, item) {
  const control = data.cells.control[itemCell[item]];
  if (control === NONE || control === itemCell[item]) return null;
  return pictureAt(run, control, itemIndex[item]);
}

const hasPicture = new Uint8Array(ITEMS);
for (let item = 0; item < ITEMS; item++) {
  for (let run = 0; run < runs.length && !hasPicture[item]; run++) {
    if (pictureSlots[run].has(`${itemCell[item]}:${itemIndex[item]}`)) hasPicture[item] = 1;
  }
}

function content(picture, name) {
  const table = pictures[picture.run];
  if (!table.chunk) return table[name][picture.slot];
  return chunked("thumbnails", picture.run, table.chunk, picture.slot)?.[name][picture.slot % table.chunk] ?? null;
}

const uriOf = (picture) => content(picture, "uri");

// Pixels of a thumbnail as RGBA; the last few hundred are kept.
const pixelCache = new Map();

function pixelsOf(picture) {
  const key = `${picture.run}:${picture.slot}`;
  const known = pixelCache.get(key);
  if (known) return known;
  const uri = uriOf(picture);
  if (!uri) return null;
  const promise = decode(uri, picture.width, picture.height);
  pixelCache.set(key, promise);
  if (pixelCache.size > 400) pixelCache.delete(pixelCache.keys().next().value);
  return promise;
}

async function decode(uri, width, height) {
  const image = new Image();
  image.src = uri;
  await image.decode();
  const canvas = make("canvas", { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

function runLengths(text, size) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const out = new Uint8Array(size);
  let at = 0;
  for (let position = 0; position < bytes.length; ) {
    const label = bytes[position++];
    let length = 0, shift = 0, digit;
    do {
      digit = bytes[position++];
      length |= (digit & 127) << shift;
      shift += 7;
    } while (digit & 128);
    out.fill(label, at, at + length);
    at += length;
  }
  return out;
}

function labelsOf(picture) {
  const text = content(picture, "labels");
  return text ? runLengths(text, picture.width * picture.height) : null;
}

// Names of colours by a 32 x 32 x 32 table of the sRGB cube.
const LEVELS = 32;
const nameTable = data.names ? runLengths(data.names, LEVELS ** 3) : null;

const nameOf = (red, green, blue) => nameTable[((red >> 3) * LEVELS + (green >> 3)) * LEVELS + (blue >> 3)];

// Overlays on a picture: the mask, the colour names, what leaked.

const FINE = 4;
const basicRgb = data.basic.map(({ hex }) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));

async function drawOverlay(canvas, picture, item, modes) {
  const { width, height } = picture;
  const [pixels, labels] = [await pixelsOf(picture), labelsOf(picture)];
  if (!pixels) return;
  const subject = items.binding[item] + 1;
  const asked = basicIndex.get(colourName(item)) ?? NONE;
  canvas.width = width * FINE;
  canvas.height = height * FINE;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (nameTable && (modes.includes("names") || modes.includes("leak"))) {
    const paint = new ImageData(width, height);
    if (modes.includes("leak")) paintLeak(paint.data, pixels, labels, subject, asked);
    else paintNames(paint.data, pixels);
    const small = new OffscreenCanvas(width, height);
    small.getContext("2d").putImageData(paint, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
  }
  if (!labels) return;
  if (modes.includes("mask")) {
    if (!modes.includes("names") && !modes.includes("leak")) dim(context, labels, width, subject);
    outline(context, labels, width, height, (label) => label > 100, true);
  }
  if (modes.includes("mask") || modes.includes("leak")) {
    outline(context, labels, width, height, (label) => label === subject, false);
  }
}

function paintNames(out, pixels) {
  for (let at = 0; at < pixels.length; at += 4) {
    const [red, green, blue] = basicRgb[nameOf(pixels[at], pixels[at + 1], pixels[at + 2])];
    out[at] = red; out[at + 1] = green; out[at + 2] = blue; out[at + 3] = 255;
  }
}

// What leaked keeps its colour; the rest turns to a gray picture that stands back from it.
function paintLeak(out, pixels, labels, subject, asked) {
  const bright = asked !== NONE && Math.max(...basicRgb[asked]) > 225;
  const floor = bright ? 40 : 120;
  for (let at = 0, pixel = 0; at < pixels.length; at += 4, pixel++) {
    const outside = !labels || labels[pixel] !== subject;
    if (outside && nameOf(pixels[at], pixels[at + 1], pixels[at + 2]) === asked) continue;
    const light = 0.2126 * pixels[at] + 0.7152 * pixels[at + 1] + 0.0722 * pixels[at + 2];
    out[at] = out[at + 1] = out[at + 2] = floor + light * 0.35;
    out[at + 3] = 255;
  }
}

function dim(context, labels, width, subject) {
  context.fillStyle = "rgb(128 128 128 / .78)";
  for (let start = 0; start < labels.length; start += width) {
    for (let x = 0; x < width; ) {
      const from = x;
      while (x < width && labels[start + x] !== subject) x++;
      if (x > from) context.fillRect(from * FINE, (start / width) * FINE, (x - from) * FINE, FINE);
      while (x < width && labels[start + x] === subject) x++;
    }
  }
}

function outline(context, labels, width, height, inside, dashed) {
  context.beginPath();
  const at = (x, y) => x >= 0 && y >= 0 && x < width && y < height && inside(labels[y * width + x]);
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      if (dashed && ((x >> 1) + (y >> 1)) & 1) continue;
      const here = at(x, y);
      if (here !== at(x - 1, y)) { context.moveTo(x * FINE, y * FINE); context.lineTo(x * FINE, (y + 1) * FINE); }
      if (here !== at(x, y - 1)) { context.moveTo(x * FINE, y * FINE); context.lineTo((x + 1) * FINE, y * FINE); }
    }
  }
  for (const [style, size] of [["rgb(0 0 0 / .75)", 4], ["#fff", 1.8]]) {
    context.strokeStyle = style;
    context.lineWidth = size;
    context.stroke();
  }
}
